# SPDX-License-Identifier: AGPL-3.0-or-later
"""Marked passwords, codes, tokens and keys go through every route, right and
wrong; afterwards none of them stands in a log, a table or a process."""

import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

import docket
import instance
import marked as places
import trail
from docket import ROUTES, Client, new_email, new_name, new_phone
from marked import Marked
from tables import SECRET_FILES

# Members that carry a secret somewhere in the API.
MEMBERS = ["password", "new_password", "current_password", "otp",
           "verification_token", "refresh_token", "token", "access_token",
           "key", "secret", "client_secret", "username", "email", "phone"]


@pytest.fixture(scope="module")
def server():
    """Codes of ten digits: none of them is a time or a number by chance."""
    with instance.running("otp.length=10", "server.workers=2",
                          "server.auth_workers=2") as found:
        yield found


@pytest.fixture(scope="module")
def marked(server):
    found = Marked(server)
    for name, path in secret_files(server).items():
        if os.access(path, os.R_OK):
            found.take_file(name, path)
    found.add("admin's password", server.admin["password"])
    journey(server, found)
    everywhere(server, found)
    command(server, found)
    return found


def secret_files(dev):
    """{setting: path} as the instance was told them."""
    text = dev.read("docket.conf")
    found = {}
    for name in SECRET_FILES:
        set_ = re.search(rf'^\s*{name.split(".")[1]} = "([^"]+)"', text, re.M)
        if set_:
            found[name] = pathlib.Path(set_[1])
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
    cookies(client, marked, first["access_token"])
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


def cookies(client, marked, access):
    reply = client.post("/auth/cookie", token=access)
    marked.take(reply)
    good = reply.header("Set-Cookie").split(";")[0]
    for query, status in (("", 204), ("?role=admin", 403),
                          ("?scope=root", 403), ("?x=1", 400)):
        client.get("/auth/check" + query, status, headers=[("Cookie", good)])
    for wrong in (good + "x", good + "; " + good,
                  "__Host-docket=" + marked.new("cookie")):
        client.get("/auth/check", 401, headers=[("Cookie", wrong)])
        client.delete("/auth/cookie", headers=[("Cookie", wrong)])


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
                       ("Cookie", "__Host-docket=" + marked.new("cookie")),
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
            "cookie", "admin's password",
            "server.secret_file", "auth.key_file"} <= kinds
    assert len(marked.values) > 1000


def test_a_mark_would_be_found(marked):
    """The search itself."""
    for value in marked.values:
        assert marked.found_in(b"x " + value.encode() + b" y"), value


def test_logs_hold_none(server, marked):
    names = {path.name for path in places.logs(server)}
    assert {"docketd.log", "docket-courier.log", "nginx-access.log",
            "nginx-error.log", "postgres.log"} <= names
    assert len(server.log("nginx-access").splitlines()) > len(ROUTES)
    assert not places.in_logs(server, marked)[:3]


def test_tables_hold_none(server, marked):
    shown = places.dump(server)
    tables = trail.owner(server).sql(
        "SELECT c.oid::regclass FROM pg_class c WHERE c.relkind = 'r'"
        " AND c.relnamespace = 'docket'::regnamespace")
    assert len(tables) > 8
    for (table,) in tables:
        assert b"COPY " + table.encode() + b" " in shown, table
    assert not places.in_tables(server, marked)[:3]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_the_audit_trail_holds_none(server, marked, form):
    said = subprocess.run(
        [server.docket(), "-c", server.dir / "docket.conf", "audit", "export",
         "--format", form], capture_output=True, timeout=60,
        check=True).stdout
    assert said.count(b"login_failed") > 2 and b"otp_failed" in said
    assert not marked.found_in(said)


def test_processes_show_none(server, marked):
    pids = places.processes(server)
    assert len(pids) > 8
    read, found = places.in_processes(server, marked)
    assert not found
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
    holding = places.in_files(server, marked, {"otp"})
    assert holding and {path.parent for path in holding} == {server.spool}


def test_cookies_stand_nowhere(server, marked):
    assert not places.in_files(server, marked, {"cookie"})


def shut(path, group=0):
    """May others do anything with it?"""
    mode = stat.S_IMODE(path.stat().st_mode)
    return not mode & (0o077 & ~group)


def test_what_holds_secrets_is_shut(server, marked):
    """The spool and its messages to the group at most, keys to nobody."""
    assert shut(server.spool, group=0o050)
    messages = list(server.spool.iterdir())
    assert messages
    for path in messages:
        assert shut(path, group=0o040), path
    files = secret_files(server)
    assert {"server.secret_file", "auth.key_file"} <= set(files)
    for path in files.values():
        assert shut(path), path


def test_metrics_and_documents_hold_none(server, marked):
    client = Client(server)
    for path in ("/healthz", "/readyz", "/openapi.json", "/metrics"):
        reply = client.get(path, None)
        assert not marked.found_in(reply.body), path
    client.close()
