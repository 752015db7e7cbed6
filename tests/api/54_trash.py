# SPDX-License-Identifier: AGPL-3.0-or-later
"""The trash: listed, restored, purged, emptied; and tasks.require_if_match."""

import os
import re
import subprocess
import uuid

import pytest

import docket
from docket import ABSENT, Client, parallel


def trash(person, query=""):
    return person.get("/tasks/trash" + query).json["tasks"]


def titles(tasks):
    return [t["title"] for t in tasks]


def if_match(version):
    return [("If-Match", f'"{version}"')]


def aged(dev, person, title, days):
    """Deleted so long ago."""
    dev.sql("UPDATE docket.tasks SET deleted_at = now()"
            " - make_interval(days => :'days'::int)"
            " WHERE user_id = :'id' AND title = :'title'",
            days=days, id=person.id, title=title)


# --- the list ---------------------------------------------------------------

def test_what_is_deleted_is_listed_newest_first(fresh):
    one = fresh()
    made = [one.task(f"task {i}", tags=["a"], priority=3) for i in range(4)]
    assert trash(one) == []
    for i in (2, 0, 3):
        one.delete("/tasks/" + made[i]["id"])
    found = trash(one)
    assert titles(found) == ["task 3", "task 0", "task 2"]
    assert docket.INSTANT.match(found[0]["deleted_at"])
    deleted = [t.pop("deleted_at") for t in found]
    assert deleted == sorted(deleted, reverse=True)
    for was, now in zip((made[3], made[0], made[2]), found):
        assert now["version"] == was["version"] + 1
        assert {k: v for k, v in now.items()
                if k not in ("version", "updated_at")} == \
            {k: v for k, v in was.items()
             if k not in ("version", "updated_at")}
    assert titles(one.tasks()) == ["task 1"]
    reply = one.get("/tasks/trash")
    assert set(reply.json) == {"tasks", "next_cursor"}
    assert reply.header("Cache-Control") == "private, no-cache"
    one.get("/tasks/trash", 304,
            headers=[("If-None-Match", reply.header("ETag"))])
    one.get("/tasks/" + made[0]["id"], 404)


def test_the_trash_is_each_users_own(fresh):
    one, two = fresh(), fresh()
    task = one.task("mine")
    one.delete("/tasks/" + task["id"])
    assert trash(two) == []
    two.post(f"/tasks/{task['id']}/restore", 404)
    two.delete(f"/tasks/{task['id']}?purge=true", 404)
    assert titles(trash(one)) == ["mine"]


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_pages_meet_every_row_once(dev, fresh, limit):
    """Some went at the same instant: then the id decides."""
    one = fresh()
    for i in range(15):
        one.delete("/tasks/" + one.task(f"task {i}")["id"])
    dev.sql("UPDATE docket.tasks SET deleted_at = date_trunc('second',"
            " deleted_at) WHERE user_id = :'id' AND number > 5", id=one.id)
    whole = trash(one, "?limit=200")
    seen, path = [], f"/tasks/trash?limit={limit}"
    while path:
        reply = one.get(path)
        seen += reply.json["tasks"]
        cursor = reply.json["next_cursor"]
        path = cursor and f"/tasks/trash?limit={limit}&cursor={cursor}"
        if cursor:
            assert f"cursor={cursor}" in reply.header("Link")
            assert len(reply.json["tasks"]) == limit
    assert seen == whole
    assert len({t["id"] for t in seen}) == 15
    keys = [(t["deleted_at"], t["id"]) for t in seen]
    assert keys == sorted(keys, reverse=True)


def test_a_page_stands_while_others_go_and_come(fresh):
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(8)]
    for one_id in ids:
        one.delete("/tasks/" + one_id)
    first = one.get("/tasks/trash?limit=4").json
    assert titles(first["tasks"]) == [f"task {i}" for i in (7, 6, 5, 4)]
    one.post(f"/tasks/{ids[5]}/restore")
    one.delete("/tasks/" + one.task("late")["id"])
    rest = one.get("/tasks/trash?cursor=" + first["next_cursor"]).json
    assert titles(rest["tasks"]) == [f"task {i}" for i in (3, 2, 1, 0)]
    assert rest["next_cursor"] is None


