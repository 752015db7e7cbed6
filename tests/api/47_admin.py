# SPDX-License-Identifier: AGPL-3.0-or-later
"""What admins do to accounts: /auth/users/{id}, and who must stay."""

import uuid

import pytest

import docket
from docket import Client, login, new_email, new_name, new_phone, parallel
from victims import told

USER = {"id", "number", "username", "email", "phone", "role", "status",
        "created_at", "updated_at"}


def owner(dev):
    """psql as the owner: the API's role does not read its trail."""
    found = docket.Dev(dev.dir)
    found.dsn = dev.dsn.replace("user=docket_api", "user=docket_owner")
    return found


def trail(dev, id):
    """What was written down of an account, but its logins."""
    return owner(dev).sql(
        "SELECT event, coalesce(actor_id::text, ''), coalesce(detail, '')"
        " FROM docket.audit WHERE user_id = :'id' AND event NOT IN"
        " ('register', 'login') ORDER BY id", id=id)


def path(user):
    return "/auth/users/" + str(user["id"])


@pytest.fixture
def somebody(fresh):
    return fresh(email=new_email(), phone=None)


# --- GET ------------------------------------------------------------------

def test_one_account(admin, somebody):
    reply = admin.get("/auth/users/" + somebody.id)
    assert set(reply.json) == USER
    assert reply.json == somebody.get("/auth/me").json
    assert reply.header("Cache-Control") == "no-store"
    for ref in (somebody.user["number"], somebody.id.upper()):
        assert admin.get(f"/auth/users/{ref}").json == reply.json


def test_admins_alone(alice, bob, ledger):
    """And nobody else learns who is there: not even oneself."""
    before = ledger.settled()
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None),
                         ("PATCH", {"role": "admin"})):
        more = {} if body is None else {"json": body}
        replies = [told(alice.request(method, f"/auth/users/{ref}", 403,
                                      **more), ref)
                   for ref in (bob.id, alice.id, str(uuid.uuid4()),
                               bob.user["number"])]
        assert replies[0][0] == 403
        assert len({body for _, _, body in replies}) == 1
    assert ledger.changed(before) == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_who_is_not_there(admin, ledger, method):
    more = {"json": {"role": "admin"}} if method == "PATCH" else {}
    before = ledger.settled()
    for ref in (str(uuid.uuid4()), 10 ** 18 - 1, 999999999):
        reply = admin.request(method, f"/auth/users/{ref}", 404, **more)
        assert reply.code == "user_not_found"
        assert reply.json["detail"] == "User not found."
    for ref in ("x", "0", "-1", "01", "1.5", "1" * 19, "me", "%27",
                "00000000-0000-0000-0000-000000000000", "1e3"):
        reply = admin.request(method, f"/auth/users/{ref}", 400, **more)
        if "%" not in ref:
            assert reply.code == "user_id_invalid"
    assert ledger.changed(before) == []


def test_put_is_not_offered(admin, somebody):
    reply = admin.put("/auth/users/" + somebody.id, 405,
                      json={"role": "admin"})
    assert reply.allow() == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}


# --- PATCH ----------------------------------------------------------------

def test_a_role_is_felt_by_the_next_request(dev, admin, somebody):
    somebody.get("/auth/users", 403)
    reply = admin.patch(path(somebody.user), json={"role": "admin"})
    assert set(reply.json) == USER and reply.json["role"] == "admin"
    assert reply.json["updated_at"] > somebody.user["updated_at"]
    somebody.get("/auth/users")
    reply = admin.patch(path(somebody.user), json={"role": "user"})
    assert reply.json["role"] == "user"
    assert somebody.get("/auth/users", 403).code == "forbidden"
    somebody.get("/tasks")
    assert trail(dev, somebody.id) == [
        ["role_changed", admin.id, "user to admin"],
        ["role_changed", admin.id, "admin to user"]]


def test_deactivated_and_activated(dev, admin, somebody):
    task = somebody.task("mine")
    more = [login(dev, somebody.username, somebody.password)
            for _ in range(2)]
    reply = admin.patch(path(somebody.user), json={"status": "N"})
    assert reply.json["status"] == "N"
    for session in [somebody, *more]:
        assert session.get("/tasks", 401).code == "user_inactive"
        session.post("/auth/refresh", 401, token=None,
                     json={"refresh_token": session.refresh})
    Client(dev).post("/auth", 401, json={"username": somebody.username,
                                         "password": somebody.password})
    assert admin.get(path(somebody.user)).json["status"] == "N"
    reply = admin.patch(path(somebody.user), json={"status": "Y"})
    assert reply.json["status"] == "Y"
    # What ended stays ended: one logs in again.
    assert somebody.get("/tasks", 401).code == "token_revoked"
    again = login(dev, somebody.username, somebody.password)
    assert again.tasks() == [task]
    assert trail(dev, somebody.id) == [["deactivated", admin.id, ""],
                                       ["activated", admin.id, ""]]


