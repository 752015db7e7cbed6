# SPDX-License-Identifier: AGPL-3.0-or-later
"""Steady callers of a service with production's limits: each a person with an
address of its own on the loopback, none faster than one may be."""

import http.client
import itertools
import json
import select
import socket
import ssl
import threading
import time

PACE = 0.15  # below limits.requests_user

ADDRESSES = itertools.count(2)


def tls():
    """The certificate that setup made vouches for itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Caller:
    def __init__(self, name):
        self.name, self.connection, self.anew = name, None, 0
        self.address = f"127.0.0.{next(ADDRESSES)}"
        said = self.call("POST", "/auth/register", {
            "username": name, "password": "correct horse battery"})
        assert said.status == 200, said.body
        self.token = json.loads(said.body)["access_token"]

    def call(self, method, path, body=None, token=None, key=None):
        """What came back; an exception is no answer."""
        self.look()
        if not self.connection:
            self.connection = http.client.HTTPSConnection(
                "127.0.0.1", 443, context=tls(), timeout=20,
                source_address=(self.address, 0))
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = f'"{key}"'
        try:
            self.connection.request(method, path, headers=headers,
                                    body=json.dumps(body) if body else None)
            said = self.connection.getresponse()
            said.body = said.read()
        except BaseException:
            self.connection.close()
            self.connection = None
            raise
        if said.will_close:
            self.connection = None
        return said

    def look(self):
        """As curl, urllib3 and browsers do: a kept connection that the other
        side has closed meanwhile is not used again."""
        if self.connection and \
                select.select([self.connection.sock], [], [], 0)[0]:
            self.connection.close()
            self.connection = None
            self.anew += 1


class Callers:
    """Use as a context, in the network of the box. patient=True: what met the
    end of its connection is sent again, under its Idempotency-Key."""

    def __init__(self, n=8, prefix="caller", patient=False):
        self.patient, self.resent = patient, 0
        self.people = [Caller(f"{prefix}{i}") for i in range(n)]
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.count, self.failed, self.titles = 0, [], []
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self.go_on, args=[one])
                        for one in self.people]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)

    def go_on(self, one):
        for i in itertools.count():
            if self.ended.wait(PACE):
                return
            if i % 2:
                self.once(one, 200, "GET", "/tasks?limit=5")
            else:
                self.once(one, 201, "POST", "/tasks",
                          {"title": f"{one.name}-{i}"})

    def once(self, one, wanted, method, path, body=None):
        begun = time.monotonic()
        try:
            said = self.ask(one, method, path, body)
            good, why = said.status == wanted, f"{said.status} {said.body}"
        except (OSError, http.client.HTTPException) as error:
            good, why = False, repr(error)
        with self.lock:
            self.count += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if not good:
                self.failed.append((time.monotonic(), method, why[:300]))
            elif body:
                self.titles.append(body["title"])

    def ask(self, one, method, path, body):
        key = body["title"] if body and self.patient else None
        try:
            return one.call(method, path, body, one.token, key)
        except (ConnectionError, ssl.SSLEOFError):
            if not self.patient:
                raise
            with self.lock:
                self.resent += 1
            return one.call(method, path, body, one.token, key)

    def anew(self):
        """How many kept connections were found closed."""
        return sum(one.anew for one in self.people)

    def lost(self, box):
        """Titles that were acknowledged and are not in the table."""
        held = set(box.sql("SELECT title FROM docket.tasks"))
        return [title for title in self.titles if title not in held]

    def __str__(self):
        return (f"{self.count} requests, {len(self.failed)} failed, "
                f"{len(self.titles)} tasks made, slowest "
                f"{self.slowest * 1000:.0f} ms, "
                f"{self.anew()} idle connections closed, "
                f"{self.resent} sent again")


def listens(port, address="127.0.0.1"):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
