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
from openmetrics import scrape

pytestmark = pytest.mark.alone

WRITERS, OTHERS, EACH = 64, 6, 40
LOCK = 0.3  # database.lock_ms, in seconds
COUNTER = ("SELECT change FROM docket.counters WHERE user_id = '{}'"
           " FOR UPDATE")


@pytest.fixture(scope="module")
def own():
    with instance.running(
            "server.workers=4", f"database.lock_ms={LOCK * 1000:.0f}",
            "server.shed_ms=6000", "server.deadline_ms=9000") as own:
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
    """Statements of the service's that wait for a row of somebody's."""
    return int(own.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event"
                       " IN ('tuple', 'transactionid')")[0][0])


def gave_up(own):
    """How often a statement has waited in vain: PostgreSQL says so before it
    tells the service."""
    return own.log("postgres").count("due to lock timeout")


def refused(person):
    """{how: changes refused so far}"""
    told = scrape(person)
    return {how: told.get("docket_task_writes_refused_total", how=how)
            for how in ("waited", "at_once")}


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
    before = refused(one)
    with held(own, COUNTER.format(one.id)) as commit:
        with Crowd(own, one) as crowd:
            took = sorted(sum(parallel(
                [lambda p=p: lives(p) for p in others]), []))
            assert crowd.refused.wait(20 * SLOW), "none was refused at once"
            wait = sorted(waiting(own) for _ in range(50))
            assert one.get("/tasks").json["tasks"] == []
        print(f"others: p50 {took[len(took) // 2] * 1000:.0f} ms, p90"
              f" {took[len(took) * 9 // 10] * 1000:.0f} ms, max"
              f" {took[-1] * 1000:.0f} ms; writers: {len(crowd.seen)} refused,"
              f" {sum(s[2] < LOCK for s in crowd.seen)} at once;"
              f" {wait[-1]} waited")
        after = refused(one)
        assert sum(after.values()) - sum(before.values()) == len(crowd.seen)
        assert after["waited"] > before["waited"]
        assert after["at_once"] - before["at_once"] >= \
            sum(s[2] < LOCK for s in crowd.seen) > 0
        # A statement waits at a time, but at the very first and when it
        # takes longer than the second after which the next one may try.
        assert wait[len(wait) // 2] <= 1 and wait[-1] < 4, wait
        assert {s[:2] for s in crowd.seen} == {(503, "busy")}
        # Behind all the writers they would be for WRITERS * LOCK / 4 seconds.
        assert took[len(took) // 2] < 5 * LOCK
        commit()
    wait_until(lambda: one.post("/tasks", None, json={"title": "free"})
               .status == 201, "the account to be free again", 10 * SLOW)
    now = refused(one)
    # At once for everybody, without waiting until it is forgotten.
    replies = parallel([lambda c=docket.Client(own): c.post(
        "/tasks", None, json={"title": "free"}, token=one.access)
        for _ in range(WRITERS)])
    assert {r.status for r in replies} == {201}
    assert len(one.tasks("?limit=200")) == WRITERS + 1
    assert refused(one) == now
    for person in (one, *others):
        person.close()


def test_a_batch_waits_no_longer_than_a_single_write(own):
    one = docket.person(own)
    task = one.task()
    operations = [{"op": "update", "id": task["id"], "title": f"t{n}"}
                  for n in range(5)]
    for atomic in (True, False):
        waited, counted = [], refused(one)
        with held(own, COUNTER.format(one.id)):
            # One a second finds out: a slow machine may be that one again.
            while waited[-1:] != [0] and len(waited) < 50:
                before = gave_up(own)
                reply = one.post("/tasks/batch", 503, json={
                    "operations": operations, "atomic": atomic})
                waited.append(gave_up(own) - before)
                assert reply.code == "busy"
                assert reply.header("Retry-After") == "1"
        # Not once for each operation; and then not at all.
        assert waited == [1] * (len(waited) - 1) + [0], waited
        assert len(waited) > 1, "it did not wait"
        told = refused(one)
        assert [told[how] - counted[how] for how in ("waited", "at_once")] \
            == [sum(waited), 1]
        wait_until(lambda: one.post("/tasks/batch", None, json={
            "operations": operations}).status == 200, "it to be free",
            10 * SLOW)
    one.close()
