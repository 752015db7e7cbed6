# SPDX-License-Identifier: AGPL-3.0-or-later
"""One's own account: another name, another address, its end."""

import pytest

import docket
from docket import (Client, new_email, new_name, new_phone, parallel,
                    person_by_phone, send_otp)
from lock import behind
from trail import events, owner

RIGHT = "correct horse"


def code_for(client, to, purpose="change"):
    return send_otp(client, to, purpose).json["otp"]


def wrong(code):
    return "%06d" % ((int(code) + 1) % 1000000)


def forget_sends(dev, to):
    dev.sql("UPDATE docket.otp_budgets SET sends = '{}', last_at = NULL,"
            " streak = 0 WHERE address = :'to'", to=to)


def verified(dev, one):
    return dev.sql("SELECT email_verified_at IS NOT NULL,"
                   " phone_verified_at IS NOT NULL FROM docket.users"
                   " WHERE id = :'id'", id=one.id)[0]


def without_password(dev, **members):
    """As an import leaves people: their address is all they have."""
    one = docket.person(dev, **members)
    dev.sql("UPDATE docket.users SET password_hash = NULL WHERE id = :'id'",
            id=one.id)
    return one


def everywhere(dev, path, token, statuses):
    """What the workers say, as far as 32 connections meet them."""
    for _ in range(32):
        client = Client(dev)
        reply = client.get(path, None, token=token)
        client.close()
        assert reply.status in statuses, str(reply)


# --- the name -------------------------------------------------------------

def test_a_new_name(dev, fresh):
    one, name = fresh(), new_name("Zoë")
    before = one.get("/auth/me").json
    me = one.patch("/auth/me", json={"username": name}).json
    assert me == {**before, "username": name, "updated_at": me["updated_at"]}
    assert me["updated_at"] > before["updated_at"]
    assert one.get("/auth/me").json == me
    one.post("/auth", 401, json={"username": one.username,
                                 "password": RIGHT}, token=None)
    docket.login(dev, name.upper(), RIGHT).close()
    assert "username_changed" in events(dev, one.id)


def test_a_merge_patch_is_the_same(fresh):
    one, name = fresh(), new_name()
    reply = one.patch("/auth/me", body=docket.dumps({"username": name}),
                      type="application/merge-patch+json")
    assert reply.json["username"] == name


def test_nothing_asked_is_nothing_changed(fresh, ledger):
    one = fresh()
    me, before = one.get("/auth/me").json, ledger.settled()
    assert one.patch("/auth/me", json={}).json == me
    assert ledger.changed(before) == []


def test_a_name_that_is_taken(fresh, ledger):
    one, two = fresh(), fresh()
    before = ledger.settled()
    reply = one.patch("/auth/me", 409, json={"username":
                                             two.username.upper()})
    assert reply.code == "username_taken"
    assert ledger.changed(before) == []
    # One's own in another spelling is not.
    name = one.username.upper()
    assert one.patch("/auth/me", json={"username": name}).json[
        "username"] == name


def test_8_who_want_one_name_are_one(dev, fresh):
    people, name = [fresh() for _ in range(8)], new_name()
    replies = parallel([lambda p=p: p.patch(
        "/auth/me", None, json={"username": name}) for p in people])
    assert sorted(r.status for r in replies) == [200] + [409] * 7


@pytest.mark.parametrize("body, pointers", [
    ({"username": "ab"}, {"/username": "format"}),
    ({"username": None}, {"/username": "null"}),
    ({"email": "x", "phone": "1", "username": "a b c"},
     {"/email": "format", "/phone": "format", "/username": "format"}),
    ({"email": "a@example.org", "phone": "+989121234567"},
     {"/email": "duplicate"}),
    ({"otp": "123456"}, {"/phone": "required"}),
    ({"email": None, "otp": "123456"}, {"/phone": "required"}),
    ({"email": "a@example.org", "otp": "123456", "verification_token": "x"},
     {"/otp": "duplicate"}),
    ({"password": "x" * 10, "role": "admin", "status": "N"},
     {"/password": "unknown", "/role": "unknown", "/status": "unknown"})])
