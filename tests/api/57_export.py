# SPDX-License-Identifier: AGPL-3.0-or-later
"""GET /tasks/export: whole files, cut ones that show it, bounded memory."""

import contextlib
import csv
import datetime
import http.client
import io
import json
import pathlib
import re
import subprocess
import threading
import time

import pytest

import docket
import taskfile
from docket import SANITIZED, SLOW, wait_until
from taskfile import FORMATS, MEMBERS, fetch

NASTY = ["=1+1", "+1", "-1", "@x", "\tx", "'=x", "''+", "'", "''",
         'say "hi"', "a,b;c\\d", "two\nlines", "\r\ncrlf", " blank ",
         "\u202eright to left", "\U0001f600" * 200, "é" * 200,
         "x" * 66 + "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 20,
         "BEGIN:VTODO", "END:VTODO", "\\n", "\\", "\"", ",", "#", "{}"]


def fill(person, n):
    """n tasks by SQL: numbers from 1, one after the other."""
    for first in range(1, n + 1, 50000):
        person.dev.sql(
            "WITH c AS (UPDATE docket.counters SET task_number = :'last'::int"
            " WHERE user_id = :'id' RETURNING 1)"
            " INSERT INTO docket.tasks (user_id, id, number, title,"
            " description, position, created_at, updated_at) SELECT :'id',"
            " ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,"
            " n, 'task ' || n, repeat('words ', 10), lpad(n::text, 10, '0'),"
            " timestamptz '2024-06-01', timestamptz '2024-06-01'"
            " FROM c, generate_series(:'first'::int, :'last'::int) n",
            first=first, last=min(n, first + 49999), id=person.id)


@pytest.fixture(scope="module")
def nasty(dev):
    person = docket.person(dev)
    for title in NASTY:
        person.task(title, description=title * 3,
                    tags=[title[:20].strip() or "t", "a,b", "c\\"])
    person.task("due a date", due_date="2030-01-31", status="Done")
    person.task("due an instant", due_date="2030-01-31T09:30:00+02:00")
    person.task("due local", due_date="2030-01-31T09:30:00",
                due_timezone="Europe/Berlin", priority=9)
    person.task("long", description="é" * 10000, status="cancelled")
    yield person
    person.close()


# --- what comes out ---------------------------------------------------------

@pytest.mark.parametrize("form, kind", [
    ("json", "application/json"), ("ndjson", "application/x-ndjson"),
    ("csv", "text/csv; charset=utf-8; header=present"),
    ("ics", "text/calendar; charset=utf-8")])
def test_headers_of_a_file(nasty, form, kind):
    reply = fetch(nasty, form)
    assert reply.type == kind
    assert reply.header("Content-Disposition") == \
        f'attachment; filename="tasks.{form}"'
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("Vary") == "Authorization, X-API-Key"
    assert reply.header("Content-Length") == str(len(reply.body))
    head = nasty.request("HEAD", f"/tasks/export?format={form}", 200)
    assert head.type == kind and head.body == b""


def test_json_has_every_task_in_its_order(nasty):
    tasks = taskfile.exported(nasty)
    assert [list(t) for t in tasks] == [MEMBERS] * len(tasks)
    listed = nasty.tasks("?limit=200")
    assert tasks == [{m: t[m] for m in MEMBERS} for t in listed]
    assert [t["title"] for t in tasks][:len(NASTY)] == NASTY


def test_ndjson_is_the_same_a_line_each(nasty):
    lines = fetch(nasty, "ndjson").body.decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == taskfile.exported(nasty)


