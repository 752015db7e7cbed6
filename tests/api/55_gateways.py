# SPDX-License-Identifier: AGPL-3.0-or-later
"""Codes by HTTP gateways and hooks: the shapes of the known ones, whoever
answers badly, and whatever a value may hold."""

import base64
import hashlib
import hmac
import re
import ssl
import time

import pytest

import docket
import gateway
import instance
from docket import (Client, new_email, new_phone, register, send_otp,
                    wait_until)
from gateway import Authority, Courier, Gateway, secret_file

pytestmark = pytest.mark.faults

SID = "AC" + 32 * "0"
TOKEN = "5f4dcc3b5aa765d61d8327deb882cf99"


@pytest.fixture(scope="module")
def post():
    """An instance whose outbox is left to the couriers of these tests."""
    with instance.running("server.workers=2") as post:
        gateway.end_courier(post)
        yield post


@pytest.fixture(scope="module")
def authority(post):
    return Authority(post.dir)


@pytest.fixture(autouse=True)
def empty(post):
    """No test finds another's messages."""
    outbox(post, "DELETE FROM docket.outbox RETURNING 1")


@pytest.fixture
def client(post):
    client = Client(post)
    yield client
    client.close()


def outbox(dev, statement):
    """As the courier's role."""
    dsn, dev.dsn = dev.dsn, dev.dsn.replace("docket_api", "docket_courier")
    try:
        return dev.sql(statement)
    finally:
        dev.dsn = dsn


def settings(dev, name, server, **more):
    """courier.sms = gateway by that preset."""
    given = {
        "twilio": {"account": SID, "sender": "+15005550006"},
        "vonage": {"account": "key1", "sender": "Docket"},
        "kavenegar": {"sender": "10004346"},
        "http": {},
    }[name]
    given = {"url": server.url, **given, **more}
    given["secret_file"] = secret_file(dev, "gateway.secret", TOKEN)
    return ["courier.sms=gateway", f"courier.gateway={name}",
            *[f"courier.gateway_{k}={v}" for k, v in given.items()]]


def accepted(name):
    """What the known gateways say to a message that they took."""
    body = {
        "twilio": (201, {"sid": "SM" + 32 * "a", "status": "queued",
                         "error_code": None}),
        "vonage": (200, {"message-count": "1", "messages": [
            {"to": "1", "message-id": "0A0000", "status": "0"}]}),
        "kavenegar": (200, {"return": {"status": 200, "message": "تایید شد"},
                            "entries": [{"messageid": 8792343,
                                         "status": 1}]}),
        "http": (200, {}),
    }[name]
    return lambda request: (body[0], {"Content-Type": "application/json"},
                            body[1])


def code_in(text):
    return re.search(r"\b\d{6}\b", text)[0]


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def registers(client, phone, code):
    """The code that came by the gateway is the one that counts."""
    assert register(client, phone=phone, otp=code).json["user"]["phone"] \
        == phone


def gone(dev):
    wait_until(lambda: outbox(dev, "SELECT count(*) FROM docket.outbox")
               == [["0"]], "an empty outbox", 20 * docket.SLOW)


# --- the shapes -----------------------------------------------------------

def test_twilio(post, client):
    phone = new_phone()
    with Gateway(accepted("twilio")) as server, \
            Courier(post, *settings(post, "twilio", server)):
        send_otp(client, phone)
        seen = server.first()
        gone(post)
    assert len(server.requests) == 1
    assert seen.method == "POST"
    assert seen.target == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert seen.headers["Authorization"] == basic(SID, TOKEN)
    assert seen.headers["Content-Type"] == \
        "application/x-www-form-urlencoded"
    assert set(seen.form) == {"To", "From", "Body"}
    assert seen.form["To"] == phone
    assert seen.form["From"] == "+15005550006"
    registers(client, phone, code_in(seen.form["Body"]))


def test_twilio_by_a_messaging_service(post, client):
    service = "MG" + 32 * "1"
    with Gateway(accepted("twilio")) as server, Courier(
            post, *settings(post, "twilio", server, sender=service)):
        send_otp(client, new_phone())
        seen = server.first()
        gone(post)
    assert set(seen.form) == {"To", "MessagingServiceSid", "Body"}
    assert seen.form["MessagingServiceSid"] == service


