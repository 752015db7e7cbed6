# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers that are killed, that cannot start, that hang."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

import docket
from docket import SANITIZED, SLOW, wait_until
from held import alive, crashing, drop_in, fresh_front, processes
from load import Load

pytestmark = pytest.mark.faults

EX_SOFTWARE, EX_CONFIG = 70, 78
MAX_R = 10		# supervisor.c; as many again as there are workers


# --- killed ---------------------------------------------------------------

@pytest.mark.parametrize("kills", [
    15, pytest.param(300, marks=pytest.mark.long)])
def test_workers_killed_at_random_under_load(own, kills):
    """Every 200 ms: no write is lost or doubled, and no read fails."""
    crew = len(own.workers())
    supervisor, begun = own.supervisor(), len(own.log())
    with Load(own, readers=5, writers=3) as load:
        for _ in range(kills):
            os.kill(random.choice([pid for pid in own.workers()
                                   if alive(pid)]), signal.SIGKILL)
            time.sleep(0.5 if SANITIZED else 0.2)
        wait_until(lambda: load.writes and load.reads > kills, str(load))
    print(f"{kills} kills: {load}")
    assert load.lost_and_doubled() == ([], [])
    assert not load.failed_reads, load.failed_reads[:3]
    # Half of them; fifteen are allowed three standard deviations above it.
    chance = 0 if kills > 100 else 3 * (kills / 4) ** 0.5
    assert len(load.failed_writes) <= kills / 2 + chance, load.failed_writes[:3]
    assert own.supervisor() == supervisor and alive(supervisor)
    wait_until(lambda: own.log()[begun:].count("signal=9 served=") == kills,
               "all deaths to be told")
    wait_until(lambda: len(own.workers()) == crew, "a whole crew")


# --- crash at start -------------------------------------------------------

class Doomed:
    """A docketd of its own beside the instance, on the same database."""

    def __init__(self, own, *settings, **environment):
        self.own = own
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="docket-doomed-",
                                                 dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.keys = self.dir / "jwt.keys"
        shutil.copy(own.dir / "keys" / "jwt.keys", self.keys)
        owner = os.stat(own.dir / "keys" / "jwt.keys")
        for path in (self.dir, self.keys):
            os.chown(path, owner.st_uid, owner.st_gid)
        self.log = self.dir / "log"
        command = [own.docketd(), "-c", own.dir / "docket.conf"]
        for setting in (f"server.socket={self.dir}/main.sock",
                        f"server.auth_socket={self.dir}/auth.sock",
                        f"auth.key_file={self.keys}", "server.workers=2",
                        "server.auth_workers=2", *settings):
            command += ["--set", setting]
        if os.environ.get("DEV_SANITIZE"):
            environment.setdefault("ASAN_OPTIONS", "detect_leaks=0")
            if "memory_mb" not in str(settings):
                command += ["--set", "server.memory_mb=0"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment})

    def text(self):
        return self.log.read_text()

    def wait_for(self, what):
        wait_until(lambda: what in self.text(), what, 20 * SLOW)

    def deaths(self):
        return len(re.findall(r"worker_died .* served=0$", self.text(),
                              re.M))

    def gives_up(self, code):
        """It tried as often as it may, and ended whole."""
        assert self.process.wait(30 * SLOW) == code, self.text()[-2000:]
        assert f"giving_up exit={code}" in self.text()
        assert 4 + MAX_R < self.deaths() <= 2 * 4 + MAX_R + 2, self.text()
        assert not processes(f"server.socket={self.dir}/main.sock")
        assert not (self.dir / "main.sock").exists()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(120)
        shutil.rmtree(self.dir)


@pytest.fixture
def doomed(own):
    made = []

    def make(*settings, **environment):
        made.append(Doomed(own, *settings, **environment))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_workers_that_crash_at_their_start(own, doomed, tmp_path):
    """A fault in the program, as a library that crashes in each worker."""
    one = doomed(**crashing(tmp_path))
    one.gives_up(EX_SOFTWARE)
    assert "signal=11 served=0" in one.text()


@pytest.mark.skipif(bool(os.environ.get("DEV_SANITIZE")),
                    reason="the sanitizers need their address space")
def test_workers_without_room_to_start(own, doomed):
    """RLIMIT_AS of a megabyte: the settings are at fault, and it says so."""
    doomed("server.memory_mb=1").gives_up(EX_CONFIG)


def test_a_key_that_is_gone_after_the_start(own, doomed):
    """It serves on with the keys that it has, until a worker is due."""
    one = doomed()
    one.wait_for('how="Serving"')
    one.keys.unlink()
    assert one.process.poll() is None
    os.kill(docket.children(one.process.pid)[0], signal.SIGKILL)
    one.gives_up(EX_CONFIG)


SETTLED = 400 if SANITIZED else 50	# ms


def settled(own):
    """How many workers have got their statements ready and said no more."""
    return int(own.sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'docketd' AND state = 'idle'"
        f" AND state_change < now() - interval '{SETTLED} ms'")[0][0])


