# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signing key changes under load: nobody is refused, nobody logged out."""

import json
import random
import subprocess
import threading
import time

import pytest

import docket
import instance
from docket import SLOW, Client, jwt_parts, wait_until
from forged_es256 import ring_keys
from held import reload

pytestmark = pytest.mark.faults

TTL, FULL = 30, 75


@pytest.fixture(scope="module")
def turning():
    """Tokens live so short that keys leave the ring during the long form."""
    with instance.running(
            "server.workers=4", "server.auth_workers=2",
            "server.shed_ms=8000", "server.deadline_ms=9000",
            f"auth.access_ttl={TTL}", "auth.clock_skew=5",
            "server.drain_seconds=5") as own:
        yield own


def key(own, *words, expect=(0,)):
    command = [own.docket(), "-c", own.dir / "docket.conf"]
    for one in (f"auth.access_ttl={TTL}", "auth.clock_skew=5",
                "server.drain_seconds=5"):
        command += ["--set", one]
    done = subprocess.run([*command, "key", *words], text=True, timeout=60,
                          capture_output=True)
    assert done.returncode in expect, done.stdout + done.stderr
    return done.returncode


class Chain(threading.Thread):
    """Somebody who lists tasks with every token that is still good, and
    refreshes now and then; `failed` is what was not 200."""

    def __init__(self, own, ended):
        super().__init__()
        self.own, self.ended = own, ended
        self.one = docket.person(own)
        self.refresh = self.one.refresh
        self.tokens = [(time.monotonic(), self.one.access)]
        self.reads = self.refreshes = 0
        self.failed, self.kids, self.error = [], {}, None
        self.note(self.one.access)

    def note(self, token):
        header = jwt_parts(token)[0]
        self.kids[header["kid"]] = header["alg"]

    def run(self):
        many = [Client(self.own) for _ in range(4)]
        try:
            while not self.ended.is_set():
                self.step(many)
        except BaseException as error:  # noqa: B902: shown by the test
            self.error = error
        for client in many:
            client.close()

    def step(self, many):
        # One with ten seconds left, whichever key signed it.
        now = time.monotonic()
        self.tokens = [t for t in self.tokens if t[0] > now - TTL + 10] \
            or self.tokens[-1:]
        if random.random() < 0.3 or self.tokens[-1][0] < now - TTL / 2:
            self.renew(many[0])
            # At once to whoever else is there: an old worker, a new one.
            for client in many:
                self.read(client, self.tokens[-1][1])
        else:
            self.read(many[0], random.choice(self.tokens)[1])

    def read(self, client, token):
        reply = client.request("GET", "/tasks?limit=3", check=False,
                               token=token)
        self.reads += 1
        if reply.status != 200:
            self.failed.append(str(reply))

    def renew(self, client):
        reply = client.request("POST", "/auth/refresh", check=False,
                               json={"refresh_token": self.refresh})
        self.refreshes += 1
        if reply.status != 200:
            self.failed.append(str(reply))
            return
        pair = json.loads(reply.body)
        self.refresh = pair["refresh_token"]
        self.tokens.append((time.monotonic(), pair["access_token"]))
        self.note(pair["access_token"])


@pytest.mark.parametrize("times", [5, pytest.param(
    20, marks=pytest.mark.long)])
def test_a_signing_key_rotated_under_load(turning, times):
    """docket key rotate and SIGHUP, from one algorithm to the other and back:
    no request fails."""
    ended, signed = threading.Event(), []
    key(turning, "generate")
    reload(turning)
    chains = [Chain(turning, ended) for _ in range(8)]
    for chain in chains:
        chain.start()
    try:
        for i in range(times):
            alg = ("ES256", "HS256")[i % 2]
            # A full ring waits until tokens have expired.
            wait_until(lambda: key(turning, "rotate", "--alg", alg,
                                   expect=(0, FULL)) == 0,
                       "room in the ring", 90)
            signed.append(ring_keys(turning)["current"][0])
            reload(turning)
            before = [chain.refreshes for chain in chains]
            wait_until(lambda: all(c.error or c.refreshes > n + 1
                                   for c, n in zip(chains, before)),
                       "a refresh of each with the new key", 30 * SLOW)
    finally:
        ended.set()
        for chain in chains:
            chain.join(60)
    reads = sum(chain.reads for chain in chains)
    kids = {k: v for chain in chains for k, v in chain.kids.items()}
    print(f"{times} rotations: {reads} reads,"
          f" {sum(c.refreshes for c in chains)} refreshes, {len(kids)} keys,"
          f" 0 failures")
    assert [c.error for c in chains if c.error] == []
    assert [f for c in chains for f in c.failed][:3] == []
    assert set(signed) <= set(kids) and len(set(signed)) == times
    assert set(kids.values()) == {"HS256", "ES256"}
    assert all(chain.reads for chain in chains)


def test_a_token_of_a_removed_key_is_401(turning):
    """On every worker; the session goes on with a token of another key."""
    one = docket.person(turning)
    kid = jwt_parts(one.access)[0]["kid"]
    wait_until(lambda: key(turning, "rotate", expect=(0, FULL)) == 0,
               "room in the ring", 90)
    path = turning.dir / "keys" / "jwt.keys"
    whole = path.read_text()
    reload(turning)
    one.stale = time.monotonic() + TTL
    one.get("/tasks", token=one.access)
    path.write_text("".join(line + "\n" for line in whole.splitlines()
                            if f" {kid} " not in line))
    reload(turning)
    many = [Client(turning) for _ in range(16)]
    for client in many:
        reply = client.get("/tasks", 401, token=one.access)
        assert reply.code == "token_invalid"
        client.close()
    client = Client(turning)
    pair = client.post("/auth/refresh", json={
        "refresh_token": one.refresh}).json
    client.get("/tasks", token=pair["access_token"])
    client.close()
    path.write_text(whole)
    reload(turning)