def test_every_fault_is_named(fresh, ledger, body, pointers):
    one = fresh()
    before = ledger.settled()
    told = one.patch("/auth/me", 400, json=body).pointers()
    if "format" in pointers.values():
        told = {at: "format" for at in told}
    assert told == pointers
    assert ledger.changed(before) == []


# --- the addresses --------------------------------------------------------

@pytest.mark.parametrize("make, name", [(new_email, "email"),
                                        (new_phone, "phone")])
@pytest.mark.parametrize("how", ["otp", "verification_token"])
def test_a_new_address_needs_its_code(dev, api, fresh, make, name, how):
    one, to = fresh(), make()
    reply = one.patch("/auth/me", 400, json={name: to})
    assert reply.code == "proof_needed"
    assert reply.pointers() == {"/otp": "required"}
    proof = code_for(api, to)
    if how == "verification_token":
        proof = api.post("/otp/verify", json={
            name: to, "otp": proof, "purpose": "change"}).json[how]
    me = one.patch("/auth/me", json={name: to, how: proof}).json
    assert me[name] == to
    assert verified(dev, one) == (["t", "f"] if name == "email"
                                  else ["f", "t"])
    assert name + "_changed" in events(dev, one.id)
    docket.login(dev, to, RIGHT).close()
    # It was good for one time.
    reply = one.patch("/auth/me", 400, json={name: to, how: proof})
    assert reply.code == "otp_invalid"


def test_s0_names_of_the_phone(api, fresh):
    one = fresh()
    for name in ("mobile", "mobile_no"):
        to = new_phone()
        me = one.patch("/auth/me", json={name: to, "otp": code_for(api, to)})
        assert me.json["phone"] == to


def test_a_wrong_code_changes_nothing(api, fresh):
    one, to = fresh(), new_email()
    code = code_for(api, to)
    me = one.get("/auth/me").json
    for _ in range(4):
        reply = one.patch("/auth/me", 400, json={"email": to,
                                                 "otp": wrong(code)})
        assert reply.code == "otp_invalid"
    assert one.get("/auth/me").json == me
    one.patch("/auth/me", json={"email": to, "otp": code})


@pytest.mark.parametrize("purpose", ["register", "login", "reset"])
def test_codes_for_other_purposes_do_not_count(api, fresh, purpose):
    one, to = fresh(), new_email()
    code = code_for(api, to, purpose)
    assert one.patch("/auth/me", 400, json={
        "email": to, "otp": code}).code == "otp_invalid"
    token = api.post("/otp/verify", json={
        "email": to, "otp": code, "purpose": purpose}).json[
        "verification_token"]
    assert one.patch("/auth/me", 400, json={
        "email": to, "verification_token": token}).code == "otp_invalid"


def test_a_code_for_one_address_does_not_prove_another(api, fresh):
    one, to = fresh(), new_email()
    token = api.post("/otp/verify", json={
        "email": to, "otp": code_for(api, to), "purpose": "change"}).json[
        "verification_token"]
    for body in ({"email": new_email()}, {"phone": new_phone()}):
        assert one.patch("/auth/me", 400, json={
            **body, "verification_token": token}).code == "otp_invalid"
    one.patch("/auth/me", json={"email": to, "verification_token": token})


def test_ones_own_address_is_proven_later(dev, api, fresh):
    """Who registered without a code catches up; spelling needs none."""
    one = fresh(email=new_email())
    to = one.user["email"]
    shout = to.split("@")[0].upper() + "@example.org"
    assert one.patch("/auth/me", json={"email": shout}).json[
        "email"] == shout
    assert verified(dev, one) == ["f", "f"]
    one.patch("/auth/me", json={"email": to, "otp": code_for(api, to)})
    assert verified(dev, one) == ["t", "f"]
    one.patch("/auth/me", json={"email": shout})
    assert verified(dev, one) == ["t", "f"]
    assert "email_changed" not in events(dev, one.id)


