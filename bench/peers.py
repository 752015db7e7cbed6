# SPDX-License-Identifier: AGPL-3.0-or-later
"""Other stacks with the same API, as another harness measured them.

Its file is a JSON list of {"workload": ..., "stack": ..., "rounds": [{"rps",
"cpu", "front", "app", "pg", "p50", "p99", "other"}, ...]}, CPU and latencies
in microseconds; rounds of the same index ran one after the other. One of the
stacks is "docket".
"""

import json

import goals
from measure import median, ratio

WORKLOADS = {"w1": "list", "w2": "get", "w3": "create", "w4": "status",
             "list": "list", "get": "get", "create": "create",
             "status": "status", "mix": "mix"}
STACKS = {
    "go": "Go, net/http and pgx",
    "go-direct": "Go by itself, without nginx",
    "fastapi": "FastAPI, response models",
    "fastapi-tuned": "FastAPI, plain dicts and ujson",
    "flask": "Flask, gunicorn",
    "fastify": "Fastify, node cluster",
}


def load(path):
    """{workload: {stack: rounds}}, Docket first; ceilings left out."""
    found = {}
    for row in json.loads(path.read_text()):
        name = WORKLOADS.get(row["workload"])
        if name and (row["stack"] in STACKS or row["stack"] == "docket"):
            found.setdefault(name, {})[row["stack"]] = row["rounds"]
    for name, stacks in found.items():
        if "docket" not in stacks:
            raise ValueError(f"{path}: {name} has no stack docket")
    return {name: {"docket": stacks["docket"], **stacks}
            for name, stacks in found.items()}


def against(stacks, stack):
    """Docket's requests a second, CPU and p99 in terms of another's."""
    both = stacks["docket"], stacks[stack]
    return {
        "rps": ratio(both, lambda a, b: a["rps"] / b["rps"]),
        "cpu": ratio(both, lambda a, b: a["cpu"] / max(1e-9, b["cpu"])),
        "p99": ratio(both, lambda a, b: a["p99"] / max(1e-9, b["p99"])),
    }


def row(stacks, stack):
    rounds = stacks[stack]
    x = against(stacks, stack)
    own = stack == "docket"
    ratios = ["", "", ""] if own else [
        f"{x['rps']:.2f}", f"{x['cpu']:.2f}", f"{x['p99']:.2f}"]
    return "| " + " | ".join([
        "**Docket**" if own else STACKS[stack], f"{median(rounds, 'rps'):.0f}",
        f"{median(rounds, 'p50') / 1000:.1f} /"
        f" {median(rounds, 'p99') / 1000:.1f}",
        f"{median(rounds, 'cpu'):.0f} ({median(rounds, 'front'):.0f} /"
        f" {median(rounds, 'app'):.0f} / {median(rounds, 'pg'):.0f})",
        *ratios, f"{median(rounds, 'other'):.0f}"]) + " |"


def judged(found):
    """(figure, value, goal, least?) as table.judged gives them."""
    rows = []
    for name, stacks in found.items():
        for stack in stacks:
            x = against(stacks, stack)
            for what, key, table, least in (
                    ("requests a second", "rps", goals.OTHERS_RPS, True),
                    ("CPU a request", "cpu", goals.OTHERS_CPU, False)):
                goal = table.get(stack, {}).get(name)
                if goal:
                    rows.append((f"{name}: {what} against {STACKS[stack]}",
                                 x[key], goal, least))
    return rows


def text(found):
    """The section of the report."""
    out = []
    for name, stacks in found.items():
        out += [f"\n### {name}\n",
                "| | req/s | p50 / p99 ms | CPU µs (front / app / pg) |"
                " Docket's req/s : theirs | Docket's CPU : theirs |"
                " Docket's p99 : theirs | oth% |",
                "|---|--:|--:|--:|--:|--:|--:|--:|"]
        out += [row(stacks, stack) for stack in stacks]
    return "\n".join(out)
