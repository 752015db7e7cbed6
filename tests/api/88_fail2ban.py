# SPDX-License-Identifier: AGPL-3.0-or-later
"""fail2ban reads every guess out of the log, with the guesser's address, and
nothing else, whatever a client writes where."""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import docket
import fastcgi
import instance
from docket import Client, ROOT, new_email, new_name, new_phone
from tables import EVENTS

FILTER = ROOT / "fail2ban/filter.d/docket.conf"
JAIL = ROOT / "fail2ban/jail.d/docket.conf"
SYSTEM = pathlib.Path("/etc/fail2ban")
GUESSER, PERSON, FORGER, VICTIM = \
    "127.0.0.66", "127.0.0.1", "127.0.0.77", "198.51.100.4"

pytestmark = [pytest.mark.plain, pytest.mark.skipif(
    not shutil.which("fail2ban-regex"), reason="no fail2ban here")]


class From(Client):
    """A client at another address of the loopback network."""

    def __init__(self, dev, source):
        super().__init__(dev)
        self.source = source

    def connect(self):
        connection = super().connect()
        connection.source_address = (self.source, 0)
        return connection


@pytest.fixture(scope="module")
def server():
    with instance.running("limits.login_failures=3",
                          "limits.login_client=12",
                          "limits.otp_guesses=2",
                          "limits.otp_recipient_guesses=3",
                          "limits.requests_client=1000",
                          "limits.auth_client=1000") as found:
        yield found


def new_log(server, before):
    """What was logged since, the last request's line included."""
    client = Client(server)
    mark = new_name()
    client.get("/healthz", headers=[("X-Request-Id", mark)])
    client.close()
    docket.wait_until(lambda: mark in server.log(), "the last line")
    return server.log()[before:]


