# SPDX-License-Identifier: AGPL-3.0-or-later
"""POST /tasks/import: round trips, other systems' files, every line's fault."""

import json
import random
import re

import pytest

import docket
import taskfile
from docket import new_name, parallel
from taskfile import FORMATS, comparable, exported, fetch, send, told

NASTY = "=+-@\t'\",;\\\r\n\u202e\u200d😀éx \u00a0:#[]{}\u2028"


def count(person):
    return person.get("/tasks?limit=1&count=exact").json["total"]


def counts(reply):
    report = reply.json.get("report", reply.json)
    return report["imported"], report["skipped"], report["refused"]


def csv_of(rows, columns=None):
    columns = columns or list(rows[0])

    def cell(value):
        return '"' + str(value).replace('"', '""') + '"'

    return "\r\n".join([",".join(columns)] + [
        ",".join(cell(row.get(c, "")) for c in columns)
        for row in rows]) + "\r\n"


def ics_of(*todos):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
    for todo in todos:
        lines += ["BEGIN:VTODO", *todo, "END:VTODO"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


# --- round trips ------------------------------------------------------------

def nasty_task(dice):
    def text(most):
        return "".join(dice.choice(NASTY)
                       for _ in range(dice.randint(1, most)))

    task = {"title": text(40) if dice.random() < .9 else text(200)[:200],
            "description": text(dice.choice([10, 200, 10000]))[:10000],
            "status": dice.choice(["pending", "in_progress", "completed",
                                   "cancelled"]),
            "priority": dice.randint(0, 9),
            "tags": [tag for tag in {text(8).strip() for _ in range(3)}
                     if tag]}
    due = dice.choice([{}, {"due_date": "2031-02-03"},
                       {"due_date": "2031-02-03T04:05:06Z"},
                       {"due_date": "2031-02-03T04:05:06",
                        "due_timezone": "America/New_York"}])
    return {**task, **due}


@pytest.fixture(scope="module")
def nasty(dev):
    """Somebody whose tasks have every kind of text."""
    person, dice = docket.person(dev), random.Random(6)
    for _ in range(120):
        reply = person.post("/tasks", None, json=nasty_task(dice))
        assert reply.status in (201, 400), str(reply)
    for title in ("=x", "'=x", "''=x", "'", "\t", "a,b", "\\,", "é" * 200,
                  "x" * 74 + "😀" * 30, "x" * 73 + "😀" * 30):
        task = person.task(title, tags=[title.strip()[:50] or "t"])
        person.patch("/tasks/" + task["id"], json={"priority": 3})
    yield person
    person.close()


def seconds(task):
    """RFC 5545 knows whole seconds, and no control character."""
    task = dict(task)
    for name in ("created_at", "updated_at", "completed_at", "due_date"):
        if task[name] and task[name].endswith("Z"):
            task[name] = task[name][:19] + ".000Z"
    for name in ("title", "description"):
        task[name] = re.sub("\r\n|\r", "\n", task[name])
    task["tags"] = [re.sub("\r\n|\r", "\n", tag) for tag in task["tags"]]
    return task


@pytest.mark.parametrize("form", FORMATS)
def test_what_went_out_comes_in(fresh, nasty, form):
    """Into another account: all but ids, numbers and places is the same."""
    other, before = fresh(), exported(nasty)
    reply = send(other, form, fetch(nasty, form).body)
    assert counts(reply) == (len(before), 0, 0)
    assert reply.json["ignored"] == []
    after = exported(other)
    if form == "ics":
        before = [seconds(task) for task in before]
    assert comparable(after) == comparable(before)
    assert [t["number"] for t in after] == \
        list(range(1, len(before) + 1))
    assert not {t["id"] for t in after} & {t["id"] for t in before}
    again = send(other, form, fetch(nasty, form).body)
    assert counts(again) == (0, len(before), 0)
    assert exported(other) == after
    assert other.task("next")["number"] == len(before) + 1


@pytest.mark.parametrize("form", FORMATS)
def test_ones_own_file_changes_nothing(nasty, form):
    before = exported(nasty)
    assert counts(send(nasty, form, fetch(nasty, form).body)) == \
        (0, len(before), 0)
    assert exported(nasty) == before


def test_what_lies_in_the_trash_stays_there(fresh):
    one = fresh()
    task, file = one.task("x"), None
    file = fetch(one, "csv").body
    one.delete("/tasks/" + task["id"])
    assert counts(send(one, "csv", file)) == (0, 1, 0)
    assert exported(one) == []


def test_what_was_purged_comes_back(fresh):
    one = fresh()
    task = one.task("x", description="d", tags=["t"])
    file = fetch(one, "json").body
    one.delete("/tasks/" + task["id"] + "?purge=true")
    assert counts(send(one, "json", file)) == (1, 0, 0)
    back = exported(one)[0]
    assert (back["title"], back["created_at"]) == ("x", task["created_at"])


def test_a_list_saved_to_a_file_is_a_file(fresh):
    one, two = fresh(), fresh()
    for i in range(3):
        one.task(f"t{i}")
    reply = send(two, "json", one.get("/tasks?limit=2").body)
    assert counts(reply) == (2, 0, 0) and reply.json["ignored"] == []


# --- other systems ----------------------------------------------------------

def test_mongoexport(fresh):
    one = fresh()
    lines = [
        '{"_id":{"$oid":"65a0b1c2d3e4f5a6b7c8d9e0"},"title":"m1",'
        '"status":"Done","priority":{"$numberInt":"3"},"deadline":{"$date":'
        '"2031-01-31T09:30:00Z"},"__v":0,"tags":["a"]}',
        '{"_id":{"$oid":"65a0b1c2d3e4f5a6b7c8d9e1"},"title":"{\\"$oid\\":1}"'
        ',"createdAt":{"$date":{"$numberLong":"1700000000123"}},'
        '"updatedAt":{"$date":"2024-01-01T00:00:00.5Z"},"user_id":{"$oid":'
        '"65a0b1c2d3e4f5a6b7c8d9e2"}}']
    reply = send(one, "ndjson", "\n".join(lines))
    assert counts(reply) == (2, 0, 0)
    assert reply.json["ignored"] == ["__v"]
    first, second = exported(one)
    assert first["created_at"] == "2024-01-12T03:28:02.000Z"
    assert (first["status"], first["priority"], first["due_date"]) == \
        ("completed", 3, "2031-01-31T09:30:00.000Z")
    assert second["title"] == '{"$oid":1}'
    assert second["created_at"] == "2023-11-14T22:13:20.123Z"
    assert second["updated_at"] == "2024-01-01T00:00:00.500Z"
    array = "[" + ",\n".join(lines) + "]"
    assert counts(send(one, "json", array)) == (0, 2, 0)  # --jsonArray
    assert counts(send(one, "json", "\n".join(lines))) == (0, 2, 0)


def test_s0_table(fresh):
    """task_id, title, description, status, due_date, created_at,
    updated_at, user_id; timestamps as PostgreSQL's COPY writes them."""
    one = fresh()
    file = csv_of([{"task_id": 7, "title": "t", "description": "d",
                    "status": "In Progress", "due_date": "2031-01-31",
                    "created_at": "2024-01-31 09:30:00.25+00",
                    "updated_at": "2024-02-01 09:30:00+00", "user_id": 3}])
    assert counts(send(one, "csv", file)) == (1, 0, 0)
    task = exported(one)[0]
    assert (task["status"], task["due_date"], task["created_at"],
            task["updated_at"]) == (
        "in_progress", "2031-01-31", "2024-01-31T09:30:00.250Z",
        "2024-02-01T09:30:00.000Z")
    assert counts(send(one, "csv", file)) == (0, 1, 0)


def test_s2_dump(fresh):
    """.mode csv, .headers on: id, user_id, title, description, status,
    created_at; line ends of Unix, instants in UTC."""
    one = fresh()
    file = ("id,user_id,title,description,status,created_at\n"
            '1,1,"Buy, milk",,pending,2024-01-31 09:30:00\n'
            '2,1,x,"two\nlines",completed,"2024-01-31 09:30:00.123456"\n')
    assert counts(send(one, "csv", file)) == (2, 0, 0)
    first, second = exported(one)
    assert first["title"] == "Buy, milk" and first["description"] == ""
    assert second["description"] == "two\nlines"
    assert second["completed_at"] == second["updated_at"] == \
        "2024-01-31T09:30:00.123Z"
    assert counts(send(one, "csv", file)) == (0, 2, 0)


def test_calendar_of_another_program(fresh):
    one = fresh()
    file = ics_of(
        ["UID:abc", "SUMMARY:a\\, b\\;\\nc", "DTSTAMP:20240101T000000Z",
         "DUE;TZID=Europe/Berlin:20310131T093000", "PERCENT-COMPLETE:40",
         "CATEGORIES:a\\,b,c", "CATEGORIES:d", "BEGIN:VALARM",
         "SUMMARY:ring", "END:VALARM", "RRULE:FREQ=DAILY"],
        ["UID:def", "SUM", " MARY:fold", "\ted", "COMPLETED:20240102T000000Z",
         "DUE;VALUE=DATE:20310131"])
    reply = send(one, "ics", file)
    assert counts(reply) == (2, 0, 0)
    assert sorted(reply.json["ignored"]) == ["RRULE", "VALARM"]
    first, second = exported(one)
    assert first["title"] == "a, b;\nc" and first["tags"] == ["a,b", "c", "d"]
    assert (first["status"], first["due_date"], first["due_timezone"]) == \
        ("in_progress", "2031-01-31T09:30:00", "Europe/Berlin")
    assert (second["title"], second["status"], second["due_date"]) == \
        ("folded", "completed", "2031-01-31")


def test_events_of_a_calendar_are_told(fresh):
    file = ics_of(["SUMMARY:t"]).replace(
        "BEGIN:VTODO", "BEGIN:VEVENT\r\nSUMMARY:e\r\nEND:VEVENT\r\n"
        "BEGIN:VTODO")
    reply = send(fresh(), "ics", file)
    assert counts(reply) == (1, 0, 0)
    assert reply.json["ignored"] == ["VEVENT"]


def test_timezone_is_for_times_without_one(fresh):
    one = fresh()
    file = ics_of(["SUMMARY:t", "DUE:20310131T093000"])
    assert told(send(one, "ics", file, 400)) == [(4, "/due_date", "format")]
    send(one, "ics", file, query="?timezone=Asia/Tehran")
    assert exported(one)[0]["due_timezone"] == "Asia/Tehran"


# --- what is wrong, and where -----------------------------------------------

LONG = "x" * 201


@pytest.mark.parametrize("form, body, faults", [
    ("ndjson", '{"title":"a"}\n\n{"title":5}\n{"title":"b"', [
        (3, "/title", "type"), (4, "/title", "syntax")]),
    ("ndjson", '{"title":"a","priority":10,"status":"x"}', [
        (1, "/priority", "range"), (1, "/status", "format")]),
    ("ndjson", "[]", [(1, "", "type")]),
    ("json", "[\n{\n\"title\":\n\"\"},{},\n\n5]", [
        (2, "/title", "length"), (4, "/title", "required"),
        (6, "", "type")]),
    ("json", '[{"title":"a"}', [(1, "", "syntax")]),
    ("json", '[{"title":"a"}]x', [(1, "", "syntax")]),
    ("json", '[{"title":"a"},]', [(1, "", "syntax")]),
    ("json", '[{"title":"a"}\n{"title":"a"}]', [(2, "", "syntax")]),
    ("json", '{"tasks":[{"title":"a"}', [(1, "", "syntax")]),
    ("json", '{"tasks":[{"title":"a"}]', [(1, "", "syntax")]),
    ("json", '"x"', [(1, "", "syntax")]),
    ("csv", "name,status\nx,pending\n", [(1, "", "syntax")]),
    ("csv", "title,title\nx,x\n", [(1, "", "syntax")]),
    ("csv", "id,task_id,title\n1,2,x\n", [(1, "", "syntax")]),
    ("csv", f'title,tags\r\n"two\nlines",a\r\n{LONG},a\r\nok,\r\n,a\r\n', [
        (4, "/title", "length"), (6, "/title", "required")]),
    ("csv", "title,status\na,pending,b\nb\n", [
        (2, "", "syntax"), (3, "", "syntax")]),
    ("csv", 'title\n"a\nb\n', [(2, "", "syntax")]),
    ("csv", 'title\n"a"b\n', [(2, "", "syntax")]),
    ("csv", "title,created_at\na,2999-01-01T00:00:00Z\nb,1\n", [
        (2, "/created_at", "range"), (3, "/created_at", "format")]),
    ("csv", "title,priority\na,x\n", [(2, "/priority", "type")]),
    ("csv", "title,completed_at\na,2024-01-01T00:00:00Z\n", [
        (2, "/completed_at", "choice")]),
    ("csv", "title,due_date,due_timezone\na,2031-01-31T09:30:00,"
     "Europe/Nowhere\n\nb,2031-01-31,Europe/Berlin\n", [
         (4, "/due_date", "format"), (2, "/due_timezone", "choice")]),
    ("ics", "", [(1, "", "syntax")]),
    ("ics", "SUMMARY:x\r\n", [(1, "", "syntax")]),
    ("ics", ics_of(["SUMMARY:a"], ["DUE:tomorrow"]), [
        (7, "/due_date", "format"), (7, "/title", "required")]),
    ("ics", ics_of(["SUMMARY:a"])[:-15], [(7, "", "syntax")]),
    ("ics", ics_of(["SUMMARY:a"])[:-30], [(4, "", "syntax")]),
    ("ics", ics_of(["SUMMARY:a", "PRIORITY:11"]), [
        (4, "/priority", "range")]),
], ids=lambda v: repr(v)[:30] if isinstance(v, str) else "")
def test_each_fault_has_its_line(fresh, form, body, faults):
    one = fresh()
    reply = send(one, form, body, 400)
    assert reply.code == "invalid_request"
    assert told(reply) == faults
    assert counts(reply)[:2] == (0, 0)
    assert count(one) == 0  # all or nothing


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"title":"\xff"}',
                                  b'{"title":"a\\u0000"}', b"\0"])
