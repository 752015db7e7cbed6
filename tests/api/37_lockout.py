# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wrong passwords lock an account for one network; time, a right password and
admins unlock it."""

import json
import os
import subprocess

import pytest

import docket
import fastcgi
from docket import (Client, anonymous, new_email, new_name, new_phone,
                    parallel, rate_limits, register)

RIGHT = "correct horse"
WRONG = "wrong horse"
HERE = "127.0.0.0/24"
LOCKS = [60, 120, 240, 480, 900, 900]

# limits.login_failures
TRIES = 10


@pytest.fixture
def somebody(api):
    return register(api, RIGHT, email=new_email(),
                    phone=new_phone()).json["user"]


def log_in(client, expect=200, password=RIGHT, **names):
    return client.post("/auth", expect, json={"password": password, **names})


def lock(client, name):
    for _ in range(TRIES):
        log_in(client, 401, WRONG, username=name)


def elsewhere(dev, address, name, password):
    """A try from another address."""
    return fastcgi.ask(
        fastcgi.sockets(dev)["auth_socket"], "POST", "/auth",
        json.dumps({"username": name, "password": password}).encode(),
        REMOTE_ADDR=address)


def age(dev, user, seconds):
    """As if all of it had happened so much earlier."""
    dev.sql("UPDATE docket.lockouts SET"
            " since = since - make_interval(secs => :'by'::int),"
            " locked_until = locked_until"
            " - make_interval(secs => :'by'::int)"
            " WHERE user_id = :'id'", by=seconds, id=user["id"])


def counted(dev, user):
    """As another connection sees it."""
    return [int(row[0]) for row in dev.sql(
        "SELECT n FROM docket.lockouts WHERE user_id = :'id'",
        id=user["id"])]


# --- ten, then a lock -----------------------------------------------------

def test_each_failure_is_stored_and_told(api, dev, somebody):
    for number in range(1, TRIES + 1):
        reply = log_in(api, 401, WRONG, username=somebody["username"])
        assert counted(dev, somebody) == [number]
        told = rate_limits(reply)["login"]
        assert (told["q"], told["w"], told["r"]) == (
            TRIES, 600, TRIES - number)
        assert told["t"] <= 60 if number == TRIES else 540 < told["t"] <= 600
    reply = log_in(api, 429, WRONG, username=somebody["username"])
    assert reply.code == "rate_limited"
    assert rate_limits(reply) == {"login": {
        "q": TRIES, "w": 600, "r": 0, "t": int(reply.header("Retry-After"))}}


def test_a_lock_lasts_twice_as_long_each_time(api, dev, somebody):
    name = somebody["username"]
    lock(api, name)
    for seconds, longer in zip(LOCKS, LOCKS[1:]):
        reply = log_in(api, 429, username=name)
        wait = int(reply.header("Retry-After"))
        assert seconds - 30 <= wait <= seconds
        # As long as it was told, and not much less.
        age(dev, somebody, wait - 30)
        log_in(api, 429, username=name)
        age(dev, somebody, 30)
        reply = log_in(api, 401, WRONG, username=name)
        assert rate_limits(reply)["login"]["t"] == longer
    age(dev, somebody, 900 + 600)
    reply = log_in(api, 401, WRONG, username=name)
    assert rate_limits(reply)["login"]["r"] == TRIES - 1, "not forgotten by time"


def test_a_right_password_while_locked_is_told_nothing(api, dev, somebody):
    lock(api, somebody["username"])
    said = [log_in(api, 429, password, username=somebody["username"])
            for password in (RIGHT, WRONG, RIGHT)]
    assert len({anonymous(reply) for reply in said}) == 1
    assert counted(dev, somebody) == [TRIES]


def test_a_right_password_forgives(api, dev, somebody):
    for _ in range(3):
        for _ in range(5):
            log_in(api, 401, WRONG, username=somebody["username"])
        log_in(api, username=somebody["username"])
        assert counted(dev, somebody) == []


def test_the_token_endpoint_says_it_its_own_way(api, somebody):
    lock(api, somebody["username"])
    reply = api.post("/auth/token", 429, form={
        "username": somebody["username"], "password": RIGHT})
    assert reply.json["error"] == "slow_down"
    assert "login" in rate_limits(reply)


def test_64_parallel_guesses_are_ten(dev, api, somebody):
    """Those that the hash gate turned away did not count: the rest comes."""
    name = somebody["username"]
    clients = [Client(dev) for _ in range(64)]
    said = [reply.status for reply in parallel([
        lambda c=c: log_in(c, None, WRONG, username=name) for c in clients])]
    for client in clients:
        client.close()
    assert set(said) <= {401, 429, 503}, said
    while (reply := log_in(api, None, WRONG, username=name)).status != 429:
        said.append(reply.status)
    assert said.count(401) == TRIES, said
    assert counted(dev, somebody) == [TRIES]


# --- whom it locks --------------------------------------------------------

def test_a_stranger_elsewhere_locks_nobody_out(api, dev, somebody):
    name = somebody["username"]
    for _ in range(TRIES):
        assert elsewhere(dev, "198.51.100.7", name, WRONG).status == 401
    # The whole network is locked, and nobody else.
    for address in ("198.51.100.7", "198.51.100.200"):
        assert elsewhere(dev, address, name, RIGHT).status == 429
    assert elsewhere(dev, "198.51.101.7", name, RIGHT).status == 200
    log_in(api, username=name)


def test_an_ipv6_network_is_a_64(dev, somebody):
    name = somebody["username"]
    for host in range(1, TRIES + 1):
        assert elsewhere(dev, f"2001:db8:1:2::{host}", name,
                         WRONG).status == 401
    assert elsewhere(dev, "2001:db8:1:2:ffff::1", name, RIGHT).status == 429
    assert elsewhere(dev, "2001:db8:1:3::1", name, RIGHT).status == 200


def test_a_name_that_nobody_has_is_locked_alike(api, somebody):
    """The same words and the same limits at every step."""
    said = {}
    for name in (somebody["username"], new_name()):
        said[name] = []
        for _ in range(TRIES + 2):
            reply = log_in(api, None, WRONG, username=name)
            limits = rate_limits(reply)["login"]
            said[name].append((reply.status, anonymous(reply), limits["q"],
                               limits["w"], limits["r"],
                               abs(limits["t"] - 600) < 60))
    known, unknown = said.values()
    assert known == unknown
    assert [step[0] for step in known] == [401] * TRIES + [429] * 2


def test_a_deactivated_account_is_locked_alike(api, dev, somebody):
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=somebody["id"])
    lock(api, somebody["username"])
    log_in(api, 429, username=somebody["username"])


# --- unlocking ------------------------------------------------------------

@pytest.mark.parametrize("by", ["id", "number"])
def test_an_admin_unlocks(api, dev, admin, somebody, by):
    name = somebody["username"]
    lock(api, name)
    for _ in range(TRIES):
        elsewhere(dev, "198.51.100.7", name, WRONG)
    reply = admin.post(f"/auth/users/{somebody[by]}/unlock")
    assert reply.json == {"message": "User unlocked"}
    log_in(api, username=name)
    assert elsewhere(dev, "198.51.100.7", name, RIGHT).status == 200


def test_unlocking_opens_the_recipients_too(api, dev, admin, somebody):
    phone = somebody["phone"]
    code = docket.send_otp(api, phone, "login").json["otp"]
    dev.sql("UPDATE docket.otp_budgets SET guess_n = 15, guess_start = now(),"
            " blocked_until = now() + interval '1 day'"
            " WHERE address = :'to'", to=phone)
    guess = {"phone": phone, "otp": code, "purpose": "login"}
    reply = api.post("/otp/verify", 429, json=guess)
    assert rate_limits(reply)["otp-guesses"]["q"] == 15
    admin.post(f"/auth/users/{somebody['id']}/unlock")
    api.post("/otp/verify", 200, json=guess)


def test_who_may_unlock_whom(api, admin, fresh, somebody):
    one, path = fresh(), "/auth/users/{}/unlock"
    one.post(path.format(somebody["id"]), 403)
    api.post(path.format(somebody["id"]), 401)
    assert admin.post(path.format("01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d"),
                      404).code == "user_not_found"
    admin.post(path.format(10 ** 17), 404)
    for wrong in ("x", "0", "-1", "1.0"):
        assert admin.post(path.format(wrong), 400).code == "user_id_invalid"


def docket_user(dev, *arguments):
    return subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "user", *arguments],
        text=True, capture_output=True, timeout=60, check=False)


def test_the_command_line_unlocks(api, dev, somebody):
    lock(api, somebody["username"])
    done = docket_user(dev, "unlock", somebody["username"].upper())
    assert (done.returncode, done.stdout) == (
        0, somebody["username"].upper() + " unlocked\n"), done.stderr
    log_in(api, username=somebody["username"])
    away = docket_user(dev, "unlock", new_name())
    assert away.returncode == os.EX_DATAERR, away.stderr
    assert docket.ERRORS["user_not_found"][2] in away.stderr
    assert docket_user(dev, "unlock").returncode == os.EX_USAGE
    assert docket_user(dev, "unlock", "a", "b").returncode == os.EX_USAGE
    assert docket_user(dev, "unlock", "--colour").returncode == os.EX_USAGE
    away = docket_user(dev, "unlock", "a", "--set",
                       "database.dsn=host=/nowhere")
    assert away.returncode == os.EX_TEMPFAIL
