# SPDX-License-Identifier: AGPL-3.0-or-later
"""The primary is lost and its synchronous standby takes over, by nothing but
libpq's list of hosts: nothing acknowledged is lost or doubled, the service
heals by itself, and whoever led before is not written to again."""

import os
import signal

import pytest

import docket
import instance
from docket import SLOW, wait_until
from postgres import everybody_is_back
from standby import Pair
from watch import Watch

pytestmark = pytest.mark.faults

HOSTS = "host=@SOCKETS@/pg,@SOCKETS@/pg2 dbname=docket user={}" \
    " target_session_attrs=read-write"
RECENT = "SELECT count(*) FROM docket.tasks"


@pytest.fixture(scope="module")
def pair(request):
    more = ["auth.access_ttl=7200"] * request.config.getoption("--long")
    with instance.running(
            "server.workers=4", *more,
            "database.dsn=" + HOSTS.format("docket_api"),
            "database.courier_dsn=" + HOSTS.format("docket_courier"),
            prompt=True) as own:
        pair = Pair(own, own.dir / "sock" / "pg2")
        try:
            yield pair
        finally:
            pair.close()


def reload(own):
    """New workers, and so new connections."""
    before = own.workers()
    os.kill(own.supervisor(), signal.SIGHUP)
    wait_until(lambda: len(own.workers()) == len(before) and
               not set(before) & set(own.workers()), "new workers",
               20 * SLOW)


def killed(pair):
    pair.leads.kill()
    pair.promote()


def silenced(pair):
    """It takes connections for as long as it is not fenced off. The first of
    the list is: it must be passed by."""
    pair.leads.freeze()
    pair.promote()


def taken_over(pair, how):
    pair.follow()
    with Watch(pair.own, readers=2, writers=4, in_flight=True) as load:
        load.goes_on()
        before = load.failed()
        how(pair)
        load.goes_on()
        assert load.failed() > before, "nothing was broken"
        assert load.writes > 0
    print("ready again:", [line.split("away_ms=")[1] for line in
                           pair.own.log().splitlines()
                           if "db_ready" in line][-8:])
    load.verdict()


@pytest.mark.parametrize("n", [
    1, pytest.param(5, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", [silenced, killed],
                         ids=lambda how: how.__name__)
def test_the_standby_takes_over_and_nothing_acknowledged_is_lost(
        pair, how, n):
    for _ in range(n):
        taken_over(pair, how)
        everybody_is_back(pair.own, 15 * SLOW)


@pytest.mark.plain
def test_without_synchronous_replication_the_same_test_finds_losses(pair):
    """Else the test above could not see one."""
    pair.follow()
    pair.leads.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
    pair.leads.sql("SELECT pg_reload_conf()")
    load = Watch(pair.own, readers=1, writers=4, in_flight=True)
    with load:
        load.goes_on()
        pair.follows.kill()     # nobody minds
        before = load.writes
        wait_until(lambda: load.writes > before + 20, "writes", 30 * SLOW)
        pair.leads.kill()
        pair.start(pair.follows)
        pair.promote()
        load.goes_on()
    lost, _ = load.lost_and_doubled()
    print(f"{load}: {len(lost)} lost")
    assert len(lost) >= 20, "no loss was seen where there must be some"


def test_who_led_before_and_is_read_only_now_is_not_written_to(pair):
    pair.follow()
    killed(pair)
    everybody_is_back(pair.own, 15 * SLOW)
    old = pair.follows
    with open(old.data / "postgresql.auto.conf", "a") as settings:
        settings.write("default_transaction_read_only = on\n")
    pair.start(old)
    reload(pair.own)
    everybody_is_back(pair.own, 15 * SLOW)
    count = old.sql(RECENT)
    one = docket.person(pair.own)
    for i in range(20):
        one.task(f"task {i}")
    assert len(one.tasks()) == 20
    assert old.sql(RECENT) == count
    assert pair.leads.sql(f"{RECENT} WHERE user_id = '{one.id}'") == "20"


def test_who_led_before_and_returns_alone_acknowledges_nothing(pair):
    """Nobody fenced it off, and it comes first in the list. It waits for the
    standby that it had, and so do its clients, in vain."""
    pair.follow()
    one = docket.person(pair.own)
    killed(pair)
    everybody_is_back(pair.own, 15 * SLOW)
    pair.start(pair.follows)
    if pair.follows.sockets != pair.first:
        pair.leads.freeze()
    try:
        reload(pair.own)
        codes = []
        for i in range(8):
            reply = one.post("/tasks", None, json={"title": f"task {i}"})
            assert reply.status == 503, str(reply)
            codes.append(reply.code)
        assert "outcome_unknown" in codes, "none has reached it"
    finally:
        pair.follows.kill()
        pair.leads.signal(signal.SIGCONT)
    everybody_is_back(pair.own, 15 * SLOW)
    assert one.tasks() == []
    # For a second they are taken for held by what waited in vain.
    wait_until(lambda: one.post("/tasks", None, json={"title": "at last"})
               .status == 201, "the tasks to be free")
    assert {t["title"] for t in one.tasks()} == {"at last"}
