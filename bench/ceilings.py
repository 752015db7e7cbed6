# SPDX-License-Identifier: AGPL-3.0-or-later
"""nginx alone, and nginx before an application that only answers."""

import http.client
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
KINDS = {"list": 200, "one": 200, "created": 201, "changed": 200}
PIECE = 4000		# nginx takes no longer word


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def same_as_site():
    """The site's own lines on TLS and kept connections."""
    text = (ROOT / "nginx/docket-server.conf").read_text()
    return "\n\t".join(re.findall(
        r"^((?:ssl|keepalive|client|send|large|http2)_.*;)$", text, re.M))


def pieces(kind, size):
    return [(f"body_{kind}_{i}", min(PIECE, size - at))
            for i, at in enumerate(range(0, size, PIECE))]


def write_config(path, state, sockets, sizes, ports):
    """bare.conf.in with bodies as long as Docket's."""
    bodies = "\n\t".join(
        f'map "" ${name} {{ default "{"x" * n}"; }}'
        for kind, size in sizes.items() for name, n in pieces(kind, size))
    upstreams = "\n\t".join(
        f"upstream bench_{kind} {{ server unix:{sockets}/app/{kind}.sock;"
        " keepalive 64; keepalive_requests 1000000000; }" for kind in sizes)
    words = {"STATE": state, "ROOT": ROOT, "SAME": same_as_site(),
             "USER": "" if os.geteuid() else "user www-data;",
             "BODIES": bodies, "UPSTREAMS": upstreams,
             "PORT_NGINX": ports[0], "PORT_FASTCGI": ports[1]}
    for kind, size in sizes.items():
        words[f"BODY {kind}"] = "".join(
            f"${name}" for name, _ in pieces(kind, size))
    text = (HERE / "nginx/bare.conf.in").read_text()
    path.write_text(re.sub(r"@([A-Z_]+(?: \w+)?)@",
                           lambda m: str(words[m[1]]), text))


def write_replies(state, sizes):
    """What the constant application sends: a file a kind."""
    files = {}
    for kind, size in sizes.items():
        files[kind] = state / "run" / f"{kind}.reply"
        files[kind].write_text(
            f"Status: {KINDS[kind]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {size}\r\n\r\n" + "x" * size)
    return files


class Ceilings:
    """Both servers, running. sizes: bytes of a body by kind."""

    def __init__(self, state, sockets, program, workers, sizes):
        ports = free_port(), free_port()
        config = state / "bare.conf"
        write_config(config, state, sockets, sizes, ports)
        files = write_replies(state, sizes)
        command = [program, str(workers)]
        for kind, file in files.items():
            command += [f"{sockets}/app/{kind}.sock", str(file)]
        self.application = self.start(state, "constant", command)
        self.nginx = self.start(state, "bare", [
            "nginx", "-e", str(state / "log/nginx-bare.log"),
            "-p", str(state), "-c", str(config)])
        self.urls = [f"https://127.0.0.1:{port}" for port in ports]
        for port in ports:
            self.wait(port, sizes)

    @staticmethod
    def start(state, name, command):
        """In the state's run folder, where ./dev looks for what is left."""
        with open(state / "log" / f"{name}.log", "wb") as log:
            return subprocess.Popen(command, cwd=state / "run",
                                    stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log)

    def wait(self, port, sizes):
        """Until it answers what it shall."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        asks = (("GET", "/tasks", "list"), ("GET", "/tasks/1", "one"),
                ("POST", "/tasks", "created"),
                ("PATCH", "/tasks/1/status", "changed"))
        end = time.monotonic() + 15
        while True:
            try:
                for method, path, kind in asks:
                    link = http.client.HTTPSConnection(
                        "127.0.0.1", port, context=context, timeout=5)
                    link.request(method, path)
                    reply = link.getresponse()
                    got = reply.status, len(reply.read())
                    link.close()
                    assert got == (KINDS[kind], sizes[kind]), (kind, got)
                return
            except OSError:
                if time.monotonic() > end or self.nginx.poll() is not None:
                    raise
                time.sleep(0.1)

    def roles(self):
        return {"front": [self.nginx.pid], "app": [self.application.pid]}

    def stop(self):
        for process in (self.nginx, self.application):
            process.send_signal(signal.SIGTERM)
            process.wait()
