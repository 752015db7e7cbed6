# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket user and docket session: the first admin, who is there and who is
logged in, from the shell."""

import os
import subprocess
import uuid

import pytest

import docket
from docket import Client, jwt_parts, login, new_email, new_name, new_phone

PASSWORD = "correct horse\n"


def run(dev, *arguments, said=""):
    return subprocess.run(
        [os.environ.get("DOCKET") or dev.docket(), "-c",
         dev.dir / "docket.conf", *arguments], input=said, text=True,
        errors="surrogateescape", capture_output=True, timeout=60,
        check=False)


def ok(dev, *arguments, said=""):
    done = run(dev, *arguments, said=said)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(dev, code, *arguments, status=os.EX_DATAERR):
    done = run(dev, *arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert done.stdout == ""
    if code:
        assert docket.ERRORS[code][2] in done.stderr, done.stderr


def sid(token):
    return jwt_parts(token)[1]["sid"]


def trail(dev, id):
    owner = docket.Dev(dev.dir)
    owner.dsn = dev.dsn.replace("user=docket_api", "user=docket_owner")
    return owner.sql(
        "SELECT event, actor_id IS NULL, detail FROM docket.audit WHERE"
        " user_id = :'id' AND event NOT IN ('register', 'login')"
        " ORDER BY id", id=id)


# --- the first admin ------------------------------------------------------

@pytest.fixture
def empty(dev):
    """A database of its own, without anybody in it; docket's --set."""
    name = new_name("empty")
    socket = dev.dsn.split()[0]
    postgres = docket.Dev(dev.dir)
    postgres.dsn = f"{socket} dbname=postgres user=postgres"
    postgres.sql(f"CREATE DATABASE {name} OWNER docket_owner ENCODING 'UTF8'"
                 " TEMPLATE template0")
    found = docket.Dev(dev.dir)
    found.dsn = f"{socket} dbname={name} user=docket_api"
    found.settings = [word for role in ("", "owner_") for word in (
        "--set", f"database.{role}dsn={socket} dbname={name} user=docket_"
        + ("owner" if role else "api"))]
    ok(found, *found.settings, "migrate", "--dir",
       docket.ROOT / "sql/migrations")
    yield found
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_first_admin_of_an_empty_database(empty):
    assert empty.sql("SELECT count(*) FROM docket.users") == [["0"]]
    said = ok(empty, *empty.settings, "user", "add", "Root", "--admin",
              "--email", "root@example.org", said=PASSWORD)
    assert said == "Root added\n"
    listed = ok(empty, *empty.settings, "user", "list")
    assert listed.split("\t")[:6] == ["1", "Root", "admin", "Y",
                                      "root@example.org", ""]
    # Nobody takes him away, whatever the command.
    for verb in ("disable", "delete"):
        done = run(empty, *empty.settings, "user", verb, "root")
        assert done.returncode == os.EX_DATAERR
        assert docket.ERRORS["last_admin"][2] in done.stderr
    # The next one may.
    ok(empty, *empty.settings, "user", "add", "second", "--admin",
       said=PASSWORD)
    ok(empty, *empty.settings, "user", "delete", "root")
    assert ok(empty, *empty.settings, "user", "list").count("\n") == 1


def test_update_promotes(dev, fresh):
    one = fresh()
    one.get("/auth/users", 403)
    assert run(dev, "user", "add", one.username, "--admin",
               said=PASSWORD).returncode == os.EX_DATAERR, "it is there"
    one.get("/auth/me")
    ok(dev, "user", "add", one.username, "--admin", "--update",
       said=PASSWORD)
    # The password is a new one: what the old one opened is over.
    assert one.get("/auth/me", 401).code == "token_revoked"
    again = login(dev, one.username, PASSWORD.strip())
    again.get("/auth/users")
    # It never demotes.
    ok(dev, "user", "add", one.username, "--update", said=PASSWORD)
    assert "\nrole admin\n" in ok(dev, "user", "show", one.username)


# --- docket user ----------------------------------------------------------

def test_one_is_shown(dev, fresh):
    one = fresh(email=new_email(), phone=None)
    said = ok(dev, "user", "show", one.username.upper())
    shown = dict(line.partition(" ")[::2] for line in said.splitlines())
    me = {k: "" if v is None else str(v)
          for k, v in one.get("/auth/me").json.items()}
    assert shown == me


def test_all_are_listed_or_those_that_begin_so(dev, admin, fresh):
    start = new_name("list")
    names = [fresh(username=f"{start}{i}").username for i in range(3)]
    def listed(*words):
        return [line.split("\t")[1] for line in
                ok(dev, "user", "list", *words).splitlines()]
    assert listed(start.upper()) == names
    assert listed(names[1]) == [names[1]]
    assert listed(new_name("nobody")) == []
    everybody = listed()
    assert set(names) <= set(everybody)
    assert len(everybody) == len(set(everybody))
    rows = dev.sql("SELECT count(*) FROM docket.users")
    assert abs(len(everybody) - int(rows[0][0])) < 5


def test_more_than_a_page_is_listed(dev):
    start = new_name("crowd")
    dev.sql("INSERT INTO docket.users (id, username, username_key,"
            " created_at, updated_at) SELECT gen_random_uuid(), :'start' || n,"
            " :'start' || n, now(), now() FROM generate_series(1, 400) n",
            start=start)
    try:
        assert ok(dev, "user", "list", start).count("\n") == 400
    finally:
        dev.sql("DELETE FROM docket.users WHERE starts_with(username,"
                " :'start')", start=start)


