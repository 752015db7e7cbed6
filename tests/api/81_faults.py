# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers die, settings break, PostgreSQL goes away: it serves on."""

import os
import re
import signal
import time

import pytest

import docket
from docket import SANITIZED, SLOW, Client, new_name, wait_until
from postgres import Postgres, everybody_is_back, unavailable

pytestmark = [pytest.mark.alone, pytest.mark.faults]


# --- workers --------------------------------------------------------------

def test_a_killed_worker_is_replaced(own):
    one = docket.person(own)
    before = own.workers()
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        one.get("/tasks")
    wait_until(lambda: before[0] not in own.workers() and
               len(own.workers()) == len(before), "a new worker")
    assert len(set(before) & set(own.workers())) == len(before) - 1


def test_every_worker_killed_once(own):
    """One after another, reads going on: no request is lost."""
    one = docket.person(own)
    for pid in own.workers():
        os.kill(pid, signal.SIGKILL)
        for _ in range(5):
            one.get("/tasks")
        wait_until(lambda p=pid: p not in own.workers() and
                   len(own.workers()) >= 5, f"{pid} to be replaced")


def test_all_workers_killed_at_once(own):
    one = docket.person(own)
    n = len(own.workers())
    for pid in own.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(own.workers()) == n, "a new crew")
    wait_until(lambda: one.get("/tasks", None, check=False).status == 200,
               "the new crew to serve")


def test_a_worker_told_to_stop_is_replaced_without_a_loss(own):
    one = docket.person(own)
    before = own.workers()
    os.kill(before[0], signal.SIGQUIT)
    for _ in range(20):
        one.get("/tasks")
    wait_until(lambda: before[0] not in own.workers()
               and len(own.workers()) == len(before), "its replacement")


# --- settings -------------------------------------------------------------

def reload(own, what):
    """SIGHUP, and wait for the log to say how that went."""
    before = own.log().count(what)
    os.kill(own.supervisor(), signal.SIGHUP)
    wait_until(lambda: own.log().count(what) > before, f"log: {what}", 20)


def test_a_reload_replaces_the_workers_and_loses_nothing(own):
    one = docket.person(own)
    before = own.workers()
    os.kill(own.supervisor(), signal.SIGHUP)
    wait_until(lambda: one.get("/tasks") and not
               set(before) & set(own.workers()), "new workers", 20)
    wait_until(lambda: len(own.workers()) == len(before), "no old ones")


def test_reloads_on_each_others_heels(own):
    """Before the old workers have left: no request is lost, none stays."""
    one = docket.person(own)
    n = len(own.workers())
    for _ in range(20):
        os.kill(own.supervisor(), signal.SIGHUP)
        for _ in range(10):
            one.get("/tasks")
    wait_until(lambda: one.get("/tasks") and len(own.workers()) == n,
               "one crew and no more", 20)
    log = own.log()
    left = set(re.findall(r"worker_left worker=\S+ pid=(\d+)", log))
    assert not left & {str(pid) for pid in own.workers()}
    assert "worker_died" not in log.rsplit(" reload ", 1)[1]


@pytest.mark.parametrize("broken, why", [
    ("colour = red\n", "docket.conf:"), ("server {\n", "docket.conf:"),
    ("server { workers = many }\n", "docket.conf:")])
def test_a_broken_file_keeps_the_old_settings(own, broken, why):
    one = docket.person(own)
    before = own.workers()
    path = own.dir / "docket.conf"
    good = path.read_text()
    path.write_text(good + broken)
    try:
        reload(own, "reload_refused")
        line = [line for line in own.log().splitlines()
                if "reload_refused" in line][-1]
        assert why in line, line
        assert own.workers() == before
        one.get("/tasks")
    finally:
        path.write_text(good)
    reload(own, "Serving with the new settings")
    one.get("/tasks")


