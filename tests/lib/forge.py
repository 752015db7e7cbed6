# SPDX-License-Identifier: AGPL-3.0-or-later
"""Access tokens made by hand: good ones, and every way to be none."""

import functools
import hashlib
import hmac
import json
import pathlib
import subprocess
import tempfile
import time
import uuid

from docket import b64, jwt_parts, unb64

SCOPES = {"user": "tasks:read tasks:write account",
          "admin": "tasks:read tasks:write account admin"}
LETTERS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
           "0123456789-_")
TOKEN_MAX = 8192
SKEW = 30


def text_of(part):
    if isinstance(part, bytes):
        return part
    return json.dumps(part, separators=(",", ":")).encode()


class Forger:
    """Everything in its tokens but the ids of user and session is ours; the
    key is the instance's own, so that nothing but the fault is at fault."""

    def __init__(self, dev, sub, sid, role="user"):
        self.dev, self.sub, self.sid, self.role = dev, sub, sid, role
        self.key, self.kid = unb64(dev.jwt["key"]), dev.jwt["kid"]

    @classmethod
    def of(cls, person, role="user"):
        return cls(person.dev, person.id, jwt_parts(person.access)[1]["sid"],
                   role)

    def header(self, drop=(), **changes):
        header = {"typ": "at+jwt", "alg": "HS256", "kid": self.kid, **changes}
        return {k: v for k, v in header.items() if k not in drop}

    def claims(self, drop=(), **changes):
        now = int(time.time())
        claims = {"jti": str(uuid.uuid4()), "exp": now + 500,
                  "iat": now - 10, "iss": self.dev.url, "aud": "docket",
                  "sub": self.sub, "sid": self.sid, "role": self.role,
                  "scope": SCOPES[self.role], "client_id": "docket",
                  **changes}
        return {k: v for k, v in claims.items() if k not in drop}

    def seal(self, header, claims, key=None, digest=hashlib.sha256):
        """The MAC over two parts as they stand, already encoded or not."""
        signed = f"{header}.{claims}"
        mac = hmac.new(self.key if key is None else key, signed.encode(),
                       digest).digest()
        return f"{signed}.{b64(mac)}"

    def sign(self, header=None, claims=None, key=None,
             digest=hashlib.sha256):
        """A token of a header and claims: members, or bytes as they are."""
        header = self.header() if header is None else header
        claims = self.claims() if claims is None else claims
        return self.seal(b64(text_of(header)), b64(text_of(claims)), key,
                         digest)


# --- ES256 by openssl's commands ------------------------------------------

def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *arguments], input=data,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@functools.lru_cache(None)
def curve():
    """A fresh key on P-256 as (private PEM, public PEM, public DER)."""
    private = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    return (private, openssl("pkey", "-pubout", data=private),
            openssl("pkey", "-pubout", "-outform", "DER", data=private))


def es256(data):
    """RFC 7518 section 3.4: r and s in 32 bytes each, not DER."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "key")
        path.touch(mode=0o600)
        path.write_bytes(curve()[0])
        der = openssl("dgst", "-sha256", "-sign", str(path), data=data)
    at, numbers = 2, b""
    for _ in range(2):
        n = der[at + 1]
        number = int.from_bytes(der[at + 2:at + 2 + n], "big")
        numbers += number.to_bytes(32, "big")
        at += 2 + n
    return numbers


def es256_signed(f, alg):
    signed = b64(text_of(f.header(alg=alg))) + "." + b64(text_of(f.claims()))
    return f"{signed}.{b64(es256(signed.encode()))}"


def instance_pem(f):
    """A public key that anybody gets from the instance: its authority's."""
    return openssl("x509", "-in", str(f.dev.dir / "ca.pem"), "-pubkey",
                   "-noout")


# --- ways to make one -----------------------------------------------------

def claims(drop=(), **changes):
    return lambda f: f.sign(claims=f.claims(drop, **changes))


def header(drop=(), **changes):
    return lambda f: f.sign(f.header(drop, **changes))


def later(name, seconds):
    return lambda f: f.sign(claims=f.claims(
        **{name: int(time.time()) + seconds}))


def literal(name, number):
    """A claim whose JSON is spelled out, for numbers that Python would not
    write so."""
    def make(f):
        text = json.dumps(f.claims([name]))[:-1]
        return f.sign(claims=f'{text},"{name}":{number}}}'.encode())
    return make


def keyed(key, **changes):
    return lambda f: f.sign(f.header(**changes), key=key(f))


def unsigned(alg):
    def make(f):
        parts = f.header(alg=alg), f.claims()
        return ".".join(b64(text_of(p)) for p in parts) + "."
    return make


def flipped(part, at):
    """One bit of a part's bytes is the other one."""
    def make(f):
        parts = [bytearray(unb64(p)) for p in f.sign().split(".")]
        parts[part][at] ^= 1
        return ".".join(b64(p) for p in parts)
    return make


def spelled(change):
    """The good token, its text then changed."""
    return lambda f: change(f.sign())


def uncanonical(token):
    """The last character has two spare bits: another spelling of the same
    bytes."""
    last = LETTERS[LETTERS.index(token[-1]) ^ 1]
    assert unb64(token[:-1].split(".")[2] + last) == \
        unb64(token.split(".")[2])
    return token[:-1] + last


def sealed(change_header=str, change_claims=str):
    """The parts spelled otherwise before the MAC is made over them."""
    def make(f):
        return f.seal(change_header(b64(text_of(f.header()))),
                      change_claims(b64(text_of(f.claims()))))
    return make


def spare_bits(part):
    """A part of n bytes, n % 3 = 1, whose last character is not canonical."""
    return part[:-1] + LETTERS[LETTERS.index(part[-1]) | 1]


def loose(which):
    """A part with spare bits that are set, under a right MAC."""
    def make(f):
        parts = [text_of(f.header()), text_of(f.claims())]
        while len(parts[which]) % 3 != 1:
            parts[which] += b" "
        texts = [b64(part) for part in parts]
        texts[which] = spare_bits(texts[which])
        return f.seal(*texts)
    return make


def plain_base64(f):
    """Claims whose encoding has + and / where base64url has - and _."""
    part = b64(text_of(f.claims(x=">>>???")))
    assert "-" in part and "_" in part
    return f.seal(b64(text_of(f.header())),
                  part.replace("-", "+").replace("_", "/"))


def doubled(name, first=None):
    """A claim twice: which one counts would be anybody's guess."""
    def make(f):
        members = f.claims()
        text = json.dumps(members)[1:]
        value = json.dumps(members[name] if first is None else first)
        return f.sign(claims=f'{{"{name}":{value},{text}'.encode())
    return make


def doubled_header(name, first):
    def make(f):
        text = json.dumps(f.header())[1:]
        return f.sign(f'{{"{name}":"{first}",{text}'.encode())
    return make


def long_token(n):
    """A well signed token of n characters, or up to two fewer."""
    def make(f):
        size = n - 46 - len(b64(text_of(f.header())))
        room = size * 3 // 4 - len(text_of(f.claims(x="")))
        token = f.sign(claims=f.claims(x="x" * room))
        assert n - 2 <= len(token) <= n, len(token)
        return token
    return make
