# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance's private PostgreSQL: stop it, crash it, look into it, and what
Docket must be like meanwhile and afterwards."""

import os
import pathlib
import re
import signal
import socket
import struct
import subprocess

import docket
from docket import Client, children, comm, new_name, wait_until


class Postgres:
    """The private cluster of an instance: stop it, start it."""

    def __init__(self, own):
        self.own = own
        self.process = None
        self.pid = [p for p in own.pids()["pg"] if comm(p) == "postgres"][0]
        self.dir = os.path.realpath(f"/proc/{self.pid}/cwd")
        self.exe = os.readlink(f"/proc/{self.pid}/exe")
        stat = os.stat(f"/proc/{self.pid}")
        self.who = (stat.st_uid, stat.st_gid)
        self.sockets = re.search(r"host=(\S+)", own.dsn)[1]
        self.root = own.dsn.replace("user=docket_api", "user=postgres")

    # --- life and death ---

    def alive(self):
        return comm(self.pid) == "postgres" and not zombie(self.pid)

    def stop(self, how=signal.SIGINT):
        os.kill(self.pid, how)
        wait_until(lambda: not self.alive(), "PostgreSQL to end", 30)
        self.reap()

    def crash(self):
        """All of it at one instant, as when the machine goes: nobody gets
        to write out what only memory has."""
        everybody = [self.pid] + children(self.pid)
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in everybody:
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
        wait_until(lambda: not any(comm(p) == "postgres" and not zombie(p)
                                   for p in everybody), "a crash", 30)
        self.reap()
        # After a reboot these name nobody; here init may be slow to bury.
        for path in (f"{self.dir}/postmaster.pid",
                     f"{self.sockets}/.s.PGSQL.5432.lock"):
            pathlib.Path(path).unlink(missing_ok=True)

    def reap(self):
        if self.process:
            self.process.wait(120)
            self.process = None

    def start(self, wait=True):
        """As ./dev does; its pid goes where ./dev looks for it."""
        uid, gid = self.who
        who = {} if os.geteuid() else {"user": uid, "group": gid,
                                       "extra_groups": []}
        with open(self.own.dir / "log" / "postgres.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.exe, "-D", self.dir], cwd=self.dir,
                start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, **who)
        self.pid = self.process.pid
        pids = self.own.pids()
        pids["pg"] = [self.pid]
        (self.own.dir / "pids").write_text(
            docket.json.dumps(pids, separators=(",", ":")) + "\n")
        if wait:
            wait_until(self.up, "PostgreSQL to be back", 60)

    def up(self):
        if self.process and self.process.poll() is not None:
            raise AssertionError("PostgreSQL did not start: " +
                                 self.own.log("postgres")[-2000:])
        return self.ready()

    def ready(self):
        try:
            return self.own.sql("SELECT 1") == [["1"]]
        except AssertionError:
            return False

    # --- as its superuser ---

    def sql(self, script, timeout=60):
        """A script; its rows as lists of text. Each statement commits."""
        done = subprocess.run(
            [docket.psql(), "-X", "-q", "-A", "-t", "-F", "\t",
             "-v", "ON_ERROR_STOP=1", "-d", self.root],
            input=script, text=True, capture_output=True, timeout=timeout)
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return [line.split("\t") for line in done.stdout.splitlines()]

    def alter(self, **settings):
        """ALTER SYSTEM and reload; None takes a setting back."""
        for name, value in settings.items():
            what = f"RESET {name}" if value is None else \
                f"SET {name} = '{value}'"
            self.sql(f"ALTER SYSTEM {what}")
        self.sql("SELECT pg_reload_conf()")
        for name, value in settings.items():
            if value is not None and name != "max_connections":
                wait_until(lambda n=name, v=value: self.sql(
                    f"SHOW {n}") == [[str(v)]], f"{name} = {value}")

    def backends(self, where="true"):
        """The pids that serve docketd's workers."""
        return [int(row[0]) for row in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name ="
            f" 'docketd' AND ({where}) ORDER BY query_start DESC")]


class Slot:
    """One connection of an outsider, by hand: it costs no process."""

    def __init__(self, dsn):
        words = dict(word.split("=", 1) for word in dsn.split())
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        try:
            self.socket.connect(words["host"] + "/.s.PGSQL.5432")
            text = b"".join(part.encode() + b"\0" for part in (
                "user", words["user"], "database", words["dbname"])) + b"\0"
            self.socket.sendall(struct.pack("!ii", 8 + len(text), 196608) +
                                text)
            self.open = self.heard()
        except OSError:
            self.open = False
        if not self.open:
            self.close()

    def heard(self):
        """Up to ReadyForQuery; False when there is no room."""
        with self.socket.makefile("rb") as stream:
            while head := stream.read(5):
                kind, size = struct.unpack("!ci", head)
                stream.read(size - 4)
                if kind in (b"Z", b"E"):
                    return kind == b"Z"
        return False

    def close(self):
        self.socket.close()


def zombie(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        return text.rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def everybody_is_back(own, seconds):
    """Both groups of workers answer again and again from the database."""
    client = Client(own)

    def both():
        return all(client.get("/readyz", None).status == 200 and client.post(
            "/auth", None, json={"username": new_name(), "password": "x"}
        ).status == 401 for _ in range(12))

    wait_until(both, "every worker to be back", seconds)
    client.close()


def unavailable(reply):
    assert reply.status == 503, str(reply)
    assert reply.code in ("database_unavailable", "outcome_unknown"), \
        str(reply)
    assert int(reply.header("Retry-After")) >= 1
