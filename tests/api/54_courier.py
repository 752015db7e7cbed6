# SPDX-License-Identifier: AGPL-3.0-or-later
"""The courier's lanes: nothing lost, nothing late, nothing in the way."""

import json
import os
import signal
import subprocess
import time

import pytest

import docket
import instance
from courier import Courier, Reader, pace, running
from docket import SLOW, Client, new_phone, send_otp, wait_until
from postgres import Postgres

SENDERS = 8     # 4 a channel


@pytest.fixture(scope="module")
def box():
    with instance.running("server.workers=2", "courier.send_seconds=1",
                          "courier.poll_ms=50") as one:
        taken = Courier(one)
        taken.stop()
        yield taken


@pytest.fixture
def courier(box):
    """Ready to be started, with nothing in its outbox."""
    box.reset()
    yield box
    if running(box.pid):
        for pid in [*box.senders(), box.pid]:
            os.kill(pid, signal.SIGCONT)
        box.stop()
    box.process = None


@pytest.fixture
def started(courier):
    courier.start("--set", "courier.send_seconds=1")
    wait_until(lambda: len(last_queries(courier)) == SENDERS, "the senders")
    return courier


@pytest.fixture
def client(box):
    one = Client(box.dev)
    yield one
    one.close()


def test_codes_of_both_channels_arrive(started, client):
    for to in (new_phone(), docket.new_email()):
        code = send_otp(client, to, "register").json["otp"]
        [(_, letter)] = wait_until(lambda: started.dev.messages(to), to)
        assert letter["code"] == code
    started.drained()
    assert started.left() == 0
    wait_until(lambda: started.lane()["sent"] >= 1
               and started.lane("email")["sent"] >= 1, "the counts")
    assert started.stop() == 0


def test_a_burst_is_sent_once_each(started):
    with Reader(started.dev) as reader:
        begun = time.monotonic()
        ids = [*started.put(500), *started.put(500, channel="email")]
        started.drained()
        took = time.monotonic() - begun
    assert reader.seen == {one: 1 for one in ids}
    print(f"{len(ids) / took:.0f} messages a second")
    assert len(started.senders()) == SENDERS


def kill_storm(courier, n, seconds, family, step=0.5):
    """n messages over the time and a kill every step: of the parent alone,
    or of all processes at one instant. How many messages went twice."""
    ids, kills = [], 0
    with Reader(courier.dev) as reader:
        courier.start()
        for _ in pace(seconds, step):
            ids += courier.put(n // round(seconds / step), 600)
            time.sleep(step / 3)
            courier.kill(family)
            kills += 1
            courier.start()
        courier.drained()
        assert courier.stop() == 0
    assert set(reader.seen) == set(ids) and len(ids) == n
    assert courier.sql("SELECT count(*) FROM docket.dead_letters") == [["0"]]
    print(f"{n} messages, {kills} kills, {reader.doubles()} doubles")
    # A sender whose parent is killed ends the message in hand. One that is
    # killed with it may have handed over what the database knows nothing of:
    # one message a sender of the lane.
    most = kills * SENDERS if family else kills
    assert reader.doubles() <= most


@pytest.mark.alone
@pytest.mark.parametrize("family", [False, True], ids=["parent", "all"])
def test_killed_again_and_again_it_loses_nothing(courier, family):
    kill_storm(courier, 960, 6, family)


@pytest.mark.long
@pytest.mark.parametrize("family", [False, True], ids=["parent", "all"])
def test_killed_for_a_minute_it_loses_nothing(courier, family):
    kill_storm(courier, 9960, 60, family)


def test_a_parent_that_is_killed_costs_no_double(courier):
    with Reader(courier.dev) as reader:
        ids = courier.put(600, 600)
        for _ in pace(3, 0.5):
            courier.start()
            before = courier.left()
            wait_until(lambda: courier.left() < max(before, 1), "a message")
            courier.kill()
        courier.start()
        courier.drained()
    assert reader.seen == {one: 1 for one in ids}


def test_postgresql_restarts_under_it(started):
    postgres = Postgres(started.dev)
    senders = started.senders()
    with Reader(started.dev) as reader:
        ids = started.put(300, 600)
        wait_until(lambda: started.left() < 280, "some to be sent")
        postgres.stop()
        postgres.start()
        started.drained()
    assert set(reader.seen) == set(ids)
    # What was in hand is known to its sender, who says so later.
    assert reader.doubles() <= SENDERS
    assert started.senders() == senders
    assert started.stop() == 0


def test_a_stopped_senders_message_is_sent_by_others(started):
    """Stopped with a lease in hand, which runs out; it is replaced then."""
    def stop_one_with_a_lease():
        started.drained()
        started.put(300, 600)
        wait_until(lambda: started.left() < 290, "all to be at work")
        pid = started.senders()[0]
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: started.left() <= 1, "the others")
        if started.left() == 1:
            return pid
        if running(pid):
            os.kill(pid, signal.SIGCONT)
        return None

    with Reader(started.dev):
        pid = wait_until(stop_one_with_a_lease, "a lease", 60 * SLOW)
        started.drained()
        wait_until(lambda: not running(pid) and
                   len(started.senders()) == SENDERS, "its successor",
                   30 * SLOW)
    assert "sender_hung" in started.log()


