# SPDX-License-Identifier: AGPL-3.0-or-later
"""One task: made, read, changed, cleared, deleted."""

import datetime
import uuid

import pytest

import docket

TASK = {"id", "uuid", "number", "title", "description", "status",
        "status_label", "priority", "due_date", "due_timezone", "overdue",
        "tags", "position", "version", "user_id", "created_at",
        "updated_at", "completed_at"}
LABELS = {"pending": "To Do", "in_progress": "In Progress",
          "completed": "Done", "cancelled": "Cancelled"}


def day(offset):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (today + datetime.timedelta(days=offset)).isoformat()


def check(task):
    assert set(task) == TASK
    assert docket.UUID7.match(task["id"]) and task["uuid"] == task["id"]
    assert task["status_label"] == LABELS[task["status"]]
    assert docket.INSTANT.match(task["created_at"])
    assert docket.INSTANT.match(task["updated_at"])
    assert isinstance(task["version"], int)
    assert isinstance(task["position"], str) and task["position"]
    done = task["status"] == "completed"
    assert done == (task["completed_at"] is not None)


# --- made -----------------------------------------------------------------

def test_defaults(alice):
    reply = alice.post("/tasks", 201, json={"title": "Buy milk"})
    assert set(reply.json) == {"message", "task"}
    assert reply.json["message"] == "Task created"
    task = reply.json["task"]
    check(task)
    assert task["title"] == "Buy milk"
    assert task["description"] == ""
    assert task["status"] == "pending"
    assert task["priority"] == 0
    assert task["due_date"] is None and task["due_timezone"] is None
    assert task["overdue"] is False
    assert task["tags"] == []
    assert task["version"] == 1
    assert task["user_id"] == alice.id
    assert task["created_at"] == task["updated_at"]
    assert reply.header("Location") == "/tasks/" + task["id"]
    assert reply.header("ETag") == '"1"'
    assert alice.get(reply.header("Location")).json["task"] == task


def test_everything_given(alice):
    given = {"title": "T", "description": "D", "status": "in_progress",
             "priority": 1, "due_date": "2030-01-31", "tags": ["a", "b"]}
    task = alice.post("/tasks", 201, json=given).json["task"]
    check(task)
    for name, value in given.items():
        assert task[name] == value


def test_null_is_absent_on_creation(alice):
    task = alice.task(description=None, priority=None, due_date=None,
                      due_timezone=None, tags=None)
    assert (task["description"], task["priority"], task["tags"]) == \
        ("", 0, [])


def test_numbers_count_up_per_user(fresh):
    one, two = fresh(), fresh()
    assert [one.task()["number"] for _ in range(3)] == [1, 2, 3]
    assert two.task()["number"] == 1


def test_created_at_is_the_instant_in_the_id(alice):
    task = alice.task()
    ms = uuid.UUID(task["id"]).int >> 80
    made = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    assert task["created_at"] == made.strftime("%Y-%m-%dT%H:%M:%S.") + \
        f"{ms % 1000:03d}Z"


def test_a_task_made_done_has_completed_at(alice):
    check(alice.task(status="Done"))


@pytest.mark.parametrize("title, good", [
    ("x", True), ("x" * 200, True), ("x" * 201, False), ("", False),
    ("ü" * 200, True), ("\U0001f600" * 200, True), ("ü" * 201, False),
    (None, False), (5, False), (["x"], False), (True, False)])
def test_titles_have_1_to_200_characters(alice, title, good):
    reply = alice.post("/tasks", None, json={"title": title})
    assert reply.status == (201 if good else 400), str(reply)
    if not good:
        assert set(reply.pointers()) == {"/title"}


def test_a_title_is_required(alice):
    reply = alice.post("/tasks", 400, json={"description": "d"})
    assert reply.pointers() == {"/title": "required"}
    assert reply.json["message"] == "Missing required fields or invalid data."


def test_descriptions_have_at_most_10000_characters(alice):
    alice.task(description="ü" * 10000)
    reply = alice.post("/tasks", 400, json={"title": "t",
                                            "description": "x" * 10001})
    assert reply.pointers() == {"/description": "length"}


