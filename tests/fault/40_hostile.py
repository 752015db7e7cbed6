# SPDX-License-Identifier: AGPL-3.0-or-later
"""Peers on the workers' own sockets that are no web server: none of them
costs a worker, a neighbour its place, or anybody his time."""

import concurrent.futures
import contextlib
import os
import random
import re
import signal
import threading
import time

import pytest

import docket
import fastcgi
from docket import SANITIZED, SLOW, wait_until
from fastcgi import (ABORT, BEGIN, DATA, END, GET_VALUES, GET_VALUES_RESULT,
                     MOST, PARAMS, STDIN, UNKNOWN, Gone, Peer, begin,
                     environment, pairs, record, request, stream)

# Within this the next good request is served, however busy the machine; and
# half of them within the other, which is less than one worker's wait.
SOON, MOSTLY = 1.5 * SLOW, 1.8 if SANITIZED else 0.8
WAIT = 2.0              # a request may take so long to come in full

GOOD = pairs(environment())
REGISTER = {"method": "POST", "uri": "/auth/register", "body": b"{}"}


@pytest.fixture(scope="module")
def paths(own):
    return fastcgi.sockets(own)


@pytest.fixture(scope="module")
def good(own):
    """Somebody whose requests go through nginx while others misbehave."""
    one = docket.person(own)
    one.task("to be listed")
    yield one
    one.close()


def seconds_of(job):
    begun = time.monotonic()
    job()
    return time.monotonic() - begun


def served(good, path):
    """Through nginx to the database, and on a new connection of our own, as
    nginx would make it. How long that took."""
    took = seconds_of(lambda: good.get("/tasks", 200))
    return max(took, seconds_of(lambda: healthy(fastcgi.ask(path))))


def healthy(reply):
    assert reply.status == 200 and reply.json["status"] == "ok", str(reply)


