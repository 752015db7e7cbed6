# SPDX-License-Identifier: AGPL-3.0-or-later
"""POST /tasks/batch: together or each for itself, dry, conditional, once; and
against a model."""

import os
import random
import signal
import threading
import time
import uuid

import pytest

import docket
import instance
from docket import SLOW, Client, parallel

MOVING = ("id", "uuid", "created_at", "updated_at", "completed_at")


def create(title="made", **more):
    return {"op": "create", "title": title, **more}


def update(ref, **more):
    return {"op": "update", "id": ref, **more}


def delete(ref, **more):
    return {"op": "delete", "id": ref, **more}


def send(person, operations, expect=200, query="", headers=(), **more):
    return person.post("/tasks/batch" + query, expect, headers=headers,
                       json={"operations": operations, **more})


def each(person, operations, expect=200, **more):
    return send(person, operations, expect, atomic=False, **more)


def statuses(reply):
    return [r["status"] for r in reply.json["results"]]


def all_of(person):
    """Everything of theirs, the trash too."""
    return (person.get("/tasks?limit=200&sort=number").json["tasks"],
            person.get("/tasks/trash?limit=200").json["tasks"])


# --- what it says -----------------------------------------------------------

def test_three_kinds_in_one_request(fresh):
    one = fresh()
    old, gone, purged = (one.task(f"task {i}") for i in range(3))
    reply = send(one, [
        create("new", priority=3, tags=["a"], due_date="2031-01-31"),
        update(old["id"], title="changed", if_match=1),
        delete(gone["number"]),
        delete(purged["id"], purge=True, if_match='"1"')])
    document = reply.json
    assert set(document) == {"message", "atomic", "dry_run", "failed",
                             "results"}
    assert (document["atomic"], document["dry_run"], document["failed"]) == \
        (True, False, 0)
    assert statuses(reply) == [201, 200, 200, 200]
    for result, op in zip(document["results"],
                          ("create", "update", "delete", "delete")):
        assert set(result) == {"op", "status", "task", "error"}
        assert result["op"] == op and result["error"] is None
    made, changed, *deleted = (r["task"] for r in document["results"])
    assert deleted == [None, None]
    assert made["priority"] == 3 and made["tags"] == ["a"]
    assert one.get("/tasks/" + made["id"]).json["task"] == made
    assert one.get("/tasks/" + old["id"]).json["task"] == changed
    assert changed["title"] == "changed" and changed["version"] == 2
    live, trash = all_of(one)
    assert [t["title"] for t in live] == ["changed", "new"]
    assert [t["id"] for t in trash] == [gone["id"]]
    assert reply.header("Cache-Control") == "private, no-cache"


def test_operations_see_what_came_before_them(fresh):
    one = fresh()
    ref = one.task()["id"]
    reply = send(one, [
        update(ref, title="second", if_match=1),
        update(ref, status="done", if_match=2),
        update(ref, description="words", if_match=3)])
    assert [r["task"]["version"] for r in reply.json["results"]] == [2, 3, 4]
    last = reply.json["results"][-1]["task"]
    assert one.get("/tasks/" + ref).json["task"] == last
    assert (last["title"], last["status"]) == ("second", "completed")
    reply = each(one, [delete(ref), update(ref, title="x"),
                       delete(ref, purge=True), delete(ref, purge=True)])
    assert statuses(reply) == [200, 404, 200, 404]


def test_null_clears_and_the_absent_stays(fresh):
    one = fresh()
    ref = one.task("t", description="words", due_date="2031-01-31",
                   priority=4, tags=["a"])["id"]
    task = send(one, [update(ref, description=None, deadline="2032-01-31"),
                      update(ref, priority=None)]).json["results"][1]["task"]
    assert (task["description"], task["due_date"], task["priority"],
            task["tags"]) == ("", "2032-01-31", 0, ["a"])


