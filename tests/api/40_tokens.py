# SPDX-License-Identifier: AGPL-3.0-or-later
"""Access tokens: what is in them, and that no other is taken."""

import base64
import hashlib
import json
import time
import uuid

import pytest

import docket
from docket import Client, b64, jwt_parts, jwt_sign, unb64

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


# --- what else is not taken -----------------------------------------------

def other(header=None, claims=None, key=None, digest=hashlib.sha256,
          drop=()):
    """A forger: the right token but for what is given."""
    def forge(dev, good):
        h, c = jwt_parts(good)
        h.update(header or {})
        c.update(claims(time.time()) if callable(claims) else claims or {})
        for name in drop:
            h.pop(name, None)
            c.pop(name, None)
        return jwt_sign(h, c, key if key is not None else key_of(dev),
                        digest)
    return forge


def unsigned(alg):
    def forge(dev, good):
        h, c = jwt_parts(good)
        h["alg"] = alg
        return ".".join([b64(json.dumps(p).encode()) for p in (h, c)]) + "."
    return forge


def flipped(part, at):
    def forge(dev, good):
        parts = [bytearray(unb64(p)) for p in good.split(".")]
        parts[part][at] ^= 1
        return ".".join(b64(p) for p in parts)
    return forge


def uncanonical(dev, good):
    """The last character has spare bits: another spelling, same bytes."""
    letters = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789-_")
    last = letters[letters.index(good[-1]) ^ 1]
    assert unb64(good.split(".")[2]) == unb64((good[:-1] + last)
                                              .split(".")[2])
    return good[:-1] + last


def bytes_for_claims(text):
    def forge(dev, good):
        return jwt_sign(jwt_parts(good)[0], text, key_of(dev))
    return forge


def doubled(dev, good):
    """A duplicate member: which one counts is anybody's guess."""
    h, c = jwt_parts(good)
    text = json.dumps(c)[:-1] + ',"sub":"%s"}' % c["sub"]
    return jwt_sign(h, text.encode(), key_of(dev))


FORGED = {
    "expired": other(claims=lambda now: {"iat": int(now) - 700,
                                         "exp": int(now) - 32}),
    "expired long ago": other(claims={"iat": 1, "exp": 2}),
    "exp a string": other(claims={"exp": "9999999999"}),
    "exp negative": other(claims={"exp": -1}),
    "no exp": other(drop=["exp"]),
    "nbf ahead": other(claims=lambda now: {"nbf": int(now) + 60}),
    "iat ahead": other(claims=lambda now: {"iat": int(now) + 600,
                                           "exp": int(now) + 1200}),
    "other issuer": other(claims={"iss": "somebody"}),
    "no issuer": other(drop=["iss"]),
    "other audience": other(claims={"aud": "somebody"}),
    "no audience": other(drop=["aud"]),
    "no sub": other(drop=["sub"]),
    "sub a number": other(claims={"sub": 1}),
    "sub no uuid": other(claims={"sub": "admin"}),
    "sub sql": other(claims={"sub": "' OR 1=1 --"}),
    "no sid": other(drop=["sid"]),
    "sid no uuid": other(claims={"sid": "x"}),
    "typ JWT": other(header={"typ": "JWT"}),
    "no typ": other(drop=["typ"]),
    "typ refresh": other(header={"typ": "rt+jwt"}),
    "no alg": other(drop=["alg"]),
    "alg HS512": other(header={"alg": "HS512"}, digest=hashlib.sha512),
    "alg HS384": other(header={"alg": "HS384"}, digest=hashlib.sha384),
    "alg hs256": other(header={"alg": "hs256"}),
    "alg RS256": other(header={"alg": "RS256"}),
    "alg ES256": other(header={"alg": "ES256"}),
    "alg none unsigned": unsigned("none"),
    "alg None unsigned": unsigned("None"),
    "alg nOnE unsigned": unsigned("nOnE"),
    "alg HS256 unsigned": unsigned("HS256"),
    "alg none signed": other(header={"alg": "none"}),
    "no kid": other(drop=["kid"]),
    "kid unknown": other(header={"kid": "nobody"}),
    "kid empty": other(header={"kid": ""}),
    "kid path": other(header={"kid": "../../../dev/null"}),
    "kid sql": other(header={"kid": "' UNION SELECT 'x"}),
    "kid long": other(header={"kid": "k" * 4000}),
    "kid a number": other(header={"kid": 1}),
    "crit": other(header={"crit": ["exp"]}),
    "b64": other(header={"crit": ["b64"], "b64": False}),
    "jku": other(header={"jku": "https://example.org/keys"}),
    "x5u": other(header={"x5u": "https://example.org/cert"}),
    "jwk": other(header={"jwk": {"kty": "oct", "k": "AAAA"}}),
    "zip": other(header={"zip": "DEF"}),
    "other key": other(key=b"k" * 32),
    "empty key": other(key=b""),
    "key of zeros": other(key=bytes(32)),
    "header bit": flipped(0, 5),
    "payload bit": flipped(1, 12),
    "signature bit": flipped(2, 0),
    "signature's last bit": flipped(2, 31),
    "uncanonical base64url": uncanonical,
    "padded": lambda dev, good: good + "=",
    "cut": lambda dev, good: good[:-1],
    "no signature": lambda dev, good: good.rsplit(".", 1)[0] + ".",
    "two parts": lambda dev, good: good.rsplit(".", 1)[0],
    "four parts": lambda dev, good: good + ".x",
    "dots": lambda dev, good: "..",
    "a word": lambda dev, good: "rubbish",
    "claims an array": bytes_for_claims(b"[]"),
    "claims empty": bytes_for_claims(b""),
    "claims rubbish": bytes_for_claims(b"{"),
    "claims deep": bytes_for_claims(b"[" * 2000),
    "duplicate claim": doubled,
    "plain base64": lambda dev, good: ".".join(
        base64.b64encode(unb64(p) + b"\xff\xfe").decode()
        for p in good.split(".")),
    "9 KiB": lambda dev, good: "x" * 9216,
}


