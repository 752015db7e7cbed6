# SPDX-License-Identifier: AGPL-3.0-or-later
"""Marked secrets, and the places where none of them may stand."""

import pathlib
import re
import secrets
import subprocess

import docket
import trail


class Marked:
    """Everything that must not be seen again, by what it is."""

    def __init__(self, dev):
        self.dev, self.values, self.compiled = dev, {}, None

    def add(self, what, value):
        self.values[value], self.compiled = what, None
        return value

    def new(self, what):
        """One that is a fit password, and found wherever it stands."""
        return self.add(what, f"canary{secrets.token_hex(16)}")

    def take(self, reply):
        """The secrets of a reply."""
        for name in ("token", "access_token", "refresh_token",
                     "verification_token", "otp", "key", "api_key"):
            if isinstance(reply.json.get(name), str):
                self.add(name, reply.json[name])
        for cookie in reply.all("Set-Cookie"):
            value = cookie.split(";")[0].split("=", 1)[1]
            if value:
                self.add("cookie", value)
        return reply.json

    def take_file(self, what, path):
        """The words of a secret file, and the bytes they are as a dump of
        the database would show them."""
        words = [word for line in pathlib.Path(path).read_text().splitlines()
                 if not line.startswith("#") for word in line.split()]
        long = [word for word in words if len(word) >= 24]
        assert long, f"no secret in {path}"
        for word in long:
            self.add(what, word)
            word = word.removeprefix("whsec_").replace("+", "-")
            self.add(what, docket.unb64(word.replace("/", "_").rstrip("="))
                     .hex())

    def pattern(self):
        """A code of digits alone is one only between other characters."""
        if not self.compiled:
            words = [rf"(?<!\d){v}(?!\d)" if v.isdigit() else re.escape(v)
                     for v in self.values]
            self.compiled = re.compile("|".join(words).encode())
        return self.compiled

    def found_in(self, data):
        """What of it is there: its kind and the words around it."""
        return [(self.values[m[0].decode()],
                 data[max(0, m.start() - 80):m.start()])
                for m in self.pattern().finditer(data)]


def logs(dev):
    return sorted(p for p in (dev.dir / "log").iterdir() if p.is_file())


def in_logs(dev, marked):
    """A path is no secret, whatever was written into it."""
    return [(path.name, hit) for path in logs(dev)
            for hit in marked.found_in(path.read_bytes()) if hit[0] != "id"]


def dump(dev):
    """All that is in the database, as its owner reads it."""
    return subprocess.run(
        [pathlib.Path(docket.psql()).with_name("pg_dump"), "--data-only",
         "-d", trail.owner(dev).dsn],
        capture_output=True, timeout=120, check=True).stdout


def in_tables(dev, marked):
    """What was typed as a name is one."""
    return [hit for hit in marked.found_in(dump(dev))
            if hit[0] not in ("id", "name")]


def family(pid):
    """A process and all below it; one that ends meanwhile has nobody."""
    try:
        children = docket.children(pid)
    except FileNotFoundError:
        return []
    return [pid, *(one for child in children for one in family(child))]


def processes(dev):
    return [p for group in dev.pids().values() for pid in group
            for p in family(pid)]


def in_processes(dev, marked):
    """What ps shows of them, and a debugger's user sees; how many files
    were read, and what was found."""
    read, found = 0, []
    for pid in processes(dev):
        for name in ("cmdline", "environ", "comm"):
            try:
                shown = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue  # not even to its own user, or it has ended
            read += 1
            found += [(pid, name, hit) for hit in marked.found_in(shown)]
    return read, found


def in_files(dev, marked, kinds):
    """The instance's files, the cluster's and the spool's aside, that hold
    such a secret."""
    return {path for path in dev.dir.rglob("*")
            if path.is_file() and not path.is_symlink()
            and "pg" not in path.relative_to(dev.dir).parts
            and any(kind in kinds
                    for kind, _ in marked.found_in(path.read_bytes()))}