def matched(log, path, mode="normal"):
    """[address] of each line that the filter hits, in order."""
    where = path / "docketd.log"
    where.write_text(log)
    done = subprocess.run(
        ["fail2ban-regex", "-l", "critical", "-o", "ip", str(where),
         f"{FILTER}[mode={mode}]"], text=True,
        capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    return done.stdout.split()


def refuse(client, path, status, **body):
    return client.post(path, status, json=body)


def guess_passwords(client, name):
    """Wrong ones until the account is locked here, and beyond: each counts."""
    for _ in range(3):
        refuse(client, "/auth", 401, username=name, password="wrong")
    refuse(client, "/auth", 429, username=name, password="wrong")
    refuse(client, "/auth", 401, email=new_email(), password="wrong")
    client.post("/auth/token", 400, form={
        "grant_type": "password", "username": new_name(), "password": "no"})
    client.post("/auth/token", 429, form={
        "grant_type": "password", "username": name, "password": "no"})
    return 7


def guess_codes(client, phone):
    """The third in all blocks the recipient; nobody else awaits one."""
    send = docket.send_otp(client, phone).json["otp"]
    wrong = "9" + send[1:] if send[0] != "9" else "8" + send[1:]
    for status in (400, 400, 400):
        refuse(client, "/otp/verify", status, phone=phone, otp=wrong)
    refuse(client, "/otp/verify", 400, email=new_email(), otp="123456")
    refuse(client, "/auth/register", 400, username=new_name(),
           password="correct horse", phone=phone, otp=wrong)
    client.post("/auth/token", 400, form={
        "grant_type": "otp", "phone": new_phone(), "otp": "123456"})
    return 6


def test_every_guess_is_hit_with_its_address(server, tmp_path):
    person = docket.person(server)
    before, client = len(server.log()), From(server, GUESSER)
    sent = guess_passwords(client, person.username)
    sent += guess_codes(client, new_phone())
    client.close()
    assert matched(new_log(server, before), tmp_path) == [GUESSER] * sent


def test_a_password_asked_for_again_is_guessed_too(server, tmp_path):
    person = docket.person(server)
    before, client = len(server.log()), From(server, GUESSER)
    client.request("DELETE", "/auth/me", 400, token=person.access,
                   json={"password": "wrong"})
    client.close()
    assert matched(new_log(server, before), tmp_path) == [GUESSER]


def test_a_recipient_that_is_blocked_and_a_busy_client(server, tmp_path):
    """Refused before anything is looked at: a line each, no row."""
    phone, client = new_phone(), From(server, GUESSER)
    before = len(server.log())
    for _ in range(2):
        docket.send_otp(client, phone)
        for _ in range(2):
            client.post("/otp/verify", None, json={"phone": phone,
                                                   "otp": "0000000"})
        server.sql("UPDATE docket.otp_budgets SET last_at = now()"
                   " - interval '5 min', streak = 0 WHERE address = :'to'",
                   to=phone)
    client.post("/otp/verify", 429, json={"phone": phone, "otp": "0000000"})
    client.close()
    log = new_log(server, before)
    assert "otp_blocked ip=" in log and "otp_guess_refused ip=" in log
    assert matched(log, tmp_path) == [GUESSER] * 5


def test_an_address_of_the_new_kind(server, tmp_path):
    body = json.dumps({"username": new_name(), "password": "no"}).encode()
    before = len(server.log())
    for address, seen in (("2001:db8::42", "2001:db8::42"),
                          ("::ffff:192.0.2.33", "192.0.2.33")):
        reply = fastcgi.ask(
            fastcgi.sockets(server)["auth_socket"], "POST", "/auth", body,
            REMOTE_ADDR=address)
        assert reply.status == 401
        assert matched(new_log(server, before), tmp_path)[-1] == seen


def live(server, client):
    """What people do all day, and what they do wrong without guessing."""
    person = docket.person_by_phone(server)
    for _ in range(3):
        docket.login(server, person.username, "correct horse").close()
    task = person.task()
    person.get(f"/tasks/{task['id']}")
    person.get("/tasks/999999", 404)
    person.post("/tasks", 400, json={"nothing": 1})
    client.get("/tasks", 401)
    client.get("/tasks", 401, token="long.gone.token")
    client.get("/auth/users", 401, headers=[("X-API-Key", "dk_nonsense")])
    person.get("/auth/users", 403)
    client.post("/auth", 400, json={"username": person.username})
    client.post("/auth", 415, body=b"x", type="text/plain")
    client.post("/auth/refresh", 401, json={"refresh_token": "x"})
    docket.send_otp(client, new_phone())
    docket.send_otp(client, person.user["phone"], expect=None)
    docket.send_otp(client, person.user["phone"], expect=None)
    old = person.refresh
    for _ in range(2):
        person.take(person.post("/auth/refresh", json={
            "refresh_token": person.refresh}, token=None).json)
    client.post("/auth/refresh", 401, json={"refresh_token": old})
    client.get("/nothing/here", 404)


def test_no_normal_line_is_hit(server, tmp_path):
    before, client = len(server.log()), From(server, PERSON)
    live(server, client)
    client.close()
    log = new_log(server, before)
    assert log.count("\n") > 20 and "refresh_reuse ip=" in log
    assert matched(log, tmp_path) == []
    # Nor what a server says of itself.
    assert matched(server.log()[:before].split(" request ")[0],
                   tmp_path) == []


def test_the_aggressive_mode_takes_every_401(server, tmp_path):
    before, client = len(server.log()), From(server, GUESSER)
    for _ in range(3):
        client.get("/tasks", 401, token="forged.token.here")
    client.get("/nothing", 404)
    refuse(client, "/auth", 401, username=new_name(), password="wrong")
    client.close()
    # Lines of requests may wait for others of their worker.
    docket.wait_until(lambda: server.log()[before:].count(" status=401 ")
                      == 4, "four refusals in the log")
    log = new_log(server, before)
    assert matched(log, tmp_path) == [GUESSER]
    assert matched(log, tmp_path, "aggressive") == [GUESSER] * 5


# --- forged lines ---------------------------------------------------------

LINE = f"login_failed ip={VICTIM} user=- route=login rid=x"
FORGED = [
    f"{end}2026-01-31T09:30:00.000Z warn docketd hash.0 {LINE}{end}"
    for end in ("\n", "\r\n", "\r", "\x00", "\x85", "\u2028", "\x1b[2K")
] + [LINE, f" ip={VICTIM} ", f"x ip={VICTIM} user="]


def hostile(server, client, words):
    """The words wherever a client may put any; how many guesses that was."""
    client.post("/auth", None, json={"username": words, "password": words})
    client.post("/auth", None, json={"email": words, "password": words})
    client.post("/auth/token", None, form={
        "grant_type": words, "username": words, "password": words})
    client.post("/auth/refresh", None, json={"refresh_token": words})
    client.post("/otp/verify", None, json={"phone": words, "otp": words})
    client.post("/auth/register", None, json={
        "username": words, "password": words, "role": words})
    quoted = docket.urllib.parse.quote(words)
    client.get(f"/{quoted}?{quoted}={quoted}", None)
    for group in ("socket", "auth_socket"):
        for name in ("HTTP_X_REQUEST_ID", "HTTP_USER_AGENT", "QUERY_STRING",
                     "HTTP_TRACEPARENT", "HTTP_AUTHORIZATION",
                     "HTTP_X_API_KEY", "HTTP_X_FORWARDED_FOR",
                     "HTTP_FORWARDED", "HTTP_X_REAL_IP", "REQUEST_METHOD",
                     "CONTENT_TYPE", "HTTP_IDEMPOTENCY_KEY"):
            more = {"REMOTE_ADDR": FORGER, name: words.encode()}
            method = more.pop("REQUEST_METHOD", "POST")
            body = json.dumps({"username": new_name(),
                               "password": "no"}).encode()
            with contextlib.suppress(fastcgi.Gone):  # no request at all
                fastcgi.ask(fastcgi.sockets(server)[group], method, "/auth",
                            body, **more)


@pytest.mark.parametrize("words", FORGED, ids=ascii)
def test_no_words_of_a_client_ban_a_stranger(server, tmp_path, words):
    before, client = len(server.log()), From(server, FORGER)
    server.sql("DELETE FROM docket.attempts; DELETE FROM docket.lockouts")
    hostile(server, client, words)
    client.close()
    log = new_log(server, before)
    for mode in ("normal", "aggressive"):
        hosts = collections.Counter(matched(log, tmp_path, mode))
        assert set(hosts) <= {FORGER}, hosts
        # With a NUL in it, a request is none.
        assert hosts[FORGER] >= 10 or "\0" in words
    # No line but those that begin as lines do.
    for line in log.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\S+Z (info|warn|error) docketd "
                        r"[\w.]+ ?", line), line
        assert line.isprintable(), ascii(line)


