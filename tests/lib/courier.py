# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance's courier in a test's hand: its life, its queue, its spool."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import docket
from docket import SLOW, comm, wait_until


def state_of(pid):
    """R, S, T, Z, ...; empty when there is no such process."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]


def running(pid):
    return comm(pid) == "docket-courier" and state_of(pid) not in ("Z", "")


class Courier:
    """Takes over the one that ./dev started."""

    def __init__(self, dev):
        self.dev, self.process = dev, None
        self.pid = [p for p in dev.pids()["app"]
                    if comm(p) == "docket-courier"][0]
        proc = pathlib.Path(f"/proc/{self.pid}")
        self.exe = os.readlink(proc / "exe")
        self.command = [word.decode() for word in
                        (proc / "cmdline").read_bytes().split(b"\0")[:-1]]
        self.environment = dict(
            word.decode().split("=", 1) for word in
            (proc / "environ").read_bytes().split(b"\0") if b"=" in word)
        stat = os.stat(dev.spool)
        self.who = {} if os.geteuid() else {
            "user": stat.st_uid, "group": stat.st_gid, "extra_groups": []}
        self.dsn = dev.dsn.replace("user=docket_api", "user=docket_courier")
        secret = (dev.dir / "keys/secret.key").read_text().strip()
        self.seal_key = HKDF(hashes.SHA256(), 32, None, b"seal").derive(
            docket.unb64(secret))

    # --- life and death ---

    def start(self, *more):
        with open(self.dev.dir / "log/docket-courier.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *more], executable=self.exe,
                cwd=self.dev.dir / "run", env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.who)
        self.pid = self.process.pid
        pids = self.dev.pids()
        pids["app"] = [p for p in pids["app"]
                       if comm(p) == "docketd"] + [self.pid]
        (self.dev.dir / "pids").write_text(
            json.dumps(pids, separators=(",", ":")) + "\n")

    def once(self, *more):
        return subprocess.run(
            [*self.command, "--once", *more], executable=self.exe,
            cwd=self.dev.dir / "run", env=self.environment, timeout=60,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, **self.who)

    def senders(self):
        return sorted(docket.children(self.pid))

    def stop(self):
        """Its exit code, when it was started by us."""
        # One that has no sender yet may not have its handlers either.
        wait_until(lambda: self.senders() or not running(self.pid),
                   "the courier to be up", 30 * SLOW)
        family = [self.pid, *self.senders()] if running(self.pid) else []
        for pid in family[:1]:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(running, family)),
                   "the courier to end", 30 * SLOW)
        return self.process.wait(120) if self.process else None

    def kill(self, family=False):
        """SIGKILL to the parent, or to all of them at one instant."""
        pids = [self.pid] + (self.senders() if family else [])
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
        if self.process:
            self.process.wait(120)

    # --- what it works on ---

    def sql(self, statement, *more):
        """As its role; rows as lists of text."""
        done = subprocess.run(
            [docket.psql(), "-X", "-q", "-A", "-t", "-F", "\t", "-v",
             "ON_ERROR_STOP=1", "-d", self.dsn, *more], input=statement,
            text=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, f"{statement[:200]}: {done.stderr}"
        return [line.split("\t") for line in done.stdout.splitlines()]

    def left(self):
        return int(self.sql("SELECT count(*) FROM docket.outbox")[0][0])

    def drained(self, seconds=60):
        wait_until(lambda: self.left() == 0, "an empty outbox",
                   seconds * SLOW)

    def reset(self):
        self.sql("DELETE FROM docket.outbox; DELETE FROM docket.dead_letters;"
                 "UPDATE docket.courier_lanes SET failures = 0,"
                 " held_at = NULL, opened_at = NULL, open_until = NULL,"
                 " open_seconds = 0")
        for path in self.dev.spool.glob("*.json"):
            path.unlink()

    def put(self, n, seconds=120, channel="sms"):
        """n sealed messages, as POST /otp/send leaves them; their ids."""
        ids, rows = [], []
        for _ in range(n):
            one, nonce = str(uuid.uuid4()), os.urandom(12)
            sealed = nonce + AESGCM(self.seal_key).encrypt(
                nonce, b"482913", one.encode())
            ids.append(one)
            rows.append(f"('{one}', '{channel}', '+989121234567', 'login',"
                        f" '\\x{sealed.hex()}',"
                        f" now() + interval '{seconds} s')")
        self.dev.sql("INSERT INTO docket.outbox (id, channel, address,"
                     " purpose, sealed, expires_at) VALUES "
                     + ", ".join(rows))
        return ids

    # --- what an administrator sees ---

    def queue(self, *words, code=0):
        done = subprocess.run(
            [self.dev.docket(), "-c", self.dev.dir / "docket.conf", "queue",
             *words], text=True, capture_output=True, timeout=60,
            check=False)
        assert done.returncode == code, f"{words}: {done}"
        return done.stdout + done.stderr

    def lane(self, channel="sms"):
        lanes = json.loads(self.queue("list", "--json"))["lanes"]
        return [one for one in lanes if one["channel"] == channel][0]

    def log(self):
        return self.dev.log("docket-courier")


class Reader:
    """What reads a spool: takes the files away and counts each id."""

    def __init__(self, dev):
        self.spool, self.seen = dev.spool, {}
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def take(self):
        for path in list(self.spool.glob("*.json")):
            letter = json.loads(path.read_text())
            path.unlink()
            assert path.name.endswith(f"-{letter['id']}.json")
            assert letter["code"] == "482913"
            self.seen[letter["id"]] = self.seen.get(letter["id"], 0) + 1

    def run(self):
        while not self.done.wait(0.002):
            self.take()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(120)
        self.take()

    def doubles(self):
        return sum(n - 1 for n in self.seen.values())


def pace(seconds, step):
    """Now, and every `step` seconds until `seconds` are over."""
    begun = time.monotonic()
    for i in range(round(seconds / step)):
        time.sleep(max(0.0, begun + i * step - time.monotonic()))
        yield i