@pytest.mark.parametrize("priority, good", [
    (0, True), (9, True), (10, False), (-1, False), ("1", False),
    (1.5, False), (True, False), (1e3, False), ([], False)])
def test_priorities_are_0_to_9(alice, priority, good):
    reply = alice.post("/tasks", None, json={"title": "t",
                                             "priority": priority})
    assert reply.status == (201 if good else 400), str(reply)
    if not good:
        assert set(reply.pointers()) == {"/priority"}


@pytest.mark.parametrize("word, status", [
    ("pending", "pending"), ("PENDING", "pending"), ("To Do", "pending"),
    ("to do", "pending"), ("in_progress", "in_progress"),
    ("In Progress", "in_progress"), ("IN PROGRESS", "in_progress"),
    ("completed", "completed"), ("Completed", "completed"),
    ("Done", "completed"), ("done", "completed"),
    ("cancelled", "cancelled"), ("Cancelled", "cancelled")])
def test_status_words(alice, word, status):
    task = alice.task(status=word)
    assert task["status"] == status
    assert task["status_label"] == LABELS[status]


@pytest.mark.parametrize("word", ["", "doing", "To  Do!", "pending ", 1, []])
def test_other_words_are_no_status(alice, word):
    reply = alice.post("/tasks", 400, json={"title": "t", "status": word})
    assert set(reply.pointers()) == {"/status"}


def test_tags(alice):
    task = alice.task(tags=[" home ", "work", "home", "ü" * 50])
    assert task["tags"] == ["home", "work", "ü" * 50]
    alice.task(tags=[f"t{i}" for i in range(20)])
    for bad in ([f"t{i}" for i in range(21)], [""], ["  "], ["x" * 51], [5],
                "home", {"a": 1}, [["a"]], [None]):
        reply = alice.post("/tasks", 400, json={"title": "t", "tags": bad})
        assert all(p.startswith("/tags") for p in reply.pointers()), bad


@pytest.mark.parametrize("member", [
    "id", "uuid", "number", "user_id", "version", "position", "created_at",
    "updated_at", "completed_at", "overdue", "status_label", "task_id"])
def test_what_the_server_makes_is_not_taken(alice, member):
    for method, path, status in (("POST", "/tasks", 400),
                                 ("PUT", "/tasks/" + alice.task()["id"],
                                  400)):
        reply = alice.request(method, path, status, json={"title": "t",
                                                          member: "1"})
        assert reply.pointers() == {"/" + member: "unknown"}


# --- due ------------------------------------------------------------------

@pytest.mark.parametrize("given, kept", [
    ("2030-01-31", "2030-01-31"),
    ("2028-02-29", "2028-02-29"),
    ("2030-01-31T09:30:00Z", "2030-01-31T09:30:00.000Z"),
    ("2030-01-31t09:30:00z", "2030-01-31T09:30:00.000Z"),
    ("2030-01-31T09:30:00.5Z", "2030-01-31T09:30:00.500Z"),
    ("2030-01-31T09:30:00.123456Z", "2030-01-31T09:30:00.123Z"),
    ("2030-01-31T09:30:00+03:30", "2030-01-31T06:00:00.000Z"),
    ("2030-01-31T23:30:00-05:00", "2030-02-01T04:30:00.000Z"),
    ("2030-01-31T09:30:00-00:00", "2030-01-31T09:30:00.000Z")])
def test_due_dates(alice, given, kept):
    for name in ("due_date", "deadline"):
        task = alice.task(**{name: given})
        assert task["due_date"] == kept
        assert task["due_timezone"] is None
        assert alice.get("/tasks/" + task["id"]).json["task"] == task


def test_a_local_time_keeps_its_zone(alice, dev):
    task = alice.task(due_date="2030-07-01T09:30:00",
                      due_timezone="Asia/Tehran")
    assert task["due_date"] == "2030-07-01T09:30:00"
    assert task["due_timezone"] == "Asia/Tehran"
    rows = dev.sql("SELECT due_at AT TIME ZONE 'UTC' FROM docket.tasks"
                   " WHERE id = :'id'", id=task["id"])
    assert rows == [["2030-07-01 06:00:00"]]


