# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket status and docket top: told by the service over its own sockets,
whatever of it is down."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import threading

import pytest

import docket
import fastcgi
from docket import SANITIZED, SLOW, Client, wait_until
from openmetrics import scrape
from postgres import Postgres, everybody_is_back


def command(mine, *words):
    return [mine.docket(), "-c", str(mine.dir / "docket.conf"), *words]


def run(mine, *words):
    return subprocess.run(command(mine, *words), capture_output=True,
                          text=True, timeout=60)


def status(mine):
    """The exit code, and the object; the page says the same."""
    done = run(mine, "status", "--json")
    told = json.loads(done.stdout)
    assert ["ok", "degraded", "down"][done.returncode] == told["status"], \
        done.stdout
    return done.returncode, told


# --- status ---------------------------------------------------------------

def test_it_is_fine(mine):
    code, told = status(mine)
    assert (code, told["problems"]) == (0, [])
    assert told["workers"]["idle"] + told["workers"]["busy"] == 5
    assert told["workers"]["hung"] == 0
    assert told["database_up"] is True and told["uptime_seconds"] >= 0
    assert told["schema"] == len(list(
        (docket.ROOT / "sql/migrations").glob("*.sql")))
    assert told["outbox"]["sms"] == {
        "messages": 0, "dead": 0, "due_seconds": 0, "breaker_open": False,
        "held": False}
    assert re.match(r"\S+ [HE]S256, \d+ in the ring", told["key"])
    version = run(mine, "--version").stdout.split()[1]
    assert told["version"] == version
    page = run(mine, "status")
    assert page.returncode == 0, page.stdout
    for words in (f"version     {version}", "docket      ok", "uptime",
                  "workers     starting 0", "database    up, schema",
                  "sms         0 messages", "email       0 messages", "keys"):
        assert words in page.stdout, page.stdout


def test_the_rate_is_of_now(mine):
    """Less what status itself asks."""
    client = Client(mine)
    for _ in range(50):
        client.get("/healthz")
    client.close()
    before = status(mine)[1]
    assert before["requests_per_second"] == 0
    assert before["requests"] > 50
    assert 0 < before["p50_seconds"] <= before["p99_seconds"]


def test_keys_that_are_none_are_told(mine, tmp_path):
    ring = tmp_path / "jwt.keys"
    words = ("status", "--json", "--set", f"auth.key_file={ring}")
    for put, said in ((None, "docket setup"), ("short", "docket check")):
        if put:
            ring.write_text(put)
            ring.chmod(0o600)
        told = json.loads(run(mine, *words).stdout)
        assert said in told["key"], told
        assert told["status"] == "ok"


def test_wrong_words_are_usage(mine):
    for words in (["status", "x"], ["status", "--yaml"], ["top", "x"]):
        assert run(mine, *words).returncode == 64, words


@pytest.mark.faults
def test_without_a_database_it_is_down(mine):
    postgres = Postgres(mine)
    postgres.stop()
    try:
        wait_until(lambda: status(mine)[0] == 2, "the loss", 20 * SLOW)
        code, told = status(mine)
        assert "the database is away" in told["problems"]
        assert told["workers"]["idle"] > 0
        assert told["outbox"]["sms"]["held"] is None
        assert "database    away" in run(mine, "status").stdout
    finally:
        postgres.start()
        everybody_is_back(mine, 15 * SLOW)
    wait_until(lambda: status(mine)[0] == 0, "all is well again", 30 * SLOW)


@pytest.mark.faults
def test_a_breaker_is_worth_a_look(mine):
    owner = Postgres(mine).root
    sql = ("UPDATE docket.courier_lanes SET opened_at = {0},"
           " open_until = {0} WHERE channel = 'sms'")
    for value in ("now()", "NULL"):
        subprocess.run([docket.psql(), "-X", "-q", "-d", owner, "-c",
                        sql.format(value)], check=True, timeout=120)
        code, told = status(mine)
        if value == "NULL":
            assert code == 0, told
        else:
            assert code == 1 and "sms: the breaker is open" in \
                told["problems"], told


def test_the_dead_do_not_wait(mine):
    owner = Postgres(mine).root

    def sql(statement):
        subprocess.run([docket.psql(), "-X", "-q", "-d", owner, "-c",
                        statement], check=True, timeout=30)

    sql("UPDATE docket.courier_lanes SET held_at = now();"
        " INSERT INTO docket.outbox (id, channel, address, purpose, sealed,"
        " next_at, expires_at) SELECT gen_random_uuid(), 'sms', 'x', 'login',"
        " '', now(), now() + interval '1 h' FROM generate_series(1, 2);"
        " INSERT INTO docket.dead_letters (id, channel, address, purpose,"
        " tries, created_at, expires_at) SELECT gen_random_uuid(), 'sms',"
        " 'x', 'login', 1, now(), now() FROM generate_series(1, 3)")
    told = status(mine)[1]["outbox"]
    page = run(mine, "status").stdout
    sql("DELETE FROM docket.outbox; DELETE FROM docket.dead_letters;"
        " UPDATE docket.courier_lanes SET held_at = NULL")
    assert (told["sms"]["messages"], told["sms"]["dead"]) == (2, 3)
    assert (told["email"]["messages"], told["email"]["dead"]) == (0, 0)
    assert re.search(r"^sms +2 messages, due for \d+ s, 3 dead,", page, re.M)


