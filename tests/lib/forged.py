# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of forged tokens: what is wrong, and why, when it is us alone."""

import hashlib
import json
import uuid

from forge import (
    SKEW, TOKEN_MAX, claims, curve, doubled, doubled_header, es256_signed,
    flipped, header, instance_pem, keyed, later, literal, long_token, loose,
    plain_base64, sealed, spelled, text_of, uncanonical, unsigned)
from docket import b64

class Case:
    """A token that must be refused as token_invalid. stricter: why, when
    RFC 7519 and RFC 7515 themselves would let it pass."""

    def __init__(self, make, stricter=None):
        self.make, self.stricter = make, stricter


HEADER = "the header is alg, typ and kid and nothing else (RFC 8725)"
NUMBER = "a time is a positive integer of 64 bits"
SPELLING = "one spelling for one value: base64url, canonical, no padding"
NAMES = "user and session are UUIDs, and both are named"
TWICE = "a member that is there twice means nothing"
CASE = "typ is compared as the issuer writes it"
SIZE = "nothing that is issued comes near 8 KiB"
AHEAD = "a token from the future was not issued here"
UTF8 = "JSON is UTF-8 (RFC 7519 section 7.2)"
ONE = "the audience is the one that is issued, not a list"

FORGED = {
    # times
    "expired by a second": Case(later("exp", -SKEW - 1)),
    "expired long ago": Case(claims(iat=1, exp=2)),
    "no exp": Case(claims(["exp"])),
    "exp null": Case(claims(exp=None)),
    "exp a string": Case(claims(exp="9999999999")),
    "exp true": Case(claims(exp=True)),
    "exp a list": Case(claims(exp=[9999999999])),
    "exp negative": Case(claims(exp=-1)),
    "exp 0": Case(claims(exp=0)),
    "exp a fraction": Case(literal("exp", "9999999999.5"), NUMBER),
    "exp 1e10": Case(literal("exp", "1e10"), NUMBER),
    "exp 1e400": Case(literal("exp", "1e400"), NUMBER),
    "exp 2^63": Case(literal("exp", str(2 ** 63)), NUMBER),
    "exp 2^64 + soon": Case(literal("exp", str(2 ** 64 + 9999999999)),
                            NUMBER),
    "exp -2^63": Case(literal("exp", str(-2 ** 63))),
    "nbf ahead": Case(later("nbf", 60)),
    "nbf far ahead": Case(claims(nbf=2 ** 62)),
    "nbf a string": Case(claims(nbf="1")),
    "nbf 1e400": Case(literal("nbf", "1e400")),
    "nbf negative": Case(claims(nbf=-1), NUMBER),
    "iat ahead": Case(later("iat", 60), AHEAD),
    "iat a string": Case(claims(iat="1")),
    "iat a fraction": Case(literal("iat", "1000000000.5"), NUMBER),
    # whose
    "other issuer": Case(claims(iss="somebody")),
    "issuer with a slash": Case(lambda f: f.sign(claims=f.claims(
        iss=f.dev.url + "/"))),
    "issuer in capitals": Case(lambda f: f.sign(claims=f.claims(
        iss=f.dev.url.upper()))),
    "issuer a list": Case(lambda f: f.sign(claims=f.claims(
        iss=[f.dev.url]))),
    "no issuer": Case(claims(["iss"])),
    "other audience": Case(claims(aud="somebody")),
    "no audience": Case(claims(["aud"])),
    "audience empty": Case(claims(aud="")),
    "audience a list without us": Case(claims(aud=["somebody", "else"])),
    "audience an empty list": Case(claims(aud=[])),
    "audience a list with us": Case(claims(aud=["somebody", "docket"]), ONE),
    "audience a list of us": Case(claims(aud=["docket"]), ONE),
    "audience two words": Case(claims(aud="docket somebody")),
    "no sub": Case(claims(["sub"])),
    "sub null": Case(claims(sub=None), NAMES),
    "sub a number": Case(claims(sub=1), NAMES),
    "sub empty": Case(claims(sub=""), NAMES),
    "sub no uuid": Case(claims(sub="admin"), NAMES),
    "sub nil": Case(claims(sub=str(uuid.UUID(int=0))), NAMES),
    "sub sql": Case(claims(sub="' OR 1=1 --"), NAMES),
    "sub in braces": Case(lambda f: f.sign(claims=f.claims(
        sub="{" + f.sub + "}")), NAMES),
    "sub without dashes": Case(lambda f: f.sign(claims=f.claims(
        sub=f.sub.replace("-", ""))), NAMES),
    "sub and a NUL": Case(lambda f: f.sign(claims=f.claims(
        sub=f.sub + "\0")), NAMES),
    "no sid": Case(claims(["sid"]), NAMES),
    "sid null": Case(claims(sid=None), NAMES),
    "sid no uuid": Case(claims(sid="x"), NAMES),
    "sid a list": Case(lambda f: f.sign(claims=f.claims(sid=[f.sid])),
                       NAMES),
    "claim twice": Case(doubled("sub"), TWICE),
    "claim twice, first another": Case(doubled("sub", str(uuid.uuid4())),
                                       TWICE),
    "exp twice": Case(doubled("exp", 1), TWICE),
    # what it is
    "typ JWT": Case(header(typ="JWT")),
    "no typ": Case(header(["typ"])),
    "typ empty": Case(header(typ="")),
    "typ refresh": Case(header(typ="rt+jwt")),
    "typ id token": Case(header(typ="id+jwt")),
    "typ a number": Case(header(typ=1)),
    "typ AT+JWT": Case(header(typ="AT+JWT"), CASE),
    "typ application/at+jwt": Case(header(typ="application/at+jwt"), CASE),
    # algorithms
    "no alg": Case(header(["alg"])),
    "alg none, unsigned": Case(unsigned("none")),
    "alg None, unsigned": Case(unsigned("None")),
    "alg nOnE, unsigned": Case(unsigned("nOnE")),
    "alg HS256, unsigned": Case(unsigned("HS256")),
    "alg empty, unsigned": Case(unsigned("")),
    "alg none, signed": Case(header(alg="none")),
    "alg nOnE, signed": Case(header(alg="nOnE")),
    "alg hs256": Case(header(alg="hs256")),
    "alg a list": Case(header(alg=["HS256"])),
    "alg null": Case(header(alg=None)),
    "alg HS384": Case(lambda f: f.sign(f.header(alg="HS384"),
                                       digest=hashlib.sha384)),
    "alg HS512": Case(lambda f: f.sign(f.header(alg="HS512"),
                                       digest=hashlib.sha512)),
    "alg HS512, MAC of HS256": Case(header(alg="HS512")),
    "alg HS256, MAC of HS512": Case(lambda f: f.sign(
        digest=hashlib.sha512)),
    "alg RS256": Case(header(alg="RS256")),
    "alg ES256": Case(header(alg="ES256")),
    "alg ES256, signed so": Case(lambda f: es256_signed(f, "ES256")),
    "alg HS256, signed by ES256": Case(lambda f: es256_signed(f, "HS256")),
    "public PEM as the key": Case(keyed(lambda f: curve()[1])),
    "public PEM as the key, no newline": Case(
        keyed(lambda f: curve()[1].rstrip())),
    "public DER as the key": Case(keyed(lambda f: curve()[2])),
    "public PEM as the key of ES256": Case(
        keyed(lambda f: curve()[1], alg="ES256")),
    "the instance's PEM as the key": Case(keyed(instance_pem)),
    # keys
    "other key": Case(keyed(lambda f: b"k" * 32)),
    "empty key": Case(keyed(lambda f: b"")),
    "key of zeros": Case(keyed(lambda f: bytes(32))),
    "the kid as the key": Case(keyed(lambda f: f.kid.encode())),
    "the key's text as the key": Case(
        keyed(lambda f: f.dev.jwt["key"].encode())),
    "half the key": Case(keyed(lambda f: f.key[:16])),
    "no kid": Case(header(["kid"])),
    "kid unknown": Case(header(kid="nobody")),
    "kid empty": Case(header(kid="")),
    "kid path": Case(keyed(lambda f: b"", kid="../../../dev/null")),
    "kid ../": Case(header(kid="../")),
    "kid sql": Case(keyed(lambda f: b"x", kid="' UNION SELECT 'x")),
    "kid long": Case(header(kid="k" * 4000)),
    "kid 65": Case(header(kid="k" * 65)),
    "kid a number": Case(header(kid=1)),
    "kid null": Case(header(kid=None)),
    "kid a list": Case(lambda f: f.sign(f.header(kid=[f.kid]))),
    "kid and a blank": Case(lambda f: f.sign(f.header(kid=f.kid + " "))),
    "kid cut": Case(lambda f: f.sign(f.header(kid=f.kid[:-1]))),
    "kid escaped": Case(lambda f: f.sign(text_of(f.header()).replace(
        f.kid.encode(), b"\\u%04x" % ord(f.kid[0])
        + f.kid[1:].encode())), HEADER),
    "kid twice": Case(doubled_header("kid", "nobody"), TWICE),
    "alg twice": Case(doubled_header("alg", "none"), TWICE),
    # what else a header may hold
    "crit": Case(header(crit=["exp"])),
    "crit empty": Case(header(crit=[])),
    "crit b64": Case(header(crit=["b64"], b64=False)),
    "b64 false": Case(header(b64=False), HEADER),
    "jku": Case(header(jku="https://example.org/keys"), HEADER),
    "x5u": Case(header(x5u="https://example.org/cert"), HEADER),
    "x5c": Case(header(x5c=["MIIB"]), HEADER),
    "x5t": Case(header(x5t="AAAA"), HEADER),
    "jwk": Case(header(jwk={"kty": "oct", "k": "AAAA"}), HEADER),
    "jwk with its own key": Case(keyed(
        lambda f: bytes(3), jwk={"kty": "oct", "k": "AAAA"})),
    "cty": Case(header(cty="JWT"), HEADER),
    "zip": Case(header(zip="DEF"), HEADER),
    "header an array": Case(lambda f: f.sign(b'["HS256"]')),
    "header rubbish": Case(lambda f: f.sign(b"{")),
    "header and more": Case(lambda f: f.sign(text_of(f.header()) + b"{}")),
    # bits
    "header bit": Case(flipped(0, 5)),
    "payload bit": Case(flipped(1, 12)),
    "payload's last bit": Case(flipped(1, -1)),
    "signature's first bit": Case(flipped(2, 0)),
    "signature's last bit": Case(flipped(2, -1)),
    "claims of another token": Case(lambda f: ".".join(
        (f.sign().split(".")[0], f.sign().split(".")[1],
         f.sign().split(".")[2]))),
    # spelling
    "signature's spare bits": Case(spelled(uncanonical), SPELLING),
    "header's spare bits": Case(loose(0), SPELLING),
    "claims' spare bits": Case(loose(1), SPELLING),
    "padded": Case(spelled(lambda t: t + "="), SPELLING),
    "claims padded": Case(sealed(str, lambda p: p + "=="), SPELLING),
    "header padded": Case(sealed(lambda p: p + "="), SPELLING),
    "+ and / for - and _": Case(plain_base64, SPELLING),
    "a blank in the claims": Case(
        sealed(str, lambda p: p[:8] + " " + p[8:]), SPELLING),
    "a blank in the signature": Case(
        spelled(lambda t: t[:-8] + " " + t[-8:]), SPELLING),
    "a tab in the header": Case(
        sealed(lambda p: p[:8] + "\t" + p[8:]), SPELLING),
    "a blank at a dot": Case(spelled(lambda t: t.replace(".", ". ")),
                             None),
    "cut": Case(spelled(lambda t: t[:-1])),
    "cut to its half": Case(spelled(lambda t: t[:len(t) // 2])),
    "one more": Case(spelled(lambda t: t + "A")),
    "no signature": Case(spelled(lambda t: t.rsplit(".", 1)[0] + ".")),
    "no claims": Case(lambda f: f.seal(b64(text_of(f.header())), "")),
    "no header": Case(lambda f: f.seal("", b64(text_of(f.claims())))),
    "one part": Case(spelled(lambda t: t.replace(".", ""))),
    "two parts": Case(spelled(lambda t: t.rsplit(".", 1)[0])),
    "four parts": Case(spelled(lambda t: t + ".x")),
    "four parts, one empty": Case(spelled(lambda t: t + ".")),
    "five parts": Case(spelled(lambda t: t + ".x.y")),
    "two dots": Case(spelled(lambda t: "..")),
    "four dots": Case(spelled(lambda t: "....")),
    "a word": Case(spelled(lambda t: "rubbish")),
    "a.b.c": Case(spelled(lambda t: "a.b.c")),
    "turned round": Case(spelled(lambda t: ".".join(t.split(".")[::-1]))),
    # claims that are none
    "claims an array": Case(lambda f: f.sign(claims=b"[]")),
    "claims null": Case(lambda f: f.sign(claims=b"null")),
    "claims rubbish": Case(lambda f: f.sign(claims=b"{")),
    "claims deep": Case(lambda f: f.sign(claims=b"[" * 2000)),
    "claims and more": Case(lambda f: f.sign(
        claims=text_of(f.claims()) + b"{}")),
    "claims and a NUL": Case(lambda f: f.sign(
        claims=text_of(f.claims()) + b"\0")),
    "claims no UTF-8": Case(lambda f: f.sign(
        claims=text_of(f.claims())[:-1] + b',"x":"\xff"}'), UTF8),
    # size
    "8193 characters": Case(long_token(TOKEN_MAX + 3), SIZE),
    "9 KiB": Case(long_token(9216), SIZE),
    "15 KiB": Case(long_token(15000), SIZE),
    "9 KiB of x": Case(spelled(lambda t: "x" * 9216)),
}

# What must be taken: else the refusals would prove nothing.
GOOD = {
    "as issued": lambda f: f.sign(),
    "another order": lambda f: f.sign(
        dict(reversed(f.header().items())),
        dict(reversed(f.claims().items()))),
    "white space": lambda f: f.sign(
        json.dumps(f.header(), indent=1).encode(),
        json.dumps(f.claims(), indent=1).encode()),
    "more claims": claims(name="x", nested={"a": [1, {"b": None}]}),
    "no jti, no role": claims(["jti", "role", "scope", "client_id"]),
    "no iat": claims(["iat"]),
    "nbf past": later("nbf", -60),
    "nbf within the skew": later("nbf", 15),
    "iat within the skew": later("iat", 15),
    "exp within the skew": later("exp", -15),
    "exp 2^63 - 1": claims(exp=2 ** 63 - 1),
    "an escaped claim": lambda f: f.sign(claims=text_of(f.claims()).replace(
        b'"docket"', b'"\\u0064ocket"')),
    "8 KiB": long_token(TOKEN_MAX),
}
