# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tokens for other programs: revoke (RFC 7009), introspect (RFC 7662), the
key set (RFC 7517) and the metadata (RFC 8414)."""

import time

import pytest

import docket
from docket import jwt_parts, login
from forge import Forger

ALL = {"active", "scope", "client_id", "username", "token_type", "exp",
       "iat", "sub", "aud", "iss", "jti", "sid", "role"}
REFRESH = "/auth/refresh"


def sid(person):
    return jwt_parts(person.access)[1]["sid"]


def revoke(client, token, expect=200, **more):
    return client.post("/auth/revoke", expect, token=None,
                       form={"token": token, **more})


def ask(admin, token, expect=200, **more):
    return admin.post("/auth/introspect", expect,
                      form={"token": token, **more}).json


def refresh(client, token, expect=200):
    return client.post(REFRESH, expect, token=None,
                       json={"refresh_token": token})


# --- revoke ---------------------------------------------------------------

@pytest.mark.parametrize("which", ["access", "refresh"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token",
                                  "something"])
def test_a_token_ends_its_session(dev, fresh, which, hint):
    """The hint is only one (RFC 7009 section 2.1)."""
    one = fresh()
    two = login(dev, one.username, one.password)
    more = {"token_type_hint": hint} if hint else {}
    reply = revoke(one, getattr(one, which), **more)
    assert reply.json == {}
    assert reply.header("Cache-Control") == "no-store"
    assert one.get("/tasks", 401).code == "token_revoked"
    refresh(one, one.refresh, 401)
    two.get("/tasks")
    refresh(two, two.refresh)


def test_json_is_taken_too(fresh):
    one = fresh()
    one.post("/auth/revoke", token=None, json={"token": one.refresh})
    one.get("/tasks", 401)


def test_any_counter_of_a_live_session_ends_it(fresh):
    """Also one that a refresh would take for stolen."""
    one = fresh()
    token = one.refresh
    for _ in range(3):
        token = refresh(one, token).json["refresh_token"]
    revoke(one, one.refresh)
    refresh(one, token, 401)
    one.get("/tasks", 401)


def test_revoking_again_is_no_error(dev, fresh):
    one = fresh()
    for _ in range(2):
        revoke(one, one.refresh)
        revoke(one, one.access)
    rows = dev.sql("SELECT ended_why FROM docket.sessions WHERE id = :'id'",
                   id=sid(one))
    assert rows == [["revoked"]]


def test_a_token_that_never_was_is_200(dev, api, fresh, ledger):
    """There is nothing to revoke then (RFC 7009 section 2.2)."""
    one = fresh()
    forger = Forger.of(one)
    before = ledger.settled()
    late = forger.sign(claims=forger.claims(exp=int(time.time()) - 100))
    other = forger.sign(key=b"k" * 32)
    for token in ("x", "a.b.c", one.refresh[:-1], one.refresh + "A",
                  one.refresh.swapcase(), one.password, late, other,
                  "x" * 9000, "\u00fc", "a\tb"):
        assert revoke(api, token).json == {}, token
    assert ledger.changed(before) == []
    one.get("/tasks")


def test_somebody_elses_session_is_not_ended(fresh, bob):
    """A token names both, and both must fit."""
    one = fresh()
    forger = Forger(one.dev, bob.id, sid(one))
    revoke(one, forger.sign())
    one.get("/tasks")
    bob.get("/tasks")


@pytest.mark.parametrize("body", [
    {"form": {}}, {"form": {"token_type_hint": "x"}}, {"json": {}},
    {"json": {"token": None}}, {"json": {"token": 5}},
    {"body": b"token=a&token=b",
     "type": "application/x-www-form-urlencoded"}])
def test_what_a_revocation_needs(api, body):
    reply = api.post("/auth/revoke", 400, **body)
    assert reply.json["error"] == "invalid_request"


def test_an_unknown_parameter_is_ignored(fresh):
    one = fresh()
    revoke(one, one.refresh, client_id="someone", surprise="1")
    one.get("/tasks", 401)


def test_a_revocation_is_written_down(ledger, fresh):
    one = fresh()
    reply = revoke(one, one.refresh)
    revoke(one, one.refresh)
    rows = ledger.ask("SELECT event, user_id, request_id FROM docket.audit"
                      f" WHERE session_id = '{sid(one)}'"
                      " AND event <> 'register'")
    assert rows == [["token_revoke", one.id, reply.header("X-Request-Id")]]


# --- introspect -----------------------------------------------------------

def test_an_access_token(dev, admin, fresh):
    one = fresh()
    said, claims = ask(admin, one.access), jwt_parts(one.access)[1]
    assert set(said) == ALL
    for name in ("scope", "client_id", "exp", "iat", "sub", "aud", "iss",
                 "jti", "sid", "role"):
        assert said[name] == claims[name], name
    assert said["active"] is True
    assert said["username"] == one.username
    assert said["token_type"] == "Bearer"


def test_a_refresh_token(dev, admin, fresh):
    one = fresh()
    said = ask(admin, one.refresh)
    assert set(said) == ALL
    assert said["active"] is True
    assert said["token_type"] == "refresh_token"
    assert said["jti"] == sid(one) + ".0"
    assert (said["sub"], said["sid"]) == (one.id, sid(one))
    assert abs(said["iat"] - time.time()) < 60
    assert abs(said["exp"] - said["iat"] - 14 * 86400) <= 1


def test_the_refresh_tokens_that_a_refresh_would_take(admin, fresh):
    """The newest and the one before it; asking about others ends nothing."""
    one, chain = fresh(), []
    chain.append(one.refresh)
    for _ in range(3):
        chain.append(refresh(one, chain[-1]).json["refresh_token"])
    said = [ask(admin, token)["active"] for token in chain]
    assert said == [False, False, True, True]
    refresh(one, chain[-2])
    refresh(one, chain[-1])


def test_both_ways_of_asking(admin, alice):
    said = ask(admin, alice.access)
    again = admin.post("/auth/introspect", json={"token": alice.access}).json
    hinted = ask(admin, alice.access, token_type_hint="refresh_token")
    assert said == again == hinted


def inactive(admin, token):
    assert ask(admin, token) == {"active": False}


def test_what_is_not_a_token_is_inactive_and_nothing_else(admin, alice):
    forger = Forger.of(alice)
    late = forger.sign(claims=forger.claims(exp=int(time.time()) - 100))
    for token in ("x", "a.b.c", alice.refresh[:-1], alice.password, late,
                  forger.sign(key=b"k" * 32), forger.sign(claims=forger.claims(
                      iss="somebody")), "x" * 9000):
        inactive(admin, token)


def test_what_is_over_is_inactive(dev, admin, fresh):
    one = fresh()
    assert ask(admin, one.access)["active"]
    one.post("/auth/logout")
    inactive(admin, one.access)
    inactive(admin, one.refresh)


def test_a_deactivated_or_deleted_users_tokens_are_inactive(dev, admin,
                                                            fresh):
    one, two = fresh(), fresh()
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=one.id)
    dev.sql("DELETE FROM docket.users WHERE id = :'id'", id=two.id)
    for person in (one, two):
        inactive(admin, person.access)
        inactive(admin, person.refresh)


@pytest.mark.parametrize("column", ["idle_until", "absolute_until"])
def test_an_idle_sessions_tokens_are_inactive(dev, admin, fresh, column):
    one = fresh()
    dev.sql(f"UPDATE docket.sessions SET {column} = now() - interval '1 s'"
            " WHERE user_id = :'id'", id=one.id)
    inactive(admin, one.access)
    inactive(admin, one.refresh)


def test_the_role_is_the_databases(dev, admin, fresh):
    one = fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=one.id)
    for token in (one.access, one.refresh):
        said = ask(admin, token)
        assert said["role"] == "admin"
        assert said["scope"].split()[-1] == "admin"


def test_a_token_of_another_pair_is_inactive(admin, alice, bob):
    inactive(admin, Forger(alice.dev, bob.id, sid(alice)).sign())


def test_a_bare_token_has_nulls(admin, alice):
    forger = Forger.of(alice)
    said = ask(admin, forger.sign(claims=forger.claims(
        ["jti", "iat", "client_id"])))
    assert set(said) == ALL
    assert said["jti"] is said["iat"] is said["client_id"] is None
    said = ask(admin, forger.sign(claims=forger.claims(jti="j" * 128)))
    assert said["active"] and said["jti"] is None


def test_who_may_ask(api, alice, admin):
    reply = api.post("/auth/introspect", 401, form={"token": alice.access})
    assert reply.json["error"] == "invalid_client"
    reply = alice.post("/auth/introspect", 403, form={"token": alice.access})
    assert reply.json["error"] == "access_denied"
    reply = admin.post("/auth/introspect", 400, form={})
    assert reply.json["error"] == "invalid_request"


def test_an_admin_who_is_none_any_more(dev, fresh, alice):
    one = fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=one.id)
    assert ask(one, alice.access)["active"]
    dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
            id=one.id)
    for token in (alice.access, "x"):
        one.post("/auth/introspect", 403, form={"token": token})
    one.post("/auth/logout")
    for token in (alice.access, "x"):
        one.post("/auth/introspect", 401, form={"token": token})


# --- what is published ----------------------------------------------------

JWKS = "/.well-known/jwks.json"
METADATA = "/.well-known/oauth-authorization-server"


@pytest.mark.parametrize("path", [JWKS, METADATA])
def test_what_is_published_can_be_cached(api, path):
    reply = api.get(path)
    assert reply.header("Cache-Control") == "public, max-age=300"
    tag = reply.header("ETag")
    assert tag
    again = api.get(path, 304, headers=[("If-None-Match", tag)])
    assert again.header("ETag") == tag
    assert api.request("HEAD", path, 200).header("ETag") == tag
    assert api.request("POST", path, 405).allow() == {"GET", "HEAD",
                                                      "OPTIONS"}


def test_a_shared_key_is_not_published(dev, api):
    reply = api.get(JWKS)
    assert reply.json == {"keys": []}
    assert dev.jwt["kid"].encode() not in reply.body


def test_the_metadata(dev, api):
    said = api.get(METADATA).json
    assert said == {
        "issuer": dev.url,
        "token_endpoint": dev.url + "/auth/token",
        "revocation_endpoint": dev.url + "/auth/revoke",
        "introspection_endpoint": dev.url + "/auth/introspect",
        "jwks_uri": dev.url + JWKS,
        "response_types_supported": [],
        "grant_types_supported": said["grant_types_supported"],
        "scopes_supported": ["tasks:read", "tasks:write", "account",
                             "admin"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["Bearer"],
    }
    assert {"password", "refresh_token"} <= \
        set(said["grant_types_supported"])


def test_the_metadata_is_true(dev, admin, fresh):
    """What it says is there, and takes what it says."""
    one, said = fresh(), admin.get(METADATA).json

    def at(name):
        assert said[name].startswith(dev.url + "/")
        return said[name][len(dev.url):]

    assert jwt_parts(one.access)[1]["iss"] == said["issuer"]
    assert set(jwt_parts(one.access)[1]["scope"].split()) < \
        set(said["scopes_supported"])
    pair = one.post(at("token_endpoint"), token=None, form={
        "grant_type": "refresh_token", "refresh_token": one.refresh}).json
    assert admin.post(at("introspection_endpoint"), form={
        "token": pair["access_token"]}).json["active"]
    one.post(at("revocation_endpoint"), token=None,
             form={"token": pair["refresh_token"]})
    one.get(at("jwks_uri"))
    one.get("/tasks", 401)


def test_what_a_client_says_of_the_host_is_not_repeated(dev, api):
    """The reply may be cached for others."""
    plain = api.get(METADATA).body
    for name in ("X-Forwarded-Host", "Forwarded", "X-Host"):
        reply = api.get(METADATA, headers=[(name, "host=evil.example")])
        assert reply.body == plain
    answer = docket.raw(dev, (
        f"GET {METADATA} HTTP/1.1\r\nHost: evil.example\r\n"
        "Connection: close\r\n\r\n").encode())
    assert b"evil" not in answer.body
