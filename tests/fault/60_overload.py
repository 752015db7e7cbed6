# SPDX-License-Identifier: AGPL-3.0-or-later
"""Three times of what can be served, logins beside reads, clients that give
up: what is too much is refused at once, and the rest is served as before."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import docket
from docket import SANITIZED, SLOW, Client
from storm import Front, Prober, Storm, capacity, quantile

# One request may wait for so long and take so long in all (settings.h).
SHED, DEADLINE = 1.0, 2.5

# What is refused of the cheap ones, nginx refuses; of the costly ones, the
# workers, by age: a few are queued for long before nginx has too many.
CHEAP = "/tasks?limit=20"
COSTLY = "/tasks?q=words&count=exact&limit=1"
LONGEST = {CHEAP: DEADLINE, COSTLY: SHED + 0.75}
LATE = 8 if SANITIZED else 2	# so many times that, on a machine that is busy


@pytest.fixture(scope="module")
def reader(own):
    """Somebody whose tasks are many enough that a search takes a while."""
    one = docket.person(own)
    own.sql("INSERT INTO docket.tasks (user_id, id, number, title,"
            " description, position, created_at, updated_at)"
            " SELECT :'user', gen_random_uuid(), n, 'task ' || n,"
            " 'some words to look through', lpad(n::text, 5, '0'),"
            " now(), now() FROM generate_series(1, 400) n", user=one.id)
    yield one
    one.close()


def answers_at_once(own, reader):
    """Normal service, from the first request on."""
    client = Client(own)
    for _ in range(20):
        begun = time.monotonic()
        client.get(CHEAP, 200, token=reader.access)
        took = time.monotonic() - begun
        assert took < 1.5 * SLOW, f"{took:.2f} s after the storm"
    client.close()


def in_worker(row):
    """Seconds from the hand-over to the end of the answer."""
    return sum(float(word) for word in row["upstream"].split(",")
               if word.strip() != "-")


def over(own, path, reader, clients, seconds, factor):
    """A storm of `factor` times the capacity: the share that was refused,
    and the p99 of what was served."""
    can = capacity(own, path, reader.access, 1)
    front = Front(own)
    with Prober(own, lambda client: client.get(
            path, None, token=reader.access)) as prober:
        storm = Storm(own, path, reader.access, clients=clients,
                      rps=factor * can / clients,
                      total=int(factor * can * seconds)).wait()
    answers_at_once(own, reader)
    print(f"{path}: {can:.0f}/s; {factor} x: {storm}")
    assert storm.whole(), storm.said
    assert storm.statuses() <= {200, 503}, str(storm)
    assert prober.statuses() <= {200, 503}, prober.answers
    rows = front.rows(len(storm.answers) + len(prober.answers) + 20)
    assert {row["status"] for row in rows} <= {"200", "503"}
    served = [in_worker(row) for row in rows if row["status"] == "200"]
    print(f"served in the worker: p50 {quantile(served, .5):.3f}, p99"
          f" {quantile(served, .99):.3f}, max {max(served):.3f} s; probes:"
          f" {prober.statuses()}")
    refused = len(storm.took(503)) / len(storm.answers)
    return refused, quantile(served, .99)


def three_times(own, path, reader, clients, seconds):
    """What is answered must be right in every round; that it was too much,
    and how long the served took, in one: a machine that is busy elsewhere
    may slow down nginx, or the load itself."""
    tries = []
    for factor in (3, 3, 4, 6, 6, 8):
        refused, p99 = over(own, path, reader, clients, seconds, factor)
        tries.append((factor, refused, p99))
        if refused >= 0.1 and p99 <= LONGEST[path] * LATE:
            return
    raise AssertionError(tries)


@pytest.mark.plain
@pytest.mark.parametrize("path", [CHEAP, COSTLY])
def test_three_times_the_capacity_short(own, reader, path):
    three_times(own, path, reader, 250, 2)


@pytest.mark.long
@pytest.mark.parametrize("path", [CHEAP, COSTLY])
def test_three_times_the_capacity_of_2000(own, reader, path):
    three_times(own, path, reader, 2000, 15)


# --- what waits, and what nobody waits for any more -----------------------

@contextlib.contextmanager
def stuck(own):
    """A lock that every request for a task waits for, meanwhile."""
    held = subprocess.Popen(
        [docket.psql(), "-qAtX", "-v", "ON_ERROR_STOP=1", own.read("dsn")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    held.stdin.write("BEGIN; LOCK TABLE docket.tasks IN ACCESS EXCLUSIVE"
                     " MODE; \\echo held\n")
    held.stdin.flush()
    assert held.stdout.readline().strip() == "held"
    try:
        yield
    finally:
        held.stdin.close()
        held.wait()
        held.stdout.close()


def crowd():
    """Clients whose 64 requests each are twice what all processes of nginx
    have in hand."""
    return 2 * 1024 * (os.cpu_count() or 1) // 64


def ask_later(own, reader, seconds):
    client = Client(own)
    client.connect().connect()
    time.sleep(seconds)
    reply = client.get(CHEAP, None, token=reader.access)
    client.close()
    return reply.status


def test_what_is_beyond_the_bound_is_refused_by_nginx_at_once(own, reader):
    """While the workers stand still: nobody waits to hear that."""
    front, clients = Front(own), crowd()
    with stuck(own):
        storm = Storm(own, CHEAP, reader.access, clients=clients, rps=640,
                      total=64 * clients)
        asked = docket.parallel([
            lambda at=at: ask_later(own, reader, at / 10)
            for at in range(2, 22, 2)])
        storm.wait()
    print(storm, asked)
    assert set(asked) <= {200, 503} and 503 in asked
    assert storm.whole(), storm.said
    assert storm.statuses() <= {200, 503}, str(storm)
    rows = front.rows(len(storm.answers) + len(asked))
    refused = [row for row in rows if row["upstream"] == "-"]
    assert {row["status"] for row in refused} == {"503"}
    assert {row["status"] for row in rows} <= {"200", "503"}
    slowest = max(float(row["took"]) for row in refused)
    print(f"{len(refused)} of {len(rows)} by nginx, slowest {slowest} s")
    assert slowest < DEADLINE * SLOW
    recovers(own, reader)


def recovers(own, reader):
    """A worker that gave up has a database connection to make anew."""
    client = Client(own)
    docket.wait_until(lambda: client.get(
        CHEAP, None, token=reader.access).status == 200, "the list again")
    client.close()


def test_what_clients_give_up_is_not_asked_again_and_again(own, reader):
    """A request that its client left is still the worker's to do: if nginx
    took another in its place, the socket's queue would run over (502)."""
    front, clients = Front(own), crowd()
    with stuck(own):
        for _ in range(6):
            storm = Storm(own, CHEAP, reader.access, clients=clients, rps=640,
                          total=64 * clients)
            time.sleep(0.4)
            storm.stop()
    recovers(own, reader)
    answers_at_once(own, reader)
    rows = front.rows(64 * clients)
    count = {}
    for row in rows:
        count[row["status"]] = count.get(row["status"], 0) + 1
    print(count)
    assert set(count) <= {"200", "499", "503"}, count


