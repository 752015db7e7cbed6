# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who and what sql/seed.sql put there: ids, tokens, and a spec for others."""

import base64
import hashlib
import hmac
import json
import time

BASE = 1704067200000
PASSWORD = "correct horse battery staple"
IDS_A_USER = 10
TTL = 7 * 86400


def bench_id(ms, n):
    """As the function of that name in sql/seed.sql."""
    text = f"{ms:012x}70008000{n:012x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20],
                     text[20:]))


def user_id(n):
    return bench_id(BASE - 10_000_000 + n, n)


def session_id(n):
    return bench_id(BASE - 20_000_000 + n, n)


def username(n):
    return f"bench{n:07d}"


def task_id(n, k, users):
    return bench_id(BASE + (k * users + n) * 1000, n)


def task_ids(n, users, tasks):
    """Some of a user's tasks, spread over all of them."""
    step = max(1, tasks // IDS_A_USER)
    first = 1 + n % step
    return [task_id(n, k, users) for k in range(first, tasks + 1, step)]


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(
        value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(n, issuer, jwt, now):
    """An access token as docketd issues them, but for its lifetime."""
    key = base64.urlsafe_b64decode(jwt["key"] + "==")
    body = part({"alg": "HS256", "kid": jwt["kid"], "typ": "at+jwt"}) + "." \
        + part({"aud": "docket", "client_id": "docket", "exp": now + TTL,
                "iat": now, "iss": issuer, "jti": bench_id(now, n),
                "role": "user", "scope": "tasks:read tasks:write account",
                "sid": session_id(n), "sub": user_id(n)})
    mac = hmac.new(key, body.encode(), hashlib.sha256).digest()
    return f"{body}.{part(mac)}"


def write_tokens(path, state, users, tasks):
    """A line a user: token, id, name, ids of tasks."""
    jwt = json.loads((state / "jwt.json").read_text())
    issuer = (state / "url").read_text().strip()
    now = int(time.time())
    path.touch(mode=0o600)
    with path.open("w") as out:
        for n in range(1, users + 1):
            ids = ",".join(task_ids(n, users, tasks))
            out.write(f"{token(n, issuer, jwt, now)} {user_id(n)}"
                      f" {username(n)} {ids}\n")


def write_spec(path, state, tokens):
    """What a harness needs to drive this instance."""
    pids = json.loads((state / "pids").read_text())
    port = (state / "url").read_text().strip().rsplit(":", 1)[1]
    path.write_text(json.dumps({
        "name": "docket", "https": f"https://127.0.0.1:{port}",
        "dialect": "docket", "tokens": str(tokens),
        "pids": {"front": pids["front"], "app": pids["app"][:1],
                 "pg": pids["pg"]}}) + "\n")
