# SPDX-License-Identifier: AGPL-3.0-or-later
"""The units: systemd understands them, and the courier's stop is gentle."""

import re
import shutil
import subprocess

import pytest

import docket

FOLDER = docket.ROOT / "systemd"
UNITS = sorted(p.name for p in FOLDER.iterdir())


@pytest.mark.skipif(not shutil.which("systemd-analyze"),
                    reason="no systemd-analyze here")
def test_systemd_understands_every_line(tmp_path):
    """With a program that is there in the place of ours."""
    for name in UNITS:
        text = (FOLDER / name).read_text()
        text = re.sub(r"/usr/s?bin/docket[a-z-]*", "/bin/true", text)
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
        (tmp_path / name).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no",
         *[str(tmp_path / name) for name in UNITS]],
        capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in said.stderr.splitlines() if "docket" in line]
    assert not ours, ours


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
    assert dict(lines("docket-gc.timer"))["WantedBy"] == "timers.target"
