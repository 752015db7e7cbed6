# SPDX-License-Identifier: AGPL-3.0-or-later
"""The program's tables, read from include/tbl as the compiler reads them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_errors():
    """tbl/errors.h as {code: (status, title, detail)}."""
    text = (ROOT / "include/tbl/errors.h").read_text()
    row = re.compile(r'^ERROR\(E_\w+,\s*(\d+),\s*"(\w+)",\s*"\w+",'
                     r'\s*"([^"]*)",\s*"([^"]*)"\)', re.M)
    return {m[2]: (int(m[1]), m[3], m[4]) for m in row.finditer(text)}


def load_oauth():
    """tbl/errors.h as {code: error of RFC 6749 section 5.2}."""
    text = (ROOT / "include/tbl/errors.h").read_text()
    return dict(re.findall(r'^ERROR\(E_\w+,\s*\d+,\s*"(\w+)",\s*"(\w+)"',
                           text, re.M))


ERRORS = load_errors()
OAUTH = load_oauth()


def load_settings():
    """tbl/settings.h as {"section.key": (type, default)}."""
    text = (ROOT / "include/tbl/settings.h").read_text()
    return {f"{m[1]}.{m[2]}": (m[3], m[4]) for m in re.finditer(
        r'^SETTING\((\w+),\s*(\w+),\s*(\w+),\s*"([^"]*)"', text, re.M)}


SETTINGS = load_settings()
# Files that hold secrets: all that settings name but certificates.
SECRET_FILES = [name for name in SETTINGS
                if name.endswith("_file") and name != "courier.ca_file"]


class Route:
    """A row of tbl/routes.h: the columns that tests ask for."""

    def __init__(self, columns):
        (self.method, path, canonical, access, scope, _, group, flags,
         self.body,
         self.query, status, self.reply, self.rate, self.handler, operation,
         self.summary) = columns
        self.path, self.operation = path.strip('"'), operation.strip('"')
        self.canonical = None if canonical == "NULL" \
            else canonical.strip('"')
        self.scope = {"TASKR": "tasks:read", "TASKW": "tasks:write",
                      "NULL": None}.get(scope, scope.strip('"'))
        # A key is one way more into a row for admins.
        self.or_key = access.endswith("_OR_KEY")
        self.access = access.removeprefix("ACCESS_").removesuffix("_OR_KEY")
        self.group = group.removeprefix("GROUP_")
        self.flags = set(re.findall(r"ROUTE_\w+", flags))
        self.status = int(status)

    @property
    def takes_body(self):
        return self.body != "fields_none"

    @property
    def takes_file(self):
        """A body of a task file's type, which no list of fields describes."""
        return "ROUTE_FILE" in self.flags and self.method == "POST"

    @property
    def oauth(self):
        return "ROUTE_OAUTH" in self.flags

    def at(self, ref=10 ** 18 - 1):
        """Without a ref: of a number that nothing and nobody has."""
        return self.path.replace("{id}", str(ref))

    def __str__(self):
        return f"{self.method} {self.path}"


def load_routes():
    text = (ROOT / "include/tbl/routes.h").read_text()
    for name, flags in re.findall(r"^#define (LIST|TASK)\s+(.+)$", text,
                                  re.M):
        text = re.sub(rf"\b{name}\b(?=[ ,|])", flags, text)
    column = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",]+)\s*(?:,|$)')
    return [Route([c.strip() for c in column.findall(row)])
            for row in re.findall(r"^ROUTE\((.*)\)$", text, re.M)]


ROUTES = load_routes()


class Event:
    """A row of tbl/events.h."""

    def __init__(self, where, level, ban, doc):
        self.trail, self.line = where != "LINE", where != "TRAIL"
        self.level, self.ban, self.doc = level, ban == "BAN", doc


def load_events():
    text = (ROOT / "include/tbl/events.h").read_text()
    row = re.compile(r'^EVENT\((\w+),\s*(\w+),\s*(\w+),\s*(\w+),'
                     r'\s*"([^"]*)"\)$', re.M)
    return {m[1]: Event(m[2], m[3], m[4], m[5]) for m in row.finditer(text)}


EVENTS = load_events()


class Family:
    """A row of tbl/metrics.h."""

    def __init__(self, name, kind, unit, labels, help):
        self.name, self.type, self.unit = name, kind.lower(), unit
        self.labels = [one for one in labels.split(",") if one]
        self.help = help


def load_families():
    text = (ROOT / "include/tbl/metrics.h").read_text()
    row = re.compile(r'^FAMILY\(\w+, "(\w+)", (\w+), "(\w*)", "([\w,]*)",'
                     r' "([^"]*)"\)$', re.M)
    return {m[1]: Family(*m.groups()) for m in row.finditer(text)}


FAMILIES = load_families()
