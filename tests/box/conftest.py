# SPDX-License-Identifier: AGPL-3.0-or-later
"""Packages of this tree and of one before it, and a machine to put them on."""

import os
import re

import pytest

import box as boxes
from docket import wait_until


@pytest.fixture(autouse=True)
def alive():
    """The instance of the other tests has no part in these."""
    yield


@pytest.fixture(scope="session")
def new():
    return boxes.packages("new", again=False)


@pytest.fixture(scope="session")
def old():
    return boxes.packages("old", "--version", boxes.OLD, "--quick",
                          again=False)


@pytest.fixture(scope="session")
def machine(old):
    if os.geteuid() != 0:
        pytest.skip("a container is for root alone")
    made = boxes.Box(boxes.base([old["docket"], old["docket-courier"]]))
    try:
        yield made
    finally:
        (boxes.HOME / "journal").write_text(
            made.run("journalctl --no-pager", None))
        made.close()


CALL = ("curl --silent --show-error --fail-with-body --insecure"
        " https://docket.example")

# What a sysadmin types, and no more.
STEPS = (
    "apt-get install -y ./docket_*.deb ./docket-courier_*.deb",
    "docket setup --domain docket.example --self-signed",
    CALL + "/auth/register --json '{\"username\":\"first\","
    "\"password\":\"correct horse battery\"}'",
    CALL + "/tasks --oauth2-bearer @TOKEN@ -w ' %{http_code}'"
    " --json '{\"title\":\"The first\"}'")


@pytest.fixture(scope="module")
def patient(installed):
    """What waits for a slow machine is not shed: only a lost request fails."""
    path = "/etc/docket/conf.d/60-patient.conf"
    installed.run(f"echo 'server {{ shed_ms = 8000 }}' >{path};"
                  " systemctl reload docket.service")
    wait_until(lambda: "new settings" in installed.show(
        "docket.service", "StatusText")["StatusText"], "the reload", 30)
    yield installed
    installed.run(f"rm {path}; systemctl reload docket.service")


@pytest.fixture(scope="session")
def installed(machine, old):
    """The old version, set up; .steps says how that went."""
    for one in ("docket", "docket-courier"):
        machine.put(old[one], f"/root/{old[one].name}")
    machine.steps, token = [], ""
    for line in STEPS:
        said = machine.run(line.replace("@TOKEN@", token))
        machine.steps.append((line, said))
        found = re.search(r'"access_token":"([^"]*)"', said)
        token = found[1] if found else ""
    return machine
