# SPDX-License-Identifier: AGPL-3.0-or-later
"""The README keeps its word: the tour is run, the recipe is followed."""

import os
import re
import shutil
import subprocess

import pytest

import docket
import tour
from docket import ROOT
from tour import blocks

pytestmark = pytest.mark.plain

README = (ROOT / "README.md").read_text()


def section(title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README,
                      re.M | re.S)
    assert found, f"README.md has no section {title}"
    return found[1]


def test_the_tour(dev):
    parts = blocks(section("A five-minute tour"), "sh")
    assert len(parts) >= 12
    tour.run(dev, parts)


def test_the_tour_needs_curl_sed_and_nothing_else():
    text = "\n".join(blocks(section("A five-minute tour"), "sh"))
    for tool in ("jq", "python", "awk", "perl", "openssl"):
        assert not re.search(rf"\b{tool}\b", text), tool


def test_the_tour_does_what_a_newcomer_wants():
    text = "\n".join(blocks(section("A five-minute tour"), "sh"))
    for path in ("/otp/send", "/auth/register", "/auth/token", "/auth/me",
                 "/tasks", "/tasks/order", "/auth/refresh", "/auth/logout",
                 "/auth/users", "/auth/keys", "/auth/sessions"):
        assert path in text, path


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:src|include|tests|nginx|sql|systemd)/"
                           r"[\w./]*)`", README):
        assert (ROOT / path).exists() or "next" in path, path


def test_every_room_is_in_the_table():
    rooms = section("The rooms")
    for room in sorted(p.name for p in (ROOT / "src").iterdir()
                       if p.is_dir()):
        assert f"`src/{room}/`" in rooms, room


def test_the_options_of_docketd_exist(dev):
    text = subprocess.run([dev.docketd(), "--help"], capture_output=True,
                          text=True, timeout=120).stdout
    for option in set(re.findall(r"`(?:docketd )?(--[a-z]+)`",
                                 section("Operating it"))):
        if option not in ("--admin", "--dry-run"):
            assert option in text, option


def recipe():
    """The files of `Add an endpoint` and what goes into them."""
    found = re.findall(r"^```\w+ (\S+)\n(.*?)^```$",
                       section("Add an endpoint"), re.M | re.S)
    assert [path.split("/")[0] for path, _ in found] == \
        ["include"] * 3 + ["src", "tests"]
    return dict(found)


# Behind which row of a table the new one goes.
PLACES = {
    "include/tbl/routes.h": r'^ROUTE\(GET,\s+"/tasks/\{id\}".*\n',
    "include/tbl/operations.h": r'^OPERATION\("getTask",.*\n',
    "include/tbl/walk.h": r'^STEP\("getTask",.*\n',
}


def test_the_recipe_has_three_rows_and_two_new_files():
    paths = list(recipe())
    assert paths[:3] == list(PLACES)
    for path in paths[3:]:
        assert not (ROOT / path).exists()


@pytest.mark.long
def test_the_recipe_works(tmp_path_factory):
    """In a copy of the tree: add them all, build, run, test."""
    home = tmp_path_factory.mktemp("recipe")
    tree = home / "tree"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(
        ".git", ".dev", "autom4te.cache", "__pycache__"))
    for path, text in recipe().items():
        if path in PLACES:
            rows = (tree / path).read_text()
            at = re.search(PLACES[path], rows, re.M).end()
            text = rows[:at] + text + rows[at:]
        (tree / path).write_text(text)
    for place in (home, *home.parents):
        if place.is_relative_to("/tmp/pytest-of-" + os.environ.get(
                "USER", "root")):
            place.chmod(0o755)
    environment = {**os.environ, "DEV_DIR": str(home / "dev"),
                   "DEV_PORT": str(docket.free_port())}
    environment.pop("DOCKETD", None)
    try:
        run(environment, tree / "dev", "run", "--detach")
        run(environment, tree / "dev", "docket", "migrate", "status")
        run({**environment, "LONG": "0"}, "/usr/bin/python3", "-m",
            "pytest", "-q", tree / path)
        run({**environment, "LONG": "0"}, "/usr/bin/python3", "-m",
            "pytest", "-q", tree / "tests/api/60_matrix.py", "-k",
            "tasks/next")
    finally:
        subprocess.run([tree / "dev", "stop"], env=environment, timeout=120)


def run(environment, *command):
    done = subprocess.run(command, env=environment, text=True, timeout=900,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
