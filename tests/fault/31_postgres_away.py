# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL stays away, falls silent, has no room or refuses to write: quick
503s, idle workers, a quiet log, and it heals by itself."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import docket
from docket import SANITIZED, SLOW, wait_until
from postgres import Slot, everybody_is_back
from watch import BOUND, watched

pytestmark = pytest.mark.faults


# A part of a core that all of them together use, who have nothing to do.
SPINS = 0.8 if SANITIZED else 0.25
# Half of the refusals take less; whoever waited would do so for 2.5 s.
QUICK = 2 if SANITIZED else 0.5


# --- away -----------------------------------------------------------------

def ticks(pids):
    """CPU that the processes have used, in seconds."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            words = file.read().rsplit(")", 1)[1].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def idle_share(pids, seconds):
    """Of one core, all of them together."""
    before, begun = ticks(pids), time.monotonic()
    time.sleep(seconds)
    return (ticks(pids) - before) / (time.monotonic() - begun)


def refused_quickly(one, seconds, tries=5):
    """How long each request took; a busy machine may be late once."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for ask in (lambda: one.get("/tasks", None),
                    lambda: one.post("/tasks", None, json={"title": "no"})):
            begun = time.monotonic()
            reply = ask()
            took.append(time.monotonic() - begun)
            assert reply.status == 503, str(reply)
            assert int(reply.header("Retry-After")) >= 1
        time.sleep(0.02)
    took.sort()
    return took if took[-1] < BOUND or not tries else \
        refused_quickly(one, seconds, tries - 1)


@pytest.mark.parametrize("seconds", [
    4, pytest.param(600, marks=pytest.mark.long)])