def test_names_and_addresses(dev, admin, somebody):
    members = {"username": new_name(), "email": new_email(),
               "phone": new_phone()}
    reply = admin.patch(path(somebody.user), json=members)
    assert {k: reply.json[k] for k in members} == members
    for name, value in members.items():
        docket.login(dev, value, somebody.password).close()
        body = {name: value.upper(), "password": somebody.password}
        Client(dev).post("/auth", 200, json=body)
    assert somebody.get("/auth/me").json == reply.json
    # What is not given stays; null clears an address, and no name.
    reply = admin.patch(path(somebody.user), json={"email": None})
    assert reply.json["email"] is None
    assert reply.json["phone"] == members["phone"]
    reply = admin.patch(path(somebody.user), json={"phone": None},
                        type="application/merge-patch+json")
    assert reply.json["phone"] is None
    assert reply.json["username"] == members["username"]
    assert trail(dev, somebody.id) == [
        ["user_changed", admin.id, "username, email, phone"],
        ["user_changed", admin.id, "email"],
        ["user_changed", admin.id, "phone"]]


def test_a_new_address_is_not_verified(dev, admin):
    one = docket.person_by_phone(dev)
    def verified():
        return dev.sql("SELECT phone_verified_at IS NOT NULL FROM"
                       " docket.users WHERE id = :'id'", id=one.id)
    assert verified() == [["t"]]
    admin.patch(path(one.user), json={"phone": one.user["phone"]})
    assert verified() == [["t"]], "the same one was proven"
    admin.patch(path(one.user), json={"phone": new_phone()})
    assert verified() == [["f"]]


def test_nothing_to_change(dev, admin, somebody, ledger):
    before = ledger.settled()
    reply = admin.patch(path(somebody.user), json={})
    assert reply.json == somebody.get("/auth/me").json
    assert ledger.changed(before) == []
    # What is so already is not written down.
    admin.patch(path(somebody.user), json={"role": "user", "status": "Y"})
    assert trail(dev, somebody.id) == []


@pytest.mark.parametrize("name, code", [
    ("username", "username_taken"), ("email", "email_taken"),
    ("phone", "phone_taken")])
def test_what_is_taken(admin, fresh, ledger, name, code):
    one, other = (fresh(email=new_email()) for _ in range(2))
    phone = new_phone()
    admin.patch(path(other.user), json={"phone": phone})
    taken = {**other.user, "phone": phone}[name]
    before = ledger.settled()
    reply = admin.patch(path(one.user), 409,
                        json={"role": "admin", name: taken.upper()})
    assert reply.code == code
    assert ledger.changed(before) == [] or \
        ledger.changed(before) == ["users_number_seq"]
    # One's own name is not taken by oneself.
    admin.patch(path(other.user), json={name: taken})


@pytest.mark.parametrize("body, pointers", [
    ({"role": "king"}, {"/role": "choice"}),
    ({"role": None}, {"/role": "null"}),
    ({"role": 1}, {"/role": "type"}),
    ({"status": "n"}, {"/status": "choice"}),
    ({"status": None}, {"/status": "null"}),
    ({"status": False}, {"/status": "type"}),
    ({"username": None}, {"/username": "null"}),
    ({"username": "x"}, {"/username": "length"}),
    ({"username": "a@b.example"}, {"/username": "format"}),
    ({"email": "x"}, {"/email": "format"}),
    ({"phone": "12"}, {"/phone": "format"}),
    ({"role": "king", "status": 5, "email": "x", "x": 1},
     {"/role": "choice", "/status": "type", "/email": "format",
      "/x": "unknown"}),
])
def test_every_fault_at_once(admin, somebody, ledger, body, pointers):
    before = ledger.settled()
    assert admin.patch(path(somebody.user), 400,
                       json=body).pointers() == pointers
    assert ledger.changed(before) == []


@pytest.mark.parametrize("member", [
    "id", "number", "user_id", "is_admin", "admin", "verified", "active",
    "password", "password_hash", "email_verified_at", "phone_verified_at",
    "username_key", "created_at", "updated_at", "sessions", "actor_id"])