def test_null_takes_an_address_away(dev, fresh):
    one = fresh(email=new_email())
    reply = one.patch("/auth/me", json={"email": None})
    assert reply.json["email"] is None
    assert verified(dev, one) == ["f", "f"]
    one.post("/auth", 401, json={"email": one.user["email"],
                                 "password": RIGHT}, token=None)


def test_without_a_password_one_address_stays(dev, api):
    phone, email = new_phone(), new_email()
    one = without_password(dev, phone=phone, email=email)
    one.patch("/auth/me", json={"email": None})
    reply = one.patch("/auth/me", 409, json={"phone": None})
    assert reply.code == "last_address"
    # In one go with another it may go.
    me = one.patch("/auth/me", json={
        "phone": None, "email": email, "otp": code_for(api, email)}).json
    assert (me["phone"], me["email"]) == (None, email)
    one.close()


def test_a_taken_address_is_409_and_spends_nothing(dev, api, fresh):
    one, two = fresh(), fresh(email=new_email())
    to = two.user["email"]
    code = code_for(api, to)
    for _ in range(6):
        reply = one.patch("/auth/me", 409, json={"email": to, "otp": code})
        assert reply.code == "email_taken"
    assert one.get("/auth/me").json["email"] is None
    two.patch("/auth/me", json={"email": to, "otp": code})


def test_2_parallel_changes_to_one_address(dev, api, fresh):
    """Each brings a proof of its own: the second comes too late."""
    for _ in range(5):
        to, people, bodies = new_email(), [fresh(), fresh()], []
        token = api.post("/otp/verify", json={
            "email": to, "otp": code_for(api, to), "purpose": "change"})
        bodies.append({"email": to, "verification_token":
                       token.json["verification_token"]})
        forget_sends(dev, to)
        bodies.append({"email": to, "otp": code_for(api, to)})
        replies = parallel([lambda p=p, b=b: p.patch("/auth/me", None, json=b)
                            for p, b in zip(people, bodies)])
        assert sorted(r.status for r in replies) == [200, 409]
        assert {r.code for r in replies if r.status == 409} == \
            {"email_taken"}


def test_16_parallel_changes_with_one_code_are_one(dev, api, fresh):
    to, people = new_phone(), [fresh() for _ in range(16)]
    code = code_for(api, to)
    replies = parallel([lambda p=p: p.patch(
        "/auth/me", None, json={"phone": to, "otp": code}) for p in people])
    statuses = [r.status for r in replies]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 400, 409}, statuses


def test_the_audit_row_comes_with_the_change(dev, api, fresh):
    one, to = fresh(), new_phone()
    one.patch("/auth/me", json={"phone": to, "otp": code_for(api, to),
                                "username": new_name()})
    rows = owner(dev).sql(
        "SELECT event, session_id::text, ip, request_id IS NOT NULL"
        " FROM docket.audit WHERE user_id = :'id' AND event LIKE"
        " '%changed' ORDER BY event", id=one.id)
    assert [r[0] for r in rows] == ["phone_changed", "username_changed"]
    session = docket.jwt_parts(one.access)[1]["sid"]
    assert {tuple(r[1:]) for r in rows} == {(session, "127.0.0.1", "t")}


def test_an_ended_session_guesses_nothing(api, fresh, ledger):
    """Its token is refused before the code is looked at."""
    one, to = fresh(), new_email()
    code = code_for(api, to)
    one.post("/auth/logout", json={})
    before = ledger.settled()
    for given in (code, wrong(code)):
        reply = one.patch("/auth/me", 401, json={"email": to, "otp": given})
        assert reply.code == "token_revoked"
    assert ledger.changed(before) == []


