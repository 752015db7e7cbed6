# SPDX-License-Identifier: AGPL-3.0-or-later
"""One-time codes: sent, spooled, traded once, guessed five times."""

import json
import re
import time

import pytest

import docket
from docket import (Client, anonymous, new_email, new_phone, parallel,
                    send_otp, wait_until)


def verify(client, to, code, expect=200, **more):
    body = {"email" if "@" in to else "phone": to, "otp": code, **more}
    return client.post("/otp/verify", expect, json=body)


def wrong(code):
    return "%06d" % ((int(code) + 1) % 1000000)


def refused(reply):
    assert reply.status == 400 and reply.code == "otp_invalid", str(reply)
    assert reply.json["errors"] == []
    return anonymous(reply)


def test_send_says_what_s1_documents(api):
    sent = send_otp(api, new_phone()).json
    assert set(sent) == {"message", "status_code", "expires_in", "resend_in",
                         "otp"}
    assert sent["message"] == "OTP sent successfully"
    assert sent["status_code"] == 200
    assert sent["expires_in"] == 120
    assert sent["resend_in"] == 60
    assert re.fullmatch(r"\d{6}", sent["otp"])


def test_codes_differ(api):
    codes = {send_otp(api, new_phone()).json["otp"] for _ in range(12)}
    assert len(codes) > 9


@pytest.mark.parametrize("make, channel", [(new_phone, "sms"),
                                           (new_email, "email")])
def test_the_message_reaches_the_spool(api, dev, make, channel):
    to, before = make(), time.time()
    code = send_otp(api, to).json["otp"]
    found = wait_until(lambda: dev.messages(to), f"a message for {to}")
    assert len(found) == 1
    path, message = found[0]
    assert set(message) == {"id", "channel", "to", "purpose", "code",
                            "subject", "text", "language", "created_at"}
    assert message["channel"] == channel
    assert message["purpose"] == "register"
    assert message["code"] == code
    assert code in message["text"]
    assert docket.INSTANT.match(message["created_at"])
    assert docket.UUID7.match(message["id"])
    stem, _, name = path.stem.partition("-")
    assert name == message["id"]
    assert before - 5 < int(stem) / 1000 < time.time() + 5


def test_the_spool_is_for_its_owner_alone(api, dev):
    to = new_phone()
    send_otp(api, to)
    path, _ = wait_until(lambda: dev.messages(to), f"a message for {to}")[0]
    assert path.stat().st_mode & 0o077 == 0, oct(path.stat().st_mode)