def test_mass_assignment_changes_nothing(admin, somebody, ledger, member):
    before = ledger.settled()
    reply = admin.patch(path(somebody.user), 400,
                        json={"role": "admin", member: "x"})
    assert reply.pointers() == {"/" + member: "unknown"}
    assert ledger.changed(before) == []


# --- DELETE ---------------------------------------------------------------

TABLES = ["sessions", "counters", "tasks", "idempotency"]


def test_an_account_and_all_of_its_data(dev, admin, bob, somebody):
    somebody.post("/tasks", 201, json={"title": "t"},
                  headers=[("Idempotency-Key", new_name())])
    kept = bob.tasks()
    reply = admin.delete(path(somebody.user))
    assert reply.json == {"message": "User deleted"}
    assert somebody.get("/auth/me", 401).code == "user_deleted"
    assert somebody.get("/tasks", 404).code == "user_not_found"
    for table in TABLES:
        assert dev.sql(f"SELECT count(*) FROM docket.{table}"
                       " WHERE user_id = :'id'", id=somebody.id) == [["0"]]
    # No column of the schema knows the address or the name any more.
    for column in ("username", "email"):
        assert dev.sql("SELECT count(*) FROM docket.users WHERE"
                       f" {column} = :'value'",
                       value=somebody.user[column]) == [["0"]]
    admin.get(path(somebody.user), 404)
    admin.delete(path(somebody.user), 404)
    assert trail(dev, somebody.id) == [["user_deleted", admin.id, "user"]]
    assert bob.tasks() == kept
    # The names are free again.
    docket.person(dev, username=somebody.username,
                  email=somebody.user["email"]).close()


def test_what_belongs_to_a_user_goes_with_him(dev):
    """A table that is added with a user_id must say what becomes of it."""
    rows = owner(dev).sql(
        "SELECT c.relname, coalesce(max(f.confdeltype), '-')"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " AND c.relkind IN ('r', 'p') LEFT JOIN pg_constraint f"
        " ON f.conrelid = c.oid AND f.contype = 'f'"
        " AND f.confrelid = 'docket.users'::regclass"
        " WHERE c.relnamespace = 'docket'::regnamespace"
        " AND a.attname IN ('user_id', 'owner_id') AND NOT a.attisdropped"
        " GROUP BY 1 ORDER BY 1")
    assert {"sessions", "tasks"} <= {name for name, _ in rows}
    # Lockouts go by a trigger: a try must not wait for the account's row.
    # So do tasks and their log: after the counter, which a new one must have.
    assert [row for row in rows if row[1] != "c"] == [
        ["audit", "-"], ["lockouts", "-"], ["task_changes", "-"],
        ["tasks", "-"]]


# --- the last admin -------------------------------------------------------

@pytest.fixture
def alone(dev, admin):
    """Nobody but the admin is one, and an account that can become one."""
    admins = dev.sql("UPDATE docket.users SET active = false WHERE"
                     " role = 'admin' AND active AND id <> :'id'"
                     " RETURNING id", id=admin.id)
    yield admin
    for row in admins:
        dev.sql("UPDATE docket.users SET active = true WHERE id = :'id'",
                id=row[0])


def test_the_last_admin_stays(dev, alone, ledger):
    before = ledger.settled()
    me = "/auth/users/" + alone.id
    for body in ({"role": "user"}, {"status": "N"},
                 {"role": "user", "status": "N"},
                 {"status": "N", "username": new_name()}):
        reply = alone.patch(me, 409, json=body)
        assert reply.code == "last_admin"
    assert alone.delete(me, 409).code == "last_admin"
    assert ledger.changed(before) == []
    assert alone.get(me).json["role"] == "admin"
    # Everything else may change.
    alone.patch(me, json={"role": "admin", "status": "Y"})


def test_a_deactivated_admin_does_not_count(dev, alone, fresh):
    other = fresh()
    alone.patch(path(other.user), json={"role": "admin", "status": "N"})
    assert alone.patch("/auth/users/" + alone.id, 409,
                       json={"role": "user"}).code == "last_admin"
    # He is no active one: he may go.
    alone.patch(path(other.user), json={"role": "user"})
    alone.patch(path(other.user), json={"role": "admin"})
    alone.delete(path(other.user))


def test_any_statement_at_all(dev, alone):
    """The database says it, whoever asks: psql, the command, a bug."""
    for statement in (
            "UPDATE docket.users SET role = 'user'",
            "UPDATE docket.users SET active = false WHERE role = 'admin'",
            "DELETE FROM docket.users WHERE role = 'admin' AND active",
            "DELETE FROM docket.users"):
        with pytest.raises(AssertionError, match="last active admin"):
            dev.sql(statement)
    assert alone.get("/auth/me").json["role"] == "admin"


