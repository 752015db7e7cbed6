# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL's disk is full, for real: writes get 503 and Retry-After, reads
go on while they can, and it heals when there is room again."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

from docket import SLOW, wait_until
from postgres import everybody_is_back
from watch import watched

pytestmark = pytest.mark.faults


@pytest.fixture
def small(server):
    """Makes small filesystems of the database's user."""
    made = []

    def make(megabytes):
        path = tempfile.mkdtemp(prefix="docket-small-", dir="/var/tmp")
        uid, gid = server.who
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o",
             f"size={megabytes}m,mode=700,uid={uid},gid={gid}", "docket",
             path], capture_output=True, text=True)
        if done.returncode:
            os.rmdir(path)
            pytest.skip(f"no filesystem of its own: {done.stderr.strip()}")
        made.append(path)
        return pathlib.Path(path)

    yield make
    for path in made:
        subprocess.run(["umount", path], check=True)
        os.rmdir(path)


def fill(path):
    """To the last byte."""
    with open(path / "filler", "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass


@contextlib.contextmanager
def tasks_there(server, path):
    server.sql(f"CREATE TABLESPACE small LOCATION '{path}'")
    try:
        server.sql("ALTER TABLE docket.tasks SET TABLESPACE small")
        yield
    finally:
        (path / "filler").unlink(missing_ok=True)
        server.sql("ALTER TABLE docket.tasks SET TABLESPACE pg_default")
        server.sql("DROP TABLESPACE small")


def test_no_room_for_data(box, server, small):
    """SQLSTATE 53100: the statement fails, the connection stands."""
    path = small(64)
    log = len(box.log())
    with tasks_there(server, path), watched(box) as load:
        fill(path)
        before = load.failed()
        wait_until(lambda: load.failed() > before + 100, "a full disk", 30)
        (path / "filler").unlink()
        load.goes_on()
        assert not load.failed_reads, load.failed_reads[:3]
    news = [line for line in box.log()[log:].splitlines()
            if " request " not in line]
    assert any("sqlstate=53100" in line for line in news), news[:5]
    assert not any("db_lost" in line for line in news), news[:5]
    assert len(news) <= 4 * len(box.workers()), news[:20]


def move_wal(server, to):
    """Behind a link, or back when it is one."""
    wal = pathlib.Path(server.dir, "pg_wal")
    if wal.is_symlink():
        os.unlink(wal)
    else:
        wal.rename(server.dir + "/pg_wal.old")
    old = pathlib.Path(server.dir, "pg_wal.old")
    if to:
        shutil.copytree(old, to / "wal")
        os.symlink(to / "wal", wal)
    else:
        old.rename(wal)
    for root, dirs, files in os.walk(to / "wal" if to else wal):
        for name in [*dirs, *files, "."]:
            os.chown(os.path.join(root, name), *server.who)


@contextlib.contextmanager
def wal_there(server, path):
    server.sql("CHECKPOINT")
    server.stop()
    move_wal(server, path)
    server.start()
    everybody_is_back(server.own, 15 * SLOW)
    try:
        yield
    finally:
        (path / "filler").unlink(missing_ok=True)
        if not server.alive():
            server.start()
        server.stop()
        keep = path / "wal"
        old = pathlib.Path(server.dir, "pg_wal.old")
        shutil.rmtree(old)
        shutil.copytree(keep, old)
        move_wal(server, None)
        server.start()


def use_up(server):
    """Go from segment to segment until there is none to be had."""
    end = time.monotonic() + 60 * SLOW
    while time.monotonic() < end:
        try:
            server.sql("SELECT pg_switch_wal()", timeout=10 * SLOW)
        except (AssertionError, subprocess.TimeoutExpired):
            return
        time.sleep(0.02)
    raise AssertionError("there is always another segment")


def test_no_room_for_the_log(box, server, small):
    """PANIC: all connections break, the server restarts, or cannot even do
    that before there is room."""
    path = small(256)
    with wal_there(server, path), watched(box) as load:
        def panic():
            fill(path)
            use_up(server)
            wait_until(lambda: "PANIC" in box.log("postgres"), "PANIC")
            time.sleep(2)
            (path / "filler").unlink()
            wait_until(back, "PostgreSQL to be back")

        def back():
            """It may give up at any moment, and is started again then."""
            if not server.alive():
                server.reap()
                server.start(wait=False)
            return server.ready()

        before = load.failed()
        panic()
        load.goes_on()
        assert load.failed() > before
