# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rounds: every target of a workload in turn, so that all of them see
the same machine, and the figures of each."""

import math
import os
import statistics
import subprocess
import time

import load
import machine
from ceilings import Ceilings

TASKS = ("list", "get", "status", "create", "mix")
WORKLOADS = (*TASKS, "login", "beside", "health")
# In the order of the tables. What a workload is measured on.
TARGETS = {
    **{name: ("docket", "nginx", "fastcgi", "sql", "own") for name in TASKS},
    "login": ("docket", "hash"),
    "beside": ("docket", "storm"),
    "health": ("docket",),
}
FAIR_CLIENTS, FAIR_WORKERS = 64, 4


class Bench:
    def __init__(self, instance, args, say):
        self.i, self.args, self.say = instance, args, say
        self.rows, self.done, self.began = {}, 0, time.monotonic()
        self.threads = instance.cores
        sizes = instance.sizes()
        self.idle = self.memory()
        self.loaded = dict(self.idle)
        self.served = 0
        self.ceilings = Ceilings(
            instance.state, instance.sockets, instance.programs / "constant",
            instance.main_workers, sizes)
        # So many logins keep the hash gate full without being refused.
        self.logins = max(1, instance.cores // 2) + 1
        rounds = args.rounds + 1
        self.total = rounds * sum(len(TARGETS[w]) for w in args.workloads)

    def stop(self):
        self.ceilings.stop()

    def memory(self):
        return {"front": machine.memory(self.i.roles["front"]),
                "app": machine.memory(self.i.roles["app"])}

    # --- one measurement

    def roles(self, target):
        """Whose CPU time is a target's."""
        if target in ("nginx", "fastcgi"):
            return self.ceilings.roles()
        if target in ("sql", "own"):
            return {"pg": self.i.roles["pg"]}
        return self.i.roles

    def bracket(self, roles, work):
        """work() and the CPU time by role around it."""
        ours = {"ours": [os.getpid(), self.i.courier[0]]
                + sum(self.i.roles.values(), [])}
        used, whole = machine.whole()
        before = machine.cpu({**roles, **ours})
        result = work()
        after = machine.cpu({**roles, **ours})
        used_after, whole_after = machine.whole()
        spent = {role: after[role] - before[role] for role in after}
        strangers = used_after - used - spent.pop("ours")
        result["other"] = 100 * max(0, strangers) / (whole_after - whole)
        return result, spent

    def wrk(self, url, workload, connections, seconds, seed):
        return load.wrk(url, self.i.tokens, workload, connections, seconds,
                        seed, self.threads)

    def statements(self, workload, seconds, processes):
        """CPU of the processes themselves stands for the hash alone."""
        program = load.Statements(
            self.i.programs / "statements", self.i.dsn, workload, seconds,
            processes, self.i.users, self.i.tasks)
        roles = self.roles("own") if workload != "hash" else \
            {"app": [program.process.pid]}
        try:
            return self.bracket(roles, program.run)
        finally:
            program.close()

    def storm(self, work, seconds):
        """work() while logins keep the hash gate full: whose CPU is whose
        cannot be told."""
        logins = subprocess.Popen(
            load.wrk_command(self.i.url, self.i.tokens, "login",
                             self.logins, seconds + 4),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            return work()[0], {}
        finally:
            logins.terminate()
            logins.wait()

    def one(self, workload, target, seconds, seed):
        i, connections = self.i, self.args.connections
        if target in ("own", "hash"):
            processes = i.main_workers if target == "own" else \
                self.logins - 1
            return self.statements(
                workload if target == "own" else "hash", seconds, processes)
        url = {"nginx": self.ceilings.urls[0],
               "fastcgi": self.ceilings.urls[1]}.get(target, i.url)

        def work():
            if target == "sql":
                return load.pgbench(i.sockets, workload, seconds,
                                    i.main_workers, self.threads, i.users,
                                    i.tasks, seed)
            kind = "get" if workload == "beside" else workload
            n = self.logins if kind == "login" else connections
            return self.wrk(url, kind, n, seconds, seed)

        def measured():
            return self.bracket(self.roles(target), work)
        return self.storm(measured, seconds) if target == "storm" \
            else measured()

    def figures(self, result, spent):
        n = result["requests"]
        row = {"rps": n * 1e6 / result["us"], "requests": n,
               "p50": result["p50"], "p99": result["p99"],
               "other": result["other"],
               "bytes": result.get("bytes", 0) / n,
               "errors": result.get("refused", 0) + result.get("broken", 0)}
        row.update({role: spent.get(role, 0) * 1e6 / n
                    for role in ("front", "app", "pg")})
        row["cpu"] = row["front"] + row["app"] + row["pg"]
        if not spent:
            row.update(dict.fromkeys(("front", "app", "pg", "cpu")))
        return row

    # --- all of them

    def progress(self, workload, number, target):
        self.done += 1
        took = time.monotonic() - self.began
        left = took / max(1, self.done - 1) * (self.total - self.done + 1)
        self.say(f"[{self.done}/{self.total}] {workload}, "
                 + (f"round {number}" if number else "warming up")
                 + f": {target}"
                 + (f"; {left / 60:.0f} min left" if left > 90 else ""))

    def workload(self, name):
        """Round 0 warms up. Every other round goes backwards."""
        rows = {target: [] for target in TARGETS[name]}
        for number in range(self.args.rounds + 1):
            seconds = self.args.seconds if number else 1
            for target in list(rows)[::1 if number % 2 else -1]:
                self.progress(name, number, target)
                # A seed once only, or the same rows would be made twice.
                row = self.figures(*self.one(name, target, seconds,
                                             self.done))
                if target == "docket":
                    self.note(row)
                if number:
                    rows[target].append(row)
        self.rows[name] = rows

    def note(self, row):
        self.served += row["requests"]
        for part, mib in self.settled().items():
            if mib is not None:
                self.loaded[part] = max(mib, self.loaded[part])

    def settled(self):
        """The least of three looks: a password's hash that is still being
        made holds 19 MiB for some 30 ms."""
        looks = []
        for _ in range(3):
            looks.append(self.memory())
            time.sleep(0.1)
        return min(looks, key=lambda look: look["app"] or 0)

    def fair_round(self, few, number):
        """A thread a connection, so that answers are counted per client."""
        clients = FAIR_CLIENTS
        seconds = 6 if self.args.seconds > 2 else 2
        self.say(f"{clients} clients on {FAIR_WORKERS} workers, round"
                 f" {number}")
        result = load.wrk(self.i.url, few, "list", clients, seconds + 3,
                          number, clients, each=True)
        return {"clients": clients, "workers": FAIR_WORKERS,
                "seconds": seconds, "answered": result["answered"],
                "longest": result["max"],
                "errors": result["refused"] + result["broken"]}

    def fairness(self):
        """The round in the middle: which nginx process takes how many
        connections is luck. But one client without an answer is one too
        many, so such a round is the one that counts."""
        few = self.i.state / "bench.tokens.few"
        with self.i.tokens.open() as lines:
            few.write_text("".join(line for line, _ in zip(lines, range(64))))
        self.i.set_workers(FAIR_WORKERS)
        rounds = [self.fair_round(few, number + 1)
                  for number in range(self.args.rounds)]
        rounds.sort(key=lambda r: spread(r["answered"]))
        return rounds[-1] if spread(rounds[-1]["answered"]) == math.inf \
            else rounds[len(rounds) // 2]

    def run(self):
        for name in self.args.workloads:
            self.workload(name)
        found = {"rows": self.rows, "fair": self.fairness(),
                 "memory": {"idle": self.idle, "loaded": self.loaded,
                            "served": self.served,
                            "workers": self.i.main_workers
                            + self.i.hash_workers}}
        return found


# --- what follows from the rounds

def spread(answered):
    """The busiest client's answers in terms of the idlest's."""
    return max(answered) / min(answered) if min(answered) else math.inf


def median(rounds, name):
    values = [row[name] for row in rounds if row[name] is not None]
    return statistics.median(values) if values else None


def ratio(tops, value):
    """The median over rounds of value(rows of one round)."""
    return statistics.median(value(*rows) for rows in zip(*tops))


def floor(nginx, sql):
    """F: the least CPU a request can cost with nginx and this SQL."""
    return nginx["front"] + sql["pg"]


def ceiling(nginx, sql):
    """C: requests a second if both shared the machine, with nothing
    between."""
    return 1 / (1 / nginx["rps"] + 1 / sql["rps"])


def ratios(rows):
    """Docket's cpu/F and rps/C; {} without both ceilings."""
    if "nginx" not in rows or "sql" not in rows:
        return {}
    three = rows["docket"], rows["nginx"], rows["sql"]
    return {
        "cpu_f": ratio(three, lambda row, *z: row["cpu"] / floor(*z)),
        "rps_c": ratio(three, lambda row, *z: row["rps"] / ceiling(*z)),
    }