def soon(took):
    assert max(took) < SOON and sorted(took)[len(took) // 2] < MOSTLY, took


def many_served(good, path):
    """How long each took, for a second and a half and at least 15 of them."""
    took, until = [], time.monotonic() + 1.5
    while len(took) < 15 or time.monotonic() < until:
        took.append(served(good, path))
    return took


def clean(reply, statuses):
    """A problem of the program's own, that says nothing of its inside."""
    assert reply.status in statuses, str(reply)
    if reply.status >= 400:
        docket.problem(reply)


def beside(jobs):
    """Run each in a thread; hand back what waits for all of them."""
    pool = concurrent.futures.ThreadPoolExecutor(len(jobs))
    running = [pool.submit(job) for job in jobs]

    def end():
        with pool:
            return [one.result(60 * SLOW) for one in running]

    return end


# --- good manners, spelled unusually --------------------------------------

@pytest.mark.parametrize("more", [
    {}, {"step": 1}, {"wide": True}, {"padding": 255},
    {"step": 3, "padding": 1, "wide": True}, {"id": 65535},
    {"extra": [(f"X_{i}", "") for i in range(3000)]},
    {"extra": [("", "")] * 10000}, {"extra": [("", "value")]},
    {"extra": [("X", "y" * 60000)]},
    {"extra": [("REMOTE_ADDR", "192.0.2.8")] * 9}], ids=str)
def test_what_the_protocol_allows_is_served(own, paths, more):
    with Peer(paths["socket"]) as peer:
        # Cut into single bytes it is nine times as long.
        large = 20000 if "step" in more else 200000
        for body in (b"", b"{}", b'{"a":"' + b"x" * large + b'"}'):
            method = {"method": "POST", "uri": "/tasks"} if body else {}
            peer.send(request(body=body, **method, **more))
            reply = peer.reply(more.get("id", 1))
            clean(reply, {401} if body else {200})


def test_a_request_in_pieces_is_served(paths):
    """Cut everywhere, and the connection goes on."""
    said = request(body=b"{}", method="PATCH", uri="/healthz")
    with Peer(paths["socket"]) as peer:
        for cut in range(1, len(said)):
            peer.send(said[:cut])
            peer.send(said[cut:])
            clean(peer.reply(), {405})
        peer.trickle(said, every=0.001)
        clean(peer.reply(), {405})
        peer.send(request())
        healthy(peer.reply())


def test_without_keep_conn_the_connection_ends(paths):
    with Peer(paths["socket"]) as peer:
        peer.send(request(flags=0))
        healthy(peer.reply())
        assert peer.closed(1 * SLOW)


@pytest.mark.parametrize("names, content", [
    (["FCGI_MPXS_CONNS"], b"\x0f\x01FCGI_MPXS_CONNS0"),
    (["FCGI_MAX_CONNS", "FCGI_MPXS_CONNS"] * 50,
     b"\x0f\x01FCGI_MPXS_CONNS0"),
    (["FCGI_MAX_REQS", "HOME"], b""), ([], b"")], ids=str)
def test_get_values_is_answered(paths, names, content):
    """§4.1: before a request, in the middle and after it."""
    asks = record(GET_VALUES, pairs([(n, "") for n in names]), 0, 3)
    said = request()
    with Peer(paths["socket"]) as peer:
        peer.send(asks)
        assert peer.record() == (GET_VALUES_RESULT, 0, content)
        peer.send(said[:16] + asks)
        assert peer.record() == (GET_VALUES_RESULT, 0, content)
        peer.send(said[16:])
        healthy(peer.reply())
        peer.send(asks + said)
        assert peer.record() == (GET_VALUES_RESULT, 0, content)
        healthy(peer.reply())
        peer.send(record(200, b"?", 0))
        assert peer.record() == (UNKNOWN, 0, b"\xc8" + b"\0" * 7)


# --- what no web server says ----------------------------------------------

def opened(content=GOOD):
    """A request whose parameters are still open."""
    return begin() + record(PARAMS, content)


def with_pairs(content):
    """A request with these bytes for parameters, and an end."""
    return begin() + stream(PARAMS, content) + record(STDIN)


# What libfcgi 2.4.2 does with these by itself, were they let through.
LIBRARY = {
    "2 GiB name": (with_pairs(b"\xff\xff\xff\xf0\x01"),
                   "malloc of 2 GiB, abort by assert when there is none"),
    "2 GiB value": (with_pairs(b"\x01\xff\xff\xff\xf0"), "the same"),
    "1 GiB": (with_pairs(b"\xc0\0\0\0\x01"), "the same"),
    "2 GiB and a byte": (with_pairs(b"\xff" * 8), "refuses these since 2025"),
    "records of another id for ever": (
        opened() + record(PARAMS, b"x" * MOST, 2) * 40,
        "skips them without end while the worker waits"),
    "cut between two pairs": (
        opened() + record(STDIN),
        "takes the error for the end: a request without the rest"),
    "a wrong version among parameters": (
        opened() + record(PARAMS, GOOD, version=2), "the same"),
    "an abort": (opened() + record(ABORT), "the same"),
}

CLOSED = {
    **{name: said for name, (said, _) in LIBRARY.items()},
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": b"\0" * 64,
    "ones": b"\xff" * 4096,
    "version 0": record(BEGIN, b"\0\1" + b"\0" * 6, version=0),
    "version 2": record(BEGIN, b"\0\1" + b"\0" * 6, version=2),
    "an authorizer": request(role=fastcgi.AUTHORIZER),
    "a filter": request(role=fastcgi.FILTER),
    "role 0": request(role=0),
    "role 65535": request(role=65535),
    "id 0": request(id=0),
    "a short begin": record(BEGIN, b"\0\1\1"),
    "a long begin": record(BEGIN, b"\0\1" + b"\0" * 7),
    "an empty begin": record(BEGIN),
    "begun twice": begin() + begin(),
    "two begun": begin(id=1) + begin(id=2),
    "two interleaved": begin(id=1) + begin(id=2)
        + record(PARAMS, GOOD, 1) + record(PARAMS, GOOD, 2)
        + record(PARAMS, b"", 1) + record(PARAMS, b"", 2),
    "nothing begun, parameters": record(PARAMS, GOOD),
    "nothing begun, a body": record(STDIN, b"{}"),
    "nothing begun, an abort": record(ABORT),
    "a body for another": opened() + record(PARAMS)
        + record(STDIN, b"{}", 9),
    "a body before its time": opened() + record(STDIN, b"{}"),
    "parameters after their end": opened() + record(PARAMS)
        + record(PARAMS, GOOD),
    "an abort in the body": opened() + record(PARAMS) + record(ABORT),
    "data": opened() + record(PARAMS) + record(DATA, b"{}"),
    "an end from them": opened() + record(END, b"\0" * 8),
    "a result from them": opened() + record(PARAMS) + record(11, b"\0" * 8),
    "an unknown type": opened() + record(200, b"?"),
    "two requests at once": request() + request(),
    "64 KiB of parameters": with_pairs(pairs([("X", "y" * 70000)])),
    "parameters without end": begin() + record(PARAMS, b"\0" * MOST) * 3,
    "half a pair": with_pairs(GOOD + b"\x05"),
    "half a length": with_pairs(GOOD + b"\x80\0"),
    "a name cut short": with_pairs(GOOD + b"\x05\x01AB"),
    "a value cut short": with_pairs(GOOD + b"\x01\x05AB"),
    "NUL in a name": with_pairs(GOOD + pairs([("A\0B", "c")])),
    "NUL in a value": with_pairs(GOOD + pairs([("HTTP_ACCEPT", "\0")])),
    "a body of 4 MiB": opened() + record(PARAMS)
        + record(STDIN, b"x" * MOST) * 64,
}

# So far all is well; then nothing more is said.
SILENT = {
    "nothing": b"",
    "one byte": b"\x01",
    "half a head": begin()[:4],
    "a head": begin()[:8],
    "a begin": begin(),
    "half of the parameters": opened(GOOD[:40]),
    "parameters without an end": opened(),
    "no body": opened() + record(PARAMS),
    "a body without an end": opened() + record(PARAMS)
        + record(STDIN, b"{}"),
    "a head that promises 64 KiB": opened() + record(PARAMS, length=65535),
    "2 GiB in 28 bytes": begin() + record(PARAMS, b"\xff" * 4, length=65535),
    "padding that does not come": request(padding=9)[:-1],
    "half of a question": record(GET_VALUES, b"\x0f", 0, length=40),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_no_server_says_ends_the_connection(good, paths, name):
    for path in paths.values():
        with Peer(path) as peer:
            peer.send(CLOSED[name])
            assert peer.closed(3 * SLOW), "it goes on"
    assert served(good, paths["socket"]) < SOON


def test_half_a_request_waits_for_its_time_alone(good, paths):
    """All of them at once and several times over: more than there are
    workers. Each is parted with, and none is waited for."""
    with contextlib.ExitStack() as stack:
        peers = [(name, stack.enter_context(Peer(path)))
                 for name in SILENT for path in paths.values()
                 for _ in range(4)]
        begun = time.monotonic()
        for name, peer in peers:
            peer.send(SILENT[name])
        took = [served(good, paths["socket"]) for _ in range(10)]
        print(f"{len(peers)} wait; served in {max(took) * 1000:.0f} ms")
        soon(took)
        patient = [name for name, peer in peers if not peer.closed(0.01)]
        if time.monotonic() - begun < WAIT / 2:
            assert len(patient) == len(peers), "closed before their time"
        until = begun + WAIT + 3 * SLOW
        late = [name for name, peer in peers
                if not peer.closed(max(0.01, until - time.monotonic()))]
        assert not late, f"waited for too long: {late}"


def test_who_trickles_holds_nobody(good, paths):
    """A byte every 100 ms keeps any timeout of a read from coming."""
    said = request(body=b"x" * 1000, method="POST", uri="/tasks")
    peers = [Peer(path) for path in paths.values() for _ in range(12)]
    end = beside([lambda p=p: p.trickle(said, 0.1, WAIT + 8 * SLOW)
                  for p in peers])
    took = many_served(good, paths["socket"])
    print(f"{len(peers)} trickle; {len(took)} served, the slowest in "
          f"{max(took) * 1000:.0f} ms")
    soon(took)
    lasted = end()
    for peer in peers:
        peer.close()
    print(f"parted with after {min(lasted):.1f} to {max(lasted):.1f} s")
    assert max(lasted) < WAIT + 5 * SLOW, "a trickler stays for ever"


def test_more_peers_than_places(good, paths):
    """Four workers with 64 places each; those who say nothing leave theirs
    to those who do, whether they were served before or not."""
    for said in (b"", b"\x01", request()):
        with contextlib.ExitStack() as stack:
            peers = []
            for _ in range(400):
                peers.append(stack.enter_context(Peer(paths["socket"])))
                peers[-1].send(said)
            took = [served(good, paths["socket"]) for _ in range(9)]
            print(f"{said[:1]}: {max(took) * 1000:.0f} ms")
            soon(took)


def reloaded(own, peers, said):
    """Half of it to each, then a reload; whether the old workers leave while
    they still wait for the rest."""
    old, before, begun = own.workers(), len(own.log()), time.monotonic()
    for peer in peers:
        peer.begun = begun
        peer.send(said[:20])
    time.sleep(0.1)  # until it is taken in
    os.kill(own.supervisor(), signal.SIGHUP)
    wait_until(lambda: "worker_leaves" in own.log()[before:],
               "the old workers to be told", 10 * SLOW)
    if time.monotonic() - begun < 0.7 * WAIT:
        return old
    wait_until(lambda: not set(own.workers()) & set(old),
               "the old workers to leave", 10 * SLOW)
    return None


@pytest.mark.faults
def test_half_a_request_outlives_a_reload(own, paths):
    """The old worker keeps what it has begun to take in; after the reply the
    connection goes to a new one."""
    said = request()
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(path))
                     for path in paths.values() for _ in range(4)]
            old = reloaded(own, peers, said)
            if not old:
                continue
            try:
                for peer in peers:
                    peer.send(said[20:])
                for peer in peers:
                    healthy(peer.reply())
            except Gone:
                if time.monotonic() - peers[0].begun < 0.9 * WAIT:
                    raise
                continue  # the rest came too late
            for peer in peers * 2:
                peer.send(said)
                healthy(peer.reply())
            wait_until(lambda: not set(own.workers()) & set(old),
                       "the old workers to leave", 10 * SLOW)
            for peer in peers:
                peer.send(said)
                healthy(peer.reply())
            return
    pytest.skip("the machine is too slow for a reload within two seconds")