def test_a_setting_takes_effect_by_reload(own):
    one = docket.person(own)
    drop = own.dir / "conf.d"
    drop.mkdir(exist_ok=True)
    path = drop / "test.conf"
    path.write_text("auth { access_ttl = 300 }\n")
    path.chmod(0o644)
    drop.chmod(0o755)
    try:
        reload(own, "Serving with the new settings")
        pair = one.post("/auth/refresh", token=None,
                        json={"refresh_token": one.refresh}).json
        assert pair["expires_in"] == 300
    finally:
        path.unlink()
    reload(own, "Serving with the new settings")
    one.get("/tasks")


# --- PostgreSQL -----------------------------------------------------------

@pytest.fixture
def postgres(own):
    server = Postgres(own)
    yield server
    if not server.ready():
        server.start()
    everybody_is_back(own, 10)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_without_postgresql_503_and_with_it_again_200(own, postgres, how):
    one = docket.person(own)
    before = own.workers()
    one.task("before")
    postgres.stop(how)
    for _ in range(8):
        one.get("/tasks", None)
    took = []
    for i in range(40):
        begun = time.monotonic()
        if i % 2:
            reply = one.get("/tasks", None)
        else:
            reply = one.post("/tasks", None, json={"title": "meanwhile"})
        took.append(time.monotonic() - begun)
        unavailable(reply)
    took.sort()
    print(f"503 within {took[20] * 1000:.1f} ms p50,"
          f" {took[-1] * 1000:.1f} ms max")
    # Half of them at once; whoever waited would do so for 2.5 s.
    assert took[20] < (2 if SANITIZED else 0.5)
    client = Client(own)
    client.get("/healthz", 200)
    assert client.get("/readyz", 503).code == "database_unavailable"
    reply = client.post("/auth/token", 503, form={
        "username": "a", "password": "b"})
    assert reply.json["error"] == "temporarily_unavailable"
    assert own.workers() == before
    postgres.start()
    wait_until(lambda: one.get("/tasks", None).status == 200, "200 again")
    everybody_is_back(own, 10 * SLOW)
    assert client.get("/readyz").json["status"] == "ok"
    client.close()
    assert own.workers() == before
    assert [t["title"] for t in one.tasks()] == ["before"]


def test_what_was_acknowledged_survives_a_crash_of_postgresql(own, postgres):
    """kill -9 of the postmaster's children by SIGQUIT: immediate shutdown
    is a crash to the next start."""
    one = docket.person(own)
    made = [one.task(f"task {i}")["id"] for i in range(20)]
    postgres.stop(signal.SIGQUIT)
    postgres.start()
    wait_until(lambda: one.get("/tasks", None).status == 200, "200 again")
    assert [t["id"] for t in one.tasks()] == made


def test_a_terminated_backend_costs_no_more_than_its_request(own):
    one = docket.person(own)
    before = own.workers()
    for _ in range(3):
        own.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND pid <> pg_backend_pid()")
        for _ in range(10):
            reply = one.get("/tasks", None)
            if reply.status != 200:
                unavailable(reply)
        everybody_is_back(own, 10 * SLOW)
    assert own.workers() == before


def test_an_idempotent_reply_survives_restarts(own, postgres):
    one, key = docket.person(own), new_name()
    sent = {"json": {"title": "once"},
            "headers": [("Idempotency-Key", key)]}
    first = one.post("/tasks", 201, **sent)
    postgres.stop()
    reply = one.post("/tasks", None, **sent)
    unavailable(reply)
    postgres.start()
    for pid in own.workers():
        os.kill(pid, signal.SIGKILL)
    again = wait_until(lambda: (lambda r: r.status == 201 and r)(
        one.post("/tasks", None, check=False, **sent)), "a 201", 20)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    assert len(one.tasks()) == 1


def test_a_client_that_goes_away_costs_nothing(own):
    """Half a request, then silence or a reset."""
    before = own.workers()
    for _ in range(30):
        client = Client(own)
        connection = client.connect()
        connection.putrequest("POST", "/tasks")
        connection.putheader("Content-Length", "1000")
        connection.endheaders()
        connection.send(b"{")
        client.close()
    docket.person(own).get("/tasks")
    assert own.workers() == before
