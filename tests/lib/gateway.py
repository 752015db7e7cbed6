# SPDX-License-Identifier: AGPL-3.0-or-later
"""A gateway on loopback that answers well or badly, and a courier for it."""

import contextlib
import datetime
import http.server
import os
import pathlib
import pwd
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from docket import SLOW, comm, json, wait_until


class Request:
    """What the gateway was sent."""

    def __init__(self, handler, body):
        self.method, self.target = handler.command, handler.path
        self.path = urllib.parse.urlsplit(self.target).path
        self.headers, self.body = handler.headers, body

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(
            self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(
            urllib.parse.urlsplit(self.target).query, strict_parsing=True))

    @property
    def json(self):
        return json.loads(self.body)


class Gateway:
    """answer(request) gives (status, headers, body), or it is a function of
    the handler, for what no well-behaved server does."""

    def __init__(self, answer, context=None):
        self.answer, self.requests = answer, []
        self.stopping = threading.Event()
        self.connections = 0
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self, self.rfile.read(length))
                gateway.requests.append(request)
                answer = gateway.answer(request)
                if callable(answer):
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        answer(self)
                    return
                status, headers, body = answer
                body = body if isinstance(body, bytes) else \
                    json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = reply

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                connection, address = super().get_request()
                gateway.connections += 1
                return connection, address

            def finish_request(self, connection, address):
                if context:
                    # The handshake of a client that refuses us ends here.
                    connection = context.wrap_socket(connection,
                                                     server_side=True)
                self.RequestHandlerClass(connection, address, self)

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        scheme, host = ("https", "localhost") if context else \
            ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def first(self, what=None, seconds=20):
        return wait_until(lambda: self.requests, what or
                          "a request at the gateway", seconds * SLOW)[0]


# What badly behaved gateways do with a request.

def hang(gateway):
    return lambda handler: gateway().stopping.wait(120)


def trickle(gateway):
    def run(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not gateway().stopping.wait(1):
            handler.wfile.write(b"x")
    return run


def reset(handler):
    """RST instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
    handler.connection.close()


def flood(handler):
    """10 MB."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json"
                        b"\r\nContent-Length: 10485760\r\n\r\n")
    for _ in range(160):
        handler.wfile.write(b" " * 65536)


class Authority:
    """A CA of the test's and server certificates by it, good and bad."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                                  "a test's authority")])
        self.cert = self.sign(self.name, self.key.public_key(), ca=True)
        self.file = self.dir / "gateway-ca.pem"
        self.file.write_bytes(pem(self.cert))
        self.file.chmod(0o644)

    def sign(self, subject, key, days=1, ca=False, host=None):
        now = datetime.datetime.utcnow()
        end = now + datetime.timedelta(days=days)
        made = (x509.CertificateBuilder().subject_name(subject)
                .issuer_name(self.name).public_key(key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=3))
                .not_valid_after(end)
                .add_extension(x509.BasicConstraints(ca, None), True))
        if host:
            made = made.add_extension(x509.SubjectAlternativeName(
                [x509.DNSName(host)]), False)
        return made.sign(self.key, hashes.SHA256())

    def context(self, host="localhost", days=1, by_itself=False,
                most=ssl.TLSVersion.TLSv1_3):
        """A server's TLS context for a certificate like this."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        signer = self
        if by_itself:
            signer = object.__new__(Authority)
            signer.key, signer.name = key, subject
        cert = signer.sign(subject, key.public_key(), days, host=host)
        path = self.dir / f"server-{cert.serial_number:x}.pem"
        path.write_bytes(pem(cert) + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if most < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = most
        context.maximum_version = most
        context.load_cert_chain(path)
        return context


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def courier_user(dev):
    found = re.search(r'user = "(\w+)"', dev.read("docket.conf"))
    return found[1] if found else None


def secret_file(dev, name, text):
    """A file with a secret that the courier alone can read."""
    path = dev.dir / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    user = courier_user(dev)
    if user:
        os.chown(path, pwd.getpwnam(user).pw_uid, -1)
    return path


def end_courier(dev):
    """The instance's own courier goes, so that a test's has the outbox."""
    for pid in dev.pids()["app"]:
        if comm(pid) == "docket-courier":
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: comm(pid) != "docket-courier",
                       "the end of the courier", 20)


def program(dev):
    return str(pathlib.Path(dev.docketd()).parent / "docket-courier")


def command(dev, settings, *more):
    words = [word for one in settings for word in ("--set", one)]
    return [program(dev), "-c", str(dev.dir / "docket.conf"), *words, *more]


class Courier:
    """A docket-courier of the test's own with these settings."""

    def __init__(self, dev, *settings):
        self.log_file = dev.dir / "log" / "gateway-test.log"
        log = open(self.log_file, "wb")
        with log:
            self.process = subprocess.Popen(
                command(dev, ("courier.allow_addresses=127.0.0.1,::1",
                              "courier.send_seconds=2",
                              "courier.breaker_failures=1000", *settings)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "http_proxy": "http://127.0.0.1:1",
                     "https_proxy": "http://127.0.0.1:1"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log()

    def log(self):
        return self.log_file.read_text()

    def why(self, pattern):
        """Wait for a message that was not sent because of that; all of what
        the log gives as reasons."""
        def found():
            reasons = re.findall(r'why="([^"]*)"', self.log())
            return reasons if any(re.search(pattern, one)
                                  for one in reasons) else None
        try:
            return wait_until(found, f"why={pattern}", 20 * SLOW)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None


def refused(dev, *settings):
    """What a courier says that does not start with these settings."""
    done = subprocess.run(command(dev, settings, "--once"), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)
    assert done.returncode == 78, f"{done.returncode}: {done.stderr}"
    return done.stderr