def test_a_hundred_and_no_more(fresh):
    one = fresh()
    reply = send(one, [create(f"t{i}") for i in range(100)])
    assert statuses(reply) == [201] * 100
    tasks = one.tasks("?limit=200")
    assert [t["title"] for t in tasks] == [f"t{i}" for i in range(100)]
    assert [t["number"] for t in tasks] == list(range(1, 101))
    reply = send(one, [create()] * 101, 400)
    assert reply.pointers() == {"/operations": "length"}
    assert send(one, [], 400).pointers() == {"/operations": "length"}
    assert one.post("/tasks/batch", 400, json={}).pointers() == {
        "/operations": "required"}


# --- what is wrong beforehand -----------------------------------------------

def test_all_faults_of_all_operations_at_once(fresh):
    one = fresh()
    ref = one.task()["id"]
    before = all_of(one)
    faulty = [
        create(""), {"op": "create"}, create(id=ref, purge=True),
        update("x", title="t"), {"op": "update", "title": "t"}, update(ref),
        update(ref, priority=10, surprise=1),
        delete(ref, title="t", if_match="x"),
        {"op": "merge", "id": ref}, {"id": ref}, 7,
        create(due_date="nonsense", tags=["a"] * 21),
        update(ref, due_timezone="Europe/Berlin", due_date="2031-01-31")]
    wanted = {
        "/operations/0/title": "length", "/operations/6/surprise": "unknown",
        "/operations/6/priority": "range", "/operations/8/op": "choice",
        "/operations/9/op": "required", "/operations/10": "type",
        "/operations/11/tags": "length"}
    for mode in (send, each):
        told = mode(one, faulty, 400).pointers()
        assert {k: told.get(k) for k in wanted} == wanted
    # Those that only the operation as a whole shows.
    for mode in (send, each):
        told = mode(one, [o for o in faulty if o in faulty[1:6]
                          or o is faulty[7] or o is faulty[12]], 400)
        assert told.pointers() == {
            "/operations/0/title": "required",
            "/operations/1/id": "unknown", "/operations/1/purge": "unknown",
            "/operations/2/id": "format", "/operations/3/id": "required",
            "/operations/4": "required", "/operations/5/title": "unknown",
            "/operations/5/if_match": "format",
            "/operations/6/due_date": "format"}
    assert all_of(one) == before


# --- together ---------------------------------------------------------------

def test_one_that_fails_takes_all_back(fresh):
    one, two = fresh(), fresh()
    ref, other = one.task()["id"], one.task()["id"]
    theirs, trashed = two.task()["id"], one.task()["id"]
    one.delete("/tasks/" + trashed)
    before = all_of(one)
    bad = {
        "foreign": update(theirs, title="x"), "gone": delete(str(uuid.uuid4())),
        "trash": update(trashed, title="x"),
        "number": delete(999)}
    for name, operation in bad.items():
        for at in range(3):
            operations = [create(), update(ref, title="x"), delete(other)]
            operations.insert(at, operation)
            reply = send(one, operations, 404)
            assert reply.code == "task_not_found", name
            assert reply.pointers() == {f"/operations/{at}":
                                        "task_not_found"}
    assert all_of(one) == before
    assert two.get("/tasks/" + theirs).json["task"]["title"] == "A task"


def test_all_that_failed_are_pointed_to(fresh):
    one = fresh()
    ref = one.task()["id"]
    reply = send(one, [delete(999), update(ref, title="x", if_match=9),
                       create(), delete(998)], 404)
    assert reply.pointers() == {
        "/operations/0": "task_not_found",
        "/operations/1": "version_mismatch",
        "/operations/3": "task_not_found"}


def test_a_stale_one_is_412_with_the_task(fresh):
    one = fresh()
    task = one.task()
    reply = send(one, [create(), update(task["id"], title="x", if_match=2)],
                 412)
    assert reply.json["task"] == task
    assert reply.pointers() == {"/operations/1": "version_mismatch"}
    assert one.tasks() == [task]