def last_queries(courier):
    """{pid: when it last asked}, of the senders' connections."""
    return dict(map(tuple, courier.sql(
        "SELECT pid, query_start FROM pg_stat_activity"
        " WHERE application_name = 'docket-courier'")))


def movers(courier, before):
    now = last_queries(courier)
    return {pid for pid in now if now[pid] != before.get(pid)}


def test_a_way_that_comes_back_is_taken(no_spool):
    """A sender that is born while its way is gone waits for it."""
    started = no_spool.courier
    victims = started.senders()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(started.senders()) - set(victims)) == SENDERS,
               "their successors")
    started.put(5, 600)
    no_spool()
    started.drained()
    assert running(started.pid)


def test_one_of_a_lane_polls_and_the_others_sleep(started):
    def at_rest():
        before = last_queries(started)
        wait_until(lambda: len(movers(started, before)) >= 2, "polls")
        return len(movers(started, before)) == 2

    wait_until(at_rest, "two that poll")
    # When they die, others take the watch.
    before = last_queries(started)
    wait_until(lambda: len(movers(started, before)) >= 2, "polls")
    for pid in started.senders():
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not running(pid), "its end")
    with Reader(started.dev) as reader:
        ids = started.put(20)
        started.drained()
    assert set(reader.seen) == set(ids)


def test_an_expired_code_is_never_sent(courier, client):
    courier.queue("hold", "--channel", "sms")
    courier.start()
    phone = new_phone()
    send_otp(client, phone)
    kept = courier.put(1)
    courier.sql("UPDATE docket.outbox SET expires_at = now()"
                f" WHERE address = '{phone}'")
    courier.queue("retry", "--channel", "sms")
    courier.drained()
    assert not courier.dev.messages(phone)
    assert [p for p in courier.dev.spool.glob("*.json") if kept[0] in p.name]
    [[address, why, row]] = courier.sql(
        "SELECT address, last_error, to_jsonb(d) FROM docket.dead_letters d")
    assert (address, why) == (phone, "expired")
    assert "sealed" not in row


def test_it_expires_in_a_held_channel_too(courier):
    courier.queue("hold", "--channel", "sms")
    [one] = courier.put(1, seconds=-1)
    # The first look of a new watcher sweeps.
    courier.start()
    wait_until(lambda: courier.left() == 0, "the sweep")
    assert "state:   dead" in courier.queue("show", one)
    # And dead letters go in their time.
    courier.stop()
    courier.start("--set", "courier.keep_dead=1m")
    superuser = Postgres(courier.dev).root
    courier.sql("UPDATE docket.dead_letters SET dead_at = dead_at"
                " - interval '61 s'", "-d", superuser)
    courier.stop()
    courier.start("--set", "courier.keep_dead=1m")
    wait_until(lambda: courier.sql(
        "SELECT count(*) FROM docket.dead_letters") == [["0"]], "the sweep")


@pytest.fixture
def no_spool(started):
    """The way fails: there is no folder, until it is given back."""
    away = started.dev.spool.with_name("spool.away")
    started.dev.spool.rename(away)

    def give_back():
        if away.exists():
            away.rename(started.dev.spool)

    give_back.courier = started
    yield give_back
    give_back()


