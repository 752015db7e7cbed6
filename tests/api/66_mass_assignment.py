# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every row that takes a body: members that nobody may set.

Each is put into a request that would succeed. A row refuses the whole of it
and no row of the database changes; the OAuth endpoints ignore what they do not
know (RFC 6749 section 3.2), and whoever logs in by them is who they were.
"""

import json

import pytest

import docket
from docket import ROUTES
from memory_cases import CASES, World

WITH_BODY = [r for r in ROUTES if r.takes_body]

FORBIDDEN = {
    "id": "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d",
    "user_id": "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d",
    "number": 1, "role": "admin", "roles": ["admin"], "is_admin": True,
    "admin": True, "verified": True, "email_verified": True,
    "email_verified_at": "2026-01-31T09:30:00Z",
    "phone_verified_at": "2026-01-31T09:30:00Z", "status": "Y",
    "active": True, "password_hash": "x", "hash": "x", "scope": "admin",
    "created_at": "2026-01-31T09:30:00Z", "username_key": "x",
    "email_key": "x", "session_id": "x", "version": 1, "owner": "x",
}
# What a login leaves, and no more.
OF_A_LOGIN = {"sessions", "attempts", "audit", "audit_id_seq", "otps",
              "otp_budgets"}


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


@pytest.fixture(scope="module")
def world(dev):
    made = World(dev)
    yield made
    made.close()


@pytest.fixture(scope="module")
def documented(dev):
    """The members that a row takes, as the service says itself."""
    client = docket.Client(dev)
    document = client.get("/openapi.json").json
    client.close()

    def members(row):
        said = document["paths"][row.path][row.method.lower()]
        found = set()
        for media in said["requestBody"]["content"].values():
            schema = media["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][
                    schema["$ref"].rsplit("/", 1)[1]]
            found |= set(schema.get("properties", {}))
        return found

    return members


def prepared(world, row):
    """A request that succeeds, and its body."""
    sent = next(c for c in CASES if c.row is row).prepare(world)
    body = sent.more.pop("json", None) or sent.more.pop("form", None) or {}
    return sent, body


def users(dev):
    return sorted(row[0] for row in dev.sql(
        "SELECT u::text FROM docket.users u"))


@rows([r for r in WITH_BODY if not r.oauth])
def test_no_member_is_assigned(world, ledger, documented, row):
    sent, body = prepared(world, row)
    known, before = documented(row), ledger.settled()
    tried = {k: v for k, v in FORBIDDEN.items() if k not in known}
    assert {"user_id", "is_admin", "verified", "password_hash"} <= set(tried)
    for name, value in tried.items():
        reply = world.client.request(row.method, sent.path, 400, **{
            **sent.more, "json": {**body, name: value}})
        assert reply.pointers() == {"/" + name: "unknown"}, str(reply)
        # Nor does a deeper one, or one in the query, come through.
        reply = world.client.request(row.method, sent.path, 400, **{
            **sent.more, "json": {**body, "user": {name: value}}})
        assert reply.pointers() == {"/user": "unknown"}, str(reply)
    joint = "&" if "?" in sent.path else "?"
    reply = world.client.request(
        row.method, f"{sent.path}{joint}is_admin=true", 400,
        **{**sent.more, "json": body})
    assert reply.pointers() == {"?is_admin": "unknown"}, str(reply)
    assert ledger.changed(before) == []
    # It was the member alone that was wrong.
    world.client.request(row.method, sent.path, row.status,
                         **{**sent.more, "json": body})


@rows([r for r in WITH_BODY if r.handler == "api_register"])
def test_the_one_role_that_is_documented(world, ledger, row):
    """S1 and S4 send it: to be an admin takes an admin (C8)."""
    sent, body = prepared(world, row)
    before = ledger.settled()
    for token in (None, world.one.access):
        world.client.request(row.method, sent.path, 403, token=token,
                             json={**body, "role": "admin"})
    assert ledger.changed(before) == []


@rows([r for r in WITH_BODY if r.oauth])
@pytest.mark.parametrize("how", ["form", "json"])
def test_oauth_rows_ignore_them(dev, world, ledger, documented, row, how):
    sent, body = prepared(world, row)
    extra = {k: v for k, v in FORBIDDEN.items() if k not in documented(row)}
    if how == "form":
        extra = {k: v if isinstance(v, str) else json.dumps(v)
                 for k, v in extra.items()}
    people, before = users(dev), ledger.settled()
    reply = world.client.request(row.method, sent.path, row.status, **{
        **sent.more, how: {**extra, **body}})
    assert users(dev) == people
    assert set(ledger.changed(before)) <= OF_A_LOGIN
    if "access_token" not in reply.json:
        return
    claims = docket.jwt_parts(reply.json["access_token"])[1]
    assert (claims["sub"], claims["role"]) == (world.one.id, "user")
    assert "admin" not in reply.json["scope"].split()
    world.client.get("/auth/users", 403, token=reply.json["access_token"])
