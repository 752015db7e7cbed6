# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions: refreshing, retrying, theft, logging out, bans, lost roles."""

import pytest

import docket
from docket import Client, jwt_parts, login, parallel

PAIR = {"access_token", "token_type", "expires_in", "refresh_token", "scope"}


def refresh(client, token, expect=200):
    return client.post("/auth/refresh", expect,
                       json={"refresh_token": token}, token=None)


# --- refreshing -----------------------------------------------------------

def test_a_refresh_gives_a_new_pair(fresh):
    one = fresh()
    pair = refresh(one, one.refresh).json
    assert set(pair) == PAIR
    assert pair["refresh_token"] != one.refresh
    assert pair["access_token"] != one.access
    one.get("/tasks", token=pair["access_token"])


def test_the_old_access_token_lives_on(fresh):
    """It is the session that ends, not the token at a rotation."""
    one = fresh()
    refresh(one, one.refresh)
    one.get("/tasks")


def test_a_chain_of_refreshes(fresh):
    one = fresh()
    seen, token = {one.refresh}, one.refresh
    for _ in range(20):
        token = refresh(one, token).json["refresh_token"]
        assert token not in seen
        seen.add(token)


def test_the_last_rotation_can_be_retried(fresh):
    """The reply got lost: the same successor, as often as one likes."""
    one = fresh()
    first = refresh(one, one.refresh).json["refresh_token"]
    for _ in range(5):
        assert refresh(one, one.refresh).json["refresh_token"] == first
    second = refresh(one, first).json["refresh_token"]
    assert refresh(one, first).json["refresh_token"] == second


def test_an_older_one_ends_the_session(fresh):
    one = fresh()
    first = refresh(one, one.refresh).json
    second = refresh(one, first["refresh_token"]).json
    reply = refresh(one, one.refresh, 401)
    assert reply.code == "refresh_invalid"
    # Thief and owner are both out, at once.
    refresh(one, second["refresh_token"], 401)
    refresh(one, first["refresh_token"], 401)
    for token in (one.access, first["access_token"],
                  second["access_token"]):
        assert one.get("/tasks", 401, token=token).code == "token_revoked"


def test_the_theft_of_one_session_spares_the_others(dev, fresh):
    one = fresh()
    two = login(dev, one.username, one.password)
    first = refresh(one, one.refresh).json["refresh_token"]
    refresh(one, first)
    refresh(one, one.refresh, 401)
    two.get("/tasks")
    refresh(two, two.refresh)


def chain_of(one, clients, times):
    """So many refreshes of one token at once, again and again: always one
    successor, whose tokens are good. The newest refresh token."""
    token = one.refresh
    for _ in range(times):
        replies = parallel([lambda c=c: refresh(c, token, None)
                            for c in clients])
        assert {r.status for r in replies} == {200}, replies[0]
        successors = {r.json["refresh_token"] for r in replies}
        assert len(successors) == 1
        token = successors.pop()
        clients[0].get("/tasks", token=replies[-1].json["access_token"])
    return token


@pytest.fixture
def many(dev):
    """So many clients, connected."""
    made = []

    def make(n):
        made.extend(Client(dev) for _ in range(n))
        for client in made:
            client.get("/healthz")
        return made

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize("times", [100, pytest.param(
    1000, marks=pytest.mark.long)])
def test_64_parallel_refreshes_of_one_token(dev, fresh, many, times):
    """One live chain, never logged out."""
    one = fresh()
    sid = jwt_parts(one.access)[1]["sid"]
    token = chain_of(one, many(64), times)
    rows = dev.sql("SELECT id, refresh_counter, ended_at IS NULL FROM"
                   " docket.sessions WHERE user_id = :'id'", id=one.id)
    assert rows == [[sid, str(times), "t"]]
    refresh(one, token)


def test_100_parallel_refreshes_never_log_out(fresh, many):
    one = fresh()
    refresh(one, chain_of(one, many(100), 3))


def test_an_older_ancestor_ends_the_session_on_all_workers(dev, fresh,
                                                           many):
    """At the next request, wherever that arrives; 20 times."""
    one, clients = fresh(), many(16)
    for _ in range(20):
        victim = login(dev, one.username, one.password)
        chain = [victim.refresh]
        for _ in range(3):
            pair = refresh(victim, chain[-1]).json
            chain.append(pair["refresh_token"])
        access = [victim.access, pair["access_token"]]
        for client in clients:
            client.get("/tasks", token=access[1])
        refresh(victim, chain[0], 401)
        said = parallel([lambda c=c, t=t: c.get("/tasks", None, token=t)
                         for c, t in zip(clients, access * 8)])
        assert {r.status for r in said} == {401}
        assert {r.code for r in said} == {"token_revoked"}
        for token in chain:
            refresh(victim, token, 401)
        victim.close()
    one.get("/tasks")