# --- replies that nobody wants --------------------------------------------

def test_a_reader_that_does_not_read_costs_half_a_second(own, good, paths):
    """Each reply waits in the socket's buffer until that is full."""
    many = len(own.workers()) + 4
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer(paths["socket"]))
                 for _ in range(many)]

        def ask_on(peer):
            until = time.monotonic() + docket.LEAST
            while time.monotonic() < until:
                if not peer.send(request(uri="/openapi.json")):
                    return True
                time.sleep(0.05)
            return False

        end = beside([lambda p=p: ask_on(p) for p in peers])
        took = many_served(good, paths["socket"])
        print(f"{many} deaf; the slowest good one {max(took) * 1000:.0f} ms")
        # As many as there are workers may each cost one its 500 ms, twice.
        soon(took)
        assert all(end()), "a deaf peer goes on"


def test_a_peer_that_goes_in_the_middle_of_a_reply(good, paths):
    for n in range(40):
        with Peer(paths["socket"]) as peer:
            peer.send(request(uri="/openapi.json"))
            if n % 4:
                peer.read(8 * n)
    assert served(good, paths["socket"]) < SOON


# --- what a request says of itself ----------------------------------------

FORGED = "\n2026-01-01T00:00:00.000Z error docketd main.0 forged who=me"
LINE = re.compile(rb"^\d{4}-\d\d-\d\dT[0-9:.]+Z (error|warn|info|debug) "
                  rb"docketd( [a-z.0-9]+)? [a-z_]+( .*)?$")