def test_away_for_long(box, server, seconds):
    one = docket.person(box)
    one.task("before")
    workers = box.workers()
    server.stop()
    for _ in range(16):
        one.get("/tasks", None)
    log = len(box.log())
    idle = idle_share(workers, seconds / 2)
    took = refused_quickly(one, seconds / 2)
    news = [line for line in box.log()[log:].splitlines()
            if " request " not in line]
    print(f"{len(took)} requests: 503 within {took[len(took) // 2] * 1e3:.1f}"
          f" ms p50, {took[-1] * 1e3:.1f} ms max; idle: {idle * 100:.2f} % of"
          f" a core for {len(workers)} workers; {len(news)} log lines")
    assert took[len(took) // 2] < QUICK and took[-1] < BOUND
    assert idle < SPINS, "the workers spin"
    assert len(news) <= 4 * len(workers), news[:20]
    assert box.workers() == workers
    server.start()
    wait_until(lambda: one.get("/tasks", None).status == 200, "200 again",
               5 * SLOW)
    everybody_is_back(box, 15 * SLOW)
    assert [t["title"] for t in one.tasks()] == ["before"]


# --- silent ---------------------------------------------------------------

def thaw(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def stop_one(server):
    """One that serves the load; not one that holds the whole server, as when
    it was stopped in the middle of a flush."""
    while True:
        pid = wait_until(lambda: server.backends(
            "query_start > now() - interval '1 s'"), "one at work")[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            server.sql("CREATE TEMP TABLE probe ()",
                       timeout=2)
            return [pid]
        except subprocess.TimeoutExpired:
            thaw([pid])


def one_is_silent(server, load):
    ok = sum(load.account()[:2])
    pids = stop_one(server)
    try:
        time.sleep(6)
        assert sum(load.account()[:2]) > ok + 20, "nobody else serves"
        load.goes_on()  # its worker has another one by now
    finally:
        thaw(pids)


def all_are_silent(server, load):
    pids = server.backends()
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)
    finally:
        thaw(pids)


@pytest.mark.parametrize("how", [one_is_silent, all_are_silent],
                         ids=lambda how: how.__name__)
def test_silent_backends_cost_their_requests_and_no_more(box, server, how):
    n = len(box.workers())
    with watched(box, in_flight=True, writers=8) as load:
        before = load.failed()
        load.in_time(lambda: how(server, load))
        assert load.failed() > before, "nobody noticed"
        wait_until(lambda: len(server.backends()) == n,
                   "the abandoned backends to end", 10 * SLOW)


# --- locked ---------------------------------------------------------------

@contextlib.contextmanager
def locked(server):
    """Nobody may write a task; who reads is not kept."""
    with subprocess.Popen([docket.psql(), "-X", "-q", "-d", server.root],
                          stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.DEVNULL) as holder:
        holder.stdin.write("BEGIN; LOCK docket.tasks IN SHARE MODE;\n")
        holder.stdin.flush()
        wait_until(lambda: server.sql(
            "SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND granted AND"
            " relation = 'docket.tasks'::regclass"), "the lock")
        try:
            yield
        finally:
            holder.stdin.close()


def drizzle(load, n):
    """One write after another, ten a second at most, whatever becomes of the last."""
    def write():
        client = docket.Client(load.dev)
        load.exchange(client, "POST", "/tasks", token=load.people[0].access,
                      json={"title": docket.new_name("d")})
        client.close()

    threads = []
    for _ in range(n):
        threads.append(threading.Thread(target=write))
        threads[-1].start()
        time.sleep(0.1)
    for thread in threads:
        thread.join(300)


def test_a_lock_that_is_not_released(box, server):
    """More writers than workers: the time in the queue counts too. The
    server ends the statements, so the connections stay."""
    with watched(box, readers=4, writers=8) as load:
        log, before = len(box.log()), load.failed()

        def lock():
            with locked(server):
                drizzle(load, 50)

        load.in_time(lock)
        failed = load.failed() - before
    lost = box.log()[log:].count("db_lost")
    print(f"{failed} failed, {lost} connections lost")
    assert failed > 24
    assert lost <= failed / 8


# --- no room --------------------------------------------------------------

def fill(dsn, slots, more):
    """Take every slot there is, again and again, until told to stop."""
    while not more.is_set():
        slot = Slot(dsn)
        if slot.open:
            slots.append(slot)
        else:
            time.sleep(0.002)


def nobody(server):
    """Whoever was there has to go; twice, because their place may not have
    been taken yet. While many knock, the superuser's places are taken too."""
    try:
        return not server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'docket%'")
    except AssertionError:
        return False


@contextlib.contextmanager
def crowded(server):
    """Outsiders hold every connection but the superuser's own."""
    slots, enough = [], threading.Event()
    dsn = server.own.dsn.replace("user=docket_api", "user=docket_owner")
    threads = [threading.Thread(target=fill, args=[dsn, slots, enough])
               for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: nobody(server) and not time.sleep(0.5) and
                   nobody(server), "nobody else to be connected", 30 * SLOW)
        enough.set()
        for thread in threads:
            thread.join(120)
        yield
    finally:
        enough.set()
        for slot in slots:
            slot.close()


def test_no_connection_to_be_had(box, server):
    """superuser_reserved_connections are not for us."""
    one = docket.person(box)
    workers = box.workers()
    with crowded(server):
        log = len(box.log())
        took = refused_quickly(one, 2)
        assert server.backends() == []
        idle = idle_share(workers, 1)
        wait_until(lambda: re.search("db_lost.*(too many|reserved)",
                                     box.log()[log:]), "the reason", 10)
        news = [line for line in box.log()[log:].splitlines()
                if " request " not in line]
    print(f"503 within {took[-1] * 1e3:.1f} ms; idle {idle * 100:.1f} %")
    assert took[-1] < BOUND
    assert idle < SPINS and len(news) <= 4 * len(workers), news[:20]
    wait_until(lambda: one.get("/tasks", None).status == 200, "200 again",
               5 * SLOW)


# --- no writing -----------------------------------------------------------

def refused_all(load):
    """The account, when no write has been acknowledged for half a second and
    some were refused meanwhile."""
    def steady():
        before = load.account()
        time.sleep(0.5)
        now = load.account()
        return now[1] == before[1] and now[2] > before[2] and now

    return wait_until(steady, "writes to be refused")


def test_read_only_refuses_writes_and_reads_go_on(box, server):
    with watched(box) as load:
        try:
            server.alter(default_transaction_read_only="on")
            before = refused_all(load)
            log, seen = len(box.log()), set(server.backends())
            begun, rounds = time.monotonic(), 0
            while rounds < 14 or load.account()[0] <= before[0] + 20 \
                    or load.account()[2] <= before[2] + 20:
                time.sleep(0.25)
                seen |= set(server.backends())
                rounds += 1
                assert rounds < 14 * SLOW, "nothing goes on"
            after, seconds = load.account(), time.monotonic() - begun
            news = [line for line in box.log()[log:].splitlines()
                    if " request " not in line]
        finally:
            server.alter(default_transaction_read_only=None)
        load.goes_on()
    n = len(box.workers())
    print(f"read-only: {after[2] - before[2]} writes refused,"
          f" {after[0] - before[0]} reads, {len(seen)} connections of {n}"
          f" workers, {len(news)} log lines")
    assert after[1] == before[1], "a write went through"
    assert not load.failed_reads, load.failed_reads[:3]
    # Each looks for a better one each three seconds at most (link.c).
    most = n * (3 + seconds / 3)
    assert len(seen) <= most and len(news) <= most, news[:20]
