# SPDX-License-Identifier: AGPL-3.0-or-later
"""GET /auth/sessions and the end of one of them: one's own, and no other."""

import uuid

import pytest

import docket
from docket import Client, jwt_parts, login
from victims import told

MEMBERS = {"id", "device", "ip", "current", "created_at", "used_at",
           "idle_until", "absolute_until"}


def sid(token):
    return jwt_parts(token)[1]["sid"]


def all_sessions(client, query=""):
    """Every page, by the cursor; the Link header says the same."""
    found, path = [], "/auth/sessions" + query
    while path:
        reply = client.get(path)
        page = reply.json
        assert set(page) == {"sessions", "next_cursor"}
        found += page["sessions"]
        link, path = reply.header("Link"), None
        assert bool(link) == bool(page["next_cursor"])
        if link:
            path = link[1:link.index(">")]
            assert link.endswith('>; rel="next"')
            assert page["next_cursor"] in path
    return found


def by_agent(dev, one, agent):
    """One more login, of a device with that name; its token pair."""
    client = Client(dev)
    pair = client.post("/auth", json={
        "username": one.username, "password": one.password},
        headers=[("User-Agent", agent)]).json
    client.close()
    return pair


def test_where_one_is_logged_in(dev, fresh):
    one = fresh()
    phone = by_agent(dev, one, "Phone/1.0")
    reply = one.get("/auth/sessions")
    assert reply.header("Cache-Control") == "no-store"
    sessions = reply.json["sessions"]
    assert [s["id"] for s in sessions] == [sid(phone["access_token"]),
                                           sid(one.access)]
    assert reply.json["next_cursor"] is None
    for session in sessions:
        assert set(session) == MEMBERS
        for name in ("created_at", "used_at", "idle_until",
                     "absolute_until"):
            assert docket.INSTANT.match(session[name]), session
        assert session["idle_until"] < session["absolute_until"]
        assert session["ip"] == "127.0.0.1"
    assert sessions[0]["device"] == "Phone/1.0"
    assert [s["current"] for s in sessions] == [False, True]
    # Each sees the same, and itself.
    seen = one.get("/auth/sessions", token=phone["access_token"]).json
    assert [s["current"] for s in seen["sessions"]] == [True, False]


def test_a_refresh_is_a_use(dev, fresh):
    """A token lives for minutes, so whoever is there refreshes: no request
    has to write down that it was made."""
    one = fresh()
    dev.sql("UPDATE docket.sessions SET used_at = used_at - interval '1 h',"
            " idle_until = idle_until - interval '1 h'"
            " WHERE user_id = :'id'", id=one.id)
    before = one.get("/auth/sessions").json["sessions"][0]
    assert one.get("/auth/sessions").json["sessions"] == [before]
    one.post("/auth/refresh", json={"refresh_token": one.refresh}, token=None,
             headers=[("User-Agent", "Moved/2")])
    after = one.get("/auth/sessions").json["sessions"][0]
    assert after["used_at"] > before["used_at"]
    assert after["idle_until"] > before["idle_until"]
    assert after["device"] == "Moved/2"
    assert after["created_at"] == before["created_at"]
    assert after["absolute_until"] == before["absolute_until"]


def test_only_what_lives_is_listed(dev, fresh):
    one = fresh()
    ends = ["ended_at = now()", "idle_until = now() - interval '1 s'",
            "absolute_until = now() - interval '1 s'"]
    for end in ends:
        dead = sid(login(dev, one.username, one.password).access)
        assert dead in str(all_sessions(one))
        dev.sql(f"UPDATE docket.sessions SET {end} WHERE id = :'id'", id=dead)
        assert dead not in str(all_sessions(one))
        one.delete("/auth/sessions/" + dead, 404)
    assert [s["id"] for s in all_sessions(one)] == [sid(one.access)]


# --- pages ----------------------------------------------------------------

@pytest.fixture(scope="module")
def many(dev):
    """Somebody with 60 sessions, older than any that is made now."""
    one = docket.person(dev)
    dev.sql("INSERT INTO docket.sessions (id, user_id, idle_until,"
            " absolute_until) SELECT overlay(gen_random_uuid()::text"
            " PLACING '00' FROM 1)::uuid, :'id', now() + '1 d', now() + '1 d'"
            " FROM generate_series(1, 60)", id=one.id)
    return one


@pytest.mark.parametrize("limit, pages", [(None, 2), (1, 61), (7, 9),
                                          (60, 2), (61, 1), (200, 1)])
