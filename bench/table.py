# SPDX-License-Identifier: AGPL-3.0-or-later
"""The figures as a table on a terminal, and the words the report shares."""

import goals
from measure import median, ratio, ratios, spread

TARGETS = {
    "docket": "Docket",
    "nginx": "nginx alone",
    "fastcgi": "nginx, constant FastCGI",
    "sql": "PostgreSQL, least SQL",
    "own": "PostgreSQL, Docket's SQL",
    "hash": "Argon2id alone",
    "storm": "Docket beside logins",
}
WORKLOADS = {
    "list": "a user's 20 newest tasks",
    "get": "one task",
    "status": "change a task's status, durable",
    "create": "a new task, durable",
    "mix": "35 % list, 35 % get, 20 % status, 10 % create",
    "login": "a password for a token, Argon2id",
    "beside": "one task, while logins keep the hash gate full",
    "health": "/healthz, which needs no database",
}
OTHER_LIMIT = 10	# per cent of the machine: above it, repeat the run
HEAD = f"{'':<26}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'CPU us':>8}" \
    f"{'front':>7}{'app':>7}{'pg':>6}{'cpu/F':>7}{'rps/C':>7}{'oth%':>6}" \
    f"{'errors':>7}"


def number(value, digits=0, none="-"):
    return none if value is None else f"{value:.{digits}f}"


def rate(rounds):
    """Requests a second, with a digit where there are few."""
    value = median(rounds, "rps")
    return number(value, 0 if value >= 100 else 1)


def errors(rounds):
    return sum(row["errors"] for row in rounds)


def failed(figures):
    """(workload, target) of every row with a request that was refused."""
    return [(workload, target)
            for workload, rows in figures["rows"].items()
            for target, rounds in rows.items() if errors(rounds)]


def noisy(figures):
    """The largest share of the machine that strangers took in any row."""
    return max(median(rounds, "other")
               for rows in figures["rows"].values()
               for rounds in rows.values())


def line(target, rounds, of):
    bad = errors(rounds)
    return (f"{('! ' if bad else '') + TARGETS[target]:<26}"
            f"{rate(rounds):>8}"
            f"{number(median(rounds, 'p50'), 2):>8}"
            f"{number(median(rounds, 'p99'), 2):>8}"
            f"{number(median(rounds, 'cpu')):>8}"
            f"{number(median(rounds, 'front')):>7}"
            f"{number(median(rounds, 'app')):>7}"
            f"{number(median(rounds, 'pg')):>6}"
            f"{number(of.get('cpu_f'), 2):>7}{number(of.get('rps_c'), 2):>7}"
            f"{number(median(rounds, 'other')):>6}{bad:>7}")


def judged(figures):
    """(figure, value, goal, least?) of all that has a goal."""
    rows, found = figures["rows"], []
    for name, (cpu, rps) in goals.WORKLOADS.items():
        of = ratios(rows.get(name, {}))
        if of:
            found.append((f"{name}: cpu/F", of["cpu_f"], cpu, False))
            found.append((f"{name}: rps/C", of["rps_c"], rps, True))
    if "login" in rows:
        both = rows["login"]["docket"], rows["login"]["hash"]
        value = ratio(both, lambda a, b: a["cpu"] / max(1e-9, b["cpu"]))
        found.append(("login: CPU against its hash alone", value,
                      goals.LOGIN, False))
    if "beside" in rows:
        both = rows["beside"]["storm"], rows["beside"]["docket"]
        value = ratio(both, lambda a, b: a["p99"] / b["p99"])
        found.append(("get: p99 beside logins against p99 without", value,
                      goals.BESIDE, False))
    answered = figures["fair"]["answered"]
    found.append((f"{len(answered)} clients on"
                  f" {figures['fair']['workers']} workers: answers of the"
                  " busiest against the idlest", spread(answered),
                  goals.FAIR, False))
    memory = figures["memory"]
    if memory["loaded"]["app"] is not None:
        found.append(("memory of a worker under load, MiB",
                      memory["loaded"]["app"] / memory["workers"],
                      goals.MEMORY, False))
    return found


def fair_text(fair):
    answered = fair["answered"]
    served = sum(1 for n in answered if n)
    return (f"{fair['clients']} clients on {fair['workers']} workers,"
            f" {fair['seconds']} s: {served}/{len(answered)} answered,"
            f" {min(answered)} to {max(answered)} answers each,"
            f" longest wait {fair['longest']:.0f} ms,"
            f" {fair['errors']} errors")


def memory_text(memory):
    if memory["loaded"]["app"] is None:
        return "memory: only root may look"
    idle, loaded = memory["idle"], memory["loaded"]
    return (f"memory (PSS), MiB idle -> loaded: app {idle['app']:.1f} ->"
            f" {loaded['app']:.1f} in {memory['workers']} workers,"
            f" nginx {idle['front']:.1f} -> {loaded['front']:.1f};"
            f" {memory['served']} requests served")


def text(figures):
    """All of it, in the order it was measured."""
    run, out = figures["run"], []
    for name, rows in figures["rows"].items():
        of = ratios(rows)
        n = run["logins"] if name == "login" else run["connections"]
        out.append(f"\n{name}: {WORKLOADS[name]} ({n} connections, TLS,"
                   f" {run['rounds']} x {run['seconds']} s)")
        out.append(HEAD)
        out += [line(target, rounds, of if target == "docket" else {})
                for target, rounds in rows.items()]
    out += ["", fair_text(figures["fair"]), memory_text(figures["memory"])]
    out += ["", f"{'goals':<66}{'value':>8}  {'reached'}"]
    for what, value, goal, least in judged(figures):
        out.append(f"{what:<66}{value:>8.2f}"
                   f"  {goals.grade(value, goal, least)}"
                   f" (good: {'>=' if least else '<='} {goal[1]})")
    for workload, target in failed(figures):
        out.append(f"! {workload}, {TARGETS[target]}: requests were refused"
                   " or lost; the row is worth nothing")
    if noisy(figures) > OTHER_LIMIT:
        out.append(f"other programs took up to {noisy(figures):.0f} % of the"
                   " machine: repeat it when they do not")
    return "\n".join(out)
