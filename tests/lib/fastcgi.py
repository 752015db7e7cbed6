# SPDX-License-Identifier: AGPL-3.0-or-later
"""FastCGI 1.0 by hand, spoken to the workers' own sockets: whatever nginx
would never say can be said with it."""

import http.client
import io
import re
import socket
import struct
import time

import docket

(BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES,
 GET_VALUES_RESULT, UNKNOWN) = range(1, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1
MOST = 65528


def sockets(dev):
    """The paths of both groups' sockets, as docketd was told them."""
    text = dev.read("docket.conf")
    return dict(re.findall(r'^\s*(socket|auth_socket) = "([^"]+)"', text,
                           re.M))


# --- bytes ----------------------------------------------------------------

def record(kind, content=b"", id=1, padding=0, version=1, length=None):
    """One record; length is what its header claims instead of the truth."""
    length = len(content) if length is None else length
    return struct.pack(">BBHHBx", version, kind, id, length, padding) \
        + content + b"p" * padding


def begin(role=RESPONDER, flags=KEEP, id=1, **more):
    return record(BEGIN, struct.pack(">HB5x", role, flags), id, **more)


def number(value, wide=False):
    if value < 128 and not wide:
        return bytes([value])
    return struct.pack(">I", value | 1 << 31)


def pairs(items, wide=False):
    """Name-value pairs, lengths in one byte or four."""
    said = b""
    for name, value in items:
        name, value = encoded(name), encoded(value)
        said += number(len(name), wide) + number(len(value), wide) \
            + name + value
    return said


def encoded(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def stream(kind, content, id=1, step=MOST, padding=0, end=True):
    """A stream cut into records of step bytes, and the record that ends it.
    """
    said = b"".join(record(kind, content[i:i + step], id, padding)
                    for i in range(0, len(content), step))
    return said + (record(kind, b"", id, padding) if end else b"")


def environment(method="GET", uri="/healthz", body=b"", **more):
    """What nginx says of a request; None takes a name out."""
    said = {"REQUEST_METHOD": method, "REQUEST_URI": uri,
            "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.7",
            "HTTP_X_REQUEST_ID": "by-hand",
            "CONTENT_TYPE": "application/json" if body else "",
            "CONTENT_LENGTH": str(len(body)) if body else "", **more}
    return [(name, value) for name, value in said.items()
            if value is not None]


def request(method="GET", uri="/healthz", body=b"", *, role=RESPONDER,
            flags=KEEP, id=1, step=MOST, padding=0, wide=False, extra=(),
            **more):
    """A whole request; extra pairs follow the environment."""
    said = pairs(environment(method, uri, body, **more) + list(extra), wide)
    return begin(role, flags, id, padding=padding) \
        + stream(PARAMS, said, id, step, padding) \
        + stream(STDIN, body, id, step, padding)


# --- a connection ---------------------------------------------------------

class Gone(Exception):
    """The worker closed, or reset, before a reply was whole."""


class Peer:
    """One connection to a worker, with the manners of the test's choice."""

    def __init__(self, path, timeout=5 * docket.SLOW):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, said):
        """What the worker would not take any more is no failure."""
        try:
            self.socket.sendall(said)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def trickle(self, said, every=0.1, seconds=None):
        """A byte at a time; how long it went until the worker closed."""
        begun = time.monotonic()
        for byte in said:
            took = time.monotonic() - begun
            if (seconds is not None and took > seconds) \
                    or not self.send(bytes([byte])):
                break
            if self.closed(every):
                break
        return time.monotonic() - begun

    def read(self, n):
        said = b""
        while len(said) < n:
            try:
                more = self.socket.recv(n - len(said))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Gone(f"{len(said)} of {n} bytes")
            said += more
        return said

    def record(self):
        """The next record: its type, id and content."""
        version, kind, id, length, padding = struct.unpack(
            ">BBHHBx", self.read(8))
        assert version == 1, version
        return kind, id, self.read(length + padding)[:length]

    def output(self, id=1):
        """FCGI_STDOUT up to FCGI_END_REQUEST, which says all went well."""
        said = b""
        while True:
            kind, theirs, content = self.record()
            assert theirs == id, f"record {kind} of request {theirs}"
            if kind == END:
                assert content[:5] == b"\0\0\0\0\0", content
                return said
            assert kind == STDOUT, f"record {kind}: {content!r}"
            said += content

    def reply(self, id=1, method="GET", path="/healthz"):
        head, _, body = self.output(id).partition(b"\r\n\r\n")
        headers = http.client.parse_headers(io.BytesIO(head + b"\r\n\r\n"))
        status = int((headers.get("Status") or "200").split()[0])
        return docket.Reply(method, path, status, headers.items(), body)

    def closed(self, seconds):
        """Whether the worker closes within so long, without a word."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            said = self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(before)
        return said == b""


def ask(path, *arguments, **more):
    """One request on a connection of its own."""
    with Peer(path) as peer:
        peer.send(request(*arguments, **more))
        return peer.reply(more.get("id", 1))
