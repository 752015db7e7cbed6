# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passwords changed and reset, codes in their place, what must be given."""

import pytest

import docket
from docket import (Client, login, new_email, new_name, new_phone, parallel,
                    person_by_phone, register, send_otp, wait_until)
from instance import running
from lock import behind
from trail import events

RIGHT = "correct horse"
BETTER = "better horse"


def code_for(client, to, purpose):
    return send_otp(client, to, purpose).json["otp"]


def wrong(code):
    return "%06d" % ((int(code) + 1) % 1000000)


def forget_sends(dev, to):
    dev.sql("UPDATE docket.otp_budgets SET sends = '{}', last_at = NULL,"
            " streak = 0 WHERE address = :'to'", to=to)


def change(one, current=RIGHT, new=BETTER, expect=200):
    return one.post("/auth/password", expect, json={
        "current_password": current, "new_password": new})


def enters(client, name, password):
    """What a login says: 200 or 401."""
    reply = client.post("/auth", None, json={"username": name,
                                             "password": password})
    assert reply.status in (200, 401), str(reply)
    return reply.status


def everywhere(dev, token, status):
    """All workers agree, as far as 32 connections meet them."""
    for _ in range(32):
        client = Client(dev)
        client.get("/tasks", status, token=token)
        client.close()


def known(dev):
    """Somebody with a proven phone, whom one may send to at once."""
    one = person_by_phone(dev)
    forget_sends(dev, one.user["phone"])
    return one, one.user["phone"]


# --- POST /auth/password --------------------------------------------------

def test_a_new_password(dev, api, fresh):
    one = fresh()
    assert change(one).json == {"message": "Password changed"}
    assert enters(api, one.username, RIGHT) == 401
    assert enters(api, one.username, BETTER) == 200
    assert "password_changed" in events(dev, one.id)
    assert one.get("/auth/me").json["updated_at"] > one.user["updated_at"]


def test_it_ends_all_other_sessions_on_every_worker(dev, fresh):
    one = fresh()
    two = login(dev, one.username, RIGHT)
    everywhere(dev, two.access, 200)
    change(one)
    everywhere(dev, two.access, 401)
    two.post("/auth/refresh", 401, json={"refresh_token": two.refresh})
    everywhere(dev, one.access, 200)
    one.post("/auth/refresh", json={"refresh_token": one.refresh})
    rows = dev.sql("SELECT ended_why FROM docket.sessions WHERE user_id"
                   " = :'id' AND ended_at IS NOT NULL", id=one.id)
    assert rows == [["password_changed"]]
    two.close()


def test_the_current_one_is_needed(dev, api, fresh):
    one = fresh()
    two = login(dev, one.username, RIGHT)
    for current in (RIGHT + "x", RIGHT.upper(), "", BETTER):
        reply = change(one, current, expect=400)
        assert reply.code == "password_wrong"
        assert list(reply.pointers()) == ["/current_password"]
    two.get("/tasks")
    assert enters(api, one.username, RIGHT) == 200
    assert events(dev, one.id).count("login_failed") == 4
    two.close()


@pytest.mark.parametrize("new, good", [
    ("1234567", False), ("x" * 257, False), ("x" * 256, True),
    ("ü" * 4, True), (12345678, False), (None, False)])
def test_the_new_one_keeps_to_the_rules(fresh, new, good):
    one = fresh()
    reply = change(one, new=new, expect=200 if good else 400)
    if not good:
        assert set(reply.pointers()) == {"/new_password"}
        assert str(new) not in reply.body.decode()


def test_all_faults_at_once(fresh):
    reply = fresh().post("/auth/password", 400, json={
        "new_password": "x", "user_id": "y", "password": "z"})
    assert reply.pointers() == {
        "/current_password": "required", "/new_password": "format",
        "/user_id": "unknown", "/password": "unknown"}


def test_guesses_count_with_those_of_logins(dev, api, fresh):
    one = fresh()
    for _ in range(5):
        change(one, "wrong", expect=400)
        assert enters(api, one.username, "wrong") == 401
    reply = change(one, expect=429)
    assert reply.code == "rate_limited"
    assert 1 <= int(reply.header("Retry-After")) <= 60
    one.delete("/auth/me", 429, json={"password": RIGHT})
    api.post("/auth", 429, json={"username": one.username,
                                 "password": RIGHT})
    one.get("/tasks")


