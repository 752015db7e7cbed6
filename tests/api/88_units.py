# SPDX-License-Identifier: AGPL-3.0-or-later
"""The units: systemd understands them, and the courier's stop is gentle."""

import re
import shutil
import subprocess

import pytest

import docket

pytestmark = pytest.mark.plain

FOLDER = docket.ROOT / "systemd"
UNITS = sorted(p.name for p in FOLDER.iterdir() if p.is_file())

ANALYZE = pytest.mark.skipif(not shutil.which("systemd-analyze"),
                             reason="no systemd-analyze here")


@ANALYZE
def test_systemd_understands_every_line(tmp_path):
    """With a program that is there in the place of ours."""
    for name in UNITS:
        text = (FOLDER / name).read_text()
        text = re.sub(r"/usr/s?bin/docket[a-z-]*", "/bin/true", text)
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
        (tmp_path / name).write_text(text)
    assert len(UNITS) == 7
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no",
         *[str(tmp_path / name) for name in UNITS]],
        capture_output=True, text=True, timeout=60, check=False)
    assert not said.stdout + said.stderr


def exposure(path):
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager",
         str(path)], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+) ", said.stdout)
    assert found, said.stdout + said.stderr
    return float(found[1])


@ANALYZE
@pytest.mark.parametrize("name, most", [
    ("docket", 0.5), ("docket-courier", 1.2), ("docket-gc", 0.5)])
def test_how_exposed_a_service_is(name, most):
    score = exposure(FOLDER / f"{name}.service")
    print(f"score: {name}.service: exposure {score}, at most {most}")
    assert score <= most


@ANALYZE
def test_a_weaker_sandbox_is_seen(tmp_path):
    text = (FOLDER / "docket.service").read_text()
    for line in ("PrivateNetwork=yes", "ProtectSystem=strict"):
        assert f"\n{line}\n" in text
        (tmp_path / "docket.service").write_text(
            text.replace(f"\n{line}\n", "\n"))
        assert exposure(tmp_path / "docket.service") > \
            exposure(FOLDER / "docket.service"), line


@ANALYZE
def test_a_database_over_tcp_needs_a_drop_in_alone(tmp_path):
    """What it opens is the network, and nothing else."""
    text = (FOLDER / "docket.service").read_text()
    more = (FOLDER / "docket.service.d/tcp.conf.example").read_text()
    merged = text.replace("[Install]", more.partition("[Service]\n")[2]
                          + "[Install]")
    (tmp_path / "docket.service").write_text(merged)
    score = exposure(tmp_path / "docket.service")
    print("score: docket.service with a database over TCP: exposure"
          f" {score}, at most 1.2")
    assert score <= 1.2


def test_the_sockets_are_like_the_settings():
    """As docketd would make them itself."""
    for name, path in (("docket", "docket"), ("docket-auth", "auth")):
        unit = dict(lines(f"{name}.socket"))
        assert unit["ListenStream"] == f"/run/docket/{path}.sock"
        assert (unit["Backlog"], unit["SocketMode"]) == ("4096", "0660")
        assert unit["Service"] == "docket.service"


def test_a_restart_by_hand_is_never_refused():
    for name in ("docket.service", "docket-courier.service"):
        assert dict(lines(name))["StartLimitIntervalSec"] == "0"


def lines(name):
    return [line.split("=", 1) for line in
            (FOLDER / name).read_text().splitlines()
            if "=" in line and not line.startswith("#")]


def test_a_stop_lets_a_message_in_hand_be_finished():
    """Longer than the longest sending, and no signal to what sends it."""
    unit = dict(lines("docket-courier.service"))
    assert unit["KillMode"] == "mixed"
    assert int(unit["TimeoutStopSec"]) > 60 + 10
    # 16 senders a channel with a resolver's thread each, and their parent.
    assert int(unit["TasksMax"]) > 2 * 16 * 2 + 1
    assert set(unit["RestrictAddressFamilies"].split()) == \
        {"AF_UNIX", "AF_INET", "AF_INET6"}


def test_what_expires_is_swept_without_anybody():
    unit = dict(lines("docket-gc.service"))
    assert unit["ExecStart"].split()[:2] == ["/usr/bin/docket", "gc"]
    assert dict(lines("docket-gc.timer"))["WantedBy"] \
        == "timers.target docket.target"