def test_a_line_that_could_be_forged_would_be_seen(tmp_path):
    """The search itself."""
    assert matched(f"2026-01-31T09:30:00.000Z warn docketd hash.0 {LINE}\n",
                   tmp_path) == [VICTIM]
    journal = f"2026-01-31T09:30:00.123456 box docketd[4711]: hash.1 {LINE}\n"
    assert matched(journal, tmp_path) == [VICTIM]
    for line in (f"2026-01-31T09:30:00.000Z warn docketd hash.0 x {LINE}\n",
                 f"2026-01-31T09:30:00.000Z warn nginx hash.0 {LINE}\n",
                 journal.replace("docketd[", "sshd[")):
        assert matched(line, tmp_path) == [], line


# --- the files ------------------------------------------------------------

def test_the_filter_names_the_events_that_count():
    guesses = re.search(r"^_guess = (.*)$", FILTER.read_text(), re.M)[1]
    assert guesses.split("|") == [name for name, event in EVENTS.items()
                                  if event.ban]


def dump(path, *settings):
    """What a server would be told, by fail2ban-client alone."""
    shutil.copytree(SYSTEM, path, symlinks=True)
    shutil.rmtree(path / "jail.d")
    (path / "jail.d").mkdir()
    shutil.copy(FILTER, path / "filter.d")
    shutil.copy(JAIL, path / "jail.d")
    if settings:
        (path / "jail.d/docket.local").write_text(
            "\n".join(["[docket]", *settings, ""]))
    done = subprocess.run(["fail2ban-client", "-c", str(path), "-d"],
                          text=True, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_jail_is_off_until_an_administrator_says_so(tmp_path):
    assert "'docket'" not in dump(tmp_path / "f2b")


@pytest.mark.parametrize("backend", ["systemd", "polling"])
def test_the_jail_is_whole(tmp_path, backend):
    log = tmp_path / "docketd.log"
    log.touch()
    told = dump(tmp_path / "f2b", "enabled = true", f"backend = {backend}",
                f"logpath = {log}")
    assert f"['add', 'docket', '{backend}']" in told
    assert "['set', 'docket', 'maxretry', 20]" in told
    assert "'addfailregex'" in told or "'multi-set', 'docket'" in told
    assert "login_failed|" in told
    if backend == "systemd":
        assert "'addjournalmatch', '_SYSTEMD_UNIT=docket.service']" in told
    else:
        assert f"'addlogpath', '{log}'" in told


def test_the_files_are_installed(dev, tmp_path):
    build = pathlib.Path(dev.docketd()).parent
    done = subprocess.run(
        ["make", "-C", build, "install-dist_fail2banfilterDATA",
         "install-dist_fail2banjailDATA", f"DESTDIR={tmp_path}"], text=True,
        capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {os.path.relpath(path, tmp_path).split("etc/", 1)[1]
             for path in tmp_path.rglob("*.conf")}
    assert found == {"fail2ban/filter.d/docket.conf",
                     "fail2ban/jail.d/docket.conf"}
