# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every allocation fails once in every handler: 503, no half effect, no leak.

A preload (oom.c) lists the places from which a request asks for memory, then
lets the first request for memory at one of them fail, place after place. The
short form takes some of the places of a few handlers.
"""

import os
import signal
import time

import pytest

import docket
import oom
from docket import ROUTES, SANITIZED, SLOW, comm, wait_until
from instance import running
from memory_cases import CASES, World

pytestmark = pytest.mark.faults

# How a failed allocation may end a worker: a library that asked, by the
# innermost frames, aborts or looks at no result, and nobody can tell it to.
ABORTS = {
    ("libfcgi",):
        "Malloc() asserts that there was memory",
    ("libc", "libjson-c"):
        "json_tokener_parse_ex looks at no strdup() of a member's name",
}

# Beyond so many places at the start of a process a sample of them is taken:
# workers that die before they serve must not come faster than the supervisor
# lets them.
SAMPLE = 60

# What a client may be told instead of a success.
CODES = {"out_of_memory", "database_unavailable", "outcome_unknown"}


# libpq had no memory for the end of a pipeline, keeps that to itself and goes
# on waiting for it: the request's own time ends it, before the COMMIT.
SILENT = "wire_pipe_end"


@pytest.fixture(scope="module")
def starved():
    if os.geteuid():
        pytest.skip("docketd lets only root look into its /proc")
    with running("server.workers=1", "server.auth_workers=1",
                 "server.deadline_ms=4000",
                 "auth.access_ttl=86400", "limits.login_failures=1000",
                 "limits.login_client=100000", "limits.requests_user=10000000",
                 "limits.requests_anonymous=10000000") as dev:
        memory = oom.Memory(str(dev.dir.parent / "control"))
        yield oom.Starved(dev, oom.build(str(dev.dir.parent)), memory)


@pytest.fixture(scope="module")
def world(starved):
    made = World(starved.dev)
    yield made
    made.close()


class Attempt:
    """One request while memory fails at a site, and what came of it."""

    def __init__(self, starved, world, case, site=None, sticky=False):
        self.starved, self.case, self.site = starved, case, site
        memory = starved.memory
        sent = case.prepare(world)
        mode = oom.COUNT if site is None else \
            oom.FROM_SITE if sticky else oom.AT_SITE
        memory.arm(starved.pid, mode, site or 0)
        try:
            self.reply = world.client.request(
                sent.method, sent.path, None, check=False, **sent.more)
        finally:
            memory.off()
        self.sent, self.hits, self.victim = sent, memory.hits, memory.victim
        self.sites = memory.sites()

    def where(self):
        frames = self.sites.get(self.site, [])
        return f"{self.case}, memory failed at\n    " \
            f"{self.starved.told(frames)}\n{self.reply}"

    def aborted(self):
        """Did a library end the worker that may?"""
        inner = self.starved.libraries(self.sites.get(self.site, []))
        return self.hits and any(tuple(inner[:len(way)]) == way
                                 for way in ABORTS)

    def judge(self, world):
        reply = self.reply
        if reply.status == 502:
            assert self.aborted(), f"a worker died: {self.where()}"
        elif reply.status == 503:
            assert self.hits, f"503 for no reason: {self.where()}"
            self.judge_refusal()
        else:
            assert reply.status == self.case.status, self.where()
            docket.invariants(reply, {})
        try:
            self.case.check(world, self.sent, reply)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.where()}") from None
        # Behind a whole reply too: a ROLLBACK that had no memory costs the
        # connection, and the next request may come before the next one.
        if reply.status in (502, 503) or self.hits:
            self.starved.settle()

    def judge_refusal(self):
        """A whole problem document, and no worker that stays or died."""
        docket.invariants(self.reply, {})
        body = self.reply.json
        if "error" in body:
            assert body["error"] == "temporarily_unavailable", self.where()
        else:
            late = {"deadline_exceeded"} if SILENT in self.where() else set()
            assert body["code"] in CODES | late, self.where()
        if body.get("code", "out_of_memory") == "out_of_memory":
            wait_until(lambda: f"pid={self.victim} exit=75" in
                       self.starved.dev.log(),
                       f"the worker to leave: {self.where()}", 10 * SLOW)


def sites_of(starved, world, case):
    """What a worker that has warmed up asks for, in the order of asking."""
    Attempt(starved, world, case).judge(world)
    attempt = Attempt(starved, world, case)
    attempt.judge(world)
    return list(attempt.sites)


def reached(starved, world, case, site, sticky):
    """What arrives in other pieces than before may ask elsewhere: a few tries
    for each."""
    for _ in range(4):
        attempt = Attempt(starved, world, case, site, sticky)
        attempt.judge(world)
        if attempt.hits:
            break
    return attempt


def fail_each(starved, world, case, sites, sticky=False):
    """{outcome: how often}"""
    outcomes = {}
    for site in sites:
        attempt = reached(starved, world, case, site, sticky)
        outcome = attempt.reply.status if attempt.hits else "not reached"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        # The instance has not suffered; and the new worker is warm.
        Attempt(starved, world, case).judge(world)
    return outcomes


def test_every_row_of_the_table_has_a_case():
    told = {(case.method, case.path) for case in CASES}
    assert {(row.method, row.path) for row in ROUTES} == told


SHORT = ["GET /tasks?filters", "POST /tasks once", "POST /auth"]


@pytest.mark.parametrize("name", SHORT)
def test_some_allocations_fail(starved, world, name):
    case = next(case for case in CASES if case.name == name)
    sites = sites_of(starved, world, case)
    step = 12 if SANITIZED else 4
    outcomes = fail_each(starved, world, case, sites[::step])
    print(f"{name}: {len(sites)} sites: {outcomes}")
    assert outcomes.get(503, 0) > 0 and "not reached" not in outcomes


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_allocation_fails_once(starved, world, case):
    sites = sites_of(starved, world, case)
    outcomes = fail_each(starved, world, case, sites)
    print(f"{case}: {len(sites)} sites: {outcomes}")
    assert "not reached" not in outcomes
    if len(sites) > 20:
        assert outcomes.get(503, 0) > 0


@pytest.mark.long
@pytest.mark.parametrize("name", SHORT + ["POST /auth/register",
                                          "POST /otp/verify"])
def test_from_some_allocation_on_all_fail(starved, world, name):
    """Until the reply is out: what refuses needs no memory itself."""
    case = next(case for case in CASES if case.name == name)
    sites = sites_of(starved, world, case)
    outcomes = fail_each(starved, world, case, sites, sticky=True)
    print(f"{name}: {len(sites)} sites, no memory from each on: {outcomes}")
    assert outcomes.get(503, 0) > 0 and "not reached" not in outcomes


# --- before there is a request ----------------------------------------------

def new_workers(starved):
    """Both are killed; what the first of the new asks for counts."""
    for pid in starved.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(starved.workers()) == 2 and
               starved.memory.victim, "new workers", 10 * SLOW)


def sample(sites, most):
    """Evenly, with the first and so that each gets its turn."""
    return sites[::max(1, -(-len(sites) // most))]


def fail_starts(starved, most):
    memory = starved.memory
    memory.arm(starved.pid)
    new_workers(starved)
    starved.settle()
    memory.off()
    sites = list(memory.sites())
    died = 0
    for site in sample(sites, most):
        begun = time.monotonic()
        memory.arm(starved.pid, oom.AT_SITE, site)
        new_workers(starved)
        starved.settle()
        memory.off()
        died += memory.hits and memory.victim not in starved.workers()
        # The supervisor gives up on a dozen deaths in ten seconds.
        time.sleep(max(0, begun + 1 - time.monotonic()))
    print(f"{len(sites)} sites of a worker's start and first requests: "
          f"{died} of {len(sample(sites, most))} cost the worker")
    assert comm(starved.pid) == "docketd"
    return died


def test_some_starts_of_a_worker_fail(starved, world):
    assert fail_starts(starved, 4) > 0


@pytest.mark.long
def test_starts_of_a_worker_fail(starved, world):
    assert fail_starts(starved, SAMPLE) > 0


NEW = "Serving with the new settings"
OLD = "Reload refused, serving with the old settings"


def reload(starved):
    """SIGHUP, and how it ended: NEW or OLD."""
    path = starved.dev.dir / "log/docketd.log"
    begin = path.stat().st_size
    os.kill(starved.pid, signal.SIGHUP)

    def told():
        with open(path, encoding="utf-8") as file:
            file.seek(begin)
            text = file.read()
        return [how for how in (NEW, OLD) if f'how="{how}' in text]

    return wait_until(told, "the reload to end", 30 * SLOW)[0]


def fail_reloads(starved, most, children):
    """In the supervisor, or in its child that reads the settings."""
    memory, outcomes = starved.memory, {NEW: 0, OLD: 0}
    # The connections that the last crew left are taken by then.
    for _ in range(3):
        starved.settle()
    memory.arm(starved.pid, children=children)
    assert reload(starved) == NEW
    memory.off()
    starved.settle()
    sites = list(memory.sites())
    for site in sample(sites, most):
        memory.arm(starved.pid, oom.AT_SITE, site, children=children)
        try:
            outcomes[reload(starved)] += 1
        except AssertionError as error:
            where = starved.told(memory.sites().get(site, []))
            raise AssertionError(
                f"{error}, exit {starved.process.poll()}, memory failed at"
                f"\n    {where}\n{starved.dev.log()[-500:]}") from None
        memory.off()
        starved.settle()
    print(f"{len(sites)} sites of a reload: {outcomes}")
    return outcomes


@pytest.mark.parametrize("children", [False, True])
def test_some_allocations_of_a_reload_fail(starved, world, children):
    """The supervisor goes on with what it has."""
    assert fail_reloads(starved, 3, children)[OLD] > 0
    assert reload(starved) == NEW


@pytest.mark.long
@pytest.mark.parametrize("children", [False, True])
def test_allocations_of_a_reload_fail(starved, world, children):
    assert fail_reloads(starved, 1000, children)[OLD] > 0
    assert reload(starved) == NEW


# --- and what is left behind -------------------------------------------------

def in_use(starved, world, case):
    """Bytes a worker holds at a request, after one that was like it."""
    memory = starved.memory
    Attempt(starved, world, case).judge(world)
    sent = case.prepare(world)
    memory.arm(starved.pid, look=True)
    reply = world.client.request(sent.method, sent.path, None, check=False,
                                 **sent.more)
    memory.off()
    assert reply.status == case.status
    return memory.in_use(), memory.victim


@pytest.mark.long
def test_what_a_worker_survives_it_does_not_pay_for(starved, world):
    """1,000 failures that are no reason to replace a worker leave nothing
    in it: the sanitizers see what is lost, this sees what is kept."""
    case = next(case for case in CASES if case.name == "POST /tasks once")
    kept = []
    for site in sites_of(starved, world, case):
        before = set(starved.workers())
        attempt = Attempt(starved, world, case, site)
        attempt.judge(world)
        starved.settle()
        if attempt.hits and set(starved.workers()) == before:
            kept.append(site)
    assert kept, "each of them cost the worker"
    before, pid = in_use(starved, world, case)
    for i in range(1000):
        Attempt(starved, world, case, kept[i % len(kept)]).judge(world)
    after, still = in_use(starved, world, case)
    print(f"{len(kept)} sites: {before} bytes, then {after}")
    assert still == pid, "a worker was replaced"
    assert after - before < 64 * 1024
