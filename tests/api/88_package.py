# SPDX-License-Identifier: AGPL-3.0-or-later
"""What `make install` lays down, and the files that packages are made by."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from docket import ROOT

pytestmark = pytest.mark.plain

DEBIAN = ROOT / "debian"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A tree as `make install DESTDIR=` makes it, of the build under test."""
    folder = tmp_path_factory.mktemp("installed")
    build = pathlib.Path(os.environ.get("DOCKETD", "")).parent
    if not (build / "Makefile").exists():
        pytest.skip("the programs under test come from no build tree")
    # Each group of directories by itself: `all` would make what others test.
    done = subprocess.run(
        ["make", "-C", str(build), "install", f"DESTDIR={folder}"],
        capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


def names(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")
            if not p.is_dir()}


def test_make_install_lays_down_all_of_it(installed):
    found = names(installed)
    prefix = "usr/local"
    for path in ("sbin/docketd", "sbin/docket-courier", "bin/docket",
                 "etc/docket/docket.conf", "lib/sysusers.d/docket.conf",
                 "lib/sysusers.d/docket-courier.conf",
                 "lib/tmpfiles.d/docket.conf", "share/docket/sql/roles.sql",
                 "share/docket/nginx/docket-site.conf",
                 "share/docket/systemd/docket.service.d/tcp.conf.example"):
        assert f"{prefix}/{path}" in found, path
    units = {p.name for p in (ROOT / "systemd").iterdir() if p.is_file()}
    assert {f"{prefix}/lib/systemd/system/{name}" for name in units} <= found
    migrations = {p.name for p in (ROOT / "sql/migrations").iterdir()}
    assert {f"{prefix}/share/docket/migrations/{m}"
            for m in migrations} <= found
    assert not [path for path in found if not path.startswith(prefix)], \
        "outside the prefix"


def test_what_is_installed_names_where_it_is(installed):
    """Debian's paths would lead elsewhere under another prefix."""
    for path in (installed / "usr/local/lib").rglob("*"):
        if path.is_file():
            text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.M)
            assert not re.search(r"(?<!local)/s?bin/docket", text), path
            assert not re.search(r"(?<!local)/etc/docket", text), path
    site = (installed / "usr/local/share/docket/nginx/docket-site.conf")
    assert "@" not in site.read_text()


def test_an_administrators_settings_stay(installed):
    """make install again, over what was changed."""
    conf = installed / "usr/local/etc/docket/docket.conf"
    conf.write_text("# mine\n")
    build = pathlib.Path(os.environ["DOCKETD"]).parent
    subprocess.run(["make", "-C", str(build), "install-data",
                    f"DESTDIR={installed}"], capture_output=True,
                   timeout=600, check=True)
    assert conf.read_text() == "# mine\n"


def test_the_shipped_settings_are_taken(dev):
    """And say nothing that is not the default."""
    said = subprocess.run(
        [dev.docketd(), "-c", str(ROOT / "share/docket.conf"), "--nginx"],
        capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"]})
    assert said.returncode == 0, said.stderr
    plain = subprocess.run(
        [dev.docketd(), "-c", "/dev/null", "--nginx"], capture_output=True,
        text=True, timeout=120, check=False, env={"PATH": os.environ["PATH"]})
    assert said.stdout == plain.stdout


# --- debian/ --------------------------------------------------------------

SCRIPTS = sorted(p for p in DEBIAN.rglob("*") if p.is_file()
                 and p.read_bytes().startswith(b"#!/bin/sh"))


def test_maintainer_scripts_are_sound():
    assert {"docket.postinst", "docket.prerm", "docket.postrm",
            "docket.config", "smoke"} <= {p.name for p in SCRIPTS}
    for path in SCRIPTS:
        subprocess.run(["dash", "-n", str(path)], check=True)
        if path.suffix in (".postinst", ".prerm", ".postrm"):
            assert "#DEBHELPER#" in path.read_text(), path
            assert "\nset -e\n" in path.read_text(), path


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
def test_shellcheck_finds_nothing_in_them():
    said = subprocess.run(
        ["shellcheck", "-s", "dash", "-e", "SC1091", *map(str, SCRIPTS),
         str(ROOT / "tests/box/boot.sh")],
        capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout


def test_the_version_is_one():
    first = (DEBIAN / "changelog").read_text().splitlines()[0]
    own = re.search(r"^AC_INIT\(\[docket\], \[([^]]*)\]",
                    (ROOT / "configure.ac").read_text(), re.M)[1]
    assert first.startswith(f"docket ({own}) ")


def test_packages_build_with_what_dev_installs():
    """Every library of debian/control is one of ./dev's."""
    control = (DEBIAN / "control").read_text()
    wanted = re.search(r"^Build-Depends:(.*?)\n\n", control, re.M | re.S)[1]
    libraries = set(re.findall(r"\blib[a-z0-9-]+-dev\b", wanted))
    known = (ROOT / "dev.d/packages.sh").read_text()
    assert len(libraries) > 8
    assert not {one for one in libraries if one not in known}


def test_templates_are_translatable():
    """po/templates.pot has every sentence that is asked."""
    pot = (DEBIAN / "po/templates.pot").read_text()
    for line in (DEBIAN / "docket.templates").read_text().splitlines():
        if line.startswith("_Description:"):
            assert line.partition(": ")[2] in pot, line


def test_overrides_are_few_and_explained():
    n = 0
    for path in DEBIAN.glob("*.lintian-overrides"):
        lines = path.read_text().splitlines()
        assert lines[0].startswith("# "), f"{path}: no reason"
        n += sum(not line.startswith("#") for line in lines)
    assert n <= 3


# --- what is promised -----------------------------------------------------

def test_promises_name_tests_that_exist():
    """A folder's name in front of one holds for those that follow it."""
    n = 0
    for line in (ROOT / "docs/security.md").read_text().splitlines():
        folder = ""
        for name in re.findall(r"`((?:[a-z]+/)?\d\d_[a-z0-9_]+)`", line):
            where, slash, stem = name.rpartition("/")
            folder = where if slash else folder
            assert (ROOT / "tests" / folder / f"{stem}.py").exists(), name
            n += 1
    assert n > 25
