# SPDX-License-Identifier: AGPL-3.0-or-later
"""The runbook, followed with the fault made for real: what a section says to
look at shows it."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import docket
import instance
import tour
from courier import running
from docket import SLOW, Client, wait_until
from postgres import Postgres, everybody_is_back

pytestmark = pytest.mark.faults

RUNBOOK = (docket.ROOT / "docs/runbook.md").read_text()


@pytest.fixture(scope="module")
def mine():
    with instance.running("server.workers=2", "server.auth_workers=2") as one:
        yield one


@pytest.fixture(scope="module")
def shell(mine, tmp_path_factory):
    """A shell as the page makes it, and in it the blocks of a section."""
    path = tour.command(mine, tmp_path_factory.mktemp("bin"))

    def follow(section):
        begin = tour.blocks(RUNBOOK, "sh")[0]
        part = RUNBOOK.split(f"\n## {section}\n")[1].split("\n## ")[0]
        looks = tour.blocks(part, "sh")
        assert looks, section
        return subprocess.run(
            ["bash"], input="\n".join([begin, *looks]), text=True,
            timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": f"{path}:{os.environ['PATH']}",
                 "CA": str(mine.dir / "ca.pem")}).stdout
    return follow


@pytest.fixture
def client(mine):
    client = Client(mine)
    yield client
    client.close()


def owner(mine, statement):
    subprocess.run([docket.psql(), "-X", "-q", "-d", Postgres(mine).root,
                    "-c", statement], check=True, timeout=30)


def shows(shell, section, *words):
    """Sooner or later, for figures are those of some moment."""
    said = ""

    def seen():
        nonlocal said
        said = shell(section)
        return all(re.search(one, said, re.M) for one in words)

    try:
        wait_until(seen, section, 15 * SLOW)
    except AssertionError:
        raise AssertionError(f"{section}: {words} not in:\n{said}") from None


def test_the_front_is_gone(mine, shell):
    """The service answers, and curl says that nobody listens."""
    [nginx] = mine.pids()["front"]
    said = pathlib.Path(f"/proc/{nginx}/cmdline").read_text().rstrip("\0")
    words = said.replace("\0", " ").split(" process ")[-1].split()
    os.kill(nginx, signal.SIGQUIT)
    try:
        shows(shell, "DocketDown", r"^docket      ok$", r"curl: \(7\)")
    finally:
        process = subprocess.Popen(
            words, cwd=mine.dir / "run", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        pids = mine.pids()
        pids["front"] = [process.pid]
        (mine.dir / "pids").write_text(
            json.dumps(pids, separators=(",", ":")) + "\n")
    shows(shell, "DocketDown", r"^200$")


def test_the_database_is_away(mine, shell):
    postgres = Postgres(mine)
    postgres.stop()
    try:
        shows(shell, "DocketDatabaseAway", r"^docket_database_up 0$",
              r'event="lost"} [1-9]', "the database is away",
              "somebody should look")
    finally:
        postgres.start()
        everybody_is_back(mine, 15 * SLOW)
    shows(shell, "DocketDatabaseAway", r"^docket_database_up 1$")


def test_the_database_takes_no_write(mine, shell, client):
    """Reads go on; the operation and PostgreSQL's number are told."""
    lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity" \
        " WHERE usename = 'docket_api'"
    role = "ALTER ROLE docket_api {} default_transaction_read_only {}"

    def refused():
        client.post("/auth/register", None, json={
            "username": docket.new_name(), "password": "correct horse"})
        return "db_refused statement=register_plain sqlstate=25006" \
            in mine.log()

    owner(mine, role.format("SET", "= on"))
    try:
        owner(mine, lost)
        wait_until(refused, "PostgreSQL's refusal", 15 * SLOW)
        shows(shell, "DocketErrors",
              r'operation="registerUser",.*status="5xx"} [1-9]')
        client.get("/readyz", 200)
    finally:
        owner(mine, role.format("RESET", ""))
        owner(mine, lost)
        everybody_is_back(mine, 15 * SLOW)


def test_settings_that_cannot_serve(mine, shell):
    conf = mine.dir / "docket.conf"
    good = conf.read_text()
    conf.write_text(good + "\nrubbish = 1\n")
    try:
        os.kill(mine.supervisor(), signal.SIGHUP)
        wait_until(lambda: "reload_refused" in mine.log(), "the refusal")
        said = shell("DocketReloadRefused")
        assert re.search(rf"{re.escape(str(conf))}:\d+: .*rubbish", said), \
            said
    finally:
        conf.write_text(good)
    shows(shell, "DocketReloadRefused", "are good",
          r'result="refused"} [1-9]')


def test_workers_that_die(mine, shell):
    before = mine.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(mine.workers()) == len(before) and
               before[0] not in mine.workers(), "a new worker")
    shows(shell, "DocketWorkersDie", r'how="died"} [1-9]')


@pytest.mark.skipif(SLOW > 1, reason="who hangs is killed before it is seen")
def test_a_worker_that_hangs(mine, shell):
    # Of the other group: the main one tells.
    pid = int(re.search(r"^hash.0 +(\d+)", shell("DocketWorkersHang"),
                        re.M)[1])
    os.kill(pid, signal.SIGSTOP)
    try:
        shows(shell, "DocketWorkersHang", rf"^\S+ +{pid} +hung ")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_way_out_that_fails(mine, shell):
    owner(mine, "UPDATE docket.courier_lanes SET opened_at = now(), open_until"
                " = now() + interval '1 h', last_error = 'no credit'"
                " WHERE channel = 'sms'")
    shows(shell, "DocketBreakerOpen", r"^lane sms open .*error=no credit")
    owner(mine, "UPDATE docket.courier_lanes SET opened_at = NULL,"
                " open_until = NULL, last_error = NULL")


def test_a_courier_that_does_not_run(mine, shell, client):
    [courier] = [pid for pid in mine.pids()["app"]
                 if docket.comm(pid) == "docket-courier"]
    os.kill(courier, signal.SIGTERM)
    wait_until(lambda: not running(courier), "its end")
    docket.send_otp(client, docket.new_phone())
    owner(mine, "UPDATE docket.outbox SET next_at = now() - interval '150 s'")
    shows(shell, "DocketOutboxStuck", r" sms due to=\+98912\*\*\*",
          r'age_seconds{channel="sms"} 1[5-9]\d')


def test_somebody_tries_passwords(mine, shell, client):
    one = docket.registered(mine)
    for _ in range(11):
        client.post("/auth", None, json={"username": one.username,
                                         "password": "wrong horse"})
    shows(shell, "DocketLoginStorm", "login_failed .*ip=127.0.0.1",
          r"^docket_login_locks_total [1-9]", r'result="failed"} [1-9]\d')


def test_a_replaced_token_comes_back(mine, shell, client):
    one = docket.registered(mine)
    pair = {"refresh_token": one.refresh}
    for _ in range(2):
        pair = client.post("/auth/refresh", json={
            "refresh_token": pair["refresh_token"]}).json
    client.post("/auth/refresh", 401, json={"refresh_token": one.refresh})
    shows(shell, "DocketRefreshReused", "refresh_reuse .*user=",
          r'result="reused"} [1-9]')