@pytest.mark.parametrize("form", FORMATS)
def test_bytes_that_are_no_text(fresh, form, body):
    one = fresh()
    if form == "csv":
        body = b"title\n" + body
    if form == "ics":
        body = ics_of(["SUMMARY:@"]).encode().replace(b"@", body)
    reply = send(one, form, body, None)
    if form in ("csv", "ics") and b"\\u" in body:
        assert reply.status == 200  # there, that is no escape
    else:
        assert reply.status == 400, str(reply)
        assert counts(reply)[2] == 1 and count(one) == 0


@pytest.mark.parametrize("key", [False, True])
def test_all_or_nothing_over_many_batches(fresh, key):
    """What was stored before the bad line is taken back."""
    one = fresh()
    file = '{"title":"a"}\n' * 1700 + '{"title":""}\n'
    more = {"headers": [("Idempotency-Key", new_name())]} if key else {}
    reply = send(one, "ndjson", file, 400, **more)
    assert told(reply) == [(1701, "/title", "length")]
    assert counts(reply) == (0, 0, 1) and count(one) == 0
    assert one.task("next")["number"] == 1


def test_partial_takes_what_can_be_taken(fresh):
    one = fresh()
    lines = [{"title": f"t{i}"} if i % 3 else {"title": ""}
             for i in range(1200)]
    reply = send(one, "ndjson", "\n".join(map(json.dumps, lines)),
                 query="?partial=true")
    assert counts(reply) == (800, 0, 400)
    assert [line for line, _, _ in told(reply)] == list(range(1, 1200, 3))
    assert [t["title"] for t in exported(one)] == \
        [line["title"] for line in lines if line["title"]]


