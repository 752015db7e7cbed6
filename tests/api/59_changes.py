# SPDX-License-Identifier: AGPL-3.0-or-later
"""GET /tasks/changes: who follows `next` has what the table has."""

import http.client
import os
import pathlib
import random
import re
import subprocess
import threading
import time

import pytest

import docket
from docket import SLOW, Client, parallel, wait_until

URL_SAFE = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Copy:
    """What a client keeps: the tasks by id, and where it has come to."""

    def __init__(self, one, limit=None):
        self.one, self.limit = one, limit
        self.tasks, self.gone, self.next, self.pages = {}, {}, None, 0

    def page(self, expect=200):
        query = [f"since={self.next}"] if self.next else []
        query += [f"limit={self.limit}"] if self.limit else []
        reply = self.one.get("/tasks/changes?" + "&".join(query), expect)
        if expect != 200:
            return reply
        page = reply.json
        assert set(page) == {"changes", "next", "more"}, str(reply)
        assert URL_SAFE.fullmatch(page["next"]), str(reply)
        assert len(page["changes"]) <= (self.limit or 50), str(reply)
        assert len({c["id"] for c in page["changes"]}) == \
            len(page["changes"]), str(reply)
        for change in page["changes"]:
            self.take(change)
        self.next, self.pages = page["next"], self.pages + 1
        return page

    def take(self, change):
        if change["deleted"]:
            assert set(change) == {"id", "version", "deleted"}, change
            assert change["version"] >= 1, change
            self.tasks.pop(change["id"], None)
            self.gone[change["id"]] = change["version"]
        else:
            task = change["task"]
            assert set(change) == {"id", "version", "deleted", "task"}
            assert (task["id"], task["version"]) == \
                (change["id"], change["version"]), change
            assert task["user_id"] == self.one.id
            self.tasks[change["id"]] = task

    def follow(self):
        """To the end; the changes of the last page."""
        while True:
            page = self.page()
            if not page["more"]:
                return page["changes"]

    def news(self):
        """The one page of what there is to say, as (id, deleted)."""
        page = self.page()
        assert not page["more"]
        return [(c["id"], c["deleted"]) for c in page["changes"]]


def whole(one):
    """{id: task} by the list."""
    found, query = {}, "/tasks?sort=created_at&limit=200"
    cursor = ""
    while cursor is not None:
        page = one.get(query + cursor).json
        found.update({t["id"]: t for t in page["tasks"]})
        cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
    return found


def same(copy, one):
    assert copy.tasks == whole(one)


def program(dev, *arguments):
    path = os.environ.get("DOCKET") or \
        pathlib.Path(dev.docketd()).with_name("docket")
    return subprocess.run([path, "-c", dev.dir / "docket.conf", *arguments],
                          text=True, capture_output=True, timeout=60,
                          check=False)


def log(one):
    """[number, id, version] of all that is logged."""
    return [[int(row[0]), row[1], int(row[2])] for row in one.dev.sql(
        "SELECT change, task_id, version FROM docket.task_changes"
        " WHERE user_id = :'id' ORDER BY change", id=one.id)]


# --- what is a change --------------------------------------------------------

def test_nothing_at_all(fresh):
    copy = Copy(fresh())
    assert copy.page() == {"changes": [], "next": copy.next, "more": False}
    assert copy.news() == [] and copy.tasks == {}


