# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many who order the same tasks at once: whatever they do, each task is there
once, at a place of its own; and a crowded place is spread, not the list."""

import random
import threading

import pytest

from docket import Client, parallel

TASKS = 12


@pytest.fixture(autouse=True)
def no_deadlock(dev):
    """Who is told that we are busy may have been in a circle."""
    def told():
        return dev.log("postgres").count("deadlock detected")

    before = told()
    yield
    assert told() == before, "two waited for each other"


def places(one):
    """{id: position}, and each position is one task's alone."""
    tasks = one.tasks("?limit=200&fields=id,position")
    found = {t["id"]: t["position"] for t in tasks}
    assert len(found) == len(tasks), "a task is listed twice"
    assert len(set(found.values())) == len(found), f"shared: {found}"
    order = [t["position"] for t in tasks]
    assert order == sorted(order)
    return found


def a_sequence(dice, ids):
    return {"task_ids": dice.sample(ids, dice.randint(2, len(ids)))}


def a_move(dice, ids):
    task, anchor = dice.sample(ids, 2)
    return {"task_id": task, dice.choice(("before", "after")): anchor}


class Orderer:
    """Sends orders over a connection of its own; all must go well, those
    that the service is too busy for when they are sent again."""

    def __init__(self, dev, one, ids, seed):
        self.client, self.one, self.ids = Client(dev), one, ids
        self.dice = random.Random(seed)

    def run(self, times, makes):
        for _ in range(times):
            body = self.dice.choice(makes)(self.dice, self.ids)
            self.send(body)
        self.client.close()

    def send(self, body):
        for _ in range(100):
            reply = self.client.post("/tasks/order", None, json=body,
                                     token=self.one.access)
            if reply.status != 503 or reply.code != "busy":
                break
        assert reply.status == 200, str(reply)


def crowds(config):
    return (200, 50) if config.getoption("--long") else (16, 20)


@pytest.mark.parametrize("makes", [[a_sequence], [a_move],
                                   [a_sequence, a_move]],
                         ids=["sequences", "moves", "both"])
def test_who_orders_at_once_leaves_a_permutation(dev, fresh, request, makes):
    """200 x 50 in the long run. A reader meanwhile sees permutations only."""
    many, times = crowds(request.config)
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(TASKS)]
    ended, seen, wrong = threading.Event(), [], []

    def watch():
        reader = Client(dev)
        while not ended.is_set():
            got = [t["id"] for t in reader.get(
                "/tasks?fields=id", token=one.access).json["tasks"]]
            seen.append(tuple(got))
            if sorted(got) != sorted(ids):
                wrong.append(got)
        reader.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        parallel([lambda o=Orderer(dev, one, ids, i): o.run(times, makes)
                  for i in range(many)])
    finally:
        ended.set()
        watcher.join(60)
    assert not wrong, f"{len(wrong)} of {len(seen)} lists: {wrong[0]}"
    assert len(set(seen)) > 1, "nothing was seen to move"
    assert places(one).keys() == set(ids)


def test_sequences_of_parts_that_overlap_end(dev, fresh):
    """Two who name the same tasks in opposite orders wait for each other in
    turn, never in a circle."""
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(TASKS)]
    ways = [ids[:8], ids[:3:-1], ids[2:10], ids[9:1:-1]]

    def run(way):
        client = Client(dev)
        for _ in range(15):
            way = way[1:] + way[:1]
            client.post("/tasks/order", 200, json={"task_ids": way},
                        token=one.access)
        client.close()

    parallel([lambda w=ways[i % 4]: run(w) for i in range(16)])
    assert places(one).keys() == set(ids)


def test_moves_into_one_gap_at_once_get_a_place_each(dev, fresh):
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(TASKS)]
    clients = [Client(dev) for _ in ids[1:]]
    for _ in range(10):
        parallel([lambda c=c, t=t: c.post(
            "/tasks/order", 200, json={"task_id": t, "after": ids[0]},
            token=one.access) for c, t in zip(clients, ids[1:])])
        assert places(one).keys() == set(ids)
    for client in clients:
        client.close()


def squeezed(one, ids, times):
    """Each time between the last and the one before it, on alternate sides:
    the gap is halved, and a key grows as fast as it can."""
    low, high = ids[0], ids[1]
    rest = list(ids[2:])
    longest, shrunk, before = 0, 0, 0
    for i in range(times):
        task = rest.pop(0)
        one.post("/tasks/order", 200, json={"task_id": task, "after": low})
        if i % 2:
            low, gone = task, low
        else:
            high, gone = task, high
        rest.append(gone)
        if i % 10 == 0:
            now = max(len(p) for p in places(one).values())
            shrunk += now < before - 20
            longest, before = max(longest, now), now
    return longest, shrunk


def test_a_crowded_place_is_spread_and_nothing_else(fresh):
    one = fresh()
    others = [one.task("above")["id"] for _ in range(40)]
    ids = [one.task(f"task {i}")["id"] for i in range(6)]
    far = [one.task("below")["id"] for _ in range(40)]
    before = places(one)
    longest, shrunk = squeezed(one, ids, 1000)
    assert shrunk, f"never spread: keys of {longest}"
    assert longest <= 130
    after = places(one)
    same = [i for i in others[:8] + far[-8:] if before[i] == after[i]]
    assert len(same) == 16, "the whole list was numbered anew"
    assert list(after)[:40] == others and list(after)[-40:] == far
