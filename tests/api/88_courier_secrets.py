# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the courier logs in with: used, and seen nowhere but there, however
badly the other side behaves."""

import base64
import contextlib
import http.server
import os
import pathlib
import pwd
import secrets
import shutil
import tempfile
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import docket
import instance
import marked as places
import trail
from docket import SLOW, Client, wait_until
from marked import Marked
from tables import SECRET_FILES, SETTINGS


class Sink:
    """A gateway or a hook: keeps what it was sent, and says all of it back
    with a refusal at first."""

    def __init__(self):
        sink, self.got = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((dict(self.headers.items()), body.decode()))
                said = str(sink.got[-1]).encode()
                self.send_response(500 if len(sink.got) == 1 else 200, "what")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/sink"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Post:
    """A mail server that wants a password, and tells its name of it."""

    def __init__(self):
        self.got, self.passwords, post = [], [], self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                said = envelope.content.decode()
                post.got.append(({}, said))
                if len(post.got) == 1:
                    return "451 not now: " + " ".join(said.split())[-200:]
                return "250 taken"

        def password(server, session, envelope, mechanism, data):
            post.passwords.append(data.password.decode())
            return AuthResult(success=True)

        self.controller = Controller(
            Handler(), hostname="127.0.0.1", port=docket.free_port(),
            authenticator=password, auth_required=True,
            auth_require_tls=False, ready_timeout=60.0)
        self.controller.start()
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    def close(self):
        self.controller.stop()


def secret_of(got):
    headers, body = got
    return str({k.lower(): v for k, v in headers.items()}) + body


# way: what it needs, how it is told, whom it writes to
WAYS = {
    "gateway": (["courier.gateway_secret_file"], Sink, docket.new_phone,
                lambda other, secret: [
                    "courier.sms=gateway", "courier.gateway=http",
                    f"courier.gateway_url={other.url}",
                    'courier.gateway_body={"to":"{{to}}","t":"{{text}}"}',
                    "courier.gateway_headers="
                    "Authorization: Bearer {{secret}}",
                    f"courier.gateway_secret_file={secret}"]),
    "hook": (["courier.hook_secret_file"], Sink, docket.new_phone,
             lambda other, secret: [
                 "courier.sms=hook", f"courier.hook_url={other.url}",
                 f"courier.hook_secret_file={secret}"]),
    "smtp": (["courier.smtp_password_file"], Post, docket.new_email,
             lambda other, secret: [
                 "courier.email=smtp", f"courier.smtp_url={other.url}",
                 "courier.smtp_tls=none", "courier.smtp_user=docket",
                 "courier.mail_from=no-reply@docket.example",
                 f"courier.smtp_password_file={secret}"]),
}


def test_every_secret_file_is_a_ways_own():
    """One that is added is tested here too."""
    told = {name for needs, *_ in WAYS.values() for name in needs}
    assert {name for name in SECRET_FILES
            if name.startswith("courier.")} <= told


@pytest.fixture
def folder():
    """Of files that the courier's user may read."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="docket-secrets-",
                                         dir="/var/tmp"))
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(path, user.pw_uid, user.pw_gid)
    yield path
    shutil.rmtree(path)


def secret_file(folder):
    path = folder / "secret"
    path.write_text("whsec_" + base64.b64encode(
        secrets.token_bytes(32)).decode() + "\n")
    path.chmod(0o600)
    if os.geteuid() == 0:
        there = folder.stat()
        os.chown(path, there.st_uid, there.st_gid)
    return path


@contextlib.contextmanager
def sending(way, path):
    _, other, _, settings = WAYS[way]
    other = other()
    try:
        with instance.running("otp.length=10", "server.workers=2",
                              "courier.allow_addresses=127.0.0.0/8,::1/128",
                              *settings(other, path)) as dev:
            yield dev, other
    finally:
        other.close()


def used(way, other, path):
    """It was of use: else this would prove nothing."""
    word = path.read_text().strip()
    if way == "gateway":
        assert word in str(other.got)
    elif way == "smtp":
        assert word in other.passwords
    else:
        headers = {k.lower() for k in other.got[-1][0]}
        assert "webhook-signature" in headers


def soon(dev):
    """What waits for its next try need wait no longer."""
    trail.owner(dev).sql("UPDATE docket.outbox SET next_at = now()"
                                " WHERE next_at > now()")


@pytest.mark.parametrize("way", WAYS)
def test_it_is_used_and_seen_nowhere(folder, way):
    missing = [name for name in WAYS[way][0] if name not in SETTINGS]
    if missing:
        pytest.skip(f"this build has no {missing[0]}")
    path = secret_file(folder)
    with sending(way, path) as (dev, other):
        marked, client = Marked(dev), Client(dev)
        marked.take_file("secret", path)
        code = marked.take(docket.send_otp(client, WAYS[way][2]()))["otp"]
        wait_until(lambda: other.got, "the first try", 30 * SLOW)
        looked(dev, marked)

        def again():
            soon(dev)
            return len(other.got) > 1

        wait_until(again, "the second try", 30 * SLOW)
        assert all(code in secret_of(got) for got in other.got)
        used(way, other, path)
        # Another one: by then what is said of the first has been said.
        tries = len(other.got)
        marked.take(docket.send_otp(client, WAYS[way][2]()))
        wait_until(lambda: len(other.got) > tries, "another", 30 * SLOW)
        looked(dev, marked)
        client.close()


def looked(dev, marked):
    assert not places.in_logs(dev, marked)
    assert not places.in_tables(dev, marked)
    read, found = places.in_processes(dev, marked)
    assert read > 8 and not found, found
    assert not places.in_files(dev, marked, {"secret", "otp"})
