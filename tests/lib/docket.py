# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client for a running Docket, with raw control over what goes out."""

import base64
import concurrent.futures
import functools
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import contract
import kept
import made
from tables import ERRORS, ROOT, ROUTES  # noqa: F401

ABSENT = object()

# Beside a pooler the role has limits of time, which are the service's.
PATIENT = " options='-c statement_timeout=0 -c lock_timeout=0" \
    " -c idle_in_transaction_session_timeout=0'"

# The state of the instance that all tests share.
SHARED = os.environ.get("DEV_DIR") or str(ROOT / ".dev")

# Under the sanitizers a program takes several times as long, and any machine
# may have other work: what limits time is so many times what is needed.
SANITIZED = bool(os.environ.get("DEV_SANITIZE"))
SLOW = 24 if SANITIZED else 5
# Nobody waits for less: what comes sooner costs nothing.
LEAST = 60

# The members that RFC 9457 and api.md §1 name, no more and no fewer.
PROBLEM = {"type", "title", "status", "detail", "instance", "code", "errors",
           "request_id", "message"}
OAUTH_PATHS = {"/auth/token", "/auth/revoke", "/auth/introspect", "/token"}

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                   r"-[0-9a-f]{12}$")
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def wait_until(ready, what, seconds=20.0 * SLOW):
    """Poll until ready() is truthy and return that; fail saying what for."""
    seconds = max(seconds, LEAST)
    end = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        value = ready()
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        # What is waited for needs the machine too: a look that is dear, such
        # as a psql, has no more than half of the time.
        time.sleep(max(0.01, min(now - begun, 0.1)))


def tries(n):
    """For a test of what time alone tells: a machine that is busy elsewhere
    may spoil it, and not each time; a fault of the service's is there again."""
    def wrap(test):
        @functools.wraps(test)
        def run(*arguments, **more):
            for left in reversed(range(n)):
                try:
                    return test(*arguments, **more)
                except AssertionError as error:
                    if not left:
                        raise
                    print(f"{test.__name__}, once more: {error}")
        return run
    return wrap


def parallel(jobs):
    """Run all the callables at once, held at one barrier; their results."""
    gate = threading.Barrier(len(jobs))

    def run(job):
        gate.wait(120)
        return job()

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return [f.result(300) for f in [pool.submit(run, j) for j in jobs]]


class Dev:
    """What a dev instance leaves in its DEV_DIR."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.url = self.read("url").rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.port = parts.hostname, parts.port or 443
        self.admin = json.loads(self.read("admin.json"))
        self.dsn = self.read("dsn")
        self.jwt = json.loads(self.read("jwt.json"))
        self.spool = self.dir / "spool"

    def read(self, name):
        return (self.dir / name).read_text().strip()

    def pids(self):
        return json.loads(self.read("pids"))

    def tls(self):
        context = ssl.create_default_context(cafile=str(self.dir / "ca.pem"))
        return context

    def supervisor(self):
        for pid in self.pids()["app"]:
            if comm(pid) == "docketd":
                return pid
        raise AssertionError(f"no docketd among {self.pids()}")

    def workers(self):
        """The pids of the supervisor's children, sorted."""
        return sorted(children(self.supervisor()))

    def log(self, name="docketd"):
        return (self.dir / "log" / f"{name}.log").read_text()

    def docketd(self):
        """The binary under test."""
        named = os.environ.get("DOCKETD")
        return named or os.readlink(f"/proc/{self.supervisor()}/exe")

    def docket(self):
        """The administrator's command, of the same build."""
        return str(pathlib.Path(self.docketd()).parent / "docket")

    def sql(self, statement, **values):
        """Run one statement as the API role; rows as lists of text. Values
        are psql variables: :'name'."""
        command = [psql(), "-X", "-q", "-A", "-t", "-F", "\t",
                   "-v", "ON_ERROR_STOP=1", "-d", self.dsn + PATIENT]
        lines = None
        if self.shared():
            try:
                lines = kept.ask(command, statement, values)
            except kept.Refused as error:
                raise AssertionError(f"{statement}: {error}") from None
        if lines is None:
            for name, value in values.items():
                command += ["-v", f"{name}={value}"]
            done = subprocess.run(command, input=statement, text=True,
                                  capture_output=True, timeout=120)
            assert done.returncode == 0, f"{statement}: {done.stderr}"
            lines = done.stdout.splitlines()
        return [line.split("\t") for line in lines]

    def shared(self):
        """Is this the instance of all tests? Its keys stay what they are
        and its database stays where it is."""
        return self.dir == pathlib.Path(SHARED) \
            and " dbname=docket " in f" {self.dsn} "

    def messages(self, to):
        """The spooled messages for an address, oldest first."""
        found = []
        for path in sorted(self.spool.glob("*.json")):
            message = json.loads(path.read_text())
            if message["to"] == to:
                found.append((path, message))
        return found


