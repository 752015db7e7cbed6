# SPDX-License-Identifier: AGPL-3.0-or-later
"""One account's tasks are held by a transaction that does not end: its
writers are refused, and everybody else is served meanwhile."""

import threading
import time

import pytest

import docket
import instance
from docket import SLOW, parallel, wait_until
from lock import held

pytestmark = pytest.mark.alone

WRITERS, OTHERS, EACH = 64, 6, 40
LOCK = 0.3  # database.lock_ms, in seconds
COUNTER = ("SELECT change FROM docket.counters WHERE user_id = '{}'"
           " FOR UPDATE")


@pytest.fixture(scope="module")
def own():
    with instance.running(
            "server.workers=4", f"database.lock_ms={LOCK * 1000:.0f}",
            f"server.shed_ms={1000 * SLOW}",
            f"server.deadline_ms={2500 * SLOW}") as own:
        yield own


class Crowd:
    """Clients of one person, who write as fast as they are refused."""

    def __init__(self, own, person):
        self.own, self.person = own, person
        self.stop, self.refused = threading.Event(), threading.Event()
        self.seen = []  # (status, code, seconds)
        self.threads = [threading.Thread(target=self.write)
                        for _ in range(WRITERS)]

    def write(self):
        client = docket.Client(self.own)
        while not self.stop.wait(0.2):
            begun = time.monotonic()
            reply = client.post("/tasks", None, json={"title": "held"},
                                token=self.person.access)
            took = time.monotonic() - begun
            self.seen.append((reply.status, reply.json.get("code"), took))
            if took < LOCK:
                self.refused.set()
        client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(30 * SLOW)


def waiting(own):
    """Statements of the service's that wait for a lock."""
    return int(own.sql("SELECT count(*) FROM pg_stat_activity WHERE"
                       " wait_event_type = 'Lock'")[0][0])


def lives(person):
    """Reads and writes one after the other: how long each took."""
    took = []
    for n in range(EACH):
        begun = time.monotonic()
        if n % 2:
            person.task()
        else:
            person.get("/tasks")
        took.append(time.monotonic() - begun)
    return took


def test_who_holds_an_accounts_tasks_holds_up_nobody_else(own):
    one = docket.person(own)
    others = [docket.person(own) for _ in range(OTHERS)]
    with held(own, COUNTER.format(one.id)) as commit:
        with Crowd(own, one) as crowd:
            took = sorted(sum(parallel(
                [lambda p=p: lives(p) for p in others]), []))
            assert crowd.refused.wait(10 * SLOW), "none was refused at once"
            most = max(waiting(own) for _ in range(50))
            assert one.get("/tasks").json["tasks"] == []
        print(f"others: p50 {took[len(took) // 2] * 1000:.0f} ms, p90"
              f" {took[len(took) * 9 // 10] * 1000:.0f} ms, max"
              f" {took[-1] * 1000:.0f} ms; writers: {len(crowd.seen)} refused,"
              f" {sum(s[2] < LOCK for s in crowd.seen)} at once;"
              f" {most} waited")
        # A statement waits at a time, but at the very first.
        assert most <= 1
        assert {s[:2] for s in crowd.seen} == {(503, "busy")}
        assert took[len(took) * 9 // 10] < LOCK / 2 * SLOW
        # Behind workers that wait: a few times, not once for each writer.
        assert took[-1] < 6 * LOCK * SLOW
        commit()
    wait_until(lambda: one.post("/tasks", None, json={"title": "free"})
               .status == 201, "the account to be free again", 10 * SLOW)
    # At once for everybody, without waiting until it is forgotten.
    replies = parallel([lambda c=docket.Client(own): c.post(
        "/tasks", None, json={"title": "free"}, token=one.access)
        for _ in range(WRITERS)])
    assert {r.status for r in replies} == {201}
    assert len(one.tasks("?limit=200")) == WRITERS + 1
    for person in (one, *others):
        person.close()


def test_a_batch_waits_no_longer_than_a_single_write(own):
    one = docket.person(own)
    task = one.task()
    operations = [{"op": "update", "id": task["id"], "title": f"t{n}"}
                  for n in range(5)]
    for atomic in (True, False):
        took = []
        with held(own, COUNTER.format(one.id)):
            for _ in range(4):
                begun = time.monotonic()
                reply = one.post("/tasks/batch", 503, json={
                    "operations": operations, "atomic": atomic})
                took.append(time.monotonic() - begun)
                assert reply.code == "busy"
                assert reply.header("Retry-After") == "1"
        # Not once for each operation; and then not at all.
        assert max(took) < 4 * LOCK * SLOW and min(took[1:]) < LOCK, took
        wait_until(lambda: one.post("/tasks/batch", None, json={
            "operations": operations}).status == 200, "it to be free",
            10 * SLOW)
    one.close()