def test_what_only_the_database_knows(fresh):
    one = fresh()
    ref = one.task()["id"]
    before = all_of(one)
    zone = create(due_date="2031-01-31T09:30", due_timezone="Mars/Base")
    reply = send(one, [create(), zone, delete(ref)], 400)
    assert reply.pointers() == {"/operations/1/due_timezone": "choice"}
    reply = send(one, [update(ref, due_timezone="Europe/Berlin")], 400)
    assert reply.pointers() == {"/operations/0/due_timezone": "format"}
    assert all_of(one) == before


# --- each for itself --------------------------------------------------------

def test_each_has_its_own_answer(fresh):
    one, two = fresh(), fresh()
    task, gone = one.task("old"), one.task()["id"]
    theirs = two.task()["id"]
    reply = each(one, [
        create("first"), update(theirs, title="x"),
        update(task["id"], title="x", if_match=7),
        create("bad", due_date="2031-01-31T09:30", due_timezone="No/Where"),
        update(task["id"], due_timezone="Europe/Berlin"),
        update(task["id"], title="new", if_match=1), delete(gone),
        delete(999), create("last", due_date="2031-01-31T09:30",
                            due_timezone="No/Zone")])
    assert reply.json["atomic"] is False and reply.json["failed"] == 6
    assert statuses(reply) == [201, 404, 412, 400, 400, 200, 200, 404, 400]
    results = reply.json["results"]
    for i, result in enumerate(results):
        if result["status"] < 300:
            assert result["error"] is None
            continue
        error = result["error"]
        assert set(error) == {"type", "title", "status", "detail", "code",
                              "errors"}
        status, title, detail = docket.ERRORS[error["code"]]
        assert (status, title, detail) == (
            error["status"], error["title"], error["detail"])
        assert error["type"] == "/problems/" + error["code"]
        assert [e["pointer"] for e in error["errors"]][0].startswith(
            f"/operations/{i}")
    assert results[2]["task"] == task
    assert results[1]["task"] is None and results[3]["task"] is None
    assert [r["error"]["errors"][0]["pointer"] for r in results
            if r["status"] == 400] == [
        f"/operations/{i}/due_timezone" for i in (3, 4, 8)]
    assert [t["title"] for t in one.tasks()] == ["new", "first"]


def test_foreign_and_absent_look_the_same_in_a_result(fresh):
    one, two = fresh(), fresh()
    told = []
    for ref in (two.task()["id"], str(uuid.uuid4())):
        for more in ({}, {"if_match": 1}):
            reply = each(one, [update(ref, title="x", **more),
                               delete(ref, purge=True, **more)])
            told.append(reply.json)
    assert told[0] == told[1] == told[2] == told[3]
    assert told[0]["failed"] == 2


def test_many_refused_ones_leave_the_others(fresh):
    """Each costs a round trip; none costs its neighbours anything."""
    one = fresh()
    operations = [create(f"t{i}", due_date="2031-01-31T09:30",
                         due_timezone="No/Where" if i % 2 else
                         "Europe/Berlin") for i in range(100)]
    reply = each(one, operations)
    assert statuses(reply) == [201, 400] * 50
    assert [t["title"] for t in one.tasks("?limit=200")] == [
        f"t{i}" for i in range(0, 100, 2)]


# --- dry --------------------------------------------------------------------

def bare(reply):
    """Without what no two runs have alike."""
    document = dict(reply.json)
    for name in ("dry_run", "message", "request_id"):
        document.pop(name, None)
    for task in [document.get("task")] + [
            r["task"] for r in document.get("results", [])]:
        for name in MOVING if task else ():
            task.pop(name)
    return reply.status, document


def test_a_dry_run_says_it_and_does_nothing(fresh):
    one = fresh()
    ref = one.task()["id"]
    before = all_of(one)
    operations = [create(), update(ref, title="x"), delete(999)]
    dry = each(one, operations, query="?dry_run=true")
    assert dry.json["dry_run"] is True
    assert all_of(one) == before
    assert bare(dry) == bare(each(one, operations))
    dry = send(one, operations, 404, query="?dry_run=true")
    assert dry.pointers() == {"/operations/2": "task_not_found"}


