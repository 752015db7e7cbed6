# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit trail: every event is written, once, by one vocabulary; it stays;
it ends; and docket audit shows it."""

import csv
import io
import json
import os
import re
import subprocess

import pytest

import docket
import instance
from docket import (Client, ROOT, SANITIZED, jwt_parts, new_email, new_name,
                    new_phone, wait_until)
from tables import EVENTS
from trail import owner

TRAIL = [name for name, event in EVENTS.items() if event.trail]
COLUMNS = ["id", "at", "event", "user_id", "actor_id", "session_id", "ip",
           "request_id", "address", "detail"]
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server():
    with instance.running("limits.login_failures=2",
                          "limits.otp_guesses=3",
                          "limits.otp_recipient_guesses=2",
                          "limits.otp_prefix_hour=5") as found:
        yield found


@pytest.fixture(scope="module")
def boss(server):
    return docket.login(server, server.admin["username"],
                        server.admin["password"])


def sql(dev, statement, **values):
    return owner(dev).sql(statement, **values)


def command(dev, *words, said="", status=0):
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *words], input=said,
        text=True, errors="surrogateescape", capture_output=True, timeout=60,
        check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def sid(token):
    return jwt_parts(token)[1]["sid"]


def newest(dev):
    return int(sql(dev, "SELECT coalesce(max(id), 0) FROM docket.audit")[0][0])


def rows_since(dev, mark):
    """[{column: text}], NULL as None."""
    said = sql(dev, "SELECT row_to_json(a) FROM docket.audit a"
               f" WHERE id > {mark} ORDER BY id")
    return [json.loads(row[0]) for row in said]


def masked(address):
    if "@" in address:
        return address[0] + "***" + address[address.index("@"):]
    return address[:6] + "***" + address[-3:]


# --- every event ------------------------------------------------------------

class Scene:
    """Somebody, and what they do; each way gives what its row has to say."""

    def __init__(self, dev, boss):
        self.dev, self.boss, self.client = dev, boss, Client(dev)
        self.phone = new_phone()
        code = docket.send_otp(self.client, self.phone).json["otp"]
        self.first = self.client.post("/auth/register", json={
            "username": new_name(), "password": PASSWORD,
            "phone": self.phone, "otp": code})
        self.one = docket.Person(dev, self.first.json, PASSWORD)
        self.secrets = {code, self.phone, PASSWORD, self.one.access,
                        self.one.refresh, self.one.username}

    def close(self):
        self.one.close()
        self.client.close()

    def own(self, reply, **more):
        """By the account itself, in its session."""
        return reply, {"user_id": self.one.id, "actor_id": None,
                       "session_id": sid(self.one.access), **more}

    def nobodys(self, reply, **more):
        return reply, {"user_id": None, "actor_id": None,
                       "session_id": None, **more}

    def by_boss(self, reply, **more):
        return reply, {"user_id": self.one.id, "actor_id": self.boss.id,
                       "session_id": sid(self.boss.access), **more}

    def shells(self, *words, said="", **more):
        command(self.dev, *words, said=said)
        return None, {"actor_id": None, "session_id": None, **more}

    def code(self, to, purpose, client=None):
        code = docket.send_otp(client or self.client, to, purpose)
        self.secrets |= {code.json["otp"], to}
        return code.json["otp"]

    # accounts
    def register(self):
        mail, name = new_email(), new_name()
        reply = self.client.post("/auth/register", json={
            "username": name, "password": PASSWORD, "email": mail})
        return reply, {"user_id": reply.json["user"]["id"],
                       "session_id": sid(reply.json["token"]),
                       "detail": "user"}

    def username_changed(self):
        return self.own(self.one.patch("/auth/me",
                                       json={"username": new_name()}))

    def email_changed(self):
        mail = new_email()
        code = self.code(mail, "change")
        return self.own(self.one.patch(
            "/auth/me", json={"email": mail, "otp": code}),
            address=masked(mail))

    def phone_changed(self):
        phone = new_phone()
        code = self.code(phone, "change")
        return self.own(self.one.patch(
            "/auth/me", json={"phone": phone, "otp": code}),
            address=masked(phone))

    def password_changed(self):
        return self.own(self.one.post("/auth/password", json={
            "current_password": PASSWORD,
            "new_password": "another correct horse"}))

    def password_reset(self):
        code = self.code(self.phone, "reset")
        return self.client.post("/auth/password/reset", json={
            "phone": self.phone, "otp": code,
            "new_password": "another correct horse"}), \
            {"user_id": self.one.id, "session_id": None}

    def account_deleted(self):
        return self.own(self.one.delete("/auth/me",
                                        json={"password": PASSWORD}))

    # log-ins
    def login(self):
        reply = self.client.post("/auth", json={
            "username": self.one.username, "password": PASSWORD})
        return reply, {"user_id": self.one.id, "detail": None,
                       "session_id": sid(reply.json["token"])}

    def login_by_code(self):
        code = self.code(self.phone, "login")
        reply = self.client.post("/auth/token", form={
            "grant_type": "otp", "phone": self.phone, "otp": code})
        return reply, {"user_id": self.one.id, "detail": "otp",
                       "session_id": sid(reply.json["access_token"])}

    def login_failed(self):
        return self.client.post("/auth", 401, json={
            "username": self.one.username, "password": "wrong"}), \
            {"user_id": self.one.id, "session_id": None}

    def login_failed_of_nobody(self):
        return self.nobodys(self.client.post("/auth", 401, json={
            "email": new_email(), "password": "wrong"}), address=None)

    def login_locked(self):
        self.login_failed()
        reply, said = self.login_failed()
        return reply, {**said, "detail": "60 s"}

    def unlock(self):
        return self.by_boss(self.boss.post(
            f"/auth/users/{self.one.id}/unlock"))

    def unlock_by_the_shell(self):
        return self.shells("user", "unlock", self.one.username,
                           user_id=self.one.id,
                           detail="by the command line")

    # sessions
    def logout(self):
        return self.own(self.one.post("/auth/logout"))

    def logout_all(self):
        return self.own(self.one.post("/auth/logout",
                                      json={"all": True}))

    def session_revoked(self):
        other = docket.login(self.dev, self.one.username, PASSWORD)
        other.close()
        return self.own(
            self.one.delete("/auth/sessions/" + sid(other.access)),
            session_id=sid(other.access),
            detail="by " + sid(self.one.access))

    def session_revoked_by_the_shell(self):
        return self.shells("session", "revoke", sid(self.one.access),
                           user_id=self.one.id,
                           session_id=sid(self.one.access),
                           detail="by the command line")

    def token_revoke(self):
        return self.own(self.client.post(
            "/auth/revoke", form={"token": self.one.refresh}))

    def refresh_reuse(self):
        old = self.one.refresh
        for _ in range(2):
            self.one.take(self.client.post("/auth/refresh", json={
                "refresh_token": self.one.refresh}).json)
        return self.own(self.client.post("/auth/refresh", 401, json={
            "refresh_token": old}))

    # codes
    def otp_send(self):
        to = new_phone()
        self.secrets.add(to)
        return self.nobodys(docket.send_otp(self.client, to, "login"),
                            address=masked(to), detail="login")

    def otp_refused(self):
        to = new_email()
        self.code(to, "login")
        return self.nobodys(
            docket.send_otp(self.client, to, "reset", expect=429),
            address=masked(to), detail="reset")

    def otp_alarm(self):
        block = "+49151" + new_phone()[-7:]  # where nobody else is
        for last in "12345":
            docket.send_otp(self.client, block + last)
        return self.nobodys(
            docket.send_otp(self.client, block + "6", expect=429),
            address=None, detail="prefix " + block[:-3])

    def otp_failed(self):
        to = new_email()
        code = self.code(to, "register")
        return self.nobodys(self.client.post(
            "/otp/verify", 400, json={"email": to, "otp": code[::-1] + "0"}),
            address=masked(to), detail="register")

    def otp_failed_where_none_is_awaited(self):
        to = new_phone()
        return self.nobodys(self.client.post("/auth/token", 400, form={
            "grant_type": "otp", "phone": to, "otp": "123456"}),
            address=masked(to), detail="login")

    def otp_blocked(self):
        to = new_phone()
        wrong = self.code(to, "register") + "0"
        for _ in range(2):
            reply = self.client.post("/otp/verify", 400, json={
                "phone": to, "otp": wrong})
        return self.nobodys(reply, address=masked(to), detail="register")

    def otp_verified(self):
        to = new_phone()
        code = self.code(to, "register")
        reply = self.client.post("/otp/verify", json={"phone": to,
                                                      "otp": code})
        self.secrets.add(reply.json["verification_token"])
        return self.nobodys(reply, address=masked(to), detail="register")

    # keys
    def key(self):
        made = self.one.post("/auth/keys", 201, json={
            "name": "k", "scopes": ["tasks:read"]})
        self.secrets.add(made.json["api_key"])
        return made, made.json["key"]["id"]

    def api_key_create(self):
        made, ident = self.key()
        return self.own(made, detail=ident)

    def api_key_create_by_the_shell(self):
        return self.shells("apikey", "add", "--application", new_name(),
                           "--scopes", "tasks:read", user_id=None)

    def api_key_update(self):
        ident = self.key()[1]
        return self.own(self.one.patch("/auth/keys/" + ident,
                                       json={"name": "n"}), detail=ident)

    def api_key_rotate(self):
        ident = self.key()[1]
        return self.own(self.one.post(f"/auth/keys/{ident}/rotate",
                                      json={}), detail=ident)

    def api_key_revoke(self):
        ident = self.key()[1]
        return self.own(self.one.delete("/auth/keys/" + ident), detail=ident)

    def api_key_revoke_by_an_admin(self):
        said = command(self.dev, "apikey", "add", "--application",
                       new_name(), "--scopes", "tasks:read").stdout
        ident = said.split()[0]
        return self.by_boss(self.boss.delete("/auth/keys/" + ident),
                            user_id=None, detail=ident)

    # administration
    def patch(self, **change):
        return self.boss.patch("/auth/users/" + self.one.id, json=change)

    def role_changed(self):
        return self.by_boss(self.patch(role="admin"),
                            detail="user to admin")

    def user_changed(self):
        return self.by_boss(self.patch(email=new_email(),
                                       username=new_name()),
                            detail="username, email", address=None)

    def deactivated(self):
        return self.by_boss(self.patch(status="N"))

    def deactivated_by_the_shell(self):
        return self.shells("user", "disable", self.one.username,
                           user_id=self.one.id,
                           detail="by the command line")

    def activated(self):
        self.patch(status="N")
        return self.by_boss(self.patch(status="Y"))

    def user_deleted(self):
        return self.by_boss(self.boss.delete("/auth/users/" + self.one.id),
                            detail="user")

    def user_deleted_by_the_shell(self):
        return self.shells("user", "delete", self.one.username,
                           user_id=self.one.id,
                           detail="by the command line")

    def user_put(self):
        return self.shells("user", "add", self.one.username, "--update",
                           "--admin", said="another correct horse\n",
                           user_id=self.one.id, detail="admin")

    def user_import(self):
        line = json.dumps({"username": self.one.username, "role": "user"})
        return self.shells("user", "import", "-", "--update", said=line,
                           user_id=self.one.id, detail="user")

    def signing_key_rotate(self):
        told = "rotate again"
        while told == "rotate again":  # the first makes a next one
            done = command(self.dev, "key", "rotate")
            told = re.search("rotate again|$", done.stdout)[0]
        kid = re.search(r"^current +(\S+)", done.stdout, re.M)[1]
        return None, {"user_id": None, "actor_id": None, "session_id": None,
                      "address": None, "detail": kid}


def scenes():
    return [name for name in vars(Scene)
            if any(name == event or name.startswith(event + "_")
                   for event in TRAIL)]


def event_of(scene):
    return max((event for event in TRAIL
                if scene == event or scene.startswith(event + "_")), key=len)


@pytest.fixture
def scene(server, boss):
    found = Scene(server, boss)
    yield found
    found.close()


@pytest.mark.parametrize("name", scenes())
def test_it_is_written_once_with_who_and_whence(server, scene, name):
    mark = newest(server)
    reply, want = getattr(scene, name)()
    rows = rows_since(server, mark)
    # A few do the same before they do what is looked at.
    found = [row for row in rows if row["event"] == event_of(name)
             and (not reply
                  or row["request_id"] == reply.header("X-Request-Id"))]
    assert len(found) == 1, rows
    want = {"ip": "127.0.0.1" if reply else None,
            "request_id": reply.header("X-Request-Id") if reply else None,
            **want}
    assert {name: found[0][name] for name in want} == want
    said = json.dumps(rows)
    assert not [secret for secret in scene.secrets if secret in said]


@pytest.mark.parametrize("event", TRAIL)
def test_every_event_has_its_scene(event):
    assert event in scenes()


def test_what_refuses_writes_no_row_but_a_line(server, scene):
    """While a limit stands, each try is in the log alone."""
    for _ in range(2):
        scene.login_failed()
    mark, before = newest(server), len(server.log())
    for _ in range(5):
        scene.client.post("/auth", 429, json={
            "username": scene.one.username, "password": PASSWORD})
    assert rows_since(server, mark) == []
    lines = re.findall(r" login_refused ip=127\.0\.0\.1 user=(\S+) route=",
                       server.log()[before:])
    assert lines == [scene.one.id] * 5


def test_lines_are_those_of_the_table(server, scene):
    before = len(server.log())
    scene.login_locked()
    scene.otp_blocked()
    scene.refresh_reuse()
    log = server.log()[before:]
    for event in ("login_failed", "login_locked", "otp_failed",
                  "otp_blocked", "refresh_reuse"):
        level = EVENTS[event].level.removeprefix("LOG_").lower()
        assert re.search(rf"Z {level} docketd \w+\.\d+ {event} ip=127\.0\.0"
                         r"\.1 user=(-|[0-9a-f-]{36}) route=\w+ rid=\S+\n",
                         log), event
        assert EVENTS[event].line


# --- one vocabulary -----------------------------------------------------------

def sources(*folders):
    return {path: path.read_text() for folder in folders
            for path in sorted((ROOT / folder).rglob("*.[ch]"))}


def test_statements_spell_events_by_the_table_alone():
    spelt, inserts = set(), 0
    for path, text in sources("src/store", "include/store").items():
        spelt |= set(re.findall(r"SQL_EVENT\((\w+)\)", text)) \
            - ({"name"} if path.name == "event.h" else set())
        inserts += text.count("INSERT INTO docket.audit")
        # What comes in the first column: no word of the statement's own.
        assert not re.search(
            r"INSERT INTO docket\.audit[\s\"\\]*\(event[^)]*\)[\s\"\\]*"
            r"(SELECT|VALUES \()[\s\"\\]*'", text), path
        assert not re.search(r"CASE WHEN \$\d THEN '\w+'[\s\"]*ELSE '\w+'"
                             r"[\s\"]*END,", text), path
        for name in TRAIL:
            assert not re.search(rf"VALUES[\s\"\\]*\(+'{name}'", text), path
    assert spelt == set(TRAIL)
    assert inserts >= 20


def test_lines_are_written_by_the_table_alone():
    noticed = set()
    for text in sources("src/api", "src/web").values():
        noticed |= set(re.findall(r"notice\(\w+, EVENT_(\w+),", text))
        noticed |= {name for name in re.findall(
            r"log_event\(\w+, \"(\w+)\"", text) if name in EVENTS}
    assert noticed == {n for n, event in EVENTS.items() if event.line}


def test_no_other_word_was_written(server, dev):
    for one in (server, dev):
        said = {row[0] for row in sql(
            one, "SELECT DISTINCT event FROM docket.audit")}
        assert said and said <= set(TRAIL), said - set(TRAIL)


def test_the_page_lists_them():
    page = (ROOT / "docs/audit.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", page, re.M)
    assert told == list(EVENTS)


# --- append-only --------------------------------------------------------------

def old(dev, *days, event="login", first=None):
    """Rows that are so many days old, in front of all others."""
    least = int(sql(dev, "SELECT least(0, min(id)) FROM docket.audit")[0][0])
    first = least - len(days) if first is None else first
    for i, n in enumerate(days):
        sql(dev, "INSERT INTO docket.audit (id, at, event, detail)"
            f" OVERRIDING SYSTEM VALUE VALUES ({first + i}, now()"
            f" - interval '{n} days', '{event}', '{n} days')")
    return first


def forget(dev):
    """As a superuser could: what the old ones leave for the next test."""
    sql(dev, "ALTER TABLE docket.audit DISABLE TRIGGER audit_young_stays;"
        " DELETE FROM docket.audit WHERE id < 0;"
        " ALTER TABLE docket.audit ENABLE TRIGGER audit_young_stays")


def ages(dev):
    return [row[0] for row in sql(
        dev, "SELECT detail FROM docket.audit WHERE id < 0 ORDER BY id")]


@pytest.mark.parametrize("statement", [
    "UPDATE docket.audit SET ip = '192.0.2.1'",
    "UPDATE docket.audit SET detail = detail WHERE false",
    "TRUNCATE docket.audit",
    "DELETE FROM docket.audit",
    "DELETE FROM docket.audit WHERE at > now() - interval '29 days'"])
def test_not_even_the_owner_changes_it(server, statement):
    before = newest(server), len(rows_since(server, 0))
    with pytest.raises(AssertionError, match="append-only"):
        sql(server, statement)
    assert (newest(server), len(rows_since(server, 0))) == before


def test_the_api_expires_nothing_that_is_young(server):
    old(server, 31, 29)
    server.sql("SELECT docket.audit_expire(interval '0', 1000000)")
    server.sql("SELECT docket.audit_expire(interval '-1 year', 1000000)")
    assert ages(server) == ["29 days"]
    sql(server, "ALTER TABLE docket.audit DISABLE TRIGGER audit_young_stays")
    server.sql("SELECT docket.audit_expire(interval '0', 1000000)")
    assert ages(server) == ["29 days"]
    forget(server)


def swept(dev, *settings):
    done = command(dev, *[word for one in settings
                          for word in ("--set", one)], "gc")
    return int(re.search(r", audit (\d+)\n", done.stdout)[1])


def test_gc_ends_what_was_kept_long_enough(server):
    old(server, 300, 181, 179, 31)
    assert swept(server) == 2
    assert ages(server) == ["179 days", "31 days"]
    assert swept(server, "audit.keep=60d") == 1
    assert swept(server) == 0
    assert ages(server) == ["31 days"]
    assert swept(server, "audit.keep=30d") == 1
    for least in ("29d", "0"):
        command(server, "--set", f"audit.keep={least}", "gc",
                status=os.EX_CONFIG)


def test_gc_goes_in_batches(server):
    sql(server, "INSERT INTO docket.audit (id, at, event)"
        " OVERRIDING SYSTEM VALUE SELECT -n, now() - interval '200 days',"
        " 'login' FROM generate_series(1, 25000) n")
    assert swept(server) == 25000
    assert ages(server) == []


# --- docket audit -------------------------------------------------------------

def lines(dev, *words):
    return command(dev, "audit", *words).stdout.splitlines()


def entries(dev, *words):
    return [json.loads(line) for line in lines(dev, *words)]


def test_the_tail_is_what_came_last(server, scene):
    mark = newest(server)
    reply, _ = scene.login()
    row = rows_since(server, mark)[0]
    told, = entries(server, "tail", "-n", "1", "--json")
    assert list(told) == COLUMNS
    assert docket.INSTANT.match(told.pop("at")) and row.pop("at")
    assert told == row
    line, = lines(server, "tail", "-n", "1")
    assert re.fullmatch(
        rf"\S+Z login ip=127\.0\.0\.1 user={scene.one.id}"
        rf" session={sid(reply.json['token'])}"
        rf" rid={reply.header('X-Request-Id')}", line), line
    assert len(lines(server, "tail")) == 20
    assert lines(server, "tail", "-n", "0") == []


def test_filters(server, scene, boss):
    for way in (scene.username_changed, scene.role_changed, scene.logout):
        way()
    one = scene.one.id
    for who in (one, one.upper()):
        found = entries(server, "tail", "--json", "--user", who)
        assert [e["event"] for e in found] == [
            "register", "username_changed", "role_changed", "logout"]
    name = boss.username.upper()
    by = entries(server, "tail", "--json", "--user", name, "--event",
                 "role_changed", "-n", "1")
    assert by[0]["actor_id"] == boss.id and by[0]["user_id"] == one
    assert {e["event"] for e in entries(
        server, "export", "--event", "logout")} == {"logout"}
    at = found[2]["at"]
    since = entries(server, "export", "--since", at, "--user", one)
    assert [e["event"] for e in since] == ["role_changed", "logout"]
    until = entries(server, "export", "--until", at, "--user", one)
    assert [e["event"] for e in until] == ["register", "username_changed"]


def test_since_is_exact_however_long_the_trail_is(server):
    first = old(server, *range(170, 20, -1))
    for days in (170.5, 120.5, 77.5, 21.5, 5):
        hours = round(days * 24)
        found = [e for e in entries(server, "export", "--since", f"{hours}h")
                 if e["id"] < 0]
        assert [e["detail"] for e in found] == [
            f"{n} days" for n in range(int(days), 20, -1)]
    day = sql(server, "SELECT (now() - interval '40 days')::date")[0][0]
    found = [e["detail"] for e in entries(server, "export", "--since", day)
             if e["id"] < 0]
    assert found[0] == "40 days" and len(found) == 20
    assert [e["id"] for e in entries(server, "tail", "-n", "10000",
                                     "--json")][0] == first
    forget(server)


def test_wrong_usage(server):
    for words in ((), ("watch",), ("tail", "extra"), ("tail", "-n", "x"),
                  ("tail", "-n", "-1"), ("tail", "-n", "10001"),
                  ("tail", "--event", "log_in"), ("tail", "--since", "soon"),
                  ("tail", "--format", "csv"), ("tail", "--until", "1h"),
                  ("export", "--format", "xml"), ("export", "--follow"),
                  ("export", "-n", "1"), ("export", "--since", "2026-02-30")):
        assert command(server, "audit", *words, status=os.EX_USAGE).stdout \
            == ""
    command(server, "audit", "tail", "--user", new_name(),
            status=os.EX_DATAERR)
    away = command(server, "--set", "database.owner_dsn=host=/nowhere",
                   "audit", "tail", status=os.EX_TEMPFAIL)
    assert away.stdout == ""
    # The API's own role may not look, whoever asks it to.
    refused = command(server, "--set", "database.owner_dsn=" + server.dsn,
                      "audit", "tail", status=os.EX_NOPERM)
    assert refused.stdout == "" and "database.owner_dsn" in refused.stderr


def test_nobody_reads_a_full_disk_as_an_empty_trail(server):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(
            [server.docket(), "-c", server.dir / "docket.conf", "audit",
             "export"], stdout=full, stderr=subprocess.PIPE, timeout=60,
            check=False)
    assert done.returncode == os.EX_IOERR, done.stderr


# --- following ----------------------------------------------------------------

@pytest.fixture
def followed(server):
    """Starts docket audit tail --follow; gives a reader of its lines."""
    started = []

    def start(*words):
        with open(server.dir / f"follow-{len(started)}", "w+b") as out:
            run = subprocess.Popen(
                [server.docket(), "-c", server.dir / "docket.conf", "audit",
                 "tail", "--follow", "--json", "-n", "1", *words],
                stdin=subprocess.DEVNULL, stdout=out)
        started.append(run)
        path = server.dir / f"follow-{len(started) - 1}"
        return lambda: [json.loads(line) for line in
                        path.read_text().splitlines(True)
                        if line.endswith("\n")]

    yield start
    for run in started:
        assert run.poll() is None, run.returncode
        run.terminate()
        run.wait(120)


class Slow:
    """A transaction that has its id and takes its time."""

    def __init__(self, dev):
        self.psql = subprocess.Popen(
            [docket.psql(), "-X", "-q", "-A", "-t", "-d",
             owner(dev).dsn], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.id = int(self.ask(
            "BEGIN; INSERT INTO docket.audit (event, detail)"
            " VALUES ('login', 'slow') RETURNING id"))

    def ask(self, statement):
        self.psql.stdin.write(statement + ";\n")
        self.psql.stdin.flush()
        return self.psql.stdout.readline()

    def end(self, how):
        self.psql.communicate(how + ";\n", 10)


def test_what_commits_late_is_not_lost(server, scene, followed):
    read = followed()
    wait_until(read, "the newest one")
    late, never = Slow(server), Slow(server)
    reply, _ = scene.login()
    rid = reply.header("X-Request-Id")
    wait_until(lambda: rid in [e["request_id"] for e in read()], "the login")
    assert late.id not in [e["id"] for e in read()]
    late.end("COMMIT")
    wait_until(lambda: late.id in [e["id"] for e in read()], "the late one")
    never.end("ROLLBACK")
    scene.logout()
    wait_until(lambda: read()[-1]["event"] == "logout", "the logout")
    ids = [e["id"] for e in read()]
    assert len(ids) == len(set(ids)) and never.id not in ids
    there = [row["id"] for row in rows_since(server, min(ids) - 1)]
    assert sorted(ids) == there


def test_what_was_under_way_at_the_start_is_not_lost(server, scene, followed):
    late = Slow(server)
    scene.login()
    read = followed("--event", "login")
    wait_until(read, "the newest one")
    late.end("COMMIT")
    wait_until(lambda: late.id in [e["id"] for e in read()], "the late one")
    scene.logout()
    scene.login()
    wait_until(lambda: len(read()) == 3, "the next login")
    assert {e["event"] for e in read()} == {"login"}


# --- what must not get out ----------------------------------------------------

HOSTILE = ["\n2026-01-31T09:30:00.000Z login", "\r\n", "\x1b[2J\x1b]0;x\x07",
           "\x7f", "\x85\x9b31m", "\u202egnp", "\u2028", "=1+1", "+1", "-1",
           "@SUM(A1)", "\t=1", "a,b", 'a"b', "a\\b", 'a b="c"', "\U0001f600",
           "\\x0a", "' OR 1=1", ""]


@pytest.fixture
def hostile(server):
    mark = newest(server)
    for words in HOSTILE:
        literal = "U&'" + "".join(f"\\+{ord(c):06x}" for c in words) + "'"
        sql(server, "INSERT INTO docket.audit (event, ip, request_id,"
            f" address, detail) SELECT 'login_failed', v, v, v, v FROM"
            f" (SELECT {literal} AS v) v")
    at = sql(server, f"SELECT min(at) FROM docket.audit WHERE id > {mark}")
    return at[0][0].replace(" ", "T").replace("+00", "Z")


def printable(said, end):
    body = said.split(end)
    assert body.pop() == ""
    for line in body:
        assert all(" " <= c <= "~" for c in line), ascii(line)
    return body


def output(server, *words):
    done = subprocess.run(
        [server.docket(), "-c", server.dir / "docket.conf", "audit", *words],
        capture_output=True, timeout=60, check=True)
    return done.stdout.decode("ascii")


def test_a_terminal_sees_no_control_character(server, hostile):
    n = str(len(HOSTILE))
    for words in (("tail", "-n", n), ("tail", "-n", n, "--json"),
                  ("export", "--since", hostile)):
        found = printable(output(server, *words), "\n")
        assert len(found) == len(HOSTILE), words
    told = [json.loads(line) for line in found]
    for name in ("ip", "request_id", "address", "detail"):
        assert [entry[name] for entry in told] == HOSTILE
    text = printable(output(server, "tail", "-n", n), "\n")
    for line in text:  # no value is two, none forges the first
        assert re.fullmatch(r'\S+Z login_failed(?: (?:ip|address|detail|rid)='
                            r'(?:[^ "\\=]+|"(?:[^"\\]|\\.)*")){4}', line), line


def test_a_spreadsheet_calculates_nothing(server, hostile):
    said = output(server, "export", "--format", "csv", "--since", hostile)
    printable(said, "\r\n")
    records = list(csv.reader(io.StringIO(said, newline=""), strict=True))
    assert records[0] == COLUMNS
    assert len(records) == 1 + len(HOSTILE)
    for record, words in zip(records[1:], HOSTILE):
        assert len(record) == len(COLUMNS)
        for cell in record:
            assert not re.match(r"[=+\-@\t\r]", cell), record
        if re.fullmatch(r"[ -~]*", words) and "\\" not in words:
            guard = "'" if words[:1] in set("=+-@") and words else ""
            assert record[-1] == guard + words


def peak(server, *words):
    """KiB that one run held at most."""
    with open(os.devnull, "wb") as nowhere:
        run = subprocess.Popen(
            [server.docket(), "-c", server.dir / "docket.conf", "audit",
             "export", *words], stdout=nowhere)
        _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0
    return used.ru_maxrss


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_an_export_holds_a_page(server):
    few = max(peak(server, "--since", "1h", "--event", "unlock")
              for _ in range(2))
    sql(server, "INSERT INTO docket.audit (id, at, event, detail)"
        " OVERRIDING SYSTEM VALUE SELECT -n, now() - interval '40 days',"
        " 'login', repeat('x', 200) FROM generate_series(1, 100000) n")
    for form in ("ndjson", "csv"):
        assert peak(server, "--format", form) < few + 8192
    forget(server)
