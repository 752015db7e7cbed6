# SPDX-License-Identifier: AGPL-3.0-or-later
"""docketd restarts, reloads and dies behind sockets that others hold."""

import os
import pathlib
import random
import shutil
import signal
import tempfile
import time

import pytest

import docket
from docket import SLOW, Client, wait_until
from held import (Held, alive, crashing, fresh_front, processes,
                  reload)
from load import Load

pytestmark = pytest.mark.faults

# How many a short form has, and the long one.
LONG = pytest.mark.long

# What waits for a slow machine is not shed: only a lost request fails.
PATIENT = "server {\n\tshed_ms = 8000\n\tdeadline_ms = 9000\n}\n"


@pytest.fixture(scope="module")
def behind(own):
    """The instance behind sockets held by the test."""
    held = Held(own)
    wait_until(held.is_ready, "docketd behind held sockets", 20 * SLOW)
    yield held
    held.give_back()
    # While the last ones start, a look at each comes a moment after another.
    wait_until(lambda: sorted(processes(str(own.dir / "docket.conf"))) ==
               sorted([own.supervisor(), *own.workers()]),
               "nobody else's process to be left", 10 * SLOW)


@pytest.fixture
def held(behind):
    """Whole before and after, and patient."""
    path = behind.own.dir / "conf.d" / "patient.conf"
    path.parent.mkdir(exist_ok=True)
    path.write_text(PATIENT)
    path.parent.chmod(0o755)
    path.chmod(0o644)
    behind.restart()
    wait_until(behind.is_ready, "docketd", 20 * SLOW)
    yield behind
    path.unlink()


def nothing_failed(load):
    print(load)
    assert not load.failed_reads, load.failed_reads[:3]
    assert not load.failed_writes, load.failed_writes[:3]
    assert load.lost_and_doubled() == ([], [])
    assert load.writes > 0 and load.reads > 0


# --- restarts and reloads -------------------------------------------------

@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("restarts", [3, pytest.param(50, marks=LONG)])
def test_restarts_lose_no_request(own, held, restarts, keyed):
    """keyed=False: nor is a POST sent twice that has no key."""
    slowest = 0
    with Load(own, readers=6, writers=10, keyed=keyed) as load:
        for _ in range(restarts):
            time.sleep(0.1 + 0.2 * random.random())
            code, took = held.restart()
            slowest = max(slowest, took)
            assert code == 0
            wait_until(held.is_ready, "docketd", 20 * SLOW)
    print(f"{restarts} restarts, {slowest * 1000:.0f} ms to end at most")
    nothing_failed(load)


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("reloads", [5, pytest.param(100, marks=LONG)])
def test_reloads_lose_no_request(own, held, reloads, keyed):
    n = len(own.workers())
    with Load(own, readers=6, writers=10, keyed=keyed) as load:
        for _ in range(reloads):
            before = set(own.workers())
            reload(own)
            assert not before & set(own.workers())
    print(f"{reloads} reloads")
    nothing_failed(load)
    assert len(own.workers()) == n


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=LONG)])
def test_a_restart_in_the_middle_of_a_reload(own, held, rounds):
    """Whoever just hands over, or just gets ready, has requests too."""
    with Load(own, readers=6, writers=10, keyed=False) as load:
        for _ in range(rounds):
            os.kill(held.pid, signal.SIGHUP)
            time.sleep(0.4 * random.random())
            assert held.restart()[0] == 0
            wait_until(held.is_ready, "docketd", 20 * SLOW)
    nothing_failed(load)


def test_a_worker_told_to_stop_loses_no_request(own, held):
    """One after another, as an administrator might."""
    with Load(own, readers=6, writers=10, keyed=False) as load:
        for pid in own.workers():
            os.kill(pid, signal.SIGQUIT)
            wait_until(lambda p=pid: not alive(p), f"{pid} to leave", 20)
            time.sleep(0.1)
    nothing_failed(load)


# --- the supervisor is killed ---------------------------------------------

def kill_supervisor(held):
    """Returns how long its workers took to go, all of them."""
    pids = held.own.workers()
    os.kill(held.pid, signal.SIGKILL)
    begun = time.monotonic()
    wait_until(lambda: not any(map(alive, pids)), "no worker", 10)
    return begun, time.monotonic() - begun


def meanwhile(own):
    """A request that arrives while nobody is there: what it is told."""
    client = Client(own)
    client.connect().connect()
    reply = client.get("/healthz", None)	# checks Retry-After of a 503
    client.close()
    return reply.status