# --- the end --------------------------------------------------------------

TABLES = ("users WHERE id", "sessions WHERE user_id", "tasks WHERE user_id",
          "counters WHERE user_id", "idempotency WHERE user_id")


def rows_of(dev, one):
    return [int(dev.sql(f"SELECT count(*) FROM docket.{table} = :'id'",
                        id=one.id)[0][0]) for table in TABLES]


def test_deletion_takes_everything_along(dev, api, fresh):
    one = fresh(email=new_email())
    one.task("standing")
    one.post("/tasks", 201, json={"title": "once"},
             headers=[("Idempotency-Key", new_name())])
    assert 0 not in rows_of(dev, one)
    reply = one.delete("/auth/me", json={"password": RIGHT})
    assert reply.json == {"message": "Account deleted"}
    assert rows_of(dev, one) == [0] * len(TABLES)
    assert one.get("/auth/me", 401).code == "user_deleted"
    assert one.get("/tasks", 404).code == "user_not_found"
    api.post("/auth/refresh", 401, json={"refresh_token": one.refresh})
    api.post("/auth", 401, json={"username": one.username,
                                 "password": RIGHT})
    assert "account_deleted" in events(dev, one.id)
    # The name and the address are free.
    docket.register(api, username=one.username, email=one.user["email"])


def test_deletion_is_felt_on_every_worker(dev, fresh):
    one = fresh()
    everywhere(dev, "/tasks", one.access, {200})
    one.delete("/auth/me", json={"password": RIGHT})
    everywhere(dev, "/auth/me", one.access, {401})
    everywhere(dev, "/tasks", one.access, {404})


def test_deletion_needs_the_password(dev, fresh):
    one = fresh()
    for password in (RIGHT + "x", "", "x" * 300):
        reply = one.delete("/auth/me", 400, json={"password": password})
        assert reply.code == "password_wrong"
        assert list(reply.pointers()) == ["/password"]
    for body in ({}, {"password": None}):
        reply = one.delete("/auth/me", 400, json=body)
        assert reply.pointers() == {"/password": "required"}
    one.delete("/auth/me", 400, body=None)
    assert 0 not in rows_of(dev, one)[:2]


def test_a_code_is_no_password(dev, api):
    one = person_by_phone(dev)
    phone = one.user["phone"]
    forget_sends(dev, phone)
    code = code_for(api, phone)
    for _ in range(6):  # nor is it used up
        reply = one.delete("/auth/me", 400, json={"phone": phone,
                                                  "otp": code})
        assert reply.code == "password_wrong"
        assert reply.pointers() == {"/password": "required"}
    one.get("/auth/me")
    reply = one.delete("/auth/me", 400, json={
        "phone": phone, "otp": code, "password": RIGHT})
    assert reply.pointers() == {"/otp": "duplicate"}
    one.close()


@pytest.mark.parametrize("how", ["otp", "verification_token"])
def test_without_a_password_a_code_deletes(dev, api, how):
    one = without_password(dev, phone=new_phone())
    phone, other = one.user["phone"], new_phone()
    assert one.delete("/auth/me", 400, json={"password": RIGHT}).code == \
        "password_wrong"
    # A stranger's address proves nothing of this account.
    assert one.delete("/auth/me", 400, json={
        "phone": other, "otp": code_for(api, other)}).code == "otp_invalid"
    proof = code_for(api, phone)
    if how == "verification_token":
        proof = api.post("/otp/verify", json={
            "phone": phone, "otp": proof, "purpose": "change"}).json[how]
    assert one.delete("/auth/me", 400, json={
        "phone": phone, "otp": "000000" if proof != "000000" else "1"}
    ).code == "otp_invalid"
    one.delete("/auth/me", json={"phone": phone, how: proof})
    assert rows_of(dev, one) == [0] * len(TABLES)
    one.close()