def test_a_dry_run_once(fresh):
    """Its reply is kept, its work is not; the real run is another request."""
    one = fresh()
    key = [("Idempotency-Key", docket.new_name())]
    first = send(one, [create()], query="?dry_run=true", headers=key)
    again = send(one, [create()], query="?dry_run=true", headers=key)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    send(one, [create()], 422, headers=key)
    assert one.tasks() == []


# --- once -------------------------------------------------------------------

@pytest.mark.parametrize("mode", [send, each])
def test_a_replay_is_the_whole_stored_reply(fresh, mode):
    one = fresh()
    ref = one.task()["id"]
    key = [("Idempotency-Key", docket.new_name())]
    operations = [create(), update(ref, title="x")] + [
        delete(999)] * (mode is each)
    first = mode(one, operations, headers=key)
    one.put("/tasks/" + ref, json={"title": "since"})
    again = mode(one, operations, headers=key)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    assert len(one.tasks()) == 2


def test_a_refused_batch_does_not_use_the_key_up(fresh):
    one = fresh()
    key = [("Idempotency-Key", docket.new_name())]
    send(one, [create(), delete(999)], 404, headers=key)
    assert one.tasks() == []
    send(one, [create()], headers=key)
    assert len(one.tasks()) == 1


def test_64_parallel_batches_with_one_key_are_one(dev, fresh):
    one = fresh()
    key = [("Idempotency-Key", docket.new_name())]
    clients = [Client(dev) for _ in range(64)]
    replies = parallel([lambda c=c: c.post(
        "/tasks/batch", None, token=one.access, headers=key,
        json={"operations": [create("a"), create("b")]}) for c in clients])
    assert {r.status for r in replies} <= {200, 409}
    assert len({r.body for r in replies if r.status == 200}) == 1
    assert [t["title"] for t in one.tasks()] == ["a", "b"]
    for client in clients:
        client.close()


# --- at once ----------------------------------------------------------------

def test_batches_in_opposite_orders_never_deadlock(dev, fresh):
    """Beside single writes and moves of the same tasks."""
    one = fresh()
    ids = [one.task()["id"] for _ in range(12)]

    def batch(client, order):
        for _ in range(6):
            client.post("/tasks/batch", 200, token=one.access, json={
                "operations": [update(i, priority=3) for i in order]})

    def others(client):
        for i in range(12):
            client.put("/tasks/" + ids[i], token=one.access,
                       json={"title": "x"})
            client.post("/tasks/order", token=one.access, json={
                "task_ids": random.sample(ids, len(ids))})

    jobs = [lambda o=order: batch(Client(dev), o) for order in (
        ids, ids[::-1], random.sample(ids, 12), random.sample(ids, 12))]
    parallel(jobs + [lambda: others(Client(dev))] * 2)
    versions = [t["version"] for t in one.tasks()]
    # 4 batches of 6, and 2 x 1 title at least.
    assert min(versions) >= 1 + 4 * 6 + 2


def test_of_parallel_batches_with_one_version_one_wins(dev, fresh):
    one = fresh()
    ref = one.task()["id"]
    replies = parallel([lambda i=i: Client(dev).post(
        "/tasks/batch", None, token=one.access, json={"operations": [
            create(f"by {i}"), update(ref, title=f"{i}", if_match=1)]})
        for i in range(12)])
    assert sorted(r.status for r in replies) == [200] + [412] * 11
    assert len(one.tasks()) == 2


# --- tasks.require_if_match -------------------------------------------------

def test_where_if_match_is_needed_each_needs_one(strict):
    one = docket.person(strict)
    ref = one.task()["id"]
    for mode in (send, each):
        reply = mode(one, [create(), update(ref, title="x"),
                           delete(ref)], 428)
        assert reply.code == "if_match_required"
        assert reply.pointers() == {"/operations/1/if_match": "required",
                                    "/operations/2/if_match": "required"}
        assert mode(one, [update("x", title="t")], 400).pointers() == {
            "/operations/0/if_match": "required",
            "/operations/0/id": "format"}
    send(one, [create(), update(ref, title="x", if_match=1),
               delete(ref, if_match="*")])
    one.close()