def test_the_report_has_an_end(fresh):
    reply = send(fresh(), "ndjson", '{"title":""}\n' * 1500, 400)
    assert counts(reply)[2] == 1500 and len(told(reply)) == 1000


def test_a_dry_run_says_the_same_and_does_nothing(fresh):
    one = fresh()
    one.task("there")
    file = '{"title":"a"}\n' * 700
    reply = send(one, "ndjson", file, query="?dry_run=true")
    assert counts(reply) == (700, 0, 0) and reply.json["dry_run"] is True
    assert count(one) == 1
    reply = send(one, "ndjson", '{"title":""}', 400, query="?dry_run=true")
    assert reply.json["report"]["dry_run"] is True
    assert one.task("next")["number"] == 2


def test_an_idempotency_key_imports_once(fresh):
    one = fresh()
    key = [("Idempotency-Key", new_name())]
    first = send(one, "ndjson", '{"title":"a"}', headers=key)
    again = send(one, "ndjson", '{"title":"a"}', headers=key)
    assert again.header("Idempotency-Replayed") == "true"
    assert again.body == first.body and count(one) == 1
    send(one, "ndjson", '{"title":"b"}', 422, headers=key)
    dry = [("Idempotency-Key", new_name())]
    for _ in range(2):
        send(one, "ndjson", '{"title":"c"}', headers=dry,
             query="?dry_run=true")
    assert count(one) == 1
    bad = [("Idempotency-Key", new_name())]
    send(one, "ndjson", '{"title":"d"}\n{}', 400, headers=bad)
    send(one, "ndjson", '{"title":"d"}\n{"title":"e"}', headers=bad)
    assert count(one) == 3