def test_vonage(post, client):
    phone = new_phone()
    with Gateway(accepted("vonage")) as server, \
            Courier(post, *settings(post, "vonage", server)):
        send_otp(client, phone)
        seen = server.first()
        gone(post)
    assert (seen.method, seen.target) == ("POST", "/sms/json")
    form = seen.form
    assert form.pop("client-ref")
    text = form.pop("text")
    assert form == {"api_key": "key1", "api_secret": TOKEN, "to": phone[1:],
                    "from": "Docket", "type": "text"}
    registers(client, phone, code_in(text))


def test_kavenegar(post, client):
    phone = new_phone()
    with Gateway(accepted("kavenegar")) as server, \
            Courier(post, *settings(post, "kavenegar", server)):
        send_otp(client, phone)
        seen = server.first()
        gone(post)
    assert (seen.method, seen.target) == ("POST", f"/v1/{TOKEN}/sms/send.json")
    assert set(seen.form) == {"receptor", "sender", "message"}
    assert seen.form["receptor"] == "00" + phone[1:]
    registers(client, phone, code_in(seen.form["message"]))


def test_kavenegar_by_template(post, client):
    phone = new_phone()
    with Gateway(accepted("kavenegar")) as server, Courier(
            post, *settings(post, "kavenegar", server, template="verify")):
        send_otp(client, phone)
        seen = server.first()
        gone(post)
    assert seen.target == f"/v1/{TOKEN}/verify/lookup.json"
    form = seen.form
    assert form.pop("receptor") == "00" + phone[1:]
    code = form.pop("token")
    assert form == {"template": "verify"}
    registers(client, phone, code)


def test_any_gateway_by_json(post, client):
    phone = new_phone()
    with Gateway(lambda _: (202, {}, {"ok": True, "id": "m-1"})) as server:
        words = settings(
            post, "http", server, url=server.url + "/v2/{{account}}/sms?x=1",
            account="a/b c", sender="Dock\"et", success="202 /ok=true",
            reference="/id",
            headers="Authorization: Bearer {{secret}} | X-Message: {{id}}",
            body='{"to":["{{to}}"],"from":"{{sender}}","text":"{{text}}",'
                 '"purpose":"{{purpose}}"}')
        with Courier(post, *words) as courier:
            send_otp(client, phone)
            seen = server.first()
            gone(post)
            log = courier.log()
    assert seen.target == "/v2/a%2Fb%20c/sms?x=1"
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert docket.UUID7.match(seen.headers["X-Message"])
    assert seen.headers["Content-Type"] == "application/json"
    body = seen.json
    assert (body["to"], body["from"]) == ([phone], 'Dock"et')
    assert body["purpose"] == "register"
    assert TOKEN not in log and code_in(body["text"]) not in log
    registers(client, phone, code_in(body["text"]))


def test_any_gateway_by_get(post, client):
    phone = new_phone()
    with Gateway(accepted("http")) as server:
        words = settings(
            post, "http", server, method="GET",
            url=server.url + "/send?to={{number}}&text={{text}}&k={{secret}}")
        with Courier(post, *words):
            send_otp(client, phone)
            seen = server.first()
            gone(post)
    assert seen.method == "GET" and seen.body == b""
    assert (seen.query["to"], seen.query["k"]) == (phone[1:], TOKEN)
    registers(client, phone, code_in(seen.query["text"]))


def test_any_gateway_by_xml_with_a_login(post, client):
    phone = new_phone()
    with Gateway(accepted("http")) as server:
        words = settings(
            post, "http", server, url=server.url + "/soap", type="xml",
            login="on", account="user", sender="<&'\">",
            body="<m a='{{sender}}' to='{{to}}'>{{text}}</m>")
        with Courier(post, *words):
            send_otp(client, phone)
            seen = server.first()
            gone(post)
    assert seen.headers["Authorization"] == basic("user", TOKEN)
    assert seen.headers["Content-Type"] == "text/xml; charset=utf-8"
    body = seen.body.decode()
    assert body.startswith("<m a='&lt;&amp;&#39;&quot;&gt;' to='" + phone)
    registers(client, phone, code_in(body))


# --- the hook -------------------------------------------------------------

SECRETS = [base64.b64encode(bytes([n]) * 32).decode() for n in (7, 9)]


def hook_settings(dev, server, *secrets):
    path = secret_file(dev, "hook.secret", "\n".join(secrets))
    return ("courier.sms=hook", "courier.email=hook",
            f"courier.hook_url={server.url}/hook",
            f"courier.hook_secret_file={path}")


def signatures(request):
    """The v1 signatures, worked out anew for each of the secrets."""
    signed = (f"{request.headers['webhook-id']}."
              f"{request.headers['webhook-timestamp']}.").encode() \
        + request.body
    return ["v1," + base64.b64encode(hmac.new(
        base64.b64decode(secret), signed, hashlib.sha256).digest()).decode()
        for secret in SECRETS]


