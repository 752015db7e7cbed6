# SPDX-License-Identifier: AGPL-3.0-or-later
"""ETag, If-None-Match, If-Match (RFC 9110 section 13) and Idempotency-Key."""

import pytest

import docket
from docket import Client, parallel


def if_match(value):
    return [("If-Match", value)]


def if_none(value):
    return [("If-None-Match", value)]


# --- reading --------------------------------------------------------------

def test_a_task_that_has_not_changed_is_304(alice):
    path = "/tasks/" + alice.task()["id"]
    first = alice.get(path)
    for tag in ('"1"', "*", '"x", "1"', 'W/"1"', '"7","1" , "9"'):
        reply = alice.get(path, 304, headers=if_none(tag))
        assert reply.header("ETag") == '"1"'
        assert reply.header("Cache-Control") == first.header("Cache-Control")
    alice.put(path, json={"title": "new"})
    reply = alice.get(path, 200, headers=if_none('"1"'))
    assert reply.header("ETag") == '"2"'


@pytest.mark.parametrize("tag", ['"2"', '1', '"11"', 'w/"1"', '""', 'x'])
def test_another_tag_is_200(alice, tag):
    alice.get("/tasks/" + alice.task()["id"], 200, headers=if_none(tag))


def test_head_may_be_304(alice):
    path = "/tasks/" + alice.task()["id"]
    alice.request("HEAD", path, 304, headers=if_none('"1"'))


def test_a_list_has_the_tag_of_its_bytes(fresh):
    one = fresh()
    task = one.task()
    first = one.get("/tasks")
    tag = first.header("ETag")
    assert tag.startswith('"') and tag.endswith('"')
    assert one.get("/tasks").header("ETag") == tag
    reply = one.get("/tasks", 304, headers=if_none(tag))
    assert reply.header("ETag") == tag
    one.get("/tasks", 304, headers=if_none("W/" + tag))
    one.put("/tasks/" + task["id"], json={"title": "new"})
    assert one.get("/tasks", 200, headers=if_none(tag)).header("ETag") != tag
    assert one.get("/tasks?fields=id").header("ETag") != tag


def test_two_users_lists_have_two_tags(fresh):
    """Of other bytes; an empty list may well be the same for all."""
    one, two = fresh(), fresh()
    one.task()
    two.task()
    assert one.get("/tasks").header("ETag") != two.get("/tasks").header(
        "ETag")


# --- writing --------------------------------------------------------------

WRITES = [("PUT", "", {"title": "new"}), ("PATCH", "", {"title": "new"}),
          ("PATCH", "/status", {"status": "done"}), ("PUT", "", {}),
          ("DELETE", "", None), ("DELETE", "?purge=true", None)]


@pytest.mark.parametrize("method, end, body", WRITES)
def test_if_match_of_the_version_writes(alice, method, end, body):
    path = "/tasks/" + alice.task()["id"] + end
    more = {} if body is None else {"json": body}
    alice.request(method, path, 200, headers=if_match('"1"'), **more)


@pytest.mark.parametrize("tag", ['"1", "2"', '"9" ,"2"', "*"])
def test_if_match_of_a_list_or_anything(alice, tag):
    path = "/tasks/" + alice.task()["id"]
    alice.put(path, json={"title": "second"})
    alice.put(path, json={"title": "third"}, headers=if_match(tag))


@pytest.mark.parametrize("method, end, body", WRITES)
@pytest.mark.parametrize("tag", ['"1"', '"3"', 'W/"2"', '2', '"x"', '""'])
def test_if_match_of_another_is_412_with_the_task(alice, method, end, body,
                                                  tag):
    task = alice.task()
    path = "/tasks/" + task["id"]
    now = alice.put(path, json={"title": "second"}).json["task"]
    more = {} if body is None else {"json": body}
    reply = alice.request(method, path + end, 412, headers=if_match(tag),
                          **more)
    assert reply.code == "version_mismatch"
    assert reply.json["task"] == now
    assert reply.header("ETag") == '"2"'
    assert alice.get(path).json["task"] == now


def test_if_match_on_an_unknown_task(alice):
    """404 beats 412: there is nothing to have another version."""
    task = alice.task()
    path = "/tasks/" + task["id"]
    alice.delete(path)
    for tag in ('"1"', "*"):
        alice.put(path, 404, json={"title": "t"}, headers=if_match(tag))
        alice.delete(path, 404, headers=if_match(tag))


def test_of_20_parallel_writers_with_one_version_one_wins(dev, fresh):
    one = fresh()
    path = "/tasks/" + one.task()["id"]
    jobs = [lambda c=Client(dev), i=i: c.put(
        path, None, json={"title": f"writer {i}"}, token=one.access,
        headers=if_match('"1"')) for i in range(20)]
    statuses = sorted(r.status for r in parallel(jobs))
    assert statuses == [200] + [412] * 19


