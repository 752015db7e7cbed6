# SPDX-License-Identifier: AGPL-3.0-or-later
"""A machine of our own: Debian with systemd as its first process, without a
network; this process is moved into its loopback, so that it reaches it."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from docket import ROOT, children, wait_until

HOME = ROOT / ".dev" / "box"

# A server as Debian's installer leaves it, and what the tests call.
SYSTEM = ("systemd", "systemd-sysv", "dbus", "libpam-systemd", "iproute2",
          "procps", "ca-certificates", "curl", "debconf-utils", "logrotate")

# Stays in the archive of the base: apt takes it from there.
BESIDE = ("nginx", "postgresql", "openssl", "autopkgtest",
          "dpkg-dev")

# The version before that of the tree.
OLD = "0.0.9"

CLONE_NEWNET = 0x40000000

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "USER": "root", "LOGNAME": "root", "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb"}


def sources():
    """Where this host has its packages from."""
    found = [pathlib.Path("/etc/apt/sources.list"),
             *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*.list")),
             *sorted(pathlib.Path("/etc/apt/sources.list.d").glob(
                 "*.sources"))]
    return [p for p in found if p.is_file() and p.stat().st_size]


def tree():
    """A name for all that packages are made of, or None without git."""
    if not shutil.which("git"):
        return None
    said = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co",
         "--exclude-standard", "--", ":!tests"], cwd=ROOT, text=True,
        capture_output=True, check=False)
    if said.returncode:
        return None
    whole = hashlib.sha256()
    for name in said.stdout.splitlines():
        path = ROOT / name
        whole.update(name.encode() + b"\0")
        whole.update(path.read_bytes() if path.is_file() else b"")
    return whole.hexdigest()


def packages(name, *more, again=True, **environment):
    """The packages of the tree, as ./dev deb makes them: {name: path}.
    again=False: those that were made of the same files will do."""
    folder, key = HOME / name, tree()
    stamp = folder / "made-of"
    if again or not stamp.exists() or stamp.read_text() != key:
        stamp.unlink(missing_ok=True)
        make(folder, more, environment)
        if key:
            stamp.write_text(key)
    found = {path.name.split("_")[0]: path for path in folder.glob("*.deb")
             if "dbgsym" not in path.name}
    assert set(found) == {"docket", "docket-courier", "docket-doc"}
    return found


def make(folder, more, environment):
    done = subprocess.run(
        [ROOT / "dev", "deb", "--to", folder, *more], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=1200,
        env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout[-4000:]


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], text=True,
                          capture_output=True, check=True).stdout.strip()


def base(debs):
    """The folder of a fresh system whose archive has all that the packages
    need; made once."""
    wanted = sorted(field(d, f) for d in debs
                    for f in ("Depends", "Pre-Depends", "Recommends"))
    key = hashlib.sha256(repr((SYSTEM, BESIDE, wanted, [
        p.read_text() for p in sources()])).encode()).hexdigest()[:10]
    made = HOME / f"base-{key}"
    if made.is_dir():
        return made
    for old in HOME.glob("base-*"):
        shutil.rmtree(old)
    HOME.mkdir(parents=True, exist_ok=True)
    new = HOME / f"new-{key}"
    shutil.rmtree(new, ignore_errors=True)
    names = " ".join(f"/var/tmp/{pathlib.Path(d).name}" for d in debs)
    command = [
        "mmdebstrap", "--mode=root", "--variant=minbase",
        "--include=" + ",".join(SYSTEM), "--skip=cleanup/apt",
        "--customize-hook=copy-in " + " ".join(map(str, debs)) + " /var/tmp",
        '--customize-hook=chroot "$1" apt-get install -y'
        ' -o APT::Install-Recommends=true --download-only '
        + names + " " + " ".join(BESIDE),
        '--customize-hook=cd "$1" && rm -f var/tmp/*.deb'
        " && : >etc/machine-id && echo docket-box >etc/hostname"
        " && ln -sf /dev/null etc/systemd/system/console-getty.service"
        " && printf '127.0.0.1 localhost docket.example\\n::1 localhost\\n'"
        " >etc/hosts",
        codename(), str(new), *map(str, sources())]
    with open(HOME / "base.log", "w") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                              stderr=log, timeout=900)
    assert done.returncode == 0, (HOME / "base.log").read_text()[-3000:]
    new.rename(made)
    return made


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=")[1]
    raise AssertionError("no VERSION_CODENAME in /etc/os-release")


def descendants(pid):
    """Of one that has ended meanwhile there are none."""
    try:
        found = children(pid)
    except OSError:
        return
    for child in found:
        yield child
        yield from descendants(child)


class Said(str):
    """What a command printed, and how it ended and when."""

    def __new__(cls, text, code, took):
        said = super().__new__(cls, text)
        said.code, said.took = code, took
        return said


class Box:
    def __init__(self, base):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="docket-box-",
                                                  dir="/var/tmp"))
        self.console = open(self.work / "console", "w")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--pid",
             "--fork", "--kill-child", "bash",
             str(ROOT / "tests" / "box" / "boot.sh"), str(base),
             str(self.work)], stdin=subprocess.DEVNULL, stdout=self.console,
            stderr=self.console, start_new_session=True)
        try:
            self.leader = wait_until(self.first, "the box's systemd", 60)
            wait_until(self.is_up, "the box to be up", 120)
        except BaseException:
            print((self.work / "console").read_text()[-3000:])
            self.close()
            raise

    def first(self):
        """Its process 1, once that listens."""
        assert self.process.poll() is None, "the box ended"
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").endswith("/systemd") and \
                        os.path.exists(f"/proc/{pid}/root/run/systemd/private"):
                    return pid
        return None

    def is_up(self):
        return self.run("systemctl is-system-running", None).strip() \
            in ("running", "degraded")

    def run(self, command, expect=0, stdin=None, seconds=600, **more):
        """A command line in the box; expect=None: it may fail."""
        begun = time.monotonic()
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p",
             "-C", "--", "env", "-i",
             *(f"{k}={v}" for k, v in {**ENVIRONMENT, **more}.items()),
             "bash", "-c", f"cd /root; {command}"], input=stdin or "",
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds)
        said = Said(done.stdout, done.returncode, time.monotonic() - begun)
        if expect is not None:
            assert said.code == expect, f"{command}: exit {said.code}\n{said}"
        return said

    def path(self, name):
        """A file of the box, from outside."""
        return pathlib.Path(f"/proc/{self.leader}/root") / name.lstrip("/")

    def put(self, file, name):
        shutil.copy(file, self.path(name))

    def sql(self, statement):
        """As the database's superuser; the lines of the reply."""
        return self.run("cd / && runuser -u postgres -- psql -qXAt -d docket",
                        stdin=statement).splitlines()

    def show(self, unit, *names):
        """Properties of a unit, as a dict."""
        said = self.run(f"systemctl show {unit} -p {','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def pid(self, unit):
        return int(self.show(unit, "MainPID")["MainPID"])

    def journal(self, unit, since=None):
        return self.run(f"journalctl --no-pager -o cat -u {unit}"
                        + (f" --since '{since}'" if since else ""))

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it starts, with the box's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as before, \
                open(f"/proc/{self.leader}/ns/net") as there:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(before.fileno(), CLONE_NEWNET) == 0

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self.console.close()
        with contextlib.suppress(FileNotFoundError):
            for line in (self.work / "cgroups").read_text().split():
                remove_groups(pathlib.Path(line))
        shutil.rmtree(self.work, ignore_errors=True)


def remove_groups(top):
    """Control groups are empty folders, from the leaves on."""
    for _ in range(50):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        if not top.exists():
            return
        time.sleep(0.1)
