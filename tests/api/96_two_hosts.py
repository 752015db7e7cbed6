# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second service on the same database, with the same keys and settings:
whoever is asked, it is one service (docs/scale-out.md)."""

import json

import pytest

import docket
import instance
from docket import SLOW, Client, wait_until


@pytest.fixture(scope="module")
def other(dev):
    """nginx, docketd and a courier of its own."""
    courier = dev.dsn.replace("user=docket_api", "user=docket_courier")
    with instance.running(
            "server.workers=2", "server.auth_workers=2",
            f"server.secret_file={dev.dir}/keys/secret.key",
            f"auth.key_file={dev.dir}/keys/jwt.keys",
            f"auth.issuer={dev.url}", f"database.dsn={dev.dsn}",
            f"database.courier_dsn={courier}") as other:
        yield other


@pytest.fixture
def both(dev, other):
    clients = Client(dev), Client(other)
    yield clients
    for one in clients:
        one.close()


def test_a_session_is_one(dev, both):
    here, there = both
    one = docket.registered(dev)
    assert there.get("/auth/me", token=one.access).json["id"] == one.id
    pair = there.post("/auth/refresh",
                      json={"refresh_token": one.refresh}).json
    pair = here.post("/auth/refresh",
                     json={"refresh_token": pair["refresh_token"]}).json
    there.post("/auth/logout", token=pair["access_token"], json={})
    for client in both:
        client.get("/auth/me", 401, token=pair["access_token"])
        client.post("/auth/refresh", 401,
                    json={"refresh_token": pair["refresh_token"]})


def test_a_task_is_one(dev, both):
    """With its version, its key in flight and its cursor."""
    here, there = both
    one = docket.registered(dev)
    key = [("Idempotency-Key", docket.new_name())]
    first = here.post("/tasks", 201, token=one.access, headers=key,
                      json={"title": "Once"})
    again = there.post("/tasks", 201, token=one.access, headers=key,
                       json={"title": "Once"})
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    for i in range(3):
        here.post("/tasks", 201, token=one.access, json={"title": str(i)})
    page = here.get("/tasks?limit=2", token=one.access).json
    rest = there.get(f"/tasks?limit=2&cursor={page['next_cursor']}",
                     token=one.access).json
    ids = [task["id"] for task in page["tasks"] + rest["tasks"]]
    assert len(set(ids)) == 4
    path = f"/tasks/{first.json['task']['id']}"
    tag = here.get(path, token=one.access).header("ETag")
    there.patch(path, token=one.access, json={"title": "Twice"},
                type="application/merge-patch+json")
    here.patch(path, 412, token=one.access, json={"title": "Thrice"},
               type="application/merge-patch+json", headers=[
                   ("If-Match", tag)])


@pytest.mark.parametrize("wrong, good", [(4, 200), (5, 400)])
def test_guesses_at_a_code_add_up(both, wrong, good):
    phone = docket.new_phone()
    code = docket.send_otp(both[0], phone).json["otp"]
    bad = "0" * 6 if code != "0" * 6 else "1" * 6
    for i in range(wrong):
        both[i % 2].post("/otp/verify", 400,
                         json={"phone": phone, "otp": bad})
    both[1].post("/otp/verify", good, json={"phone": phone, "otp": code})


def test_a_second_code_waits_for_its_time(both):
    phone = docket.new_phone()
    for client, status in zip(both, (200, 429)):
        docket.send_otp(client, phone, expect=status)


@pytest.mark.parametrize("wrong, good", [(9, 200), (10, 429)])
def test_guesses_at_a_password_add_up(dev, both, wrong, good):
    one = docket.registered(dev)
    for i in range(wrong):
        both[i % 2].post("/auth", 401, json={
            "username": one.username, "password": "wrong horse"})
    both[1].post("/auth", good, json={
        "username": one.username, "password": one.password})


def test_a_message_leaves_once(dev, other, both):
    """Whichever courier takes it."""
    to = [docket.new_email() for _ in range(12)]
    for i, address in enumerate(to):
        docket.send_otp(both[i % 2], address)

    def told():
        found = [json.loads(path.read_text())["to"] for one in (dev, other)
                 for path in one.spool.glob("*.json")]
        return [address for address in found if address in to]

    wait_until(lambda: set(told()) == set(to), "all of them", 30 * SLOW)
    assert len(told()) == len(to)
