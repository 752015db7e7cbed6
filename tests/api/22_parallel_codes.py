# SPDX-License-Identifier: AGPL-3.0-or-later
"""200 parallel right codes: exactly one of them buys something."""

import pytest

import docket
from docket import Client, new_phone, parallel, send_otp

MANY = 200


@pytest.fixture(scope="module")
def herd(dev):
    """200 connections that stand."""
    clients = [Client(dev, timeout=60) for _ in range(MANY)]
    for client in clients:
        client.get("/healthz")
    yield clients
    for client in clients:
        client.close()


def test_200_parallel_right_codes_register_exactly_one(api, dev, herd):
    """Whoever waited in vain for a free place to hash in has bought nothing:
    then the code still stands, and they all come again."""
    to, statuses = new_phone(), []
    code = send_otp(api, to).json["otp"]
    while statuses.count(200) == 0:
        assert len(statuses) < 5 * MANY, "nobody was let in"
        statuses += [r.status for r in parallel([
            lambda c=c: docket.register(c, expect=None, phone=to, otp=code)
            for c in herd])]
    assert statuses.count(200) == 1, sorted(statuses)
    assert set(statuses) <= {200, 400, 409, 503}, set(statuses)
    rows = dev.sql("SELECT count(*), count(phone_verified_at) FROM"
                   " docket.users WHERE phone = :'to'", to=to)
    assert rows == [["1", "1"]]
    # The code is spent.
    reply = docket.register(api, expect=None, phone=to, otp=code)
    assert reply.code in ("otp_invalid", "phone_taken")


def test_200_parallel_right_codes_verify_exactly_one(api, dev, herd):
    to, statuses = new_phone(), []
    code = send_otp(api, to).json["otp"]
    while statuses.count(200) == 0:
        assert len(statuses) < 5 * MANY, "nobody was let in"
        statuses += [r.status for r in parallel([
            lambda c=c: c.post("/otp/verify", None, json={
                "phone": to, "otp": code}) for c in herd])]
    assert statuses.count(200) == 1, sorted(statuses)
    assert set(statuses) <= {200, 400, 503}, set(statuses)
    rows = dev.sql("SELECT count(*) FROM docket.otps WHERE address = :'to'"
                   " AND proof_hash IS NOT NULL", to=to)
    assert rows == [["1"]]


def test_200_parallel_proofs_register_exactly_one(api, dev, herd):
    """What stands in for a code is spent once too."""
    to, statuses = new_phone(), []
    proof = api.post("/otp/verify", json={
        "phone": to, "otp": send_otp(api, to).json["otp"]
    }).json["verification_token"]
    while statuses.count(200) == 0:
        assert len(statuses) < 5 * MANY, "nobody was let in"
        statuses += [r.status for r in parallel([
            lambda c=c: docket.register(c, expect=None, phone=to,
                                        verification_token=proof)
            for c in herd])]
    assert statuses.count(200) == 1, sorted(statuses)
    assert set(statuses) <= {200, 400, 409, 503}, set(statuses)
    rows = dev.sql("SELECT count(*) FROM docket.users WHERE phone = :'to'",
                   to=to)
    assert rows == [["1"]]