def test_disable_and_enable(dev, fresh):
    one = fresh()
    for _ in range(2):  # the second time there is nothing to do
        assert ok(dev, "user", "disable", one.username) == \
            f"{one.username} deactivated\n"
    assert one.get("/tasks", 401).code == "user_inactive"
    for _ in range(2):
        assert ok(dev, "user", "enable", one.username) == \
            f"{one.username} activated\n"
    assert one.get("/tasks", 401).code == "token_revoked"
    login(dev, one.username, one.password).get("/tasks")
    assert trail(dev, one.id) == [
        ["deactivated", "t", "by the command line"],
        ["activated", "t", "by the command line"]]


def test_delete(dev, fresh):
    one = fresh()
    one.task()
    assert ok(dev, "user", "delete", one.username) == \
        f"{one.username} deleted\n"
    assert one.get("/auth/me", 401).code == "user_deleted"
    assert dev.sql("SELECT count(*) FROM docket.tasks WHERE user_id = :'id'",
                   id=one.id) == [["0"]]
    assert trail(dev, one.id) == [
        ["user_deleted", "t", "by the command line"]]
    refused(dev, "user_not_found", "user", "delete", one.username)


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "delete"])
def test_whom_nobody_knows(dev, verb):
    for name in (new_name(), "", "%", "\udcff", "admin%", "' OR true --"):
        refused(dev, "user_not_found", "user", verb, name)
    refused(dev, None, "user", verb, status=os.EX_USAGE)
    refused(dev, None, "user", verb, "one", "two", status=os.EX_USAGE)
    refused(dev, None, "user", verb, "one", "--admin", status=os.EX_USAGE)


# --- docket session -------------------------------------------------------

def test_sessions_are_listed(dev, fresh):
    one = fresh()
    assert ok(dev, "session", "list", one.username).count("\n") == 1
    client = Client(dev)
    pair = client.post("/auth", json={
        "username": one.username, "password": one.password},
        headers=[("User-Agent", "Phone/1.0")]).json
    client.close()
    dev.sql("UPDATE docket.sessions SET agent = 'Evil' || chr(27) || '[2J'"
            " || chr(155) || chr(10) WHERE id = :'id'",
            id=sid(pair["access_token"]))
    lines = ok(dev, "session", "list", one.username.upper()).splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        sid(pair["access_token"]), sid(one.access)]
    fields = lines[0].split("\t")
    assert docket.INSTANT.match(fields[1]) and docket.INSTANT.match(fields[2])
    assert fields[3] == "127.0.0.1"
    assert fields[4] == "Evil?[2J???", "a terminal obeys no user agent"
    one.post("/auth/logout", json={"all": True})
    assert ok(dev, "session", "list", one.username) == ""


def test_one_session_is_revoked(dev, fresh):
    one = fresh()
    lost = login(dev, one.username, one.password)
    assert ok(dev, "session", "revoke", sid(lost.access)) == "1 ended\n"
    assert lost.get("/tasks", 401).code == "token_revoked"
    one.get("/tasks")
    refused(dev, "session_not_found", "session", "revoke", sid(lost.access))
    assert trail(dev, one.id) == [
        ["session_revoked", "t", "by the command line"]]


def test_all_of_somebodys_are_revoked(dev, fresh, bob):
    one = fresh()
    more = [login(dev, one.username, one.password) for _ in range(2)]
    assert ok(dev, "session", "revoke", "--user", one.username) == \
        "3 ended\n"
    for session in (one, *more):
        assert session.get("/tasks", 401).code == "token_revoked"
    bob.get("/tasks")
    assert ok(dev, "session", "revoke", "--user", one.username) == \
        "0 ended\n"


def test_what_a_session_command_needs(dev):
    refused(dev, "session_not_found", "session", "revoke", str(uuid.uuid4()))
    for id in ("x", "", "1", "0" * 36):
        refused(dev, "session_id_invalid", "session", "revoke", id)
    for name in (new_name(), "", "\udcff"):
        refused(dev, "user_not_found", "session", "list", name)
        refused(dev, "user_not_found", "session", "revoke", "--user", name)
    for words in ([], ["list"], ["revoke"], ["forget", "x"],
                  ["list", "a", "b"], ["list", "--user", "a"],
                  ["revoke", "a", "--user", "b"], ["revoke", "--all"]):
        refused(dev, None, "session", *words, status=os.EX_USAGE)


def test_without_a_database(dev):
    def without(*words):
        return run(dev, "--set", "database.dsn=host=/nowhere", *words)

    # Each tries for seconds.
    for done in docket.parallel([
            lambda: without("user", "list"),
            lambda: without("user", "show", "x"),
            lambda: without("session", "list", "x")]):
        assert done.returncode == os.EX_TEMPFAIL, done.stderr
        assert "/nowhere" in done.stderr and "docket doctor" in done.stderr


def test_a_phone_finds_him_too(dev, fresh, admin):
    one, phone = fresh(), new_phone()
    admin.patch("/auth/users/" + one.id, json={"phone": phone})
    for start in (phone, phone[1:]):
        assert one.username in ok(dev, "user", "list", start)