def test_the_last_admin_stays(own):
    """On an instance of its own: whoever is admin there is known."""
    admin = docket.login(own, own.admin["username"], own.admin["password"])
    admins = [docket.Person(own, admin.post("/auth/register", json={
        "username": new_name(), "password": RIGHT, "role": "admin"}).json,
        RIGHT) for _ in range(7)]
    own.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=admin.id)
    replies = parallel([lambda a=a: a.delete(
        "/auth/me", None, json={"password": RIGHT}) for a in admins])
    while [r.status for r in replies].count(503):
        left = [a for a, r in zip(admins, replies) if r.status == 503]
        replies = [r for r in replies if r.status != 503]
        replies += [a.delete("/auth/me", None, json={"password": RIGHT})
                    for a in left]
    assert sorted(r.status for r in replies) == [200] * 6 + [409]
    assert [r.code for r in replies if r.status == 409] == ["last_admin"]
    assert own.sql("SELECT count(*) FROM docket.users WHERE active"
                   " AND role = 'admin'") == [["1"]]
    own.sql("UPDATE docket.users SET active = true WHERE id = :'id'",
            id=admin.id)
    admin.close()


@pytest.mark.parametrize("how", [
    "DELETE FROM docket.users", "UPDATE docket.users SET active = false",
    "UPDATE docket.users SET role = 'user'"])
@docket.tries(5)  # a statement waits for half a second, and is let go in it
def test_of_two_admins_who_go_at_once_one_stays(own, how):
    """However the other goes: that is waited for, then there is one."""
    one, two = docket.person(own), docket.person(own)
    before = [row[0] for row in own.sql(
        "SELECT id FROM docket.users WHERE role = 'admin'")]
    for role, which in (("admin", "IN"), ("user", "NOT IN")):
        own.sql(f"UPDATE docket.users SET role = '{role}' WHERE id {which}"
                " (:'one', :'two')", one=one.id, two=two.id)
    try:
        reply = behind(own, lambda: two.delete("/auth/me", None, json={
            "password": RIGHT}), f"{how} WHERE id = '{one.id}'")
        assert reply.code == "last_admin", str(reply)
        two.get("/auth/users")
    finally:
        for user in before:
            own.sql("UPDATE docket.users SET role = 'admin' WHERE id ="
                    " :'id'", id=user)
    one.close()
    two.close()


def test_deletion_beside_logins_leaves_no_session(dev, fresh):
    for _ in range(3):
        one = fresh()
        clients = [Client(dev) for _ in range(6)]
        jobs = [lambda c=c: c.post("/auth", None, json={
            "username": one.username, "password": RIGHT}) for c in clients]
        jobs.insert(3, lambda: one.delete("/auth/me", None,
                                          json={"password": RIGHT}))
        replies = parallel(jobs)
        gone = replies.pop(3)
        assert gone.status in (200, 503), str(gone)
        assert {r.status for r in replies} <= {200, 401, 503}
        if gone.status == 503:
            one.delete("/auth/me", json={"password": RIGHT})
        assert rows_of(dev, one) == [0] * len(TABLES)
        for reply in replies:
            if reply.status == 200:
                one.get("/auth/me", 401, token=reply.json["token"])
        for client in clients:
            client.close()


def test_deletion_beside_new_tasks(dev, fresh):
    """Neither waits for the other for ever, and no task is left."""
    for _ in range(3):
        one = fresh()
        clients = [Client(dev) for _ in range(6)]
        jobs = [lambda c=c: [c.post("/tasks", None, json={"title": "t"},
                                    token=one.access) for _ in range(20)]
                for c in clients]
        jobs.append(lambda: [one.delete("/auth/me", None,
                                        json={"password": RIGHT})])
        replies = [r for some in parallel(jobs) for r in some]
        assert {r.status for r in replies} <= {200, 201, 404}, \
            {r.status for r in replies}
        assert rows_of(dev, one) == [0] * len(TABLES)
        for client in clients:
            client.close()