def reload(own):
    what = "Serving with the new settings"
    before = own.log().count(what)
    os.kill(own.supervisor(), signal.SIGHUP)
    docket.wait_until(lambda: own.log().count(what) > before, what, 20)


@pytest.fixture
def narrow(own):
    """Workers that keep four connections each, and patient."""
    folder = own.dir / "conf.d"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    path = folder / "narrow.conf"
    path.write_text("server {\n\tconnections = 4\n\tshed_ms = 8000\n"
                    "\tdeadline_ms = 9000\n}\n")
    path.chmod(0o644)
    reload(own)
    yield
    path.unlink()
    reload(own)


@pytest.mark.faults
def test_full_workers_starve_nobody(own, reader, narrow):
    """16 connections for 96 clients: whoever waits at the socket is served
    in turn, not when the others have nothing more to ask."""
    storm = Storm(own, CHEAP, reader.access, clients=96,
                  total=96 * 50).wait()
    print(storm)
    assert storm.whole(), storm.said
    assert storm.statuses() == {200}, str(storm)
    assert max(storm.took(200)) < 2 * SLOW


# --- logins beside reads --------------------------------------------------

def test_the_hashing_workers_stand_back(own):
    """By this, reads keep their share of the cores beside hashes."""
    nice = sorted(os.getpriority(os.PRIO_PROCESS, pid)
                  for pid in own.workers())
    # Four of the main group (conftest.py), which are as they were started.
    assert nice[3] == nice[0] < nice[4], nice
    assert {*nice[4:]} == {min(19, nice[0] + 5)}, nice