def tries(courier):
    return int(courier.sql("SELECT coalesce(sum(tries), 0)"
                           " FROM docket.outbox")[0][0])


def rows(courier, where):
    return int(courier.sql("SELECT count(*) FROM docket.outbox WHERE "
                           + where)[0][0])


def test_the_breaker_opens_and_closes(started, no_spool, client):
    told = len(started.log())
    ids = started.put(12, 600)
    wait_until(lambda: started.lane()["state"] == "open", "the breaker")
    lane = started.lane()
    assert lane["failures"] >= 5 and lane["letters"] == 12
    assert lane["last_error"] == (
        f"courier.spool_dir {started.dev.spool}: No such file or directory")
    assert started.lane("email")["state"] == "ready"
    # Who had left before has come back: from here on nobody tries.
    started.sql("UPDATE docket.courier_lanes SET open_until = now()"
                " + interval '600 s' WHERE channel = 'sms'")
    wait_until(lambda: rows(started, "leased") == 0, "the stragglers")
    started.sql("UPDATE docket.outbox SET next_at = now()")
    before, polls = tries(started), last_queries(started)
    for _ in range(5):
        wait_until(lambda: movers(started, polls), "a poll")
        polls = last_queries(started)
    assert tries(started) == before
    # The API does not mind.
    send_otp(client, new_phone(), "register")
    # One probe when the time is up; it fails: twice as long.
    started.sql("UPDATE docket.courier_lanes SET open_until = now()"
                " WHERE channel = 'sms'")
    wait_until(lambda: tries(started) > before, "a probe")
    wait_until(lambda: rows(started, "leased") == 0, "its end")
    assert tries(started) == before + 1
    assert started.sql("SELECT open_seconds FROM docket.courier_lanes"
                       " WHERE channel = 'sms'") == [["10"]]
    # And one that succeeds: closed.
    no_spool()
    started.sql("UPDATE docket.outbox SET next_at = now();"
                "UPDATE docket.courier_lanes SET open_until = now()"
                " WHERE channel = 'sms'")
    started.drained()
    assert started.lane()["state"] == "ready"
    assert {p.name[-41:-5] for p in started.dev.spool.glob("*.json")} >= \
        set(ids)
    log = started.log()[told:]
    assert log.count("courier_breaker channel=sms state=open") == 1, log
    assert log.count("courier_breaker channel=sms state=closed") == 1, log


def test_a_stopped_courier_is_not_the_apis_matter(started, client):
    for pid in [started.pid, *started.senders()]:
        os.kill(pid, signal.SIGSTOP)
    phone = new_phone()
    code = send_otp(client, phone).json["otp"]
    docket.register(client, phone=phone, otp=code)


def test_hold_retry_and_drop(started, client):
    started.queue("hold", "--channel", "sms")
    phones = [new_phone() for _ in range(3)]
    codes = [send_otp(client, phone).json["otp"] for phone in phones]
    email = docket.new_email()
    send_otp(client, email, "register")
    wait_until(lambda: started.dev.messages(email), "the other channel")
    said = started.queue("list")
    assert "lane sms held letters=3" in said
    assert said.count(" sms due to=") == 3
    for phone, code in zip(phones, codes):
        assert phone not in said and code not in said
        assert f"to={phone[:6]}***{phone[-3:]}" in said
    listed = json.loads(started.queue("list", "--json"))["letters"]
    assert len(listed) == 3 and {x["state"] for x in listed} == {"due"}
    ids = [x["id"] for x in listed]
    # What is only tried changes nothing.
    for verb in ("hold", "drop"):
        said = started.queue(verb, "--dry-run", *ids)
        assert "3 " in said and "dry run" in said
    assert "dry run" in started.queue("retry", "--all", "--dry-run")
    again = json.loads(started.queue("list", "--json"))
    assert again["letters"] == listed
    assert [x["held_at"] is None for x in again["lanes"]] == [False, True]
    assert "1 held" in started.queue("hold", ids[0])
    assert "1 dropped" in started.queue("drop", ids[1])
    assert "not in the queue" in started.queue("show", ids[1], code=65)
    assert "not in the queue" in started.queue("hold", ids[1], code=65)
    assert "state:   held" in started.queue("show", ids[0])
    # The channel goes on, the letter that is held by itself too.
    assert "sms released" in started.queue("retry", "--channel", "sms")
    started.drained()
    assert [len(started.dev.messages(p)) for p in phones] == [1, 0, 1]