def test_csv_is_read_by_others_and_runs_nothing(nasty):
    text = fetch(nasty, "csv").body.decode()
    assert text.startswith(",".join(MEMBERS) + "\r\n")
    rows = taskfile.read_csv(text)
    tasks = taskfile.exported(nasty)
    assert len(rows) == len(tasks)
    for row, task in zip(rows, tasks):
        for name in ("id", "title", "description", "status", "created_at"):
            assert row[name] == task[name]
        assert row["due_date"] == (task["due_date"] or "")
        assert row["priority"] == str(task["priority"])
        assert taskfile.cell_tags(row["tags"]) == task["tags"]
    for line in csv.reader(io.StringIO(text, newline="")):
        for cell in line:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_ics_is_folded_by_octets_between_characters(nasty):
    raw = fetch(nasty, "ics").body
    assert raw.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert raw.endswith(b"END:VTODO\r\nEND:VCALENDAR\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # a fold inside a character would not


def test_ics_says_what_the_tasks_say(nasty):
    todos = taskfile.read_ics(fetch(nasty, "ics").body.decode())
    tasks = taskfile.exported(nasty)
    assert len(todos) == len(tasks)
    words = {"pending": "NEEDS-ACTION", "in_progress": "IN-PROCESS",
             "completed": "COMPLETED", "cancelled": "CANCELLED"}
    for todo, task in zip(todos, tasks):
        assert todo["UID"][1] == task["id"]
        title = re.sub(r"\r\n|\r", "\n", task["title"])
        assert taskfile.plain(todo["SUMMARY"][1]) == title
        assert todo["STATUS"][1] == words[task["status"]]
        assert todo["PRIORITY"][1] == str(task["priority"])
        assert int(todo["SEQUENCE"][1]) == task["version"] - 1
        assert taskfile.values(todo["CATEGORIES"][1] if task["tags"] else ""
                               ) == task["tags"]
        assert ("COMPLETED" in todo) == (task["completed_at"] is not None)
    by = {taskfile.plain(t["SUMMARY"][1]): t for t in todos}
    assert by["due a date"]["DUE"] == ("VALUE=DATE", "20300131")
    assert by["due a date"]["PERCENT-COMPLETE"][1] == "100"
    assert by["due an instant"]["DUE"] == ("", "20300131T073000Z")
    assert by["due local"]["DUE"] == ("TZID=Europe/Berlin",
                                      "20300131T093000")


def test_nobody_elses_and_nothing_of_the_trash(fresh):
    one, two = fresh(), fresh()
    kept, gone = one.task("kept"), one.task("gone")
    two.task("theirs")
    one.delete("/tasks/" + gone["id"])
    assert [t["id"] for t in taskfile.exported(one)] == [kept["id"]]


@pytest.mark.parametrize("form, empty", [
    ("json", b'{"tasks":[\n]}\n'), ("ndjson", b""),
    ("csv", ",".join(MEMBERS).encode() + b"\r\n"), ("ics", None)])
def test_nothing_is_a_file_too(fresh, form, empty):
    body = fetch(fresh(), form).body
    assert body.endswith(b"END:VCALENDAR\r\n") if empty is None \
        else body == empty


def test_filters_are_those_of_the_list(fresh):
    one = fresh()
    one.task("a", status="Done", tags=["home"], priority=1)
    one.task("b", tags=["home"], due_date="2020-01-01")
    one.task("milk")
    for query in ("&status=completed", "&tag=home", "&priority=1",
                  "&overdue=true", "&q=milk", "&due_before=2021-01-01",
                  "&created_after=2020-01-01", "&status=pending&tag=home"):
        assert [t["id"] for t in taskfile.exported(one, query)] == \
            [t["id"] for t in one.tasks("?" + query[1:])], query


@pytest.mark.parametrize("query, pointer", [
    ("format=xml", "?format"), ("format=CSV", "?format"),
    ("sort=title", "?sort"), ("limit=1", "?limit"),
    ("due_before=x", "?due_before"), ("status=x", "?status")])
def test_what_it_does_not_take(alice, query, pointer):
    reply = alice.get("/tasks/export?" + query, 400)
    assert pointer in reply.pointers()


def test_accept_is_not_asked(alice):
    alice.get("/tasks/export?format=csv", 200,
              headers=[("Accept", "text/csv")])


# --- of any length ----------------------------------------------------------

def test_many_pages_are_one_file_of_one_moment(dev, fresh):
    """Tasks made, moved and deleted meanwhile are in it as they were."""
    one = fresh()
    fill(one, 5000)
    done = threading.Event()

    def disturb():
        client = docket.Client(dev)
        while not done.is_set():
            task = client.post("/tasks", 201, json={"title": "new"},
                               token=one.access).json["task"]
            client.post("/tasks/order", 200, token=one.access, json={
                "task_id": task["id"], "before": "1"})
            client.delete("/tasks/" + task["id"], token=one.access)
        client.close()

    writer = threading.Thread(target=disturb)
    writer.start()
    try:
        for _ in range(3):
            numbers = [t["number"] for t in taskfile.exported(one)
                       if t["title"] != "new"]
            assert numbers == list(range(1, 5001))
    finally:
        done.set()
        writer.join()


def peak(pid):
    """kB that a process had at most since forget()."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", text, re.M)[1])


def forget(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def streamed(person, form="ndjson"):
    """(bytes, lines, kB that a worker grew by at most) of an export that is
    thrown away as it comes; a worker may be done long before."""
    dev = person.dev
    for pid in dev.workers():
        forget(pid)
    before = {pid: peak(pid) for pid in dev.workers()}
    connection = http.client.HTTPSConnection(
        dev.host, dev.port, context=dev.tls(), timeout=120)
    connection.request("GET", f"/tasks/export?format={form}", headers={
        "Authorization": f"Bearer {person.access}"})
    response = connection.getresponse()
    assert response.status == 200
    size = lines = 0
    while part := response.read(1 << 20):
        size += len(part)
        lines += part.count(b"\n")
    connection.close()
    return size, lines, max(peak(pid) - before[pid] for pid in before)


@pytest.mark.parametrize("n", [
    20000, pytest.param(1000000, marks=pytest.mark.long)])
def test_memory_does_not_grow_with_the_file(dev, fresh, n):
    one, two = fresh(), fresh()
    fill(one, 1000)
    small = streamed(one)[2]
    fill(two, n)
    start = time.monotonic()
    size, lines, most = streamed(two)
    took = time.monotonic() - start
    print(f"\n{n} tasks: {size} bytes in {took:.1f} s, a worker grew by "
          f"{most} kB (1,000 tasks: {small} kB)")
    assert lines == n
    if not SANITIZED:  # the sanitizers keep what was freed
        assert most < small + 4096


# --- cut off ----------------------------------------------------------------

def busy(dev, person):
    """Who reads for this person's export, in the database."""
    rows = dev.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
                   " AND objsubid = 1 AND ((classid::bigint << 32) |"
                   " objid::bigint) = hashtextextended('transfer ' ||"
                   " :'id', 0)", id=person.id)
    return [int(row[0]) for row in rows]


