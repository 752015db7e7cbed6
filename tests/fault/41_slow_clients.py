# SPDX-License-Identifier: AGPL-3.0-or-later
"""Five thousand clients that send or read as slowly as they can, by Debian's
slowhttptest: whoever behaves is served meanwhile, each time."""

import re
import resource
import shutil
import statistics
import subprocess
import time

import pytest

import docket
import instance
from docket import SLOW, Client

pytestmark = [pytest.mark.long, pytest.mark.skipif(
    not shutil.which("slowhttptest"), reason="no slowhttptest here")]

CONNECTIONS, SECONDS = 5000, 40

# Headers that never end, bodies that never end, replies never read.
WAYS = {
    "-H": ["-i", "5", "-x", "24"],
    "-B": ["-i", "5", "-x", "24", "-s", "200000", "-t", "POST"],
    "-X": ["-k", "3", "-w", "1", "-y", "2", "-z", "1", "-n", "5"],
}


class Elsewhere(Client):
    """With another address than those who attack."""

    def connect(self):
        connection = super().connect()
        connection.source_address = ("127.0.0.2", 0)
        return connection


@pytest.fixture(scope="module")
def limited():
    """nginx's limit for one client is that of production."""
    with instance.running("server.workers=4",
                          "limits.requests_client=20", prompt=True) as one:
        yield one


@pytest.fixture(scope="module")
def good(limited):
    one = docket.person(limited)
    for i in range(50):
        one.task(f"one of many that fill a page, {i}")
    yield one
    one.close()


def attack(own, way):
    path = "/tasks" if way == "-B" else "/openapi.json"
    allowed = max(CONNECTIONS + 1024, resource.getrlimit(
        resource.RLIMIT_NOFILE)[0])
    return subprocess.Popen(
        ["slowhttptest", way, *WAYS[way], "-c", str(CONNECTIONS), "-r", "500",
         "-l", str(SECONDS), "-p", "20", "-v", "1",
         "-u", f"https://127.0.0.1:{own.port}{path}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (allowed, allowed)))


def connections(own):
    """Those to nginx that stand, as the kernel counts them."""
    said = subprocess.run(
        ["ss", "-Htn", "state", "established", "sport", f"= :{own.port}"],
        capture_output=True, text=True, check=True)
    return len(said.stdout.splitlines())


def count_opened(said):
    """By its last report: what stands, and what nginx has ended."""
    last = {}
    for name, n in re.findall(r"(connected|closed): +(\d+)", said):
        last[name] = int(n)
    return sum(last.values())


@pytest.mark.parametrize("way", sorted(WAYS))
def test_who_behaves_is_served(limited, good, way):
    kept, token = Elsewhere(limited), good.access
    running, took, most = attack(limited, way), [], 0
    try:
        while running.poll() is None:
            begun = time.monotonic()
            kept.get("/tasks?limit=50", 200, token=token)
            fresh = Elsewhere(limited)  # a newcomer finds a place as well
            fresh.get("/healthz", 200)
            fresh.close()
            took.append(time.monotonic() - begun)
            most = max(most, connections(limited))
            time.sleep(0.2)
    finally:
        running.kill()
        kept.close()
        said = re.sub(r"\x1b\[[\d;]*m", "", running.communicate()[0])
    opened = count_opened(said)
    print(f"score: slowhttptest {way}: {opened} connections, up to {most} at"
          " once (nginx ends one"
          f" that stands still); {2 * len(took)} requests"
          f" served, median {statistics.median(took) * 500:.0f} ms, slowest"
          f" pair {max(took) * 1000:.0f} ms")
    # How fast it can open them is the machine's matter: each is a handshake.
    assert opened > 0.4 * CONNECTIONS, said[-1500:]
    assert len(took) > 20 and max(took) < 20 * SLOW