def test_killed_before_they_served_is_no_crash_at_start(own, doomed):
    """KILL comes from outside: even a whole crew after another lives on."""
    others = len(own.workers())
    wait_until(lambda: settled(own) == others, "others ready", 20 * SLOW)
    one = doomed()
    one.wait_for('how="Serving"')
    for _ in range(4 + MAX_R + 2):
        wait_until(lambda: settled(own) == others + 4, "4 ready", 20 * SLOW)
        os.kill(docket.children(one.process.pid)[-1], signal.SIGKILL)
    assert one.process.poll() is None, one.text()[-2000:]
    one.process.terminate()
    assert one.process.wait(30 * SLOW) == 0




# --- hung -----------------------------------------------------------------

DEADLINE_MS, HUNG_S = 1000, 5	# crew.c: four deadlines, five seconds at least


@pytest.fixture
def hasty(own):
    """A short deadline, so that hanging is soon found."""
    with drop_in(own, f"server {{ deadline_ms = {DEADLINE_MS} }}\n"):
        yield own


@contextlib.contextmanager
def replaced_while_others_serve(own, stop):
    """Inside, stop() returns the pid of a worker that it stopped. From then
    on until it is found, all get on but for those who stand in one of its
    connections, and new connections are taken by others."""
    crew, begun = len(own.workers()), time.monotonic()
    pid = stop()
    stood = sockets(pid)
    with Load(own, readers=8, writers=4) as load:
        counts = []
        while alive(pid):
            assert time.monotonic() - begun < (HUNG_S + 5) * SLOW, "not found"
            counts.append((load.reads, load.writes))
            load.ended.wait(1)
    found = time.monotonic() - begun
    print(f"found after {found:.1f} s; {stood} sockets; {load}; {counts}")
    yield pid, load, stood
    assert found > HUNG_S - 2, "too early"
    # In most of these seconds both went on; who waited for it would not have.
    went = [r1 > r0 and w1 > w0 for (r0, w0), (r1, w1)
            in zip(counts, counts[1:])]
    assert 2 * sum(went) > len(went), counts
    assert load.lost_and_doubled() == ([], [])
    assert re.search(rf"worker_hung worker=main\S+ pid={pid} ", own.log())
    wait_until(lambda: len(own.workers()) == crew and
               pid not in own.workers(), "its replacement", 20)


def sockets(pid):
    """How many it has at most: connections and a few others."""
    try:
        return sum(os.readlink(path).startswith("socket:")
                   for path in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        return 16


def test_a_worker_stopped_while_idle(hasty):
    """Without connections: it listens, and has the fewest."""
    fresh_front(hasty)
    with replaced_while_others_serve(hasty, lambda: stopped(
            main_workers(hasty)[0])) as (_, load, _):
        assert not load.failed_reads, load.failed_reads[:3]
        assert not load.failed_writes, load.failed_writes[:3]


def test_a_worker_stopped_with_connections(hasty):
    """Only what stands in its connections fails, and is told so."""
    fresh_front(hasty)
    with Load(hasty, readers=4, writers=4) as before:
        time.sleep(0.5)
    assert not before.failed_reads and not before.failed_writes
    with replaced_while_others_serve(hasty, lambda: stopped(
            main_workers(hasty)[1])) as (_, load, stood):
        failed = load.failed_reads + load.failed_writes
        assert len(failed) <= stood, failed
        assert all(" 503 " in said or " 502 " in said or " 504 " in said
                   for _, said in failed), failed


def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    return pid


def main_workers(own):
    """Those who serve requests without a password: forked first."""
    return own.workers()[:4]


def syscalls(own):
    """What each of them waits in: {pid: number}, all alike when idle."""
    return {pid: pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0]
            for pid in main_workers(own)}


def stays(own, rest):
    """Who is elsewhere whenever one looks: others may look at their clock."""
    looks = []
    for _ in range(10):
        looks.append({pid for pid, call in syscalls(own).items()
                      if call not in rest})
        time.sleep(0.005)
    return sorted(set.intersection(*looks))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees into a worker")
def test_a_worker_stopped_in_a_request(hasty):
    """It waits for a lock; whoever waits elsewhere than all has it."""
    fresh_front(hasty)
    said, one = [], docket.person(hasty)
    asks = threading.Thread(target=lambda: said.append(
        one.post("/tasks", None, json={"title": "stuck"}, check=False)))

    def stop():
        wait_until(lambda: len(set(syscalls(hasty).values())) == 1, "rest")
        rest = set(syscalls(hasty).values())
        with locked_tasks(hasty):
            asks.start()
            return stopped(wait_until(lambda: stays(hasty, rest),
                                      "one that waits")[0])

    with replaced_while_others_serve(hasty, stop) as (_, load, stood):
        assert len(load.failed_reads + load.failed_writes) <= stood
    asks.join(120)
    assert said[0].status in (502, 504), str(said[0])


@contextlib.contextmanager
def locked_tasks(own):
    """Whoever touches a task waits."""
    held = subprocess.Popen(
        [docket.psql(), "-X", "-q", "-d", own.dsn],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    held.stdin.write("BEGIN; LOCK TABLE docket.tasks;\n")
    held.stdin.flush()
    wait_until(lambda: own.sql("SELECT 1 FROM pg_locks WHERE granted AND"
                               " mode = 'AccessExclusiveLock'"), "a lock")
    try:
        yield
    finally:
        held.communicate(timeout=120)
