# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/performance.md: the figures, and all that is needed to read them."""

import pathlib

import goals
import peers
import plot
import scale
from measure import median, ratios
from table import (OTHER_LIMIT, TARGETS, WORKLOADS, errors, failed, fair_text,
                   judged, memory_text, noisy, number, rate)

ROOT = pathlib.Path(__file__).resolve().parents[1]

HEAD = """# Performance

Made by `./dev bench --report` on {date}: do not edit it by hand, make it
again. It shows what Docket does on one machine beside the most that nginx and
PostgreSQL could do there with nothing between them, measured in the same run.
{warning}"""

READ = """## How to read it

Absolute figures belong to the machine and to the hour: the same program on
the same machine moves by half between a quiet and a busy one. Ratios within
one run hold far better, because everything in a workload is measured in turn,
round after round; the tables show the median of the rounds. So compare
ratios, and rather CPU time a request than requests a second.

- **CPU µs** is user and system time of all processes of a part, those that
  ended meanwhile included, divided by the requests: `front` is nginx, `app`
  is `docketd`, `pg` is PostgreSQL.
- **F** is the least CPU a request can cost behind nginx: that of *nginx
  alone*, which answers with a constant of the same size over the same TLS,
  and that of PostgreSQL for the *least SQL* that reads or writes the same
  rows. **cpu/F** says how many times that Docket spends. 1 cannot be reached.
- **C** = 1 / (1 / req/s of nginx alone + 1 / req/s of the least SQL): the
  requests a second if those two shared the machine and nothing came between.
  **rps/C** is the share of it that Docket reaches.
- *nginx, constant FastCGI* adds an application that answers with bytes that
  were ready before, over kept connections: the price of having one at all.
- *PostgreSQL, Docket's SQL* runs the statements that Docket runs, with the
  check that the user and the session still stand, from a loop without HTTP.
- **oth%** is the share of the machine that other programs took. Above
  {limit} do not trust a row; repeat the run.
- Latencies are those of a closed loop at saturation: {connections} clients that ask
  again as soon as they are answered. A service with room to spare answers
  sooner. pgbench tells only the mean, which stands under p50.
- Everything runs on the one machine, the load generator too. PostgreSQL is
  durable: `fsync`, `full_page_writes` and `synchronous_commit` are on.
"""

WHERE = """## Where it goes

CPU µs a request, part by part: *hop* is what a constant FastCGI reply costs more
than nginx alone, *more SQL* what Docket's statements cost more than the least
ones: the check of user and session in all, and for writes the counter and the
log behind `/tasks/changes`. *Rest* is the worker's own work (token, libpq, JSON,
log line) and what all parts lose by turns on the same cores: their code and data
leave the caches, and a request wakes three processes. *Good leaves* is what the
goal of that name, times F, has for the rest. *× own SQL* is the sum by that of
nginx and Docket's own statements: F, were it made of the SQL that is run.

| | nginx | least SQL | hop | more SQL | rest | sum | good leaves | × own SQL |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""

AGAIN = """## Do it again

```
./dev bench --report{options}
```