def psql():
    for path in ("/usr/lib/postgresql/15/bin/psql", "/usr/bin/psql"):
        if os.access(path, os.X_OK):
            return path
    return "psql"


# Below those that the kernel gives to whoever connects or asks for any.
PORTS = range(12000, 20000)
held_ports = []


def free_port():
    """One to listen on later: until this process has ended, no other one of
    these tests gets it."""
    while True:
        port, name = dice.choice(PORTS), socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0docket-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("0.0.0.0", port))
        except OSError:
            name.close()
            continue
        held_ports.append(name)
        return port


def comm(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


class Reply:
    def __init__(self, method, path, status, headers, body):
        self.method, self.path = method, path
        self.status, self.headers, self.body = status, headers, body

    @functools.cached_property
    def by_name(self):
        found = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def all(self, name):
        return self.by_name.get(name.lower(), [])

    def header(self, name):
        """The one value of a header, or None; twice is a failure."""
        values = self.all(name)
        assert len(values) <= 1, f"{self}: {name} came {len(values)} times"
        return values[0] if values else None

    @property
    def type(self):
        return self.header("Content-Type")

    @property
    def json(self):
        try:
            return json.loads(self.body, object_pairs_hook=unique)
        except ValueError as error:
            raise AssertionError(f"{self} is not JSON: {error}") from None

    @property
    def code(self):
        return self.json.get("code")

    def pointers(self):
        """{pointer: code} of a problem's errors."""
        return {e["pointer"]: e["code"] for e in self.json["errors"]}

    def allow(self):
        return set(re.split(r",\s*", self.header("Allow") or ""))

    def __str__(self):
        return (f"{self.method} {self.path[:120]} -> {self.status} "
                f"{self.body[:600].decode('utf-8', 'replace')}")


def unique(pairs):
    names = [k for k, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"duplicate members in {names}")
    return dict(pairs)


def loopback(address, *more):
    """By IPv4, whichever way the machine prefers to reach localhost: tests
    say whom the server has seen."""
    return socket.create_connection(("127.0.0.1", address[1]), *more)


class Client:
    """One kept connection, remade when the other side closed it."""

    def __init__(self, dev, timeout=120):
        self.dev, self.timeout = dev, timeout
        self.connection, self.used = None, False

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection, self.used = None, False

    def connect(self):
        if not self.connection:
            self.connection = http.client.HTTPSConnection(
                self.dev.host, self.dev.port, context=self.dev.tls(),
                timeout=self.timeout)
            self.connection._create_connection = loopback
            self.used = False
        return self.connection

    def exchange(self, method, path, headers, body):
        connection = self.connect()
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        try:
            if body:
                connection.send(body)
        except OSError:
            pass  # a 413 may close while we still send: read what it said
        response = connection.getresponse()
        data = response.read()
        if response.will_close:
            self.close()
        self.used = True
        return Reply(method, path, response.status, response.getheaders(),
                     data)

    def request(self, method, path, expect=None, *, json=ABSENT, form=None,
                body=None, type=None, token=None, headers=(), check=True):
        """Send one request. json, form and body are three ways to say the
        body; type overrides its media type ("" = none)."""
        if json is not ABSENT:
            body, kind = dumps(json), "application/json"
        elif form is not None:
            body = urllib.parse.urlencode(form).encode()
            kind = "application/x-www-form-urlencoded"
        else:
            kind = "application/json" if body is not None else ""
        kind = kind if type is None else type
        sent = list(headers)
        if kind:
            sent.append(("Content-Type", kind))
        if token:
            sent.append(("Authorization", f"Bearer {token}"))
        if body is not None or method in ("POST", "PUT", "PATCH"):
            sent.append(("Content-Length", str(len(body or b""))))
        reply = self.deliver(method, path, sent, body)
        if check:
            invariants(reply, dict((k.lower(), v) for k, v in sent))
            contract.of(self.dev).check(reply)
        if expect is not None:
            assert reply.status == expect, f"wanted {expect}: {reply}"
        return reply

    def deliver(self, method, path, headers, body):
        try:
            return self.exchange(method, path, headers, body)
        except (http.client.RemoteDisconnected, ConnectionError,
                ssl.SSLEOFError):
            # A kept connection may be closed under us; a fresh one may not.
            if not self.used:
                raise
            self.close()
            return self.exchange(method, path, headers, body)
        except BaseException:
            self.close()
            raise

    def get(self, path, expect=200, **more):
        return self.request("GET", path, expect, **more)

    def post(self, path, expect=200, **more):
        return self.request("POST", path, expect, **more)

    def put(self, path, expect=200, **more):
        return self.request("PUT", path, expect, **more)

    def patch(self, path, expect=200, **more):
        return self.request("PATCH", path, expect, **more)

    def delete(self, path, expect=200, **more):
        return self.request("DELETE", path, expect, **more)


def dumps(value):
    return json.dumps(value, ensure_ascii=False).encode()


def raw(dev, data, tls=True, host=None):
    """Send bytes as they are on a fresh connection; the Reply to them."""
    with socket.create_connection((dev.host, dev.port), 120) as plain:
        stream = plain
        if tls:
            stream = dev.tls().wrap_socket(plain, server_hostname=dev.host)
        stream.sendall(data)
        response = http.client.HTTPResponse(stream)
        response.begin()
        body = response.read()
        line = data.split(b"\r\n")[0].decode("latin-1")
        return Reply(line, "", response.status, response.getheaders(), body)


def invariants(reply, sent):
    """What every reply keeps to, whatever was asked (api.md §1)."""
    assert reply.status != 500, f"a fault: {reply}"
    assert reply.status not in (502, 504), f"nginx lost us: {reply}"
    request_id = reply.header("X-Request-Id")
    assert request_id and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", request_id), \
        f"{reply}: X-Request-Id {request_id!r}"
    assert reply.header("X-Content-Type-Options") == "nosniff", str(reply)
    assert reply.header("Strict-Transport-Security"), str(reply)
    assert reply.header("Referrer-Policy") == "no-referrer", str(reply)
    assert "frame-ancestors 'none'" in (
        reply.header("Content-Security-Policy") or ""), str(reply)
    server = reply.header("Server") or ""
    assert not re.search(r"\d", server), f"Server: {server}"
    assert not reply.header("X-Powered-By"), str(reply)
    if reply.status == 401:
        assert reply.header("WWW-Authenticate"), f"no challenge: {reply}"
    if reply.status == 405:
        assert reply.header("Allow"), f"no Allow: {reply}"
    if reply.status in (429, 503):
        assert re.fullmatch(r"[1-9]\d*", reply.header("Retry-After") or ""), \
            f"no Retry-After: {reply}"
    told = rate_limits(reply)
    if reply.status == 429 and told:
        assert any(one["r"] == 0 and str(one["t"]) ==
                   reply.header("Retry-After") for one in told.values()), \
            f"{told}: {reply}"
    path = reply.path.split("?")[0]
    if reply.method == "HEAD" or reply.status in (204, 304):
        assert reply.body == b"", str(reply)
    elif reply.status >= 400 and path in OAUTH_PATHS and reply.status != 405:
        assert isinstance(reply.json.get("error"), str), str(reply)
        assert isinstance(reply.json.get("error_description"), str), \
            str(reply)
    elif reply.status >= 400:
        problem(reply)
    elif path == "/tasks/export" and reply.method == "GET":
        pass  # a file: 57_export.py knows its types
    elif path == "/metrics":
        pass  # text: openmetrics.py reads it
    elif reply.body:
        assert reply.type == "application/json", f"{reply.type}: {reply}"
        reply.json


def rate_limits(reply):
    """{policy: {"q", "w", "r", "t"}} of a reply, its grammar and sense
    checked (draft-ietf-httpapi-ratelimit-headers); none for no headers."""
    policy, left = reply.header("RateLimit-Policy"), reply.header("RateLimit")
    if policy is None and left is None:
        return {}
    assert policy and left, f"one without the other: {reply.headers}"
    told = {}
    for value, keys in ((policy, "qw"), (left, "rt")):
        member = re.compile(rf'"([a-z-]+)";{keys[0]}=(\d+);{keys[1]}=(\d+)')
        for one in value.split(", "):
            found = member.fullmatch(one)
            assert found, f"{one!r}: {reply.headers}"
            told.setdefault(found[1], {}).update(
                {keys[0]: int(found[2]), keys[1]: int(found[3])})
    for one in told.values():
        assert set(one) == set("qwrt"), f"{policy} and {left}"
        assert one["q"] > 0 and one["w"] > 0, policy
        assert one["r"] <= one["q"] and one["t"] > 0, f"{policy} and {left}"
    return told


def problem(reply):
    """Assert that a reply is a whole RFC 9457 document; the document."""
    assert reply.type == "application/problem+json", f"{reply.type}: {reply}"
    document = reply.json
    code = document.get("code")
    # A 412 brings the task as it stands now (api.md §4).
    members = PROBLEM | ({"task"} if code == "version_mismatch" else set())
    # A file that cannot be imported brings what is wrong with each line.
    if "report" in document and reply.path.startswith("/tasks/import"):
        members = members | {"report"}
    assert set(document) == members, \
        f"members {set(document) ^ members}: {reply}"
    assert code in ERRORS, f"unknown code: {reply}"
    status, title, _ = ERRORS[code]
    assert document["status"] == reply.status == status, str(reply)
    assert document["title"] == title, str(reply)
    assert document["type"].endswith(f"/problems/{code}"), str(reply)
    assert document["message"] == document["detail"], str(reply)
    assert document["request_id"] == reply.header("X-Request-Id"), str(reply)
    assert isinstance(document["errors"], list), str(reply)
    for fault in document["errors"]:
        assert set(fault) == {"pointer", "code", "detail"}, str(reply)
        assert fault["detail"], str(reply)
    for leak in ("SELECT ", "pg_", "PG::", "libpq", "/src/", ".c:",
                 "/var/", "/etc/"):
        assert leak not in reply.body.decode(), f"leaks {leak}: {reply}"
    return document


def anonymous(reply):
    """A reply's body with the request id taken out, for comparisons."""
    return reply.body.replace(
        reply.header("X-Request-Id").encode(), b"<request id>")


# --- people ---------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
dice = random.SystemRandom()


drawn = set()


def new_phone():
    """One that nobody here has: a thousand of ten million are rarely all
    different."""
    while True:
        phone = "+98912" + "".join(dice.choice("0123456789")
                                   for _ in range(7))
        if phone not in drawn:
            drawn.add(phone)
            return phone


def new_name(prefix="u"):
    return prefix + "".join(dice.choice(LETTERS) for _ in range(12))


def new_email():
    return f"{new_name()}@example.org"


# What new_phone() and new_email() give.
PHONE = re.compile(r"\+98912\d{7}")
EMAIL = re.compile(r"[a-z0-9]+@example\.org")


class Person(Client):
    """A client that carries somebody's bearer token."""

    def __init__(self, dev, envelope, password):
        super().__init__(dev)
        self.user, self.password = envelope["user"], password
        self.id, self.username = self.user["id"], self.user["username"]
        self.take(envelope)

    def take(self, pair):
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]
        self.expires_in = pair["expires_in"]
        self.stale = time.monotonic() + pair["expires_in"] - 120

    def renew(self, spare=0):
        """A new pair when there is less time left than that."""
        if time.monotonic() + spare > self.stale:
            fresh = Client.request(self, "POST", "/auth/refresh", 200,
                                   json={"refresh_token": self.refresh})
            self.take(fresh.json)

    def request(self, method, path, expect=None, **more):
        self.renew()
        more.setdefault("token", self.access)
        return super().request(method, path, expect, **more)

    def task(self, title="A task", **members):
        """A new task of this person's."""
        return self.post("/tasks", 201,
                         json={"title": title, **members}).json["task"]

    def tasks(self, query=""):
        return self.get("/tasks" + query).json["tasks"]