def back_after(held, begun):
    """Requests come in from the moment on when the workers have gone."""
    said = []
    while not said or said[-1] != 200:
        said += docket.parallel([lambda: meanwhile(held.own)] * 4)
        assert time.monotonic() - begun < 20 * SLOW, said
    took = time.monotonic() - begun
    assert set(said) <= {200, 503}, said
    return took


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=LONG)])
def test_a_killed_supervisor(own, behind, kills):
    """Its workers die with it, nobody stays, the next one is soon there."""
    ends, backs = [], []
    for _ in range(kills):
        best = 1e9
        for _ in range(3):	# a noisy machine may have it thrice
            wait_until(behind.is_ready, "docketd", 20 * SLOW)
            begun, end = kill_supervisor(behind)
            ends.append(end)
            best = min(best, back_after(behind, begun))
            if best < 2 * SLOW and end < 1 * SLOW:
                break
        backs.append(best)
    wait_until(behind.is_ready, "docketd", 20 * SLOW)
    print(f"{len(ends)} kills: workers gone after {max(ends) * 1000:.0f} ms"
          f" at most, back after {max(backs):.2f} s")
    assert min(ends) < 1 * SLOW and max(backs) < 2 * SLOW
    assert sorted(processes(str(own.dir / "docket.conf"))) == \
        sorted([own.supervisor(), *own.workers()]), "an orphan"


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=LONG)])
def test_a_killed_supervisor_under_load(own, held, kills):
    """Only what was in hand at that moment fails, and only a write."""
    with Load(own, readers=4, writers=4) as load:
        for _ in range(kills):
            time.sleep(0.3)
            kill_supervisor(held)
            mark = held.mark
            wait_until(lambda: held.mark != mark and held.is_ready(),
                       "docketd", 20 * SLOW)
    print(f"{kills} kills: {load}")
    assert not load.failed_reads, load.failed_reads[:3]
    assert len(load.failed_writes) <= kills * 4, load.failed_writes[:3]
    assert load.lost_and_doubled() == ([], [])


# --- broken files ---------------------------------------------------------

BROKEN = [
    ("docket.conf", "server { workers = many }\n"),
    ("docket.conf", "colour = red\n"),
    ("conf.d/broken.conf", "# one\nserver {\n\tworkers = 0\n}\n"),
    ("conf.d/broken.conf", "# one\nauth { access_ttl = soon }\n"),
    ("keys/jwt.keys", "current again HS256 tooshort\n"),
    ("keys/secret.key", None),
]


@pytest.mark.parametrize("name, text", BROKEN)
def test_a_broken_file_is_refused_under_load(own, held, name, text):
    """file:line in the log, the same workers go on, no request fails; and
    the next reload, of files that are whole, is taken."""
    path = own.dir / name
    before = own.workers()
    good = path.read_text() if path.exists() else None
    with Load(own, readers=4, writers=4, keyed=False) as load:
        spoil(path, good, text)
        try:
            said = reload(own, "Reload refused, serving with the old")
        finally:
            restore(path, good)
        assert own.workers() == before
        time.sleep(0.2)
    nothing_failed(load)
    why = [line for line in said.splitlines() if "reload_refused" in line]
    line = broken_line(good, text)
    assert any(f"{path.name}{line}" in one for one in why), why
    reload(own)
    assert not set(before) & set(own.workers())


def spoil(path, good, text):
    """As an editor does: in place, so the file stays its owner's."""
    whole = (good or "") + text if text else good[:12] + "\n"
    path.write_text(whole)
    path.chmod(0o644 if path.name.endswith(".conf") else 0o600)


def restore(path, good):
    if good is None:
        path.unlink()
    else:
        path.write_text(good)


def broken_line(good, text):
    """Where the fault is: in the line after the good ones, or, of a file
    that is all the test's, in the one after its comment."""
    if text is None:
        return ""
    if good is None:
        return ":3:" if "\n\t" in text else ":2:"
    return f":{len(good.splitlines()) + 1}:"


@pytest.fixture
def crashy(held):
    """Gives a flag: while it is there, every second new worker crashes."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="docket-crashy-",
                                              dir="/var/tmp"))
    directory.chmod(0o755)
    held.more = crashing(directory, CRASH_FLAG=str(directory / "flag"))
    held.restart()
    wait_until(held.is_ready, "docketd", 20 * SLOW)
    yield directory / "flag"
    held.more = {}
    held.restart()
    wait_until(held.is_ready, "docketd", 20 * SLOW)
    shutil.rmtree(directory)


def test_new_workers_that_cannot_start_are_refused(own, held, crashy):
    """The settings pass, half of the workers with them do not live; the
    others serve already and part with what they have taken."""
    before, load = own.workers(), Load(own, readers=8, writers=16, keyed=False)
    fresh_front(own)
    crashy.touch()
    try:
        said = reload(own, "Reload refused, serving with the old",
                      lambda: time.sleep(0.5) or load.__enter__())
    finally:
        crashy.unlink()
        load.stop()
    nothing_failed(load)
    assert own.workers() == before
    assert "signal=11 served=0" in said
    reload(own)
    assert not set(before) & set(own.workers())
