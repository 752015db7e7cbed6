# SPDX-License-Identifier: AGPL-3.0-or-later
"""Idempotency-Key over every row of the table that takes one, and why the
other POSTs and PATCHes take none."""

import subprocess

import pytest

import docket
from docket import ROUTES, Client
from places import places
from victims import Someone

ONCE = [r for r in ROUTES if "ROUTE_IDEMPOTENT" in r.flags]

# A key belongs to a caller and keeps a reply. It is not for who has no account
# yet, nor for replies with secrets; and what compares secrets counts the tries
# in transactions of their own, which a stored reply cannot be one with.
NO_CALLER = {"api_register", "api_login", "api_token", "api_refresh",
             "api_revoke", "api_introspect", "api_otp_send", "api_otp_verify",
             "api_password_reset"}
SECRET_REPLY = {"api_key_create", "api_key_rotate", "api_cookie_set"}
SECRET_COMPARED = {"api_password", "api_me_change"}
# Afterwards nobody is there to ask again; and lists only read.
OTHERS = {"api_logout", "api_task_list"}


def key(value):
    return [("Idempotency-Key", value)]


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


@rows([r for r in ROUTES if r.method in ("POST", "PATCH")])
def test_every_post_and_patch_takes_a_key_or_says_why(row):
    excused = NO_CALLER | SECRET_REPLY | SECRET_COMPARED | OTHERS
    assert ("ROUTE_IDEMPOTENT" in row.flags) != (row.handler in excused)


def test_the_document_says_so(api):
    document = api.get("/openapi.json").json
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            told = any("IdempotencyKey" in p.get("$ref", "")
                       for p in said.get("parameters", []))
            assert told == any((r.method, r.path) == (method.upper(), path)
                               for r in ONCE), f"{method} {path}"


class Request:
    """What the row is for, the same every time."""

    def __init__(self, dev, row):
        self.someone, self.row = Someone(dev, row), row
        self.client, self.place = Client(dev), places(row)[0]
        self.ref = self.someone.spare.get(
            self.place.noun, [self.someone.tasks[1]])[0]
        self.place.ready(self.someone.one, self.ref)

    def send(self, expect, *headers):
        return self.place.send(self.client, self.ref, self.someone.tasks[0],
                               expect, token=self.someone.token,
                               headers=list(headers))

    def close(self):
        self.client.close()
        self.someone.one.close()


@pytest.fixture
def request_of(dev):
    made = []

    def make(row):
        made.append(Request(dev, row))
        return made[-1]

    yield make
    for one in made:
        one.close()


@rows(ONCE)
def test_a_replay_does_nothing(ledger, request_of, row):
    asked, k = request_of(row), docket.new_name()
    first = asked.send(row.status, *key(k))
    assert first.header("Idempotency-Replayed") is None
    before = ledger.settled()
    again = asked.send(row.status, *key(k))
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    for name in ("Location", "ETag", "Content-Type"):
        assert again.header(name) == first.header(name), name
    assert set(ledger.changed(before)) <= {"courier_lanes"}


@rows(ONCE)
def test_another_request_is_422(ledger, request_of, row):
    """If-Match is a part of what is asked for."""
    asked, k = request_of(row), docket.new_name()
    asked.send(row.status, *key(k))
    before = ledger.settled()
    reply = asked.send(422, *key(k), ("If-Match", "*"))
    assert reply.code == "idempotency_key_reused"
    assert set(ledger.changed(before)) <= {"courier_lanes"}


class Holder:
    """Another request of that caller's with that key, which does not end."""

    def __init__(self, dev, user, name):
        self.psql = subprocess.Popen(
            [docket.psql(), "-X", "-q", "-A", "-t", "-d", dev.dsn],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("BEGIN; SELECT 'said' FROM pg_advisory_xact_lock("
                 f"hashtextextended('{user} {name}', 0));\n")

    def say(self, words):
        self.psql.stdin.write(words)
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == "said\n"

    def end(self):
        self.say("ROLLBACK; SELECT 'said';\n")
        self.psql.stdin.close()
        assert self.psql.wait(120) == 0
        self.psql.stdout.close()


@rows(ONCE)
def test_in_flight_is_409(dev, ledger, request_of, row):
    asked, k = request_of(row), docket.new_name()
    holder = Holder(dev, asked.someone.one.id, k)
    before = ledger.settled()
    try:
        reply = asked.send(409, *key(k))
        assert reply.code == "idempotency_in_flight"
        assert set(ledger.changed(before)) <= {"courier_lanes"}
    finally:
        holder.end()
    asked.send(row.status, *key(k))


@rows(ONCE)
def test_a_key_out_of_shape_is_400(ledger, request_of, row):
    asked = request_of(row)
    before = ledger.settled()
    for bad in ("x" * 256, "a b"):
        assert asked.send(400, *key(bad)).code == "bad_request"
    assert set(ledger.changed(before)) <= {"courier_lanes"}