def test_hook_for_text_messages(post, client):
    phone = new_phone()
    with Gateway(lambda _: (200, {}, {})) as server, Courier(
            post, *hook_settings(post, server, "v1,whsec_" + SECRETS[0])):
        send_otp(client, phone)
        seen = server.first()
        gone(post)
    assert (seen.method, seen.target) == ("POST", "/hook")
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["webhook-signature"] == signatures(seen)[0]
    assert abs(int(seen.headers["webhook-timestamp"]) - time.time()) < 60
    body = seen.json
    assert body["user"]["phone"] == phone and body["user"]["email"] == ""
    assert set(body) == {"user", "sms", "message"}
    message = body["message"]
    assert set(message) == {"id", "channel", "to", "purpose", "code", "text",
                            "created_at", "expires_at"}
    assert message["id"] == seen.headers["webhook-id"]
    assert (message["channel"], message["to"], message["purpose"]) == \
        ("sms", phone, "register")
    assert message["expires_at"] > message["created_at"]
    assert body["sms"] == {"otp": message["code"]}
    registers(client, phone, body["sms"]["otp"])


@pytest.mark.parametrize("purpose, action", [
    ("register", "signup"), ("login", "magiclink")])
def test_hook_for_mails(post, client, purpose, action):
    email = new_email()
    if purpose == "login":
        code = send_otp(client, email).json["otp"]
        register(client, email=email, otp=code)
        outbox(post, "DELETE FROM docket.outbox RETURNING 1")
        outbox_age(post)
    with Gateway(lambda _: (204, {}, b"")) as server, Courier(
            post, *hook_settings(post, server, "whsec_" + SECRETS[0],
                                 "whsec_" + SECRETS[1])):
        send_otp(client, email, purpose)
        seen = server.first()
        gone(post)
    # Two secrets, as while they are changed: two signatures.
    assert seen.headers["webhook-signature"].split(" ") == signatures(seen)
    body = seen.json
    assert body["user"]["email"] == email and body["user"]["phone"] == ""
    data = body["email_data"]
    assert set(data) == {"token", "token_hash", "redirect_to", "site_url",
                         "email_action_type", "token_new", "token_hash_new"}
    assert data["email_action_type"] == action
    assert data["site_url"] == post.url
    assert data["token"] == body["message"]["code"]


def outbox_age(dev):
    """The pause between two codes for one recipient has passed."""
    dev.sql("UPDATE docket.otps SET created_at = created_at -"
            " interval '2 minutes'")


def test_hook_is_tried_again_with_the_same_id(post, client):
    answers = iter([(503, {"Retry-After": "1"}, b""), (200, {}, b"")])
    with Gateway(lambda _: next(answers)) as server, Courier(
            post, *hook_settings(post, server, "whsec_" + SECRETS[0])):
        send_otp(client, new_phone())
        wait_until(lambda: len(server.requests) == 2, "a second try",
                   30 * docket.SLOW)
        gone(post)
    first, second = server.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    for seen in server.requests:
        assert seen.headers["webhook-signature"] == signatures(seen)[0]


# --- answers that are none ------------------------------------------------

@pytest.mark.parametrize("name, answer, why", [
    ("twilio", (400, {}, {"code": 21211, "message": "The 'To' number "
                          "+989120000000 is not valid", "status": 400}),
     r"HTTP 400, code 21211: no valid number"),
    ("twilio", (401, {}, {"code": 20003, "message": "Authenticate"}),
     r"HTTP 401, code 20003: login refused"),
    ("twilio", (429, {"Retry-After": "2"}, {"code": 20429}),
     r"HTTP 429, code 20429: too many requests"),
    ("twilio", (500, {}, b"<html>oops"), r"^HTTP 500$"),
    ("vonage", (200, {}, {"messages": [{"status": "9", "error-text":
                                        "Quota Exceeded"}]}),
     r"HTTP 200, code 9: no credit"),
    ("vonage", (200, {}, {"messages": []}),
     r"^HTTP 200, but it did not accept the message$"),
    ("vonage", (200, {}, b"not JSON"),
     r"^HTTP 200, but it did not accept the message$"),
    ("kavenegar", (200, {}, {"return": {"status": 418, "message": "x"},
                             "entries": None}),
     r"HTTP 200, code 418: no credit"),
    ("kavenegar", (411, {}, {"return": {"status": 411}}),
     r"HTTP 411, code 411: no valid number"),
    ("kavenegar", (502, {}, b""), r"^HTTP 502$"),
])
def test_refusals(post, client, name, answer, why):
    with Gateway(lambda _: answer) as server, \
            Courier(post, *settings(post, name, server)) as courier:
        code = send_otp(client, new_phone()).json["otp"]
        server.first()
        reasons = courier.why(why)
        log = courier.log()
    assert all(re.search(why, one) for one in reasons), reasons
    assert code not in log and TOKEN not in log
    assert "message_sent" not in log