def begin(person, form="json"):
    """A request whose reply nobody reads yet."""
    dev = person.dev
    connection = http.client.HTTPSConnection(
        dev.host, dev.port, context=dev.tls(), timeout=60)
    connection.request("GET", f"/tasks/export?format={form}", headers={
        "Authorization": f"Bearer {person.access}"})
    return connection


def begun(own, person):
    """One that is at work. The worker that is asked may be the one whose
    connection the test before has ended: it says so, and is asked again."""
    for _ in range(12):
        connection = begin(person)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if busy(own, person):
                return connection
        connection.close()
    raise AssertionError("no export has begun")


@pytest.fixture(scope="module")
def held(own):
    """Whose export takes a while."""
    person = docket.person(own)
    fill(person, 100000)
    yield person
    person.close()


@pytest.mark.faults
@pytest.mark.parametrize("form", FORMATS)
def test_a_reply_that_breaks_does_not_end(own, held, form):
    """The database ends the session in the middle: no last chunk."""
    connection = begin(held, form)
    response = connection.getresponse()  # its first page is here
    assert response.status == 200
    own.sql("SELECT pg_terminate_backend(:'pid'::int)",
            pid=busy(own, held)[0])
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        body = response.read()
        raise AssertionError(f"{len(body)} bytes that look whole")
    connection.close()
    wait_until(lambda: "reply_cut" in own.log(), "said in the log")


@pytest.mark.faults
def test_who_goes_away_frees_the_worker(own, held):
    connection = begun(own, held)
    connection.close()
    wait_until(lambda: not busy(own, held), "it was given up", 10 * SLOW)
    held.get("/tasks?limit=1", 200)


@pytest.mark.faults
def test_a_slow_reader_holds_no_worker(own, held):
    """nginx takes what the client does not: the worker is done long before."""
    connection = begun(own, held)
    wait_until(lambda: not busy(own, held), "the worker is done", 30 * SLOW)
    assert len(json.loads(connection.getresponse().read())["tasks"]) == 100000
    connection.close()


@contextlib.contextmanager
def locked(dev, what, **values):
    """Advisory locks that somebody else has meanwhile."""
    command = [docket.psql(), "-X", "-q", "-A", "-t", "-d", dev.dsn]
    for name, value in values.items():
        command += ["-v", f"{name}={value}"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE)
    try:
        holder.stdin.write(f"SELECT {what};\n\\echo held\n")
        holder.stdin.flush()
        while holder.stdout.readline() != "held\n":
            pass
        yield
    finally:
        holder.stdin.close()
        holder.wait(120)


