# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log as JSON and as the journal has it, and the catalog of its notable
events."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import docket
import instance
from docket import ROOT, Client, wait_until
from tables import EVENTS

TABLE = dict(re.findall(r'^NOTABLE\("(\w+)",\s*"([0-9a-f]{32})"\)$',
                        (ROOT / "include/tbl/journal.h").read_text(), re.M))
CATALOG = (ROOT / "share/docket.catalog").read_text()
# What stands in front of an event's own members.
OURS = {"time", "level", "program", "process", "event", "text", "cut"}


def sources():
    return {path: path.read_text() for path in (ROOT / "src").rglob("*.c")}


# --- JSON -----------------------------------------------------------------

def whole_lines(text):
    """Without the one that is being written just now."""
    return text[:text.rindex("\n")].split("\n")


@pytest.fixture(scope="module")
def told():
    """The log of an instance that saw requests, a bad login, a reload that
    was refused and a stop; all of it is JSON."""
    with instance.running("server.workers=2", "server.log_format=json") as one:
        client = Client(one)
        client.get("/tasks", 401, headers=[
            ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
            ("X-Request-Id", "mine-1")])
        client.post("/auth", 401, json={"username": "no\n\"one\x07",
                                        "password": "x"},
                    headers=[("X-Request-Id", "mine-2")])
        client.get("/%22%2c%22level%22%3a%22", 404)
        client.close()
        path = one.dir / "docket.conf"
        good = path.read_text()
        path.write_text(good + '\nrubbish = "a b"\n')
        os.kill(one.supervisor(), signal.SIGHUP)
        wait_until(lambda: all(word in one.log() for word in (
            "reload_refused", "mine-1", "mine-2", "login_failed"))
            and "\n" in one.log("docket-courier"), "the log")
        path.write_text(good)
        lines = whole_lines(one.log())
        courier = whole_lines(one.log("docket-courier"))
    return [json.loads(line, object_pairs_hook=docket.unique)
            for line in lines + courier]


def test_every_line_is_an_object(told):
    assert {one["program"] for one in told} == {"docketd", "docket-courier"}
    for line in told:
        assert list(line)[:5] == ["time", "level", "program", "process",
                                  "event"], line
        assert docket.INSTANT.match(line["time"]), line
        assert line["level"] in ("error", "warn", "info"), line


def test_a_request_is_a_line(told):
    line = next(one for one in told if one.get("rid") == "mine-1")
    assert line["event"] == "request" and line["process"].startswith("main.")
    assert (line["method"], line["route"], line["status"]) == (
        "GET", "getAllTasks", 401)
    assert isinstance(line["us"], int)
    assert line["trace"] == "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    others = [one for one in told if one["event"] == "request"
              and one.get("rid") != "mine-1"]
    assert others and not any("trace" in one for one in others)


def test_events_have_their_members(told):
    ready = next(one for one in told if one["event"] == "ready")
    assert ready["main"] == 2 and ready["how"] == "Serving"
    refused = [one for one in told if one["event"] == "reload_refused"]
    assert any("rubbish" in one["why"] for one in refused), refused
    failed = next(one for one in told if one["event"] == "login_failed")
    assert failed["ip"] == "127.0.0.1" and failed["route"] == \
        "authenticateUser"


# --- the table ------------------------------------------------------------

def test_every_notable_event_is_one(told):
    """It is logged somewhere, or is a row of tbl/events.h."""
    said = set(re.findall(r'"(\w+)"', "\n".join(sources().values())))
    for event in TABLE:
        assert event in said | set(EVENTS), event
    assert len(set(TABLE.values())) == len(TABLE)


def test_no_key_is_one_of_ours():
    """A member of an event that hides who said it."""
    for path, text in sources().items():
        for call in re.findall(r"log_(?:event|later)\((.*?)\);", text, re.S):
            format = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call))
            keys = set(re.findall(r'(\w+)=(?:\\"|%)', format))
            assert not keys & OURS, f"{path}: {keys & OURS}"


def test_an_id_that_a_page_shows_is_one():
    told = {(page.name, one) for page in (ROOT / "docs").glob("*.md")
            for one in re.findall(r"MESSAGE_ID=(\w+)", page.read_text())}
    assert told
    for page, one in told:
        assert one in TABLE.values(), page


# --- the catalog ----------------------------------------------------------

def entries():
    """{id: (header, text)}."""
    parts = re.split(r"^-- ([0-9a-f]{32})$", CATALOG, flags=re.M)[1:]
    return {id: tuple(text.strip().split("\n\n", 1))
            for id, text in zip(parts[::2], parts[1::2])}


def test_the_catalog_has_every_event_and_no_other():
    assert set(entries()) == set(TABLE.values())
    for header, text in entries().values():
        assert re.search(r"^Subject: \S", header, re.M)
        assert "Defined-By: docket" in header
        assert len(text) > 40


def strings(code):
    return re.findall(r'"((?:[^"\\]|\\.)*)"', code)


def keys_of():
    """{event: the keys that every call which logs it has}; a call that is
    told the event logs those that its file names elsewhere."""
    found = {}
    for text in sources().values():
        calls = re.findall(r"log_(?:event|later)\((.*?)\);", text, re.S)
        named = {one for call in calls for one in strings(call)}
        told = set(strings(text)) - named
        for call in calls:
            said = set(strings(call))
            keys = set(re.findall(r"(\w+)=", " ".join(said)))
            for event in (said & set(TABLE) or told & set(TABLE)):
                found[event] = found.get(event, keys) & keys
    return found


def test_an_entry_names_fields_that_its_event_has():
    """journalctl would print the field's name instead."""
    keys, n = keys_of(), 0
    assert len(keys) > 10
    for event, id in TABLE.items():
        for field in re.findall(r"@(\w+)@", entries()[id][1]):
            assert field.startswith("DOCKET_"), field
            assert field.removeprefix("DOCKET_").lower() in keys[event], \
                (event, field)
            n += 1
    assert n > 8


def test_the_catalog_names_sections_of_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    named = re.findall(r"\b(Docket[A-Z]\w+)", CATALOG)
    assert len(named) > 5
    for one in named:
        assert f"\n## {one}\n" in runbook, one


@pytest.mark.skipif(not shutil.which("journalctl"),
                    reason="no journalctl here")
def test_journalctl_reads_the_catalog(tmp_path):
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "share/docket.catalog", folder)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    for words in (["--update-catalog"], ["--dump-catalog"]):
        done = subprocess.run(["journalctl", f"--root={tmp_path}", *words],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    for id, (header, text) in entries().items():
        assert f"-- {id}" in done.stdout
        assert text in done.stdout
