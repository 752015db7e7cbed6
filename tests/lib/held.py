# SPDX-License-Identifier: AGPL-3.0-or-later
"""docketd behind sockets that somebody else holds, as under systemd."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import docket
from docket import SLOW, wait_until

UNITS = {"socket": "docket.socket", "auth_socket": "docket-auth.socket"}

# systemd leaves the sockets at 3 and 4, and says who they are for.
START = ("A=$1 B=$2; shift 2; exec 3<&$A 4<&$B; exec {A}<&- {B}<&-;"
         " LISTEN_PID=$$ exec \"$@\"")


def unit(name, key):
    """A value out of a unit file of ours."""
    text = (docket.ROOT / "systemd" / name).read_text()
    return re.search(rf"^{key}=(.*)$", text, re.M)[1]


def alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def processes(word):
    """The pids of the living docketd with this in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text()
        except (OSError, UnicodeDecodeError):
            continue
        pid = int(path.parent.name)
        if word in line and docket.comm(pid) == "docketd" and alive(pid):
            found.append(pid)
    return found


def log_mark(own):
    return (own.dir / "log" / "docketd.log").stat().st_size


def log_since(own, mark):
    with open(own.dir / "log" / "docketd.log", "rb") as log:
        log.seek(mark)
        return log.read().decode()


def reload(own, said="Serving with the new settings", meanwhile=None):
    """SIGHUP, and wait for the log to say how that went, and for those who
    leave; the new lines."""
    mark = log_mark(own)
    os.kill(own.supervisor(), signal.SIGHUP)
    if meanwhile:
        meanwhile()
    text = wait_until(lambda: (lambda text: said in text and text)(
        log_since(own, mark)), f"log: {said}", 20 * SLOW)
    ready = re.search(r" ready main=(\d+) hash=(\d+) ", text)
    wait_until(lambda: len(own.workers()) == int(ready[1]) + int(ready[2]),
               "one crew", 20 * SLOW)
    return text


def fresh_front(own):
    """nginx without connections in its store."""
    master = own.pids()["front"][0]
    before = set(docket.children(master))
    os.kill(master, signal.SIGHUP)
    wait_until(lambda: docket.children(master) and not
               before & set(docket.children(master)), "a new nginx", 20)


@contextlib.contextmanager
def drop_in(own, text):
    """More settings, by a reload; and without them again."""
    path = own.dir / "conf.d" / "fault.conf"
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text)
    path.chmod(0o644)
    reload(own)
    try:
        yield path
    finally:
        path.unlink()
        reload(own)