def test_one_of_a_user_at_a_time(dev, fresh):
    one, two = fresh(), fresh()
    with locked(dev, "pg_advisory_lock(hashtextextended('transfer ' ||"
                " :'id', 0))", id=one.id):
        for reply in (one.get("/tasks/export", 409),
                      one.post("/tasks/import", 409, body=b"[]")):
            assert reply.code == "transfer_in_progress"
        two.get("/tasks/export", 200)
        one.get("/tasks", 200)
    wait_until(lambda: one.get("/tasks/export", None).status == 200,
               "it is its turn")


def test_the_places_are_counted_over_all_users(dev, fresh):
    """A place is a lock in the database: take them all, and it is 503."""
    one = fresh()
    with locked(dev, "pg_advisory_lock(1953653094, s)"
                " FROM generate_series(1, 100) s"):
        assert one.get("/tasks/export", 503).code == "busy"
        assert one.post("/tasks/import", 503, body=b"[]").code == "busy"
    wait_until(lambda: one.get("/tasks/export", None).status == 200,
               "there is a place")


def test_the_file_is_from_now(fresh):
    one = fresh()
    task = one.task("x")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d")
    todo = taskfile.read_ics(fetch(one, "ics").body.decode())[0]
    assert todo["CREATED"][1] == re.sub(
        r"[-:]|\.\d+", "", task["created_at"])
    assert todo["DTSTAMP"][1].startswith(now[:6])


# --- a second opinion -------------------------------------------------------

ORACLE = """
import fs from "node:fs";
const { default: ICAL } = await import(process.argv[2]);
const jcal = ICAL.parse(fs.readFileSync(0, "utf8"));
const todos = new ICAL.Component(jcal).getAllSubcomponents("vtodo");
console.log(JSON.stringify(todos.map(t => {
  const of = name => t.getFirstPropertyValue(name);
  const due = t.getFirstProperty("due"), tags = t.getFirstProperty("categories");
  return {uid: of("uid"), title: of("summary"),
          description: of("description") ?? "", status: of("status"),
          priority: of("priority"), version: of("sequence") + 1,
          tags: tags ? tags.getValues() : [],
          due: due ? due.getFirstValue().toString() : null,
          zone: due ? due.getParameter("tzid") ?? null : null,
          created: of("created").toString()};
})));
"""


@pytest.fixture(scope="module")
def ical_js():
    """npm's ical.js, which Thunderbird reads calendars with."""
    directory = docket.ROOT / ".dev" / "ical"
    if not (directory / "node_modules" / "ical.js").exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private":true}\n')
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--save-exact", "ical.js@2.2.1"], cwd=directory, text=True,
            timeout=300, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    (directory / "oracle.mjs").write_text(ORACLE)
    return directory


@pytest.mark.long
def test_ical_js_reads_the_same(nasty, ical_js):
    module = ical_js / "node_modules" / "ical.js" / "dist" / "ical.js"
    done = subprocess.run(
        ["node", ical_js / "oracle.mjs", module.as_uri()], timeout=120,
        input=fetch(nasty, "ics").body, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found, tasks = json.loads(done.stdout), taskfile.exported(nasty)
    assert len(found) == len(tasks)
    words = {"pending": "NEEDS-ACTION", "in_progress": "IN-PROCESS",
             "completed": "COMPLETED", "cancelled": "CANCELLED"}
    for one, task in zip(found, tasks):
        lines = {m: re.sub("\r\n|\r", "\n", task[m])
                 for m in ("title", "description")}
        assert one["uid"] == task["id"]
        assert (one["title"], one["description"]) == (
            lines["title"], lines["description"])
        assert one["status"] == words[task["status"]]
        assert (one["priority"], one["version"]) == (task["priority"],
                                                     task["version"])
        # RFC 5545 §3.3.11 has the comma behind an escaped backslash divide:
        # 2.2.1 looks at one byte before it and takes it for an escaped one.
        if any(tag.endswith("\\") for tag in task["tags"][:-1]):
            assert one["tags"] != task["tags"], "ical.js has learnt it"
        else:
            assert one["tags"] == task["tags"]
        due = re.sub(r"\.\d+", "", task["due_date"] or "") or None
        assert one["due"] == due
        assert one["zone"] == task["due_timezone"]
        assert one["created"] == re.sub(r"\.\d+", "", task["created_at"])