It installs what is missing (`wrk`, `python3`), builds Docket, starts an
instance of its own in `.dev/bench` with {users} users of {tasks} tasks each, measures,
writes this file and `performance.svg`, and leaves nothing running. On a
machine with other work the figures are worth little. `./dev help` lists the
options; the figures of a run are kept in `.dev/bench/figures.json`.
"""


def heading(figures):
    warning = []
    if noisy(figures) > OTHER_LIMIT:
        warning.append(
            f"\n**Other programs took up to {noisy(figures):.0f} % of the"
            " machine in this run: repeat it when they do not.**\n")
    for workload, target in failed(figures):
        warning.append(f"\n**{workload}, {TARGETS[target]}: requests were"
                       " refused or lost; that row is worth nothing.**\n")
    return HEAD.format(date=figures["date"], warning="".join(warning))


def short(figures):
    """One row a workload that has both ceilings."""
    out = ["## In short\n",
           "| | req/s | p50 / p99 ms | CPU µs (front / app / pg) |"
           " cpu/F | rps/C |", "|---|--:|--:|--:|--:|--:|"]
    for name, rows in figures["rows"].items():
        of, own = ratios(rows), rows["docket"]
        if of:
            out.append(
                f"| **{name}**: {WORKLOADS[name]} |"
                f" {rate(own)} | {median(own, 'p50'):.1f} /"
                f" {median(own, 'p99'):.1f} | {cpu(own)} |"
                f" {of['cpu_f']:.2f} | {of['rps_c']:.2f} |")
    if len(out) == 3:
        return ""
    return "\n".join(out) + "\n\n![CPU time a request beside the least it" \
        " can cost](performance.svg)\n"


def upper(words):
    return words[0].upper() + words[1:]


def cpu(rounds):
    if median(rounds, "cpu") is None:
        return "-"
    return (f"{median(rounds, 'cpu'):.0f} ({median(rounds, 'front'):.0f} /"
            f" {median(rounds, 'app'):.0f} / {median(rounds, 'pg'):.0f})")


def judgement(rows):
    out = ["| figure | here | must | good | near the limit | reached |",
           "|---|--:|--:|--:|--:|---|"]
    for what, value, goal, least in rows:
        sign = "≥" if least else "≤"
        limits = " | ".join(f"{sign} {limit:g}" for limit in goal)
        out.append(f"| {what} | {value:.2f} | {limits} |"
                   f" {goals.grade(value, goal, least)} |")
    return "\n".join(out) + "\n"


def workload(name, rows, run):
    n = run["logins"] if name == "login" else run["connections"]
    out = [f"### {name}\n", f"{upper(WORKLOADS[name])};"
           f" {n} connections.\n",
           "| | req/s | p50 / p99 ms | CPU µs (front / app / pg) | bytes |"
           " oth% | errors |", "|---|--:|--:|--:|--:|--:|--:|"]
    for target, rounds in rows.items():
        label = TARGETS[target]
        bad = errors(rounds)
        out.append(
            f"| {'**Docket**' if target == 'docket' else label}"
            f"{' **(refused)**' if bad else ''} |"
            f" {rate(rounds)} |"
            f" {number(median(rounds, 'p50'), 2)} /"
            f" {number(median(rounds, 'p99'), 2)} | {cpu(rounds)} |"
            f" {number(median(rounds, 'bytes') or None)} |"
            f" {median(rounds, 'other'):.0f} | {bad} |")
    return "\n".join(out) + "\n"


def shares(rows):
    """What a request costs, by where; the last is all of it."""
    all_of, nginx, hop, sql, own = (median(rows[name], "cpu") for name in (
        "docket", "nginx", "fastcgi", "sql", "own"))
    known = [nginx, sql, hop - nginx, own - sql]
    return [*known, all_of - sum(known), all_of]


def where(figures):
    """One row a workload that has every ceiling and a goal."""
    out = []
    for name, (goal, _) in goals.WORKLOADS.items():
        rows = figures["rows"].get(name, {})
        if "fastcgi" not in rows or "own" not in rows:
            continue
        *known, rest, all_of = shares(rows)
        left = goal[1] * (known[0] + known[1]) - sum(known)
        times = all_of / (known[0] + known[1] + known[3])
        cells = [number(value) for value in (*known, rest, all_of, left)]
        out.append(f"| **{name}** | {' | '.join(cells)} | {times:.2f} |")
    return WHERE + "\n".join(out) + "\n" if out else ""


def machine(figures):
    facts = figures["facts"]
    packages = ", ".join(f"{name} {version}" for name, version
                         in facts["packages"].items())
    return (f"## The machine\n\n{facts['cpu'].strip()}, {facts['cores']}"
            f" cores{' of a virtual machine' if facts['guest'] else ''},"
            f" {facts['memory']} GiB; {facts['system']}, Linux"
            f" {facts['kernel']}; {packages}.\n")


def settings(figures):
    run = figures["run"]
    return (
        "## What was set\n\nThe settings of production, with one request"
        " logged a line in nginx and in `docketd`, limits in force but too"
        " high to refuse, and the check that user and session still stand in"
        " every request:\n\n```\n"
        + "\n".join(word for word in figures["settings"] if word != "--set")
        + "\n```\n\nPostgreSQL: `shared_buffers = 512MB`, `max_wal_size ="
        " 8GB`, `checkpoint_timeout = 30min`, `jit = off`, else as Debian"
        f" ships it.\n\nRounds: {run['rounds']} of {run['seconds']} s each,"
        " after a warm-up of 1 s.\n")


def again(run):
    """The options that differ from what they are by default."""
    usual = {"seconds": 4, "rounds": 3, "users": 1000, "tasks": 100,
             "connections": 64}
    return AGAIN.format(options="".join(
        f" --{name} {run[name]}" for name in usual
        if run[name] != usual[name]), **{
            name: run[name] for name in ("users", "tasks")})


def markdown(figures, others=None):
    run = figures["run"]
    goals_of = judged(figures) + (peers.judged(others) if others else [])
    parts = [heading(figures), short(figures), READ.format(
        limit=OTHER_LIMIT, connections=run["connections"]),
        machine(figures), "## The goals\n\n" + judgement(goals_of),
        where(figures),
        "## Every workload beside its ceilings\n"]
    parts += [workload(name, rows, run)
              for name, rows in figures["rows"].items()]
    parts.append("## Is everybody served?\n\nA figure for all hides a client"
                 " that waits for ever, so answers are counted for each.\n\n"
                 + fair_text(figures["fair"]) + "\n")
    parts.append("## Memory\n\n"
                 + memory_text(figures["memory"]).replace("memory (PSS)",
                                                          "PSS") + "\n")
    if others:
        parts.append("## Beside other stacks\n\nThe same API and the same"
                     " SQL behind the same nginx, one after the other in the"
                     " same rounds; a run of its own, so compare within a"
                     " table.\n" + peers.text(others) + "\n")
    parts += [settings(figures), again(run)]
    return "\n".join(part for part in parts if part)


def write(folder, figures, others=None):
    folder.mkdir(parents=True, exist_ok=True)
    drawing = plot.svg(figures)
    if drawing:
        (folder / "performance.svg").write_text(drawing)
    path = folder / "performance.md"
    part = scale.kept(path.read_text()) if path.exists() else ""
    text = markdown(figures, others)
    path.write_text(scale.put(text, part) if part else text)
