# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every row of the route table: everything that must not work.

A row that is added is tested here at once. Who may call it is 61_tokens.py,
whose tasks it gives 62_owners.py.
"""

import pytest

from docket import ROUTES

WITH_BODY = [r for r in ROUTES if r.takes_body]
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


# --- who ------------------------------------------------------------------

@rows(GUARDED)
def test_no_token_is_said_before_faults_of_the_body(api, row):
    """What is asked for is nobody's business without a token."""
    if row.takes_body:
        api.request(row.method, row.at("x"), 401, body=b"{")
    api.request(row.method, row.at("x") + "?surprise=1", 401)


@rows([r for r in ROUTES if r.access == "ADMIN"])
def test_an_admins_row_is_403_for_others(alice, row):
    more = {"json": {"token": "x"}} if row.oauth else {}
    reply = alice.request(row.method, row.at(), 403, **more)
    if row.oauth:
        assert reply.json["error"] == "access_denied"
    else:
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
    body = {"json": {"task_id": "1"}} if row.takes_body else {
        "body": b"[]"} if row.takes_file else {}
    reply = caller(row).request(row.method, row.at() + "?surprise=1", 400,
                                **body)
    assert reply.pointers()["?surprise"] == "unknown"