def test_twins_leave_one_of_each(dev, fresh):
    """The same file eight times at once: refused or skipped, never twice."""
    one = fresh()
    file = "\n".join(json.dumps({"id": str(i), "title": "t", "created_at":
                                 "2024-01-01T00:00:00Z"})
                     for i in range(300)).encode()

    def job():
        client = docket.Client(dev)
        try:
            return client.post("/tasks/import", None, body=file,
                               type="application/x-ndjson",
                               token=one.access).status
        finally:
            client.close()

    statuses = parallel([job] * 8)
    assert set(statuses) <= {200, 409, 503} and 200 in statuses
    assert count(one) == 300


# --- what may come in at all ------------------------------------------------

@pytest.mark.parametrize("kind", [
    "text/plain", "", "application/xml", "application/merge-patch+json",
    "application/x-www-form-urlencoded"])
def test_other_types_are_415(alice, kind):
    reply = alice.post("/tasks/import", 415, body=b"x", type=kind)
    assert "text/calendar" in reply.header("Accept-Post")


def test_a_type_may_have_parameters(fresh):
    one = fresh()
    one.post("/tasks/import", 200, body=b"title\r\nx\r\n",
             type="text/csv; charset=utf-8; header=present")
    assert count(one) == 1


def test_a_mark_in_front_is_no_text(fresh):
    one = fresh()
    send(one, "csv", b"\xef\xbb\xbftitle\nx\n")
    send(one, "json", b'\xef\xbb\xbf[{"title":"y"}]')
    assert [t["title"] for t in exported(one)] == ["x", "y"]


