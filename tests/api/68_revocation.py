# SPDX-License-Identifier: AGPL-3.0-or-later
"""Revocation: whatever ends a session, an account or a role is felt by the very
next request on every worker, while others keep all of them busy; and nobody
slips in by logging in at that moment.
"""

import random
import threading
import time

import pytest

import docket
from docket import Client, jwt_parts, login, parallel, wait_until
from ledger import Ledger
from pinned import Crew
from storm import Storm


@pytest.fixture(scope="module")
def crew(dev):
    found = Crew(dev)
    assert len(found.peers) == len(dev.workers())
    yield found
    found.close()


@pytest.fixture(scope="module")
def busy(dev, bob):
    """Somebody else's reads all the time."""
    bob.renew(spare=550)
    storm = Storm(dev, "/tasks", bob.access, clients=8, seconds=3600)
    begun = time.monotonic()
    yield
    storm.stop()
    # A machine may be so slow that the token ends first.
    late = {401} if time.monotonic() - begun > bob.expires_in - 60 else set()
    assert storm.statuses() <= {200, 503} | late, str(storm)
    assert 200 in storm.statuses()


def sid(token):
    return jwt_parts(token)[1]["sid"]


# --- how it ends ----------------------------------------------------------

def logged_out(dev, admin, one):
    one.post("/auth/logout")


def logged_out_everywhere(dev, admin, one):
    other = login(dev, one.username, one.password)
    other.post("/auth/logout", json={"all": True})
    other.close()


def session_revoked(dev, admin, one):
    other = login(dev, one.username, one.password)
    other.delete("/auth/sessions/" + sid(one.access))
    other.get("/tasks")
    other.close()


def revoked_by_itself(dev, admin, one):
    one.delete("/auth/sessions/" + sid(one.access))


def refresh_token_stolen(dev, admin, one):
    """An ancestor of the newest one came again."""
    token = one.refresh
    for _ in range(2):
        token = one.post("/auth/refresh", token=None, json={
            "refresh_token": token}).json["refresh_token"]
    one.post("/auth/refresh", 401, token=None,
             json={"refresh_token": one.refresh})


def deactivated(dev, admin, one):
    admin.patch("/auth/users/" + one.id, json={"status": "N"})


def activated_again(dev, admin, one):
    for status in "NY":
        admin.patch("/auth/users/" + one.id, json={"status": status})


def deleted(dev, admin, one):
    admin.delete("/auth/users/" + one.id)


ENDS = {
    logged_out: (401, "token_revoked"),
    logged_out_everywhere: (401, "token_revoked"),
    session_revoked: (401, "token_revoked"),
    revoked_by_itself: (401, "token_revoked"),
    refresh_token_stolen: (401, "token_revoked"),
    deactivated: (401, "user_inactive"),
    activated_again: (401, "token_revoked"),
    deleted: (401, "user_deleted"),
}


def name(end):
    return end.__name__


def over_on_all(dev, crew, admin, end, rounds):
    """Every worker has just taken the token; then it is over, and each is
    asked once: no cache, no other process knows it longer."""
    for _ in range(rounds):
        one = docket.person(dev)
        assert crew.statuses("/auth/me", one.access) == {(200, None)}
        end(dev, admin, one)
        assert crew.statuses("/auth/me", one.access) == {ENDS[end]}
        status, code = ENDS[end]
        wanted = (404, "user_not_found") if code == "user_deleted" else \
            (status, code)
        assert crew.statuses("/tasks", one.access) == {wanted}
        one.close()


@pytest.mark.parametrize("end", ENDS, ids=name)
def test_over_on_every_worker_under_load(dev, crew, busy, admin, end):
    over_on_all(dev, crew, admin, end, 3)


@pytest.mark.long
@pytest.mark.parametrize("end", ENDS, ids=name)
def test_over_on_every_worker_under_load_50_times(dev, crew, busy, admin,
                                                  end):
    over_on_all(dev, crew, admin, end, 50)


def test_a_role_is_lowered_and_raised_on_every_worker(dev, crew, busy, admin,
                                                      fresh):
    """The token stays the same: the role is the database's."""
    one = fresh()
    path = "/auth/users/" + one.id
    for _ in range(5):
        assert crew.statuses("/auth/users?limit=1", one.access) == \
            {(403, "forbidden")}
        admin.patch(path, json={"role": "admin"})
        assert crew.statuses("/auth/users?limit=1", one.access) == \
            {(200, None)}
        admin.patch(path, json={"role": "user"})
        assert crew.statuses("/auth/users?limit=1", one.access) == \
            {(403, "forbidden")}
        assert crew.statuses("/tasks", one.access) == {(200, None)}


def test_others_stay_in(dev, crew, busy, admin, fresh):
    """What ends one session ends no other's."""
    one, other = fresh(), fresh()
    second = login(dev, one.username, one.password)
    logged_out(dev, admin, one)
    assert crew.statuses("/auth/me", second.access) == {(200, None)}
    deactivated(dev, admin, one)
    assert crew.statuses("/auth/me", second.access) == \
        {(401, "user_inactive")}
    assert crew.statuses("/auth/me", other.access) == {(200, None)}


# --- a login at that moment -----------------------------------------------

