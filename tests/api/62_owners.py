# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every place in every row that names a task: whose task it is.

To anybody but its owner a task is not there: the reply to a foreign id is,
byte for byte but for the request id and the id itself, the reply to an id that
never was, and nothing in the database changes.
"""

import json
import statistics
import time
import uuid

import pytest

import docket
from docket import ROUTES
from places import BODY, PLACES, places
from victims import Estate, told

NAMED = [p for p in PLACES if p.named]
WRITES = [p for p in NAMED if p.method not in ("GET", "HEAD")]


def over(which):
    return pytest.mark.parametrize("place", which, ids=str)


@pytest.fixture(scope="module")
def victim(dev):
    """Whose tasks are asked for. The last has a number beyond the caller's:
    the ones before it are both people's."""
    found = Estate(dev, "secret")
    dev.sql("UPDATE docket.counters SET task_number = 7000"
            " WHERE user_id = :'id'", id=found.one.id)
    found.tasks.append(found.one.task("secret"))
    assert found.tasks[-1]["number"] == 7001
    return found


@pytest.fixture(scope="module")
def caller(dev):
    return Estate(dev, "mine")


def resolved(document, node):
    """The node itself, or the one that its $ref leads to."""
    if "$ref" not in node:
        return node
    for name in node["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


def test_every_row_that_names_a_task_is_here(api):
    """By the members and parameters that the service documents."""
    document = api.get("/openapi.json").json
    names = {"id", "task_id", "task_ids", "before", "after"}
    for row in ROUTES:
        if row.access == "PUBLIC" or row.path.startswith("/auth/"):
            continue
        said = document["paths"][row.path][row.method.lower()]
        members = {resolved(document, p)["name"]
                   for p in said.get("parameters", [])}
        for media in said.get("requestBody", {}).get("content", {}).values():
            schema = resolved(document, media["schema"])
            members |= set(schema.get("properties", {}))
            for inside in schema.get("properties", {}).values():
                members |= set(resolved(document, inside.get("items", {}))
                               .get("properties", {}))
        named = [p for p in places(row) if p.named]
        if {p.noun for p in places(row)} != {"task"}:
            continue
        assert bool(named) == bool(members & names), f"{row}: {members}"
        # And each name is used in some place.
        sent = json.dumps([[p.path("REF"), p.body and p.body("REF", "OWN")]
                           for p in named])
        for name in members & names - {"id"}:
            assert name in sent, f"{row} also takes {name}"


# --- own ------------------------------------------------------------------

@over(NAMED)
def test_an_own_task_by_id_and_number(caller, place):
    """The control: asked by its owner, each of these works."""
    for name in ("id", "number"):
        task = caller.one.task()
        place.ready(caller.one, task["id"])
        reply = place.send(caller.one, task[name], caller.id)
        assert reply.status == place.row.status, str(reply)


@over(NAMED)
def test_a_number_is_the_callers_own(victim, caller, ledger, place):
    """Both have a task of that number: each gets his own."""
    own, foreign = caller.tasks[1], victim.tasks[1]
    assert own["number"] == foreign["number"]
    before = victim.one.get("/tasks?limit=200").body
    me = docket.person(caller.one.dev)
    mine = [me.task("mine") for _ in range(2)]
    assert mine[1]["number"] == foreign["number"]
    place.ready(me, foreign["number"])
    reply = place.send(me, foreign["number"], mine[0]["id"],
                       place.row.status)
    assert b"secret" not in reply.body
    assert victim.one.get("/tasks?limit=200").body == before
    me.close()


# --- foreign, and absent ----------------------------------------------------

def absent_ids(victim, caller):
    """What is not there for the caller, by why. A number is beside one that
    nobody has."""
    return {
        "foreign": victim.id,
        "foreign in capitals": victim.id.upper(),
        "foreign, in the trash": victim.trash["id"],
        "foreign, purged": victim.purged["id"],
        "own, in the trash": caller.trash["id"],
        "own, purged": caller.purged["id"],
        "own, number in the trash": caller.trash["number"],
        "the victim's own id": victim.one.id,
        "another version 7": "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d",
        "a foreign number": victim.tasks[-1]["number"],
        "a number of nobody's": 99999999,
        "the greatest number": 10 ** 18 - 1,
    }


# The owner may purge what lies in the trash, and take it out again.
PURGEABLE = {"own, in the trash", "own, number in the trash"}


def reaches_trash(place):
    return "purge" in place.how or place.row.handler == "api_task_restore"

CONDITIONS = [
    [("If-Match", '"1"')], [("If-Match", "*")], [("If-Match", '"1", "2"')],
    [("If-None-Match", '"1"')], [("If-None-Match", "*")],
    [("X-HTTP-Method-Override", "GET")],
    [("X-Forwarded-User", "{}"), ("X-User-Id", "{}")],
]


@over(NAMED)
def test_a_foreign_task_is_as_absent_as_none(victim, caller, ledger, place):
    nowhere, faults = str(uuid.uuid4()), []
    before = ledger.settled()
    wanted = told(place.send(caller.one, nowhere, caller.id, 404), nowhere)
    if place.method != "HEAD":
        assert json.loads(wanted[2])["code"] == "task_not_found"
    for name, ref in absent_ids(victim, caller).items():
        if name in PURGEABLE and reaches_trash(place):
            continue
        reply = place.send(caller.one, ref, caller.id)
        size = {"content-length"} if len(str(ref)) != 36 else set()
        if different(told(reply, ref), wanted, size):
            faults.append(f"{name}: {reply}")
    assert not faults, "\n".join(faults[:10])
    assert ledger.changed(before) == []


def different(a, b, ignored):
    def known(reply):
        return (reply[0], [(k, v if k not in ignored else "")
                           for k, v in reply[1]], reply[2])
    return known(a) != known(b)


@over(NAMED)
def test_no_condition_opens_it(victim, caller, ledger, place):
    """Nor does one tell that it is there: same reply as for none."""
    nowhere = str(uuid.uuid4())
    before = ledger.settled()
    for headers in CONDITIONS:
        headers = [(k, v.replace("{}", victim.one.id)) for k, v in headers]
        replies = [told(place.send(caller.one, ref, caller.id, 404,
                                   headers=headers), ref)
                   for ref in (victim.id, nowhere)]
        assert replies[0] == replies[1], headers
    assert ledger.changed(before) == []


@over(WRITES)
def test_an_admin_owns_no_more(admin, victim, ledger, place):
    """The role opens accounts, not tasks."""
    own, nowhere = admin.task()["id"], str(uuid.uuid4())
    before = ledger.settled()
    replies = [told(place.send(admin, ref, own, 404), ref)
               for ref in (victim.id, nowhere)]
    assert replies[0] == replies[1]
    assert ledger.changed(before) == []


MALFORMED = ["x", "0", "-1", "1.5", "01", "+1", "1e3", "null", "{}", "0x1",
             "1" * 19, "0" * 36, "1" * 40, "%27", "%00", "%EF%BC%91",
             "{id}x", "x{id}", "{{id}}", "{bare}", "urn:uuid:{id}",
             "00000000-0000-0000-0000-000000000000"]


@over(NAMED)
def test_a_malformed_id(victim, caller, ledger, place):
    """400 in every place, and the database is not asked for it."""
    before = ledger.settled()
    for shape in MALFORMED:
        ref = shape.replace("{id}", victim.id).replace(
            "{bare}", victim.id.replace("-", ""))
        reply = place.send(caller.one, ref, caller.id)
        assert reply.status == 400, str(reply)
        if place.method == "HEAD" or "%" in ref:
            continue
        assert reply.code in ("task_id_invalid", "invalid_request"), \
            str(reply)
    assert ledger.changed(before) == []


# --- one own, one foreign -------------------------------------------------

@over([p for p in NAMED if p.row.takes_body
       and p.row.handler not in ("api_task_order", "api_task_batch")])
def test_the_body_cannot_name_another(victim, caller, ledger, place):
    """Path or query own, body foreign, and the other way round: refused, and
    in the same words whether the foreign one is there or not."""
    before = ledger.settled()
    for member in ("task_id", "id", "uuid", "user_id", "number"):
        replies = []
        for ref in (victim.id, str(uuid.uuid4())):
            body = {**BODY[place.row.handler], member: ref}
            replies.append(told(place.send(caller.one, caller.id, caller.id,
                                           json=body), ref))
        assert replies[0] == replies[1], member
        if "task_id=" in place.path("") or member != "task_id":
            assert replies[0][0] == 400, replies[0]
        else:
            assert replies[0][0] in (400, 404), replies[0]
    assert ledger.changed(before) == []


@over([p for p in NAMED if "task_id=" in p.path("")])
def test_the_query_cannot_name_another(victim, caller, ledger, place):
    before, replies = ledger.settled(), []
    for ref in (victim.id, str(uuid.uuid4())):
        body = {**BODY[place.row.handler], "task_id": caller.id}
        reply = place.send(caller.one, ref, caller.id, 400, json=body)
        assert reply.pointers() == {"/task_id": "duplicate"}
        replies.append(told(reply, ref))
        path = place.path(caller.id) + f"&task_id={ref}"
        reply = caller.one.request(place.method, path, 400,
                                   json=BODY[place.row.handler])
        replies.append(told(reply, ref))
    assert replies[:2] == replies[2:]
    assert ledger.changed(before) == []


@over([p for p in PLACES if p.row.body == "order_body"
       and p.how == "task_ids, behind"])
def test_one_foreign_id_among_many_own(victim, caller, ledger, place):
    """Wherever it stands: nothing is ordered, and nobody learns which."""
    own, nowhere = [t["id"] for t in caller.tasks], str(uuid.uuid4())
    before = ledger.settled()
    for at in range(len(own) + 1):
        for shape in (own[:at] + ["?"] + own[at:],
                      own[:at][::-1] + ["?", *own[at:][::-1]],
                      ["?"] + own + ["?"]):
            replies = []
            for ref in (victim.id, victim.trash["id"], caller.trash["id"],
                        nowhere):
                refs = [ref if r == "?" else r for r in shape]
                reply = caller.one.request(place.method, place.row.path,
                                           json={"task_ids": refs})
                assert reply.status == (400 if refs.count(ref) > 1 else 404)
                replies.append(told(reply, ref))
            assert replies[1:] == replies[:-1]
    for name in ("before", "after"):
        for pair in ({"task_id": victim.id, name: victim.tasks[1]["id"]},
                     {"task_id": victim.id, name: nowhere},
                     {"task_id": nowhere, name: victim.id}):
            reply = caller.one.request(place.method, place.row.path, 404,
                                       json=pair)
            assert reply.code == "task_not_found"
    assert ledger.changed(before) == []


# --- at large -------------------------------------------------------------

def test_nobody_ever_sees_anothers_task(dev, fresh, admin):
    """A task with a marker; another user and even an admin call every row of
    the table with whatever ids there are: the marker is in no reply."""
    one, two = fresh(), fresh()
    marker = docket.new_name("marker")
    task = one.task(marker, description=marker, tags=[marker[:40]])
    for person in (two, admin):
        mine = person.task("mine")
        for place in PLACES:
            if place.noun != "task" or place.row.handler in (
                    "api_logout", "api_me_delete"):
                continue
            for ref in (task["id"], mine["id"], task["number"]):
                reply = place.send(person, ref, mine["id"])
                assert marker not in reply.body.decode(), str(reply)
                assert marker not in str(reply.headers), str(reply)
    for query in ("q=" + marker, "tag=" + marker[:40], "count=exact",
                  "sort=title", "limit=200", "created_after=2000-01-01"):
        reply = two.get("/tasks?" + query)
        assert marker not in reply.body.decode(), str(reply)
        assert reply.json.get("total") in (
            None, len(reply.json["tasks"])), str(reply)
    assert one.get("/tasks/" + task["id"]).json["task"] == task
    assert json.dumps(one.tasks()).count(marker) == 3


def test_how_long_foreign_and_absent_take(victim, caller, capsys):
    """Not a verdict, the machine may be busy: a figure to look at."""
    nowhere, took = str(uuid.uuid4()), {}
    for _ in range(100):
        for name, ref in (("foreign", victim.id), ("absent", nowhere)):
            start = time.perf_counter()
            caller.one.get("/tasks/" + ref, 404)
            took.setdefault(name, []).append(time.perf_counter() - start)
    said = ", ".join(f"{name} {statistics.median(t) * 1e6:.0f} us"
                     f" +- {statistics.stdev(t) * 1e6:.0f}"
                     for name, t in took.items())
    with capsys.disabled():
        print(f"\nGET /tasks/{{id}}, median of 100: {said}")
