# SPDX-License-Identifier: AGPL-3.0-or-later
"""The cheap limits: exact over all workers of both groups, whoever dies, and
told on every reply."""

import ipaddress
import json
import os
import re
import signal
import subprocess
import time

import pytest

import docket
import fastcgi
import front
import instance
from docket import (SLOW, Client, Person, new_name, parallel, rate_limits,
                    wait_until)
from openmetrics import scrape

# Quotas come back with time.
pytestmark = pytest.mark.alone

USER, ANONYMOUS, SESSION, LOGINS, CHECKS = 6, 30, 3, 4, 7
SETTINGS = [f"limits.requests_user={USER}",
            f"limits.requests_anonymous={ANONYMOUS}",
            f"limits.refreshes_session={SESSION}",
            f"limits.login_client={LOGINS}",
            f"limits.checks_user={CHECKS}",
            "server.workers=4", "server.auth_workers=3"]


@pytest.fixture(scope="module")
def limited():
    with instance.running(*SETTINGS) as dev:
        yield dev


@pytest.fixture(scope="module")
def addresses():
    """Clients that nobody has been yet."""
    return (f"203.0.113.{n}" for n in range(1, 255))


@pytest.fixture
def somebody(limited, addresses):
    """Registered from an address of their own; their client has all of its
    quota."""
    reply = ask(limited, "POST", "/auth/register", next(addresses), {
        "username": new_name(), "password": "correct horse"})
    assert reply.status == 200, str(reply)
    one = Person(limited, reply.json, "correct horse")
    yield one
    one.close()


def ask(dev, method, path, address, body=None, token=None, group=None,
        **more):
    """A request from that address, to the group that nginx would choose."""
    hashes = path in ("/auth", "/auth/register", "/auth/token")
    group = group or ("auth_socket" if hashes else "socket")
    if token:
        more["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    reply = fastcgi.ask(
        fastcgi.sockets(dev)[group], method, path,
        json.dumps(body).encode() if body is not None else b"",
        REMOTE_ADDR=address, **more)
    rate_limits(reply)
    return reply


def used_up(somebody):
    """Ask until the quota is used; when that was."""
    for _ in range(5 * USER):
        if somebody.get("/tasks", None).status == 429:
            return time.monotonic()
    raise AssertionError("no limit")


def exactly(replies, quota, seconds):
    """So many passed, and what came back while it took."""
    passed = sum(reply.status != 429 for reply in replies)
    back = int(seconds / (60 / quota))
    assert quota <= passed <= quota + back, \
        f"{passed} of {len(replies)} in {seconds:.2f} s, the quota is {quota}"


# --- one caller -----------------------------------------------------------

def test_a_user_has_a_quota_and_is_told_what_is_left(limited, somebody):
    begun = time.monotonic()
    for left in range(USER - 1, -1, -1):
        reply = somebody.get("/tasks")
        if time.monotonic() - begun > 60 / USER:
            pytest.skip("too slow to count: one came back meanwhile")
        told = rate_limits(reply)["user"]
        assert (told["q"], told["w"], told["r"]) == (USER, 60, left)
        used = (USER - left) * 60 / USER
        assert used - 11 < told["t"] <= used if left else told["t"] <= 10
    reply = somebody.get("/tasks", 429)
    assert reply.code == "rate_limited"
    told = rate_limits(reply)
    assert set(told) == {"user"} and told["user"]["r"] == 0
    assert 1 <= int(reply.header("Retry-After")) == told["user"]["t"] <= 10


def test_a_refusal_comes_before_faults_and_for_every_row(limited, somebody):
    used_up(somebody)
    somebody.post("/tasks", 429, body=b"{")
    somebody.get("/tasks?surprise=1", 429)
    somebody.get("/auth/users", 429)
    assert somebody.request("HEAD", "/tasks", 429).header("RateLimit")


def test_one_user_does_not_use_up_anothers(limited, somebody, addresses):
    used_up(somebody)
    other = ask(limited, "POST", "/auth/register", next(addresses), {
        "username": new_name(), "password": "correct horse"}).json
    reply = ask(limited, "GET", "/tasks", "192.0.2.1",
                token=other["access_token"])
    assert reply.status == 200
    assert rate_limits(reply)["user"]["r"] == USER - 1


@pytest.mark.parametrize("policy", ["user", "check", "anonymous", "session"])
def test_what_is_refused_is_counted_by_its_limit(limited, somebody, addresses,
                                                 policy):
    """Exactly, however fast the quota comes back."""
    address, refresh = next(addresses), [somebody.refresh]

    def once():
        if policy == "user":
            return somebody.get("/tasks", None)
        if policy == "check":
            return somebody.get("/auth/check", None)
        if policy == "anonymous":
            return ask(limited, "GET", "/problems/busy", address)
        reply = ask(limited, "POST", "/auth/refresh", address,
                    {"refresh_token": refresh[0]})
        if reply.status == 200:
            refresh[0] = reply.json["refresh_token"]
        return reply

    before, refused = scrape(somebody), 0
    while refused < 3:
        refused += once().status == 429
    after = scrape(somebody)
    name = "docket_requests_limited_total"
    for one in ("user", "check", "anonymous", "session"):
        grew = after.get(name, policy=one) - before.get(name, policy=one)
        assert grew == (refused if one == policy else 0), one
    assert after.get(name) - before.get(name) == refused