def test_a_right_one_is_no_guess(fresh):
    one = fresh()
    for i in range(12):
        change(one, *((RIGHT, BETTER) if i % 2 == 0 else (BETTER, RIGHT)))


def test_parallel_guesses_are_ten(dev, fresh):
    one = fresh()
    clients = [Client(dev) for _ in range(20)]

    def guess(client):
        return client.post("/auth/password", None, token=one.access, json={
            "current_password": "wrong", "new_password": BETTER}).status

    statuses = parallel([lambda c=c: guess(c) for c in clients])
    # What found the gate full was given back: the rest one by one.
    while 429 not in statuses[-2:] and len(statuses) < 60:
        statuses.append(guess(clients[0]))
    assert set(statuses) <= {400, 429, 503}, statuses
    assert statuses.count(400) == 10, statuses


def test_of_8_parallel_changes_one_counts(dev, api, fresh):
    one = fresh()
    words = [f"{BETTER} {i}" for i in range(8)]
    clients = [Client(dev) for _ in words]
    replies = parallel([lambda c=c, w=w: c.post(
        "/auth/password", None, token=one.access, json={
            "current_password": RIGHT, "new_password": w})
        for c, w in zip(clients, words)])
    won = [w for w, r in zip(words, replies) if r.status == 200]
    assert len(won) == 1, [r.status for r in replies]
    assert {r.status for r in replies} <= {200, 400, 503}
    assert enters(api, one.username, won[0]) == 200


NEW_SESSION = ("INSERT INTO docket.sessions (id, user_id, idle_until,"
               " absolute_until) VALUES (gen_random_uuid(), '{0}', now() +"
               " interval '1 h', now() + interval '1 h')")


def live(dev, one):
    return int(dev.sql("SELECT count(*) FROM docket.sessions WHERE user_id"
                       " = :'id' AND ended_at IS NULL", id=one.id)[0][0])


def as_a_login_does(one):
    """Locks the account, then opens a session: the last of the old ones."""
    return (f"SELECT FROM docket.users WHERE id = '{one.id}'"
            " FOR NO KEY UPDATE", NEW_SESSION.format(one.id))


def test_a_login_just_before_it_is_out(dev, fresh):
    one = fresh()
    reply = behind(dev, lambda: change(one, expect=None),
                   *as_a_login_does(one))
    assert reply.status == 200
    assert live(dev, one) == 1
    one.get("/tasks")


def test_a_login_just_before_a_reset_is_out(dev, api, fresh):
    to = new_phone()
    one = fresh(phone=to)
    code = code_for(api, to, "reset")
    reply = behind(dev, lambda: reset(api, to, None, otp=code),
                   *as_a_login_does(one))
    assert reply.status == 200
    assert live(dev, one) == 0


def new_hash(one, value="'another'"):
    return (f"UPDATE docket.users SET password_hash = {value}"
            f" WHERE id = '{one.id}'")


def test_a_login_just_after_it_stays_out(dev, api, fresh):
    """Its password was right when it was compared."""
    one = fresh()
    reply = behind(dev, lambda: api.post("/auth", None, json={
        "username": one.username, "password": RIGHT}), new_hash(one))
    assert reply.status == 401 and reply.code == "credentials_invalid"
    assert live(dev, one) == 1


def test_a_change_just_after_another_is_too_late(dev, fresh):
    one = fresh()
    reply = behind(dev, lambda: change(one, expect=None), new_hash(one))
    assert reply.status == 400 and reply.code == "password_wrong"
    assert dev.sql("SELECT password_hash FROM docket.users WHERE id"
                   " = :'id'", id=one.id) == [["another"]]


def test_a_deletion_with_the_old_one_is_too_late(dev, fresh):
    one = fresh()
    reply = behind(dev, lambda: one.delete("/auth/me", None, json={
        "password": RIGHT}), new_hash(one))
    assert reply.status == 400 and reply.code == "password_wrong"
    one.get("/auth/me")


def test_a_code_login_beside_a_deactivation_stays_out(dev, api):
    one, to = known(dev)
    code = code_for(api, to, "login")
    reply = behind(dev, lambda: grant(api, None, phone=to, otp=code),
                   "UPDATE docket.users SET active = false"
                   f" WHERE id = '{one.id}'")
    assert reply.status == 400 and reply.json["error"] == "invalid_grant"
    assert live(dev, one) == 0
    one.close()


# --- POST /auth/password/reset --------------------------------------------

def reset(client, to, expect=200, new=BETTER, **proof):
    return client.post("/auth/password/reset", expect, json={
        "email" if "@" in to else "phone": to, "new_password": new, **proof})