def test_pages(many, limit, pages):
    query = f"?limit={limit}" if limit else ""
    found = all_sessions(many, query)
    ids = [s["id"] for s in found]
    assert ids == sorted(set(ids), reverse=True) and len(ids) == 61
    first = many.get("/auth/sessions" + query).json["sessions"]
    assert -(-61 // len(first)) == pages


def test_a_new_login_does_not_move_the_pages(dev, many):
    page = many.get("/auth/sessions?limit=60").json
    new = login(dev, many.username, many.password)
    rest = many.get("/auth/sessions?cursor=" + page["next_cursor"]).json
    assert len(rest["sessions"]) == 1 and rest["next_cursor"] is None
    many.delete("/auth/sessions/" + sid(new.access))


@pytest.mark.parametrize("query, pointer", [
    ("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=x", "?limit"),
    ("x=1", "?x"), ("limit=1&limit=2", "?limit"), ("cursor=", "?cursor")])
def test_query_faults(many, query, pointer):
    reply = many.get("/auth/sessions?" + query, 400)
    assert set(reply.pointers()) == {pointer}


def test_a_cursor_is_its_owners(many, bob, admin):
    cursor = many.get("/auth/sessions?limit=1").json["next_cursor"]
    users = admin.get("/auth/users?limit=1").json["next_cursor"]
    for client, text in ((bob, cursor), (admin, cursor), (many, cursor + "A"),
                         (many, cursor[:-1]), (admin, users), (many, "x")):
        reply = client.get("/auth/sessions?cursor=" + text, 400)
        assert reply.code == "cursor_invalid"


# --- the end of one -------------------------------------------------------

def test_one_is_ended(dev, fresh):
    one, other = fresh(), fresh()
    lost = login(dev, one.username, one.password)
    reply = one.delete("/auth/sessions/" + sid(lost.access))
    assert reply.json == {"message": "Session ended"}
    assert lost.get("/tasks", 401).code == "token_revoked"
    lost.post("/auth/refresh", 401, token=None,
              json={"refresh_token": lost.refresh})
    one.get("/tasks")
    other.get("/tasks")
    # There is nothing to end twice.
    one.delete("/auth/sessions/" + sid(lost.access), 404)


def test_the_current_one_too(fresh):
    one = fresh()
    one.delete("/auth/sessions/" + sid(one.access))
    assert one.get("/auth/sessions", 401).code == "token_revoked"
    assert one.delete("/auth/sessions/" + sid(one.access), 401).code == \
        "token_revoked"


def test_an_id_in_capitals_is_the_same(dev, fresh):
    one = fresh()
    lost = login(dev, one.username, one.password)
    one.delete("/auth/sessions/" + sid(lost.access).upper())
    lost.get("/tasks", 401)


def test_what_is_written_down(dev, fresh):
    one = fresh()
    lost = login(dev, one.username, one.password)
    reply = one.delete("/auth/sessions/" + sid(lost.access))
    rows = audit(dev, "SELECT event, session_id, actor_id IS NULL, ip,"
                 " request_id, detail FROM docket.audit WHERE user_id ="
                 " :'id' AND event = 'session_revoked'", id=one.id)
    assert rows == [["session_revoked", sid(lost.access), "t", "127.0.0.1",
                     reply.header("X-Request-Id"),
                     "by " + sid(one.access)]]
    rows = dev.sql("SELECT ended_why FROM docket.sessions WHERE id = :'id'",
                   id=sid(lost.access))
    assert rows == [["revoked"]]


def audit(dev, statement, **values):
    """As the owner: the API's role does not read its trail."""
    owner = docket.Dev(dev.dir)
    owner.dsn = dev.dsn.replace("user=docket_api", "user=docket_owner")
    return owner.sql(statement, **values)


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_a_foreign_one_is_as_absent_as_none(request, dev, fresh, ledger, who):
    """Byte for byte, for an admin too, and nothing changes."""
    one, asks = fresh(), request.getfixturevalue(who)
    ended = login(dev, asks.username, asks.password)
    ended.post("/auth/logout")
    before = ledger.settled()
    wanted = None
    for ref in (str(uuid.uuid4()), sid(one.access), sid(one.access).upper(),
                one.id, sid(ended.access),
                "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d"):
        reply = asks.delete("/auth/sessions/" + ref, 404)
        assert reply.code == "session_not_found"
        wanted = wanted or told(reply, ref)
        assert told(reply, ref) == wanted
    assert ledger.changed(before) == []
    one.get("/tasks")


@pytest.mark.parametrize("ref", [
    "x", "1", "0", "null", "00000000-0000-0000-0000-000000000000", "%00",
    "{id}x", "{bare}", "urn:uuid:{id}", "%27", "*", "all", "current"])
def test_a_malformed_id(fresh, ledger, ref):
    one = fresh()
    before = ledger.settled()
    ref = ref.replace("{id}", sid(one.access)).replace(
        "{bare}", sid(one.access).replace("-", ""))
    reply = one.delete("/auth/sessions/" + ref, 400)
    if "%" not in ref:
        assert reply.code == "session_id_invalid"
    assert ledger.changed(before) == []


def test_one_of_many_at_once(dev, fresh):
    """Everybody ends the same one: it ends once."""
    one = fresh()
    lost = login(dev, one.username, one.password)
    clients = [Client(dev) for _ in range(16)]
    replies = docket.parallel([lambda c=c: c.delete(
        "/auth/sessions/" + sid(lost.access), None, token=one.access)
        for c in clients])
    statuses = sorted(r.status for r in replies)
    assert statuses == [200] + [404] * 15, statuses
    rows = audit(dev, "SELECT count(*) FROM docket.audit WHERE user_id ="
                 " :'id' AND event = 'session_revoked'", id=one.id)
    assert rows == [["1"]]
    for client in clients:
        client.close()