ENVIRONMENT = [
    ({"method": None}, {405}),
    ({"method": ""}, {405}),
    ({"method": "get"}, {405}),
    ({"method": "GET\r\nX: y"}, {405}),
    ({"method": "GET" + FORGED}, {405}),
    ({"method": "GET forged=yes"}, {405}),
    ({"method": "A" * 60000}, {405}),
    ({"method": "GET", "uri": None}, {400}),
    ({"uri": ""}, {400}),
    ({"uri": "*"}, {400}),
    ({"uri": "healthz"}, {400}),
    ({"uri": "http://localhost/healthz"}, {400}),
    ({"uri": "/" + "a" * 8192}, {414}),
    ({"uri": "/" + "a" * 60000}, {414}),
    ({"uri": "/healthz?" + "a" * 60000}, {414}),
    ({"uri": "/%00"}, {400}),
    ({"uri": "/%"}, {400}),
    ({"uri": "/%ff%fe"}, {400}),
    ({"uri": "/" + FORGED}, {400, 404}),
    ({"uri": "/tasks" + FORGED}, {400, 404}),
    ({"uri": "/\xff\xfe"}, {400, 404}),
    ({"uri": "/" + "/" * 4000}, {404}),
    ({"REMOTE_ADDR": None}, {200}),
    ({"REMOTE_ADDR": "rubbish"}, {200}),
    ({"REMOTE_ADDR": FORGED}, {200}),
    ({"REMOTE_ADDR": "::1%lo"}, {200}),
    ({"REMOTE_ADDR": "9" * 60000}, {200}),
    ({"HTTP_X_REQUEST_ID": FORGED}, {200}),
    ({"HTTP_TRACEPARENT": FORGED}, {200}),
    ({"HTTP_TRACEPARENT": "0" * 60000}, {200}),
    ({"HTTP_USER_AGENT": FORGED}, {200}),
    ({"HTTP_USER_AGENT": "\xff" * 60000}, {200}),
    ({"DOCKET_START": FORGED}, {200}),
    ({"DOCKET_START": "99999999999999999.999"}, {200}),
    ({"HTTP_ACCEPT": FORGED}, {200, 406}),
    ({"QUERY_STRING": FORGED}, {200}),
    ({"extra": [("HTTP_REQUEST_METHOD", "DELETE"),
                ("HTTP_REQUEST_URI", "/tasks"),
                ("HTTP_REMOTE_ADDR", "203.0.113.9"),
                ("HTTP_CONTENT_LENGTH", "999")]}, {200}),
    ({"extra": [("HTTP_PROXY", "http://x"), ("LD_PRELOAD", "x"),
                ("FCGI_ROLE", "FILTER"), ("FCGI_WEB_SERVER_ADDRS", "x")]},
     {200}),
    ({"extra": [("A=B", "c"), ("=", "="), (FORGED, FORGED)]}, {200}),
    ({"uri": "/tasks", "HTTP_AUTHORIZATION": FORGED}, {401}),
    ({"uri": "/tasks", "HTTP_AUTHORIZATION": "Bearer " + "a" * 60000},
     {401}),
    ({"uri": "/tasks", "extra": [("HTTP_AUTHORIZATION", "Bearer a")] * 3},
     {400, 401}),
    # CONTENT_LENGTH lies
    ({**REGISTER, "CONTENT_LENGTH": None}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "1"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "0"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "3"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "262144"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "262145"}, {413}),
    ({**REGISTER, "CONTENT_LENGTH": "9" * 60000}, {413}),
    ({**REGISTER, "CONTENT_LENGTH": "-1"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "two"}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": "2 "}, {400}),
    ({**REGISTER, "CONTENT_LENGTH": FORGED}, {400}),
    ({**REGISTER, "body": b"x" * 300000, "CONTENT_LENGTH": "2"}, {400}),
    ({**REGISTER, "body": b"x" * 300000, "CONTENT_LENGTH": None}, {413}),
    ({**REGISTER, "CONTENT_TYPE": FORGED}, {415}),
    ({**REGISTER, "CONTENT_TYPE": None}, {415}),
]


