# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every command of the pages for whoever runs a host is run by a test."""

import os
import re
import subprocess

import pytest

import commands
from commands import BOOTED, DATA, NOT_RUN, PAGES, RUN
from docket import ROOT
from tables import SETTINGS


@pytest.mark.parametrize("name", PAGES)
def test_a_command_is_run_somewhere(name):
    text = commands.page(name)
    for language, block in commands.blocks(text)[0]:
        assert language in DATA | {"sh", "text"}, \
            f"{name}: what is this?\n{block}"
    missing = [one for one in commands.of(text)
               if one not in RUN and one not in NOT_RUN]
    assert not missing, f"{name}: no test runs {missing}"


def test_pages_are_those_that_tell_to_do_something():
    """The words of the issue: install, upgrade, look after, restore, scale;
    what is promised; and what these lead to."""
    assert all((ROOT / name).exists() for name in PAGES)
    assert {"docs/operations.md", "docs/security.md", "SECURITY.md"} < \
        set(PAGES)


def test_what_is_said_to_run_a_command_does():
    for one, where in RUN.items():
        place, words = (where, None) if where == BOOTED else where
        file = ROOT / f"tests/{place}.py"
        assert file.exists(), f"{one}: {place}"
        if where != BOOTED:
            assert any((words or one) in said
                       for said in commands.said_by(file)), (one, where)


def test_no_command_of_no_page_is_in_the_table():
    told = {one for name in PAGES for one in commands.of(commands.page(name))}
    assert not (set(RUN) | set(NOT_RUN)) - told
    assert not set(RUN) & set(NOT_RUN)
    assert len(NOT_RUN) <= 3 and all(NOT_RUN.values())


SAMPLE = """Do `docket frob --hard`, with `server.workers = 3`, `GET /x`,
`docket` and `docket
list`; not `docket status`.

```text
one --a \\
    --b   # and `three`
two && four
```

- Or:

  ```text
  five "# six"
  ```

```sh
docket status | cat
docket list --all
```
"""


def test_a_new_command_is_seen():
    assert commands.of(SAMPLE) == [
        "one --a --b", "two", "four", 'five "# six"', "docket frob --hard",
        "docket list"]


def shown(language):
    return [(name, block) for name in PAGES
            for of, block in commands.blocks(commands.page(name))[0]
            if of == language]


def test_settings_that_a_page_shows_are_taken(dev, tmp_path):
    """Each block is a file of its own."""
    path = tmp_path / "docket.conf"
    blocks = shown("conf")
    assert len(blocks) >= 3
    for name, block in blocks:
        path.write_text(block)
        done = subprocess.run(
            [dev.docket(), "-c", path, "config", "show", "--changed"],
            capture_output=True, text=True, timeout=60,
            env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0, f"{name}: {done.stderr}"
        told = [line.split()[0] for line in done.stdout.splitlines()]
        keys = re.findall(r"^\s*(\w+) =", block, re.M)
        assert [one.split(".")[1] for one in told] == keys, (name, told)


def test_the_pooler_of_the_page_is_the_one_that_is_tried():
    """By ./dev run with DEV_POOLER; its limits of time are the settings'."""
    tried = (ROOT / "dev.d/pooler.sh").read_text()
    (ini,), (sql,) = (commands.data("docs/scale-out.md", language)
                      for language in ("ini", "sql"))
    for line in ini.splitlines():
        assert line.split(" = ")[0].partition(" =")[0] in tried, line
    words = " ".join(tried.split())
    for line in sql.splitlines():
        assert line.rstrip(";") in words, line
    said = dict(re.findall(r"SET (\w+) = '(\d+)m?s'", sql))
    ms = {key: int(SETTINGS[key][1]) for key in (
        "server.deadline_ms", "server.shed_ms", "database.lock_ms")}
    assert int(said["statement_timeout"]) == \
        ms["server.deadline_ms"] - ms["server.shed_ms"]
    assert int(said["lock_timeout"]) == ms["database.lock_ms"]


def test_a_command_of_the_database_goes_past_the_pooler(dev):
    """By the environment, which is above the file."""
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "gc", "--dry-run"],
        capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"],
             "DOCKET_DATABASE_DSN": "host=/nowhere dbname=docket"})
    assert done.returncode == 75 and "/nowhere" in done.stderr, done.stderr
