# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every command of the pages for whoever runs a host is run by a test."""

import os
import subprocess

import pytest

import commands
from commands import BOOTED, DATA, NOT_RUN, PAGES, RUN
from docket import ROOT


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


def test_a_command_of_the_database_goes_past_the_pooler(dev):
    """By the environment, which is above the file."""
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "gc", "--dry-run"],
        capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"],
             "DOCKET_DATABASE_DSN": "host=/nowhere dbname=docket"})
    assert done.returncode == 75 and "/nowhere" in done.stderr, done.stderr