def test_an_answer_forges_no_line(post, client):
    evil = "x\r\nmessage_sent forged=1\x1b[31m\" \\ \x00\u202e"
    answer = {"sid": evil, "code": evil, "status": evil}
    for status in (201, 400):
        outbox(post, "DELETE FROM docket.outbox RETURNING 1")
        with Gateway(lambda _: (status, {"X-Evil": "a\tb"}, answer)) \
                as server, Courier(post, *settings(post, "twilio", server)) \
                as courier:
            send_otp(client, new_phone())
            server.first()
            if status == 400:
                courier.why("^HTTP 400$")
            else:
                gone(post)
        for line in courier.log().splitlines():
            assert line.isprintable() and not line.startswith("message_sent"
                                                              " forged")
            assert "forged=1" not in line or '"' in line, line


# --- gateways that do not answer ------------------------------------------

def test_the_api_does_not_wait_for_a_gateway_that_hangs(post, client):
    held = []
    with Gateway(lambda _: gateway.hang(lambda: held[0])) as server, \
            Courier(post, *settings(post, "twilio", server)) as courier:
        held.append(server)
        send_otp(client, new_phone())
        server.first()
        # It hangs now; the courier has not given up on it yet.
        before = len(re.findall("why=", courier.log()))
        send_otp(client, new_phone())
        client.get("/healthz")
        assert before == 0
        courier.why(r"timed out")


@pytest.mark.parametrize("how, why", [
    ("trickle", "timed out"), ("reset", "."),
    ("flood", "^the answer is too long$")])
def test_answers_that_never_end_well(post, client, how, why):
    held = []
    does = {"trickle": gateway.trickle(lambda: held[0]),
            "reset": gateway.reset, "flood": gateway.flood}[how]
    with Gateway(lambda _: does) as server, \
            Courier(post, *settings(post, "twilio", server)) as courier:
        held.append(server)
        send_otp(client, new_phone())
        server.first()
        courier.why(why)


def test_a_redirect_is_not_followed(post, client):
    with Gateway(accepted("twilio")) as other, \
            Gateway(lambda _: (307, {"Location": other.url + "/x"}, b"")) \
            as server, \
            Courier(post, *settings(post, "twilio", server)) as courier:
        send_otp(client, new_phone())
        server.first()
        courier.why("^HTTP 307, a redirect$")
        assert other.connections == 0


def test_a_name_that_is_not_there(post, client):
    class Nowhere:
        url = "https://sms.docket.invalid"
    with Courier(post, *settings(post, "twilio", Nowhere)) as courier:
        send_otp(client, new_phone())
        courier.why("Could not resolve host: sms.docket.invalid|"
                    "timed out")


@pytest.mark.parametrize("allowed", ["", "10.0.0.0/8,127.0.0.2"])
def test_an_address_nearby_is_refused(post, client, allowed):
    with Gateway(accepted("twilio")) as server, Courier(
            post, *settings(post, "twilio", server),
            f"courier.allow_addresses={allowed}") as courier:
        send_otp(client, new_phone())
        courier.why("^127.0.0.1 is a loopback address and not in "
                    "courier.allow_addresses$")
        assert server.connections == 0


# --- certificates ---------------------------------------------------------

def test_a_good_certificate(post, client, authority):
    phone = new_phone()
    with Gateway(accepted("twilio"), authority.context()) as server, Courier(
            post, *settings(post, "twilio", server),
            f"courier.ca_file={authority.file}"):
        send_otp(client, phone)
        registers(client, phone, code_in(server.first().form["Body"]))
        gone(post)


@pytest.mark.parametrize("how, why", [
    ({"by_itself": True}, "self-signed"),
    ({"days": -1}, "expired"),
    ({"host": "other.example"}, "no alternative certificate subject name"),
    ({"most": ssl.TLSVersion.TLSv1_1}, "protocol version|alert"),
])
def test_bad_certificates(post, client, authority, how, why):
    with Gateway(accepted("twilio"), authority.context(**how)) as server, \
            Courier(post, *settings(post, "twilio", server),
                    f"courier.ca_file={authority.file}") as courier:
        send_otp(client, new_phone())
        courier.why(why)
        assert server.connections > 0 and not server.requests