def test_a_worker_that_wakes_lets_others_finish(own):
    assert {os.sched_getscheduler(pid) for pid in own.workers()} == {
        os.SCHED_BATCH}


class Reads:
    """Reads all the time, in the background; their rate in a window."""

    def __init__(self, own, reader):
        self.storm = Storm(own, CHEAP, reader.access, clients=32, seconds=600)

    def window(self, seconds):
        """A stretch of time, from now on."""
        begun = time.time()
        time.sleep(seconds)
        return begun, begun + seconds

    def rate(self, windows):
        ends = sorted(begun + took for begun, _, took in self.storm.answers)
        spans = sum(end - begun for begun, end in windows)
        return sum(begun <= at < end for at in ends
                   for begun, end in windows) / spans


def nobody(client):
    return client.post("/auth", None, json={
        "username": docket.new_name(), "password": "wrong password"})


def beside(own, reader, logins, pairs, seconds):
    """Calm and login storm by turns; the reads' rate in storms as a part of
    that in calm, and the slowest login."""
    body = {"username": reader.username, "password": reader.password}
    reads, calm, stormy, slowest = Reads(own, reader), [], [], 0
    time.sleep(0.5)
    for _ in range(pairs):
        calm.append(reads.window(seconds))
        with Prober(own, nobody) as prober:
            storm = Storm(own, "/auth", clients=logins, body=body,
                          total=int(logins * (seconds + 1)))
            time.sleep(0.5)
            stormy.append(reads.window(seconds))
            storm.wait()
        print(f"logins: {storm}; others: {sorted(prober.answers)[-1:]}")
        assert storm.whole(), storm.said
        assert 200 in storm.statuses()
        assert storm.statuses() <= {200, 401, 429, 503}, str(storm)
        assert prober.statuses() <= {401, 429, 503}
        slowest = max([slowest] + [took for _, _, took in storm.answers]
                      + [took for _, took in prober.answers])
    reads.storm.stop()
    # A machine that stands still for a second has some refused.
    assert reads.storm.statuses() <= {200, 503}, str(reads.storm)
    assert len(reads.storm.took(503)) <= len(reads.storm.took(200)) / 50
    kept = reads.rate(stormy) / reads.rate(calm)
    print(f"reads: {reads.rate(calm):.0f}/s calm, {kept:.2f} of it beside"
          f" {logins} logins; slowest login {slowest:.2f} s")
    return kept, slowest


def logins_beside_reads(own, reader, logins, pairs, seconds):
    tries = []
    for _ in range(6):
        tries.append(beside(own, reader, logins, pairs, seconds))
        kept, slowest = tries[-1]
        if kept >= 0.45 and slowest < (SHED + DEADLINE) * SLOW:
            return
    raise AssertionError(tries)


@pytest.mark.plain
def test_logins_beside_reads_short(own, reader):
    logins_beside_reads(own, reader, 60, 2, 1)


@pytest.mark.long
def test_200_logins_beside_reads(own, reader):
    logins_beside_reads(own, reader, 200, 4, 4)
