# SPDX-License-Identifier: AGPL-3.0-or-later
"""What /proc says: CPU time and memory of process trees, and the machine."""

import os
import pathlib
import re
import subprocess
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")
PACKAGES = ("nginx", "postgresql-15", "libpq5", "libfcgi0ldbl", "libjson-c5",
            "libjwt0", "libssl3", "libsodium23", "wrk")


def processes():
    """{pid: (parent, own CPU seconds, those of its dead children)}"""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        user, system, dead_user, dead_system = map(int, fields[11:15])
        found[int(name)] = (int(fields[1]), (user + system) * TICK,
                            (dead_user + dead_system) * TICK)
    return found


def tree(roots, found):
    """The roots that live and everything beneath them."""
    below = {}
    for pid, (parent, _, _) in found.items():
        below.setdefault(parent, []).append(pid)
    seen, todo = set(), [pid for pid in roots if pid in found]
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.add(pid)
            todo += below.get(pid, [])
    return seen


def dead(pids, found):
    """Which processes there are, and what those they buried had used."""
    return {pid: found[pid][2] for pid in pids}


def cpu(roles):
    """CPU seconds so far of each role's trees: {role: seconds}

    /proc is not read in one instant. A process that is buried after its
    parent was read and before itself would be counted nowhere, so it is read
    until nothing died in between."""
    everyone = sum(roles.values(), [])
    found = processes()
    for _ in range(100):
        last, found = found, processes()
        if dead(tree(everyone, last), last) == \
                dead(tree(everyone, found), found):
            break
        time.sleep(0.01)
    return {role: sum(found[pid][1] + found[pid][2]
                      for pid in tree(roots, found))
            for role, roots in roles.items()}


def whole():
    """CPU seconds of the machine since boot: (used, all)."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(f) * TICK for f in file.readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


def memory(roots):
    """MiB of the trees, shared pages split among those that share them
    (PSS); None when we may not look."""
    total = 0
    for pid in tree(roots, processes()):
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:
            return None
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total / 1024


def versions():
    """{package: upstream version} of what takes part."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES],
        text=True, capture_output=True)
    pairs = [line.split() for line in done.stdout.splitlines()]
    return {name: re.sub(r"^\d+:|[-+~].*$", "", version)
            for name, version in pairs}


def facts():
    """What a reader must know of the machine, and nothing that names it."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.M)
    meminfo = pathlib.Path("/proc/meminfo").read_text()
    kib = int(re.search(r"^MemTotal:\s+(\d+)", meminfo, re.M)[1])
    release = pathlib.Path("/etc/os-release").read_text()
    return {
        "cpu": re.sub(r"\((R|TM)\)|\bCPU\b|\bProcessor\b", "",
                      model[1] if model else "unknown"),
        "cores": len(os.sched_getaffinity(0)),
        "guest": " hypervisor" in info,
        "memory": round(kib / 1024 ** 2),
        "kernel": ".".join(os.uname().release.split(".")[:2]),
        "system": re.search(r'^PRETTY_NAME="?([^"\n]+)', release, re.M)[1],
        "packages": versions(),
    }
