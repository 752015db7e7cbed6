#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""What gcov counted in a build tree, by room, against the limits.

Prints a line "ok ..." or "not ok ..." a limit. tests/coverage.txt names the
branches that no test can take, each with its reason.
"""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/coverage.txt"
LINES_LEAST = 90.0

# The rules on which security hangs: every branch of them is taken.
RULES = [
    "src/core/token.c", "src/core/signed.c", "src/core/jose.c",
    "src/core/ring.c", "src/core/keyfile.c", "src/core/ring_turn.c",
    "src/core/memo.c", "src/base/ecdsa.c",
    "src/core/otp.c", "src/core/country.c", "src/core/password.c",
    "src/core/refresh.c", "src/core/hash.c", "src/core/common.c",
    "src/core/argon2.c", "src/core/bcrypt.c",
    "src/store/sessions.c", "src/store/who.c", "src/web/access.c",
    "src/store/idempotency.c",
    "src/core/pass.c", "src/web/cookie.c",
]


class Source:
    """A file's lines and branches: how often each was run."""

    def __init__(self, path):
        self.path = path
        self.lines = {}
        self.branches = {}
        self.text = (ROOT / path).read_text().splitlines()

    def add(self, line):
        number = line["line_number"]
        self.lines[number] = self.lines.get(number, 0) + line["count"]
        taken = [b["count"] for b in line["branches"] if not b["throw"]]
        known = self.branches.setdefault(number, taken)
        if known is not taken and len(known) == len(taken):
            self.branches[number] = [a + b for a, b in zip(known, taken)]

    def missed(self):
        """{line number: branches not taken}"""
        return {n: sum(not count for count in taken)
                for n, taken in self.branches.items() if not all(taken)}


def gather(build):
    """{path: Source} of everything under src/."""
    sources = {}
    for note in sorted((build / "src").rglob("*.gcno")):
        count = note.with_suffix(".gcda")
        if count.exists() and not count.stat().st_size:
            count.unlink()  # of a program that was never run: all zero
        done = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities",
             note], cwd=build, capture_output=True, text=True, check=True)
        for file in json.loads(done.stdout)["files"]:
            name = pathlib.Path(build, file["file"]).resolve()
            if ROOT / "src" not in name.parents:
                continue
            name = str(name.relative_to(ROOT))
            source = sources.setdefault(name, Source(name))
            for line in file["lines"]:
                source.add(line)
    return sources


def never_run(sources):
    """Files of which not a line was run."""
    return sorted(path for path, source in sources.items()
                  if source.lines and not any(source.lines.values()))


class Exclusion:
    """A row of tests/coverage.txt: FILE | CODE | BRANCHES | REASON."""

    def __init__(self, row, number):
        words = [word.strip() for word in row.split(" | ")]
        assert len(words) == 4 and all(words), f"line {number}: {row}"
        self.path, self.code, self.most, self.reason = words
        self.most, self.used = int(self.most), 0
        self.number = number


def exclusions():
    return [Exclusion(row, number) for number, row in enumerate(
        LIST.read_text().splitlines(), 1) if row and row[0] != "#"]


def excuse(source, known):
    """The branches that are missed without a row that says why."""
    left = {}
    for number, missed in sorted(source.missed().items()):
        code = source.text[number - 1].strip()
        for row in known:
            if row.path == source.path and row.code == code:
                took = min(missed, row.most - row.used)
                row.used += took
                missed -= took
        if missed:
            left[number] = missed
    return left


def share(part, whole):
    return 100.0 * part / whole if whole else 100.0


def room_of(path):
    return path.split("/")[1] if path.count("/") > 1 else "main"


def table(sources):
    rooms = collections.defaultdict(lambda: [0, 0, 0, 0])
    for source in sources.values():
        taken = [t for b in source.branches.values() for t in b]
        numbers = [sum(1 for n in source.lines.values() if n),
                   len(source.lines), sum(1 for t in taken if t), len(taken)]
        for key in (room_of(source.path), "all"):
            rooms[key] = [a + b for a, b in zip(rooms[key], numbers)]
    print(f"{'room':<10}{'lines':>16}{'':>8}{'branches':>16}")
    for name in sorted(rooms, key=lambda n: (n == "all", n)):
        a, b, c, d = rooms[name]
        print(f"{name:<10}{a:>8}/{b:<7}{share(a, b):>6.1f} %"
              f"{c:>8}/{d:<7}{share(c, d):>6.1f} %")
    return rooms["all"]


def judge(good, what):
    print(f"{'ok' if good else 'not ok'} {what}")
    return good


def main():
    build = pathlib.Path(sys.argv[1])
    sources = gather(build)
    absent = never_run(sources)
    run, lines, _, _ = table(sources)
    judge(not absent, "every file was run" + "".join(
        f"\n    {path}" for path in absent))
    judge(share(run, lines) >= LINES_LEAST,
          f"lines: {share(run, lines):.1f} %, at least {LINES_LEAST} %")
    known = exclusions()
    for path in RULES:
        left = excuse(sources[path], known)
        total = sum(len(b) for b in sources[path].branches.values())
        excused = sum(row.used for row in known if row.path == path)
        judge(not left, f"branches of {path}: {total}, {excused} excused, "
              f"{sum(left.values())} missed" + "".join(
                  f"\n    {number}: {n} of "
                  f"{len(sources[path].branches[number])}: "
                  f"{sources[path].text[number - 1].strip()}"
                  for number, n in left.items()))
    stale = [row for row in known if row.used < row.most]
    judge(not stale, f"excused branches: {sum(r.used for r in known)} in "
          f"{len(known)} rows of tests/coverage.txt" + "".join(
              f"\n    row {row.number} excuses {row.most}, {row.used} are "
              f"missed: {row.code}" for row in stale))


main()