# --- against a model --------------------------------------------------------

class Model:
    """What one person has, by number: what the service must come to."""

    def __init__(self):
        self.tasks, self.last = {}, 0

    def copy(self):
        other = Model()
        other.tasks = {k: dict(v) for k, v in self.tasks.items()}
        other.last = self.last
        return other

    def run(self, operation):
        """The status that the operation alone would have."""
        if operation["op"] == "create":
            if operation.get("due_timezone") == "No/Where":
                return 400
            self.last += 1
            self.tasks[self.last] = {
                "title": operation["title"], "version": 1, "trash": False,
                "priority": operation.get("priority", 0)}
            return 201
        purge = operation.get("purge", False)
        task = self.tasks.get(operation["id"])
        if not task or (task["trash"] and not purge):
            return 404
        if operation.get("if_match", task["version"]) != task["version"]:
            return 412
        if operation["op"] == "update":
            if "due_timezone" in operation:
                return 400  # no local time to go with
            task.update({k: operation[k] for k in ("title", "priority")
                         if k in operation})
        elif purge:
            del self.tasks[operation["id"]]
            return 200
        else:
            task["trash"] = True
        task["version"] += 1
        return 200

    def batch(self, operations, atomic):
        """The statuses; what an atomic one did is taken back."""
        before = self.copy()
        told = [self.run(o) for o in operations]
        if atomic and max(told) >= 400:
            self.tasks, self.last = before.tasks, before.last
        return told

    def holds(self, person):
        live, trash = all_of(person)
        found = {t["number"]: {
            "title": t["title"], "version": t["version"],
            "priority": t["priority"], "trash": "deleted_at" in t}
            for t in live + trash}
        assert found == self.tasks


def some_operation(rng, model):
    kind = rng.choice(("create", "update", "update", "delete"))
    if kind == "create" or not model.last:
        operation = create(f"t{rng.randrange(1000)}",
                           priority=rng.randrange(10))
        if rng.random() < 0.1:
            operation.update(due_date="2031-01-31T09:30",
                             due_timezone="No/Where")
        return operation
    # Some that is, was, or never will be.
    ref = rng.randrange(1, model.last + 3)
    operation = {"op": kind, "id": ref}
    if kind == "update":
        operation[rng.choice(("title", "priority"))] = None
        for name in ("title", "priority"):
            if name in operation:
                operation[name] = f"u{rng.randrange(1000)}" \
                    if name == "title" else rng.randrange(10)
        if rng.random() < 0.05:
            operation["due_timezone"] = "Europe/Berlin"
    elif rng.random() < 0.3:
        operation["purge"] = True
    if rng.random() < 0.4:
        operation["if_match"] = rng.randrange(1, 5)
    return operation


def first_fault(told):
    return next(s for s in told if s >= 400)


def one_round(rng, person, model, index):
    operations = [some_operation(rng, model)
                  for _ in range(rng.choice((1, 2, 3, 8, 30)))]
    atomic = rng.random() < 0.4
    wanted = model.copy().batch(operations, False)
    status = first_fault(wanted) if atomic and max(wanted) >= 400 else 200
    what = f"round {index}: atomic={atomic} {operations}"
    dry = person.post("/tasks/batch?dry_run=true", None, json={
        "operations": operations, "atomic": atomic})
    model.holds(person)
    reply = person.post("/tasks/batch", None, json={
        "operations": operations, "atomic": atomic})
    assert reply.status == status, f"{what}: {reply}"
    assert bare(dry) == bare(reply), what
    if status == 200:
        assert statuses(reply) == wanted, what
    model.batch(operations, atomic)
    model.holds(person)


@pytest.mark.parametrize("seed", range(4))
def test_random_batches_against_a_model(fresh, seed):
    rng, person, model = random.Random(seed), fresh(), Model()
    for index in range(25):
        one_round(rng, person, model, index)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_random_batches_against_a_model_for_long(fresh, seed):
    rng, person, model = random.Random(seed), fresh(), Model()
    for index in range(100):
        one_round(rng, person, model, index)


