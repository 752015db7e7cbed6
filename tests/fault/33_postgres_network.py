# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL behind a network that swallows everything: a worker is never
held for longer than its deadline, and it heals when the network does."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

import docket
from docket import SANITIZED, SLOW, tries, wait_until
from postgres import Postgres, everybody_is_back
from watch import BOUND, watched

pytestmark = pytest.mark.faults

HERE, THERE, MAC = "10.213.77.1", "10.213.77.2", "02:00:00:00:77:02"

# In a network of its own: TCP there to the server's Unix socket here.
RELAY = """
import socket, sys, threading

def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for end in (a, b):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def serve(near):
    far = socket.socket(socket.AF_UNIX)
    try:
        far.connect(sys.argv[1])
    except OSError:
        near.close()
        return
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()

print("up", flush=True)
sys.stdin.readline()
with socket.create_server((sys.argv[2], 5432), backlog=128) as door:
    print("open", flush=True)
    while True:
        serve(door.accept()[0])
"""


def ip(*words, inside=None):
    enter = ["nsenter", "-t", str(inside), "-n"] if inside else []
    return subprocess.run([*enter, "ip", *words], capture_output=True,
                          text=True)


class Network:
    """A wire between us and the relay; it can be cut without a word."""

    def __init__(self, socket_path):
        self.near = f"dk{os.getpid()}"
        self.relay = subprocess.Popen(
            ["unshare", "-n", sys.executable, "-c", RELAY, socket_path,
             THERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        if self.relay.stdout.readline() != "up\n":
            raise OSError(self.relay.stderr.read())
        self.lay()

    def lay(self):
        pid = str(self.relay.pid)
        done = ip("link", "add", self.near, "type", "veth", "peer", "name",
                  "far", "address", MAC, "netns", pid)
        if done.returncode:
            self.close()
            raise OSError(done.stderr)
        ip("addr", "add", f"{HERE}/30", "dev", self.near)
        ip("link", "set", self.near, "up")
        # Or the kernel would say after a while that nobody is there.
        ip("neigh", "replace", THERE, "lladdr", MAC, "nud", "permanent",
           "dev", self.near)
        ip("addr", "add", f"{THERE}/30", "dev", "far", inside=pid)
        self.mend()
        self.relay.stdin.write("go\n")
        self.relay.stdin.flush()
        assert self.relay.stdout.readline() == "open\n"

    def cut(self):
        ip("link", "set", "far", "down", inside=self.relay.pid)

    def mend(self):
        ip("link", "set", "far", "up", inside=self.relay.pid)

    def close(self):
        ip("link", "del", self.near)
        self.relay.kill()
        self.relay.wait()


@contextlib.contextmanager
def setting(box, text):
    """By a reload: new workers have it."""
    drop = box.dir / "conf.d"
    drop.mkdir(exist_ok=True)
    drop.chmod(0o755)
    path = drop / "network.conf"
    path.write_text(text)
    path.chmod(0o644)
    try:
        reload(box)
        yield
    finally:
        path.unlink()
        reload(box)


def reload(box):
    before = box.workers()
    os.kill(box.supervisor(), signal.SIGHUP)
    wait_until(lambda: len(box.workers()) == len(before) and
               not set(before) & set(box.workers()), "new workers",
               20 * SLOW)


@pytest.fixture
def network(box):
    server = Postgres(box)
    try:
        wire = Network(f"{server.sockets}/.s.PGSQL.5432")
    except OSError as error:
        pytest.skip(f"no network of its own: {str(error).strip()}")
    dsn = box.dsn.replace(f"host={server.sockets}", f"host={THERE}")
    with setting(box, f'database {{ dsn = "{dsn}" }}\n'):
        everybody_is_back(box, 15 * SLOW)
        yield wire
        wire.mend()
    wire.close()


@pytest.mark.parametrize("seconds", [
    6, pytest.param(120, marks=pytest.mark.long)])
def test_a_network_that_swallows_everything(box, network, seconds):
    workers = box.workers()
    with watched(box, in_flight=True) as load:
        before = load.failed()

        def partition():
            network.cut()
            time.sleep(seconds)
            network.mend()

        load.in_time(partition)
        assert load.failed() > before + 20
    assert box.workers() == workers, "a worker was replaced"


@tries(3)
def test_an_idle_connection_that_broke_unseen(box, network):
    """The first request finds out; the next one knows."""
    one = docket.person(box)
    workers = box.workers()
    network.cut()
    try:
        took = []
        for _ in range(3 * len(workers)):
            begun = time.monotonic()
            reply = one.get("/tasks", None)
            took.append(time.monotonic() - begun)
            assert reply.status == 503, str(reply)
    finally:
        network.mend()
    print(" ".join(f"{t:.2f}" for t in took))
    assert sorted(took)[len(took) // 2] < (2 if SANITIZED else 1)
    assert max(took) < BOUND
    everybody_is_back(box, 15 * SLOW)
    assert box.workers() == workers, "a worker was replaced"
