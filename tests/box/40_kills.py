# SPDX-License-Identifier: AGPL-3.0-or-later
"""What dies or hangs is replaced, and what was acknowledged is there."""

import contextlib
import os
import signal
import time

import pytest

import box as boxes
from callers import Callers
from docket import children, wait_until

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def fresh(installed, patient):
    installed.run("systemctl reset-failed")
    yield
    wait_until(lambda: ready(installed), "the service", 60)


def ready(machine):
    return machine.run(
        "curl --silent --insecure --max-time 3 https://docket.example/readyz"
        " -o /dev/null -w '%{http_code}'", None) == "200"


def outside(machine, unit):
    """The pid of a unit's main process as this host numbers it."""
    inside = machine.pid(unit)
    for pid in boxes.descendants(machine.leader):
        with contextlib.suppress(OSError), \
                open(f"/proc/{pid}/status") as status:
            line = next(one for one in status if one.startswith("NSpid:"))
            if line.split()[-1] == str(inside):
                return pid
    raise AssertionError(f"{unit}: no process {inside}")


def test_a_killed_worker(installed):
    supervisor = outside(installed, "docket.service")
    with installed.inside():
        with Callers(prefix="worker") as load:
            for _ in range(10):
                time.sleep(0.3)
                os.kill(children(supervisor)[0], signal.SIGKILL)
            time.sleep(1)
    print(load)
    assert outside(installed, "docket.service") == supervisor
    # A read is asked of the next worker; a write in hand may be lost.
    assert not [one for one in load.failed if one[1] == "GET"], load.failed
    assert len(load.failed) <= 10 and load.lost(installed) == []


def test_a_killed_supervisor(installed):
    before = int(installed.show("docket.service", "NRestarts")["NRestarts"])
    with installed.inside():
        with Callers(prefix="supervisor") as load:
            time.sleep(0.5)
            os.kill(outside(installed, "docket.service"), signal.SIGKILL)
            time.sleep(0.5)
            wait_until(lambda: ready(installed), "the next one", 30)
            time.sleep(1)
    print(load)
    after = int(installed.show("docket.service", "NRestarts")["NRestarts"])
    assert after == before + 1
    assert not [one for one in load.failed if one[1] == "GET"], load.failed
    assert load.lost(installed) == []


def test_a_killed_postgresql(installed):
    cluster = "postgresql@15-main.service"
    with installed.inside():
        with Callers(prefix="database") as load:
            time.sleep(1)
            os.kill(outside(installed, cluster), signal.SIGKILL)
            wait_until(lambda: installed.show(cluster, "ActiveState")
                       ["ActiveState"] == "failed", "its death", 30)
            installed.run(f"systemctl start {cluster}")
            wait_until(lambda: ready(installed), "the database", 60)
            time.sleep(1)
            mark = time.monotonic()
            time.sleep(2)
    print(load)
    assert load.lost(installed) == []
    assert {why[:3] for _, _, why in load.failed} <= {"503"}, load.failed[:5]
    assert not [one for one in load.failed if one[0] > mark]
    assert ready(installed)


def test_a_hung_worker_is_replaced(installed):
    supervisor = outside(installed, "docket.service")
    pid = children(supervisor)[0]
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: pid not in children(supervisor), "its end", 60)
    assert "worker_hung" in installed.run(
        "journalctl -o cat --no-pager -u docket.service"
        " --since '-2min'")
    assert outside(installed, "docket.service") == supervisor


def test_a_hung_supervisor_is_killed_by_the_watchdog(installed):
    pid = outside(installed, "docket.service")
    begun = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "its end", 90)
    took = time.monotonic() - begun
    print(f"the watchdog took {took:.0f} s")
    wait_until(lambda: ready(installed), "the next one", 30)
    assert "Watchdog timeout" in installed.run(
        "journalctl -o cat --no-pager -u docket.service --since '-3min'")
    assert took < 90
