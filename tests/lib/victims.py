# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whom the matrices attack, and what a refusal is to look like."""

import re

import docket
from docket import anonymous
from forge import Forger
from tables import ERRORS, OAUTH

REALM = 'Bearer realm="docket"'
# Headers that say nothing of the request that they answer.
PASSING = {"x-request-id", "date"}


def challenge(code, row):
    """The challenge that goes with a problem, or None."""
    status, _, detail = ERRORS[code]
    if code == "token_missing":
        return REALM
    if code == "forbidden":
        return (f'{REALM}, error="insufficient_scope",'
                f' error_description="{detail}", scope="admin"')
    if status != 401:
        return None
    return f'{REALM}, error="invalid_token", error_description="{detail}"'


def fault(reply, row, code):
    """What is not as it should be with a refusal, or nothing."""
    said = (reply.status, reply.header("WWW-Authenticate"))
    wanted = (ERRORS[code][0], challenge(code, row))
    if said != wanted:
        return f"{said} is not {wanted}"
    # RFC 6749 section 5.2; what nginx says has both kinds of members.
    if row.oauth and "code" not in reply.json:
        wanted = {"error": OAUTH[code], "error_description": ERRORS[code][2]}
        return None if reply.json == wanted else "the words of another"
    if reply.method != "HEAD" and reply.code != code:
        return f"{reply.code} is not {code}"
    if reply.method != "HEAD" and reply.json["detail"] != ERRORS[code][2]:
        return "the words of another refusal"
    if reply.method != "HEAD" and reply.json["errors"]:
        return "tells of the input"
    if reply.header("Cache-Control") != "no-store":
        return "may be stored"
    return None


def none(faults):
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults[:10])


def told(reply, ref):
    """A reply as it would be for any id: status, headers, body. The one
    place that repeats the id is the address in `instance`."""
    headers = sorted((k.lower(), v) for k, v in reply.headers
                     if k.lower() not in PASSING)
    body = re.sub(rb'(?<="instance":")[^"]*', lambda m: m[0].replace(
        b"/%s" % str(ref).encode(), b"/<id>"), anonymous(reply))
    return reply.status, headers, body


# --- people ---------------------------------------------------------------

def spare(dev, id):
    """More sessions of somebody's, and more users."""
    sessions = dev.sql(
        "INSERT INTO docket.sessions (id, user_id, idle_until,"
        " absolute_until) SELECT gen_random_uuid(), :'id', now() + '1 d',"
        " now() + '1 d' FROM generate_series(1, 8) RETURNING id", id=id)
    users = dev.sql(
        "WITH n AS (SELECT gen_random_uuid() AS id"
        " FROM generate_series(1, 8)) INSERT INTO docket.users (id, username,"
        " username_key, created_at, updated_at) SELECT id, 's' || left("
        "id::text, 20), 's' || left(id::text, 20), now(), now() FROM n"
        " RETURNING id")
    return {"session": [row[0] for row in sessions],
            "user": [row[0] for row in users]}


class Someone:
    """Somebody with two tasks, who may call the row."""

    def __init__(self, dev, row=None, admin=False):
        self.one = docket.person(dev)
        if admin or (row and row.access == "ADMIN"):
            dev.sql("UPDATE docket.users SET role = 'admin'"
                    " WHERE id = :'id'", id=self.one.id)
        self.tasks = [self.one.task(f"task {i}", description="words",
                                    tags=["a", "b"], due_date="2031-01-31",
                                    priority=3)["id"] for i in range(2)]
        self.token = self.one.access
        key = self.one.post("/auth/keys", 201, json={
            "name": "a key", "scopes": ["account"]}).json["key"]["id"]
        self.spare = {**spare(dev, self.one.id), "key": [key]}

    def forger(self):
        return Forger.of(self.one)

    def ask(self, client, place, expect=None, **more):
        """The request that does what the row is for, to a task of theirs, or
        to a session of theirs or a user whom nobody misses."""
        ref = self.spare.get(place.noun, [self.tasks[1]])
        if expect and expect < 300:
            place.ready(self.one, ref[0])
        reply = place.send(client, ref[0], self.tasks[0], expect, **more)
        if place.method == "DELETE" and reply.status == 200 and len(ref) > 1:
            ref.pop(0)
        return reply

    def data(self):
        """All that the API shows of them, as bytes."""
        paths = ["/auth/me", "/tasks?limit=200&sort=number",
                 *("/tasks/" + t for t in self.tasks)]
        return [self.one.get(path).body for path in paths]


class Estate:
    """Somebody with three tasks and one in the trash; one was purged."""

    def __init__(self, dev, words):
        self.one = docket.person(dev)
        self.tasks = [self.one.task(f"{words} {i}", description=words,
                                    tags=[words]) for i in range(3)]
        self.trash, self.purged = self.one.task(words), self.one.task(words)
        self.one.delete("/tasks/" + self.trash["id"])
        self.one.delete("/tasks/" + self.purged["id"] + "?purge=true")
        self.id = self.tasks[0]["id"]