def test_a_theft_is_written_down(ledger, fresh):
    one = fresh()
    first = refresh(one, one.refresh).json["refresh_token"]
    refresh(one, first)
    reply = refresh(one, one.refresh, 401)
    rows = ledger.ask(
        "SELECT a.event, a.request_id, s.ended_why FROM docket.audit a"
        " JOIN docket.sessions s ON s.id = a.session_id"
        f" WHERE a.user_id = '{one.id}' AND a.event = 'refresh_reuse'")
    assert rows == [["refresh_reuse", reply.header("X-Request-Id"),
                     "refresh_reuse"]]


def bits(token):
    for at in (0, 1, 9, 17, 21, 25, -1):
        data = bytearray(docket.unb64(token))
        data[at] ^= 1
        yield docket.b64(data)


def test_a_refresh_token_cannot_be_forged(fresh):
    one = fresh()
    for token in [*bits(one.refresh), one.refresh[:-1], one.refresh + "A",
                  one.refresh + "=", one.refresh.swapcase(), "x", "A" * 46,
                  "A" * 4096, one.access]:
        assert refresh(one, token, 401).code == "refresh_invalid"
    refresh(one, one.refresh)


def test_what_a_refresh_needs(api):
    reply = api.post("/auth/refresh", 400, json={})
    assert reply.pointers() == {"/refresh_token": "required"}
    reply = api.post("/auth/refresh", 400, json={"refresh_token": 5})
    assert reply.pointers() == {"/refresh_token": "type"}


def test_an_idle_session_is_over(dev, fresh):
    for column in ("idle_until", "absolute_until"):
        one = fresh()
        dev.sql(f"UPDATE docket.sessions SET {column} = now() - interval"
                " '1 s' WHERE user_id = :'id'", id=one.id)
        assert one.get("/tasks", 401).code == "token_revoked"
        refresh(one, one.refresh, 401)


def test_a_refresh_does_not_outlive_the_absolute_end(dev, fresh):
    one = fresh()
    dev.sql("UPDATE docket.sessions SET absolute_until = now() + interval"
            " '1 d' WHERE user_id = :'id'", id=one.id)
    refresh(one, one.refresh)
    rows = dev.sql("SELECT absolute_until < now() + interval '25 h'"
                   " FROM docket.sessions WHERE user_id = :'id'", id=one.id)
    assert rows == [["t"]]


# --- logging out ----------------------------------------------------------

def test_logout(fresh):
    one = fresh()
    reply = one.post("/auth/logout")
    assert set(reply.json) == {"message"}
    assert one.get("/auth/me", 401).code == "token_revoked"
    refresh(one, one.refresh, 401)
    assert one.post("/auth/logout", 401).code == "token_revoked"


def test_logout_takes_no_body_an_empty_object_or_all(dev, fresh):
    one = fresh()
    for members in ({}, {"json": {}}, {"json": {"all": False}},
                    {"json": {"all": None}}, {"json": {"all": True}}):
        login(dev, one.username, one.password).post("/auth/logout",
                                                    **members)
    reply = login(dev, one.username, one.password).post(
        "/auth/logout", 400, json={"all": "yes"})
    assert reply.pointers() == {"/all": "type"}


def test_the_next_request_on_any_worker_is_refused(dev, fresh):
    """50 logouts; after each, eight other connections ask at once."""
    one = fresh()
    others = [Client(dev) for _ in range(8)]
    for client in others:
        client.get("/tasks", token=one.access)
    for i in range(50):
        session = login(dev, one.username, one.password)
        others[i % 8].get("/tasks", token=session.access)
        session.post("/auth/logout")
        for client in others:
            reply = client.get("/tasks", 401, token=session.access)
            assert reply.code == "token_revoked"
        session.close()
    one.get("/tasks")
    for client in others:
        client.close()


def test_logout_ends_this_session_alone(dev, fresh):
    one = fresh()
    two = login(dev, one.username, one.password)
    one.post("/auth/logout")
    two.get("/tasks")
    refresh(two, two.refresh)


