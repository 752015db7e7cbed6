# SPDX-License-Identifier: AGPL-3.0-or-later
"""ECDSA on P-256 by hand (FIPS 186-5), for signatures that nobody would make:
slow, and not safe against somebody who measures."""

import hashlib
import secrets

from cryptography.hazmat.primitives.asymmetric import ec

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point, k = add(point, point), k >> 1
    return total


def of_base(k):
    """times(k, G), a hundred times faster."""
    found = ec.derive_private_key(k, ec.SECP256R1()).public_key()
    return found.public_numbers().x, found.public_numbers().y


def numbers(r, s):
    """RFC 7518 section 3.4: 32 bytes each."""
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(d, data, low=True, digest=hashlib.sha256):
    """(r, s), s being the lower one of the two, or the upper one."""
    z = int.from_bytes(digest(data).digest()[:32], "big")
    while True:
        k = secrets.randbelow(N - 1) + 1
        r = of_base(k)[0] % N
        s = pow(k, -1, N) * (z + r * d) % N
        if r and s:
            return r, s if (s <= N // 2) == low else N - s


def verify(point, data, r, s):
    z = int.from_bytes(hashlib.sha256(data).digest(), "big")
    w = pow(s, -1, N)
    found = add(times(z * w % N, G), times(r * w % N, point))
    return found is not None and found[0] % N == r


def integer(number):
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([2, len(data)]) + data


def der(r, s):
    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


# SubjectPublicKeyInfo of the curve, before the point (RFC 5480).
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def uncompressed(point):
    return b"\x04" + numbers(*point)
