# SPDX-License-Identifier: AGPL-3.0-or-later
"""The shell blocks of a page: run in one shell, their words looked for."""

import os
import re
import subprocess

from docket import ROOT, SLOW

SPLIT = "--- next block of the page ---"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def command(dev, folder):
    """`docket` as an administrator has it: it finds the settings itself."""
    path = folder / "docket"
    path.write_text(f"#!/bin/sh\nexec {dev.docket()} -c"
                    f" {dev.dir}/docket.conf \"$@\"\n")
    path.chmod(0o755)
    return str(folder)


def follow(block, output):
    at = 0
    for want in re.findall(r"^# => (.*)$", block, re.M):
        found = output.find(want, at)
        assert found >= 0, f"not there: {want}\nin: {output}\nof: {block}"
        at = found + len(want)


def run(dev, parts, path=""):
    """One shell runs all of them; each one's `# => ` lines occur in what it
    prints, in their order. `path` goes in front of the PATH."""
    script = ["set -euo pipefail"]
    for block in parts:
        script += [block, f"echo; echo '{SPLIT}'"]
    done = subprocess.run(
        ["bash"], input="\n".join(script), text=True, cwd=ROOT,
        timeout=120 * SLOW,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": f"{path}:{os.environ['PATH']}" if path
             else os.environ["PATH"],
             "URL": dev.url, "CA": str(dev.dir / "ca.pem"),
             "HOME": "/nonexistent"})
    said = done.stdout.split(SPLIT)
    for block, output in zip(parts, said):
        follow(block, output)
    assert done.returncode == 0, done.stdout
    assert len(said) == len(parts) + 1