def test_the_systems_authorities_do_not_know_ours(post, client, authority):
    with Gateway(accepted("twilio"), authority.context()) as server, \
            Courier(post, *settings(post, "twilio", server)) as courier:
        send_otp(client, new_phone())
        courier.why("unable to get local issuer certificate")
        assert not server.requests


# --- settings that contradict ---------------------------------------------

def test_all_faults_of_a_gateway_are_told_at_once(post):
    said = gateway.refused(post, "courier.sms=gateway",
                           "courier.gateway=twilio",
                           "courier.gateway_url=ftp://x",
                           "courier.allow_addresses=nowhere",
                           "courier.ca_file=/nonexistent")
    for setting in ("allow_addresses", "ca_file", "gateway_url",
                    "gateway_account", "gateway_sender",
                    "gateway_secret_file"):
        assert f"courier.{setting}: " in said, said


@pytest.mark.parametrize("words, fault", [
    (["url=http://{{to}}/x"], "courier.gateway_url: must have a host"),
    (["url=https://user@host/x"], "courier.gateway_url: must have a host"),
    (["url=https://h:65536/x"], "courier.gateway_url: must have a host"),
    (["url=https://h:/x"], "courier.gateway_url: must have a host"),
    (["url=https://[::1/x"], "courier.gateway_url: must have a host"),
    (["url=https:///x"], "courier.gateway_url: must have a host"),
    (["url=https://h/{{wrong}}"],
     "courier.gateway_url: {{wrong}} is not known"),
    (["url=https://h/", "body={\"a\":{{text}}x}"],
     "courier.gateway_body: is not JSON"),
    (["url=https://h/", "body={\"a\":\"{{text\"}"],
     'courier.gateway_body: "{{" without "}}"'),
    (["url=https://h/", "headers=X y: 1"], "courier.gateway_headers: "),
    (["url=https://h/", "headers=Content-Length: 1"],
     "courier.gateway_headers: "),
    (["url=https://h/", "success=2x"], "courier.gateway_success: "),
    (["url=https://h/", "success=200 status=1"], "courier.gateway_success: "),
    (["url=https://h/", "reference=id"], "courier.gateway_reference: "),
    (["url=https://h/{{sender}}"], "courier.gateway_sender: must be given"),
    (["url=https://h/{{secret}}", "secret_file=/nonexistent"],
     "courier.gateway_secret_file: /nonexistent: No such file"),
    ([], "courier.gateway_url: must begin with https://"),
])
def test_faults_of_a_gateways_settings(post, words, fault):
    said = gateway.refused(post, "courier.sms=gateway",
                           *[f"courier.gateway_{word}" for word in words])
    assert fault in said, said


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x1b[31m",
                                   "a\x7f"])
@pytest.mark.parametrize("key", ["sender", "account", "headers", "body",
                                 "url", "template"])
def test_settings_hold_no_line_breaks(post, key, value):
    said = gateway.refused(post, "courier.sms=gateway",
                           f"courier.gateway_{key}={value}")
    assert "no control characters" in said and value not in said, said


def test_a_secret_that_others_can_read(post):
    path = secret_file(post, "open.secret", TOKEN)
    path.chmod(0o640)
    said = gateway.refused(post, "courier.sms=gateway",
                           "courier.gateway_url=https://h/{{secret}}",
                           f"courier.gateway_secret_file={path}")
    assert "others can read or write it" in said and TOKEN not in said


@pytest.mark.parametrize("secret, fault", [
    ("rubbish", "does not begin with whsec_"),
    ("whsec_" + base64.b64encode(b"x" * 23).decode(), "shorter than 24"),
    ("whsec_" + base64.b64encode(b"x" * 65).decode(), "not base64"),
    ("whsec_***", "not base64"), ("", "empty"),
    ("a b", "more than one word"),
    ("whsec_x\nwhsec_y\nwhsec_z", "one line too many"),
])
def test_faults_of_a_hooks_settings(post, secret, fault):
    path = secret_file(post, "bad.secret", secret)
    said = gateway.refused(post, "courier.sms=hook",
                           "courier.hook_url=//x",
                           f"courier.hook_secret_file={path}")
    assert f"courier.hook_secret_file: {path}:" in said
    assert fault in said and "courier.hook_url: must begin" in said, said
