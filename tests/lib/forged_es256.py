# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tokens of a ring with both algorithms: every way to take one for the other,
and signatures that are none."""

import base64
import hashlib
import json
import secrets
import time

import p256
from docket import b64, jwt_parts, unb64
from forge import SKEW, Forger, text_of
from forged import Case


def ring_keys(dev):
    """{role: (kid, alg, key)} of the instance's ring, its newest of each."""
    lines = (dev.dir / "keys" / "jwt.keys").read_text().splitlines()
    words = [line.split() for line in lines if line[:1] not in ("#", "")]
    return {word[0]: tuple(word[1:]) for word in words}


class Es256(Forger):
    """Signs with the instance's current key, which is one of ES256; the key
    of HS256 that was there before is still in the ring."""

    def __init__(self, dev, sub, sid, role="user"):
        super().__init__(dev, sub, sid, role)
        self.shared_kid, self.shared = self.kid, self.key
        self.kid, alg, key = ring_keys(dev)["current"]
        assert alg == "ES256"
        self.d = int.from_bytes(unb64(key), "big")
        self.point = p256.of_base(self.d)

    def header(self, drop=(), **changes):
        return super().header(drop, **{"alg": "ES256", **changes})

    def part(self, header=None, claims=None):
        """What is signed."""
        header = self.header() if header is None else header
        claims = self.claims() if claims is None else claims
        return b64(text_of(header)) + "." + b64(text_of(claims))

    def with_bytes(self, make, header=None, claims=None):
        part = self.part(header, claims)
        return part + "." + b64(make(part.encode()))

    def sign(self, header=None, claims=None, d=None, **more):
        return self.with_bytes(lambda data: p256.numbers(*p256.sign(
            self.d if d is None else d, data, **more)), header, claims)

    def mac(self, key, header):
        """A MAC in a signature's place."""
        return Forger.sign(self, header, None, key)

    # What everybody knows of the key.

    def jwk(self):
        x, y = (b64(n.to_bytes(32, "big")) for n in self.point)
        return {"kty": "EC", "use": "sig", "crv": "P-256", "kid": self.kid,
                "alg": "ES256", "x": x, "y": y}

    def spki(self):
        return p256.SPKI + p256.uncompressed(self.point)

    def pem(self):
        text = base64.encodebytes(self.spki()).decode().replace("\n", "")
        lines = [text[i:i + 64] for i in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines,
                          "-----END PUBLIC KEY-----", ""]).encode()


SPELLING = "one spelling for one value: base64url without padding"
MALLEABLE = "one spelling for one signature: the lower s alone"
HEADER = "the header is alg, typ and kid and nothing else (RFC 8725)"

# What is public of an ES256 key, as the key of a MAC.
PUBLIC = {
    "PEM": Es256.pem,
    "PEM without its newline": lambda f: f.pem().rstrip(),
    "DER": Es256.spki,
    "point": lambda f: p256.uncompressed(f.point),
    "x and y": lambda f: p256.numbers(*f.point),
    "x": lambda f: p256.numbers(*f.point)[:32],
    "x in base64url": lambda f: f.jwk()["x"].encode(),
    "JWK": lambda f: json.dumps(f.jwk(), separators=(",", ":")).encode(),
    "kid": lambda f: f.kid.encode(),
    "nothing": lambda f: b"",
}


def numbers(make):
    """(r, s) of a good signature, changed."""
    def token(f):
        return f.with_bytes(lambda data: p256.numbers(
            *make(*p256.sign(f.d, data))))
    return token


def raw(make):
    """The bytes of a good signature, changed."""
    def token(f):
        return f.with_bytes(lambda data: make(p256.numbers(
            *p256.sign(f.d, data))))
    return token


def flipped(part, at):
    def token(f):
        parts = [bytearray(unb64(p)) for p in f.sign().split(".")]
        parts[part][at] ^= 1
        return ".".join(b64(p) for p in parts)
    return token


def claims(drop=(), **changes):
    return lambda f: f.sign(claims=f.claims(drop, **changes))


def foreign_point(f):
    """Signed with a key that the header itself brings along."""
    d = secrets.randbelow(p256.N - 1) + 1
    x, y = p256.of_base(d)
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(x.to_bytes(32, "big")),
           "y": b64(y.to_bytes(32, "big"))}
    return f.sign(f.header(jwk=jwk), d=d)


def of_another(f):
    head, body, _ = f.sign().split(".")
    return f"{head}.{body}.{f.sign().split('.')[2]}"