@pytest.mark.parametrize("bad", [
    "", "soon", "2030-13-01", "2030-02-30", "2030-00-10", "2030-1-1",
    "20300131", "2030-01-31T", "2030-01-31T24:00:00Z",
    "2030-01-31T09:60:00Z", "2030-01-31T09:30:00+24:00", "2029-02-29",
    "2030-01-31T09:30:00", "2030-01-31T09:30Z",
    "+2030-01-31", "2030-01-31Z", "٢٠٣٠-٠١-٣١", 1893456000, True, {}])
def test_what_is_no_due_date(alice, bad):
    reply = alice.post("/tasks", 400, json={"title": "t", "due_date": bad})
    assert set(reply.pointers()) == {"/due_date"}, str(reply)


@pytest.mark.parametrize("due, zone, pointer", [
    ("2030-07-01T09:30:00", "Mars/Olympus", "/due_timezone"),
    ("2030-07-01T09:30:00", "'; DROP", "/due_timezone"),
    ("2030-07-01T09:30:00", "../etc/passwd", "/due_timezone"),
    ("2030-07-01T09:30:00Z", "Asia/Tehran", "/due_date"),
    ("2030-07-01", "Asia/Tehran", "/due_date"),
    (None, "Asia/Tehran", "/due_date")])
def test_zones_belong_to_local_times(alice, due, zone, pointer):
    reply = alice.post("/tasks", 400, json={
        "title": "t", "due_date": due, "due_timezone": zone})
    assert set(reply.pointers()) == {pointer}, str(reply)


def test_due_date_and_deadline_are_one_member(alice):
    reply = alice.post("/tasks", 400, json={
        "title": "t", "due_date": "2030-01-31", "deadline": "2030-01-31"})
    assert "duplicate" in reply.pointers().values()


def test_overdue(alice):
    late = alice.task(due_date=day(-1))
    assert late["overdue"] is True
    assert alice.task(due_date=day(0))["overdue"] is False
    assert alice.task(due_date=day(1))["overdue"] is False
    assert alice.task(due_date="2020-01-01T00:00:00Z")["overdue"] is True
    assert alice.task(due_date="2020-01-01T00:00:00",
                      due_timezone="Europe/Berlin")["overdue"] is True
    for status in ("completed", "cancelled"):
        assert alice.task(due_date=day(-1), status=status)["overdue"] is \
            False
    path = "/tasks/" + late["id"]
    assert alice.put(path, json={"status": "Done"}).json["task"][
        "overdue"] is False
    assert alice.put(path, json={"status": "To Do"}).json["task"][
        "overdue"] is True


# --- read -----------------------------------------------------------------

def test_a_number_is_as_good_as_an_id(fresh):
    one = fresh()
    task = one.task()
    for ref in (task["id"], task["number"], task["id"].upper()):
        reply = one.get(f"/tasks/{ref}")
        assert set(reply.json) == {"task"}
        assert reply.json["task"] == task
        assert reply.header("ETag") == '"1"'
    assert one.put(f"/tasks/{task['number']}", json={"title": "by number"}
                   ).json["task"]["id"] == task["id"]
    one.patch(f"/tasks/{task['number']}", json={"priority": 1})
    one.patch(f"/tasks/{task['number']}/status", json={"status": "done"})
    one.delete(f"/tasks/{task['number']}")


@pytest.mark.parametrize("ref", ["x", "0", "-1", "01", "1.0", "1e3", "%20",
                                 "9" * 19, "9" * 30, "null", "1%00",
                                 "00000000-0000-0000-0000-00000000000g",
                                 "{00000000-0000-7000-8000-000000000000}",
                                 "0193aaaabbbb7ccc8dddeeeeffff0000",
                                 "' OR 1=1 --".replace(" ", "%20")])
def test_a_malformed_id_is_400(alice, ref):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        more = {} if method in ("GET", "DELETE") else {"json": {}}
        reply = alice.request(method, "/tasks/" + ref, 400, **more)
        if "%00" not in ref:
            assert reply.code == "task_id_invalid"
            assert reply.json["message"] == "Invalid task ID."


