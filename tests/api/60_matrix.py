# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every row of the route table: everything that must not work.

A row that is added is tested here at once. It only has to be taught below
(BODY) when it takes a body that names a task.
"""

import json
import uuid

import pytest

import docket
from docket import ROUTES, anonymous

WITH_BODY = [r for r in ROUTES if r.takes_body]
WITH_ID = [r for r in ROUTES if "{id}" in r.path]
WITH_QUERY = [r for r in ROUTES if r.query != "fields_none"]
GUARDED = [r for r in ROUTES if r.access != "PUBLIC"]


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


@pytest.fixture
def caller(alice, admin, fresh):
    """Somebody whom the row lets in, and whom a logout does not hurt."""
    def choose(row):
        if row.handler == "api_logout":
            return fresh()
        return admin if row.access == "ADMIN" else alice

    return choose


def code_of(reply, row):
    return reply.json["error"] if row.oauth else reply.code


# --- who ------------------------------------------------------------------

@rows(GUARDED)
def test_no_token(api, row):
    """RFC 6750 section 3.1: a plain challenge without an error code."""
    reply = api.request(row.method, row.at(), 401)
    assert reply.code == "token_missing"
    assert reply.header("WWW-Authenticate").startswith("Bearer")
    assert "error=" not in reply.header("WWW-Authenticate")


@rows(GUARDED)
def test_garbage_token(api, row):
    for token in ("garbage", "a.b.c", "e30.e30."):
        reply = api.request(row.method, row.at(), 401, token=token)
        assert reply.code == "token_invalid"
        assert 'error="invalid_token"' in reply.header("WWW-Authenticate")


@rows(GUARDED)
def test_no_token_is_said_before_faults_of_the_body(api, row):
    """What is asked for is nobody's business without a token."""
    if row.takes_body:
        api.request(row.method, row.at("x"), 401, body=b"{")
    api.request(row.method, row.at("x") + "?surprise=1", 401)


@rows(GUARDED)
def test_a_revoked_token(dev, fresh, row):
    one = fresh()
    task = one.task()
    token = one.access
    one.post("/auth/logout")
    more = {} if row.method in ("GET",) or not row.takes_body \
        else {"json": BODY.get(row.handler, lambda t: {})(task["id"])}
    reply = one.request(row.method, row.at(task["id"]), 401, token=token,
                        **more)
    assert reply.code == "token_revoked"


@rows([r for r in ROUTES if r.access == "ADMIN"])
def test_an_admins_row_is_403_for_others(alice, row):
    reply = alice.request(row.method, row.at(), 403)
    assert reply.code == "forbidden"


# --- what -----------------------------------------------------------------

@rows(WITH_BODY)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_wrong_type(caller, row, kind):
    reply = caller(row).request(row.method, row.at(), 415, body=b"{}",
                                type=kind)
    told = reply.header("Accept-Patch" if row.method == "PATCH"
                        else "Accept-Post")
    if row.method in ("PATCH", "POST"):
        assert "application/json" in told


@rows(WITH_BODY)
@pytest.mark.parametrize("body", [
    b"{", b"[]", b"null", b'"x"', b"{}{}", b"\xff", b"\0", b"{'a':1}",
    b'{"a":1,}', b"[" * 5000], ids=lambda b: repr(b[:12]))
def test_rubbish_body(caller, row, body):
    reply = caller(row).request(row.method, row.at(), 400, body=body)
    if row.oauth:
        assert reply.json["error"] == "invalid_request"
    else:
        assert reply.code in ("invalid_json", "invalid_request")
        assert reply.json["errors"]


@rows([r for r in WITH_BODY if not r.oauth])
def test_unknown_member(caller, row):
    reply = caller(row).request(row.method, row.at(), 400,
                                json={"surprise": 1, "__proto__": {}})
    told = reply.pointers()
    assert told["/surprise"] == "unknown"
    assert told["/__proto__"] == "unknown"


@rows([r for r in WITH_BODY if not r.oauth])
def test_duplicate_member(caller, row):
    reply = caller(row).request(row.method, row.at(), 400,
                                body=b'{"twin":1,"twin":2}')
    told = [(e["pointer"], e["code"]) for e in reply.json["errors"]]
    assert ("/twin", "duplicate") in told


@rows(WITH_BODY)
def test_empty_body(caller, row):
    """Refused, unless the row says that it may be left out."""
    reply = caller(row).request(row.method, row.at(), None, body=b"")
    if "ROUTE_BODY_OPTIONAL" not in row.flags:
        assert reply.status == 400, str(reply)
    elif row.path == "/tasks/delete_task":
        assert reply.code == "task_id_invalid"


@rows(WITH_BODY)
def test_too_large(caller, row):
    body = b'{"x":"' + b"x" * 256 * 1024 + b'"}'
    reply = caller(row).request(row.method, row.at(), 413, body=body)
    if row.oauth:
        assert reply.json["error"] == "invalid_request"
    else:
        assert reply.code == "body_too_large"