def test_told_whatever_the_status_is(limited, somebody):
    tag = somebody.get("/tasks").header("ETag")
    for status, path, more in ((304, "/tasks", [("If-None-Match", tag)]),
                               (404, "/tasks/7", []), (406, "/tasks", [
                                   ("Accept", "text/html")])):
        reply = somebody.get(path, status, headers=more)
        assert set(rate_limits(reply)) == {"user"}, str(reply)


def test_health_is_never_limited(limited):
    for path in ("/healthz", "/readyz"):
        for _ in range(ANONYMOUS + 5):
            reply = ask(limited, "GET", path, "192.0.2.99")
            assert reply.status == 200 and not rate_limits(reply)


# --- who is one client ----------------------------------------------------

def forged(limited, address):
    return ask(limited, "GET", "/tasks", address, token="e30.e30.x")


def test_without_a_right_token_one_is_a_client(limited, addresses):
    address, begun = next(addresses), time.monotonic()
    replies = [forged(limited, address) for _ in range(ANONYMOUS + 10)]
    exactly(replies, ANONYMOUS, time.monotonic() - begun)
    assert {r.status for r in replies} == {401, 429}
    assert replies[0].header("WWW-Authenticate")
    assert set(rate_limits(replies[0])) == {"anonymous"}
    reply = ask(limited, "GET", "/problems/busy", address)
    assert reply.status == 429, "public rows have a quota of their own"
    assert ask(limited, "GET", "/problems/busy",
               next(addresses)).status == 200


@pytest.mark.parametrize("first, same, other", [
    ("2001:db8:7:1::1", "2001:db8:7:1:ffff::9", "2001:db8:7:2::1"),
    ("198.51.100.1", "::ffff:198.51.100.1", "198.51.100.2")])
def test_a_client_is_an_address_or_a_64(limited, first, same, other):
    begun = time.monotonic()
    left = [rate_limits(ask(limited, "GET", "/problems/busy", address))[
        "anonymous"]["r"] for address in (first, same, other)]
    if time.monotonic() - begun > 60 / ANONYMOUS:
        pytest.skip("too slow to count: one came back meanwhile")
    assert left == [ANONYMOUS - 1, ANONYMOUS - 2, ANONYMOUS - 1]


# --- all workers, both groups ---------------------------------------------

def test_all_workers_share_a_users_bucket(limited, somebody):
    """Forty connections at once, over four workers."""
    clients = [Client(limited) for _ in range(40)]
    for client in clients:
        client.get("/healthz")
    begun = time.monotonic()
    replies = parallel([lambda c=c: c.get("/tasks", None,
                                          token=somebody.access)
                        for c in clients])
    exactly(replies, USER, time.monotonic() - begun)
    for client in clients:
        client.close()


def test_both_groups_share_a_clients_bucket(limited, addresses):
    address = next(addresses)
    groups = ["socket", "auth_socket"] * ANONYMOUS
    begun = time.monotonic()
    replies = parallel([
        lambda g=g: ask(limited, "GET", "/problems/busy", address, group=g)
        for g in groups])
    exactly(replies, ANONYMOUS, time.monotonic() - begun)


# --- whoever dies ---------------------------------------------------------

def nothing_new(somebody, begun):
    """Not a whole quota again: what came back by now, and no more."""
    replies = [somebody.get("/tasks", None) for _ in range(USER + 2)]
    passed = sum(r.status == 200 for r in replies)
    back = int((time.monotonic() - begun) / (60 / USER)) + 1
    if back >= USER:
        pytest.skip("too slow to tell: all of it came back meanwhile")
    assert passed <= back, passed


@pytest.mark.faults
def test_killed_workers_take_nothing_along(limited, somebody):
    begun = used_up(somebody)
    before = limited.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(limited.workers()) == len(before)
               and not set(limited.workers()) & set(before),
               "a whole new crew", 20 * SLOW)
    nothing_new(somebody, begun)


@pytest.mark.faults
def test_kills_under_load_leave_the_buckets_right(limited, addresses):
    """Whatever a worker was doing: nobody is let through twice, nor stuck."""
    address, replies = next(addresses), []
    crew, begun = len(limited.workers()), time.monotonic()

    def knock():
        for _ in range(12):
            try:
                replies.append(ask(limited, "GET", "/problems/busy", address))
            except (fastcgi.Gone, OSError):
                pass

    def kill():
        for pid in limited.workers()[:4]:
            os.kill(pid, signal.SIGKILL)

    parallel([knock] * 8 + [kill])
    passed = sum(r.status == 200 for r in replies)
    back = int((time.monotonic() - begun) / (60 / ANONYMOUS))
    assert passed <= ANONYMOUS + back
    wait_until(lambda: len(limited.workers()) == crew, "a whole crew",
               20 * SLOW)
    other = ask(limited, "GET", "/problems/busy", next(addresses))
    assert rate_limits(other)["anonymous"]["r"] == ANONYMOUS - 1