@pytest.mark.parametrize("make", [new_phone, new_email])
@pytest.mark.parametrize("how", ["otp", "verification_token"])
def test_a_reset(dev, api, fresh, make, how):
    to = make()
    name = "email" if "@" in to else "phone"
    one = fresh(**{name: to})
    proof = code_for(api, to, "reset")
    if how == "verification_token":
        proof = api.post("/otp/verify", json={
            name: to, "otp": proof, "purpose": "reset"}).json[how]
    reply = reset(api, to.upper(), **{how: proof})
    assert reply.json == {"message": "Password changed"}
    assert enters(api, one.username, RIGHT) == 401
    assert enters(api, one.username, BETTER) == 200
    # The address is proven, the code is used up, and everybody is out.
    assert dev.sql(f"SELECT {name}_verified_at IS NOT NULL FROM docket.users"
                   " WHERE id = :'id'", id=one.id) == [["t"]]
    assert reset(api, to, 400, **{how: proof}).code == "otp_invalid"
    everywhere(dev, one.access, 401)
    one.post("/auth/refresh", 401, token=None,
             json={"refresh_token": one.refresh})
    assert "password_reset" in events(dev, one.id)


def test_a_reset_finds_who_has_no_password(dev, api, fresh):
    to = new_phone()
    one = fresh(phone=to)
    dev.sql("UPDATE docket.users SET password_hash = NULL WHERE id = :'id'",
            id=one.id)
    assert change(one, "", expect=400).code == "password_wrong"
    reset(api, to, otp=code_for(api, to, "reset"))
    assert enters(api, one.username, BETTER) == 200


def test_five_guesses_and_no_more(api, fresh):
    to = new_phone()
    one = fresh(phone=to)
    code = code_for(api, to, "reset")
    for _ in range(5):
        assert reset(api, to, 400, otp=wrong(code)).code == "otp_invalid"
    assert reset(api, to, 400, otp=code).code == "otp_invalid"
    assert enters(api, one.username, RIGHT) == 200


def test_64_parallel_resets_with_one_code_are_one(dev, api, fresh):
    to = new_phone()
    one = fresh(phone=to)
    code = code_for(api, to, "reset")
    clients = [Client(dev) for _ in range(64)]
    words = [f"{BETTER} {i}" for i in range(64)]
    replies = parallel([lambda c=c, w=w: reset(c, to, None, w, otp=code)
                        for c, w in zip(clients, words)])
    won = [w for w, r in zip(words, replies) if r.status == 200]
    assert len(won) == 1, [r.status for r in replies]
    assert {r.status for r in replies} <= {200, 400, 503}
    assert enters(api, one.username, won[0]) == 200
    assert events(dev, one.id).count("password_reset") == 1


@pytest.mark.parametrize("purpose", ["register", "login", "change"])
def test_codes_for_other_purposes_do_not_reset(api, fresh, purpose):
    to = new_email()
    fresh(email=to)
    code = code_for(api, to, purpose)
    assert reset(api, to, 400, otp=code).code == "otp_invalid"
    token = api.post("/otp/verify", json={
        "email": to, "otp": code, "purpose": purpose}).json[
        "verification_token"]
    assert reset(api, to, 400, verification_token=token).code == \
        "otp_invalid"


def test_a_right_code_for_nobody_is_a_wrong_one(dev, api, fresh):
    """Only who reads the dev profile's echo can have one."""
    one, to = fresh(phone=new_phone()), new_phone()
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=one.id)
    said = set()
    for address in (to, one.user["phone"]):
        code = code_for(api, address, "reset")
        for given in (code, wrong(code)):
            reply = reset(api, address, 400, otp=given)
            assert reply.code == "otp_invalid"
            said.add(docket.anonymous(reply))
    assert len(said) == 1
    assert "password_reset" not in events(dev, one.id)


@pytest.mark.parametrize("body, pointers", [
    ({}, {"/new_password": "required"}),
    ({"new_password": BETTER}, {"/phone": "required", "/otp": "required"}),
    ({"new_password": BETTER, "phone": "+989121234567"},
     {"/otp": "required"}),
    ({"new_password": BETTER, "otp": "1"}, {"/phone": "required"}),
    ({"new_password": BETTER, "otp": "1", "verification_token": "x",
      "phone": "+989121234567"}, {"/otp": "duplicate"}),
    ({"new_password": BETTER, "otp": "1", "email": "a@example.org",
      "phone": "+989121234567"}, {"/email": "duplicate"}),
    ({"new_password": "short", "phone": "1", "otp": "1", "user_id": "x"},
     {"/new_password": "format", "/phone": "format",
      "/user_id": "unknown"})])
