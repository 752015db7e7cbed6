# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every row that is not public: tokens whose session, user or role is no
more. The token itself is right; it is the database that says no, at once.
"""

import os
import subprocess
import uuid

import pytest

import docket
from docket import ROUTES, jwt_parts, login
from forge import Forger
from places import places
from victims import Someone, fault, none

GUARDED = [r for r in ROUTES if r.access != "PUBLIC"]


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


# --- how a token comes to its end -----------------------------------------

def logged_out(dev, someone):
    someone.one.post("/auth/logout")


def logged_out_everywhere(dev, someone):
    other = login(dev, someone.one.username, someone.one.password)
    other.post("/auth/logout", json={"all": True})
    other.close()


def refreshed_twice(dev, someone):
    """An old refresh token came again: the session is over for both."""
    one, token = someone.one, someone.one.refresh
    for _ in range(2):
        token = one.post("/auth/refresh", token=None, json={
            "refresh_token": token}).json["refresh_token"]
    one.post("/auth/refresh", 401, token=None,
             json={"refresh_token": one.refresh})


def password_set_anew(dev, someone):
    command = [os.environ.get("DOCKET") or
               os.path.join(os.path.dirname(dev.docketd()), "docket"),
               "-c", str(dev.dir / "docket.conf"), "user", "add",
               someone.one.username, "--update", "--password-file", "-"]
    done = subprocess.run(command, input="another horse\n", text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def by_sql(statement):
    return lambda dev, someone: dev.sql(statement, id=someone.one.id)


def session_ends(column):
    return by_sql(f"UPDATE docket.sessions SET {column} = now() - interval"
                  " '1 s' WHERE user_id = :'id'")


def forged_for(sub=None, sid=None):
    """A good token for another user or another session than one's own."""
    def change(dev, someone):
        f = someone.forger()
        f.sub, f.sid = sub(dev) if sub else f.sub, sid(dev) if sid else f.sid
        someone.token = f.sign()
    return change


def random_id(dev):
    return str(uuid.uuid4())


def live_session(dev):
    return jwt_parts(docket.person(dev).access)[1]["sid"]


def own_ended_session(dev, someone):
    """The session of a login that is over, beside one that is not."""
    other = login(dev, someone.one.username, someone.one.password)
    someone.token = other.access
    other.post("/auth/logout")
    other.close()


OVER = {
    "logged out": (logged_out, "token_revoked"),
    "logged out everywhere": (logged_out_everywhere, "token_revoked"),
    "an own session that ended": (own_ended_session, "token_revoked"),
    "refreshed twice": (refreshed_twice, "token_revoked"),
    "password set anew": (password_set_anew, "token_revoked"),
    "idle for too long": (session_ends("idle_until"), "token_revoked"),
    "old": (session_ends("absolute_until"), "token_revoked"),
    "deactivated": (by_sql("UPDATE docket.users SET active = false"
                           " WHERE id = :'id'"), "user_inactive"),
    "deleted": (by_sql("DELETE FROM docket.users WHERE id = :'id'"),
                "user_deleted"),
    "a user that never was": (forged_for(sub=random_id), "user_deleted"),
    "neither ever was": (forged_for(random_id, random_id), "user_deleted"),
    "a session that never was": (forged_for(sid=random_id),
                                 "token_revoked"),
    "somebody else's session": (forged_for(sid=live_session),
                                "token_revoked"),
}


@pytest.fixture(scope="module")
def over(dev):
    """An admin of each kind, who could do everything a moment ago, with a
    reply that an Idempotency-Key would bring back."""
    found = {}
    for name, (end, code) in OVER.items():
        someone = Someone(dev, admin=True)
        someone.one.get("/auth/users?limit=1", 200)
        someone.one.post("/tasks", 201, json={"title": "made"},
                         headers=[("Idempotency-Key", "before")])
        end(dev, someone)
        found[name] = (someone, code)
    return found


def variants(row):
    """How else a request may come: with what is looked at before, or
    instead of, the work itself."""
    yield {"headers": [("If-Match", '"1"')]}
    yield {"headers": [("If-None-Match", "*")]}
    yield {"headers": [("Accept", "text/html")]}
    if "ROUTE_IDEMPOTENT" in row.flags:
        yield {"headers": [("Idempotency-Key", "before")]}
        yield {"headers": [("Idempotency-Key", "after")]}
        yield {"headers": [("Idempotency-Key", "")]}
    if "{id}" not in row.path and row.query != "s0_task_query":
        yield {"query": "?surprise=1"}
    if row.takes_body:
        yield {"body": b"{"}
        yield {"body": b"{}", "type": "text/plain"}


def expected(code, row):
    if code == "user_deleted" and "ROUTE_TASKS" in row.flags:
        return "user_not_found"
    return code


@rows(GUARDED)
def test_what_is_over_opens_nothing(api, ledger, over, row):
    before, faults = ledger.settled(), []
    for name, (someone, code) in over.items():
        code = expected(code, row)
        for place in places(row):
            reply = someone.ask(api, place, token=someone.token)
            why = fault(reply, row, code)
            if why:
                faults.append(f"{name}: {place}: {why}: {reply}")
        for more in variants(row):
            reply = someone.ask(api, places(row)[0], token=someone.token,
                                **more)
            why = fault(reply, row, code)
            if why:
                faults.append(f"{name}: {more}: {why}: {reply}")
    none(faults)
    assert ledger.changed(before) == []


@rows([r for r in GUARDED if r.access == "ADMIN"])
def test_a_lowered_role_is_403(dev, api, ledger, row):
    """The token says admin, and was one's: the database says user now."""
    someone = Someone(dev, row)
    pair = someone.one.post("/auth/refresh", token=None, json={
        "refresh_token": someone.one.refresh}).json
    token = pair["access_token"]
    assert jwt_parts(token)[1]["role"] == "admin"
    for place in places(row):
        someone.ask(api, place, row.status, token=token)
    dev.sql("UPDATE docket.users SET role = 'user' WHERE id = :'id'",
            id=someone.one.id)
    before = ledger.settled()
    crown = Forger.of(someone.one, role="admin").sign()
    for place in places(row):
        for bearer in (token, someone.token, crown):
            reply = someone.ask(api, place, token=bearer)
            assert not fault(reply, row, "forbidden"), str(reply)
        for more in variants(row):
            reply = someone.ask(api, place, token=token, **more)
            assert not fault(reply, row, "forbidden"), f"{more}: {reply}"
    assert ledger.changed(before) == []
    api.get("/tasks", token=token)
