# SPDX-License-Identifier: AGPL-3.0-or-later
"""./dev bench --scale: what a request costs when there are many more rows, and
what it costs somebody who has many more tasks."""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORKLOADS = {
    "list": "a user's 20 newest tasks",
    "get": "one task",
    "find": "the task with a number in its title, by `q`",
    "status": "change a task's status, durable",
    "create": "a new task, durable",
}
SORTS = ["position", "number", "created_at", "due_date"]
SMALL = 100000		# rows
EACH = 100		# tasks of a user but one
HOT = 1000		# users: as many as the small table has
HEAD = "## At scale"


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench --scale",
                                     allow_abbrev=False)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs")
    return parser.parse_args()


class Database:
    """One of the two: who is in it and what a request takes."""

    def __init__(self, name, users):
        sockets = os.environ["DEV_SOCKETS"]
        self.dsn = f"host={sockets}/pg user=docket_api dbname={name}"
        self.users = users

    def took(self, workload, seconds, users, tasks, first, count):
        """Microseconds of a request, one after the other."""
        done = subprocess.run(
            [pathlib.Path(os.environ["DEV_PROGRAMS"]) / "statements",
             self.dsn, workload, str(seconds), "1", str(users), str(tasks),
             str(first), str(count)], input="\n", text=True,
            capture_output=True)
        if done.returncode:
            sys.exit(f"bench: {workload}: {done.stderr}")
        found = json.loads(done.stdout.splitlines()[-1])
        return found["us"] / max(1, found["requests"])

    def any_of(self, workload, seconds, count):
        return self.took(workload, seconds, self.users, EACH, 1, count)


def measured(args):
    """{case: {where: [microseconds of each round]}}, everything in turn."""
    small = Database("docket", SMALL // EACH)
    large = Database("docket_large", args.rows * 9 // 1000)
    rows = {name: {"small": [], "hot": [], "uniform": []}
            for name in WORKLOADS}
    pages = {f"{depth}-{sort}": {"few": [], "many": []}
             for depth in ("first", "deep") for sort in SORTS}
    for turn in range(args.rounds):
        for name, found in rows.items():
            print(f"round {turn + 1}: {name}", flush=True)
            for where, base, count in (("small", small, HOT),
                                       ("hot", large, HOT),
                                       ("uniform", large, large.users)):
                found[where].append(base.any_of(name, args.seconds, count))
        for name, found in pages.items():
            print(f"round {turn + 1}: {name}", flush=True)
            found["few"].append(large.took(name, args.seconds, large.users,
                                           EACH, 1, 1))
            found["many"].append(large.took(
                name, args.seconds, 1, args.rows // 10, large.users + 1, 1))
    return {"rows": rows, "pages": pages, "args": {
        "rows": args.rows, "seconds": args.seconds, "rounds": args.rounds},
        "facts": machine.facts(), "date": time.strftime("%Y-%m-%d")}


def middle(found):
    return statistics.median(found)


def ratio(found, above, below):
    """The median of the rounds' own: those were measured side by side."""
    return statistics.median(a / b for a, b in zip(found[above],
                                                   found[below]))


def section(figures):
    args = figures["args"]
    total, big = f"{args['rows']:,}", f"{args['rows'] // 10:,}"
    out = [f"""{HEAD}

Made by `./dev bench --scale --report` on {figures['date']}, {args['rounds']} \
rounds of {args['seconds']} s; {figures['facts']['cpu'].strip()},
{figures['facts']['cores']} cores, {figures['facts']['memory']} GiB. \
Microseconds of Docket's own statements from a loop
without HTTP, one at a time, so that nothing hides what the rows cost. Data
are those of `./dev seed-data`: users with {EACH} tasks each.

{SMALL:,} tasks against {total}: *hot* asks for {HOT:,} users, as many as the
small table has; *uniform* for all of them in turn, whose pages memory may not
have.

| | {SMALL:,} | {total}, hot | {total}, uniform | hot | uniform |
|---|--:|--:|--:|--:|--:|"""]
    for name, found in figures["rows"].items():
        out.append(
            f"| **{name}**: {WORKLOADS[name]} | {middle(found['small']):.0f}"
            f" | {middle(found['hot']):.0f} | {middle(found['uniform']):.0f}"
            f" | {ratio(found, 'hot', 'small'):.2f}"
            f" | {ratio(found, 'uniform', 'small'):.2f} |")
    out.append(f"""
A page of 20 of a user with {EACH} tasks, and of one with {big}, in the large
table: the first, and one from anywhere.

| | {EACH} tasks | {big} tasks | ratio |
|---|--:|--:|--:|""")
    for name, found in figures["pages"].items():
        depth, sort = name.split("-")
        out.append(f"| {depth} page by `{sort}` | {middle(found['few']):.0f}"
                   f" | {middle(found['many']):.0f}"
                   f" | {ratio(found, 'many', 'few'):.2f} |")
    return "\n".join(out) + "\n"


def kept(text):
    """The section in a report that is there already."""
    found = re.search(rf"^{HEAD}\n.*?(?=^## |\Z)", text, re.M | re.S)
    return found[0] if found else ""


def put(text, part):
    """A report with this section, before what was set."""
    text = text.replace(kept(text), "") if kept(text) else text
    head, mark, tail = text.partition("## What was set")
    return f"{head}{part.rstrip()}\n\n{mark}{tail}"


def main():
    args = arguments()
    figures = measured(args)
    state = pathlib.Path(os.environ["DEV_DIR"])
    (state / "scale.json").write_text(json.dumps(figures))
    part = section(figures)
    print(part)
    if args.report:
        path = args.output / "performance.md"
        path.write_text(put(path.read_text(), part))
        print(f"Written: {path}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