def test_an_unknown_task_is_404(alice):
    for ref in (uuid.uuid4(), "999999999", "9" * 18):
        reply = alice.get(f"/tasks/{ref}", 404)
        assert reply.code == "task_not_found"
        assert reply.json["message"] == "Task not found."


# --- changed --------------------------------------------------------------

FULL = {"description": "D", "status": "in_progress", "priority": 3,
        "due_date": "2030-01-31", "tags": ["a"]}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name, value", [
    ("title", "New"), ("description", "New"), ("status", "completed"),
    ("priority", 9), ("due_date", "2031-12-31"), ("tags", ["x", "y"])])
def test_one_member_changes_the_others_stay(alice, method, name, value):
    task = alice.task(**FULL)
    reply = alice.request(method, "/tasks/" + task["id"], 200,
                          json={name: value})
    assert set(reply.json) == {"message", "task"}
    assert reply.json["message"] == "Task updated"
    changed = reply.json["task"]
    check(changed)
    assert reply.header("ETag") == '"2"'
    assert changed["version"] == 2
    assert changed["updated_at"] >= task["updated_at"]
    touched = {name, "version", "updated_at"}
    if name == "status":
        touched |= {"status_label", "completed_at"}
    for member in TASK - touched:
        assert changed[member] == task[member], member
    assert changed[name] == value
    assert alice.get("/tasks/" + task["id"]).json["task"] == changed


def test_an_empty_put_clears_nothing(alice):
    task = alice.task(**FULL)
    kept = alice.put("/tasks/" + task["id"], json={}).json["task"]
    for name in FULL:
        assert kept[name] == task[name]


@pytest.mark.parametrize("name, cleared", [
    ("description", ""), ("due_date", None), ("tags", []), ("priority", 0)])
def test_null_clears_in_a_patch(alice, name, cleared):
    task = alice.task(**FULL)
    for kind in ("application/json", "application/merge-patch+json"):
        changed = alice.patch("/tasks/" + task["id"], json={name: None},
                              type=kind).json["task"]
        assert changed[name] == cleared
        assert changed["title"] == task["title"]


@pytest.mark.parametrize("name", ["title", "status"])
def test_what_cannot_be_cleared(alice, name):
    task = alice.task()
    reply = alice.patch("/tasks/" + task["id"], 400, json={name: None})
    assert set(reply.pointers()) == {"/" + name}
    assert alice.get("/tasks/" + task["id"]).json["task"] == task


def test_clearing_the_due_date_clears_its_zone(alice):
    task = alice.task(due_date="2030-07-01T09:30:00",
                      due_timezone="Asia/Tehran")
    changed = alice.patch("/tasks/" + task["id"],
                          json={"due_date": None}).json["task"]
    assert changed["due_date"] is None and changed["due_timezone"] is None


def test_a_local_due_date_keeps_its_zone_in_a_merge(alice):
    """RFC 7396: what the patch does not name stays as it was."""
    task = alice.task(due_date="2030-07-01T09:30:00",
                      due_timezone="Asia/Tehran")
    path = "/tasks/" + task["id"]
    changed = alice.patch(path, json={"due_date": "2030-07-02T10:00:00"}
                          ).json["task"]
    assert changed["due_timezone"] == "Asia/Tehran"
    changed = alice.patch(path, json={"due_timezone": "Europe/Berlin"}
                          ).json["task"]
    assert changed["due_date"] == "2030-07-02T10:00:00"
    assert changed["due_timezone"] == "Europe/Berlin"


def test_a_date_takes_the_zone_away(alice):
    task = alice.task(due_date="2030-07-01T09:30:00",
                      due_timezone="Asia/Tehran")
    changed = alice.put("/tasks/" + task["id"],
                        json={"due_date": "2030-07-02"}).json["task"]
    assert changed["due_timezone"] is None