# --- Idempotency-Key ------------------------------------------------------

def key(value):
    return [("Idempotency-Key", value)]


def new_key():
    return docket.new_name("key-")


def count(person, title):
    return [t["title"] for t in person.tasks("?limit=200")].count(title)


def test_a_replay_is_the_stored_reply(fresh):
    one, k = fresh(), new_key()
    first = one.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    assert first.header("Idempotency-Replayed") is None
    one.put(first.header("Location"), json={"title": "changed since"})
    again = one.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    for name in ("Location", "ETag", "Content-Type"):
        assert again.header(name) == first.header(name), name
    assert len(one.tasks()) == 1


def test_another_body_is_422(fresh):
    one, k = fresh(), new_key()
    one.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    reply = one.post("/tasks", 422, json={"title": "twice"}, headers=key(k))
    assert reply.code == "idempotency_key_reused"
    assert len(one.tasks()) == 1


def test_another_address_is_422_or_its_own(fresh):
    """Scope = caller + method + path: elsewhere it is another key."""
    one, k = fresh(), new_key()
    task = one.post("/tasks", 201, json={"title": "once"},
                    headers=key(k)).json["task"]
    reply = one.patch("/tasks/" + task["id"], None, json={"title": "once"},
                      headers=key(k))
    assert reply.status in (200, 422), str(reply)
    assert reply.header("Idempotency-Replayed") is None


def test_keys_are_each_users_own(fresh):
    one, two, k = fresh(), fresh(), new_key()
    first = one.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    other = two.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    assert other.header("Idempotency-Replayed") is None
    assert other.json["task"]["id"] != first.json["task"]["id"]
    assert other.json["task"]["user_id"] == two.id


def test_a_refused_body_does_not_use_the_key_up(fresh):
    one, k = fresh(), new_key()
    one.post("/tasks", 400, json={"title": ""}, headers=key(k))
    one.post("/tasks", 201, json={"title": "mended"}, headers=key(k))


def test_a_patch_and_an_order_replay_too(fresh):
    one = fresh()
    a, b = one.task(), one.task()
    for method, path, body in (
            ("PATCH", "/tasks/" + a["id"], {"priority": 5}),
            ("PATCH", "/tasks/" + a["id"] + "/status", {"status": "done"}),
            ("POST", "/tasks/order", {"task_ids": [b["id"], a["id"]]})):
        k = new_key()
        first = one.request(method, path, 200, json=body, headers=key(k))
        again = one.request(method, path, 200, json=body, headers=key(k))
        assert again.header("Idempotency-Replayed") == "true"
        assert again.body == first.body


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\tb", "ü"])
def test_a_key_is_1_to_255_visible_characters(fresh, bad):
    one = fresh()
    sent = bad.encode().decode("latin-1")
    reply = one.post("/tasks", 400, json={"title": "t"}, headers=key(sent))
    assert reply.json["errors"] or reply.code == "bad_request"
    assert one.tasks() == []


def test_a_key_in_quotes_is_a_key(fresh):
    """draft-ietf-httpapi-idempotency-key-header: a structured string."""
    one, k = fresh(), new_key()
    one.post("/tasks", 201, json={"title": "t"}, headers=key(f'"{k}"'))
    reply = one.post("/tasks", 201, json={"title": "t"},
                     headers=key(f'"{k}"'))
    assert reply.header("Idempotency-Replayed") == "true"


def test_64_parallel_posts_make_one_task(dev, fresh):
    one, k = fresh(), new_key()
    clients = [Client(dev) for _ in range(64)]
    for client in clients:
        client.get("/healthz")
    replies = parallel([lambda c=c: c.post(
        "/tasks", None, json={"title": "once"}, token=one.access,
        headers=key(k)) for c in clients])
    assert {r.status for r in replies} <= {201, 409}, \
        sorted(r.status for r in replies)
    made = [r for r in replies if r.status == 201]
    assert len({r.json["task"]["id"] for r in made}) == 1
    fresh_ones = [r for r in made if not r.header("Idempotency-Replayed")]
    assert len(fresh_ones) == 1
    for reply in replies:
        if reply.status == 409:
            assert reply.code == "idempotency_in_flight"
    assert count(one, "once") == 1
    again = one.post("/tasks", 201, json={"title": "once"}, headers=key(k))
    assert again.header("Idempotency-Replayed") == "true"


def test_without_a_key_two_posts_are_two_tasks(fresh):
    one = fresh()
    one.task("twice")
    one.task("twice")
    assert count(one, "twice") == 2