@pytest.mark.faults
def test_a_reload_keeps_what_was_used(limited, somebody):
    begun, before = used_up(somebody), limited.workers()
    os.kill(limited.supervisor(), signal.SIGHUP)
    wait_until(lambda: len(limited.workers()) == len(before)
               and not set(limited.workers()) & set(before),
               "the new crew alone", 30 * SLOW)
    nothing_new(somebody, begun)


# --- refreshes ------------------------------------------------------------

@pytest.mark.parametrize("at", ["/auth/refresh", "/auth/token"])
def test_a_session_has_a_quota_of_refreshes(limited, somebody, addresses, at):
    """Two limits apply, both are told; and the session lives on."""
    address, refresh = next(addresses), somebody.refresh

    def fresh():
        return ask(limited, "POST", at, address, {"refresh_token": refresh})

    for left in range(SESSION - 1, -1, -1):
        reply = fresh()
        assert reply.status == 200, str(reply)
        told = rate_limits(reply)
        assert list(told) == ["anonymous", "session"]
        assert (told["session"]["q"], told["session"]["r"]) == (SESSION, left)
        refresh = reply.json["refresh_token"]
    reply = fresh()
    assert reply.status == 429, str(reply)
    assert rate_limits(reply)["session"]["t"] == \
        int(reply.header("Retry-After")) <= 20
    if at == "/auth/token":
        assert reply.json["error"] == "slow_down"
    # A rubbish token is nobody's session.
    reply = ask(limited, "POST", at, address, {"refresh_token": "x" * 40})
    assert list(rate_limits(reply)) == ["anonymous"]
    assert somebody.get("/auth/me").status == 200


# --- failed logins of one client ------------------------------------------

@docket.tries(3)
def test_a_client_has_so_many_failures_over_all_accounts(
        limited, somebody, addresses):
    address = next(addresses)

    def log_in(name, password, address=address):
        return ask(limited, "POST", "/auth", address,
                   {"username": name, "password": password})

    for _ in range(LOGINS):
        assert log_in(new_name(), "wrong horse").status == 401
    for name, password in ((new_name(), "wrong horse"),
                           (somebody.username, "correct horse")):
        reply = log_in(name, password)
        assert reply.status == 429 and reply.json["code"] == "rate_limited"
        told = rate_limits(reply)
        assert list(told) == ["anonymous", "login-client"]
        assert told["login-client"] == {
            "q": LOGINS, "w": 60, "r": 0,
            "t": int(reply.header("Retry-After"))}
    for _ in range(LOGINS + 2):
        assert log_in(somebody.username, "correct horse",
                      "203.0.114.1").status == 200


# --- what ships -----------------------------------------------------------

def test_the_limits_that_ship(dev):
    said = subprocess.run([dev.docketd(), "--settings"], text=True,
                          capture_output=True, check=True).stdout
    for key, value in (("requests_user", 600), ("requests_anonymous", 120),
                       ("checks_user", 6000),
                       ("refreshes_session", 60), ("login_failures", 10),
                       ("login_client", 10)):
        assert re.search(rf"^\s*#?{key} = {value}$", said, re.M), key


def test_the_document_tells_of_them(api):
    document = api.get("/openapi.json").json
    headers = document["components"]["headers"]
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(headers)
    answers = document["components"]["responses"]
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
        answers["TooManyRequests"]["headers"])
    for path in document["paths"]:
        for method, operation in document["paths"][path].items():
            told = any("RateLimit" in answer.get("headers", {})
                       for status, answer in operation["responses"].items()
                       if status[0] == "2")
            assert told == (path not in ("/healthz", "/readyz",
                                         "/metrics")), f"{method} {path}"


# --- nginx, the outer wall ------------------------------------------------

def test_nginx_says_when_to_come_again():
    with instance.running("limits.requests_client=1") as dev:
        client = Client(dev)
        replies = [client.get("/healthz", None) for _ in range(5)]
        assert {r.status for r in replies} == {200}
        refused = []
        for _ in range(5000):  # one comes back each second
            reply = client.get("/problems/busy", None)
            refused += [reply] * (reply.status == 429)
            if len(refused) == 10:
                break
        client.close()
    assert len(refused) == 10
    for reply in refused:
        assert reply.code == "rate_limited"
        assert int(reply.header("Retry-After")) >= 1


def test_nginx_takes_a_64_for_one_client():
    with front.alone("$docket_client") as nginx:
        for address in ("2001:db8:1:2::1", "2001:db8:a0a:d0a:0a0a::", "::1",
                        "fe80::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"):
            assert nginx.ask("/", address) == \
                ipaddress.ip_address(address).packed[:8]
        for address in ("192.0.2.1", "10.10.10.10", "0.0.0.0"):
            assert nginx.ask("/", address) == \
                ipaddress.ip_address(address).packed
