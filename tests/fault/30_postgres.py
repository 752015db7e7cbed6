# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL dies: requests end in time, 503 and Retry-After meanwhile, and
nothing that was acknowledged is lost or doubled."""

import contextlib
import os
import random
import signal
import threading

import pytest

import docket
from docket import SLOW, wait_until
from postgres import everybody_is_back
from watch import Watch, watched

pytestmark = pytest.mark.faults


def counted(few, many):
    return pytest.mark.parametrize("n", [
        few, pytest.param(many, marks=pytest.mark.long)])


# --- death ----------------------------------------------------------------

def kill_a_child(server):
    """The postmaster then ends all others and recovers."""
    os.kill(random.choice(server.backends()), signal.SIGKILL)


def kill_everything(server):
    server.crash()
    server.start()


def restart_fast(server):
    server.stop(signal.SIGINT)
    server.start()


@counted(2, 20)
@pytest.mark.parametrize("how", [kill_a_child, kill_everything, restart_fast],
                         ids=lambda how: how.__name__)
def test_nothing_acknowledged_is_lost_or_doubled(box, server, how, n):
    with watched(box) as load:
        for _ in range(n):
            before = load.failed()
            load.in_time(lambda: how(server))
            assert load.failed() > before, "nothing was broken"


def asynchronous(server, box):
    """Commits are acknowledged before they are written."""
    server.alter(synchronous_commit="off", wal_writer_delay="10s",
                 wal_writer_flush_after="1GB")
    everybody_is_back(box, 15 * SLOW)


@pytest.mark.plain
def test_without_synchronous_commit_the_same_test_finds_losses(box, server):
    """Else the test above could not see one."""
    lost = []
    try:
        asynchronous(server, box)
        for _ in range(10):
            load = Watch(box, readers=1, writers=4)
            server.sql("CHECKPOINT")  # the writers themselves stay
            with load:
                load.goes_on()
                load.in_time(lambda: kill_everything(server))
            lost, _ = load.lost_and_doubled()
            print(f"{load}: {len(lost)} lost")
            if lost:
                break
    finally:
        server.alter(synchronous_commit=None, wal_writer_delay=None,
                     wal_writer_flush_after=None)
    assert lost, "no loss was seen where there must be some"


# --- death in COMMIT ------------------------------------------------------

SLOW_COMMIT = """
CREATE FUNCTION docket.dawdle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_catalog.pg_sleep(1.2); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON docket.tasks
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION docket.dawdle();
"""
QUICK_COMMIT = """
SET client_min_messages = error;
DROP TRIGGER IF EXISTS dawdle ON docket.tasks;
DROP FUNCTION IF EXISTS docket.dawdle();
"""


def surely(job):
    """The server may be about to notice that it has to recover."""
    def done():
        try:
            job()
        except AssertionError:
            return False
        return True

    wait_until(done, "PostgreSQL to take a command", 60)


@contextlib.contextmanager
def before_the_commit(server):
    server.sql(SLOW_COMMIT)
    try:
        yield "wait_event = 'PgSleep'"
    finally:
        surely(lambda: server.sql(QUICK_COMMIT))


@contextlib.contextmanager
def after_the_commit(server):
    """Written, but not told yet: it waits for a standby that is not there."""
    server.alter(synchronous_standby_names="nobody")
    try:
        yield "wait_event = 'SyncRep'"
    finally:
        surely(lambda: server.alter(synchronous_standby_names=None))


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "bare"])
@pytest.mark.parametrize("where, done", [
    (before_the_commit, False), (after_the_commit, True)],
    ids=["before", "after"])
def test_a_backend_that_dies_in_commit_leaves_no_doubt_that_is_not_told(
        box, server, where, done, keyed):
    one = docket.person(box)
    key = docket.new_name()
    sent = {"json": {"title": key}}
    if keyed:
        sent["headers"] = [("Idempotency-Key", key)]
    said = []
    with where(server) as waits:
        thread = threading.Thread(target=lambda: said.append(
            one.post("/tasks", None, **sent)))
        thread.start()
        pid = wait_until(lambda: server.backends(waits), "a COMMIT")[0]
        os.kill(pid, signal.SIGKILL)
        thread.join(120)
    assert said[0].status == 503 and said[0].code == "outcome_unknown", \
        str(said[0])
    assert int(said[0].header("Retry-After")) >= 1
    everybody_is_back(box, 15 * SLOW)
    assert [t["title"] for t in one.tasks()] == [key] * done
    if keyed:
        again = one.post("/tasks", 201, **sent)
        assert (again.header("Idempotency-Replayed") == "true") == done
        assert [t["title"] for t in one.tasks()] == [key]
