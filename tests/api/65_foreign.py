# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was given to somebody else opens nothing: Idempotency-Keys, cursors.

The refusal of a foreign one is, byte for byte, that of one that never was.
"""

import json
import uuid

import pytest

import docket
from docket import ROUTES, Client, parallel
from places import PLACES
from victims import Estate, told

LISTS = [r for r in ROUTES if r.query == "tasks_query"]
IDEMPOTENT = [p for p in PLACES
              if p.named and "ROUTE_IDEMPOTENT" in p.row.flags]


def over(which):
    return pytest.mark.parametrize("place", which, ids=str)


def key(value):
    return [("Idempotency-Key", value)]


@pytest.fixture(scope="module")
def victim(dev):
    return Estate(dev, "secret")


@pytest.fixture(scope="module")
def caller(dev):
    return Estate(dev, "mine")


# --- keys -----------------------------------------------------------------

@over(IDEMPOTENT)
def test_a_foreign_key_replays_nothing(victim, caller, ledger, place):
    """The victim's key, the victim's request: nothing of the reply that is
    kept for him, and for the caller no use of his own key."""
    name, task = docket.new_name("key-"), victim.one.task("secret")["id"]
    place.ready(victim.one, task)
    place.send(victim.one, task, victim.id, place.row.status,
               headers=key(name))
    before, nowhere = ledger.settled(), str(uuid.uuid4())
    other = caller.id if "task_ids" not in place.how else caller.tasks[1]["id"]
    replies = [told(place.send(caller.one, ref, other, 404,
                               headers=key(name)), ref)
               for ref in (task, nowhere)]
    assert replies[0] == replies[1]
    assert ledger.changed(before) == []
    own = caller.one.task()["id"]
    place.ready(caller.one, own)
    reply = place.send(caller.one, own, caller.id, place.row.status,
                       headers=key(name))
    assert reply.header("Idempotency-Replayed") is None
    for one, ref, anchor in ((caller.one, own, caller.id),
                             (victim.one, task, victim.id)):
        reply = place.send(one, ref, anchor, place.row.status,
                           headers=key(name))
        assert reply.header("Idempotency-Replayed") == "true"
        assert (b"secret" in reply.body) <= (one is victim.one)


@pytest.mark.parametrize("row", [
    r for r in ROUTES if r.handler == "api_task_create"
    and "ROUTE_IDEMPOTENT" in r.flags], ids=str)
def test_two_people_with_one_key_at_once(dev, victim, caller, row):
    """Neither waits for the other, neither gets the other's reply."""
    for _ in range(5):
        name = key(docket.new_name("key-"))
        clients = [Client(dev), Client(dev)]
        for client in clients:
            client.get("/healthz")
        replies = parallel([
            lambda c=c, one=e.one: c.post(row.path, 201, token=one.access,
                                          json={"title": one.username},
                                          headers=name)
            for c, e in zip(clients, (victim, caller))])
        for reply, estate in zip(replies, (victim, caller)):
            assert reply.header("Idempotency-Replayed") is None
            assert estate.one.username.encode() in reply.body
        for client in clients:
            client.close()


# --- cursors --------------------------------------------------------------

QUERIES = ["", "&sort=-number", "&sort=title", "&sort=-due_date",
           "&status=pending", "&status=pending,in_progress", "&priority=0",
           "&tag=secret", "&q=secret", "&created_after=2000-01-01",
           "&updated_before=2100-01-01", "&sort=status&status=pending"]


def cursor_of(person, row, query):
    reply = person.request(row.method, f"{row.path}?limit=1{query}", 200)
    return reply.json["next_cursor"]


@pytest.fixture(scope="module")
def pair(dev):
    """Two people with the same tasks."""
    people = [docket.person(dev) for _ in range(2)]
    for one in people:
        for i in range(3):
            one.task(f"secret {i}", tags=["secret"], due_date="2031-01-31")
    return people


@pytest.mark.parametrize("row", LISTS, ids=str)
def test_a_foreign_cursor(pair, ledger, row):
    """As refused as rubbish is, in the same words."""
    one, two = pair
    rubbish = told(two.request(row.method, row.path + "?limit=1&cursor=x",
                               400), "x")
    assert json.loads(rubbish[2])["code"] == "cursor_invalid"
    before = ledger.settled()
    for query in QUERIES:
        cursor = cursor_of(one, row, query)
        assert cursor, query
        path = f"{row.path}?limit=1&cursor={cursor}{query}"
        one.request(row.method, path, 200)
        reply = two.request(row.method, path, 400)
        assert told(reply, cursor) == rubbish, query
        # A cursor of one's own for the same list is another one.
        assert cursor_of(two, row, query) != cursor
    assert ledger.changed(before) == []


@pytest.mark.parametrize("row", LISTS, ids=str)
def test_a_cursor_of_another_list(pair, row):
    """Issued to the same person, for other filters or another sort."""
    one = pair[0]
    cursors = {query: cursor_of(one, row, query) for query in QUERIES}
    for mine in QUERIES:
        for other in QUERIES:
            path = f"{row.path}?limit=1&cursor={cursors[mine]}{other}"
            reply = one.request(row.method, path,
                                200 if mine == other else 400)
            assert mine == other or reply.code == "cursor_invalid"


@pytest.mark.parametrize("row", LISTS, ids=str)
def test_filters_that_read_alike_are_two_lists(fresh, row):
    """However their values are put side by side."""
    one = fresh()
    for i in range(2):
        one.task("b c", tags=["a|b", "pending|a", "a", "pending"])
    for mine, other in (("&tag=a%7Cb&q=c", "&tag=a&q=b%7Cc"),
                        ("&status=pending&tag=a", "&tag=pending%7Ca"),
                        ("&status=pending", "&tag=pending")):
        cursor = cursor_of(one, row, mine)
        assert cursor, mine
        reply = one.request(row.method, f"{row.path}?limit=1&cursor={cursor}"
                            + other, 400)
        assert reply.code == "cursor_invalid"


def test_a_cursor_of_another_admins_list_of_users(dev, admin, fresh):
    other = fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=other.id)
    rows = [r for r in ROUTES if r.query == "users_query"]
    for query in ("", "&role=user", "&status=Y", "&role=user&status=Y"):
        cursor = admin.get("/auth/users?limit=1" + query).json["next_cursor"]
        for row in rows:
            path = f"{row.path}?limit=1&cursor={cursor}{query}"
            admin.get(path)
            assert other.get(path, 400).code == "cursor_invalid"
            reply = admin.get(path + "&role=admin" if "role" not in query
                              else path.replace("role=user", "role=admin"),
                              400)
            assert reply.code == "cursor_invalid"
    reply = admin.get(f"/tasks?limit=1&cursor={cursor}", 400)
    assert reply.code == "cursor_invalid"
    admin.task(), admin.task()
    cursor = cursor_of(admin, LISTS[0], "")
    assert admin.get("/auth/users?cursor=" + cursor, 400).code == \
        "cursor_invalid"
