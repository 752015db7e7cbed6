# SPDX-License-Identifier: AGPL-3.0-or-later
"""The packages as Debian's own tools try them."""

import re
import shutil
import subprocess
import time

import pytest

import box as boxes
from docket import ROOT

pytestmark = pytest.mark.long


def test_autopkgtest(new, old, tmp_path):
    """debian/tests in a booted machine that has never seen Docket. What it
    asks of a test bed, one that is thrown away has."""
    [source] = (boxes.HOME / "new").glob("docket_*.dsc")
    subprocess.run(["dpkg-source", "--no-check", "-x", source,
                    tmp_path / "tree"], check=True, capture_output=True)
    bed = boxes.Box(boxes.base([old["docket"], old["docket-courier"]]))
    try:
        bed.run("apt-get install -y autopkgtest")
        shutil.copytree(tmp_path / "tree", bed.path("/root/tree"),
                        symlinks=True)
        names = []
        for one in ("docket", "docket-courier"):
            bed.put(new[one], f"/root/{new[one].name}")
            names.append("./" + new[one].name)
        said = bed.run(
            "autopkgtest --no-built-binaries --ignore-restrictions="
            f"isolation-container,breaks-testbed {' '.join(names)} ./tree/"
            " -- null", None)
        assert said.code == 0, said[-4000:]
        assert re.search(r"^smoke +PASS$", said, re.M), said[-4000:]
        assert "smoke: good" in said
        print(f"autopkgtest: {said.took:.0f} s")
    finally:
        bed.close()


def test_piuparts(new, tmp_path):
    """Installed without what is only recommended, removed and purged: what
    was there before is as it was."""
    chroot = tmp_path / "base.tar.gz"
    subprocess.run(
        ["mmdebstrap", "--mode=root", "--variant=minbase",
         "--include=ca-certificates,systemd", boxes.codename(), chroot,
         *boxes.sources()], check=True, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=600)
    begun = time.monotonic()
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "piuparts",
         "--basetgz", chroot, "--keep-sources-list",
         "--no-eatmydata", "--distribution", boxes.codename(),
         "--tmpdir", tmp_path, *new.values()], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=900, cwd=ROOT)
    said = done.stdout
    assert done.returncode == 0, said[-4000:]
    assert "PASS: All tests." in said, said[-4000:]
    print(f"piuparts: {time.monotonic() - begun:.0f} s")