@pytest.mark.faults
@pytest.mark.skipif(SANITIZED, reason="who hangs is killed before it is seen")
@pytest.mark.parametrize("group", ["main", "hash"])
@docket.tries(3)
def test_a_group_that_hangs_is_down(mine, group):
    client = Client(mine)
    told = scrape(client, "?workers=true").families[
        "docket_worker_busy_seconds"]
    client.close()
    pids = [int(dict(labels)["pid"]) for _, labels in told.samples
            if dict(labels)["worker"].startswith(group)]
    path = fastcgi.sockets(mine)[
        "socket" if group == "main" else "auth_socket"]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        code, told = status(mine)
        assert code == 2
        assert f"{path}: no answer within 3 s" in told["problems"], told
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    wait_until(lambda: status(mine)[0] == 0, "all is well again", 30)


@contextlib.contextmanager
def deserted(mine):
    """The supervisor looks away, and its workers are dead: the sockets are
    there, and nobody takes what comes."""
    before = mine.workers()
    os.kill(mine.supervisor(), signal.SIGSTOP)
    try:
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        yield
    finally:
        os.kill(mine.supervisor(), signal.SIGCONT)
    wait_until(lambda: len(mine.workers()) == len(before) and
               not set(before) & set(mine.workers()) and
               status(mine)[0] == 0, "all is well again", 30 * SLOW)


@pytest.mark.faults
def test_without_a_worker_it_is_down(mine):
    paths = fastcgi.sockets(mine)
    with deserted(mine):
        code, told = status(mine)
        assert code == 2
        assert told["problems"] == [
            f"{paths[name]}: no answer within 3 s"
            for name in ("socket", "auth_socket")]
        assert told["requests"] is None and told["database_up"] is None
        done = run(mine, "top", "--once", "--set", "server.auth_socket=")
        assert done.returncode == 69
        assert done.stdout.splitlines()[0] == \
            "docketd does not answer: no answer within 3 s"
        assert len(done.stdout.splitlines()) == 2
    told = status(mine)[1]
    assert told["workers"]["ended"] >= 5


@pytest.mark.faults
def test_top_needs_no_database(mine):
    postgres = Postgres(mine)
    postgres.stop()
    try:
        wait_until(lambda: status(mine)[0] == 2, "the loss", 20 * SLOW)
        done = run(mine, "top", "--once")
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith("5 workers, ")
        rows = done.stdout.splitlines()[2:]
        assert sorted(int(row.split()[1]) for row in rows) == mine.workers()
    finally:
        postgres.start()
        everybody_is_back(mine, 15 * SLOW)
    wait_until(lambda: status(mine)[0] == 0, "all is well again", 30 * SLOW)


def test_nothing_serves(mine, tmp_path):
    gone = str(tmp_path / "gone.sock")
    done = run(mine, "status", "--json", "--set", f"server.socket={gone}",
               "--set", "server.auth_socket=")
    told = json.loads(done.stdout)
    assert done.returncode == 2
    assert told["problems"] == [f"{gone}: No such file or directory"]
    assert told["database_up"] is None and told["version"] is None
    assert told["workers"]["idle"] is None
    page = run(mine, "status", "--set", f"server.socket={gone}")
    assert page.returncode == 2
    assert page.stdout.startswith("docket      down\n")


# --- who answers is not what it says -------------------------------------

def record(kind, content):
    return bytes([1, kind, 0, 1]) + len(content).to_bytes(2, "big") \
        + b"\0\0" + content


@contextlib.contextmanager
def impostor(tmp_path, pieces):
    """Somebody else at the socket; pieces() are sent to each who asks."""
    path = str(tmp_path / "sock")
    over = threading.Event()

    def serve():
        while not over.is_set():
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.settimeout(10 * SLOW)
                    peer.recv(65536)
                    for piece in pieces(over):
                        peer.sendall(piece)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(0.2)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield ("--set", f"server.socket={path}", "--set",
                   "server.auth_socket=")
        finally:
            over.set()
            thread.join()


def asked(mine, sets, *words):
    done = run(mine, *words, *sets)
    return done.stdout + done.stderr


