# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance whose ring has turned to ES256: what it issues, what it
publishes, and over every row that is not public what must not open it."""

import os
import signal
import subprocess

import pytest

import docket
import instance
from docket import ROUTES, Client, jwt_parts, wait_until
from forge import LETTERS
from forged_es256 import FORGED, GOOD, Es256, is_signed, ring_keys
from places import places
from victims import Someone, fault, none

JWKS = "/.well-known/jwks.json"
GUARDED = [r for r in ROUTES if r.access != "PUBLIC"]


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


def turn(es, *words):
    """docket key, and a reload that every worker has taken."""
    subprocess.run([es.docket(), "-c", es.dir / "docket.conf", "key",
                    *words], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = set(es.workers())
    os.kill(es.supervisor(), signal.SIGHUP)
    wait_until(lambda: es.workers() and not before & set(es.workers()),
               "new workers", 30 * docket.SLOW)


@pytest.fixture(scope="module")
def es():
    """From HS256 to ES256, as an administrator does it."""
    with instance.running("server.workers=2", "server.auth_workers=2") as es:
        es.early = docket.person(es)
        turn(es, "generate", "--alg", "ES256")
        turn(es, "rotate", "--alg", "ES256")
        yield es


@pytest.fixture(scope="module")
def targets(es):
    return {"USER": Someone(es), "ADMIN": Someone(es, admin=True)}


@pytest.fixture
def client(es):
    client = Client(es)
    yield client
    client.close()


def forger(someone):
    one = getattr(someone, "one", someone)
    return Es256(one.dev, one.id, jwt_parts(one.access)[1]["sid"])


# --- what is issued and published -----------------------------------------

def test_header_and_claims(es, targets):
    header, claims = jwt_parts(targets["USER"].token)
    assert header == {"alg": "ES256", "typ": "at+jwt",
                      "kid": ring_keys(es)["current"][0]}
    assert set(claims) == {"iss", "aud", "sub", "sid", "role", "scope",
                           "client_id", "iat", "exp", "jti"}


def test_the_key_set(es, client):
    """The signing key and the next one, of which nothing secret is told; the
    shared key of before is not in it."""
    reply = client.get(JWKS)
    keys = ring_keys(es)
    assert [k["kid"] for k in reply.json["keys"]] == [
        keys["current"][0], keys["next"][0]]
    for key in reply.json["keys"]:
        assert set(key) == {"kty", "use", "crv", "alg", "kid", "x", "y"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == (
            "EC", "P-256", "ES256", "sig")
    assert reply.json["keys"][0] == forger(docket.person(es)).jwk()
    for kid, _, secret in keys.values():
        assert secret not in reply.body.decode()


def test_every_token_fits_the_published_key(es, client):
    key = client.get(JWKS).json["keys"][0]
    for _ in range(5):
        assert is_signed(docket.person(es).access, key)


def test_what_the_old_key_signed_is_good(es):
    """Nobody was logged out when the key and its algorithm changed."""
    assert jwt_parts(es.early.access)[0]["alg"] == "HS256"
    es.early.get("/tasks")
    pair = es.early.post("/auth/refresh", token=None, json={
        "refresh_token": es.early.refresh}).json
    assert jwt_parts(pair["access_token"])[0]["alg"] == "ES256"
    es.early.get("/tasks", token=pair["access_token"])


def test_introspect_and_revoke(es):
    admin = docket.login(es, es.admin["username"], es.admin["password"])
    one = docket.person(es)
    said = admin.post("/auth/introspect", form={"token": one.access}).json
    assert said["active"] and said["sub"] == one.id
    forged = FORGED["n - s"].make(forger(one))
    assert admin.post("/auth/introspect", form={"token": forged}).json == \
        {"active": False}
    one.post("/auth/revoke", token=None, form={"token": forged})
    one.get("/tasks")
    one.post("/auth/revoke", token=None, form={"token": one.access})
    one.get("/tasks", 401)
    admin.close()


# --- what must not open ---------------------------------------------------

# What reads a token does not know the row, so that under the sanitizers, where
# all of it takes half a minute, a row of six will do.
@rows(GUARDED[::6 if docket.SANITIZED else 1])
def test_no_forged_token_opens(es, client, row):
    someone = Someone(es, row)
    place, faults = places(row)[0], []
    data = someone.data()
    for name, case in FORGED.items():
        reply = someone.ask(client, place, token=case.make(forger(someone)))
        why = fault(reply, row, "token_invalid")
        if why:
            faults.append(f"{name}: {why}: {reply}")
    none(faults)
    assert someone.data() == data
    good = GOOD["as issued"](forger(someone))
    someone.ask(client, place, row.status, token=good)


@rows([r for r in GUARDED if r.method == "GET"])
def test_each_good_token_opens(targets, client, row):
    someone = targets[row.access]
    for name, make in GOOD.items():
        for place in places(row):
            reply = someone.ask(client, place, token=make(forger(someone)))
            assert reply.status == row.status, f"{name}: {reply}"


def test_a_known_token_lends_nothing_to_others(es, client, targets):
    """Every worker has seen it and remembers it: only all of it counts."""
    token = targets["USER"].token
    many = [Client(es) for _ in range(8)]
    for one in many:
        one.get("/auth/me", token=token)
        one.get("/auth/me", token=token)
    for at in range(0, len(token), 3):
        letter = LETTERS[(LETTERS.find(token[at]) + 1) % 64]
        reply = many[at % 8].get("/auth/me", 401, token=token[:at] + letter
                                 + token[at + 1:])
        assert reply.code == "token_invalid"
    head, _, signature = token.split(".")
    body = targets["ADMIN"].token.split(".")[1]
    for one in many:
        one.get("/auth/me", 401, token=f"{head}.{body}.{signature}")
        one.close()
    client.get("/auth/me", token=token)


def test_a_known_token_is_revoked_at_once(es):
    one = docket.person(es)
    many = [Client(es) for _ in range(8)]
    for other in many:
        other.get("/auth/me", token=one.access)
    one.post("/auth/logout")
    for other in many:
        reply = other.get("/auth/me", 401, token=one.access)
        assert reply.code == "token_revoked"
        other.close()


def test_a_key_that_is_gone_opens_nothing(es, client):
    """Not in the ring any more: its tokens are none of ours, the sessions go
    on. Last here: it takes the key of the others' tokens away."""
    one = docket.person(es)
    kid = jwt_parts(one.access)[0]["kid"]
    turn(es, "rotate", "--alg", "ES256")
    one.get("/tasks")
    path = es.dir / "keys" / "jwt.keys"
    path.write_text("".join(
        line + "\n" for line in path.read_text().splitlines()
        if f" {kid} " not in line))
    turn(es, "list")
    reply = client.get("/tasks", 401, token=one.access)
    assert reply.code == "token_invalid"
    assert kid not in client.get(JWKS).body.decode()
    pair = client.post("/auth/refresh", json={
        "refresh_token": one.refresh}).json
    client.get("/tasks", token=pair["access_token"])
