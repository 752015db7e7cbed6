# SPDX-License-Identifier: AGPL-3.0-or-later
"""An account goes while its tasks are made: none stays behind."""

import pytest

import docket
from docket import Client, parallel

ENDS = {
    "by an admin": lambda admin, one, probe: admin.delete(
        "/auth/users/" + one.id),
    "by its owner": lambda admin, one, probe: probe.delete(
        "/auth/me", token=one.access, json={"password": one.password}),
}


def make_until_gone(client, one, made):
    """Tasks, one after the other, until the account is no more."""
    while True:
        reply = client.post("/tasks", None, token=one.access,
                            json={"title": "t"})
        assert reply.status in (201, 404, 503), str(reply)
        if reply.status == 404:
            assert reply.code == "user_not_found"
            return
        made.append(reply.status)


def tasks_race(dev, admin, clients, how):
    """No foreign key holds a task to its owner: what is made while the
    account goes must go with it."""
    one, made = docket.person(dev), []

    def end():
        while made.count(201) < 20:
            clients[-1].get("/healthz")
        ENDS[how](admin, one, clients[-1])

    parallel([*[lambda c=c: make_until_gone(c, one, made)
                for c in clients[:-1]], end])
    one.close()
    assert dev.sql("SELECT count(*) FROM docket.tasks t WHERE NOT EXISTS"
                   " (SELECT FROM docket.users u WHERE u.id = t.user_id)"
                   ) == [["0"]]
    return made


@pytest.mark.parametrize("how", ENDS)
def test_tasks_raced_with_the_end_of_the_account(dev, admin, how):
    clients = [Client(dev) for _ in range(9)]
    made = sum((tasks_race(dev, admin, clients, how) for _ in range(10)), [])
    for client in clients:
        client.close()
    print(f"10 accounts went {how}: {made.count(201)} tasks made meanwhile,"
          f" {made.count(503)} asked to come again")
    assert made.count(201) >= 200
