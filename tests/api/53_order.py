# SPDX-License-Identifier: AGPL-3.0-or-later
"""Manual order: sequences of any subset, single moves, many in one gap."""

import random
import uuid

import pytest

from docket import Client, parallel


@pytest.fixture
def six(fresh):
    """A user with six tasks, and their ids in order."""
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(6)]
    return one, ids


def order(one):
    return [t["id"] for t in one.tasks("?fields=id&limit=200")]


def sequence(one, ids, expect=200):
    return one.post("/tasks/order", expect, json={"task_ids": ids})


def move(one, task, expect=200, **where):
    return one.post("/tasks/order", expect, json={"task_id": task, **where})


def test_a_whole_sequence(six):
    one, ids = six
    turned = ids[::-1]
    reply = sequence(one, turned)
    assert reply.json["message"] == "Tasks ordered"
    assert order(one) == turned
    assert [t["id"] for t in one.tasks("?sort=-position")] == ids


def test_a_subset_takes_the_places_it_holds(six):
    one, (a, b, c, d, e, f) = six
    sequence(one, [e, b])
    assert order(one) == [a, e, c, d, b, f]
    sequence(one, [f, a, c])
    assert order(one) == [f, e, a, d, b, c]


def test_the_same_sequence_again_changes_nothing(six):
    one, ids = six
    sequence(one, ids[::-1])
    sequence(one, ids[::-1])
    assert order(one) == ids[::-1]


def test_one_alone_stays(six):
    one, ids = six
    sequence(one, [ids[3]])
    assert order(one) == ids


def test_a_new_task_goes_to_the_end(six):
    one, ids = six
    sequence(one, ids[::-1])
    new = one.task()["id"]
    assert order(one) == ids[::-1] + [new]
    move(one, new, before=ids[5])
    newer = one.task()["id"]
    assert order(one) == [new] + ids[::-1] + [newer]


def test_moves(six):
    one, (a, b, c, d, e, f) = six
    assert move(one, e, before=b).json["message"]
    assert order(one) == [a, e, b, c, d, f]
    move(one, a, after=f)
    assert order(one) == [e, b, c, d, f, a]
    move(one, f, before=e)
    assert order(one) == [f, e, b, c, d, a]
    move(one, b, after=b, expect=None)
    move(one, b, after=e)
    assert order(one) == [f, e, b, c, d, a]


def test_numbers_are_as_good_as_ids(six):
    one, (a, b, c, d, e, f) = six
    move(one, "6", before="1")
    assert order(one) == [f, a, b, c, d, e]
    move(one, 6, after=1)
    assert order(one) == [a, f, b, c, d, e]
    sequence(one, [2, 1])
    assert order(one) == [b, f, a, c, d, e]


def test_a_random_walk_of_moves_is_what_a_list_would_do(six):
    one, model = six
    dice = random.Random(7)
    for _ in range(60):
        task, anchor = dice.sample(model, 2)
        after = dice.random() < 0.5
        move(one, task, **{"after" if after else "before": anchor})
        model.remove(task)
        model.insert(model.index(anchor) + after, task)
    assert order(one) == model


def test_moves_into_one_gap(six, request):
    """Always between the first two: the crowding never ends."""
    one, (a, b, *rest) = six
    times = 10000 if request.config.getoption("--long") else 300
    for i in range(times):
        move(one, rest[i % len(rest)], before=b)
    got = order(one)
    assert got[0] == a and got[-1] == b
    assert set(got) == {a, b, *rest}
    last = [rest[i % len(rest)] for i in range(times - len(rest), times)]
    assert got[1:-1] == last
    longest = max(len(t["position"]) for t in one.tasks())
    assert longest < 64, f"positions grow to {longest} characters"


def test_a_move_rewrites_one_row(six):
    one, ids = six
    before = {t["id"]: t["position"] for t in one.tasks()}
    move(one, ids[5], before=ids[1])
    after = {t["id"]: t["position"] for t in one.tasks()}
    assert [i for i in ids if before[i] != after[i]] == [ids[5]]