def test_every_write_is_a_change(fresh):
    """And nothing else is."""
    one = fresh()
    copy = Copy(one)
    copy.follow()
    task = one.task("a task", description="words", tags=["x"])
    assert copy.news() == [(task["id"], False)] and copy.news() == []
    at = "/tasks/" + task["id"]
    for n, write in enumerate((
            lambda: one.put(at, json={"title": "renamed"}),
            lambda: one.patch(at, json={"description": None}),
            lambda: one.patch(at + "/status", json={"status": "completed"}),
            lambda: one.patch(f"/tasks/{task['number']}/status",
                              json={"status": "pending"}),
            lambda: one.patch(f"/tasks/{task['number']}",
                              json={"due_date": "2030-01-31"}),
            lambda: one.post("/tasks/update_task", 200,
                             json={"task_id": task["id"], "title": "S0"})),
            start=2):
        write()
        assert copy.news() == [(task["id"], False)]
        assert copy.tasks[task["id"]] == one.get(at).json["task"]
        assert copy.tasks[task["id"]]["version"] == n
    for refused in (
            lambda: one.put(at, 412, json={"title": "x"},
                            headers=[("If-Match", '"1"')]),
            lambda: one.put(at, 400, json={"title": ""}),
            lambda: one.put(at, 200, json={}),
            lambda: one.put("/tasks/999999", 404, json={"title": "x"}),
            lambda: one.delete(at, 412, headers=[("If-Match", '"1"')]),
            lambda: one.post("/tasks", 400, json={"title": ""}),
            lambda: one.post("/tasks", 400, json={
                "title": "x", "due_date": "2030-01-31T09:00:00",
                "due_timezone": "Mars/Olympus"}),
            lambda: one.get(at)):
        refused()
        assert copy.news() == []
    same(copy, one)


def test_the_trash_is_a_deletion_and_so_is_a_purge(fresh):
    one = fresh()
    copy, late = Copy(one), Copy(one)
    kept, trashed, purged, both = (one.task(f"task {i}") for i in range(4))
    copy.follow()
    one.delete(f"/tasks/{trashed['id']}")
    one.delete(f"/tasks/{purged['id']}?purge=true")
    one.delete(f"/tasks/{both['number']}")
    assert copy.news() == [(t["id"], True) for t in (trashed, purged, both)]
    one.delete(f"/tasks/{both['id']}?purge=true")
    assert copy.news() == [(both["id"], True)]
    assert copy.gone == {trashed["id"]: 2, purged["id"]: 2, both["id"]: 3}
    # Nobody is told of what was gone before.
    late.follow()
    assert set(late.tasks) == {kept["id"]} and late.gone == {}
    same(copy, one)


def test_a_row_that_comes_back_is_a_change(fresh):
    one = fresh()
    task = one.task("gone and back")
    copy = Copy(one)
    copy.follow()
    one.delete("/tasks/" + task["id"])
    assert copy.news() == [(task["id"], True)]
    one.post(f"/tasks/{task['id']}/restore", 200)
    assert copy.news() == [(task["id"], False)]
    same(copy, one)


def test_moves_are_changes_of_what_moved(fresh):
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(5)]
    copy = Copy(one)
    copy.follow()
    one.post("/tasks/order", json={"task_ids": [ids[2], ids[0]]})
    assert sorted(copy.news()) == sorted([(ids[0], False), (ids[2], False)])
    one.post("/tasks/order", json={"task_ids": [ids[2], ids[0]]})
    assert copy.news() == []
    one.post("/tasks/order", json={"task_id": ids[4], "before": ids[1]})
    assert copy.news() == [(ids[4], False)]
    one.post("/tasks/order", 404, json={"task_ids": [ids[1], 999]})
    one.post("/tasks/order", 404, json={"task_id": ids[1], "after": 999})
    assert copy.news() == []
    same(copy, one)


def test_a_crowd_that_makes_room_is_logged_whole(fresh):
    """A spread moves neighbours too."""
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(6)]
    copy = Copy(one)
    copy.follow()
    # Keys so long that the next move between them has to make room.
    one.dev.sql("UPDATE docket.tasks SET position = repeat('5', 130) || number"
                " WHERE user_id = :'id' AND number <= 2", id=one.id)
    one.post("/tasks/order", json={"task_id": ids[5], "after": ids[0]})
    moved = {i for i, _ in copy.news()}
    assert len(moved) > 1 and ids[5] in moved
    same(copy, one)


@pytest.mark.parametrize("how", ["request", "console"])
def test_an_import_is_as_many_changes(fresh, dev, how, tmp_path):
    one = fresh()
    copy = Copy(one, 100)
    copy.follow()
    file = "title\r\n" + "".join(f"row {i}\r\n" for i in range(250))
    if how == "request":
        one.post("/tasks/import", body=file.encode(), type="text/csv")
    else:
        (tmp_path / "in.csv").write_text(file, newline="")
        done = program(dev, "import", "--user", one.username,
                       tmp_path / "in.csv")
        assert done.returncode == 0, done.stderr
    copy.pages = 0
    copy.follow()
    assert copy.pages == 3 and len(copy.tasks) == 250
    same(copy, one)