def test_a_held_letter_stays_while_its_channel_goes_on(started):
    [one] = started.put(1, 600)
    started.drained()
    started.queue("hold", "--channel", "sms")
    one, other = started.put(2, 600)
    started.queue("hold", one)
    started.sql("UPDATE docket.courier_lanes SET held_at = NULL")
    wait_until(lambda: started.left() == 1, "the other")
    assert not [p for p in started.dev.spool.glob("*.json") if one in p.name]
    assert "1 due now" in started.queue("retry", one)
    started.drained()


def test_what_a_sender_has_in_hand_is_not_sent_beside_it(courier):
    """Held, and given free again, before its lease has run out."""
    [one] = courier.put(1, 600)
    courier.sql("UPDATE docket.outbox SET leased = true, tries = 1,"
                " next_at = now() + interval '600 s'")
    assert "1 held" in courier.queue("hold", one)
    assert "1 due now" in courier.queue("retry", one)
    assert "state:   leased" in courier.queue("show", one)
    # Its sender says that it did not go: from then on it is anybody's.
    courier.sql("UPDATE docket.outbox SET leased = false,"
                " next_at = 'infinity'")
    courier.queue("retry", one)
    assert "state:   due" in courier.queue("show", one)


def test_a_hangup_ends_nobody(started):
    """As SIGHUP is how docketd reads its settings again."""
    family = [started.pid, *started.senders()]
    for pid in family:
        os.kill(pid, signal.SIGHUP)
    wait_until(lambda: "courier_hangup" in started.log(), "its line")
    ids = started.put(5, 600)
    started.drained()
    assert [started.pid, *started.senders()] == family and ids


def test_check_starts_nothing(courier):
    def checked(*more):
        return subprocess.run(
            [*courier.command, "--check", *more], executable=courier.exe,
            cwd=courier.dev.dir / "run", env=courier.environment, timeout=60,
            capture_output=True, text=True, check=False, **courier.who)

    ids = courier.put(1)
    good, bad = checked(), checked("--set", "courier.email=smtp",
                                   "--set", "courier.sms=exec")
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert bad.returncode == os.EX_CONFIG
    for setting in ("smtp_url", "mail_from", "exec_command"):
        assert f"courier.{setting}" in bad.stderr
    assert courier.left() == len(ids)


@pytest.mark.parametrize("words", [
    (), ("list", "x"), ("list", "--all"), ("show",), ("hold",), ("drop",),
    ("hold", "--state", "due"), ("drop", "--all", "x"), ("frob", "--all"),
    ("show", "--all"), ("list", "--dry-run"), ("list", "--channel", "fax"),
    ("list", "--state", "lost")], ids=" ".join)
def test_wrong_usage_is_told(courier, words):
    courier.queue(*words, code=os.EX_USAGE)


@pytest.mark.parametrize("words", [
    ("show", "1"), ("drop", "x' OR true --")], ids=" ".join)
def test_wrong_words_are_told(courier, words):
    courier.queue(*words, code=os.EX_DATAERR)


def test_once_says_how_it_went(courier):
    assert courier.once().returncode == 0
    courier.put(30)
    assert courier.once().returncode == 0
    assert courier.left() == 0
    courier.queue("hold", "--channel", "sms")
    courier.put(1)
    assert courier.once().returncode == os.EX_TEMPFAIL
    courier.queue("retry", "--channel", "sms")
    assert courier.once().returncode == 0
    away = courier.once("--set", "database.courier_dsn=host=/nowhere")
    assert away.returncode == os.EX_TEMPFAIL
    wrong = courier.once("--set", "courier.spool_dir=/nowhere",
                         "--set", "server.secret_file=/nowhere")
    assert wrong.returncode == os.EX_CONFIG
    # Every fault at once, each channel's.
    assert wrong.stderr.count("courier.spool_dir") == 2
    assert wrong.stderr.count("/nowhere") == 3, wrong.stderr