def test_logout_of_all(dev, fresh, bob):
    one = fresh()
    more = [login(dev, one.username, one.password) for _ in range(3)]
    more[0].post("/auth/logout", json={"all": True})
    for session in [one, *more]:
        assert session.get("/tasks", 401).code == "token_revoked"
        refresh(session, session.refresh, 401)
    bob.get("/tasks")
    login(dev, one.username, one.password).get("/tasks")


# --- what an admin does to people -----------------------------------------

def test_a_deactivated_user_is_401_at_once(dev, fresh):
    one = fresh()
    task = one.task()
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=one.id)
    for path in ("/auth/me", "/tasks", "/tasks/" + task["id"]):
        assert one.get(path, 401).code == "user_inactive"
    refresh(one, one.refresh, 401)
    one.post("/tasks", 401, json={"title": "t"})
    rows = dev.sql("SELECT count(*) FROM docket.tasks WHERE user_id = :'id'",
                   id=one.id)
    assert rows == [["1"]]


def test_a_deleted_user_is_401_and_404_on_tasks(dev, fresh):
    one = fresh()
    task = one.task()
    dev.sql("DELETE FROM docket.users WHERE id = :'id'", id=one.id)
    reply = one.get("/auth/me", 401)
    assert reply.code == "user_deleted"
    for method, path, body in (
            ("GET", "/tasks", None), ("POST", "/tasks", {"title": "t"}),
            ("GET", "/tasks/" + task["id"], None),
            ("DELETE", "/tasks/" + task["id"], None),
            ("GET", "/tasks/task_list", None)):
        more = {} if body is None else {"json": body}
        reply = one.request(method, path, 404, **more)
        assert reply.code == "user_not_found"
        assert reply.json["message"] == "User not found."
    refresh(one, one.refresh, 401)
    rows = dev.sql("SELECT count(*) FROM docket.tasks WHERE user_id = :'id'",
                   id=one.id)
    assert rows == [["0"]]


def test_a_lowered_role_is_403_at_once(dev, fresh):
    one = fresh()
    one.get("/auth/users", 403)
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=one.id)
    one.get("/auth/users", 200)
    pair = refresh(one, one.refresh).json
    assert jwt_parts(pair["access_token"])[1]["role"] == "admin"
    dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
            id=one.id)
    for token in (one.access, pair["access_token"]):
        assert one.get("/auth/users", 403, token=token).code == "forbidden"
        one.get("/tasks", 200, token=token)


# --- GET /auth/users ------------------------------------------------------

def test_users_are_for_admins(alice, admin):
    assert alice.get("/auth/users", 403).code == "forbidden"
    page = admin.get("/auth/users?limit=200").json
    assert set(page) == {"users", "next_cursor"}
    for user in page["users"]:
        assert set(user) == {"id", "number", "username", "email", "phone",
                             "role", "status", "created_at", "updated_at"}
        assert "argon2" not in str(user)


def all_users(admin, query):
    users, cursor = [], None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = admin.get(f"/auth/users?{query}{more}").json
        users += page["users"]
        cursor = page["next_cursor"]
        if not cursor:
            return users


def test_users_are_paged_and_filtered(admin, dev, fresh):
    one, two = fresh(), fresh()
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=two.id)
    users = all_users(admin, "limit=50")
    ids = [u["id"] for u in users]
    assert len(ids) == len(set(ids))
    assert one.id in ids and two.id in ids
    numbers = [u["number"] for u in users]
    assert numbers == sorted(numbers)
    asleep = all_users(admin, "limit=50&status=N")
    assert two.id in [u["id"] for u in asleep]
    assert {u["status"] for u in asleep} == {"N"}
    assert {u["role"] for u in all_users(admin, "role=admin")} == {"admin"}


@pytest.mark.parametrize("query, pointer", [
    ("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=x", "?limit"),
    ("role=king", "?role"), ("status=maybe", "?status"), ("x=1", "?x")])
def test_users_query_faults(admin, query, pointer):
    assert set(admin.get("/auth/users?" + query, 400).pointers()) == {pointer}


def test_users_cursor_is_bound(admin):
    cursor = admin.get("/auth/users?limit=1").json["next_cursor"]
    assert cursor
    for query in (f"cursor={cursor}&role=user", "cursor=rubbish",
                  f"cursor={cursor}x"):
        assert admin.get("/auth/users?" + query, 400).code == \
            "cursor_invalid"
