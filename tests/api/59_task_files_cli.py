# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket import and docket export: the same files from the command line."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from docket import SANITIZED
from taskfile import FORMATS, comparable, exported, fetch

SAID = re.compile(r"(\d+) imported, (\d+) there already, (\d+) refused"
                  r"(; nothing was changed \(--dry-run\))?\n")


def run(dev, *words, text=b"", status=os.EX_OK, **more):
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *words], input=text,
        capture_output=True, timeout=600, check=False, **more)
    assert done.returncode == status, f"{done.stdout[:500]}{done.stderr}"
    return done.stdout, done.stderr.decode()


def put(dev, person, text, form, *words, **more):
    """((imported, there, refused), what was said of lines)"""
    text = text.encode() if isinstance(text, str) else text
    out, err = run(dev, "import", "-", "--user", person.username,
                   "--format", form, *words, text=text, **more)
    said = SAID.fullmatch(out.decode())
    return said and tuple(map(int, said.groups()[:3])), err


@pytest.mark.parametrize("form", FORMATS)
def test_there_and_back(dev, fresh, form, tmp_path):
    one, two = fresh(), fresh()
    one.task("=t", tags=["a,b"], due_date="2031-01-31")
    # More than two pages, more than four batches.
    file = "\n".join(json.dumps({"title": f"t{i}", "description": "ü" * 50})
                     for i in range(2300))
    assert put(dev, one, file, "ndjson") == ((2300, 0, 0), "")
    path = tmp_path / f"tasks.{form}"
    out, err = run(dev, "export", "--user", one.username, "-o", path)
    assert out == b"" and err == ""
    assert path.read_bytes() == fetch(one, form).body
    assert run(dev, "export", "--user", one.username, "--format",
               form)[0] == path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    out, _ = run(dev, "import", path, "--user", two.username)
    assert SAID.fullmatch(out.decode())[1] == "2301"
    if form != "ics":
        assert comparable(exported(two)) == comparable(exported(one))
    assert put(dev, two, path.read_bytes(), form) == ((0, 2301, 0), "")


def test_each_refused_line_is_told_and_the_others_are_in(dev, fresh):
    one = fresh()
    counts, err = put(dev, one, "title,status,who\na,,x\n,done,y\nb,nope,z\n"
                      "c,Done,\n", "csv", status=os.EX_DATAERR)
    assert counts == (2, 0, 2)
    assert [line.split(": ")[0] for line in err.splitlines()] == [
        "stdin:3", "stdin:4", "stdin"]
    assert "/title is required" in err and "/status must" in err
    assert err.endswith("not taken, tasks have none: who\n")
    assert [t["title"] for t in exported(one)] == ["a", "c"]


def test_a_dry_run_changes_nothing(dev, fresh):
    one = fresh()
    assert put(dev, one, '{"title":"a"}\n' * 1200, "ndjson",
               "--dry-run") == ((1200, 0, 0), "")
    assert exported(one) == []


def test_unknown_zones_are_refused_by_line(dev, fresh):
    one = fresh()
    line = '{"title":"a","due_date":"2031-01-31T09:30:00"%s}\n'
    file = (line % ',"due_timezone":"Europe/Nowhere"' +
            line % ',"due_timezone":"Europe/Berlin"' + line % "") * 600
    counts, err = put(dev, one, file, "ndjson", "--timezone", "Asia/Tehran",
                      status=os.EX_DATAERR)
    assert counts == (1200, 0, 600)
    assert [int(line.split(":")[1]) for line in err.splitlines()] == \
        list(range(1, 1800, 3))
    assert {t["due_timezone"] for t in exported(one)} == \
        {"Europe/Berlin", "Asia/Tehran"}


@pytest.mark.parametrize("words, status", [
    (["import"], os.EX_USAGE),
    (["import", "-", "--user", "x"], os.EX_USAGE),
    (["import", "-", "--user", "x", "--format", "xml"], os.EX_USAGE),
    (["import", "/nowhere.csv", "--user", "x"], os.EX_NOINPUT),
    (["import", "-", "--user", "nobody-there", "--format", "csv"],
     os.EX_NOUSER),
    (["import", "-", "--user", "x", "--format", "csv", "--timezone", "X"],
     os.EX_USAGE),
    (["export"], os.EX_USAGE),
    (["export", "--user", "nobody-there"], os.EX_NOUSER),
    (["export", "--user", "admin", "--format", "xml"], os.EX_USAGE),
])
def test_what_is_no_use(dev, words, status):
    run(dev, *words, status=status)


