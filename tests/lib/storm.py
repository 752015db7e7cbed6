# SPDX-License-Identifier: AGPL-3.0-or-later
"""More requests than can be served, by h2load, and what became of them."""

import json
import os
import re
import resource
import subprocess
import tempfile
import threading
import time

import docket

# A field of nginx's log. The time of a request that went to two workers has a
# space in it: upstream=0.000, 0.012.
FIELD = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")


def quantile(values, part):
    """The value that `part` of them do not exceed; 0.0 of none."""
    ordered = sorted(values)
    return ordered[int(part * (len(ordered) - 1))] if ordered else 0.0


class Storm:
    """One run of h2load; wait() or stop() fills in what it was told.

    rps is that of each client and makes the load open: requests are sent when
    it is time for them, answered or not, up to 64 streams a connection.
    Without it each client waits for one answer before it asks again.
    """

    def __init__(self, dev, path, token=None, *, clients, rps=None, total=None,
                 seconds=None, body=None):
        self.folder = tempfile.TemporaryDirectory(prefix="docket-storm-")
        self.log = os.path.join(self.folder.name, "log")
        command = ["h2load", "-c", str(clients), "--log-file", self.log]
        command += ["-n", str(total)] if total else ["-D", str(seconds)]
        command += ["-m", "64", "--rps", f"{rps:.3f}"] if rps else ["--h1"]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if body is not None:
            file = os.path.join(self.folder.name, "body")
            with open(file, "w", encoding="ascii") as out:
                json.dump(body, out)
            command += ["-d", file, "-H", "Content-Type: application/json"]
        self.process = subprocess.Popen(
            [*command, dev.url + path], text=True, preexec_fn=more_files,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def wait(self, seconds=300):
        try:
            self.said = self.process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"not answered in time; {self}") from None
        assert self.process.returncode == 0, self.said
        self.read()
        return self

    def stop(self):
        """As clients that give up: nothing is waited for."""
        self.process.kill()
        self.process.communicate()
        self.read()
        return self

    def read(self):
        """(begun, status, seconds) of each request that was answered; status
        is -1 where the connection broke."""
        self.answers = []
        if os.path.exists(self.log):
            with open(self.log, encoding="ascii") as lines:
                rows = [line.split() for line in lines]
            self.answers = [(int(row[0]) / 1e6, int(row[1]),
                             int(row[2]) / 1e6) for row in rows
                            if len(row) == 3]
        self.folder.cleanup()

    def statuses(self):
        return {status for _, status, _ in self.answers}

    def took(self, status):
        return [took for _, one, took in self.answers if one == status]

    def whole(self):
        """Every request sent was answered, on connections that held."""
        return ", 0 errored, 0 timeout" in self.said

    def __str__(self):
        begun = [begun for begun, _, _ in self.answers] or [0]
        rate = len(begun) / max(max(begun) - min(begun), 1e-3)
        parts = [f"{len(begun)} requests, {rate:.0f}/s"]
        for status in sorted(self.statuses()):
            took = self.took(status)
            parts.append(f"{len(took)} x {status} (p50 "
                         f"{quantile(took, .5) * 1000:.0f}, p99 "
                         f"{quantile(took, .99) * 1000:.0f}, max "
                         f"{max(took) * 1000:.0f} ms)")
        return "; ".join(parts)


def more_files():
    """In the child: a descriptor for each connection."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def capacity(dev, path, token, seconds, clients=64):
    """Requests served a second when nobody is in anybody's way."""
    calm = Storm(dev, path, token, clients=clients, seconds=seconds).wait()
    assert calm.statuses() == {200}, str(calm)
    return len(calm.answers) / seconds


class Front:
    """What nginx's log says of the requests from here on."""

    def __init__(self, dev):
        self.path = dev.dir / "log" / "nginx-access.log"
        self.start = self.path.stat().st_size

    def rows(self, at_least):
        """The lines as dictionaries; nginx writes them late."""
        found = docket.wait_until(lambda: self.enough(at_least),
                                  f"{at_least} lines in nginx's log", 30)
        return found

    def enough(self, at_least):
        with open(self.path, "rb") as file:
            file.seek(self.start)
            text = file.read().decode()
        # A write of nginx's that is under way shows as half a line.
        lines = text[:text.rfind("\n") + 1].splitlines()
        if len(lines) < at_least:
            return None
        return [dict(FIELD.findall(line)) for line in lines]


class Prober:
    """One careful client beside a storm: each of its answers is looked at as
    a whole (Client's own rules: a 503 is a problem document and says when to
    come again; a 502 or 504 fails). `ask` makes one request."""

    def __init__(self, dev, ask, pause=0.02):
        self.client, self.ask, self.pause = docket.Client(dev), ask, pause
        self.ended, self.error = threading.Event(), None
        self.answers = []
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(60)
        self.client.close()
        if self.error:
            raise self.error

    def run(self):
        try:
            while not self.ended.wait(self.pause):
                begun = time.monotonic()
                reply = self.ask(self.client)
                self.answers.append((reply.status, time.monotonic() - begun))
        except BaseException as error:  # noqa: B902: raised by __exit__
            self.error = error

    def statuses(self):
        return {status for status, _ in self.answers}
