# SPDX-License-Identifier: AGPL-3.0-or-later
"""PgBouncer before the database, which hands out its few connections by the
transaction: what Docket learns of it, what a key in flight is worth there, and
what its end or the database's costs."""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess

import pytest

import docket
import instance
from docket import SLOW, comm, tries, wait_until
from lock import held, waits
from postgres import Postgres, everybody_is_back
from watch import watched

pytestmark = pytest.mark.faults

LOCK = "SELECT FROM docket.counters WHERE user_id = '{}' FOR UPDATE"


class Pooler:
    """The instance's PgBouncer."""

    def __init__(self, own):
        self.own, self.process = own, None
        self.ini = own.dir / "pooler.ini"
        self.folder = re.search(r"unix_socket_dir = (\S+)",
                                self.ini.read_text())[1]
        self.find()

    def find(self):
        self.pid = int(pathlib.Path(self.folder, "pid").read_text())
        stat = os.stat(f"/proc/{self.pid}")
        self.who = (stat.st_uid, stat.st_gid)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: comm(self.pid) != "pgbouncer" or
                   (self.process and self.process.poll() is not None),
                   "the pooler's end", 30)
        for name in ("pid", ".s.PGSQL.6432"):
            pathlib.Path(self.folder, name).unlink(missing_ok=True)

    def start(self):
        uid, gid = self.who
        who = {} if os.geteuid() else {"user": uid, "group": gid,
                                       "extra_groups": []}
        with open(self.own.dir / "log" / "pgbouncer.log", "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/pgbouncer", self.ini], start_new_session=True,
                cwd=self.own.dir / "run", stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, **who)
        wait_until(pathlib.Path(self.folder, ".s.PGSQL.6432").exists,
                   "the pooler to be back", 30)
        self.pid = self.process.pid

    def set(self, line):
        """A line of its settings, taken at once."""
        self.ini.write_text(self.ini.read_text() + line + "\n")
        os.kill(self.pid, signal.SIGHUP)
        told = self.own.dir / "log" / "pgbouncer.log"
        wait_until(lambda: "RELOAD" in told.read_text() or
                   "SIGHUP" in told.read_text(), "a reload", 10)


@pytest.fixture(scope="module")
def pooled():
    with instance.running("server.workers=4", prompt=True,
                          DEV_POOLER="transaction") as own:
        pooler = Pooler(own)
        yield own, pooler
        if pooler.process:
            pooler.process.kill()
            pooler.process.wait(120)


def through(own):
    """Is it the pooler that serves? It alone reaches so few backends."""
    return own.sql("SELECT count(*) FROM pg_stat_activity WHERE"
                   " usename = 'docket_api' AND pid <> pg_backend_pid()")


def limits(own, pooler):
    """Of one connection of the pooler's: its backend, and the role's limits
    as it has them."""
    done = subprocess.run(
        [docket.psql(), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d",
         f"host={pooler.folder} port=6432 dbname=docket user=docket_api",
         "-c", "SELECT pg_backend_pid(), current_setting('lock_timeout'),"
         " current_setting('statement_timeout') FROM pg_sleep(0.5)"],
        text=True, capture_output=True, timeout=60, check=True)
    return done.stdout.strip().split("|")


def test_every_connection_has_the_roles_limits(pooled):
    """The oldest one too, which somebody made to prepare the database."""
    seen = {}
    while len(seen) < 6:
        for pid, *told in docket.parallel([lambda: limits(*pooled)] * 6):
            seen[pid] = told
    assert set(map(tuple, seen.values())) == {("500ms", "1500ms")}, seen


def at_work(own):
    """Statements of the service's that have not ended, and transactions."""
    return own.sql("SELECT pid FROM pg_stat_activity WHERE usename ="
                   " 'docket_api' AND application_name <> 'psql' AND state"
                   " <> 'idle' AND pid <> pg_backend_pid()")


@tries(5)
def test_a_key_in_flight_is_told_so(pooled):
    """The lock is the transaction's, wherever that runs; the first waits for
    half a second at most, by the role's limit, in which the twin asks."""
    own, _ = pooled
    one, key = docket.person(own), docket.new_name()
    twin = docket.Client(own)
    sent = {"json": {"title": "once"}, "headers": [("Idempotency-Key", key)]}
    with held(own, LOCK.format(one.id)) as commit, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: one.post("/tasks", None, **sent))
        wait_until(lambda: first.done() or waits(own), "the first to wait")
        reply = twin.post("/tasks", 409, token=one.access, **sent)
        assert reply.code == "idempotency_in_flight"
        commit()
        assert first.result(120).status == 201
    again = twin.post("/tasks", 201, token=one.access, **sent)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.json == first.result().json
    assert len(one.tasks()) == 1


def test_who_is_cut_off_by_its_deadline_leaves_no_lock(pooled):
    """The role's limits of time end what no client waits for."""
    own, _ = pooled
    one = docket.person(own)
    # A machine that stands still may lose the reply of a write that was done:
    # with a key its repetition is the same write.
    sent = {"json": {"title": "in time"},
            "headers": [("Idempotency-Key", docket.new_name())]}
    with held(own, LOCK.format(one.id)):
        reply = one.post("/tasks", None, json={"title": "late"})
        assert reply.status == 503, str(reply)
        wait_until(lambda: not at_work(own), "nobody to be at work")
    wait_until(lambda: one.post("/tasks", None, **sent).status == 201,
               "the tasks to be free")
    assert [t["title"] for t in one.tasks()] == ["in time"]


@pytest.mark.parametrize("what", ["the pooler", "the database"])
def test_one_of_them_dies_and_nothing_acknowledged_is_lost(pooled, what):
    own, pooler = pooled
    broken = pooler if what == "the pooler" else Postgres(own)

    def dies():
        broken.kill() if broken is pooler else broken.crash()
        broken.start()

    with watched(own, in_flight=True) as load:
        before = load.failed()
        load.in_time(dies)
        assert load.failed() > before, "nothing was broken"
    if broken is not pooler:
        assert int(through(own)[0][0]) <= 6, "not by the pooler"


@pytest.mark.parametrize("line, sign", [
    ("", "no start-up options"),
    ("ignore_startup_parameters = options", "no statement is kept")],
    ids=["refuses", "swallows"])
def test_without_a_word_in_the_settings_it_is_found_out(pooled, line, sign):
    """prepared = auto: whether the pooler refuses the options or not, and
    more clients than it has connections."""
    own, pooler = pooled
    drop = own.dir / "conf.d"
    drop.mkdir(exist_ok=True)
    drop.chmod(0o755)
    (drop / "auto.conf").write_text('database { prepared = "auto" }\n')
    (drop / "auto.conf").chmod(0o644)
    if line:
        pooler.set(line)
    told = own.log().count(sign)
    workers = own.workers()
    os.kill(own.supervisor(), signal.SIGHUP)
    wait_until(lambda: not set(workers) & set(own.workers()), "new workers",
               20 * SLOW)
    with watched(own, readers=8, writers=8, in_flight=True) as load:
        load.goes_on()
    everybody_is_back(own, 15 * SLOW)
    assert own.log().count(sign) > told
    assert "db_drift" not in own.log()
    assert " status=500 " not in own.log()
