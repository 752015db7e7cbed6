# SPDX-License-Identifier: AGPL-3.0-or-later
"""The generators: wrk, pgbench, and Docket's own statements in a loop."""

import json
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
MIX = (("list", 35), ("get", 35), ("status", 20), ("create", 10))


class Broken(Exception):
    """A generator that did not do its work, and what it said."""


def wrk_command(url, tokens, workload, connections, seconds, seed=1,
                threads=1, each=False):
    return ["wrk", "-t", str(min(threads, connections)),
            "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
            "-s", str(HERE / "load.lua"), url, "--", str(tokens), workload,
            str(seed)] + (["each"] if each else [])


def wrk_result(said):
    found = re.search(r"^RESULT (\{.*\})$", said, re.M)
    if not found:
        raise Broken(f"wrk: {said.strip()[-500:]}")
    result = json.loads(found[1])
    if not result["requests"]:
        raise Broken("wrk: not one request was answered")
    return {**result, "p50": result["p50"] / 1000,
            "p99": result["p99"] / 1000, "max": result["max"] / 1000}


def run(command, **more):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)
    if done.returncode:
        raise Broken(f"{command[0]}: {done.stdout.strip()[-500:]}")
    return done.stdout


def wrk(*arguments, **more):
    """Requests answered, microseconds, latencies in ms, what went wrong."""
    return wrk_result(run(wrk_command(*arguments, **more)))


def pgbench(sockets, workload, seconds, clients, threads, users, tasks,
            seed=1):
    """The least SQL of a workload, prepared, as the service's own role."""
    shares = MIX if workload == "mix" else ((workload, 1),)
    command = [PGBENCH, "-n", "-M", "prepared", "-c", str(clients),
               "-j", str(min(threads, clients)), "-T", str(seconds),
               "--random-seed", str(seed), "-D", f"users={users}",
               "-D", f"tasks={tasks}", "-h", str(sockets / "pg"),
               "-U", "docket_api"]
    for name, share in shares:
        command += ["-f", f"{HERE}/sql/{name}.sql@{share}"]
    said = run(command + ["docket"])
    n = re.search(r"actually processed: (\d+)", said)
    failed = re.search(r"failed transactions: (\d+)", said)
    tps = re.search(r"^tps = ([\d.]+)", said, re.M)
    mean = re.search(r"latency average = ([\d.]+) ms", said)
    if not (n and tps and mean) or failed and int(failed[1]):
        raise Broken(f"pgbench: {said.strip()[-500:]}")
    return {"requests": int(n[1]), "us": int(n[1]) / float(tps[1]) * 1e6,
            "p50": float(mean[1]), "p99": None}


class Statements:
    """bench/statements: connected when made; run() is the work alone."""

    def __init__(self, program, dsn, workload, seconds, processes, users,
                 tasks):
        self.process = subprocess.Popen(
            [str(word) for word in (program, dsn, workload, seconds,
                                    processes, users, tasks)],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.expect("ready")

    def expect(self, start):
        line = self.process.stdout.readline()
        if not line.startswith(start):
            self.close()
            raise Broken(f"statements: {line.strip() or 'ended'}")
        return line

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        result = json.loads(self.expect("{"))
        if not result["requests"]:
            raise Broken("statements: not one was run")
        return {**result, "p50": None, "p99": None}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