def test_replayed_writes_are_logged_once(fresh):
    one = fresh()
    copy = Copy(one)
    copy.follow()
    for _ in range(3):
        one.post("/tasks", 201, json={"title": "once"},
                 headers=[("Idempotency-Key", "k")])
    assert len(copy.news()) == 1 and copy.news() == []
    assert len(log(one)) == 1


def test_the_log_goes_with_its_owner(fresh, admin):
    one = fresh()
    one.task("a task")
    assert log(one)
    admin.delete("/auth/users/" + one.id)
    assert log(one) == []


# --- pages and tokens ---------------------------------------------------------

@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 200])
def test_pages_of_any_size(fresh, limit):
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(10)]
    copy = Copy(one, limit)
    copy.follow()
    assert copy.pages == -(-10 // limit)
    same(copy, one)
    for i in (1, 5, 5, 9, 5):
        one.put("/tasks/" + ids[i], json={"title": f"again {i}"})
    one.delete("/tasks/" + ids[9])
    copy.follow()
    same(copy, one)


def test_changes_while_the_first_pages_are_read(fresh):
    """Behind the reader, in front of it, and new."""
    one = fresh()
    ids = [one.task(f"task {i}")["id"] for i in range(10)]
    copy = Copy(one, 4)
    copy.page()
    one.put("/tasks/" + ids[0], json={"title": "seen"})
    one.put("/tasks/" + ids[8], json={"title": "not seen"})
    one.delete("/tasks/" + ids[1])
    one.delete("/tasks/" + ids[9])
    one.task("new")
    copy.follow()
    same(copy, one)
    assert copy.gone.keys() == {ids[1], ids[9]}


def test_a_task_comes_once_a_page_and_as_it_is_now(fresh):
    one = fresh()
    copy = Copy(one)
    copy.follow()
    a, b = one.task("a"), one.task("b")
    for i in range(5):
        one.put("/tasks/" + a["id"], json={"title": f"a {i}"})
    page = copy.page()
    assert [(c["id"], c["version"]) for c in page["changes"]] == \
        [(b["id"], 1), (a["id"], 6)]


def test_an_old_token_works_again(fresh):
    """A reply that was lost is asked for again."""
    one = fresh()
    copy = Copy(one)
    one.task("a task")
    copy.follow()
    token = copy.next
    one.task("another")
    first = copy.page()
    copy.next = token
    assert copy.page() == first


def test_two_devices(fresh):
    one = fresh()
    phone, desk = Copy(one, 2), Copy(one, 200)
    for i in range(3):
        phone.follow()
        task = one.task(f"task {i}")
        desk.follow()
        one.put("/tasks/" + task["id"], json={"priority": i})
    for copy in (phone, desk):
        copy.follow()
        same(copy, one)


def test_tokens_of_others_and_forged_ones(fresh):
    one, other = fresh(), fresh()
    mine, theirs = Copy(one), Copy(other)
    one.task("mine")
    mine.follow()
    theirs.follow()
    raw = docket.unb64(mine.next)
    listed = one.task("b") and one.get("/tasks?limit=1").json["next_cursor"]
    for token in (theirs.next, listed, "x", "AAAA", mine.next[:-2],
                  mine.next + "AAAA",
                  docket.b64(raw[:3] + b"c9" + raw[5:]),
                  docket.b64(raw[:-1] + bytes([raw[-1] ^ 1]))):
        reply = one.get("/tasks/changes?since=" + token, 400)
        assert reply.code == "cursor_invalid", str(reply)
    one.get("/tasks?cursor=" + mine.next, 400)
    assert one.get("/tasks/changes?since=", 400).pointers()
    for limit in ("0", "201", "-1", "x"):
        reply = one.get("/tasks/changes?limit=" + limit, 400)
        assert reply.pointers().keys() == {"?limit"}


def test_tokens_that_the_log_cannot_serve(fresh):
    """Too old, or of a time that a restored backup has not seen."""
    one = fresh()
    copy, half = Copy(one), Copy(one, 1)
    for i in range(3):
        one.task(f"task {i}")
    half.page()
    copy.follow()
    token = copy.next
    one.dev.sql("UPDATE docket.counters SET change_floor = change + 1,"
                " change = change + 1 WHERE user_id = :'id'", id=one.id)
    for old in (copy, half):
        reply = old.page(410)
        assert reply.code == "changes_expired", str(reply)
        assert "without since" in reply.json["detail"]
    again = Copy(one)
    again.follow()
    same(again, one)
    one.dev.sql("UPDATE docket.counters SET change_floor = 0, change = 2"
                " WHERE user_id = :'id'", id=one.id)
    copy.next = token
    assert copy.page(410).code == "changes_expired"


def test_the_reply_is_not_kept_by_anybody(fresh):
    reply = fresh().get("/tasks/changes")
    assert reply.header("Cache-Control") == "private, no-cache"
    assert "Authorization" in reply.header("Vary")


# --- docket gc -----------------------------------------------------------------

def gc(dev):
    done = program(dev, "gc")
    assert done.returncode == 0, done.stderr
    return int(re.search(r"changes (\d+)", done.stdout)[1])


def test_the_sweep_leaves_a_task_once(fresh, dev):
    """Nobody who follows notices, wherever they have come to."""
    one = fresh()
    copies = [Copy(one)]
    copies[0].follow()
    ids = [one.task(f"task {i}")["id"] for i in range(4)]
    for i in range(12):
        one.put("/tasks/" + ids[i % 3], json={"title": f"again {i}"})
        copies.append(Copy(one))
        copies[-1].follow()
    one.delete("/tasks/" + ids[0])
    one.delete("/tasks/" + ids[1] + "?purge=true")
    assert len(log(one)) == 18
    assert gc(dev) >= 14
    left = log(one)
    assert [row[1] for row in left] == [ids[3], ids[2], ids[0], ids[1]]
    for copy in copies:
        copy.follow()
        same(copy, one)
    assert gc(dev) >= 0 and log(one) == left


def test_what_is_old_goes_and_its_tokens_end(fresh, dev):
    one = fresh()
    early, copy = Copy(one), Copy(one)
    early.follow()
    old = one.task("old")
    copy.follow()
    dev.sql("WITH gone AS (DELETE FROM docket.task_changes WHERE user_id ="
            " :'id' RETURNING *) INSERT INTO docket.task_changes SELECT"
            " user_id, change, version, task_id, at - interval '31 days'"
            " FROM gone", id=one.id)
    young = one.task("young")
    gc(dev)
    assert [row[1] for row in log(one)] == [young["id"]]
    assert early.page(410).code == "changes_expired"
    assert copy.news() == [(young["id"], False)]
    again = Copy(one)
    again.follow()
    assert set(again.tasks) == {old["id"], young["id"]}


def test_the_sweep_waits_for_nobody(fresh, dev):
    """An owner who is just writing keeps the old rows until the next one."""
    one = fresh()
    one.task("old")
    dev.sql("WITH gone AS (DELETE FROM docket.task_changes WHERE user_id ="
            " :'id' RETURNING *) INSERT INTO docket.task_changes SELECT"
            " user_id, change, version, task_id, at - interval '31 days'"
            " FROM gone", id=one.id)
    with Held(dev, one):
        gc(dev)
        assert len(log(one)) == 1
    gc(dev)
    assert [row[0] for row in log(one)] == [2]


# --- writers at once --------------------------------------------------------

class Held:
    """A transaction that has written a task of that owner and sleeps."""

    def __init__(self, dev, one):
        self.dev, self.one = dev, one

    def __enter__(self):
        self.psql = subprocess.Popen(
            [docket.psql(), "-X", "-q", "-A", "-t", "-d", self.dev.dsn],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(
            "BEGIN; WITH c AS (UPDATE docket.counters SET change = change + 1"
            f" WHERE user_id = '{self.one.id}' RETURNING user_id, change),"
            " t AS (UPDATE docket.tasks t SET title = 'slow',"
            " version = version + 1 FROM c WHERE t.user_id = c.user_id"
            " AND t.id = (SELECT min(id::text)::uuid FROM docket.tasks"
            f" WHERE user_id = '{self.one.id}') RETURNING t.*)"
            " INSERT INTO docket.task_changes"
            " (user_id, change, version, task_id) SELECT c.user_id, c.change,"
            " t.version, t.id FROM c, t;")
        return self

    def say(self, words):
        self.psql.stdin.write(words + "\n\\echo done\n")
        self.psql.stdin.flush()
        while self.psql.stdout.readline() not in ("done\n", ""):
            pass

    def __exit__(self, *_):
        self.say("COMMIT;")
        self.psql.stdin.close()
        self.psql.wait(120)
        self.psql.stdout.close()


def written(dev, one, path):
    """Until it is done: who waits for too long is told to come back."""
    while Client(dev).put(path, None, token=one.access, check=False,
                          json={"title": "behind"}).status == 503:
        pass


@pytest.mark.alone
def test_a_reader_never_passes_a_slow_writer(fresh, dev):
    """What commits late has no number below what was read before."""
    one = fresh()
    tasks = [one.task(f"task {i}") for i in range(3)]
    copy = Copy(one)
    copy.follow()
    with Held(dev, one):
        writer = threading.Thread(target=written, args=(
            dev, one, "/tasks/" + tasks[2]["id"]))
        writer.start()
        wait_until(lambda: dev.sql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE '%UPDATE docket.counters%'"), "a writer that waits")
        assert copy.news() == []
    writer.join(120)
    assert copy.news() == [(tasks[0]["id"], False), (tasks[2]["id"], False)]
    same(copy, one)


def test_fifty_writers_of_one_task(fresh):
    """Each of them counts, and each of them is in the log."""
    one = fresh()
    task = one.task("contended")
    before = log(one)[-1][0]
    clients = [Client(one.dev) for _ in range(50)]
    parallel([lambda c=c, i=i: c.patch(
        f"/tasks/{task['id']}/status", 200, token=one.access,
        json={"status": ("pending", "completed")[i % 2]})
        for i, c in enumerate(clients)])
    assert one.get("/tasks/" + task["id"]).json["task"]["version"] == 51
    assert [row for row in log(one) if row[0] > before] == \
        [[before + 1 + i, task["id"], 2 + i] for i in range(50)]
    # If-Match: one of fifty at the same version.
    done = parallel([lambda c=c: c.put(
        "/tasks/" + task["id"], None, token=one.access,
        json={"title": "mine"}, headers=[("If-Match", '"51"')]).status
        for c in clients])
    assert sorted(done) == [200] + [412] * 49
    assert log(one)[-1][1:] == [task["id"], 52]
    # One deletes it, the others find nothing.
    done = parallel([lambda c=c: c.delete(
        f"/tasks/{task['id']}?purge=true", None, token=one.access).status
        for c in clients])
    assert sorted(done) == [200] + [404] * 49
    assert log(one)[-1][1:] == [task["id"], 53]
    for client in clients:
        client.close()


class Storm:
    """Writers of one owner, each with a connection, until told to stop."""

    def __init__(self, one, n, seed, harsh=False):
        self.one, self.stop, self.faults = one, threading.Event(), []
        self.done, self.harsh = 0, harsh
        self.ids = [t["id"] for t in one.tasks("?limit=200")]
        self.threads = [threading.Thread(target=self.write,
                                         args=(random.Random(seed + i),))
                        for i in range(n)]

    def write(self, rng):
        client, ids = Client(self.one.dev), list(self.ids)
        while not self.stop.is_set():
            try:
                self.step(client, rng, ids)
                self.done += 1
            except (AssertionError, OSError,
                    http.client.HTTPException) as error:
                if not self.harsh:
                    self.faults.append(error)
        client.close()

    def step(self, client, rng, ids):
        task = rng.choice(ids) if ids else None
        more = {"token": self.one.access}
        kind = rng.random()
        if not task or kind < .2:
            reply = client.post("/tasks", None, json={"title": "made"}, **more)
            if reply.status == 201:
                ids.append(reply.json["task"]["id"])
        elif kind < .6:
            reply = client.patch(f"/tasks/{task}/status", None, json={
                "status": rng.choice(["pending", "completed"])}, **more)
        elif kind < .75:
            reply = client.put(f"/tasks/{task}", None,
                               json={"priority": rng.randrange(10)}, **more)
        elif kind < .85:
            purge = "?purge=true" if rng.random() < .5 else ""
            reply = client.delete(f"/tasks/{task}{purge}", None, **more)
            if task in ids:
                ids.remove(task)
        elif kind < .95:
            reply = client.post("/tasks/order", None, json={
                "task_ids": rng.sample(ids, min(len(ids), 5))}, **more)
        else:
            reply = client.post("/tasks/order", None, json={
                "task_id": task, "after": rng.choice(ids)}, **more)
        assert reply.status in (200, 201, 404), str(reply)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.faults, self.faults[:3]


def chase(copies, seconds, harsh=False):
    """Readers that only follow next while the others write."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for copy in copies:
            try:
                copy.page()
            except (AssertionError, OSError, http.client.HTTPException):
                if not harsh:  # else: ask again with the same token
                    raise


def settled(copies, one):
    for copy in copies:
        copy.follow()
        same(copy, one)
    # Every task that stands was logged with the version it has.
    newest = {}
    for _, task, version in log(one):
        newest[task] = version
    assert {i: t["version"] for i, t in whole(one).items()} == \
        {i: newest[i] for i in whole(one)}


def test_a_reader_of_eight_writers_ends_with_the_table(fresh):
    one = fresh()
    for i in range(20):
        one.task(f"task {i}")
    copies = [Copy(one, 200), Copy(one, 7), Copy(one, 1)]
    seed = random.randrange(2 ** 32)
    with Storm(one, 8, seed) as storm:
        chase(copies, 5)
    assert storm.done > 50 / SLOW, seed
    print(f"{storm.done} writes, {[c.pages for c in copies]} pages")
    settled(copies, one)


@pytest.mark.long
@pytest.mark.faults
def test_a_reader_of_slow_writers_and_dying_workers(own):
    """32 writers, transactions held open, workers killed in the middle."""
    one, crew = docket.person(own), len(own.workers())
    for i in range(50):
        one.task(f"task {i}")
    copies = [Copy(one, 200), Copy(one, 7)]
    with Storm(one, 32, 1, harsh=True) as storm:
        for turn in range(30):
            with Held(own, one):
                chase(copies, 1, True)
            chase(copies, 1, True)
            if turn % 5 == 0:
                os.kill(random.choice(own.workers()), 9)
                wait_until(lambda: len(own.workers()) == crew,
                           "a new worker", 60)
    assert storm.done > 500 / SLOW
    settled(copies, one)
    one.close()


# --- against a model ----------------------------------------------------------

def test_any_writes_and_any_readers(fresh, dev):
    """Readers that begin, stop and go on at any time have what is there."""
    seed = random.randrange(2 ** 32)
    rng, one = random.Random(seed), fresh()
    copies, ids = [], []
    for _ in range(150):
        kind = rng.random()
        if kind < .25 or not ids:
            ids.append(one.task(f"task {len(ids)}")["id"])
        elif kind < .5:
            one.put("/tasks/" + rng.choice(ids), None,
                    json={"title": f"t {rng.random()}"})
        elif kind < .6:
            task = ids.pop(rng.randrange(len(ids)))
            one.delete(f"/tasks/{task}?purge={rng.choice(['true', 'false'])}")
        elif kind < .7:
            one.post("/tasks/order", None, json={
                "task_ids": rng.sample(ids, min(4, len(ids)))})
        elif kind < .8:
            copies.append(Copy(one, rng.choice([1, 2, 5, 50])))
        elif copies:
            rng.choice(copies).page()
    gc(dev)
    for copy in copies:
        copy.follow()
        assert copy.tasks == whole(one), seed