def test_a_terminal_gets_no_orders(mine, tmp_path):
    row = ('docket_worker_busy_seconds{{worker="main.{}",state="idle",'
           'operation="{}",pid="0"}} 1\n')
    body = ('docket_build_info{version="9\033]0;gone\007"} 1\n'
            'docket_start_time_seconds -1e300\n'
            'docket_gc_time_seconds 1e300\n'
            'docket_schema_version \n'
            + row.format(0, "good") + row.format(1, "\033[2J")
            + row.format(2, "\x9b2J")).encode("latin-1")

    def pieces(over):
        yield record(6, b"Status: 200 OK\r\n\r\n" + body)
        yield record(3, bytes(8))

    with impostor(tmp_path, pieces) as sets:
        for words in (("status",), ("status", "--json"), ("top", "--once")):
            done = subprocess.run(command(mine, *words, *sets), timeout=60,
                                  capture_output=True)
            told = done.stdout + done.stderr
            assert all(byte == 10 or 32 <= byte < 127 for byte in told), told
            assert (b"main.0" in told) == (words[0] == "top"), told
            assert b"main.1" not in told and b"main.2" not in told


def test_who_dribbles_is_late(mine, tmp_path):
    def pieces(over):
        yield record(6, b"Status: 200 OK\r\n\r\n")
        while not over.wait(0.3):
            yield record(6, b"#")

    with impostor(tmp_path, pieces) as sets:
        assert "no answer within 3 s" in asked(mine, sets, "status")
        assert "no answer within 3 s" in asked(mine, sets, "top", "--once")


def test_an_answer_without_an_end_is_cut(mine, tmp_path):
    def pieces(over):
        while not over.is_set():
            yield record(6, bytes(65528))

    with impostor(tmp_path, pieces) as sets:
        assert "Message too long" in asked(mine, sets, "status")


@pytest.mark.parametrize("answer", [b"\r\n\r\n", b"Status: 20", b""])
def test_half_an_answer_is_none(mine, tmp_path, answer):
    def pieces(over):
        yield record(6, answer)
        yield record(3, bytes(8))

    with impostor(tmp_path, pieces) as sets:
        assert "it refuses to tell" in asked(mine, sets, "status")


# --- top ------------------------------------------------------------------

def test_top_once_lists_every_worker(mine):
    def one_is_busy():
        """Who answered last may not have said yet that it is done."""
        done = run(mine, "top", "--once")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("5 workers, "), done.stdout
        return "5 workers, 1 busy, 0 hung" in done.stdout and done.stdout

    said = wait_until(one_is_busy, "one that is busy with this")
    assert "\033" not in said
    head, columns, *rows = said.splitlines()
    assert columns.split()[:4] == ["WORKER", "PID", "STATE", "OPERATION"]
    assert sorted(int(row.split()[1]) for row in rows) == mine.workers()
    busy = [row.split() for row in rows if "getMetrics" in row]
    assert len(busy) == 1 and busy[0][2] == "busy"
    if os.geteuid() == 0:
        for row in rows:
            assert int(row.split()[-1]) > 100, row


def test_top_into_a_pipe_is_once(mine):
    assert len(run(mine, "top").stdout.splitlines()) == 7


def test_top_says_that_nothing_answers(mine, tmp_path):
    done = run(mine, "top", "--once", "--set",
               f"server.socket={tmp_path}/gone", "--set",
               "server.auth_socket=")
    assert done.returncode == 69
    assert "docketd does not answer" in done.stdout


class Screen:
    """A command under a terminal of its own; our hold of its side keeps what
    it has set there."""

    def __init__(self, words):
        self.fd, self.its = pty.openpty()
        termios.tcsetwinsize(self.its, (24, 120))
        self.before = termios.tcgetattr(self.its)
        self.process = subprocess.Popen(
            words, stdin=self.its, stdout=self.its, stderr=self.its,
            start_new_session=True)
        self.said = ""

    def read(self, seconds=0.1):
        while select.select([self.fd], [], [], seconds)[0]:
            self.said += os.read(self.fd, 65536).decode("ascii")
            seconds = 0
        return self.said

    def lines(self):
        """Does it give keys as lines?"""
        return bool(termios.tcgetattr(self.its)[3] & termios.ICANON)

    def status(self):
        wait_until(lambda: self.read(0.02) and
                   self.process.poll() is not None, "its end")
        self.read(0)
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)
        os.close(self.its)


@pytest.fixture
def screen(mine):
    found = Screen(command(mine, "top"))
    yield found
    found.close()


@pytest.mark.parametrize("how", ["q", "INT"])
def test_top_is_a_screen_that_is_put_back(screen, how):
    assert screen.before[3] & termios.ICANON
    # The second picture has rates and shares.
    wait_until(lambda: screen.read().count("\033[H") >= 3, "three pictures",
               30 * SLOW)
    assert screen.said.startswith("\033[?1049h\033[?25l\033[H")
    assert not screen.lines()
    assert "main.0" in screen.said and "hash.1" in screen.said
    last = screen.said.split("\033[H")[-2]
    row = next(r for r in last.split("\r\n") if r.startswith("main.0"))
    assert re.search(r" \d+ +\d+\x1b\[K$", row) or os.geteuid(), row
    if how == "q":
        os.write(screen.fd, b"xq")
    else:
        screen.process.send_signal(signal.SIGINT)
    assert screen.status() == 0
    assert screen.said.endswith("\033[?25h\033[?1049l")
    assert termios.tcgetattr(screen.its) == screen.before