@pytest.mark.parametrize("make", [
    lambda ids: [ids[0], str(uuid.uuid4())],
    lambda ids: [str(uuid.uuid4())]])
def test_an_unknown_task_moves_nothing(six, make):
    one, ids = six
    reply = sequence(one, list(reversed(make(ids))), 404)
    assert reply.code == "task_not_found"
    assert order(one) == ids


def test_a_foreign_task_moves_nothing(six, fresh):
    one, ids = six
    other = fresh()
    theirs = [other.task()["id"], other.task()["id"]]
    sequence(one, [ids[1], theirs[0], ids[0]], 404)
    move(one, ids[0], 404, after=theirs[0])
    move(one, theirs[0], 404, before=ids[0])
    assert order(one) == ids
    assert order(other) == theirs


def test_a_deleted_task_moves_nothing(six):
    one, ids = six
    one.delete("/tasks/" + ids[2])
    sequence(one, [ids[2], ids[0]], 404)
    move(one, ids[0], 404, after=ids[2])
    assert order(one) == ids[:2] + ids[3:]


@pytest.mark.parametrize("body, pointers", [
    ({}, {"/task_ids"}), ({"task_ids": []}, {"/task_ids"}),
    ({"task_ids": "x"}, {"/task_ids"}), ({"task_ids": None}, {"/task_ids"}),
    ({"task_ids": ["x"]}, {"/task_ids/0"}),
    ({"task_ids": [{}]}, {"/task_ids/0"}),
    ({"task_id": "1"}, {"/task_ids", "/before", "/after"}),
    ({"task_id": "1", "before": "2", "after": "3"},
     {"/task_ids", "/before", "/after"}),
    ({"before": "2"}, {"/task_ids", "/task_id"}),
    ({"x": 1, "task_ids": "x"}, {"/x", "/task_ids"})])
def test_faults(alice, body, pointers):
    reply = alice.post("/tasks/order", 400, json=body)
    assert reply.code in ("invalid_request", "task_id_invalid")
    told = set(reply.pointers())
    assert told and told <= pointers, str(reply)


def test_a_task_twice_is_a_fault(six):
    one, ids = six
    reply = sequence(one, [ids[1], ids[0], ids[1]], 400)
    assert all(p.startswith("/task_ids") for p in reply.pointers())
    assert order(one) == ids


def test_a_malformed_id_in_a_move(six):
    one, ids = six
    for body, pointer in (
            ({"task_id": "x", "before": ids[0]}, "/task_id"),
            ({"task_id": ids[0], "before": "x"}, "/before"),
            ({"task_id": ids[0], "after": "0"}, "/after")):
        reply = one.post("/tasks/order", 400, json=body)
        assert reply.code in ("task_id_invalid", "invalid_request")
        assert set(reply.pointers()) == {pointer}


def test_a_task_twice_under_its_two_names_is_a_fault(six):
    """By id and by number; 404 would say that it does not exist."""
    one, ids = six
    assert sequence(one, [1, ids[1], ids[0]], 400).pointers()
    assert order(one) == ids


def test_parallel_sequences_are_each_whole(dev, six):
    """Whoever is last, the result is one of the two asked for."""
    one, ids = six
    ways = [ids, ids[::-1]]
    for _ in range(5):
        clients = [Client(dev) for _ in range(12)]
        jobs = [lambda c=c, w=ways[i % 2]: c.post(
            "/tasks/order", json={"task_ids": w}, token=one.access)
            for i, c in enumerate(clients)]
        parallel(jobs)
        assert order(one) in ways
        for client in clients:
            client.close()


def test_parallel_moves_lose_no_task(dev, six):
    one, ids = six
    jobs = [lambda c=Client(dev), i=i: [c.post(
        "/tasks/order", json={"task_id": ids[i % 6],
                              "after": ids[(i + 1) % 6]}, token=one.access)
        for _ in range(5)] for i in range(12)]
    parallel(jobs)
    assert sorted(order(one)) == sorted(ids)
    positions = [t["position"] for t in one.tasks()]
    assert len(set(positions)) == len(positions)
