# SPDX-License-Identifier: AGPL-3.0-or-later
"""systemctl restart and reload under load: nobody notices."""

import time

import pytest

from callers import Callers
from docket import wait_until

pytestmark = pytest.mark.long

TIMES = 50


def serving(machine):
    """Its crew, once systemd knows that it serves and nothing else goes on."""
    said = machine.show("docket.service", "ActiveState", "MainPID",
                        "StatusText", "SubState")
    if said["ActiveState"] == "active" and said["SubState"] == "running" \
            and said["StatusText"].startswith("Serving"):
        return said["MainPID"]
    return None


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_no_request_fails(installed, patient, verb):
    before = installed.pid("docket.service")
    with installed.inside():
        with Callers(prefix=verb) as load:
            begun = time.monotonic()
            for _ in range(TIMES):
                installed.run(f"systemctl {verb} docket.service")
                wait_until(lambda: serving(installed), "docketd", 30)
            took = time.monotonic() - begun
    print(f"{TIMES} x {verb} in {took:.0f} s: {load}")
    assert not load.failed, load.failed[:3]
    assert load.count > TIMES and load.lost(installed) == []
    assert load.anew() == 0
    assert (installed.pid("docket.service") != before) == (verb == "restart")
    assert installed.show("docket.service", "NRestarts")["NRestarts"] == "0"


def test_the_whole_target_stops_and_starts(installed):
    """The sockets go with it, and come back with it."""
    installed.run("systemctl stop docket.target")
    for unit in ("docket.service", "docket.socket", "docket-auth.socket",
                 "docket-courier.service", "docket-gc.timer"):
        # systemctl waits for the target alone, not for what it takes along.
        wait_until(lambda unit=unit: installed.show(unit, "ActiveState")
                   ["ActiveState"] == "inactive", f"the end of {unit}", 30)
    wait_until(lambda: not installed.path("/run/docket/docket.sock").exists(),
               "the socket's end", 30)
    installed.run("systemctl start docket.target")
    wait_until(lambda: serving(installed), "docketd", 30)
    assert installed.run(
        "curl --silent --insecure https://docket.example/readyz -o /dev/null"
        " -w '%{http_code}'") == "200"