def test_a_reset_names_every_fault(api, body, pointers):
    reply = api.post("/auth/password/reset", 400, json=body)
    assert reply.pointers() == pointers


def test_a_bad_new_password_costs_no_guess(api, fresh):
    to = new_phone()
    fresh(phone=to)
    code = code_for(api, to, "reset")
    for _ in range(6):
        assert reset(api, to, 400, "short", otp=code).pointers() == \
            {"/new_password": "format"}
    reset(api, to, otp=code)


def test_a_code_is_not_lost_where_hashing_is_busy(dev):
    """Whoever hears 503 may come again with the same code."""
    people = [known(dev) for _ in range(24)]
    client = Client(dev)
    codes = [code_for(client, to, "reset") for _, to in people]
    clients = [Client(dev) for _ in people]
    jobs = [lambda c=c, to=to, code=code: reset(c, to, None, otp=code)
            for c, (_, to), code in zip(clients, people, codes)]
    replies, busy = parallel(jobs), 0
    for job, reply in zip(jobs, replies):
        for _ in range(20):
            if reply.status != 503:
                break
            busy += 1
            reply = job()
        assert reply.status == 200, str(reply)
    print(f"{busy} times busy")


# --- grant_type=otp -------------------------------------------------------

TOKENS = {"access_token", "token_type", "expires_in", "refresh_token",
          "scope"}


def grant(client, expect=200, how="form", **members):
    return client.post("/auth/token", expect,
                       **{how: {"grant_type": "otp", **members}})


@pytest.mark.parametrize("how", ["form", "json"])
@pytest.mark.parametrize("member", ["phone", "mobile", "mobile_no"])
def test_a_code_in_a_passwords_place(dev, api, how, member):
    one, to = known(dev)
    reply = grant(api, how=how, **{member: to},
                  otp=code_for(api, to, "login"))
    assert set(reply.json) == TOKENS
    assert reply.json["token_type"] == "bearer"
    assert reply.header("Cache-Control") == "no-store"
    me = api.get("/auth/me", token=reply.json["access_token"]).json
    assert me["id"] == one.id
    api.post("/auth/refresh", json={
        "refresh_token": reply.json["refresh_token"]})
    one.get("/tasks")
    assert events(dev, one.id).count("login") == 1
    one.close()


def test_a_code_by_email_whatever_its_case(api):
    to = new_email()
    register(api, email=to, otp=code_for(api, to, "register"))
    code = code_for(api, to, "login")
    grant(api, email=to.upper(), otp=code)
    assert grant(api, 400, email=to, otp=code).json["error"] == \
        "invalid_grant"


def test_the_address_must_have_been_proven(dev, api, fresh):
    """Else who registers with a stranger's address lets the stranger in, and
    shares the account with them. No code goes out for it either."""
    to = new_phone()
    one = fresh(phone=to)
    code = code_for(api, to, "login")
    reply = grant(api, 400, phone=to, otp=code)
    assert reply.json["error"] == "invalid_grant"
    forget_sends(dev, to)
    proof = code_for(api, to, "change")
    one.patch("/auth/me", json={"phone": to, "otp": proof})
    wait_until(lambda: [m for _, m in dev.messages(to)
                        if m["code"] == proof], "the later letter")
    assert [m["purpose"] for _, m in dev.messages(to)] == ["change"]
    grant(api, phone=to, otp=code)


def test_every_failure_of_it_is_invalid_grant(dev, api):
    (one, to), (two, barred) = known(dev), known(dev)
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=two.id)
    nobody = new_phone()
    said = set()
    for address in (to, barred, nobody):
        code = code_for(api, address, "login")
        said.add(docket.anonymous(grant(api, 400, phone=address,
                                        otp=wrong(code))))
        if address != to:
            said.add(docket.anonymous(grant(api, 400, phone=address,
                                            otp=code)))
    for members in ({"phone": "rubbish"}, {"email": "x"},
                    {"email": "x" * 2000}, {"phone": new_phone()}):
        said.add(docket.anonymous(grant(api, 400, otp="123456", **members)))
    assert len(said) == 1, said
    assert b'"error":"invalid_grant"' in said.pop()
    one.close()
    two.close()


