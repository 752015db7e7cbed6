# SPDX-License-Identifier: AGPL-3.0-or-later
"""The Docket under measurement: where it is, and that it does its work."""

import http.client
import json
import os
import pathlib
import signal
import ssl
import time

import machine
import seeded


class Instance:
    def __init__(self, users, tasks):
        self.users, self.tasks = users, tasks
        self.state = pathlib.Path(os.environ["DEV_DIR"])
        self.sockets = pathlib.Path(os.environ["DEV_SOCKETS"])
        self.programs = pathlib.Path(os.environ["DEV_PROGRAMS"])
        self.settings = os.environ.get("DEV_SETS", "").split()
        pids = json.loads((self.state / "pids").read_text())
        self.supervisor = pids["app"][0]
        self.roles = {"front": pids["front"], "app": pids["app"][:1],
                      "pg": pids["pg"]}
        self.courier = pids["app"][1:]
        self.url = (self.state / "url").read_text().strip().replace(
            "localhost", "127.0.0.1")
        self.dsn = (self.state / "dsn").read_text().strip()
        self.tokens = self.state / "bench.tokens"
        # As docketd works them out (server.workers, server.auth_workers).
        self.cores = os.cpu_count()
        self.main_workers = 4 * self.cores
        self.hash_workers = max(2, 2 * self.cores)

    def seeded(self):
        seeded.write_tokens(self.tokens, self.state, self.users, self.tasks)

    def workers(self):
        return machine.children(self.supervisor)

    def ask(self, method, path, token, body=None):
        """Status and length of one answer."""
        context = ssl.create_default_context(
            cafile=str(self.state / "ca.pem"))
        link = http.client.HTTPSConnection(
            "127.0.0.1", int(self.url.rsplit(":", 1)[1]), context=context,
            timeout=10)
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        link.request(method, path, body, headers)
        reply = link.getresponse()
        found = reply.status, len(reply.read())
        link.close()
        return found

    def sizes(self):
        """Bytes of a body by kind; and that what is measured is the work:
        a token is checked, its session is looked up."""
        first = self.tokens.open().readline().split()
        token, task = first[0], first[3].split(",")[0]
        asks = {
            "list": ("GET", "/tasks?limit=20&sort=-created_at"),
            "one": ("GET", f"/tasks/{task}"),
            "created": ("POST", "/tasks", {
                "title": "A task made under load", "due_date": "2030-03-01",
                "description": 'Ask "Bob", then write down what he says'}),
            "changed": ("PATCH", f"/tasks/{task}/status",
                        {"status": "pending"}),
        }
        sizes = {}
        for kind, (method, path, *body) in asks.items():
            status, sizes[kind] = self.ask(method, path, token, *body)
            assert status in (200, 201), f"{method} {path}: {status}"
        issuer = (self.state / "url").read_text().strip()
        jwt = json.loads((self.state / "jwt.json").read_text())
        stranger = seeded.token(self.users + 1, issuer, jwt,
                                int(time.time()))
        for bad in (token[:-4] + "AAAA", stranger):
            status, _ = self.ask("GET", "/tasks", bad)
            assert status in (401, 404), f"a bad token was let in: {status}"
        return sizes

    def set_workers(self, n):
        """So many workers of the main group, by a reload."""
        folder = self.state / "conf.d"
        folder.mkdir(exist_ok=True)
        (folder / "bench.conf").write_text(f"server {{ workers = {n} }}\n")
        os.kill(self.supervisor, signal.SIGHUP)
        end = time.monotonic() + 30
        while len(self.workers()) != n + self.hash_workers:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.workers())} workers")
            time.sleep(0.1)