def send_otp(client, to, purpose=None, expect=200):
    body = {"email" if "@" in to else "phone": to}
    if purpose:
        body["purpose"] = purpose
    return client.post("/otp/send", expect, json=body)


def register(client, password="correct horse", expect=200, **members):
    """Register a fresh user and give the reply."""
    body = {"username": new_name(), "password": password, **members}
    return client.post("/auth/register", expect, json=body)


def person(dev, **members):
    """A fresh, logged-in user; registered by rows alone where that says the
    same (made.py)."""
    return made.person(dev, **members) or registered(dev, **members)


def registered(dev, **members):
    """A fresh user who came by /auth/register."""
    client = Client(dev)
    password = members.pop("password", "correct horse")
    envelope = register(client, password, **members).json
    client.close()
    return Person(dev, envelope, password)


def person_by_phone(dev):
    """A fresh user who proved a phone number by a code."""
    client, phone = Client(dev), new_phone()
    code = send_otp(client, phone).json["otp"]
    envelope = register(client, phone=phone, otp=code).json
    client.close()
    return Person(dev, envelope, "correct horse")


def login(dev, username, password):
    client = Client(dev)
    envelope = client.post("/auth", json={"username": username,
                                          "password": password}).json
    client.close()
    return Person(dev, envelope, password)


# --- tokens by hand -------------------------------------------------------

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwt_parts(token):
    """Header and claims of a token, undone by hand."""
    head, claims, _ = token.split(".")
    return json.loads(unb64(head)), json.loads(unb64(claims))


def jwt_sign(header, claims, key, digest=hashlib.sha256):
    """A compact JWS; header and claims may be bytes for what JSON forbids."""
    parts = [part if isinstance(part, bytes)
             else json.dumps(part, separators=(",", ":")).encode()
             for part in (header, claims)]
    signed = ".".join(b64(part) for part in parts)
    mac = hmac.new(key, signed.encode(), digest).digest()
    return f"{signed}.{b64(mac)}"