def test_completed_at_comes_and_goes(alice):
    path = "/tasks/" + alice.task()["id"]
    done = alice.put(path, json={"status": "completed"}).json["task"]
    assert docket.INSTANT.match(done["completed_at"])
    again = alice.put(path, json={"title": "still done"}).json["task"]
    assert again["completed_at"] == done["completed_at"]
    again = alice.put(path, json={"status": "completed"}).json["task"]
    assert again["completed_at"] == done["completed_at"]
    assert alice.put(path, json={"status": "pending"}).json["task"][
        "completed_at"] is None


def test_status_alone(alice):
    """S4-3: status or deadline, at least one."""
    path = "/tasks/" + alice.task(**FULL)["id"] + "/status"
    reply = alice.patch(path, json={"status": "Done"})
    assert reply.json["task"]["status"] == "completed"
    assert reply.json["message"] == "Task updated"
    for name in ("due_date", "deadline"):
        due = day(3 if name == "due_date" else 4)
        task = alice.patch(path, json={name: due}).json["task"]
        assert task["due_date"] == due
        assert task["status"] == "completed"
    task = alice.patch(path, json={"status": "To Do", "due_date": None}
                       ).json["task"]
    assert (task["status"], task["due_date"]) == ("pending", None)
    assert task["description"] == "D"
    assert alice.patch(path, 400, json={}).code == "invalid_request"
    reply = alice.patch(path, 400, json={"status": "done", "title": "x"})
    assert reply.pointers() == {"/title": "unknown"}


def test_faults_of_a_change_are_told_at_once(alice):
    path = "/tasks/" + alice.task()["id"]
    for method in ("PUT", "PATCH"):
        reply = alice.request(method, path, 400, json={
            "title": "", "priority": 99, "x": 1})
        assert set(reply.pointers()) == {"/title", "/priority", "/x"}


def test_a_change_to_an_unknown_task_is_404(alice):
    path = f"/tasks/{uuid.uuid4()}"
    for method, end, body in (("PUT", "", {"title": "t"}), ("PUT", "", {}),
                              ("PATCH", "", {"title": "t"}),
                              ("PATCH", "/status", {"status": "done"})):
        assert alice.request(method, path + end, 404, json=body).code == \
            "task_not_found"


def test_50_parallel_changes_are_50_versions(dev, fresh):
    one = fresh()
    path = "/tasks/" + one.task()["id"]
    clients = [docket.Client(dev) for _ in range(25)]
    jobs = [lambda c=c: [c.put(path, json={"priority": 1}, token=one.access)
                         .json["task"]["version"] for _ in range(2)]
            for c in clients]
    versions = sorted(sum(docket.parallel(jobs), []))
    assert versions == list(range(2, 52))


# --- deleted --------------------------------------------------------------

def test_deleted_is_gone(alice):
    task = alice.task()
    path = "/tasks/" + task["id"]
    reply = alice.delete(path)
    assert reply.json == {"message": "Task deleted"}
    for method, end, body in (
            ("GET", "", None), ("PUT", "", {"title": "t"}), ("PUT", "", {}),
            ("PATCH", "", {"title": "t"}), ("DELETE", "", None),
            ("PATCH", "/status", {"status": "done"})):
        more = {} if body is None else {"json": body}
        assert alice.request(method, path + end, 404, **more).code == \
            "task_not_found"
    alice.get(f"/tasks/{task['number']}", 404)
    assert task["id"] not in [t["id"] for t in alice.tasks("?limit=200")]


def test_purged_is_gone_for_good(alice, dev):
    task = alice.task()
    alice.delete(f"/tasks/{task['id']}?purge=true")
    alice.get("/tasks/" + task["id"], 404)
    assert dev.sql("SELECT 1 FROM docket.tasks WHERE id = :'id'",
                   id=task["id"]) == []


def test_a_number_is_never_given_twice(fresh):
    one = fresh()
    for number in (1, 2, 3):
        assert one.task()["number"] == number
        one.delete(f"/tasks/{number}?purge=true")


def test_delete_query_faults(alice):
    path = "/tasks/" + alice.task()["id"]
    assert alice.delete(path + "?purge=perhaps", 400).pointers() == \
        {"?purge": "type"}
    assert alice.delete(path + "?x=1", 400).pointers() == {"?x": "unknown"}
    alice.get(path)
