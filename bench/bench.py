# SPDX-License-Identifier: AGPL-3.0-or-later
"""The measurements of ./dev bench on an instance that runs."""

import argparse
import json
import pathlib
import signal
import sys
import time

import load
import machine
import measure
import peers
import report
import seeded
import table
from instance import Instance


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", allow_abbrev=False)
    parser.add_argument("--spec", type=pathlib.Path)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workloads", default=",".join(measure.WORKLOADS))
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--output", type=pathlib.Path,
                        default=report.ROOT / "docs")
    parser.add_argument("--figures", type=pathlib.Path)
    parser.add_argument("--peers", type=pathlib.Path)
    args = parser.parse_args()
    args.workloads = args.workloads.split(",")
    for name in args.workloads:
        if name not in measure.WORKLOADS:
            parser.error(f"no workload {name}: " + " ".join(
                measure.WORKLOADS))
    return args


def say(text):
    """Progress: on one line of a terminal, else a line each."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


def measured(instance, args):
    bench = measure.Bench(instance, args, say)
    try:
        found = bench.run()
    finally:
        bench.stop()
    if sys.stdout.isatty():
        say("")
    return {**found, "facts": machine.facts(), "date": time.strftime(
        "%Y-%m-%d"), "settings": instance.settings, "run": {
        "seconds": args.seconds, "rounds": args.rounds, "users": args.users,
        "connections": args.connections, "tasks": args.tasks,
        "logins": bench.logins}}


def measured_now(args):
    """The figures of a run, kept for another report."""
    instance = Instance(args.users, args.tasks)
    instance.seeded()
    if args.spec:
        seeded.write_spec(args.spec, instance.state, instance.tokens)
        return None
    figures = measured(instance, args)
    (instance.state / "figures.json").write_text(json.dumps(figures))
    return figures


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = arguments()
    others = peers.load(args.peers) if args.peers else None
    try:
        figures = json.loads(args.figures.read_text()) if args.figures \
            else measured_now(args)
    except (load.Broken, AssertionError) as error:
        print(f"\nbench: {error}", file=sys.stderr)
        return 1
    if not figures:
        return 0
    print(table.text(figures))
    if args.report:
        report.write(args.output, figures, others)
        print(f"\nWritten: {args.output / 'performance.md'}")
    return 1 if table.failed(figures) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
