# SPDX-License-Identifier: AGPL-3.0-or-later
"""A primary and its synchronous standby, on a Unix socket each, whose parts
change: whoever was lost comes back as a copy of whoever leads."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import docket
from docket import children, comm, wait_until
from postgres import zombie

NAME = "follower"  # as which a standby is waited for


class Node:
    """One cluster: where it listens, and what runs there."""

    def __init__(self, own, sockets, data, pid=None):
        self.own, self.sockets = own, pathlib.Path(sockets)
        self.data, self.pid = pathlib.Path(data), pid
        self.process = None

    def everybody(self):
        return [p for p in [self.pid, *children(self.pid)]
                if comm(p) == "postgres"] if self.alive() else []

    def alive(self):
        return bool(self.pid) and comm(self.pid) == "postgres" and \
            not zombie(self.pid)

    def signal(self, how):
        """All of it at once, so that nobody can tell anybody."""
        for pid in self.everybody():
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass

    def freeze(self):
        """The sockets still take connections, and nobody says a word."""
        self.signal(signal.SIGSTOP)

    def kill(self):
        self.freeze()
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.alive(), "a server to be dead", 30)
        if self.process:
            self.process.wait(120)
        # After a reboot they would name nobody.
        for path in (self.data / "postmaster.pid",
                     self.sockets / ".s.PGSQL.5432.lock",
                     self.sockets / ".s.PGSQL.5432"):
            path.unlink(missing_ok=True)
        self.pid = self.process = None

    def dsn(self, user="postgres"):
        return f"host={self.sockets} dbname=docket user={user}"

    def sql(self, script):
        done = subprocess.run(
            [docket.psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-d", self.dsn()], input=script, text=True,
            capture_output=True, timeout=60)
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return done.stdout.strip()

    def up(self):
        try:
            return self.sql("SELECT 1") == "1"
        except AssertionError:
            assert self.alive(), self.own.log(self.sockets.name)[-2000:]
            return False


class Pair:
    """`leads` is the primary, `follows` its standby or what is left of it."""

    def __init__(self, own, second):
        pid = [p for p in own.pids()["pg"] if comm(p) == "postgres"][0]
        stat = os.stat(f"/proc/{pid}")
        self.own, self.who = own, (stat.st_uid, stat.st_gid)
        self.programs = pathlib.Path(os.readlink(f"/proc/{pid}/exe")).parent
        self.leads = Node(own, re.search(r"host=(\S+)", own.dsn)[1],
                          os.path.realpath(f"/proc/{pid}/cwd"), pid)
        self.follows = Node(own, second, own.dir / "second")
        self.copies = 0
        with open(self.leads.data / "pg_hba.conf", "a") as rules:
            rules.write("local replication postgres peer map=dev\n")
        self.leads.sql("SELECT pg_reload_conf()")
        self.first = self.leads.sockets  # of the service's hosts

    def close(self):
        self.leads.kill()
        self.follows.kill()

    def as_postgres(self):
        uid, gid = self.who
        return {} if os.geteuid() else {"user": uid, "group": gid,
                                        "extra_groups": []}

    def folder(self, path):
        path.mkdir(mode=0o755, exist_ok=True)
        if not os.geteuid():
            os.chown(path, *self.who)
        return path

    def start(self, node):
        log = self.own.dir / "log" / f"{node.sockets.name}.log"
        with open(log, "ab") as out:
            node.process = subprocess.Popen(
                [self.programs / "postgres", "-D", node.data,
                 "-c", f"unix_socket_directories={node.sockets}"],
                cwd=node.data, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                **self.as_postgres())
        node.pid = node.process.pid
        wait_until(node.up, "a server to be up", 60)

    def follow(self):
        """A new copy of the primary, which from now on waits for it."""
        self.follows.kill()
        self.copies += 1
        data = self.folder(self.own.dir / "copies") / str(self.copies)
        shutil.rmtree(self.follows.data, ignore_errors=True)
        self.follows.data = data
        self.folder(self.follows.sockets)
        done = subprocess.run(
            [self.programs / "pg_basebackup", "-D", data, "-X", "stream",
             "-c", "fast", "-R", "-d", f"host={self.leads.sockets}"
             f" user=postgres application_name={NAME}"], cwd="/", text=True,
            capture_output=True, timeout=120, **self.as_postgres())
        assert done.returncode == 0, done.stderr
        # What it copied of the primary's own settings.
        with open(data / "postgresql.auto.conf", "a") as settings:
            settings.write("synchronous_standby_names = ''\n"
                           "default_transaction_read_only = off\n")
        self.start(self.follows)
        self.leads.sql(
            f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        self.leads.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.leads.sql(
            "SELECT sync_state FROM pg_stat_replication") == "sync",
            "a synchronous standby", 30)

    def promote(self):
        """The standby leads; the other one is what follows, or does not."""
        assert self.follows.sql("SELECT pg_promote(true, 60)") == "t"
        self.leads, self.follows = self.follows, self.leads
        self.own.dsn = self.leads.dsn("docket_api")  # the tests' own way
