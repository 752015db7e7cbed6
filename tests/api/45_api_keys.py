# SPDX-License-Identifier: AGPL-3.0-or-later
"""API keys: made, shown once, changed, rotated, revoked; what each is good
for, in every way in which the task routes can be opened."""

import concurrent.futures
import contextlib
import datetime
import json
import re
import subprocess
import uuid
import zlib

import pytest

import docket
import fastcgi
import instance
from docket import ROUTES, Client, wait_until
from places import places
from tables import ERRORS
from victims import REALM, Someone, spare, told

SHAPE = re.compile(r"dk_[0-9A-Za-z]{71}")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MEMBERS = {"id", "kind", "name", "scopes", "allow", "expires_at",
           "last_used_at", "last_used_ip", "previous_until", "created_at",
           "updated_at"}
SCOPES = ["tasks:read", "tasks:write", "account", "admin"]
GUARDED = [r for r in ROUTES if r.access != "PUBLIC"]
SCOPED = [r for r in GUARDED if r.scope]
UNSCOPED = [r for r in GUARDED
            if not r.scope and not r.or_key]
FEW = "server.workers=4"


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


def key(secret):
    """The header."""
    return {"headers": [("X-API-Key", secret)]}


def make(one, *scopes, expect=201, **members):
    body = {"name": "a key", "scopes": list(scopes or SCOPES[:3]), **members}
    return one.post("/auth/keys", expect, json=body)


def made(one, *scopes, **members):
    """(id, key) of a new one."""
    reply = make(one, *scopes, **members).json
    return reply["key"]["id"], reply["api_key"]


def application(dev, *scopes, name="a program", **options):
    """The same by the command line."""
    words = [w for k, v in options.items() for w in ("--" + k, v)]
    said = run(dev, "add", "--application", name, "--scopes",
               ",".join(scopes or SCOPES[:3]), *words)
    return tuple(said.stdout.split())


def run(dev, *words, expect=0, settings=()):
    sets = [w for one in settings for w in ("--set", one)]
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *sets, "apikey",
         *words], text=True, capture_output=True, timeout=60)
    assert done.returncode == expect, done
    return done


def as_owner(dev):
    """Who may read the trail, lock tables, and dump them."""
    return dev.dsn.replace("user=docket_api", "user=docket_owner")