@pytest.mark.parametrize("form, body", [
    ("json", "[]"), ("json", ""), ("ndjson", ""), ("ndjson", "\n\n"),
    ("csv", "title\n"), ("csv", ""), ("ics", ics_of())])
def test_nothing_to_import_is_no_fault(alice, form, body):
    assert counts(send(alice, form, body)) == (0, 0, 0)


def test_large_files(fresh):
    """Beyond other bodies' 256 KiB; what tasks.import_kib forbids is 413."""
    one = fresh()
    line = json.dumps({"title": "t", "description": "x" * 900}) + "\n"
    n = 7 * 1024 * 1024 // len(line)
    assert counts(send(one, "ndjson", line * n)) == (n, 0, 0)
    assert count(one) == n
    for size in (9, 17):
        reply = send(one, "ndjson", b" " * (size * 1024 * 1024), 413)
        assert reply.code == "body_too_large"
    assert one.post("/tasks", 413, body=b" " * (300 * 1024)).code == \
        "body_too_large"


def test_it_is_the_callers_whatever_the_file_says(fresh):
    one, two = fresh(), fresh()
    task = two.task("theirs")
    file = json.dumps([{"id": task["id"], "user_id": two.id, "title": "x",
                        "number": 99}])
    send(one, "json", file)
    mine = one.tasks()[0]
    assert mine["user_id"] == one.id and mine["id"] != task["id"]
    assert mine["number"] == 1
    assert two.get("/tasks/" + task["id"]).json["task"] == task


