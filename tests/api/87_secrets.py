# SPDX-License-Identifier: AGPL-3.0-or-later
"""Marked passwords, codes, tokens and keys go through every route, right and
wrong; afterwards none of them stands in a log, a table or a process."""

import json
import os
import pathlib
import re
import secrets
import subprocess

import pytest

import docket
import instance
from docket import ROUTES, Client, new_email, new_name, new_phone

# Members that carry a secret somewhere in the API.
MEMBERS = ["password", "new_password", "current_password", "otp",
           "verification_token", "refresh_token", "token", "access_token",
           "key", "secret", "client_secret", "username", "email", "phone"]


class Marked:
    """Everything that must not be seen again, by what it is."""

    def __init__(self, dev):
        self.dev, self.values = dev, {}

    def add(self, what, value):
        self.values[value] = what
        return value

    def new(self, what):
        """One that is a fit password, and found wherever it stands."""
        return self.add(what, f"canary{secrets.token_hex(16)}")

    def take(self, reply):
        """The secrets of a reply."""
        for name in ("token", "access_token", "refresh_token",
                     "verification_token", "otp", "key"):
            if isinstance(reply.json.get(name), str):
                self.add(name, reply.json[name])
        return reply.json

    def pattern(self):
        """A code of digits alone is one only between other characters."""
        words = [rf"(?<!\d){v}(?!\d)" if v.isdigit() else re.escape(v)
                 for v in self.values]
        return re.compile("|".join(words).encode())

    def found_in(self, data):
        """What of it is there: its kind and the words around it."""
        return [(self.values[m[0].decode()],
                 data[max(0, m.start() - 80):m.start()])
                for m in self.pattern().finditer(data)]


@pytest.fixture(scope="module")
def server():
    """Codes of ten digits: none of them is a time or a number by chance."""
    with instance.running("otp.length=10", "server.workers=2",
                          "server.auth_workers=2") as found:
        yield found


@pytest.fixture(scope="module")
def marked(server):
    found = Marked(server)
    found.add("signing key", server.jwt["key"])
    master = server.dir / "keys" / "secret.key"
    if os.access(master, os.R_OK):
        found.add("master secret", master.read_text().strip())
    found.add("admin's password", server.admin["password"])
    journey(server, found)
    everywhere(server, found)
    command(server, found)
    return found


def sent(client, marked, to, purpose=None):
    return marked.take(docket.send_otp(client, to, purpose))["otp"]


def journey(dev, marked):
    """What people do, and what they do wrong."""
    client, phone, email = Client(dev), new_phone(), new_email()
    password, name = marked.new("password"), new_name()
    code = sent(client, marked, phone)
    wrong = marked.add("wrong code", "9" + code[1:][::-1])
    client.post("/otp/verify", 400, json={"phone": phone, "otp": wrong})
    proof = marked.take(client.post("/otp/verify", json={
        "phone": phone, "otp": code}))["verification_token"]
    body = {"username": name, "password": password, "phone": phone,
            "verification_token": proof}
    first = marked.take(client.post("/auth/register", json=body))
    client.post("/auth/register", None, json=body)  # used
    client.post("/auth/register", 409, json={
        "username": name, "password": marked.new("refused password")})
    code = sent(client, marked, email)
    marked.take(client.post("/auth/register", json={
        "username": new_name(), "password": password, "email": email,
        "otp": code}))
    log_ins(client, marked, name, password)
    tokens(client, marked, first)
    client.close()


def log_ins(client, marked, name, password):
    marked.take(client.post("/auth", json={"username": name,
                                           "password": password}))
    client.post("/auth", 401, json={
        "username": name, "password": marked.new("wrong password")})
    # Typed into the wrong box.
    client.post("/auth", 401, json={"username": marked.new("name"),
                                    "password": password})
    marked.take(client.post("/auth/token", form={
        "grant_type": "password", "username": name, "password": password}))
    client.post("/auth/token", 400, form={
        "username": name, "password": marked.new("wrong password")})


def tokens(client, marked, pair):
    fresh = marked.take(client.post("/auth/refresh", json={
        "refresh_token": pair["refresh_token"]}))
    marked.take(client.post("/auth/token", form={
        "grant_type": "refresh_token",
        "refresh_token": fresh["refresh_token"]}))
    client.post("/auth/refresh", 401, json={
        "refresh_token": pair["refresh_token"]})  # theft
    client.get("/auth/me", 401, token=fresh["access_token"])
    client.get("/auth/me", 401, token=marked.new("bearer"))