def test_verify_gives_a_token_that_registers(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    proof = verify(api, to, code).json
    assert set(proof) == {"message", "verified", "verification_token",
                          "expires_in"}
    assert proof["verified"] is True
    assert proof["expires_in"] == 600
    assert len(proof["verification_token"]) >= 32
    docket.register(api, phone=to,
                    verification_token=proof["verification_token"])


def test_a_verification_token_works_once(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    token = verify(api, to, code).json["verification_token"]
    # A clash with somebody else must not use it up ...
    taken = docket.register(api).json["user"]["username"]
    docket.register(api, expect=409, phone=to, verification_token=token,
                    username=taken)
    docket.register(api, phone=to, verification_token=token)
    # ... but success does.
    refused(docket.register(api, expect=400, phone=to,
                            verification_token=token))


def test_a_verification_token_is_bound_to_its_address(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    token = verify(api, to, code).json["verification_token"]
    refused(docket.register(api, expect=400, phone=new_phone(),
                            verification_token=token))
    docket.register(api, phone=to, verification_token=token)


def test_a_code_works_once(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    verify(api, to, code)
    refused(verify(api, to, code, 400))


def test_every_failure_looks_the_same(api, dev):
    used, wrongly, aged = new_phone(), new_phone(), new_phone()
    code = send_otp(api, used).json["otp"]
    verify(api, used, code)
    said = {refused(verify(api, used, code, 400))}
    code = send_otp(api, wrongly).json["otp"]
    said.add(refused(verify(api, wrongly, wrong(code), 400)))
    code = send_otp(api, aged).json["otp"]
    age(dev, aged)
    said.add(refused(verify(api, aged, code, 400)))
    said.add(refused(verify(api, new_phone(), "123456", 400)))
    assert len(said) == 1, said


def age(dev, to, seconds=121):
    """Make a code as old as that."""
    dev.sql("UPDATE docket.otps SET created_at = created_at - :s * interval"
            " '1 s', expires_at = expires_at - :s * interval '1 s'"
            " WHERE address = :'to'", s=seconds, to=to)


def test_a_code_dies_after_two_minutes(api, dev):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    age(dev, to, 60)
    before = dev.sql("SELECT expires_at > now() FROM docket.otps"
                     " WHERE address = :'to'", to=to)
    assert before == [["t"]]
    age(dev, to, 61)
    refused(verify(api, to, code, 400))
    refused(docket.register(api, expect=400, phone=to, otp=code))


def test_four_wrong_guesses_leave_the_code_alive(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for _ in range(4):
        refused(verify(api, to, wrong(code), 400))
    verify(api, to, code)


def test_the_fifth_wrong_guess_kills_it(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for _ in range(5):
        refused(verify(api, to, wrong(code), 400))
    refused(verify(api, to, code, 400))


def test_register_guesses_count_too(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for _ in range(5):
        refused(docket.register(api, expect=400, phone=to, otp=wrong(code)))
    refused(docket.register(api, expect=400, phone=to, otp=code))


def many(dev, n, job):
    """job(client) n times at once, each on a warm connection of its own."""
    clients = [Client(dev) for _ in range(n)]
    for client in clients:
        client.get("/healthz")
    try:
        return parallel([lambda c=c: job(c) for c in clients])
    finally:
        for client in clients:
            client.close()


def test_64_parallel_wrong_guesses_are_five(api, dev):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for reply in many(dev, 64, lambda c: verify(c, to, wrong(code), None)):
        refused(reply)
    refused(verify(api, to, code, 400))
    # Guesses at the dead code counted for nothing: two more codes' worth of
    # five each are still evaluated, then the recipient is blocked.
    for _ in range(2):
        forget_sends(dev, to)
        code = send_otp(api, to).json["otp"]
        for _ in range(4):
            refused(verify(api, to, wrong(code), 400))
        refused(verify(api, to, wrong(code), 400))
    forget_sends(dev, to)
    reply = send_otp(api, to, expect=None)
    if reply.status == 200:
        reply = verify(api, to, reply.json["otp"], 429)
    assert reply.code == "otp_blocked", str(reply)
    assert int(reply.header("Retry-After")) > 3600


def forget_sends(dev, to):
    """As if nothing had been sent for long; codes and guesses stay."""
    dev.sql("UPDATE docket.otp_budgets SET sends = '{}', last_at = NULL,"
            " streak = 0 WHERE address = :'to'", to=to)


def sends_ago(dev, to, seconds):
    """As if the sends had been so much earlier."""
    dev.sql("UPDATE docket.otp_budgets SET last_at = last_at - :s * interval"
            " '1 s', sends = ARRAY(SELECT x - :s * interval '1 s'"
            " FROM unnest(sends) x) WHERE address = :'to'", s=seconds, to=to)


def test_64_parallel_right_guesses_are_one(api, dev):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    replies = many(dev, 64, lambda c: verify(c, to, code, None))
    good = [r for r in replies if r.status == 200]
    assert len(good) == 1, [r.status for r in replies]
    for reply in replies:
        if reply.status != 200:
            refused(reply)


def test_right_guesses_do_not_count_against_the_recipient(api, dev):
    to = new_phone()
    for _ in range(4):
        code = send_otp(api, to).json["otp"]
        for _ in range(3):
            refused(verify(api, to, wrong(code), 400))
        verify(api, to, code)
        forget_sends(dev, to)


def test_16_parallel_registrations_with_one_code_make_one_user(api, dev):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    replies = many(dev, 16, lambda c: docket.register(
        c, expect=None, phone=to, otp=code))
    statuses = [r.status for r in replies]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 400, 409, 503}, statuses


# --- how often ------------------------------------------------------------

def test_a_second_code_must_wait(api):
    to = new_phone()
    send_otp(api, to)
    reply = send_otp(api, to, expect=429)
    assert reply.code == "otp_wait"
    assert 30 < int(reply.header("Retry-After")) <= 60


def test_another_purpose_waits_too(api):
    to = new_phone()
    send_otp(api, to)
    assert send_otp(api, to, "login", expect=429).code == "otp_wait"


def test_the_wait_grows(api, dev):
    to = new_phone()
    for wait in (60, 120, 240):
        assert send_otp(api, to).json["resend_in"] == wait
        reply = send_otp(api, to, expect=429)
        assert wait / 2 < int(reply.header("Retry-After")) <= wait
        sends_ago(dev, to, wait + 1)


def test_five_an_hour_and_ten_a_day(api, dev):
    to = new_phone()
    for sent in range(1, 11):
        send_otp(api, to)
        if sent in (5, 10):
            sends_ago(dev, to, 300)
            reply = send_otp(api, to, expect=429)
            wait = int(reply.header("Retry-After"))
            assert wait > (600 if sent == 5 else 3600), wait
        sends_ago(dev, to, 3600 if sent % 5 == 0 else 300)
    assert send_otp(api, to, expect=429).code == "otp_wait"
    sends_ago(dev, to, 86400)
    send_otp(api, to)


def test_a_new_code_replaces_the_old(api, dev):
    to = new_phone()
    old = send_otp(api, to).json["otp"]
    forget_sends(dev, to)
    new = send_otp(api, to).json["otp"]
    if old != new:
        refused(verify(api, to, old, 400))
    verify(api, to, new)


def test_32_parallel_sends_are_one(dev):
    to = new_phone()
    replies = many(dev, 32, lambda c: send_otp(c, to, expect=None))
    statuses = sorted(r.status for r in replies)
    assert statuses == [200] + [429] * 31


# --- what it is for -------------------------------------------------------

@pytest.mark.parametrize("purpose", ["login", "reset", "change"])
def test_a_code_is_bound_to_its_purpose(api, purpose):
    to = new_phone()
    code = send_otp(api, to, purpose).json["otp"]
    refused(verify(api, to, code, 400))
    refused(docket.register(api, expect=400, phone=to, otp=code))
    verify(api, to, code, purpose=purpose)


def test_a_proof_for_login_does_not_register(api):
    to = new_phone()
    code = send_otp(api, to, "login").json["otp"]
    token = verify(api, to, code, purpose="login").json["verification_token"]
    refused(docket.register(api, expect=400, phone=to,
                            verification_token=token))


def test_a_code_is_bound_to_its_address(api):
    one, two = new_phone(), new_phone()
    code = send_otp(api, one).json["otp"]
    other = send_otp(api, two).json["otp"]
    if code != other:
        refused(verify(api, two, code, 400))


def test_known_and_unknown_addresses_get_the_same_reply(api, dev):
    known = docket.person_by_phone(dev).user["phone"]
    for purpose in ("login", "reset"):
        said = []
        for to in (known, new_phone()):
            forget_sends(dev, to)
            sent = send_otp(api, to, purpose).json
            assert re.fullmatch(r"\d{6}", sent.pop("otp"))
            said.append(json.dumps(sent))
        assert said[0] == said[1]


def test_spellings_of_a_phone_are_one(api):
    to = new_phone()
    spelt = f"00{to[1:3]} ({to[3:6]}) {to[6:9]}-{to[9:]}"
    code = send_otp(api, spelt).json["otp"]
    assert send_otp(api, to, expect=429).code == "otp_wait"
    verify(api, to, code)


def test_spellings_of_an_email_are_one(api):
    to = new_email()
    code = send_otp(api, to.upper()).json["otp"]
    assert send_otp(api, to, expect=429).code == "otp_wait"
    verify(api, to, code)


@pytest.mark.parametrize("body, pointers", [
    ({}, {"/phone": "required"}),
    ({"phone": None}, {"/phone": "required"}),
    ({"phone": "12345"}, {"/phone": "format"}),
    ({"phone": "+0123456789"}, {"/phone": "format"}),
    ({"phone": "+989121234567890123"}, {"/phone": "format"}),
    ({"phone": "+98912123456x"}, {"/phone": "format"}),
    ({"phone": 989121234567}, {"/phone": "type"}),
    ({"email": "nobody"}, {"/email": "format"}),
    ({"email": "a@b@example.org"}, {"/email": "format"}),
    ({"email": "a@localhost"}, {"/email": "format"}),
    ({"email": "a@example.org\nBcc: b@example.org"}, {"/email": "format"}),
    ({"phone": "+989121234567", "purpose": "fun"}, {"/purpose": "choice"}),
    ({"phone": "+989121234567", "email": "a@example.org"},
     {"/email": "duplicate"}),
    ({"phone": "1", "purpose": "fun", "x": 1},
     {"/phone": "format", "/purpose": "choice", "/x": "unknown"}),
])
def test_send_names_every_fault(api, body, pointers):
    assert api.post("/otp/send", 400, json=body).pointers() == pointers


def test_verify_needs_the_code(api):
    reply = api.post("/otp/verify", 400, json={"phone": new_phone()})
    assert reply.pointers() == {"/otp": "required"}


@pytest.mark.parametrize("code", ["", "1", "12345", "1234567", "abcdef",
                                  "１２３４５６", "12 456", "0" * 16])
def test_no_rubbish_is_a_code(api, code):
    to = new_phone()
    right = send_otp(api, to).json["otp"]
    reply = verify(api, to, code, 400)
    assert reply.code in ("otp_invalid", "invalid_request")
    verify(api, to, right)


def test_s0_and_s1_names_of_the_phone(api):
    for name in ("mobile", "mobile_no"):
        to = new_phone()
        code = api.post("/otp/send", json={name: to}).json["otp"]
        api.post("/otp/verify", json={name: to, "otp": code})


def test_the_code_is_nowhere_in_the_tables(api, dev):
    """Only keyed hashes are at rest (the outbox is sealed)."""
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    rows = dev.sql("SELECT o::text FROM docket.otps o"
                   " WHERE address = :'to'", to=to)
    assert rows and code not in rows[0][0]