FORGED = {
    # numbers
    "r and s 0": Case(numbers(lambda r, s: (0, 0))),
    "r 0": Case(numbers(lambda r, s: (0, s))),
    "s 0": Case(numbers(lambda r, s: (r, 0))),
    "r n": Case(numbers(lambda r, s: (p256.N, s))),
    "s n": Case(numbers(lambda r, s: (r, p256.N))),
    "r and s n": Case(numbers(lambda r, s: (p256.N, p256.N))),
    "r and s 1": Case(numbers(lambda r, s: (1, 1))),
    "r and s at the top": Case(raw(lambda b: b"\xff" * 64)),
    "r and s the other way": Case(numbers(lambda r, s: (s, r))),
    "n - r": Case(numbers(lambda r, s: (p256.N - r, s))),
    "n - s": Case(numbers(lambda r, s: (r, p256.N - s)), MALLEABLE),
    "the upper s": Case(lambda f: f.sign(low=False), MALLEABLE),
    "r + 1": Case(numbers(lambda r, s: (r + 1, s))),
    # bytes
    "DER": Case(lambda f: f.with_bytes(
        lambda data: p256.der(*p256.sign(f.d, data)))),
    "no signature": Case(lambda f: f.part() + "."),
    "63 bytes": Case(raw(lambda b: b[:63])),
    "65 bytes": Case(raw(lambda b: b + b"\0")),
    "a zero in front": Case(raw(lambda b: b"\0" + b)),
    "32 bytes": Case(raw(lambda b: b[:32])),
    "96 bytes": Case(raw(lambda b: b + b[:32])),
    "128 bytes": Case(raw(lambda b: b + b)),
    "zeros around each": Case(raw(
        lambda b: b"\0" + b[:32] + b"\0" + b[32:])),
    "header bit": Case(flipped(0, 5)),
    "claims bit": Case(flipped(1, 12)),
    "r's first bit": Case(flipped(2, 0)),
    "s's last bit": Case(flipped(2, -1)),
    "padded": Case(lambda f: f.sign() + "==", SPELLING),
    # whose
    "another key": Case(lambda f: f.sign(d=7)),
    "key 1": Case(lambda f: f.sign(d=1)),
    "n - d": Case(lambda f: f.sign(d=p256.N - f.d)),
    "its own key in the header": Case(foreign_point),
    "a fine header, and jwk": Case(
        lambda f: f.sign(f.header(jwk=f.jwk())), HEADER),
    "the signature of other claims": Case(
        lambda f: f.with_bytes(lambda data: p256.numbers(
            *p256.sign(f.d, f.part(claims=f.claims(role="x")).encode())))),
    "SHA-384": Case(lambda f: f.sign(digest=hashlib.sha384)),
    "SHA-1": Case(lambda f: f.sign(digest=hashlib.sha1)),
    # algorithms
    "alg none": Case(lambda f: f.part(f.header(alg="none")) + "."),
    "alg none, signed": Case(lambda f: f.sign(f.header(alg="none"))),
    "alg HS256, signed": Case(lambda f: f.sign(f.header(alg="HS256"))),
    "alg ES384": Case(lambda f: f.sign(f.header(alg="ES384"))),
    "alg ES512": Case(lambda f: f.sign(f.header(alg="ES512"))),
    "alg ES256K": Case(lambda f: f.sign(f.header(alg="ES256K"))),
    "alg es256": Case(lambda f: f.sign(f.header(alg="es256"))),
    "alg RS256": Case(lambda f: f.sign(f.header(alg="RS256"))),
    "no alg": Case(lambda f: f.sign(f.header(["alg"]))),
    **{f"{name} as the key of HS256": Case(
        lambda f, key=key: f.mac(key(f), f.header(alg="HS256")))
       for name, key in PUBLIC.items()},
    **{f"a MAC by {name}, alg ES256": Case(
        lambda f, key=key: f.mac(key(f), f.header()))
       for name, key in PUBLIC.items()},
    # one key in the other's place
    "HS256's kid": Case(lambda f: f.sign(f.header(kid=f.shared_kid))),
    "HS256's kid and alg": Case(lambda f: f.sign(f.header(
        kid=f.shared_kid, alg="HS256"))),
    "HS256's key as that of ES256": Case(lambda f: f.sign(
        f.header(kid=f.shared_kid),
        d=int.from_bytes(f.shared, "big") % p256.N)),
    "HS256's key under ES256's kid": Case(lambda f: f.sign(
        d=int.from_bytes(f.shared, "big") % p256.N)),
    "HS256's MAC under ES256's kid": Case(lambda f: f.mac(
        f.shared, f.header(alg="HS256"))),
    "HS256's MAC, alg ES256": Case(lambda f: f.mac(
        f.shared, f.header(kid=f.shared_kid))),
    "d as HS256's key": Case(lambda f: f.mac(
        f.d.to_bytes(32, "big"), f.header(alg="HS256"))),
    "kid unknown": Case(lambda f: f.sign(f.header(kid="nobody"))),
    # claims are looked at as well
    "expired": Case(lambda f: f.sign(claims=f.claims(
        exp=int(time.time()) - SKEW - 1))),
    "no exp": Case(claims(["exp"])),
    "other issuer": Case(claims(iss="somebody")),
    "other audience": Case(claims(aud="somebody")),
    "no sid": Case(claims(["sid"]), "a session is named"),
    "typ JWT": Case(lambda f: f.sign(f.header(typ="JWT"))),
}

GOOD = {
    "as issued": lambda f: f.sign(),
    "by HS256's key": lambda f: Forger.sign(
        f, f.header(alg="HS256", kid=f.shared_kid), key=f.shared),
    "no jti, no role": claims(["jti", "role", "scope", "client_id"]),
}


def is_signed(token, jwk):
    """Is it, by the key set that everybody can read?"""
    part, signature = token.rsplit(".", 1)
    data = unb64(signature)
    assert len(data) == 64 and jwt_parts(token)[0]["kid"] == jwk["kid"]
    point = tuple(int.from_bytes(unb64(jwk[k]), "big") for k in "xy")
    r, s = (int.from_bytes(data[i:i + 32], "big") for i in (0, 32))
    assert s <= p256.N // 2
    return p256.verify(point, part.encode(), r, s)
