# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance whose allocations fail one at a time, where a test wants."""

import json
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess

import docket
from docket import SLOW, comm, wait_until

SOURCE = docket.ROOT / "tests/fault/oom.c"

# struct control and struct site of oom.c.
HEAD = struct.Struct("=IIIIQQQQQQ")
SITE = struct.Struct("=QQQ16Q")
SITES = 4096
COUNT, AT_SITE, FROM_SITE = 1, 2, 3


def build(directory):
    """The preload, compiled; its path."""
    made = pathlib.Path(directory) / "oom.so"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-g", "-Wall",
         "-Wextra", "-Werror", "-fno-builtin", "-fno-optimize-sibling-calls",
         "-o", made, SOURCE, "-lgcc_s"], check=True)
    made.chmod(0o755)
    return made


class Memory:
    """What oom.c is told by, and tells."""

    def __init__(self, path):
        self.path = path
        size = HEAD.size + SITES * SITE.size
        with open(path, "wb") as file:
            file.truncate(size)
        os.chmod(path, 0o666)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), size)

    def head(self):
        return HEAD.unpack_from(self.map, 0)

    def arm(self, pid, mode=COUNT, site=0, children=True, look=False):
        """Count what pid (or its children) ask for, or fail it at a site."""
        self.off()
        head = HEAD.pack(0, children, 0, mode, site, 0, 0, 0, 0, look)
        self.map[:HEAD.size] = head
        self.map[:4] = struct.pack("=I", pid)

    def off(self):
        self.map[:4] = bytes(4)

    @property
    def victim(self):
        return self.head()[2]

    @property
    def hits(self):
        return self.head()[5]

    @property
    def seen(self):
        return self.head()[6]

    def in_use(self):
        """Bytes that malloc had given out when it was last asked."""
        return self.head()[8]

    def sites(self):
        """{hash: [addresses]} of what was seen since it was armed."""
        found = {}
        for i in range(self.head()[7]):
            row = SITE.unpack_from(self.map, HEAD.size + i * SITE.size)
            found[row[0]] = [at for at in row[3:] if at]
        return found


def children_of(pid):
    try:
        return docket.children(pid)
    except FileNotFoundError:
        return []


class Starved:
    """docketd of an instance, started again under the preload."""

    def __init__(self, dev, preload, memory):
        self.dev, self.memory = dev, memory
        old = dev.supervisor()
        proc = pathlib.Path(f"/proc/{old}")
        status = dict(line.split(":\t", 1) for line in
                      (proc / "status").read_text().splitlines()
                      if ":\t" in line)
        # The group of its sockets, which nginx is in.
        groups = [os.stat(re.search(
            r'^\s*socket = "(.*)"$', dev.read("docket.conf"), re.M)[1]).st_gid]
        who = {} if os.geteuid() else {
            "user": int(status["Uid"].split()[1]),
            "group": int(status["Gid"].split()[1]), "extra_groups": groups}
        arguments = [word.decode() for word in
                     (proc / "cmdline").read_bytes().split(b"\0")[:-1]]
        environment = dict(
            word.decode().split("=", 1) for word in
            (proc / "environ").read_bytes().split(b"\0") if b"=" in word)
        self.exe = os.readlink(proc / "exe")
        os.kill(old, signal.SIGTERM)
        wait_until(lambda: comm(old) != "docketd" or not children_of(old)
                   and zombie(old), "docketd to end", 30)
        environment |= {"LD_PRELOAD": str(preload),
                        "OOM_CONTROL": str(memory.path)}
        asan = environment.get("ASAN_OPTIONS")
        if os.environ.get("DEV_SANITIZE"):
            # The sanitizer's own malloc lies behind ours.
            environment["ASAN_OPTIONS"] = ":".join(filter(None, (
                asan, "verify_asan_link_order=0",
                "allocator_may_return_null=1")))
        self.command, self.environment, self.who = arguments, environment, who
        self.start()

    def start(self):
        log = open(self.dev.dir / "log/docketd.log", "ab")
        with log:
            self.process = subprocess.Popen(
                self.command, executable=self.exe,
                cwd=self.dev.dir / "run", env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.who)
        self.pid = self.process.pid
        pids = self.dev.pids()
        pids["app"] = [self.pid] + [
            p for p in pids["app"] if comm(p) == "docket-courier"]
        (self.dev.dir / "pids").write_text(
            json.dumps(pids, separators=(",", ":")) + "\n")
        self.settle()
        self.maps = self.read_maps()

    def read_maps(self):
        """[(from, to, offset, file)] of the supervisor's code, which is the
        workers' too."""
        found = []
        for line in pathlib.Path(f"/proc/{self.pid}/maps").read_text() \
                .splitlines():
            words = line.split(None, 5)
            if len(words) == 6 and words[5].startswith("/"):
                begin, end = (int(x, 16) for x in words[0].split("-"))
                found.append((begin, end, int(words[2], 16), words[5]))
        return found

    def places(self, frames):
        """Frames as (file, offset in it); the return addresses less one."""
        maps, found = self.maps, []
        for at in frames:
            for begin, end, offset, name in maps:
                if begin <= at < end:
                    found.append((name, at - begin + offset - 1))
        return found

    def told(self, frames):
        """A stack in words, for a failure's message."""
        lines = []
        for name, at in self.places(frames):
            if "docketd" in name:
                done = subprocess.run(
                    ["addr2line", "-f", "-s", "-e", name, hex(at)],
                    text=True, capture_output=True, check=False).stdout
                lines.append(" ".join(done.split()))
            else:
                lines.append(f"{os.path.basename(name)}+{at:#x}")
        return "\n    ".join(lines)

    def libraries(self, frames):
        """The file of each frame, innermost first: libc, libpq, docketd."""
        return [os.path.basename(name).split(".so")[0]
                for name, _ in self.places(frames)]

    def workers(self):
        return sorted(children_of(self.pid))

    def answers(self):
        """Both groups answer, from the database."""
        client = docket.Client(self.dev, timeout=10)
        try:
            return client.get("/readyz", None, check=False).status == 200 \
                and client.post("/auth", None, check=False, json={
                    "username": docket.new_name(), "password": "not this"}
                    ).status == 401
        except OSError:
            return False
        finally:
            client.close()

    def settle(self):
        """Two workers, both ready, none on its way out."""
        wait_until(lambda: len(self.workers()) == 2 and self.answers() and
                   len(self.workers()) == 2, "two workers", 20 * SLOW)


def zombie(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