@rows(WITH_QUERY)
def test_unknown_query(caller, row):
    body = {"json": {"task_id": "1"}} if row.takes_body else {}
    reply = caller(row).request(row.method, row.at() + "?surprise=1", 400,
                                **body)
    assert reply.pointers()["?surprise"] == "unknown"


# --- whose ----------------------------------------------------------------

# What to send so that only the owner can be the problem.
BODY = {
    "api_task_put": lambda task: {"title": "stolen"},
    "api_task_status": lambda task: {"status": "completed"},
    "api_task_order": lambda task: {"task_ids": [task]},
    "api_task_delete": lambda task: {},
    "api_task_create": lambda task: {"title": "mine"},
    "api_task_list": lambda task: {},
    "api_logout": lambda task: {},
}


def ask(person, row, ref, expect=None):
    """Ask for a task by a row, with the id where that row takes one."""
    more = {}
    if row.takes_body and row.method != "GET":
        body = BODY[row.handler](ref)
        if row.path in ("/tasks/update_task", "/tasks/delete_task"):
            body["task_id"] = ref
        more["json"] = body
    return person.request(row.method, row.at(ref), expect, **more)


NAMES_A_TASK = [r for r in ROUTES if "{id}" in r.path or r.path in (
    "/tasks/update_task", "/tasks/delete_task", "/tasks/order",
    "/tasks/order_task")]


def test_every_row_of_a_task_is_here():
    """Whatever handles one task by its id must be in NAMES_A_TASK."""
    handlers = {r.handler for r in WITH_ID} | {"api_task_order"}
    for row in ROUTES:
        if row.handler in handlers:
            assert row in NAMES_A_TASK, f"teach the matrix {row}"


@rows(NAMES_A_TASK)
def test_own_id(fresh, row):
    """The control: asked by its owner, each of these works."""
    one = fresh()
    assert ask(one, row, one.task()["id"]).status == row.status


@rows(NAMES_A_TASK)
def test_foreign_id(fresh, bob, row):
    """404, byte for byte what a task that never was gets."""
    one = fresh()
    task = one.task("secret title", description="secret words", tags=["s"])
    nowhere = str(uuid.uuid4())
    foreign = ask(bob, row, task["id"], 404)
    absent = ask(bob, row, nowhere, 404)
    assert foreign.code == "task_not_found"
    assert anonymous(foreign).replace(task["id"].encode(), b"id") == \
        anonymous(absent).replace(nowhere.encode(), b"id")
    told = {k for k, _ in foreign.headers} ^ {k for k, _ in absent.headers}
    assert not told, told
    assert one.get("/tasks/" + task["id"]).json["task"] == task


@rows([r for r in NAMES_A_TASK if "task_ids" not in str(
    BODY.get(r.handler, lambda t: {})("x"))])
def test_foreign_id_with_conditions(fresh, bob, row):
    """No header opens it either."""
    one = fresh()
    task = one.task()
    for name, value in (("If-Match", '"1"'), ("If-Match", '"9"'),
                        ("If-None-Match", '"1"'),
                        ("X-User-Id", one.id), ("X-Forwarded-User", one.id),
                        ("X-HTTP-Method-Override", "GET")):
        more = {}
        if row.takes_body:
            body = BODY[row.handler](task["id"])
            if "{id}" not in row.path:
                body["task_id"] = task["id"]
            more["json"] = body
        reply = bob.request(row.method, row.at(task["id"]), 404,
                            headers=[(name, value)], **more)
        assert reply.code == "task_not_found"
    assert one.get("/tasks/" + task["id"]).json["task"] == task


@rows(WITH_ID)
@pytest.mark.parametrize("ref", ["x", "0", "-1", "1.5", "%27", "null",
                                 "0" * 36, "1" * 40])
def test_malformed_id(caller, row, ref):
    more = {"json": BODY[row.handler](ref)} if row.takes_body else {}
    reply = caller(row).request(row.method, row.at(ref), 400, **more)
    assert reply.code == "task_id_invalid"


def test_nobody_ever_sees_anothers_task(fresh, dev, admin):
    """A task with a marker; another user and even an admin call every row of
    the table with whatever ids there are: the marker is in no reply."""
    one, two = fresh(), fresh()
    marker = docket.new_name("marker")
    task = one.task(marker, description=marker, tags=[marker[:40]])
    mine = two.task("mine")
    for person in (two, admin):
        for row in ROUTES:
            if row.path in ("/auth/logout",) or row.access == "PUBLIC":
                continue
            for ref in (task["id"], mine["id"], task["number"]):
                reply = ask(person, row, str(ref)) \
                    if row.handler in BODY else \
                    person.request(row.method, row.at(ref))
                assert marker not in reply.body.decode(), str(reply)
    for query in ("q=" + marker, "tag=" + marker[:40], "count=exact",
                  "sort=title", "limit=200", "created_after=2000-01-01"):
        reply = two.get("/tasks?" + query)
        assert marker not in reply.body.decode(), str(reply)
        assert reply.json.get("total") in (
            None, len(reply.json["tasks"])), str(reply)
    assert one.get("/tasks/" + task["id"]).json["task"] == task
    assert json.dumps(one.tasks()).count(marker) == 3
