# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in: by any name, at both doors, and not for guessers."""

import time

import pytest

import docket
from docket import (anonymous, new_email, new_name, new_phone, parallel,
                    register)

RIGHT = "correct horse"


@pytest.fixture
def somebody(api):
    return register(api, RIGHT, email=new_email(),
                    phone=new_phone()).json["user"]


def log_in(client, expect=200, password=RIGHT, **names):
    return client.post("/auth", expect, json={"password": password, **names})


# --- POST /auth -----------------------------------------------------------

@pytest.mark.parametrize("by", ["username", "email", "phone"])
def test_by_any_name(api, somebody, by):
    envelope = log_in(api, **{by: somebody[by]}).json
    assert set(envelope) == {"message", "user", "token", "access_token",
                             "refresh_token", "token_type", "expires_in"}
    assert envelope["message"] == "Authentication successful"
    assert envelope["user"] == somebody
    assert envelope["token"] == envelope["access_token"]
    assert api.get("/auth/me", token=envelope["token"]).json == \
        somebody


def test_names_are_folded(api, somebody):
    log_in(api, username=somebody["username"].upper())
    log_in(api, email=somebody["email"].upper())
    log_in(api, phone="00" + somebody["phone"][1:])


def test_a_username_may_be_an_email_or_a_phone(api, somebody):
    log_in(api, username=somebody["email"])
    log_in(api, username=somebody["phone"])


def test_a_wrong_password(api, somebody):
    reply = log_in(api, 401, RIGHT + "x", username=somebody["username"])
    assert reply.code == "credentials_invalid"
    assert reply.json["message"] == "Invalid credentials."


def test_a_password_is_exact(api, somebody):
    for near in (RIGHT.upper(), RIGHT + " ", " " + RIGHT, RIGHT[:-1]):
        log_in(api, 401, near, username=somebody["username"])


def test_an_unknown_user_hears_the_same(api, somebody):
    wrong = log_in(api, 401, "wrong password",
                   username=somebody["username"])
    for names in ({"username": new_name()}, {"email": new_email()},
                  {"phone": new_phone()}, {"username": "no such\u200bname"}):
        reply = log_in(api, 401, "wrong password", **names)
        assert anonymous(reply) == anonymous(wrong)


@pytest.mark.parametrize("body", [
    {}, {"email": "a@example.org"}, {"password": "x"}, {"username": "aaaa"},
    {"email": "a@example.org", "password": ""},
    {"email": "", "password": "x"}, {"email": None, "password": "x"},
    {"email": "a@example.org", "password": None}])
def test_what_is_missing_is_said_as_s3_does(api, body):
    reply = api.post("/auth", 400, json=body)
    assert reply.code == "credentials_missing"
    assert reply.json["message"] == "Email or password is missing."


def test_unknown_members_are_refused(api):
    reply = api.post("/auth", 400, json={"email": "a@example.org",
                                         "password": "x", "admin": True})
    assert reply.pointers() == {"/admin": "unknown"}


def test_a_deactivated_user_stays_out(api, dev, somebody):
    dev.sql("UPDATE docket.users SET active = false WHERE id = :'id'",
            id=somebody["id"])
    reply = log_in(api, 401, username=somebody["username"])
    assert reply.code in ("user_inactive", "credentials_invalid")
    wrong = log_in(api, 401, "wrong password", username=somebody["username"])
    assert wrong.code == "credentials_invalid"


# --- POST /auth/token -----------------------------------------------------

TOKENS = {"access_token", "token_type", "expires_in", "refresh_token",
          "scope"}


def grant(client, expect=200, **form):
    return client.post("/auth/token", expect, form=form)


def oauth_error(reply, error):
    """RFC 6749 section 5.2: these two members and no others."""
    assert set(reply.json) == {"error", "error_description"}, str(reply)
    assert reply.json["error"] == error, str(reply)
    assert reply.type == "application/json"
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("Pragma") == "no-cache"


def check_tokens(reply):
    assert set(reply.json) == TOKENS
    assert reply.json["token_type"] == "bearer"
    assert reply.json["expires_in"] == 600
    assert reply.json["scope"] == "tasks:read tasks:write account"
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("Pragma") == "no-cache"


def test_the_password_grant_by_form(api, somebody):
    reply = grant(api, grant_type="password", password=RIGHT,
                  username=somebody["username"])
    check_tokens(reply)
    api.get("/auth/me", token=reply.json["access_token"])


def test_the_password_grant_is_what_is_meant_when_none_is(api, somebody):
    check_tokens(grant(api, username=somebody["username"], password=RIGHT))
    check_tokens(api.post("/auth/token", json={
        "username": somebody["username"], "password": RIGHT}))


def test_the_password_grant_by_json(api, somebody):
    check_tokens(api.post("/auth/token", json={
        "grant_type": "password", "username": somebody["email"],
        "password": RIGHT}))


@pytest.mark.parametrize("how", ["form", "json"])
def test_the_refresh_grant(api, fresh, how):
    one = fresh()
    reply = api.post("/auth/token", **{how: {
        "grant_type": "refresh_token", "refresh_token": one.refresh}})
    check_tokens(reply)
    assert reply.json["refresh_token"] != one.refresh


def test_a_form_is_decoded_as_appendix_b_says(api):
    name = new_name("Zoë")
    register(api, "a+b c&d=é%", username=name)
    check_tokens(grant(api, grant_type="password", username=name,
                       password="a+b c&d=é%"))