def everywhere(dev, marked):
    """Every row of the route table, with a secret wherever one may stand."""
    client = Client(dev)
    person = docket.person(dev, password=marked.new("password"))
    for row in ROUTES:
        for token in (None, marked.new("bearer"), person.access):
            body = {name: marked.new(name) for name in MEMBERS}
            headers = [("X-API-Key", marked.new("api key")),
                       ("Cookie", "session=" + marked.new("cookie")),
                       ("Idempotency-Key", new_name())]
            path = row.at(marked.new("id"))
            for more in ({"json": body}, {"form": body},
                         {"body": json.dumps(body).encode()[:-1]}):
                if not row.takes_body:
                    more = {}
                reply = client.request(row.method, path, None, token=token,
                                       headers=headers, **more)
                seen = [value for name, value in body.items()
                        if value.encode() in reply.body]
                assert not seen, f"{reply} repeats {seen}"
    marked.add("access token", person.access)
    person.close()
    client.close()


def command(dev, marked):
    """An administrator types a password."""
    password = marked.new("typed password")
    with subprocess.Popen(
            [dev.docket(), "-c", dev.dir / "docket.conf", "user", "add",
             new_name(), "--password-file", "-"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT) as run:
        run.stdin.write(password + "\n")
        run.stdin.flush()
        said = pathlib.Path(f"/proc/{run.pid}/cmdline").read_bytes()
        run.stdin.close()
        said += run.stdout.read().encode()
    assert run.returncode == 0 and not marked.found_in(said), said
    line = json.dumps({"username": new_name(), "password_hash":
                       marked.new("no hash at all")})
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "user", "import", "-"],
        input=line.encode(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == os.EX_DATAERR
    assert not marked.found_in(done.stdout), done.stdout


# --- where they are looked for -----------------------------------------------

def test_the_marks_are_many(marked):
    kinds = set(marked.values.values())
    assert {"password", "wrong password", "otp", "refresh_token",
            "verification_token", "access_token", "bearer", "api key",
            "signing key", "admin's password"} <= kinds
    assert len(marked.values) > 1000


def test_a_mark_would_be_found(marked):
    """The search itself."""
    for value in marked.values:
        assert marked.found_in(b"x " + value.encode() + b" y"), value


def logs(dev):
    return sorted(p for p in (dev.dir / "log").iterdir() if p.is_file())


def test_logs_hold_none(server, marked):
    names = {path.name for path in logs(server)}
    assert {"docketd.log", "docket-courier.log", "nginx-access.log",
            "nginx-error.log", "postgres.log"} <= names
    assert len(server.log("nginx-access").splitlines()) > len(ROUTES)
    for path in logs(server):
        found = [hit for hit in marked.found_in(path.read_bytes())
                 if hit[0] != "id"]  # a path is no secret
        assert not found, f"{path.name}: {found[:3]}"


def test_tables_hold_none(server, marked):
    dump = subprocess.run(
        [pathlib.Path(docket.psql()).with_name("pg_dump"), "--data-only",
         "-d", server.dsn.replace("user=docket_api", "user=docket_owner")],
        capture_output=True, timeout=120, check=True).stdout
    for table in (b"users", b"sessions", b"otps", b"outbox", b"audit"):
        assert b"COPY docket." + table in dump
    found = [hit for hit in marked.found_in(dump)
             if hit[0] not in ("id", "name")]  # what was typed as a name
    assert not found, found[:3]


def family(pid):
    """A process and all below it."""
    found = [pid]
    for child in docket.children(pid):
        found += family(child)
    return found


def test_processes_show_none(server, marked):
    pids = [p for group in server.pids().values() for pid in group
            for p in family(pid)]
    assert len(pids) > 8
    read = 0
    for pid in pids:
        for name in ("cmdline", "environ", "comm"):
            try:
                shown = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except PermissionError:
                continue  # not even to its own user
            read += 1
            assert not marked.found_in(shown), f"{pid} {name}: {shown}"
    assert read >= 2 * len(pids)


def test_workers_leave_no_core(server):
    for pid in server.workers():
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        line = re.search(r"^Max core file size +(\d+) +(\d+)", limits, re.M)
        assert (line[1], line[2]) == ("0", "0"), limits


def test_statements_in_sight_hold_none(server, marked):
    """What PostgreSQL shows of its clients: $1, never the value."""
    shown = server.sql("SELECT query FROM pg_stat_activity"
                       " WHERE application_name LIKE 'docket%'")
    assert len(shown) > 2
    assert not marked.found_in(repr(shown).encode())


def test_codes_stand_in_the_spool_alone(server, marked):
    hits = {path: marked.found_in(path.read_bytes())
            for path in server.dir.rglob("*")
            if path.is_file() and not path.is_symlink()
            and "pg" not in path.relative_to(server.dir).parts}
    holding = {path for path, found in hits.items()
               if any(kind == "otp" for kind, _ in found)}
    assert holding and {path.parent for path in holding} == {server.spool}


def test_metrics_and_documents_hold_none(server, marked):
    client = Client(server)
    for path in ("/healthz", "/readyz", "/openapi.json", "/metrics"):
        reply = client.get(path, None)
        assert not marked.found_in(reply.body), path
    client.close()