def test_a_file_that_cannot_be_written(dev, fresh):
    run(dev, "export", "--user", fresh().username, "-o",
        "/nowhere/tasks.csv", status=os.EX_CANTCREAT)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [dev.docket(), "-c", dev.dir / "docket.conf", "export", "--user",
             fresh().username], stdout=full, stderr=subprocess.PIPE,
            timeout=60, check=False)
    assert done.returncode == os.EX_IOERR and b"No space" in done.stderr


CALLS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
note(const char *what)
{
	int fd = open(getenv("CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (write(fd, what, strlen(what)) < 0)
		abort();
	close(fd);
}

int
fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	note(S_ISDIR(st.st_mode) ? "sync folder\n" : "sync file\n");
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	note("rename\n");
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
"""


def test_a_file_is_on_the_disk_before_it_has_its_name(dev, fresh, tmp_path):
    """And its name is, before the command says that all is done."""
    library, calls = tmp_path / "calls.so", tmp_path / "calls"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-xc", "-"],
                   input=CALLS.encode(), check=True, timeout=60)
    options = os.environ.get("ASAN_OPTIONS", "")
    run(dev, "export", "--user", fresh().username, "-o",
        tmp_path / "t.csv", env={
            **os.environ, "LD_PRELOAD": str(library), "CALLS": str(calls),
            "ASAN_OPTIONS": options + ":verify_asan_link_order=0"})
    assert calls.read_text() == "sync file\nrename\nsync folder\n"


def test_a_record_without_end(dev, fresh):
    counts, err = put(dev, fresh(), 'title\n"a\n' + "x" * (3 << 20), "csv",
                      status=os.EX_DATAERR)
    assert counts == (0, 0, 0) and "stdin:2: the record" in err


def test_a_bar_for_people(dev, fresh, tmp_path):
    """On a terminal alone, and the share of the file is right."""
    path = tmp_path / "t.ndjson"
    path.write_text('{"title":"a"}\n' * 3000)
    person = fresh()
    main, other = pty.openpty()
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "import", path,
         "--user", person.username], stderr=other, stdout=subprocess.PIPE,
        timeout=60, check=True)
    os.close(other)
    shown = os.read(main, 65536).decode()
    os.close(main)
    assert re.search(r"\[#+ +\] +\d+ %", shown), shown
    assert "[" + "#" * 30 + "] 100 %  3000 tasks" in shown
    assert b"\r" not in done.stdout


def peak(dev, *words, **more):
    """(what it said, most kB that it had)"""
    code = ("import resource, subprocess, sys;"
            "r = subprocess.run(sys.argv[1:]).returncode;"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,"
            " file=sys.stderr); sys.exit(r)")
    done = subprocess.run(
        [sys.executable, "-c", code, dev.docket(), "-c",
         dev.dir / "docket.conf", *words], check=True, timeout=1800,
        stderr=subprocess.PIPE, **more)
    return int(done.stderr.split()[-1])


@pytest.mark.plain  # what is there is measured, and sanitizers keep it
@pytest.mark.parametrize("n, words", [
    (7000, 200), pytest.param(1000000, 10, marks=pytest.mark.long)],
    ids=["short", "long"])
@pytest.mark.parametrize("form", FORMATS)
def test_memory_does_not_grow_with_the_file(dev, fresh, tmp_path, n, words,
                                            form):
    """The file is larger than what there may be of it."""
    one, two = fresh(), fresh()
    file = tmp_path / "in.ndjson"
    with open(file, "w", encoding="ascii") as out:
        for i in range(n):
            out.write('{"title":"task %d","description":"%s"}\n'
                      % (i, "words " * words))
    put(dev, one, '{"title":"a"}', "ndjson")
    path = tmp_path / f"tasks.{form}"
    command = ["export", "--user", one.username, "-o", path]
    small = peak(dev, *command, stdout=subprocess.DEVNULL)
    run(dev, "import", file, "--user", one.username)
    out = peak(dev, *command, stdout=subprocess.DEVNULL)
    back = peak(dev, "import", path, "--user", two.username,
                stdout=subprocess.DEVNULL)
    print(f"\n{n} tasks as {form}: export {out} kB, import {back} kB; "
          f"one task {small} kB")
    count = dev.sql("SELECT count(*) FROM docket.tasks WHERE user_id ="
                    " :'id'", id=two.id)
    assert count == [[str(n + 1)]]
    if not SANITIZED:
        assert out < small + 4096 and back < small + 8192


def test_the_words_of_help(dev):
    for noun, words in (("import", b"import FILE|- --user NAME"),
                        ("export", b"export --user NAME")):
        out, _ = run(dev, noun, "--help")
        assert words in out