def test_bad_credentials_are_invalid_grant(api, somebody):
    for form in ({"username": somebody["username"], "password": "wrong one"},
                 {"username": new_name(), "password": "wrong one"}):
        reply = grant(api, 400, grant_type="password", **form)
        oauth_error(reply, "invalid_grant")
        assert reply.json["error_description"] == "Invalid credentials."
    reply = grant(api, 400, grant_type="refresh_token", refresh_token="x")
    oauth_error(reply, "invalid_grant")


def test_an_unknown_grant_type(api):
    for kind in ("client_credentials", "authorization_code", "PASSWORD",
                 "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        reply = grant(api, 400, grant_type=kind, username="a", password="b")
        oauth_error(reply, "unsupported_grant_type")


@pytest.mark.parametrize("form", [
    {"grant_type": "password"}, {"grant_type": "password", "username": "a"},
    {"grant_type": "password", "password": "a"},
    {"grant_type": "refresh_token"}, {}])
def test_a_missing_parameter_is_invalid_request(api, form):
    oauth_error(grant(api, 400, **form), "invalid_request")


def test_a_repeated_parameter_is_invalid_request(api, somebody):
    name = somebody["username"]
    for form in ([("username", name), ("password", RIGHT),
                  ("password", RIGHT)],
                 [("grant_type", "password"), ("grant_type", "password"),
                  ("username", name), ("password", RIGHT)]):
        reply = api.post("/auth/token", 400, form=form)
        oauth_error(reply, "invalid_request")


def test_an_unknown_parameter_is_ignored(api, somebody):
    check_tokens(grant(api, username=somebody["username"], password=RIGHT,
                       client_id="x", audience="y", role="admin"))
    check_tokens(api.post("/auth/token", json={
        "username": somebody["username"], "password": RIGHT,
        "colour": {"deep": [1]}}))


def test_rubbish_is_invalid_request(api):
    oauth_error(api.post("/auth/token", 400, body=b"{"), "invalid_request")
    oauth_error(api.post("/auth/token", 400, body=b'{"username":1}'),
                "invalid_request")
    form = "application/x-www-form-urlencoded"
    for body in (b"username=%zz&password=x", b"username=%ff&password=x",
                 b"username=a%00b&password=x"):
        oauth_error(api.post("/auth/token", 400, body=body, type=form),
                    "invalid_request")


def test_credentials_in_the_query_are_not_read(api, somebody):
    """RFC 6749 section 2.3.1: never in the request URI."""
    name = somebody["username"]
    reply = api.post(f"/auth/token?username={name}&password=x", 400, form={})
    assert reply.json["error"] == "invalid_request"


# --- guessing -------------------------------------------------------------

def test_ten_failures_then_429(api, somebody):
    name = somebody["username"]
    for _ in range(10):
        log_in(api, 401, "wrong one", username=name)
    for password in ("wrong one", RIGHT):
        reply = log_in(api, 429, password, username=name)
        assert reply.code == "rate_limited"
        assert 1 <= int(reply.header("Retry-After")) <= 60


def test_the_token_endpoint_counts_with_the_login(api, somebody):
    name = somebody["username"]
    for _ in range(5):
        log_in(api, 401, "wrong one", username=name)
        grant(api, 400, username=name, password="wrong one")
    reply = grant(api, 429, username=name, password=RIGHT)
    assert set(reply.json) >= {"error", "error_description"}
    assert int(reply.header("Retry-After")) <= 60
    log_in(api, 429, username=name)


def test_an_unknown_user_is_limited_alike(api, somebody):
    said = []
    for name in (somebody["username"], new_name()):
        for _ in range(10):
            log_in(api, 401, "wrong one", username=name)
        reply = log_in(api, 429, "wrong one", username=name)
        said.append(anonymous(reply))
    assert said[0] == said[1]


def test_spellings_share_one_budget(api, somebody):
    name = somebody["username"]
    for i in range(10):
        log_in(api, 401, "wrong one",
               username=name.upper() if i % 2 else name)
    log_in(api, 429, username=name)


def test_one_account_does_not_lock_another(api, somebody, dev):
    for _ in range(10):
        log_in(api, 401, "wrong one", username=somebody["username"])
    other = register(api, RIGHT).json["user"]["username"]
    log_in(api, username=other)


def test_successes_are_not_counted(api, somebody):
    for _ in range(12):
        log_in(api, username=somebody["username"])
    log_in(api, 401, "wrong one", username=somebody["username"])


def test_20_parallel_guesses_are_ten(api, dev, somebody):
    clients = [docket.Client(dev) for _ in range(20)]
    replies = parallel([lambda c=c: log_in(
        c, None, "wrong one", username=somebody["username"])
        for c in clients])
    statuses = [r.status for r in replies]
    assert set(statuses) <= {401, 429, 503}, statuses
    # Those that the hash gate turned away did not count: the rest comes.
    name = somebody["username"]
    while (reply := log_in(api, None, "wrong one",
                           username=name)).status != 429:
        statuses.append(reply.status)
    assert statuses.count(401) == 10, statuses


@pytest.mark.alone
@docket.tries(3)
def test_unknown_users_cost_the_time_of_known_ones(api, dev):
    """Medians over a few; the bounds are wide, the machine is shared."""
    known = register(api, RIGHT).json["user"]["username"]
    took = {known: [], new_name(): []}
    for _ in range(5):
        for name, times in took.items():
            start = time.monotonic()
            log_in(api, 401, "wrong one", username=name)
            times.append(time.monotonic() - start)
    here, nowhere = (sorted(t)[2] for t in took.values())
    assert 0.2 < nowhere / here < 5, f"{here * 1000:.1f} ms known, " \
        f"{nowhere * 1000:.1f} ms unknown"