@contextlib.contextmanager
def holding(dev, statement):
    """A transaction of the owner's that has locked something; what ends it."""
    with subprocess.Popen(
            [docket.psql(), "-X", "-q", "-A", "-t", "-d", as_owner(dev)],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as psql:
        psql.stdin.write(f"BEGIN; {statement};\n\\echo locked\n")
        psql.stdin.flush()
        while psql.stdout.readline() != "locked\n":
            assert psql.poll() is None, statement
        yield psql.stdin.close  # psql ends, and its transaction with it


def base62(text):
    number = 0
    for digit in text:
        number = number * 62 + DIGITS.index(digit)
    return number


def in_base62(number, width):
    text = ""
    while len(text) < width:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text


def sealed(text):
    """With the checksum that belongs to it."""
    return text + in_base62(zlib.crc32(text.encode()), 6)


def refused(reply, code, row=None):
    """A refusal that says nothing else; what is not so, or nothing."""
    status, _, detail = ERRORS[code]
    if reply.status != status:
        return f"not {status}"
    if reply.method == "HEAD":
        return None
    if (reply.code, reply.json["detail"]) != (code, detail):
        return f"not {code}"
    if reply.json["errors"] or reply.header("Cache-Control") != "no-store":
        return "tells, or may be stored"
    challenge = reply.header("WWW-Authenticate")
    if code == "insufficient_scope":
        want = (f'{REALM}, error="insufficient_scope",'
                f' error_description="{detail}", scope="{row.scope}"')
        return None if challenge == want else f"challenge {challenge}"
    return None if challenge == REALM else f"challenge {challenge}"


def deny(reply, code, row=None):
    why = refused(reply, code, row)
    assert not why, f"{why}: {reply}"


class Clients:
    """32 kept connections: every worker of four gets some of them."""

    def __init__(self, dev):
        self.all = [Client(dev) for _ in range(32)]

    def statuses(self, secret, path="/auth/me"):
        return {c.get(path, None, **key(secret)).status for c in self.all}

    def close(self):
        for client in self.all:
            client.close()


@pytest.fixture
def crowd(dev):
    found = Clients(dev)
    yield found
    found.close()


# --- the key itself ---------------------------------------------------------

def test_a_key_is_shown_once(api, fresh):
    one = fresh()
    reply = make(one, "tasks:read", "account", name="backup")
    assert set(reply.json) == {"message", "key", "api_key"}
    shown, secret = reply.json["key"], reply.json["api_key"]
    assert set(shown) == MEMBERS
    assert shown["kind"] == "personal" and shown["name"] == "backup"
    assert shown["scopes"] == ["tasks:read", "account"]
    assert shown["allow"] == []
    for member in ("expires_at", "last_used_at", "last_used_ip",
                   "previous_until"):
        assert shown[member] is None
    assert docket.UUID7.match(shown["id"])
    listed = one.get("/auth/keys")
    assert listed.json == {"keys": [shown]}
    assert secret.encode() not in listed.body
    assert api.get("/auth/me", **key(secret)).json["id"] == one.id


def test_what_a_key_is_made_of(fresh):
    """So a scanner can tell a key from a likeness, and we a slip."""
    one, seen = fresh(), set()
    for _ in range(20):
        ident, secret = made(one)
        assert SHAPE.fullmatch(secret)
        assert base62(secret[3:25]) == uuid.UUID(ident).int
        assert base62(secret[25:68]) < 2 ** 256
        assert base62(secret[68:]) == zlib.crc32(secret[:68].encode())
        seen.add(secret[25:68])
    assert len(seen) == 20


def test_what_a_key_needs(fresh):
    one = fresh()
    reply = one.post("/auth/keys", 400, json={})
    assert reply.pointers() == {"/name": "required", "/scopes": "required"}
    reply = one.post("/auth/keys", 400, json={
        "name": "", "scopes": ["tasks:read", "root"], "kind": "master",
        "allow": ["192.0.2.0/33"], "expires_at": "tomorrow"})
    assert reply.pointers() == {
        "/name": "length", "/scopes": "format", "/kind": "choice",
        "/allow": "format", "/expires_at": "format"}
    for members, pointer in (
            ({"name": "x" * 65}, "/name"), ({"name": "a\nb"}, "/name"),
            ({"name": "a\x9bb"}, "/name"),
            ({"scopes": []}, "/scopes"), ({"scopes": ["Account"]}, "/scopes"),
            ({"allow": ["x"]}, "/allow"), ({"allow": ["10.1/8"]}, "/allow"),
            ({"allow": ["::/129"]}, "/allow"), ({"allow": [""]}, "/allow"),
            ({"allow": ["10.0.0.0/08"]}, "/allow"),
            ({"allow": ["10.0.0.1/+8"]}, "/allow"),
            ({"allow": ["0.0.0.0/0"] * 21}, "/allow"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at")):
        reply = make(one, expect=400, **members)
        assert list(reply.pointers()) == [pointer], str(reply)
    for member in ("user_id", "id", "hash", "is_admin", "insecure"):
        reply = make(one, expect=400, **{member: "x"})
        assert reply.pointers() == {"/" + member: "unknown"}
    assert one.get("/auth/keys").json == {"keys": []}


def test_networks_have_one_spelling(fresh):
    reply = make(fresh(), allow=["10.1.2.3/8", "192.0.2.7", "2001:DB8::1/32",
                                 "::1", "::ffff:192.0.2.0/120", "0.0.0.0/0"])
    assert reply.json["key"]["allow"] == [
        "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128",
        "192.0.2.0/24", "0.0.0.0/0"]


def test_scopes_come_in_their_order_and_once(fresh):
    reply = make(fresh(), "account", "tasks:read", "account")
    assert reply.json["key"]["scopes"] == ["tasks:read", "account"]


def test_a_change(api, fresh):
    one = fresh()
    ident, secret = made(one)
    later = "2031-01-31T09:30:00.000Z"
    path = "/auth/keys/" + ident
    reply = one.patch(path, json={
        "name": "renamed", "scopes": ["account"], "allow": ["127.0.0.1"],
        "expires_at": later}).json["key"]
    assert (reply["name"], reply["scopes"], reply["allow"],
            reply["expires_at"]) == ("renamed", ["account"],
                                     ["127.0.0.1/32"], later)
    same = one.patch(path, json={}).json["key"]
    assert {**same, "updated_at": 0} == {**reply, "updated_at": 0}
    reply = one.patch(path, type="application/merge-patch+json",
                      body=b'{"expires_at":null,"allow":null}').json["key"]
    assert reply["expires_at"] is None and reply["allow"] == []
    reply = one.patch(path, 400, json={"name": None, "scopes": None,
                                       "kind": "application"})
    assert reply.pointers() == {"/name": "null", "/scopes": "null",
                                "/kind": "unknown"}
    reply = one.patch(path, 400, json={"expires_at": "2001-01-01T00:00:00Z"})
    assert reply.pointers() == {"/expires_at": "range"}
    api.get("/auth/me", 200, **key(secret))


def test_a_revoked_key_is_gone(api, fresh):
    one = fresh()
    ident, secret = made(one)
    other = made(one)
    api.get("/auth/me", 200, **key(secret))
    reply = one.delete("/auth/keys/" + ident)
    assert reply.json == {"message": "API key revoked"}
    deny(api.get("/auth/me", None, **key(secret)), "api_key_invalid")
    assert [k["id"] for k in one.get("/auth/keys").json["keys"]] == [other[0]]
    one.delete("/auth/keys/" + ident, 404)
    api.get("/auth/me", 200, **key(other[1]))


def test_the_trail(dev, fresh):
    one = fresh()
    ident, _ = made(one)
    one.patch("/auth/keys/" + ident, json={})
    one.post(f"/auth/keys/{ident}/rotate", json={})
    one.delete("/auth/keys/" + ident)
    said = subprocess.run(
        [docket.psql(), "-X", "-A", "-t", "-d", as_owner(dev), "-c",
         f"SELECT event FROM docket.audit WHERE detail = '{ident}'"
         f" AND user_id = '{one.id}' AND ip = '127.0.0.1' ORDER BY id"],
        text=True, capture_output=True, check=True).stdout.split()
    assert said == ["api_key_create", "api_key_update", "api_key_rotate",
                    "api_key_revoke"]


# --- whose ------------------------------------------------------------------

CHANGES = {
    "patch": lambda c, i: c.patch(f"/auth/keys/{i}", None,
                                  json={"name": "stolen"}),
    "delete": lambda c, i: c.delete(f"/auth/keys/{i}", None),
    "rotate": lambda c, i: c.post(f"/auth/keys/{i}/rotate", None, json={}),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_foreign_key_is_as_absent_as_none(dev, api, admin, fresh, ledger,
                                            how):
    """Not even an admin's."""
    one, other = fresh(), fresh()
    ident, secret = made(one)
    program = application(dev)[0]
    before, nowhere = ledger.settled(), str(uuid.uuid4())
    for caller in (other, admin):
        want = told(CHANGES[how](caller, nowhere), nowhere)
        assert want[0] == 404 and b"api_key_not_found" in want[2]
        refs = [ident, ident.upper(), one.id]
        if caller is other:
            refs.append(program)
        for ref in refs:
            assert told(CHANGES[how](caller, ref), ref) == want
    assert ledger.changed(before) == []
    for ref in ("x", "1", ident[:-1], ident + "0", "%00", secret):
        assert CHANGES[how](other, ref).status == 400
    assert api.get("/auth/me", **key(secret)).json["id"] == one.id


def test_only_an_admin_makes_an_admins_key(dev, admin, fresh, ledger):
    one = fresh()
    ident, _ = made(one)
    before = ledger.settled()
    for reply in (make(one, "admin", expect=403),
                  make(one, kind="application", expect=403),
                  one.patch("/auth/keys/" + ident, 403,
                            json={"scopes": ["account", "admin"]}),
                  one.get("/auth/keys?kind=application", 403)):
        assert reply.code == "forbidden"
    assert ledger.changed(before) == []
    ident, _ = made(admin, "admin")
    admin.delete("/auth/keys/" + ident)


def test_an_applications_key_is_every_admins(dev, admin, fresh):
    ident, secret = made(admin, kind="application")
    assert ident not in [k["id"]
                         for k in admin.get("/auth/keys").json["keys"]]
    other = fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=other.id)
    listed = other.get("/auth/keys?kind=application").json["keys"]
    assert ident in [k["id"] for k in listed]
    assert {k["kind"] for k in listed} == {"application"}
    new = other.post(f"/auth/keys/{ident}/rotate",
                     json={"grace_seconds": 0}).json["api_key"]
    assert new != secret
    other.delete("/auth/keys/" + ident)


def test_no_more_than_the_limit(dev, fresh):
    """Exactly, however many are asked for at once: held up until some have
    come as far as they can without each other. On connections of their own,
    which a worker that waits does not take."""
    one = fresh()
    for _ in range(49):
        make(one)
    body = json.dumps({"name": "x", "scopes": ["account"]}).encode()
    path = fastcgi.sockets(dev)["socket"]
    with holding(dev, "SELECT 1 FROM docket.users WHERE id ="
                 f" '{one.id}' FOR UPDATE") as release, \
            concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(fastcgi.ask, path, "POST", "/auth/keys", body,
                             HTTP_AUTHORIZATION=f"Bearer {one.access}")
                 for _ in range(8)]
        wait_until(lambda: int(dev.sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock'")[0][0]) >= 2, "two in a row")
        release()
        statuses = [a.result(60).status for a in asked]
    # One that waited for a worker meanwhile may have been shed.
    assert statuses.count(201) == 1 and {*statuses} <= {201, 409, 503}
    assert make(one, expect=409).code == "api_key_limit"
    keys = one.get("/auth/keys").json["keys"]
    assert len(keys) == 50
    one.delete("/auth/keys/" + keys[0]["id"])
    make(one)
    make(one, expect=409)
    make(fresh())


# --- what a key does not open -----------------------------------------------

@rows(UNSCOPED)
def test_what_takes_a_bearer_alone(api, ledger, fresh, row):
    """A key mints no keys, and ends no session."""
    one = fresh()
    ident, secret = made(one)
    before = ledger.settled()
    for ref in (ident, uuid.uuid4()):
        reply = api.request(row.method, row.at(ref), None, json={},
                            **key(secret))
        deny(reply, "token_missing")
    assert ledger.changed(before) == []


@rows(UNSCOPED)
def test_there_a_key_is_not_even_looked_at(fresh, row):
    one = fresh()
    reply = one.request(row.method, row.at(made(one)[0]), None, json={},
                        **key("rubbish"))
    assert reply.status != 401, str(reply)


def test_by_default_tasks_take_a_bearer_alone(api, fresh):
    one = fresh()
    secret = made(one)[1]
    deny(api.get("/tasks", None, **key(secret)), "token_missing")
    one.get("/tasks", 200, **key(secret))
    one.get("/tasks", 200, **key("rubbish"))


# --- rotation ---------------------------------------------------------------

def test_a_rotation_with_grace(dev, api, fresh):
    one = fresh()
    ident, old = made(one)
    api.get("/auth/me", 200, **key(old))
    reply = one.post(f"/auth/keys/{ident}/rotate", body=b"", type="").json
    new, until = reply["api_key"], reply["key"]["previous_until"]
    assert SHAPE.fullmatch(new) and new[:25] == old[:25] and new != old
    left = datetime.datetime.fromisoformat(until.replace("Z", "+00:00")) \
        - datetime.datetime.now(datetime.timezone.utc)
    assert abs(left.total_seconds() - 86400) < 120
    for secret in (old, new):
        assert api.get("/auth/me", **key(secret)).json["id"] == one.id
    # A second rotation leaves the first secret none.
    third = one.post(f"/auth/keys/{ident}/rotate",
                     json={"grace_seconds": 604800}).json["api_key"]
    deny(api.get("/auth/me", None, **key(old)), "api_key_invalid")
    for secret in (new, third):
        api.get("/auth/me", 200, **key(secret))
    dev.sql("UPDATE docket.api_keys SET old_until = now()"
            " WHERE id = :'id'", id=ident)
    one.patch("/auth/keys/" + ident, json={})
    deny(api.get("/auth/me", None, **key(new)), "api_key_invalid")
    assert one.get("/auth/keys").json["keys"][0]["previous_until"] is None
    api.get("/auth/me", 200, **key(third))


def test_no_worker_remembers_longer_than_the_grace(fresh, crowd):
    one = fresh()
    ident, old = made(one)
    one.post(f"/auth/keys/{ident}/rotate", json={"grace_seconds": 5})
    crowd.statuses(old)
    wait_until(lambda: crowd.statuses(old) == {401}, "the old one's end", 30)


def test_a_rotation_without_grace(fresh, crowd):
    one = fresh()
    ident, old = made(one)
    assert crowd.statuses(old) == {200}
    new = one.post(f"/auth/keys/{ident}/rotate",
                   json={"grace_seconds": 0}).json["api_key"]
    assert crowd.statuses(old) == {401}
    assert crowd.statuses(new) == {200}
    for grace in (-1, 604801, "1", 1.5):
        one.post(f"/auth/keys/{ident}/rotate", 400,
                 json={"grace_seconds": grace})
    assert crowd.statuses(new) == {200}


# --- felt by the next request, on every worker ------------------------------

def revoke(dev, one, ident):
    one.delete("/auth/keys/" + ident)


def narrow(dev, one, ident):
    one.patch("/auth/keys/" + ident, json={"allow": ["192.0.2.0/24"]})


def less(dev, one, ident):
    one.patch("/auth/keys/" + ident, json={"scopes": ["tasks:read"]})


def expire(dev, one, ident):
    """As time does it."""
    dev.sql("UPDATE docket.api_keys SET expires_at = now() WHERE id = :'id';"
            "UPDATE docket.sessions SET idle_until = now(),"
            " absolute_until = now() WHERE id = (SELECT session_id"
            " FROM docket.api_keys WHERE id = :'id')", id=ident)


def deactivate(dev, one, ident):
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=one.id)


def remove(dev, one, ident):
    dev.sql("DELETE FROM docket.users WHERE id = :'id'", id=one.id)


@pytest.mark.parametrize("end, status", [
    (revoke, 401), (narrow, 401), (less, 403), (expire, 401),
    (deactivate, 401), (remove, 401)])
def test_its_end_is_felt_by_the_next_request(dev, fresh, crowd, end, status):
    one = fresh()
    ident, secret = made(one)
    assert crowd.statuses(secret) == {200}
    assert crowd.statuses(secret) == {200}
    end(dev, one, ident)
    replies = [c.get("/auth/me", None, **key(secret)) for c in crowd.all]
    code = "api_key_invalid" if status == 401 else "insufficient_scope"
    row = next(r for r in ROUTES if str(r) == "GET /auth/me")
    for reply in replies:
        deny(reply, code, row)


def test_a_wider_scope_is_felt_by_the_next_request(fresh, crowd):
    """Nobody is refused from memory."""
    one = fresh()
    ident, secret = made(one, "tasks:read")
    assert crowd.statuses(secret) == {403}
    one.patch("/auth/keys/" + ident, json={"scopes": ["account"]})
    assert crowd.statuses(secret) == {200}


def test_what_a_refusal_owes_too(fresh, crowd):
    """A fault of the input is told to the holder of a live key alone."""
    one = fresh()
    ident, secret = made(one)
    assert crowd.statuses(secret, "/auth/me?x=1") == {400}
    one.patch("/auth/keys/" + ident, json={"name": "other"})
    assert crowd.statuses(secret, "/auth/me?x=1") == {400}
    one.delete("/auth/keys/" + ident)
    assert crowd.statuses(secret, "/auth/me?x=1") == {401}


def test_a_deactivated_owner_may_come_back(dev, fresh, crowd):
    one = fresh()
    _, secret = made(one)
    assert crowd.statuses(secret) == {200}
    deactivate(dev, one, None)
    assert crowd.statuses(secret) == {401}
    dev.sql("UPDATE docket.users SET active = true WHERE id = :'id'",
            id=one.id)
    assert crowd.statuses(secret) == {200}


def test_keys_outlive_their_owners_logins(dev, fresh, crowd):
    """A key is a credential of its own: it ends by its own end."""
    one = fresh()
    _, secret = made(one)
    assert crowd.statuses(secret) == {200}
    one.post("/auth/logout", json={"all": True})
    assert one.get("/auth/me", None).status == 401
    assert crowd.statuses(secret) == {200}


def test_a_role_that_was_lost(dev, api, fresh):
    one = fresh()
    dev.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
            id=one.id)
    _, secret = made(one, "account", "admin")
    _, less = made(one, "account")
    api.get("/auth/users", 200, **key(secret))
    reply = api.get("/auth/users", 403, **key(less))
    assert reply.code == "insufficient_scope"
    dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
            id=one.id)
    assert api.get("/auth/users", 403, **key(secret)).code == "forbidden"
    api.get("/auth/me", 200, **key(secret))


def test_the_sweep_leaves_a_keys_session(dev, api, fresh):
    one = fresh()
    ident, secret = made(one)
    one.post("/auth/logout", json={"all": True})
    dev.sql("UPDATE docket.sessions SET ended_at = now() - interval '31 d'"
            " WHERE user_id = :'id'", id=one.id)
    done = subprocess.run([dev.docket(), "-c", dev.dir / "docket.conf",
                           "gc"], capture_output=True, timeout=60)
    assert done.returncode == 0, done
    left = dev.sql("SELECT kind FROM docket.sessions WHERE user_id = :'id'",
                   id=one.id)
    assert left == [["key"]]
    api.get("/auth/me", 200, **key(secret))


# --- the address, and the last use ------------------------------------------

@pytest.mark.parametrize("allow, status", [
    ([], 200), (["127.0.0.0/8"], 200), (["127.0.0.1"], 200),
    (["192.0.2.0/24", "127.0.0.1/32"], 200), (["0.0.0.0/0"], 200),
    (["::ffff:127.0.0.1"], 200),
    (["127.0.0.2"], 401), (["192.0.2.0/24"], 401), (["::/0"], 401),
    (["10.0.0.0/8", "2001:db8::/32"], 401)])
def test_where_a_key_may_come_from(api, fresh, allow, status):
    _, secret = made(fresh(), allow=allow)
    reply = api.get("/auth/me", status, **key(secret))
    if status == 401:
        deny(reply, "api_key_invalid")
    # What a client says of itself counts for nothing.
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        more = {"headers": [("X-API-Key", secret), (name, "192.0.2.1")]}
        api.get("/auth/me", status, **more)


def used(one):
    found, = one.get("/auth/keys").json["keys"]
    return found["last_used_at"], found["last_used_ip"]


def test_the_last_use(dev, api, fresh, crowd):
    one = fresh()
    ident, secret = made(one)
    for bad in (secret[:-1], secret[:30] + secret[31:] + "0"):
        api.get("/auth/me", 401, **key(bad))
    wrong = sealed(secret[:25] + "0" * 43)
    deny(api.get("/auth/me", None, **key(wrong)), "api_key_invalid")
    assert used(one) == (None, None)
    api.get("/auth/me", 200, **key(secret))
    first = used(one)
    assert docket.INSTANT.match(first[0]) and first[1] == "127.0.0.1"
    # Once a minute at most, whichever worker it comes to.
    crowd.statuses(secret)
    assert used(one) == first
    dev.sql("UPDATE docket.api_keys SET used_at = now() - interval '2 min',"
            " used_ip = '192.0.2.9' WHERE id = :'id'", id=ident)
    one.patch("/auth/keys/" + ident, json={})
    crowd.statuses(secret)
    again = used(one)
    assert again[0] > first[0] and again[1] == "127.0.0.1"


# --- bad keys, over every row -----------------------------------------------

def flipped(text, at):
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


class Bad:
    """Keys that open nothing, by why."""

    def __init__(self, dev):
        self.one, self.other = docket.person(dev), docket.person(dev)
        good = self.good = made(self.one)[1]
        ident, self.revoked = made(self.one)
        self.one.delete("/auth/keys/" + ident)
        ident, self.expired = made(self.one)
        expire(dev, self.one, ident)
        ident, self.rotated = made(self.one)
        self.one.post(f"/auth/keys/{ident}/rotate",
                      json={"grace_seconds": 0})
        self.elsewhere = made(self.one, allow=["192.0.2.0/24"])[1]
        other = made(self.other)[1]
        self.keys = {
            "revoked": self.revoked, "expired": self.expired,
            "rotated": self.rotated, "elsewhere": self.elsewhere,
            "another's id and this secret": sealed(other[:25] + good[25:68]),
            "this id and another's secret": sealed(good[:25] + other[25:68]),
            "nobody's id": sealed("dk_" + in_base62(uuid.uuid4().int, 22)
                                  + good[25:68]),
            "an id beyond 128 bits": sealed("dk_" + "z" * 22 + good[25:68]),
            "a secret beyond 256 bits": sealed(good[:25] + "z" * 43),
            "the checksum": flipped(good, 73), "the id": flipped(good, 10),
            "the secret": flipped(good, 40), "no checksum": good[:68],
            "cut": good[:-1], "longer": good + "0", "twice": good + good,
            "swapped case": "dk_" + good[3:].swapcase(),
            "capitals": good.upper(), "small": good.lower(),
            "capital prefix": "DK_" + good[3:], "no prefix": good[3:],
            "another prefix": sealed("dx_" + good[3:68]),
            "a blank inside": good[:30] + " " + good[31:],
            "in quotes": f'"{good}"', "Bearer": "Bearer " + good,
            "SQL": "' OR 1=1 --", "a cast": "'::text; DROP TABLE users; --",
            "a backslash": "\\'", "over-long": "dk_" + "0" * 4000,
            "a bearer": self.one.access, "a refresh token": self.one.refresh,
            "an id alone": ident, "UTF-8": "dk_\u00fc" + good[4:],
            "the fixed value of others": "1234567", "a list": good + ",",
            "two in one": f"{good},{good}", "two with a blank":
            f"{good}, {good}", "null": "null", "zero": "0",
            "its hash": "00" * 32, "controls": good[:30] + "\x01" + good[31:],
        }

    def headers(self):
        for why, text in self.keys.items():
            yield why, [("X-API-Key", text.encode())]
        yield "twice the header", [("X-API-Key", self.good)] * 2
        yield "good, then bad", [("X-API-Key", self.good),
                                 ("X-API-Key", self.revoked)]
        yield "bad, then good", [("X-API-Key", self.revoked),
                                 ("X-API-Key", self.good)]


def place_of(one, row):
    """The row's request, for a task of theirs or for a user to spare."""
    place = places(row)[0]
    tasks = [one.task(f"task {i}")["id"] for i in range(2)]
    ref = spare(one.dev, one.id).get(place.noun, [tasks[1]])[0]
    place.ready(one, ref)
    return lambda client, expect, **more: place.send(
        client, ref, tasks[0], expect, **more)


def without_key(one, row):
    """The same without an own header, so that `headers` says all of it."""
    send = place_of(one, row)
    return lambda client, **more: send(client, None, **more)


@pytest.fixture(scope="module")
def bad(dev):
    return Bad(dev)


@rows([r for r in SCOPED if "ROUTE_TASKS" not in r.flags])
def test_no_bad_key_opens(dev, api, bad, ledger, row):
    ask, faults = without_key(bad.one, row), []
    before = ledger.settled()
    for why, headers in bad.headers():
        reply = ask(api, headers=headers)
        said = refused(reply, "api_key_invalid")
        if said:
            faults.append(f"{why}: {said}: {reply}")
    assert not faults, "\n".join(faults[:10])
    assert ledger.changed(before) == []
    deny(ask(api), "token_missing")
    deny(ask(api, headers=[("X-API-Key", "")]), "token_missing")


def test_a_key_elsewhere_is_not_seen(api, bad):
    good = bad.good
    for more in ({"token": good},
                 {"headers": [("Authorization", "ApiKey " + good)]},
                 {"headers": [("X_API_KEY", good)]},
                 {"headers": [("Api-Key", good)]},
                 {"headers": [("Cookie", "X-API-Key=" + good)]}):
        api.get("/auth/me", 401, **more)
    for query in ("?api_key=", "?X-API-Key="):
        api.get("/auth/me" + query + good, 401)
    # Names of headers have no case.
    api.get("/auth/me", 200, headers=[("x-ApI-kEy", good)])
    reply = docket.raw(api.dev, (
        f"GET /auth/me HTTP/1.1\r\nHost: {api.dev.host}\r\n"
        f"X-API-Key: {good}\0x\r\nConnection: close\r\n\r\n").encode())
    assert reply.status == 400


# --- a bearer that is good for less -----------------------------------------

@rows(SCOPED)
def test_a_bearers_scopes_count_too(dev, api, row):
    """Never issued yet; the role is the database's, whatever it says."""
    someone = Someone(dev, row)
    place, forger = places(row)[0], someone.forger()
    for scope in ("", "root", *(s for s in SCOPES if s != row.scope)):
        token = forger.sign(claims=forger.claims(scope=scope))
        reply = someone.ask(api, place, token=token)
        if row.scope == "admin":
            assert reply.status == row.status, str(reply)
        else:
            deny(reply, "insufficient_scope", row)
    someone.ask(api, place, row.status, token=forger.sign(
        claims=forger.claims(scope="x " + row.scope)))
    someone.one.post("/auth/logout")
    token = forger.sign(claims=forger.claims(scope="root"))
    reply = someone.ask(api, place, 401, token=token)
    assert reply.code == "token_revoked"


# --- either -----------------------------------------------------------------

@pytest.fixture(scope="module")
def either():
    with instance.running("auth.tasks_auth=either", FEW) as found:
        yield found


@pytest.fixture(scope="module")
def holder(either):
    """Somebody with a key for each scope alone, and two tasks."""
    one = docket.person(either)
    either.sql("UPDATE docket.users SET role = 'admin' WHERE id = :'id'",
               id=one.id)
    one.keys = {scope: made(one, scope)[1] for scope in SCOPES}
    return one


@pytest.fixture
def asker(either):
    client = Client(either)
    yield client
    client.close()


@rows(SCOPED)
def test_a_row_by_each_scope(holder, asker, row):
    """The row's own scope opens it, no other does, and what a key opens it
    opens beside a bearer as well."""
    send = place_of(holder, row)
    for scope, secret in holder.keys.items():
        for token in (None, holder.access):
            reply = send(asker, None, token=token, **key(secret))
            if scope == row.scope:
                assert reply.status == row.status, str(reply)
                send = place_of(holder, row)
            else:
                deny(reply, "insufficient_scope", row)


@rows([r for r in SCOPED if "ROUTE_TASKS" in r.flags])
def test_no_bad_key_opens_a_task_row(either, asker, holder, row):
    bad = holder.__dict__.get("bad") or Bad(either)
    holder.bad, faults = bad, []
    ask = without_key(bad.one, row)
    for why, headers in bad.headers():
        for token in (None, bad.one.access):
            reply = ask(asker, headers=headers, token=token)
            said = refused(reply, "api_key_invalid")
            if said:
                faults.append(f"{why}: {said}: {reply}")
    assert not faults, "\n".join(faults[:10])
    deny(ask(asker), "token_missing")


def test_either_opens_tasks(either, asker, fresh_either):
    one, other = fresh_either(), fresh_either()
    secret = made(one)[1]
    task = one.task("mine")
    for more in ({"token": one.access}, key(secret),
                 {"token": one.access, **key(secret)},
                 {"headers": [("Authorization", "Basic YTpi"),
                              ("X-API-Key", secret)]}):
        assert asker.get("/tasks", 200, **more).json["tasks"] == [task]
    # Two people's, and a bad bearer beside a good key.
    deny(asker.get("/tasks", None, token=other.access, **key(secret)),
         "api_key_invalid")
    reply = asker.get("/tasks", 401, token="x.y.z", **key(secret))
    assert reply.code == "token_invalid"


def test_an_applications_key_acts_for_nobody(either, asker, fresh_either):
    one = fresh_either()
    _, secret = application(either, "tasks:read")
    deny(asker.get("/tasks", None, **key(secret)), "token_missing")
    deny(asker.get("/auth/me", None, **key(secret)), "token_missing")
    asker.get("/tasks", 200, token=one.access, **key(secret))
    row = next(r for r in ROUTES if str(r) == "POST /tasks")
    deny(asker.post("/tasks", None, json={"title": "x"}, token=one.access,
                    **key(secret)), "insufficient_scope", row)
    one.post("/auth/logout")
    reply = asker.get("/tasks", 401, token=one.access, **key(secret))
    assert reply.code == "token_revoked"


def test_a_write_by_key_is_once(either, asker, fresh_either):
    """With an Idempotency-Key, and over a change of the key."""
    one = fresh_either()
    ident, secret = made(one)
    headers = [("X-API-Key", secret), ("Idempotency-Key", "k1")]
    first = asker.post("/tasks", 201, json={"title": "t"}, headers=headers)
    one.patch("/auth/keys/" + ident, json={"name": "other"})
    for _ in range(8):
        again = asker.post("/tasks", 201, json={"title": "t"},
                           headers=headers)
        assert again.body == first.body
        asker.close()
    assert len(one.tasks()) == 1


def test_a_changed_key_works_on(either, fresh_either):
    """The worker that remembers it as it was serves it all the same: writes
    too, and each of them once."""
    one = fresh_either()
    ident, secret = made(one)
    crowd = Clients(either)
    for turn in range(3):
        for client in crowd.all:
            client.post("/tasks", 201, json={"title": "t"}, **key(secret))
        assert len(one.tasks("?limit=200")) == 32 * (turn + 1)
        one.patch("/auth/keys/" + ident, json={"name": f"turn {turn}"})
    crowd.close()


@pytest.fixture
def fresh_either(either):
    people = []

    def one():
        people.append(docket.person(either))
        return people[-1]

    yield one
    for person in people:
        person.close()


# --- one round trip ---------------------------------------------------------

def test_a_known_key_costs_no_look_up(either, fresh_either):
    """While nobody can read the table, a worker that knows the key serves;
    one that does not has to wait for it."""
    one = fresh_either()
    secret, new = made(one)[1], made(one)[1]
    crowd = Clients(either)
    for _ in range(5):
        assert crowd.statuses(secret, "/tasks") == {200}
    with holding(either, "LOCK TABLE docket.api_keys") as release:
        wait_until(lambda: crowd.statuses(secret, "/tasks") == {200},
                   "32 requests without a look-up", 40)
        crowd.all[0].get("/tasks", 503, **key(new))
        release()
    wait_until(lambda: crowd.statuses(new, "/tasks") == {200},
               "the other key too", 40)
    crowd.close()


# --- apikey, and both -------------------------------------------------------

@pytest.fixture(scope="module")
def apikey():
    with instance.running("auth.tasks_auth=apikey", FEW) as found:
        yield found


def test_apikey_needs_a_key(apikey):
    one, client = docket.person(apikey), Client(apikey)
    secret = made(one)[1]
    program = application(apikey)[1]
    deny(client.get("/tasks", None), "api_key_missing")
    deny(one.get("/tasks", None), "api_key_missing")
    client.get("/tasks", 200, **key(secret))
    one.get("/tasks", 200, **key(secret))
    one.get("/tasks", 200, **key(program))
    deny(client.get("/tasks", None, **key(program)), "token_missing")
    client.get("/auth/me", 200, token=one.access)
    client.close()


@rows([r for r in SCOPED if "ROUTE_TASKS" in r.flags])
def test_both_are_needed(keyed, row):
    one, client = docket.person(keyed), Client(keyed)
    _, program = application(keyed)
    own, send = made(one)[1], place_of_both(one, row, program)
    deny(send(client, None), "token_missing")
    deny(send(client, None, token=one.access), "api_key_missing")
    for secret in (program, own):
        deny(send(client, None, **key(secret)), "token_missing")
        assert send(client, None, token=one.access,
                    **key(secret)).status == row.status
        send = place_of_both(one, row, program)
    deny(send(client, None, token=one.access, **key("x" + program)),
         "api_key_invalid")
    client.close()
    one.close()


def place_of_both(one, row, program):
    tasks = [one.post("/tasks", 201, json={"title": "t"},
                      **key(program)).json["task"]["id"] for _ in range(2)]
    place = places(row)[0]
    place.ready(one, tasks[1], **key(program))
    return lambda client, expect, **more: place.send(
        client, tasks[1], tasks[0], expect, **more)


def test_an_application_is_shut_out_at_once(keyed):
    one = docket.person(keyed)
    ident, program = application(keyed)
    crowd = Clients(keyed)

    def statuses():
        return {c.get("/tasks", None, token=one.access,
                      **key(program)).status for c in crowd.all}

    assert statuses() == {200}
    run(keyed, "revoke", ident)
    assert statuses() == {401}
    crowd.close()


# --- the document -----------------------------------------------------------

B, O, K = {"bearer": []}, "oauth2", {"apiKey": []}


@pytest.mark.parametrize("mode", ["jwt", "either", "apikey", "jwt+apikey"])
def test_the_document_says_what_opens_a_row(dev, mode):
    done = subprocess.run(
        [dev.docketd(), "-c", dev.dir / "docket.conf", "--set",
         f"auth.tasks_auth={mode}", "--openapi"], capture_output=True,
        check=True)
    document = json.loads(done.stdout)
    schemes = document["components"]["securitySchemes"]
    assert schemes["apiKey"].items() >= {
        "type": "apiKey", "in": "header", "name": "X-API-Key"}.items()

    def said(path, method, scope):
        o = {O: [scope] if scope else []}
        got = document["paths"][path][method]["security"]
        return {"jwt": [B, o], "either": [B, o, K],
                "apikey": [K, {**B, **K}, {**o, **K}],
                "jwt+apikey": [{**B, **K}, {**o, **K}]}, got

    ways, got = said("/tasks", "get", "tasks:read")
    assert got == ways[mode]
    ways, got = said("/auth/me", "get", "account")
    assert got == ways["either"]
    ways, got = said("/auth/keys", "post", None)
    assert got == ways["jwt"]


# --- the command line -------------------------------------------------------

def test_the_command_makes_lists_rotates_and_revokes(dev, api, fresh):
    one = fresh()
    said = run(dev, "add", "--user", one.username.upper(), "--scopes",
               "account tasks:read", "--name", "cron", "--allow",
               "127.0.0.1/8", "--allow", "2001:db8::/32", "--expires",
               "2031-01-31T00:00:00Z").stdout.split()
    ident, secret = said
    assert SHAPE.fullmatch(secret)
    assert api.get("/auth/me", **key(secret)).json["id"] == one.id
    line, = run(dev, "list", "--user", one.username).stdout.splitlines()
    assert line.startswith(
        f"{ident} personal owner={one.username} scopes=tasks:read,account"
        " allow=127.0.0.0/8,2001:db8::/32"
        " expires=2031-01-31T00:00:00.000Z used=2")
    assert line.endswith(" name=cron") and secret not in line
    same, new = run(dev, "rotate", ident, "--grace", "0").stdout.split()
    assert same == ident and new != secret
    api.get("/auth/me", 401, **key(secret))
    api.get("/auth/me", 200, **key(new))
    run(dev, "revoke", ident)
    api.get("/auth/me", 401, **key(new))
    assert run(dev, "list", "--user", one.username).stdout == ""
    for program in application(dev, name="with \u00fc")[:1]:
        assert program in run(dev, "list").stdout


def test_what_the_command_refuses(dev, ledger):
    before = ledger.settled()
    usage = 64
    for words in ([], ["add"], ["add", "--user", "admin"], ["revoke"],
                  ["add", "--scopes", "account"], ["list", "x"], ["mint"],
                  ["add", "--user", "admin", "--application", "x",
                   "--scopes", "account"], ["rotate", "1", "2"]):
        run(dev, *words, expect=usage)
    data, add = 65, ["add", "--application", "x", "--scopes"]
    for words, why in (
            (add + ["root"], "--scopes"), (add + [","], "--scopes"),
            (add + ["account", "--allow", "x"], "--allow"),
            (add + ["account", "--expires", "x"], "--expires"),
            (add + ["account", "--expires", "2001-01-01T00:00:00Z"],
             "--expires"),
            (add + ["account", "--name", "a\nb"], "the name"),
            (add + ["account", "--insecure-value", "a b"],
             "--insecure-value"),
            (add + ["account", "--insecure-value", "dk_x"],
             "--insecure-value"),
            (add + ["account", "--insecure-value", "123456"], "clashes"),
            (["add", "--user", "nobody-here", "--scopes", "account"],
             "User not found"),
            (["revoke", "x"], "the id"), (["rotate", "x"], "the id"),
            (["revoke", str(uuid.uuid4())], "not found"),
            (["rotate", str(uuid.uuid4()), "--grace", "x"], "--grace"),
            (["rotate", str(uuid.uuid4())], "not found")):
        assert why in run(dev, *words, expect=data).stderr, words
    assert ledger.changed(before) == []


def test_production_makes_no_fixed_value(dev):
    said = run(dev, "add", "--application", "x", "--scopes", "account",
               "--insecure-value", "654321", expect=65, settings=instance.PRODUCTION)
    assert "only for profile = dev" in said.stderr


def test_a_fixed_value_is_an_application_of_development(dev, api, fresh):
    assert "seed-client" in run(dev, "list").stdout
    one = fresh()
    api.get("/auth/me", 200, token=one.access, **key("123456"))
    deny(api.get("/auth/me", None, **key("123456")), "token_missing")
    deny(api.get("/auth/me", None, token=one.access, **key("123457")),
         "api_key_invalid")


def test_production_takes_no_fixed_value():
    """Not even one that lies in its database."""
    with instance.running("auth.tasks_auth=jwt+apikey", FEW,
                          *instance.PRODUCTION) as own:
        assert "seed-client" in run(own, "list").stdout
        one = docket.person(own)
        program = application(own)[1]
        deny(one.get("/tasks", None, **key("123456")), "api_key_invalid")
        one.get("/tasks", 200, **key(program))
        one.close()


def test_a_fixed_value_becomes_a_key(dev, api, fresh):
    one = fresh()
    value = docket.new_name()
    ident, same = run(dev, "add", "--user", one.username, "--scopes",
                      "account", "--insecure-value", value).stdout.split()
    assert same == value
    api.get("/auth/me", 200, **key(value))
    new = one.post(f"/auth/keys/{ident}/rotate", json={}).json["api_key"]
    api.get("/auth/me", 401, **key(value))
    api.get("/auth/me", 200, **key(new))


# --- nowhere in clear -------------------------------------------------------

def test_a_key_is_nowhere_in_clear(dev, api, fresh):
    one = fresh()
    ident, secret = made(one)
    api.get("/auth/me", 200, **key(secret))
    new = one.post(f"/auth/keys/{ident}/rotate", json={}).json["api_key"]
    for bad in (flipped(new, 40), sealed(new[:25] + "1" * 43)):
        api.get("/auth/me", 401, **key(bad))
    dump = subprocess.run(
        ["/usr/lib/postgresql/15/bin/pg_dump", "--data-only", "-d",
         as_owner(dev)], capture_output=True, check=True).stdout
    assert ident.encode() in dump
    logs = b"".join(path.read_bytes()
                    for path in (dev.dir / "log").iterdir())
    assert ident.encode() in logs
    for place in (dump, logs):
        for text in (secret, new, secret[25:68], new[25:68],
                     secret[25:45], "1" * 43):
            assert text.encode() not in place
