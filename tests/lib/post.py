# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mail servers for the courier to meet, good and bad, and the courier itself
started by a test; certificates of a test CA."""

import contextlib
import datetime
import email
import email.policy
import ipaddress
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import docket

ALLOW = "courier.allow_addresses=127.0.0.0/8,::1"


# --- the courier ----------------------------------------------------------

class Courier:
    """docket-courier on an instance whose own one has been ended."""

    def __init__(self, dev):
        self.dev = dev
        self.owner = docket.Dev(dev.dir)
        self.owner.dsn = dev.dsn.replace("user=docket_api",
                                         "user=docket_owner")
        spool = os.stat(dev.spool)
        self.ids = (spool.st_uid, spool.st_gid)
        self.binary = pathlib.Path(dev.docketd()).parent / "docket-courier"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-post-",
                                                    dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.files = 0

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, text, mode=0o600, name=None):
        """A file that the courier's user has, and nobody else."""
        self.files += 1
        path = self.folder / (name or f"file{self.files}")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, *self.ids)
        return path

    def start(self, *settings, once=True):
        words = [word for one in settings for word in ("--set", one)]
        more = {}
        if os.geteuid() == 0:
            more = {"user": self.ids[0], "group": self.ids[1],
                    "extra_groups": []}
        return subprocess.Popen(
            [self.binary, "-c", self.dev.dir / "docket.conf", *words,
             *(["--once"] if once else [])], text=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, **more)

    def run(self, *settings, expect=0):
        """Until the outbox is empty or nothing can go; what it said."""
        process = self.start(*settings)
        _, said = process.communicate(timeout=60 * docket.SLOW)
        assert process.returncode == expect, said
        return said

    def clear(self):
        self.owner.sql(
            "DELETE FROM docket.outbox; DELETE FROM docket.dead_letters;"
            " UPDATE docket.courier_lanes SET failures = 0, opened_at = NULL,"
            " open_until = NULL, open_seconds = 0")

    def due(self):
        """What waits for its next try need wait no longer."""
        self.owner.sql("UPDATE docket.outbox SET next_at = now(),"
                       " leased = false")

    def last_error(self):
        """Of the one message, dead or alive."""
        (row,) = self.owner.sql("SELECT last_error FROM docket.outbox UNION"
                                " ALL SELECT last_error FROM"
                                " docket.dead_letters")
        return row[0]

    def dead(self):
        return self.owner.sql("SELECT count(*) FROM docket.dead_letters") \
            == [["1"]]


# --- certificates ---------------------------------------------------------

class Authority:
    """A CA; issue() gives a server's context."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                                     f"test {name}")])
        self.pem = folder / f"{name}.pem"
        cert = self.sign(self.subject, self.key.public_key(), ca=True)
        self.pem.write_bytes(cert)
        self.pem.chmod(0o644)

    def sign(self, subject, public, ca=False, names=(), days=1):
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder(
            issuer_name=self.subject, subject_name=subject,
            public_key=public, serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(days=2),
            not_valid_after=now + datetime.timedelta(days=days))
        builder = builder.add_extension(
            x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=False)
        cert = builder.sign(self.key, hashes.SHA256())
        return cert.public_bytes(serialization.Encoding.PEM)

    def issue(self, host="localhost", days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        path = self.folder / f"server-{self.name}-{host}-{days}.pem"
        path.write_bytes(
            self.sign(subject, key.public_key(), names=names, days=days) +
            key.private_bytes(serialization.Encoding.PEM,
                              serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


# --- good servers ---------------------------------------------------------

class Mailbox:
    """aiosmtpd's handler: keeps the mails, says what it is told to say."""

    def __init__(self):
        self.mails, self.logins, self.rcpt = [], [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        answer = answer.format(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope, session.ssl is not None))
        return "250 2.0.0 Ok: queued as 4F1A2B3C"

    def message(self):
        """The one mail that came, parsed."""
        assert len(self.mails) == 1, self.mails
        return parse(self.mails[0][0].content)


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.default)


@contextlib.contextmanager
def server(user=None, password=None, **more):
    """(Mailbox, port) of a real mail server on loopback."""
    mailbox = Mailbox()
    if user:
        def authenticate(_, session, envelope, mechanism, data):
            given = (data.login.decode(), data.password.decode())
            mailbox.logins.append((mechanism, session.ssl is not None,
                                   *given))
            return AuthResult(success=given == (user, password), handled=False)

        more |= {"authenticator": authenticate, "auth_required": True}
    port = docket.free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port,
                            ready_timeout=60.0, **more)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


# --- bad ones -------------------------------------------------------------

class Scripted:
    """Says its lines whatever it hears; hears everything."""

    def __init__(self, talk):
        self.talk, self.heard = talk, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.over.is_set():
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(30)
                try:
                    self.talk(self, peer)
                except OSError:
                    pass

    def hear(self, peer):
        """One line of the other side's."""
        line = b""
        while not line.endswith(b"\n"):
            byte = peer.recv(1)
            if not byte:
                raise OSError("gone")
            line += byte
        self.heard += line
        return line

    def close(self):
        self.over.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(120)


@contextlib.contextmanager
def scripted(talk):
    found = Scripted(talk)
    try:
        yield found
    finally:
        found.close()


def conversation(**answers):
    """A talk: an answer for a verb in lower case, good ones for the others;
    `end` is the answer to the mail itself."""
    answers = {"data": "354 go on", "end": "250 OK", **answers}

    def talk(server, peer):
        peer.sendall(b"220 scripted\r\n")
        while True:
            verb = server.hear(peer).split()[0].decode().lower()
            answer = answers.get(verb, "250 OK")
            peer.sendall(answer.encode() + b"\r\n")
            if verb == "data" and answer.startswith("354"):
                while server.hear(peer) != b".\r\n":
                    pass
                peer.sendall(answers["end"].encode() + b"\r\n")
    return talk
