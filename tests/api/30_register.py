# SPDX-License-Identifier: AGPL-3.0-or-later
"""Registration: the envelope, the faults, the clashes, who may be an admin."""

import pytest

import docket
from docket import new_email, new_name, new_phone, register, send_otp

USER = {"id", "number", "username", "email", "phone", "role", "status",
        "created_at", "updated_at"}
ENVELOPE = {"message", "user", "token", "access_token", "refresh_token",
            "token_type", "expires_in"}


def check_user(user):
    assert set(user) == USER
    assert docket.UUID7.match(user["id"])
    assert isinstance(user["number"], int) and user["number"] > 0
    assert docket.INSTANT.match(user["created_at"])
    assert docket.INSTANT.match(user["updated_at"])


def check_envelope(envelope):
    assert set(envelope) == ENVELOPE
    assert envelope["message"] == "Authentication successful"
    assert envelope["token"] == envelope["access_token"]
    assert envelope["token_type"] == "bearer"
    assert envelope["expires_in"] == 600
    check_user(envelope["user"])


def test_the_envelope(api):
    name = new_name()
    envelope = register(api, username=name).json
    check_envelope(envelope)
    user = envelope["user"]
    assert user["username"] == name
    assert user["email"] is None and user["phone"] is None
    assert user["role"] == "user" and user["status"] == "Y"
    assert api.get("/auth/me", token=envelope["token"]).json == user


def test_email_and_phone_are_kept(api):
    email, phone = new_email(), new_phone()
    user = register(api, email=email, phone=phone).json["user"]
    assert user["email"] == email and user["phone"] == phone


def test_me_shows_all_of_s0_9(fresh):
    me = fresh(phone=new_phone(), email=new_email()).get("/auth/me").json
    check_user(me)
    assert "password" not in str(me) and "hash" not in str(me)


def test_null_is_absent(api):
    user = register(api, email=None, phone=None, otp=None,
                    verification_token=None, role=None).json["user"]
    assert user["email"] is None and user["role"] == "user"


