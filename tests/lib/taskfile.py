# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files of tasks as a client sees them: sent, fetched, read by other code."""

import csv
import io
import json
import re

TYPES = {"json": "application/json", "ndjson": "application/x-ndjson",
         "csv": "text/csv", "ics": "text/calendar"}
FORMATS = list(TYPES)
MEMBERS = ["id", "number", "title", "description", "status", "priority",
           "due_date", "due_timezone", "tags", "position", "version",
           "created_at", "updated_at", "completed_at"]
# What an import makes anew.
OWN = {"id", "number", "position"}


def fetch(person, form="json", query="", expect=200):
    return person.get(f"/tasks/export?format={form}{query}", expect)


def send(person, form, body, expect=200, query="", **more):
    body = body.encode() if isinstance(body, str) else body
    return person.post("/tasks/import" + query, expect, body=body,
                       type=TYPES[form], **more)


def told(reply):
    """[(line, pointer, code)] of a report."""
    report = reply.json.get("report", reply.json)
    return [(e["line"], e["pointer"], e["code"]) for e in report["errors"]]


def read_csv(text):
    """RFC 4180, the formula guard taken off."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return [{name: re.sub(r"^'(?='*[=+\-@\t\r])", "", cell)
             for name, cell in zip(rows[0], row, strict=True)}
            for row in rows[1:]]


def read_ics(text):
    """[{property: (parameters, value)}] of the VTODOs, by hand: no folding,
    escapes as they are."""
    todos, todo = [], None
    for line in text.replace("\r\n ", "").split("\r\n"):
        name, _, value = line.partition(":")
        name, _, parameters = name.partition(";")
        if line == "BEGIN:VTODO":
            todo = {}
        elif line == "END:VTODO":
            todos.append(todo)
            todo = None
        elif todo is not None:
            todo[name] = (parameters, value)
    return todos


def plain(value):
    """A TEXT value of RFC 5545 without its escapes."""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def values(value):
    """The TEXT values that commas divide: escapes are taken from the left, so
    that an escaped backslash escapes nothing (RFC 5545 §3.3.11)."""
    parts = re.findall(r"((?:\\.|[^\\,])*)(?:,|$)", value)[:-1]
    return [plain(part) for part in parts]


def cell_tags(cell):
    """Tags of a CSV cell: \\, and \\\\ inside, nothing else escapes."""
    parts = re.findall(r"((?:\\.|[^\\,])*)(?:,|$)", cell)[:-1]
    return [re.sub(r"\\(.)", r"\1", part) for part in parts]


def comparable(tasks):
    return [{k: v for k, v in task.items() if k not in OWN}
            for task in tasks]


def exported(person, query=""):
    """The tasks of a JSON export."""
    return json.loads(fetch(person, "json", query).body)["tasks"]