CRASH = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
crash(void)
{
	/* A sanitizer would make a report and an exit of it. */
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

/* A worker's first act is to ask for the signal at its parent's death. With
 * CRASH_FLAG half of them crash, late, and only while that file is there. */
int
prctl(int option, ...)
{
	const char *flag = getenv("CRASH_FLAG");
	va_list ap;
	long v;

	va_start(ap, option);
	v = va_arg(ap, long);
	va_end(ap);
	if (option == PR_SET_PDEATHSIG && !flag)
		crash();
	if (option == PR_SET_PDEATHSIG && access(flag, F_OK) == 0 &&
	    getpid() % 2 == 0) {
		usleep(1000000);
		crash();
	}
	return (int)syscall(SYS_prctl, option, v, 0L, 0L, 0L);
}
"""


def crashing(directory, **more):
    """The environment in which workers crash at their start."""
    source, library = directory / "crash.c", directory / "crash.so"
    source.write_text(CRASH)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source],
                   check=True, timeout=60)
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": options +
            ":verify_asan_link_order=0:detect_leaks=0", **more}


class Process:
    """How a docketd was started: enough to start it again."""

    def __init__(self, pid):
        base = pathlib.Path(f"/proc/{pid}")
        self.command = (base / "cmdline").read_text().split("\0")[:-1]
        status = (base / "status").read_text()
        self.uid, self.gid, self.groups = (
            [int(n) for n in re.search(rf"^{key}:(.*)$", status, re.M)[1]
             .split()] for key in ("Uid", "Gid", "Groups"))

    def start(self, own, before=(), demoted=True, **more):
        """demoted: as the user it became, not as root."""
        who = {"user": self.uid[0], "group": self.gid[0],
               "extra_groups": self.groups}
        if os.geteuid() or not demoted:
            who = {}
        with open(own.dir / "log" / "docketd.log", "ab") as log:
            return subprocess.Popen(
                [*before, *self.command], cwd=own.dir / "run",
                start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, **who, **more)


class Held:
    """Takes an instance's docketd over: opens its two sockets, passes them
    on, and starts it again when it dies, but not when it says that this
    cannot help. give_back() leaves things as ./dev had them."""

    def __init__(self, own):
        self.own = own
        self.lock = threading.RLock()
        self.codes = []		# how each one ended
        self.more = {}		# environment
        conf = (own.dir / "docket.conf").read_text()
        self.paths = [re.search(rf'^\s*{key} = "(.*)"', conf, re.M)[1]
                      for key in UNITS]
        self.process = None
        pid = own.supervisor()
        self.how = Process(pid)
        owners = [os.stat(path) for path in self.paths]
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not alive(pid), "./dev's docketd to end", 30)
        self.sockets = [self.hold(*pair) for pair in zip(self.paths, owners)]
        self.wanted = True
        self.start()
        self.guard = threading.Thread(target=self.keep, daemon=True)
        self.guard.start()

    def hold(self, path, owner):
        low = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Out of the way of 3 and 4.
        held = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC,
                                                64))
        low.close()
        held.bind(path)
        os.chown(path, owner.st_uid, owner.st_gid)
        os.chmod(path, 0o660)
        held.listen(int(unit("docket.socket", "Backlog")))
        return held

    def start(self):
        with self.lock:
            fds = [held.fileno() for held in self.sockets]
            self.mark = log_mark(self.own)
            environment = {**os.environ, **self.more,
                           "LISTEN_FDS": str(len(fds)),
                           "LISTEN_FDNAMES": ":".join(UNITS.values())}
            self.process = self.how.start(
                self.own, ["bash", "-c", START, "bash", *map(str, fds)],
                pass_fds=fds, env=environment)
            self.tell(self.process.pid)

    def tell(self, pid):
        """./dev and the tests look for its pid in a file."""
        pids = self.own.pids()
        pids["app"] = [pid, pids["app"][1]]
        new = self.own.dir / "pids.held"
        new.write_text(json.dumps(pids, separators=(",", ":")) + "\n")
        new.rename(self.own.dir / "pids")

    def keep(self):
        """Restart=on-failure, RestartSec, RestartPreventExitStatus."""
        amount, measure = re.fullmatch(
            r"([\d.]+)(ms|s)?", unit("docket.service", "RestartSec")).groups()
        delay = float(amount) / (1000 if measure == "ms" else 1)
        final = int(unit("docket.service", "RestartPreventExitStatus"))
        while self.wanted:
            process = self.process
            if process.poll() is None:
                time.sleep(0.002)
                continue
            with self.lock:
                if process is not self.process or not self.wanted:
                    continue
                self.codes.append(process.returncode)
                if process.returncode in (0, final):
                    self.wanted = False
                    return
                time.sleep(delay)
                self.start()

    @property
    def pid(self):
        return self.process.pid

    def restart(self):
        """systemctl restart: its exit code and how long it took to end."""
        with self.lock:
            begun = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(30 * SLOW)
            took = time.monotonic() - begun
            self.codes.append(code)
            self.start()
        return code, took

    def is_ready(self):
        """The whole crew of the docketd that runs now serves."""
        return 'how="Serving"' in log_since(self.own, self.mark)

    def give_back(self):
        with self.lock:
            self.wanted = False
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(30 * SLOW)
        self.guard.join(120)
        for held, path in zip(self.sockets, self.paths):
            held.close()
            os.unlink(path)
        plain = self.how.start(self.own, demoted=bool(
            os.environ.get("DEV_SANITIZE")))
        self.tell(plain.pid)
        client = docket.Client(self.own)
        wait_until(lambda: client.get("/readyz", None, check=False).status
                   == 200, "docketd as ./dev runs it", 30)
        client.close()