@pytest.fixture
def hand(dev):
    """A transaction of the test's own."""
    found = Ledger(dev)
    yield found
    found.close()


CHANGES = {
    "deactivated": ("UPDATE docket.users SET active = false", 401,
                    "user_inactive"),
    "deleted": ("DELETE FROM docket.users", 401, "credentials_invalid"),
    "made an admin": ("UPDATE docket.users SET role = 'admin'", 200, None),
}


def live(dev, one):
    return dev.sql("SELECT count(*) FROM docket.sessions WHERE user_id ="
                   " :'id' AND ended_at IS NULL", id=one.id)


@pytest.mark.parametrize("change", CHANGES)
@docket.tries(3)
def test_a_login_waits_for_the_change_and_sees_it(dev, hand, fresh, change):
    """The password was right and the account alive when it was looked at;
    the change commits between that and the session's insert."""
    statement, status, code = CHANGES[change]
    one, client = fresh(), Client(dev)

    def commit():
        wait_until(lambda: hand.ask(
            "SELECT pid FROM pg_catalog.pg_locks WHERE NOT granted"),
            "the login to wait for the account", 10)
        hand.ask("COMMIT")

    hand.ask("BEGIN")
    hand.ask(f"{statement} WHERE id = '{one.id}'")
    reply, _ = parallel([lambda: client.post("/auth", None, json={
        "username": one.username, "password": one.password}), commit])
    client.close()
    assert reply.status == status, str(reply)
    if status == 200:
        assert reply.json["user"]["role"] == "admin"
        claims = jwt_parts(reply.json["access_token"])[1]
        assert claims["role"] == "admin" and claims["sub"] == one.id
        return
    assert reply.code == code
    assert live(dev, one) == [["0"]]


RACES = {
    "deactivated": lambda admin, one: admin.patch(
        "/auth/users/" + one.id, json={"status": "N"}),
    "deleted": lambda admin, one: admin.delete("/auth/users/" + one.id),
    "lowered": lambda admin, one: admin.patch(
        "/auth/users/" + one.id, json={"role": "user"}),
}


def race(dev, admin, clients, how, late):
    """Four logins at once and a change somewhere among them, or as soon as
    the first of them is answered; what they got is worth nothing, or no more
    than the account is now."""
    one, probe = docket.person(dev), clients[-1]
    answered = threading.Event()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=one.id)
    body = {"username": one.username, "password": one.password}

    def change():
        if late:
            answered.wait(60)
        else:
            for _ in range(random.randrange(60)):  # as long as a hash takes
                probe.get("/healthz")
        RACES[how](admin, one)

    def log_in(client):
        reply = client.post("/auth", None, json=body)
        answered.set()
        return reply

    jobs = [lambda c=c: log_in(c) for c in clients[:-1]]
    replies = parallel([*jobs, change])[:-1]
    told = {200: "let in", 401: "refused", 503: "busy"}
    for reply in replies:
        assert reply.status in told, str(reply)
        if reply.status != 200:
            continue
        assert reply.json["user"]["id"] == one.id
        token = reply.json["access_token"]
        if how == "lowered":
            probe.get("/auth/users?limit=1", 403, token=token)
            probe.get("/tasks", token=token)
        else:
            probe.get("/auth/me", 401, token=token)
        probe.post("/auth/refresh", 200 if how == "lowered" else 401, json={
            "refresh_token": reply.json["refresh_token"]})
    if how != "lowered":
        assert live(dev, one) == [["0"]]
    one.close()
    return sorted(told[reply.status] for reply in replies)


def races(dev, admin, how, rounds):
    clients = [Client(dev) for _ in range(5)]
    seen = {}
    for i in range(rounds):
        for word in race(dev, admin, clients, how, i % 2):
            seen[word] = seen.get(word, 0) + 1
    for client in clients:
        client.close()
    print(f"{rounds} rounds, {how}: {seen}")
    assert seen.get("let in"), "no login was ever before the change"


@pytest.mark.parametrize("how", RACES)
def test_logins_raced_with_the_end_of_the_account(dev, admin, how):
    races(dev, admin, how, 12)


@pytest.mark.long
@pytest.mark.parametrize("how", RACES)
def test_logins_raced_with_the_end_of_the_account_200_times(dev, admin, how):
    races(dev, admin, how, 200)


def test_refreshes_raced_with_the_end_of_the_session(dev, admin, fresh):
    """Parallel refreshes, and a revocation among them: none outlives it."""
    clients = [Client(dev) for _ in range(9)]
    for _ in range(20):
        one = docket.person(dev)
        jobs = [lambda c=c: c.post("/auth/refresh", None, json={
            "refresh_token": one.refresh}) for c in clients[1:]]
        replies = parallel([*jobs, lambda: clients[0].delete(
            "/auth/sessions/" + sid(one.access), token=one.access)])
        for reply in replies[:-1]:
            assert reply.status in (200, 401), str(reply)
            if reply.status == 200:
                clients[0].get("/tasks", 401,
                               token=reply.json["access_token"])
                clients[0].post("/auth/refresh", 401, json={
                    "refresh_token": reply.json["refresh_token"]})
        assert live(dev, one) == [["0"]]
        one.close()
    for client in clients:
        client.close()