def test_with_a_code(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    assert register(api, phone=to, otp=code).json["user"]["phone"] == to


def test_with_a_code_by_email(api):
    to = new_email()
    code = send_otp(api, to).json["otp"]
    assert register(api, email=to, otp=code).json["user"]["email"] == to


def test_a_code_that_is_given_is_checked(api):
    """Although register_require is none."""
    for members in ({"otp": "000000"}, {"verification_token": "x" * 43}):
        reply = register(api, expect=400, phone=new_phone(), **members)
        assert reply.code == "otp_invalid"


def test_a_wrong_code_makes_no_user(api):
    name = new_name()
    register(api, expect=400, username=name, phone=new_phone(), otp="000000")
    register(api, username=name)


def test_a_code_needs_its_address(api):
    reply = register(api, expect=400, otp="123456")
    assert reply.pointers() == {"/phone": "required"}


def test_code_and_token_together_are_refused(api):
    reply = register(api, expect=400, phone=new_phone(), otp="123456",
                     verification_token="x")
    assert "/otp" in reply.pointers()


# --- faults ---------------------------------------------------------------

def test_all_faults_at_once(api):
    reply = api.post("/auth/register", 400, json={
        "username": "a", "password": "short", "email": "x", "phone": "123",
        "role": "king", "is_admin": True})
    assert reply.code == "invalid_request"
    assert reply.json["message"] == "Missing required fields or invalid data."
    assert set(reply.pointers()) == {"/username", "/password", "/email",
                                     "/phone", "/role", "/is_admin"}


def test_what_is_required(api):
    reply = api.post("/auth/register", 400, json={})
    assert reply.pointers() == {"/username": "required",
                                "/password": "required"}


@pytest.mark.parametrize("member", ["id", "user_id", "number", "status",
                                    "verified", "is_admin", "created_at",
                                    "__proto__", ""])
def test_unknown_members_are_refused(api, member):
    reply = register(api, expect=400, **{member: "1"})
    assert reply.pointers() == {"/" + member: "unknown"}


def test_duplicate_members_are_refused(api):
    reply = api.post("/auth/register", 400, body=b'{"username":"aaaa",'
                     b'"password":"correct horse","role":"user",'
                     b'"role":"admin"}')
    assert reply.pointers() == {"/role": "duplicate"}


@pytest.mark.parametrize("name", ["ab", "x" * 65, " name", "na me", "na\tme",
                                  ".name", "name.", "na/me", "na<b>me",
                                  "na\u200bme", "na\u202eme", "   ", ""])
def test_names_that_are_none(api, name):
    reply = register(api, expect=400, username=name)
    assert set(reply.pointers()) == {"/username"}


@pytest.mark.parametrize("password, good", [
    ("1234567", False), ("12345678", True), ("x" * 256, True),
    ("x" * 257, False), ("ü" * 4, True), ("ü" * 128, True),
    ("ü" * 129, False), (" " * 8, True), (12345678, False), (None, False)])
def test_passwords_are_8_to_256_bytes(api, password, good):
    reply = register(api, password, expect=None)
    assert reply.status == (200 if good else 400), str(reply)
    if not good:
        assert set(reply.pointers()) == {"/password"}
        assert str(password) not in reply.body.decode() or not password


def test_no_truncation_of_long_passwords(api, dev):
    """bcrypt's 72 bytes are nobody's limit here."""
    name = new_name()
    register(api, "x" * 255 + "y", username=name)
    api.post("/auth", 401, json={"username": name,
                                 "password": "x" * 255 + "z"})
    api.post("/auth", json={"username": name, "password": "x" * 255 + "y"})


# --- clashes --------------------------------------------------------------

@pytest.mark.parametrize("spelt", [
    str.upper, str.title, lambda n: n.replace("k", "\u212a"),
    lambda n: "".join(chr(ord(c) + 0xfee0) for c in n)],
    ids=["upper", "title", "kelvin sign", "full width"])
def test_a_name_is_taken_in_every_spelling(api, spelt):
    name = "k" + new_name()
    register(api, username=name)
    reply = register(api, expect=409, username=spelt(name))
    assert reply.code == "username_taken"


def test_a_name_is_kept_as_spelt_in_nfkc(api):
    name = "Zoë" + new_name()
    assert register(api, username=name).json["user"]["username"] == name
    wide = new_name()
    full = "".join(chr(ord(c) + 0xfee0) for c in wide)
    assert register(api, username=full).json["user"]["username"] == wide


def test_email_and_phone_clash(api):
    email, phone = new_email(), new_phone()
    register(api, email=email, phone=phone)
    reply = register(api, expect=409, email=email)
    assert reply.code == "email_taken"
    reply = register(api, expect=409, email=email.upper())
    assert reply.code == "email_taken"
    reply = register(api, expect=409, phone="00" + phone[1:])
    assert reply.code == "phone_taken"


def test_a_clash_does_not_use_the_code_up(api):
    taken = register(api).json["user"]["username"]
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for _ in range(6):
        reply = register(api, expect=409, username=taken, phone=to, otp=code)
        assert reply.code == "username_taken"
    register(api, phone=to, otp=code)


def test_20_parallel_registrations_of_a_name_make_one(dev):
    name = new_name()
    clients = [docket.Client(dev) for _ in range(20)]
    replies = docket.parallel([lambda c=c: register(
        c, expect=None, username=name) for c in clients])
    statuses = [r.status for r in replies]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 409, 503}, statuses


# --- roles ----------------------------------------------------------------

def test_anybody_may_say_user(api):
    assert register(api, role="user").json["user"]["role"] == "user"


def test_nobody_makes_himself_an_admin(api, alice):
    name = new_name()
    for token in (None, alice.access):
        reply = api.post("/auth/register", 403, token=token, json={
            "username": name, "password": "correct horse", "role": "admin"})
        assert reply.code == "forbidden"
    register(api, username=name)


def test_a_bad_bearer_makes_no_admin(api):
    reply = api.post("/auth/register", 401, token="rubbish", json={
        "username": new_name(), "password": "correct horse",
        "role": "admin"})
    assert reply.code == "token_invalid"


def test_the_role_is_refused_before_the_code_is_looked_at(api):
    to = new_phone()
    code = send_otp(api, to).json["otp"]
    for _ in range(6):
        register(api, expect=403, phone=to, otp=code, role="admin")
    register(api, phone=to, otp=code)


def test_an_admin_makes_an_admin(admin, dev):
    made = admin.post("/auth/register", json={
        "username": new_name("a"), "password": "correct horse",
        "role": "admin"}).json
    check_envelope(made)
    assert made["user"]["role"] == "admin"
    docket.Client(dev).get("/auth/users", token=made["token"])


def test_numbers_of_users_count_up(api):
    numbers = [register(api).json["user"]["number"] for _ in range(3)]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3