# --- a worker is killed -----------------------------------------------------

def settled(dev, crew):
    """Every worker is there, and ready: to be killed then is no crash at the
    start."""
    ready = dev.sql("SELECT count(*) FROM pg_stat_activity WHERE"
                    " application_name = 'docketd' AND state = 'idle'"
                    " AND state_change < now() - interval '50 ms'")
    return len(dev.workers()) == crew and ready == [[str(crew)]]


def kill_all(dev, seconds):
    """Whichever serves us is among them."""
    time.sleep(seconds)  # the random moment is what is tested
    for pid in dev.workers():
        os.kill(pid, signal.SIGKILL)


def request_of(i, ref):
    """(method, path, body), how many tasks it makes, whether it touches
    `ref`."""
    title = f"t{i:04}"
    return ((("POST", "/tasks", {"title": title}), 1, 0),
            (("PATCH", "/tasks/" + ref, {"priority": i % 10}), 0, 1),
            (("POST", "/tasks/batch", {"operations": [
                create(title), update(ref, priority=i % 10)] +
                [create(title)] * 18}), 19, 1),
            (("POST", "/tasks/batch", {"atomic": False, "operations": [
                create(title), delete(10 ** 9), update(ref, title="t")] +
                [create(title)] * 8}), 9, 1))[i % 4]


def attempt(client, request, token, key):
    """The reply, or None when there was none that says what became of it."""
    method, path, body = request
    try:
        reply = client.request(method, path, None, json=body, token=token,
                               check=False,
                               headers=[("Idempotency-Key", key)])
    except OSError:
        client.close()
        return None
    assert reply.status in (200, 201, 409, 502, 503), str(reply)
    return reply if reply.status in (200, 201) else None


def kill_rounds(rounds):
    """A client that lost its reply asks again: one effect, the same reply."""
    with instance.running("server.workers=1") as dev:
        one, client = docket.person(dev), Client(dev)
        ref = one.task("standing")["id"]
        crew, rng, lost = len(dev.workers()), random.Random(rounds), 0
        wanted, version = {}, 1
        for i in range(10 * rounds):
            if i >= rounds and lost:
                break
            request, made, touched = request_of(i, ref)
            docket.wait_until(lambda: settled(dev, crew), "a whole crew",
                              20 * SLOW)
            thread = threading.Thread(target=kill_all, args=(
                dev, rng.uniform(0, 0.02)))
            key = docket.new_name()
            thread.start()
            first = attempt(client, request, one.access, key)
            thread.join()
            lost += first is None
            again = docket.wait_until(
                lambda: attempt(client, request, one.access, key),
                f"a reply to {request}", 20 * SLOW)
            if first:
                assert again.header("Idempotency-Replayed") == "true"
                assert again.body == first.body
            last = docket.wait_until(
                lambda: attempt(client, request, one.access, key),
                f"the same reply to {request}", 20 * SLOW)
            assert last.body == again.body
            assert last.header("Idempotency-Replayed") == "true"
            version += touched
            if made:
                wanted[f"t{i:04}"] = made
        found = dev.sql("SELECT title, count(*) FROM docket.tasks WHERE"
                        " user_id = :'id' AND number > 1 GROUP BY 1",
                        id=one.id)
        assert {title: int(n) for title, n in found} == wanted
        assert one.get("/tasks/" + ref).json["task"]["version"] == version
        print(f"{i} rounds, {lost} replies lost")
        assert lost
        client.close()
        one.close()


COUNTED = pytest.mark.skipif(
    os.environ.get("DEV_POOLER") == "transaction",
    reason="it counts the workers' own backends")


@COUNTED
@pytest.mark.alone
def test_killed_workers_leave_one_effect():
    kill_rounds(20)


@COUNTED
@pytest.mark.alone
@pytest.mark.long
def test_killed_workers_leave_one_effect_for_long():
    kill_rounds(200)
