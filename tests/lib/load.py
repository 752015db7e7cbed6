# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers and writers that go on while a test breaks things, and the account
of what they were told: acknowledged writes are counted against the table."""

import http.client
import threading
import time

import docket

# What a broken exchange may raise; anything else is the test's own fault.
BROKEN = (OSError, http.client.HTTPException)


class Load:
    """Use as a context: readers and writers run inside it.

    Each writer is a person of its own. It posts one task after another, each
    under an Idempotency-Key of its own, and repeats a failed one with the
    same key until it is acknowledged. keyed=False: no key, no repeat.
    """

    def __init__(self, dev, readers=4, writers=4, keyed=True):
        self.dev, self.keyed = dev, keyed
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.reads = self.tries = 0
        self.failed_reads, self.failed_writes = [], []
        self.slowest = 0.0
        self.errors = []
        self.people = [docket.person(dev) for _ in range(max(writers, 1))]
        self.acknowledged = {one.id: {} for one in self.people}
        jobs = [lambda i=i: self.read(self.people[i % len(self.people)])
                for i in range(readers)]
        jobs += [lambda i=i: self.write(self.people[i])
                 for i in range(writers)]
        self.threads = [threading.Thread(target=self.guard, args=[job])
                        for job in jobs]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """End all, after the exchange in hand; an error of ours is raised."""
        self.ended.set()
        for thread in self.threads:
            thread.join(300)
            assert not thread.is_alive(), "a client hangs"
        if self.errors:
            raise self.errors[0]

    def guard(self, job):
        try:
            job()
        except BaseException as error:  # noqa: B902: shown by stop()
            self.errors.append(error)

    def exchange(self, client, *arguments, **more):
        """The Reply, or the exception that stood in its place."""
        begun = time.monotonic()
        try:
            return client.request(*arguments, check=False, **more)
        except BROKEN as error:
            client.close()
            return error
        finally:
            took = time.monotonic() - begun
            with self.lock:
                self.slowest = max(self.slowest, took)

    def read(self, person):
        client = docket.Client(self.dev)
        while not self.ended.is_set():
            said = self.exchange(client, "GET", "/tasks?limit=5",
                                 token=person.access)
            with self.lock:
                self.reads += 1
                if getattr(said, "status", 0) != 200:
                    self.failed_reads.append((time.monotonic(), str(said)))
        client.close()

    def write(self, person):
        client = docket.Client(self.dev)
        while not self.ended.is_set():
            self.post(client, person, docket.new_name("w"))
        client.close()

    def post(self, client, person, title):
        """One task, until it is acknowledged or the load ends."""
        more = {"json": {"title": title}, "token": person.access}
        if self.keyed:
            more["headers"] = [("Idempotency-Key", title)]
        while True:
            said = self.exchange(client, "POST", "/tasks", **more)
            with self.lock:
                self.tries += 1
                if getattr(said, "status", 0) == 201:
                    self.acknowledged[person.id][title] = \
                        said.json["task"]["id"]
                    return
                self.failed_writes.append((time.monotonic(), str(said)))
            if self.ended.wait(0.02) or not self.keyed:
                return

    @property
    def writes(self):
        return sum(len(one) for one in self.acknowledged.values())

    def lost_and_doubled(self):
        """Two lists of titles, by the table itself (not by the API)."""
        lost, doubled = [], []
        for user, titles in self.acknowledged.items():
            rows = self.dev.sql("SELECT title, id FROM docket.tasks"
                                " WHERE user_id = :'user'", user=user)
            held = {}
            for title, task in rows:
                held.setdefault(title, []).append(task)
            lost += [t for t, task in titles.items()
                     if task not in held.get(t, [])]
            doubled += [t for t, tasks in held.items() if len(tasks) > 1]
        return lost, doubled

    def __str__(self):
        return (f"{self.reads} reads, {len(self.failed_reads)} failed; "
                f"{self.tries} writes, {self.writes} acknowledged, "
                f"{len(self.failed_writes)} failed; slowest "
                f"{self.slowest * 1000:.0f} ms")