def test_a_foreign_cursor_is_400(fresh):
    one, two = fresh(), fresh()
    for person in (one, two):
        for i in range(3):
            person.delete("/tasks/" + person.task()["id"])
            person.task()
    theirs = two.get("/tasks/trash?limit=1").json["next_cursor"]
    list_own = one.get("/tasks?limit=1").json["next_cursor"]
    own = one.get("/tasks/trash?limit=1").json["next_cursor"]
    for cursor in (theirs, list_own, own[:-2] + "AA", "x", own + "A"):
        reply = one.get("/tasks/trash?cursor=" + cursor, 400)
        assert reply.code == "cursor_invalid"
    assert one.get("/tasks?cursor=" + own, 400).code == "cursor_invalid"
    for query in ("limit=0", "limit=201", "limit=x", "sort=title"):
        one.get("/tasks/trash?" + query, 400)


# --- restore ----------------------------------------------------------------

@pytest.mark.parametrize("name", ["id", "number"])
def test_a_restored_task_is_where_it_was(fresh, name):
    one = fresh()
    made = [one.task(f"task {i}") for i in range(3)]
    one.post("/tasks/order", json={"task_ids": [
        made[2]["id"], made[0]["id"], made[1]["id"]]})
    order = titles(one.tasks())
    was = one.get("/tasks/" + made[0]["id"]).json["task"]
    one.delete("/tasks/" + made[0]["id"])
    reply = one.post(f"/tasks/{made[0][name]}/restore")
    assert reply.json["message"] == "Task restored"
    task = reply.json["task"]
    assert reply.header("ETag") == f'"{task["version"]}"'
    assert task["version"] == was["version"] + 2
    assert {k: v for k, v in task.items()
            if k not in ("version", "updated_at")} == \
        {k: v for k, v in was.items() if k not in ("version", "updated_at")}
    assert titles(one.tasks()) == order
    assert trash(one) == []
    assert one.get("/tasks/" + task["id"]).json["task"] == task


def test_what_is_not_in_the_trash_is_404(fresh):
    one = fresh()
    live, gone = one.task(), one.task()
    one.delete(f"/tasks/{gone['id']}?purge=true")
    for ref in (live["id"], live["number"], gone["id"], gone["number"],
                uuid.uuid4(), 999):
        assert one.post(f"/tasks/{ref}/restore", 404).code == \
            "task_not_found"
        one.post(f"/tasks/{ref}/restore", 404, headers=if_match(1))
    assert one.post("/tasks/nonsense/restore", 400).code == \
        "task_id_invalid"
    assert one.get("/tasks/" + live["id"]).json["task"] == live


def test_restore_and_purge_with_a_version(fresh):
    one = fresh()
    task = one.task()
    path = "/tasks/" + task["id"]
    one.delete(path)
    lies = trash(one)[0]
    lies.pop("deleted_at")
    for method, end in (("POST", "/restore"), ("DELETE", "?purge=true")):
        reply = one.request(method, path + end, 412, headers=if_match(1))
        assert reply.json["task"] == lies
        assert reply.header("ETag") == '"2"'
    one.post(path + "/restore", headers=[("If-Match", '"1", "2"')])
    one.delete(path)
    one.delete(path + "?purge=true", headers=if_match(4))
    assert trash(one) == []
    one.post(path + "/restore", 404)


def test_restore_with_an_idempotency_key(fresh):
    one = fresh()
    path = "/tasks/" + one.task()["id"]
    one.delete(path)
    key = [("Idempotency-Key", docket.new_name())]
    first = one.post(path + "/restore", headers=key)
    one.delete(path)
    again = one.post(path + "/restore", headers=key)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body
    one.get(path, 404)


def test_of_parallel_restores_one_wins(dev, fresh):
    one = fresh()
    path = "/tasks/" + one.task()["id"]
    one.delete(path)
    replies = parallel([lambda c=Client(dev): c.post(
        path + "/restore", None, token=one.access) for _ in range(12)])
    assert sorted(r.status for r in replies) == [200] + [404] * 11
    assert one.get(path).json["task"]["version"] == 3


def test_the_place_is_kept_while_others_move_around_it(fresh):
    """Its neighbours are moved into the very gap: no place is given twice."""
    one = fresh()
    a, b, c = (one.task(t) for t in "abc")
    one.delete("/tasks/" + b["id"])
    for _ in range(20):
        one.post("/tasks/order", json={"task_id": c["id"],
                                       "after": a["id"]})
        one.post("/tasks/order", json={"task_id": a["id"],
                                       "after": c["id"]})
    one.post(f"/tasks/{b['id']}/restore")
    places = [t["position"] for t in one.tasks()]
    assert len(set(places)) == 3 and places == sorted(places)


# --- docket gc --------------------------------------------------------------