@pytest.mark.parametrize("members", [
    {}, {"otp": "123456"}, {"phone": "+989121234567"},
    {"phone": "+989121234567", "otp": ""},
    {"phone": "+989121234567", "email": "a@example.org", "otp": "123456"}])
def test_what_it_lacks_is_invalid_request(api, members):
    assert grant(api, 400, **members).json["error"] == "invalid_request"


@pytest.mark.parametrize("purpose", ["register", "reset", "change"])
def test_codes_for_other_purposes_do_not_log_in(dev, api, purpose):
    one, to = known(dev)
    assert grant(api, 400, phone=to, otp=code_for(api, to, purpose)).json[
        "error"] == "invalid_grant"
    one.close()


def test_five_guesses_then_not_even_the_right_one(dev, api):
    one, to = known(dev)
    code = code_for(api, to, "login")
    for _ in range(5):
        grant(api, 400, phone=to, otp=wrong(code))
    grant(api, 400, phone=to, otp=code)
    one.close()


def test_32_parallel_logins_with_one_code_are_one(dev, api):
    one, to = known(dev)
    code = code_for(api, to, "login")
    clients = [Client(dev) for _ in range(32)]
    statuses = [r.status for r in parallel([lambda c=c: grant(
        c, None, phone=to, otp=code) for c in clients])]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 400}
    one.close()


def test_a_blocked_recipient_is_told_when(dev, api):
    one, to = known(dev)
    code = code_for(api, to, "login")
    dev.sql("UPDATE docket.otp_budgets SET guess_n = 14, guess_start = now()"
            " WHERE address = :'to'", to=to)
    grant(api, 400, phone=to, otp=wrong(code))
    reply = grant(api, 429, phone=to, otp=code)
    assert set(reply.json) >= {"error", "error_description"}
    assert int(reply.header("Retry-After")) > 3600
    one.close()


# --- register_require -----------------------------------------------------

@pytest.fixture(scope="module", params=["email", "phone_otp"])
def strict(request):
    with running(f"auth.register_require={request.param}") as found:
        found.want = request.param
        yield found


def test_what_a_registration_must_bring(strict):
    client, phone, email = Client(strict), new_phone(), new_email()
    code = code_for(client, phone, "register")
    faults = {
        (): {"email": {"/email": "required"},
             "phone_otp": {"/phone": "required", "/otp": "required"}},
        ("email",): {"email": None,
                     "phone_otp": {"/phone": "required", "/otp": "required"}},
        ("phone",): {"email": {"/email": "required"},
                     "phone_otp": {"/otp": "required"}},
        ("email", "phone"): {"email": None,
                             "phone_otp": {"/otp": "required"}}}
    for names, wants in faults.items():
        given = {"email": new_email(), "phone": new_phone()}
        body = {name: given[name] for name in names}
        want = wants[strict.want]
        reply = register(client, expect=400 if want else 200, **body)
        assert reply.status == 200 or reply.pointers() == want, str(reply)
    # A code that is given is checked, whatever must be given.
    assert register(client, expect=400, email=email, phone=phone,
                    otp=wrong(code)).code == "otp_invalid"
    # The phone's code does not stand for the e-mail address.
    user = register(client, email=email, phone=phone, otp=code).json["user"]
    assert (user["email"], user["phone"]) == (email, phone)
    assert strict.sql(
        "SELECT email_verified_at IS NULL, phone_verified_at IS NOT NULL"
        " FROM docket.users WHERE id = :'id'", id=user["id"]) == [["t", "t"]]
    client.close()


def test_the_aliases_must_bring_it_too(strict):
    client = Client(strict)
    for path in ("/register", "/signup", "/users/signup",
                 "/tasks/register_user"):
        reply = client.post(path, 400, json={"username": new_name(),
                                             "password": RIGHT})
        assert reply.code == "invalid_request"
    client.close()


def test_what_must_be_brought_cannot_be_taken_away(strict):
    client, phone = Client(strict), new_phone()
    one = docket.Person(strict, register(
        client, email=new_email(), phone=phone,
        otp=code_for(client, phone, "register")).json, RIGHT)
    kept, free = {"email": ("email", "phone"),
                  "phone_otp": ("phone", "email")}[strict.want]
    reply = one.patch("/auth/me", 400, json={kept: None})
    assert reply.pointers() == {"/" + kept: "required"}
    assert one.patch("/auth/me", json={free: None}).json[free] is None
    one.close()
    client.close()