def test_the_forger_can_make_a_good_token(dev, alice):
    """Else the tests below would prove nothing."""
    alice.get("/tasks", token=other()(dev, alice.access))
    late = other(claims=lambda now: {"exp": int(now) - 15})
    alice.get("/tasks", token=late(dev, alice.access))


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_401(dev, alice, forge):
    token = forge(dev, alice.access)
    assert token != alice.access
    for path in ("/tasks", "/auth/me"):
        reply = alice.get(path, 401, token=token)
        assert reply.code == "token_invalid", str(reply)
        assert 'error="invalid_token"' in reply.header("WWW-Authenticate")


@pytest.mark.parametrize("value", [
    "", "Bearer", "Bearer ", "Basic YTpi", "Token {}", "{}", "Bearer{}",
    "Bearer {} x", "Bearer {},{}", "Bearer {}, Bearer {}", "Bearer \t",
    "Bearer \"{}\"", "Digest username=x"])
def test_a_malformed_header_is_401(api, alice, value):
    value = value.replace("{}", alice.access)
    reply = api.get("/tasks", 401, headers=[("Authorization", value)])
    assert reply.code in ("token_missing", "token_invalid")


def test_two_headers_are_refused(api, alice, bob):
    for tokens in ((alice.access, bob.access), (alice.access, alice.access)):
        reply = api.get("/tasks", None, headers=[
            ("Authorization", "Bearer " + t) for t in tokens])
        assert reply.status in (400, 401), str(reply)


def test_the_scheme_is_case_insensitive(api, alice):
    """RFC 9110 section 11.1."""
    for scheme in ("bearer", "BEARER"):
        api.get("/tasks", 200, headers=[
            ("Authorization", f"{scheme} {alice.access}")])


def test_a_token_elsewhere_is_not_seen(api, alice):
    """RFC 6750 section 5.3: not in the query; not in the form, not in a
    cookie."""
    api.get("/tasks?access_token=" + alice.access, 401)
    api.get("/tasks", 401, headers=[("Cookie", "token=" + alice.access)])
    api.get("/tasks", 401, headers=[("X-Access-Token", alice.access)])


def test_a_refresh_token_is_no_access_token(alice):
    reply = alice.get("/tasks", 401, token=alice.refresh)
    assert reply.code == "token_invalid"


def test_a_token_for_nobody_is_refused(dev, alice):
    """Well signed, but neither user nor session exists."""
    nobody = other(claims={"sub": str(uuid.uuid4())})(dev, alice.access)
    assert alice.get("/auth/me", 401, token=nobody).code == "user_deleted"
    assert alice.get("/tasks", 404, token=nobody).code == "user_not_found"
    stray = other(claims={"sid": str(uuid.uuid4())})(dev, alice.access)
    assert alice.get("/tasks", 401, token=stray).code == "token_revoked"


def test_another_ones_session_does_not_do(dev, alice, bob):
    """Somebody's sub with somebody else's live session."""
    sid = jwt_parts(bob.access)[1]["sid"]
    mixed = other(claims={"sid": sid})(dev, alice.access)
    assert alice.get("/tasks", 401, token=mixed).code == "token_revoked"


def test_the_role_is_the_databases(dev, alice):
    """A token that says admin makes none."""
    crown = other(claims={"role": "admin", "scope": "admin"})
    reply = alice.get("/auth/users", 403, token=crown(dev, alice.access))
    assert reply.code == "forbidden"
    assert 'insufficient_scope' in (reply.header("WWW-Authenticate")
                                    or "insufficient_scope")


def test_public_routes_do_not_mind_a_bad_token(dev):
    client = Client(dev)
    client.get("/healthz", token="rubbish")
    docket.send_otp(client, docket.new_phone())
    docket.register(client)
    client.close()