def gc(dev, *sets):
    words = [w for s in sets for w in ("--set", s)]
    done = subprocess.run(
        [os.environ.get("DOCKET") or dev.docket(), "-c",
         dev.dir / "docket.conf", *words, "gc"],
        text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"tasks (\d+)", done.stdout)[1])


def test_the_sweep_takes_what_lay_there_long_enough(dev, fresh):
    one = fresh()
    for title in ("live", "young", "old"):
        task = one.task(title)
        if title != "live":
            one.delete("/tasks/" + task["id"])
    aged(dev, one, "young", 29)
    aged(dev, one, "old", 31)
    assert gc(dev) >= 1
    assert titles(trash(one)) == ["young"]
    gc(dev, "tasks.trash_days=60")
    assert titles(trash(one)) == ["young"]
    gc(dev, "tasks.trash_days=29")
    assert trash(one) == []
    assert titles(one.tasks()) == ["live"]


def test_more_than_a_batch_goes(dev, fresh):
    """Over several owners, with young ones between."""
    people = [fresh() for _ in range(3)]
    for one in people:
        dev.sql(
            "INSERT INTO docket.tasks (user_id, id, number, title, tags,"
            " position, created_at, updated_at, deleted_at)"
            " SELECT :'id', gen_random_uuid(), 1000 + g, 't', '{}',"
            " 'p' || g, now(), now(), now() - CASE WHEN g % 2 = 0"
            " THEN interval '31 d' ELSE interval '1 d' END"
            " FROM generate_series(1, 4000) g", id=one.id)
    assert gc(dev) >= 6000
    for one in people:
        left = dev.sql("SELECT count(*), count(*) FILTER (WHERE number % 2"
                       " = 0) FROM docket.tasks WHERE user_id = :'id'",
                       id=one.id)
        assert left == [["2000", "0"]]


def test_a_trash_that_keeps_nothing(strict):
    """Apart: on the shared instance it would empty everybody's."""
    one, seen = docket.person(strict), [("If-Match", "*")]
    path = "/tasks/" + one.task("soon")["id"]
    one.delete(path, headers=seen)
    one.post(path + "/restore", headers=seen)
    one.delete(path, headers=seen)
    assert gc(strict, "tasks.trash_days=0") == 1
    one.post(path + "/restore", 404, headers=seen)
    one.close()


# --- tasks.require_if_match -------------------------------------------------

@pytest.fixture
def careful(strict):
    one = docket.person(strict)
    yield one
    one.close()


WRITES = [("PUT", "", {"title": "new"}), ("PATCH", "", {"title": "new"}),
          ("PUT", "", {}),
          ("PATCH", "/status", {"status": "done"}), ("DELETE", "", ABSENT),
          ("DELETE", "?purge=true", ABSENT)]


@pytest.mark.parametrize("method, end, body", WRITES)
def test_a_write_needs_if_match(careful, method, end, body):
    task = careful.task()
    path = "/tasks/" + task["id"]
    for ref in (task["id"], task["number"], uuid.uuid4()):
        reply = careful.request(method, f"/tasks/{ref}{end}", 428, json=body)
        assert reply.code == "if_match_required"
    assert careful.get(path).json["task"] == task
    careful.request(method, path + end, 412, json=body, headers=if_match(9))
    careful.request(method, path + end, 200, json=body, headers=if_match(1))


def test_any_version_may_be_meant(careful):
    path = "/tasks/" + careful.task()["id"]
    careful.put(path, json={"title": "t"}, headers=[("If-Match", "*")])


def test_restore_needs_it_too(careful):
    path = "/tasks/" + careful.task()["id"]
    careful.delete(path, headers=if_match(1))
    careful.post(path + "/restore", 428)
    careful.post(path + "/restore", headers=if_match(2))


def test_what_names_no_version_goes_without(careful):
    """A new task has none, and an order is of many."""
    ids = [careful.task()["id"] for _ in range(2)]
    careful.post("/tasks/order", json={"task_ids": ids[::-1]})
    careful.get("/tasks/" + ids[0])


def test_the_aliases_are_strict_as_well(careful):
    task = careful.task()
    body = {"task_id": task["id"]}
    careful.post("/tasks/update_task", 428, json={**body, "title": "new"})
    careful.post("/tasks/delete_task", 428, json=body)
    careful.post("/tasks/update_task", json={**body, "title": "new"},
                 headers=if_match(1))


def test_who_is_logged_out_learns_nothing_of_it(careful):
    path = "/tasks/" + careful.task()["id"]
    careful.post("/auth/logout")
    careful.put(path, 401, json={"title": "t"})
