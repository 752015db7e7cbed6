# SPDX-License-Identifier: AGPL-3.0-or-later
"""What codes cost: the client, the block of numbers, the country, all."""

import os
import re
import signal

import pytest

import docket
import instance
from crowd import From, address, crowd
from docket import anonymous, new_email, new_phone, send_otp
from openmetrics import scrape

SETTINGS = [
    "otp.length=10", "otp.countries=+98, +49,+1,+33,+44",
    "limits.otp_sends_client=10", "limits.otp_verify_client=30",
    "limits.otp_prefix_hour=6", "limits.otp_sms_hour=60",
    "limits.otp_email_hour=8", "limits.otp_anomaly=deny",
    "server.workers=4",
]


@pytest.fixture(scope="module")
def strict():
    """An instance with the budgets that production has, some smaller."""
    with instance.running(*SETTINGS) as strict:
        yield strict


@pytest.fixture(autouse=True)
def unspent(strict):
    strict.sql("DELETE FROM docket.attempts;"
               " DELETE FROM docket.otp_traffic")


@pytest.fixture
def clients(strict):
    made = [From(strict, address(n)) for n in range(40)]
    yield made
    for client in made:
        client.close()


def owner(dev, statement, **values):
    """As the owner, who may read the audit trail."""
    dsn, dev.dsn = dev.dsn, dev.dsn.replace("docket_api", "docket_owner")
    try:
        return dev.sql(statement, **values)
    finally:
        dev.dsn = dsn


def alarms(dev):
    return [row[0] for row in owner(
        dev, "SELECT detail FROM docket.audit WHERE event = 'otp_alarm'"
        " ORDER BY id")]


def an_hour_later(dev):
    dev.sql("UPDATE docket.attempts SET window_start = window_start"
            " - interval '1 h'")


def refused(reply, code, longest):
    assert reply.status == 429 and reply.code == code, str(reply)
    assert 1 <= int(reply.header("Retry-After")) <= longest, str(reply)
    return anonymous(reply)


def of_block(block, number):
    return f"{block}{number:04d}"


def test_ten_an_hour_for_a_client(strict, clients):
    one, other = clients[:2]
    for _ in range(10):
        send_otp(one, new_email() if _ > 5 else new_phone())
    to = new_phone()
    refused(send_otp(one, to, expect=None), "rate_limited", 3600)
    # The refusal cost the recipient nothing, and nobody else.
    assert send_otp(other, to).json["resend_in"] == 60
    an_hour_later(strict)
    send_otp(one, new_phone())


@pytest.mark.faults
def test_a_budget_outlives_the_workers(strict, clients):
    one = clients[0]
    for _ in range(10):
        send_otp(one, new_phone())
    before = strict.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    docket.wait_until(lambda: not set(before) & set(strict.workers()) and
                      len(strict.workers()) == len(before), "new workers")
    docket.wait_until(lambda: one.get("/readyz", None, check=False)
                      .status == 200, "somebody who serves")
    refused(send_otp(one, new_phone(), expect=None), "rate_limited", 3600)


def told(before, after, name, **labels):
    return after.get(name, **labels) - before.get(name, **labels)


def test_a_block_of_numbers(strict, clients):
    known, before = len(alarms(strict)), scrape(clients[0])
    block = new_phone()[:9]
    for i in range(6):
        send_otp(clients[i], of_block(block, i))
    said = refused(send_otp(clients[6], of_block(block, 6), expect=None),
                   "otp_unavailable", 3600)
    again = refused(send_otp(clients[7], of_block(block, 7), expect=None),
                    "otp_unavailable", 3600)
    assert said == again
    send_otp(clients[8], new_phone())
    assert alarms(strict)[known:] == [f"prefix {block}"]
    after = scrape(clients[0])
    assert told(before, after, "docket_otp_alarms_total") == 1
    for result, n in (("sent", 7), ("all", 2), ("client", 0),
                      ("recipient", 0)):
        assert told(before, after, "docket_otp_sends_total", channel="sms",
                    result=result) == n, result
    an_hour_later(strict)
    assert send_otp(clients[6], of_block(block, 6)).json["resend_in"] == 60


def test_mail_has_a_ceiling_of_its_own(strict, clients):
    known, before = len(alarms(strict)), scrape(clients[0])
    replies = crowd(strict, 24, lambda c, i: send_otp(
        c, new_email(), expect=None), 50)
    assert sorted(r.status for r in replies) == [200] * 8 + [429] * 16
    said = {refused(r, "otp_unavailable", 3600) for r in replies
            if r.status == 429}
    assert len(said) == 1
    send_otp(clients[0], new_phone())
    assert alarms(strict)[known:] == ["total email"]
    after = scrape(clients[0])
    assert told(before, after, "docket_otp_alarms_total") == 1
    assert told(before, after, "docket_otp_sends_total", channel="email",
                result="all") == 16
    lines = [line for line in strict.log().splitlines()
             if "otp_alarm" in line and "total email" in line]
    assert len(lines) == 1, lines
    assert "breaker=deny" in lines[0]


def test_texts_have_a_ceiling(strict, clients):
    replies = crowd(strict, 64, lambda c, i: send_otp(
        c, f"+4930{i:04d}{docket.dice.randrange(10 ** 4):04d}",
        expect=None), 100)
    # The breaker of the country is below the ceiling: verified ones raise it.
    assert sorted(r.status for r in replies) == [200] * 20 + [429] * 44
    strict.sql("UPDATE docket.otp_traffic SET verified = 1000, sent = 1000")
    strict.sql("UPDATE docket.attempts SET n = 59 WHERE kind = 'total'")
    send_otp(clients[0], new_phone())
    refused(send_otp(clients[1], new_phone(), expect=None),
            "otp_unavailable", 3600)
    send_otp(clients[1], new_email())


