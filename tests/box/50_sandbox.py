# SPDX-License-Identifier: AGPL-3.0-or-later
"""A probe in the service's place tries what the sandbox forbids."""

import re
import subprocess

import pytest

from docket import ROOT

pytestmark = pytest.mark.long

# What may succeed; all else of the probe's is refused. The master secret is
# docketd's own file.
MAY = {
    "docket": {"unix", "read_secret"},
    # It runs programs of the administrator's, and talks to the world.
    "docket-courier": {"unix", "exec", "exec_shell", "inet", "inet6"},
    "docket-gc": {"unix", "read_secret"},
}


@pytest.fixture(scope="module")
def probe(installed, tmp_path_factory):
    made = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                    "-o", made, ROOT / "tests" / "box" / "probe.c"],
                   check=True)
    installed.put(made, "/usr/sbin/docket-probe")
    installed.run("chmod 755 /usr/sbin/docket-probe; touch /root/.bashrc")
    return installed


def said_by(machine, unit):
    """{what: how} of a probe that runs once under a unit's own lines."""
    text = machine.path(f"/lib/systemd/system/{unit}.service").read_text()
    text = re.sub(r"/usr/s?bin/docket[a-z-]*( -c \S+| gc -c \S+)?",
                  "/usr/sbin/docket-probe", text)
    text = re.sub(r"^(Type|NotifyAccess|Sockets|Restart|WatchdogSec|Requires"
                  r"|PartOf|ExecReload)=.*\n", "", text, flags=re.M)
    text = text.replace("[Service]\n", "[Service]\nType=oneshot\n"
                        f"StandardOutput=truncate:/run/probe-{unit}\n")
    machine.path(f"/run/systemd/system/probe-{unit}.service").write_text(text)
    machine.run(f"systemctl daemon-reload; systemctl start probe-{unit}")
    said = machine.path(f"/run/probe-{unit}").read_text()
    return dict(line.split() for line in said.splitlines())


@pytest.mark.parametrize("unit", sorted(MAY))
def test_what_is_forbidden_is_refused(probe, unit):
    said = said_by(probe, unit)
    print(said)
    assert len(said) == 20
    assert {what for what, how in said.items() if how == "ok"} == MAY[unit]


def test_the_probe_can_do_it_all_elsewhere(probe):
    """As root, without a sandbox: what it tries is possible here."""
    said = probe.run("/usr/sbin/docket-probe")
    refused = {line.split()[0] for line in said.splitlines()
               if not line.endswith(" ok")}
    assert not refused - {"packet"}, said


@pytest.mark.parametrize("unit, most", [
    ("docket", 0.5), ("docket-courier", 1.2), ("docket-gc", 0.5)])
def test_the_score_as_installed(installed, unit, most):
    said = installed.run(f"systemd-analyze security {unit}.service --no-pager"
                         " | tail -n 1")
    print(said.strip())
    assert float(re.search(r": ([\d.]+) ", said)[1]) <= most