def test_no_environment_is_a_fault(own, paths):
    """Each gets its own clean answer, and the log is ours alone."""
    before = len(own.log())
    with Peer(paths["socket"]) as peer:
        for more, statuses in ENVIRONMENT:
            peer.send(request(**more))
            try:
                clean(peer.reply(), statuses)
            except Gone:
                pytest.fail(f"closed: {str(more)[:100]}")
        peer.send(request())
        healthy(peer.reply())
    log_is_ours(own, before)


def log_is_ours(own, before):
    lines = own.log()[before:].encode().splitlines()
    assert lines, "nothing is logged"
    for line in lines:
        assert LINE.match(line), line
        assert b" fault " not in line and b" forged " not in line, line
        assert b"forged=" not in line, line
        assert not re.search(rb"[\0-\x1f\x7f]", line), line


# --- all of it, mixed -----------------------------------------------------

STATUSES = {200, 400, 401, 404, 405, 406, 413, 414, 415}


class Mob:
    """Hostile peers, many at a time, by the dice of one seed."""

    def __init__(self, paths, seed):
        self.paths, self.dice = list(paths.values()), random.Random(seed)
        self.pool = concurrent.futures.ThreadPoolExecutor(16)
        self.room = threading.Semaphore(24)
        self.running, self.replies = [], 0

    def said(self):
        """What one of them says, by its name."""
        dice = self.dice
        kind = dice.randrange(5)
        if kind == 0:
            return dice.choice(list(SILENT.items()))
        if kind == 1:
            return dice.choice(list(CLOSED.items()))
        if kind == 2:
            more, _ = dice.choice(ENVIRONMENT)
            return str(more)[:60], request(**more)
        said = request(uri="/openapi.json", padding=dice.choice([0, 0, 7]),
                       step=dice.choice([1, 100, MOST]))
        if kind == 3:
            return "a part", said[:dice.randrange(len(said))]
        spoilt = bytearray(said)
        for _ in range(dice.randrange(1, 9)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        return "spoilt", bytes(spoilt)

    def send_one(self):
        """Begin one, once there is room; its name."""
        name, said = self.said()
        path = self.dice.choice(self.paths)
        manner = self.dice.choice(["at once", "pieces", "trickle"])
        stays = self.dice.random() < 0.7
        cut = self.dice.randrange(1, 4096)
        self.room.acquire()
        self.running.append(self.pool.submit(
            self.one, path, said, manner, stays, cut))
        return f"{name}, {manner}, {'stays' if stays else 'goes'}"

    def one(self, path, said, manner, stays, cut):
        try:
            with Peer(path) as peer:
                if manner == "trickle":
                    peer.trickle(said, 0.03, 0.6)
                    return
                step = cut if manner == "pieces" else len(said) or 1
                for i in range(0, len(said), step):
                    peer.send(said[i:i + step])
                if stays:
                    self.listen(peer)
        finally:
            self.room.release()

    def listen(self, peer):
        """Whatever comes is clean; then the worker closes, or we do."""
        try:
            while peer.socket.recv(1, fastcgi.socket.MSG_PEEK):
                kind, _, content = peer.record()
                if kind == fastcgi.STDOUT and content.startswith(b"Status"):
                    self.replies += 1
                    assert int(content[8:11]) in STATUSES, content
                if kind == END:
                    return
        except (Gone, OSError):
            pass

    def end(self):
        with self.pool:
            for one in self.running:
                one.result(60 * SLOW)


def descriptors(pid):
    try:
        return [os.readlink(f"/proc/{pid}/fd/{fd}")
                for fd in os.listdir(f"/proc/{pid}/fd")]
    except FileNotFoundError:  # closed in between
        return descriptors(pid)


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


@pytest.mark.skipif(SANITIZED, reason="the sanitizers keep what is freed, and "
                    "tell of leaks themselves")
def test_what_was_held_of_a_request_is_given_back(own, good, paths):
    """300 times 150 KiB, by peers that go, are served, or are refused."""
    said = request("POST", "/tasks", b"x" * 150000)
    workers = own.workers()
    before = {pid: resident_kib(pid) for pid in workers}
    for ending in (b"", said[-8:], b"HTTP" * 2) * 100:
        with Peer(paths["socket"]) as peer:
            peer.send(said[:-8] + ending)
            if ending == said[-8:]:
                clean(peer.reply(), {401})
    served(good, paths["socket"])
    grown = {pid: resident_kib(pid) - before[pid] for pid in workers}
    print(f"grown by {max(grown.values())} KiB at most")
    assert max(grown.values()) < 4 * 1024, grown


def mixed(own, good, paths, n):
    """n hostile peers; after each a good request, by nginx and by hand."""
    seed = int(os.environ.get("HOSTILE_SEED", "20"))
    workers, log = own.workers(), len(own.log())
    open_before = sum(len(descriptors(pid)) for pid in workers)
    kib_before = {pid: resident_kib(pid) for pid in workers}
    mob, slowest = Mob(paths, seed), (0.0, "")
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(Peer(path))
                for path in paths.values() for _ in range(3)]
        for _ in range(n):
            name = mob.send_one()
            took = served(good, paths["socket"])
            slowest = max(slowest, (took, name))
            assert took < SOON, f"{took:.2f} s after {name} (seed {seed})"
            for peer in kept:  # so that they are not taken for silent ones
                peer.send(request())
                healthy(peer.reply())
        mob.end()
    print(f"{n} hostile peers, {mob.replies} replies; the slowest good "
          f"request {slowest[0] * 1000:.0f} ms, after {slowest[1]}")
    assert own.workers() == workers, "it cost a worker"
    # nginx may keep a few connections more than before.
    wait_until(lambda: sum(len(descriptors(pid)) for pid in workers)
               <= open_before + 8, "descriptors to be closed", 5 * SLOW)
    assert not any("memfd" in link for pid in workers
                   for link in descriptors(pid))
    grown = {pid: resident_kib(pid) - kib_before[pid] for pid in workers}
    print(f"grown by {max(grown.values())} KiB at most")
    if not SANITIZED:  # the sanitizers keep what is freed
        assert max(grown.values()) < 4 * 1024, grown
    log_is_ours(own, log)


needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="counts a worker's descriptors, which only root "
    "may look at")


@needs_root
def test_sixty_hostile_peers(own, good, paths):
    mixed(own, good, paths, 60)


@needs_root
@pytest.mark.long
def test_a_thousand_hostile_peers(own, good, paths):
    mixed(own, good, paths, 1000)
