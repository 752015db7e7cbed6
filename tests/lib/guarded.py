# SPDX-License-Identifier: AGPL-3.0-or-later
"""A site behind Docket's logins: nginx with the example that ships, files,
and an application that says what reached it."""

import contextlib
import hmac
import http.server
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import urllib.parse
import uuid

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import docket
from docket import ROOT, SLOW, Client

NGINX = ROOT / "nginx"
PLACE = "/usr/share/docket/nginx/"

MAIN = """
daemon off; pid {place}/pid; error_log {place}/error.log info;
worker_processes 2;
events {{ worker_connections 512; }}
http {{
	access_log off;
	client_body_temp_path {place}/a; fastcgi_temp_path {place}/b;
	proxy_temp_path {place}/c; scgi_temp_path {place}/d;
	uwsgi_temp_path {place}/e;
	include {nginx}/docket-http.conf;
	include {place}/routes.conf;
	include {place}/site.conf;
}}
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """What came, as JSON."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        said = json.dumps({
            "method": self.command, "path": self.path,
            "body": body.decode(),
            "headers": [[k.lower(), v] for k, v in self.headers.items()],
        }).encode()
        self.server.served += 1
        self.send_response(500 if self.path == "/500" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer
    do_OPTIONS = answer

    def log_message(self, *words):
        pass


class Site:
    """Where a docket.Client finds it."""

    def __init__(self, dev, place, port, app):
        self.dev, self.place, self.app = dev, place, app
        self.host, self.port = "localhost", port
        self.url = f"https://localhost:{port}"

    def tls(self):
        return self.dev.tls()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def errors(self):
        return (self.place / "error.log").read_text()

    def visitor(self, **more):
        return Visitor(self, **more)


class Visitor(Client):
    """A client of the site, a browser's way with a cookie or a program's
    with headers; what the site answers is not Docket's to promise."""

    def __init__(self, site, token=None, cookie=None, key=None):
        super().__init__(site)
        self.token, self.cookie, self.key = token, cookie, key

    def request(self, method, path, expect=None, **more):
        headers = list(more.pop("headers", ()))
        if self.cookie:
            headers.append(("Cookie", self.cookie))
        if self.key:
            headers.append(("X-API-Key", self.key))
        more.setdefault("token", self.token)
        return super().request(method, path, expect, headers=headers,
                               check=False, **more)

    def seen(self, method="GET", path="/app/", **more):
        """What reached the application: (members, {header: values})."""
        reply = self.request(method, path, 200, **more)
        headers = {}
        for name, value in reply.json["headers"]:
            headers.setdefault(name, []).append(value)
        return reply.json, headers


def cookie_of(reply):
    """The pair that a browser would send back."""
    return reply.header("Set-Cookie").split(";")[0]


def attributes(reply):
    name, *rest = reply.header("Set-Cookie").split("; ")
    return name, rest


def configure(place, dev, port, app_port, change):
    site = (NGINX / "examples/guard.conf").read_text()
    for old, new in (
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
            ("intranet.example.org", "localhost"),
            ("/etc/docket/tls/intranet.pem", f"{dev.dir}/tls/server.pem"),
            ("/etc/docket/tls/intranet.key", f"{dev.dir}/tls/server.key"),
            ("/srv/intranet", f"{place}/files"),
            ("http://127.0.0.1:3000/", f"http://127.0.0.1:{app_port}/"),
            (PLACE, f"{place}/")):
        assert old in site, f"the example lost {old}"
        site = site.replace(old, new)
    for name in ("docket-guard.conf", "docket-guard-call.conf"):
        (place / name).write_text((NGINX / name).read_text().replace(
            PLACE, f"{place}/"))
    # nginx need not see the checkout, whose home may be its owner's alone.
    shutil.copytree(NGINX / "examples", place / "examples",
                    copy_function=shutil.copyfile)
    (place / "examples").chmod(0o755)
    routes = (dev.dir / "nginx-routes.conf").read_text()
    if change:
        site, routes = change(site, routes)
    (place / "site.conf").write_text(site)
    (place / "routes.conf").write_text(routes)
    (place / "nginx.conf").write_text(MAIN.format(place=place, nginx=NGINX))


@contextlib.contextmanager
def site(dev, change=None):
    """change(site.conf, routes.conf) may make both something else."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="docket-guard-",
                                          dir="/var/tmp"))
    place.chmod(0o755)
    for name, words in (("index.html", "the front"),
                        ("notes.txt", "notes"),
                        ("reports/index.html", "the reports")):
        path = place / "files" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(words)
    app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    app.served = 0
    threading.Thread(target=app.serve_forever, daemon=True).start()
    port = docket.free_port()
    configure(place, dev, port, app.server_address[1], change)
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    process = subprocess.Popen(
        [nginx, "-e", place / "error.log", "-p", place, "-c",
         place / "nginx.conf"], stderr=subprocess.PIPE, text=True)
    found = Site(dev, place, port, app)
    found.process = process
    try:
        docket.wait_until(lambda: up(found, process), "the guarded site",
                          20 * SLOW)
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=120)
        app.shutdown()
        app.server_close()
        shutil.rmtree(place)


def up(found, process):
    if process.poll() is not None:
        raise AssertionError(process.stderr.read() + found.errors())
    client = found.visitor()
    try:
        return client.get("/_docket/signin.css", None).status
    except OSError:
        return None
    finally:
        client.close()


# --- a pass made by hand ------------------------------------------------------

def forge(dev, user, session, until, version=1, purpose=b"pass"):
    """As core/pass.c makes it, under a key of the master secret's."""
    master = docket.unb64(dev.read("keys/secret.key"))
    key = HKDF(SHA256(), 32, None, purpose).derive(master)
    said = bytes([version]) + uuid.UUID(user).bytes \
        + uuid.UUID(session).bytes + struct.pack(">q", until)
    return docket.b64(said + hmac.digest(key, said, "sha256")[:16])


def next_of(reply):
    """Where a redirect to the sign-in page says that one wanted to go."""
    to = urllib.parse.urlsplit(reply.header("Location"))
    assert (to.scheme, to.netloc, to.path) == (
        "", "", "/_docket/signin.html"), to
    assert to.query.startswith("next=")
    return to.query[5:]