def two_admins(dev, alone, fresh):
    """Two and no more; a third person who is none has asked."""
    one, two = fresh(), fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id IN"
            " (:'one', :'two')", one=one.id, two=two.id)
    dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
            id=alone.id)
    return one, two


HOW = {
    "demoted": lambda c, who, of: c.patch(
        path(of.user), None, json={"role": "user"}, token=who.access),
    "deactivated": lambda c, who, of: c.patch(
        path(of.user), None, json={"status": "N"}, token=who.access),
    "deleted": lambda c, who, of: c.delete(
        path(of.user), None, token=who.access),
}


@pytest.mark.parametrize("whom", ["each other", "themselves"])
@pytest.mark.parametrize("how", HOW)
def test_two_at_once_leave_one(dev, alone, fresh, how, whom):
    """Parallel, twenty times: exactly one of the two passes. The other is
    told 409, or, if he came later, what became of him."""
    one, two = two_admins(dev, alone, fresh)
    clients = [Client(dev), Client(dev)]
    pairs = [(one, two), (two, one)] if whom == "each other" else \
        [(one, one), (two, two)]
    try:
        for _ in range(20 if how != "deleted" else 1):
            replies = parallel([
                lambda c=c, p=p: HOW[how](c, *p)
                for c, p in zip(clients, pairs)])
            statuses = sorted(r.status for r in replies)
            assert statuses[0] == 200, [str(r) for r in replies]
            assert statuses[1] in (409, 401, 403), [str(r) for r in replies]
            left = dev.sql("SELECT id FROM docket.users WHERE"
                           " role = 'admin' AND active")
            assert len(left) == 1, left
            dev.sql("UPDATE docket.users SET role = 'admin', active = true"
                    " WHERE id IN (:'one', :'two')", one=one.id, two=two.id)
            dev.sql("UPDATE docket.sessions SET ended_at = NULL WHERE user_id"
                    " IN (:'one', :'two')", one=one.id, two=two.id)
    finally:
        dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
                id=alone.id)
        for id in (one.id, two.id):
            dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
                    id=id)
        for client in clients:
            client.close()


# --- GET /auth/users?q= ---------------------------------------------------

def found(admin, q, more=""):
    page = admin.get("/auth/users?limit=200&q=" + docket.urllib.parse.quote(
        q, safe="") + more).json
    return {u["username"] for u in page["users"]}


def test_found_by_how_a_name_begins(admin, fresh):
    name = new_name("Zeta")
    one = fresh(username=name, email=f"Mail.{name}@example.org")
    phone = new_phone()
    admin.patch(path(one.user), json={"phone": phone})
    for q in (name, name[:6], name.lower(), name.upper(), "mail." + name[:9],
              f"MAIL.{name}@EXAMPLE.ORG", phone, phone[:12], phone[1:]):
        assert name in found(admin, q), q
    for q in (name[1:], name + "x", "%" + name, name[:5] + "%", "_" * 4,
              name[:5] + "_", "example.org", phone[2:], "\\", "' OR true --"):
        assert name not in found(admin, q), q
    assert name in found(admin, name, "&role=user&status=Y")
    assert name not in found(admin, name, "&role=admin")
    assert name not in found(admin, name, "&status=N")


def test_found_page_by_page(admin, fresh):
    start = new_name("page")
    names = {fresh(username=f"{start}{i}").username for i in range(5)}
    query, seen = f"/auth/users?limit=2&q={start}", []
    while query:
        reply = admin.get(query)
        seen += [u["username"] for u in reply.json["users"]]
        link = reply.header("Link")
        assert bool(link) == bool(reply.json["next_cursor"])
        query = link and link[1:link.index(">")]
        assert not link or f"q={start}&" in link
    assert len(seen) == 5 and set(seen) == names
    # A cursor is of its question.
    cursor = admin.get(f"/auth/users?limit=2&q={start}").json["next_cursor"]
    for other in ("", f"&q={start}0", f"&q={start}&role=user"):
        reply = admin.get(f"/auth/users?cursor={cursor}{other}", 400)
        assert reply.code == "cursor_invalid"


@pytest.mark.parametrize("query, pointers", [
    ("q=", {"?q": "length"}), ("q=" + "x" * 255, {"?q": "length"}),
    ("q=a&q=b", {"?q": "duplicate"}), ("q=%FF", {"?": "syntax"}),
    ("q=%00", {"?": "syntax"})])
def test_q_faults(admin, query, pointers):
    reply = admin.get("/auth/users?" + query, 400)
    assert reply.pointers() == pointers
