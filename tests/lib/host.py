# SPDX-License-Identifier: AGPL-3.0-or-later
"""A host below a folder, for `docket setup`: PostgreSQL of its own, an nginx
whose configuration has a sites-enabled, and no systemd."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import docket

DOMAIN = "tasks.example.org"


class Host:
    def __init__(self, program):
        self.program = program
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="dkh", dir="/tmp"))
        self.root.chmod(0o755)
        self.port = docket.free_port()
        self.user = "nobody" if os.geteuid() == 0 else \
            pwd.getpwuid(os.geteuid()).pw_name
        self.started = []
        self.cluster = subprocess.run(
            [docket.ROOT / "tests/lib/cluster.sh", "start"], text=True,
            capture_output=True, timeout=120, check=True).stdout.split()[-1]
        # As a new server is: without what setup is to make.
        self.super("DROP DATABASE IF EXISTS docket", "DROP ROLE docket_api",
                   "DROP ROLE docket_courier", "DROP ROLE docket_owner")
        self.share = self.root / "share"
        self.files()

    def path(self, name):
        return self.root / name.lstrip("/")

    def files(self):
        for name in ("etc/nginx/sites-available", "etc/nginx/sites-enabled",
                     "var/log/nginx", "run/docket", "share/nginx",
                     "nginx"):
            self.path(name).mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.path("run/docket"), self.user)
        (self.share / "migrations").symlink_to(
            docket.ROOT / "sql/migrations")
        (self.share / "sql").symlink_to(docket.ROOT / "sql")
        site = (docket.ROOT / "nginx/docket-site.conf.in").read_text()
        for key, value in (("LISTEN4", "443"), ("LISTEN6", "[::]:443"),
                           ("SERVER_NAME", "docket.example"),
                           ("NGINX_DIR", str(docket.ROOT / "nginx")),
                           ("DOCS_DIR", "/usr/share/docket/docs"),
                           ("ROUTES", "/etc/docket/nginx-routes.conf"),
                           ("ACCESS_LOG", "/var/log/nginx/docket.log"),
                           ("CERTIFICATE", "/etc/docket/tls/cert.pem"),
                           ("CERTIFICATE_KEY", "/etc/docket/tls/key.pem")):
            site = site.replace(f"@{key}@", value)
        (self.share / "nginx/docket-site.conf").write_text(site)
        front = (docket.ROOT / "nginx/nginx.conf.in").read_text()
        front = front.replace("@USER@", "user www-data;"
                              if os.geteuid() == 0 else "")
        front = re.sub(r"@STATE@/(run|log)/", f"{self.root}/nginx/", front)
        front = re.sub(r"include @STATE@/.*;",
                       f"include {self.root}/etc/nginx/sites-enabled/*;",
                       front)
        self.path("etc/nginx/nginx.conf").write_text(front)

    def super(self, *statements, database="postgres"):
        words = [word for one in statements for word in ("-c", one)]
        done = subprocess.run(
            [docket.psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-d", f"host={self.cluster} user=postgres dbname={database}",
             *words], text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def docket(self, *words, **more):
        return subprocess.run(
            [self.program, *map(str, words)], text=True,
            timeout=240 * docket.SLOW,
            capture_output=True, **{"stdin": subprocess.DEVNULL, **more})

    def setup(self, *words, domain=DOMAIN, **more):
        return self.docket(
            "setup", "--domain", domain, "--root", self.root, "--port",
            self.port, "--user", self.user, "--postgres", self.cluster,
            "--share", self.share, *words, **more)

    def conf(self, *words, **more):
        """A command with this host's settings."""
        return self.docket("-c", self.path("etc/docket/docket.conf"),
                           *words, **more)

    def start(self, name, *words):
        log = open(self.path(f"var/log/{name}.log"), "ab")
        self.started.append(subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()

    def serve(self):
        """docketd and nginx, as systemd would start them."""
        more = ("--set", f"server.user={self.user}",
                "--set", "server.socket_group=www-data") \
            if os.geteuid() == 0 else ()
        self.start("docketd", str(pathlib.Path(self.program).parent /
                                  "docketd"), "-c",
                   str(self.path("etc/docket/docket.conf")), "--set",
                   "server.workers=2", "--set", "server.auth_workers=2",
                   "--set", "server.memory_mb=0", *more)
        self.start("nginx", shutil.which("nginx", path="/usr/sbin:/usr/bin"),
                   "-c", str(self.path("etc/nginx/nginx.conf")))

    def end(self):
        for one in reversed(self.started):
            one.terminate()
            one.wait(30 * docket.SLOW)
        subprocess.run([docket.ROOT / "tests/lib/cluster.sh", "stop",
                        self.cluster], timeout=60, check=True)
        shutil.rmtree(self.root, ignore_errors=True)


def tree(root):
    """Every file below a folder but what nginx writes by itself and logs:
    what it is, holds, whose it is."""
    found = {}
    for path in sorted(root.rglob("*")):
        if {root / "var/log", root / "nginx"} & set(path.parents):
            continue
        st = path.lstat()
        held = os.readlink(path) if path.is_symlink() else \
            path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = \
            (st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, held)
    return found


def verdicts(text):
    """{step: verdict} of what setup tells."""
    return {line.split()[1]: line.split()[0] for line in text.splitlines()
            if re.match(r"(ok|would|done|skip|FAILED) ", line)}