def test_only_the_countries_of_the_list(strict, clients):
    for phone in ("+79161234567", "+18765550123", "+99912345678",
                  "+390612345678"):
        reply = send_otp(clients[0], phone, expect=400)
        assert reply.pointers() == {"/phone": "country"}, str(reply)
    for phone in ("+12025550123", "+447700900123"):
        send_otp(clients[0], phone)
    send_otp(clients[0], new_email())
    assert strict.sql("SELECT n FROM docket.attempts WHERE kind = 'send'") \
        == [["3"]]


def test_a_client_and_its_countries(strict, clients):
    one, other = clients[:2]
    tail = docket.dice.randrange(10 ** 4)
    for prefix in ("+9891219", "+4930192", "+3361219"):
        send_otp(one, of_block(prefix, tail))
    fourth = of_block("+4477009", tail)
    said = refused(send_otp(one, fourth, expect=None), "rate_limited", 3600)
    known = docket.register(one, phone=of_block("+4477008", tail))
    assert said == refused(send_otp(one, known.json["user"]["phone"],
                                    "login", expect=None),
                           "rate_limited", 3600)
    send_otp(one, of_block("+9891218", tail))
    send_otp(other, fourth)
    assert f"client {address(0)}" in alarms(strict)


def test_a_client_and_its_unverified_codes(strict, clients):
    one = clients[0]
    codes = {}
    for _ in range(10):
        to = new_phone()
        codes[to] = send_otp(one, to).json["otp"]
    an_hour_later(strict)
    refused(send_otp(one, new_phone(), expect=None), "rate_limited", 3600)
    to, code = codes.popitem()
    one.post("/otp/verify", json={"phone": to, "otp": code})
    send_otp(one, new_phone())
    refused(send_otp(one, new_phone(), expect=None), "rate_limited", 3600)


def test_a_country_that_nobody_verifies_is_closed(strict, clients):
    known = len(alarms(strict))
    codes = {}
    for i in range(20):
        to = new_phone()
        codes[to] = send_otp(clients[i], to).json["otp"]
    person = docket.register(clients[0], phone=new_phone()).json["user"]
    said = {refused(send_otp(clients[20], to, purpose, expect=None),
                    "otp_unavailable", 3600)
            for to in (new_phone(), person["phone"])
            for purpose in ("register", "login", "reset")}
    # It tells nothing of whom it refuses.
    assert len(said) == 1, said
    assert alarms(strict)[known:] == ["country IR"]
    line = [line for line in strict.log().splitlines()
            if "otp_alarm" in line][-1]
    assert 'cause="country IR"' in line, line
    # Other countries, and mail, go on; whoever has a code may use it, and
    # every one that is used makes room for another.
    send_otp(clients[20], f"+49301{docket.dice.randrange(10 ** 7):07d}")
    send_otp(clients[20], new_email())
    for to, code in list(codes.items())[:2]:
        docket.register(clients[21], phone=to, otp=code)
        send_otp(clients[22], new_phone())
        refused(send_otp(clients[22], new_phone(), expect=None),
                "otp_unavailable", 3600)


def test_thirty_guesses_in_five_minutes_for_a_client(strict, clients):
    one, other = clients[:2]
    to = new_phone()
    code = send_otp(one, to).json["otp"]
    guess = {"phone": new_phone(), "otp": "0000000000"}
    for i in range(30):
        if i % 3:
            one.post("/otp/verify", 400, json=guess)
        else:
            docket.register(one, expect=400, **guess)
    said = refused(one.post("/otp/verify", None, json=guess),
                   "rate_limited", 300)
    # Whether the code is right makes no difference.
    assert said == refused(one.post("/otp/verify", None, json={
        "phone": to, "otp": code}), "rate_limited", 300)
    refused(docket.register(one, expect=None, phone=to, otp=code),
            "rate_limited", 300)
    other.post("/otp/verify", json={"phone": to, "otp": code})
    strict.sql("UPDATE docket.attempts SET window_start = window_start"
               " - interval '5 min' WHERE kind = 'verify'")
    one.post("/otp/verify", 400, json=guess)


def test_a_code_is_at_rest_nowhere(strict, clients):
    """Ten digits: no timestamp looks like them by chance."""
    to = new_phone()
    code = send_otp(clients[0], to).json["otp"]
    assert re.fullmatch(r"\d{10}", code)
    proof = clients[0].post("/otp/verify", json={
        "phone": to, "otp": code}).json["verification_token"]
    again = send_otp(clients[0], to).json["otp"]
    tables = [row[0] for row in owner(
        strict, "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'docket'::regnamespace")]
    assert {"otps", "otp_budgets", "otp_traffic", "outbox"} <= set(tables)
    rows = "".join(str(owner(strict, f"SELECT t::text FROM docket.{t} t"))
                   for t in tables)
    assert to in rows
    logs = "".join(path.read_text(errors="replace")
                   for path in (strict.dir / "log").glob("*.log"))
    for secret in (code, again, proof):
        assert secret not in rows
        assert secret not in logs


def test_dev_has_the_recipients_budgets_alone(dev):
    one = From(dev, address(200))
    for i in range(4):
        send_otp(one, ("+336%08d", "+447%09d", "+391%08d", "+615%08d")[i]
                 % docket.dice.randrange(10 ** 8))
    block = new_phone()[:9]
    for i in range(56):
        send_otp(one, of_block(block, i))
    for _ in range(31):
        one.post("/otp/verify", 400, json={"phone": new_phone(),
                                           "otp": "123456"})
    send_otp(one, of_block(block, 0), expect=429)
    one.close()
