# SPDX-License-Identifier: AGPL-3.0-or-later
"""Access tokens: what is in them. What opens nothing: 61_tokens.py."""

import json
import time

import docket
from docket import Client, jwt_parts, jwt_sign, unb64
from forge import Forger

CLAIMS = {"iss", "aud", "sub", "sid", "role", "scope", "client_id", "iat",
          "exp", "jti"}


def key_of(dev):
    return unb64(dev.jwt["key"])


# --- what is in them ------------------------------------------------------

def test_header_and_claims(dev, alice):
    header, claims = jwt_parts(alice.access)
    assert header == {"alg": "HS256", "typ": "at+jwt",
                      "kid": dev.jwt["kid"]}
    assert set(claims) == CLAIMS
    assert claims["sub"] == alice.id
    assert docket.UUID7.match(claims["sid"])
    assert claims["role"] == "user"
    assert claims["scope"] == "tasks:read tasks:write account"
    assert claims["client_id"] == "docket"
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["iat"] - time.time()) < 700
    assert claims["jti"]


def test_the_signature_is_hmac_sha256(dev, alice):
    header, claims, _ = alice.access.split(".")
    again = jwt_sign(unb64(header), unb64(claims), key_of(dev))
    assert again == alice.access


def test_an_admins_token_says_so(admin):
    _, claims = jwt_parts(admin.access)
    assert claims["role"] == "admin"
    assert claims["scope"] == "tasks:read tasks:write account admin"


def test_tokens_carry_no_name_and_no_secret(alice):
    _, claims = jwt_parts(alice.access)
    assert alice.username not in json.dumps(claims)


def test_every_token_has_a_jti_of_its_own(dev, fresh):
    one = fresh()
    before = jwt_parts(one.access)[1]
    pair = one.post("/auth/refresh", token=None,
                    json={"refresh_token": one.refresh}).json
    after = jwt_parts(pair["access_token"])[1]
    assert before["jti"] != after["jti"]
    assert before["sid"] == after["sid"]


# --- what is not in them counts -------------------------------------------

def test_the_role_is_the_databases(alice):
    """A token that says admin makes none."""
    crown = Forger.of(alice, role="admin").sign()
    reply = alice.get("/auth/users", 403, token=crown)
    assert reply.code == "forbidden"
    assert "insufficient_scope" in reply.header("WWW-Authenticate")


def test_public_routes_do_not_mind_a_bad_token(dev):
    client = Client(dev)
    client.get("/healthz", token="rubbish")
    docket.send_otp(client, docket.new_phone())
    docket.register(client)
    client.close()