def test_a_record_has_a_largest_size(fresh):
    one = fresh()
    body = '{"title":"a","x":"' + "y" * 300 * 1024 + '"}\n{"title":"b"}'
    assert told(send(one, "ndjson", body, 400)) == [(1, "", "length")]


def todo(*lines):
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VTODO", "SUMMARY:x", *lines,
                        "END:VTODO", "END:VCALENDAR", ""])


def test_categories_without_end(fresh):
    """Each line was a copy of all before it: gigabytes for 200 kB."""
    one = fresh()
    lines = ["CATEGORIES:a"] * 15000
    reply = send(one, "ics", todo(*lines), 400)
    assert told(reply) == [(2, "/tags", "length")]
    send(one, "ics", todo(*(f"CATEGORIES:{i}" for i in range(20))))
    assert one.tasks()[0]["tags"] == [str(i) for i in range(20)]


@pytest.mark.parametrize("value, version", [
    ("0", 1), ("41", 42), ("4x1", None), ("x", None), ("-1", None)])
def test_a_sequence_is_a_number(fresh, value, version):
    one = fresh()
    reply = send(one, "ics", todo("SEQUENCE:" + value),
                 400 if version is None else 200)
    if version is None:
        assert [e[1] for e in told(reply)] == ["/version"]
    else:
        assert one.tasks()[0]["version"] == version


@pytest.mark.parametrize("name, shown", [
    (b"\x1b[2J", "?[2J"), (b"\xff\xfe", "??"), ("\u009b".encode(), "?"),
    ("größe".encode(), "größe"), (b"x" * 5000, "x" * 80)])
def test_what_is_ignored_is_told_harmlessly(fresh, name, shown):
    reply = send(fresh(), "csv", b"title," + name + b"\r\na,b\r\n")
    assert reply.json["ignored"] == [shown]


def test_needs_the_scope(fresh):
    one = fresh()
    key = one.post("/auth/keys", 201, json={
        "name": "r", "scopes": ["tasks:read"]}).json["key"]
    assert key


@pytest.mark.parametrize("query, pointer", [
    ("?dry_run=maybe", "?dry_run"), ("?timezone=Berlin", "?timezone"),
    ("?atomic=1", "?atomic")])
def test_what_it_does_not_take(alice, query, pointer):
    reply = send(alice, "json", "[]", 400, query=query)
    assert pointer in reply.pointers()
