# SPDX-License-Identifier: AGPL-3.0-or-later
"""Odd requests that cost more, or did something else, than they say."""

import subprocess
import time

import pytest

import docket
from docket import Client

pytestmark = pytest.mark.alone


def key(value):
    return [("Idempotency-Key", value)]


def unasked(dev):
    """The log's lines that are not a request's own."""
    return [line for line in dev.log().splitlines() if " request " not in line]


@pytest.mark.parametrize("q", ['%22', "%21", "-", "%20"])
def test_a_search_without_a_word_is_one_line_in_the_log(dev, fresh, q):
    """PostgreSQL's NOTICE must not come once a row, nor at all."""
    one = fresh()
    for number in range(20):
        one.task(f"task {number}")
    before = unasked(dev)
    reply = one.get(f"/tasks?q={q}&limit=1&count=exact")
    rid = "rid=" + reply.header("X-Request-Id")
    docket.wait_until(lambda: rid in dev.log(), f"the line of {rid}")
    assert dev.log().count(rid) == 1
    assert unasked(dev) == before


@pytest.mark.parametrize("member", ["username", "email", "phone"])
def test_a_name_that_nobody_can_have_is_not_unfolded(dev, member):
    """U+FDFA becomes 18 characters under NFKC."""
    client = Client(dev)
    reply = client.post("/auth", 401, json={member: "\ufdfa" * 80000,
                                            "password": "wrong password"})
    assert reply.code == "credentials_invalid"


def test_the_login_limit_is_the_accounts_whatever_it_is_called(dev):
    client = Client(dev)
    phone, email = docket.new_phone(), docket.new_email()
    one = docket.person(dev, email=email, phone=phone)
    names = [("username", one.username), ("email", email), ("phone", phone)]
    for turn in range(10):
        member, value = names[turn % 3]
        client.post("/auth", 401, json={member: value, "password": "wrong!!!"})
    for member, value in names:
        reply = client.post("/auth", 429, json={member: value,
                                                "password": "wrong!!!"})
        assert int(reply.header("Retry-After")) > 0


def test_somebody_elses_right_password_forgives_no_wrong_one(dev):
    """The owner's forgives, a guesser's own does not."""
    client, one, guesser = Client(dev), docket.person(dev), docket.person(dev)
    wrong = {"username": one.username, "password": "wrong!!!"}
    for _ in range(10):
        client.post("/auth", 401, json=wrong)
        client.post("/auth", 200, json={"username": guesser.username,
                                        "password": guesser.password})
    client.post("/auth", 429, json=wrong)


def test_one_idempotency_key_does_not_stand_for_two_queries(fresh):
    one = fresh()
    first, second = one.task("first"), one.task("second")
    path = "/tasks/update_task?task_id="
    one.post(path + first["id"], json={"title": "new"}, headers=key("k1"))
    reply = one.post(path + second["id"], 422, json={"title": "new"},
                     headers=key("k1"))
    assert reply.code == "idempotency_key_reused"
    assert one.get("/tasks/" + second["id"]).json["task"]["title"] == "second"


@pytest.mark.parametrize("zone", [
    "UTC+3", "Nonsense5", "ABC-99", "PST", "posixrules", "localtime",
    "Factory", "right/UTC", "posix/Europe/Berlin"])
def test_what_is_no_iana_zone_is_refused(alice, zone):
    """To PostgreSQL UTC+3 is three hours WEST of Greenwich."""
    reply = alice.post("/tasks", 400, json={
        "title": "x", "due_date": "2026-01-31T09:30:00",
        "due_timezone": zone})
    assert set(reply.pointers()) == {"/due_timezone"}


def test_two_names_for_the_task_to_delete_must_agree(fresh):
    one = fresh()
    first, second = one.task("first"), one.task("second")
    one.post("/tasks/delete_task?task_id=" + second["id"], 400,
             json={"task_id": first["id"]})
    assert len(one.tasks()) == 2
    one.post("/tasks/delete_task?task_id=" + first["id"],
             json={"task_id": first["id"]})
    assert [task["title"] for task in one.tasks()] == ["second"]


def test_an_empty_if_match_is_no_blank_cheque(alice):
    task = alice.task("mine")
    alice.put("/tasks/" + task["id"], 412, json={"title": "new"},
              headers=[("If-Match", "")])
    assert alice.get("/tasks/" + task["id"]).json["task"]["title"] == "mine"


def hold(dev, table, seconds):
    """A lock that every statement on the table waits for."""
    script = (f"BEGIN; LOCK TABLE docket.{table} IN ACCESS EXCLUSIVE MODE; "
              f"\\echo held\nSELECT pg_sleep({seconds}); ROLLBACK;")
    held = subprocess.Popen(
        [docket.psql(), "-qAtX", "-v", "ON_ERROR_STOP=1", dev.read("dsn")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    held.stdin.write(script)
    held.stdin.close()
    assert held.stdout.readline().strip() == "held"
    return held


@docket.tries(5)
def test_the_deadline_is_the_requests_not_each_statements(own):
    """2.5 s in all, though two statements wait 1.8 s and more: with a
    deadline of its own the second would make it 4.3 s."""
    one = docket.person(own)
    locks = [hold(own, "tasks", 6), hold(own, "sessions", 1.8)]
    try:
        start = time.monotonic()
        reply = one.post("/tasks", 503, json={"title": "late"},
                         headers=key("late"))
        assert reply.header("Retry-After")
        assert time.monotonic() - start < 4
    finally:
        for lock in locks:
            lock.wait()
            lock.stdout.close()
    # A worker that gave up has a connection to make anew.
    docket.wait_until(lambda: one.get("/tasks", None).status == 200,
                      "the list again")
    assert one.tasks() == []
