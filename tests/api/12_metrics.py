# SPDX-License-Identifier: AGPL-3.0-or-later
"""GET /metrics: exact, never set back, there when other things are not, and
silent about whom it counted."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest

import docket
import fastcgi
import front
import openmetrics
from docket import SANITIZED, SLOW, Client, wait_until
from openmetrics import scrape
from postgres import Postgres, everybody_is_back
from tables import FAMILIES

EACH = {"docket_worker_busy_seconds", "docket_worker_age_seconds",
        "docket_worker_requests"}
TEXT = [("Accept", "text/plain")]


@pytest.fixture
def client(mine):
    client = Client(mine)
    yield client
    client.close()


def hup(mine):
    before = mine.workers()
    os.kill(mine.supervisor(), signal.SIGHUP)
    wait_until(lambda: not set(before) & set(mine.workers())
               and len(mine.workers()) == len(before), "a reload", 20 * SLOW)


# --- the text -------------------------------------------------------------

def test_every_family_of_the_table_is_told_and_no_other(client):
    told = scrape(client, "?workers=true").families
    assert set(told) == set(FAMILIES)
    for name, row in FAMILIES.items():
        family = told[name]
        assert family.type == row.type, name
        assert family.said["HELP"] == row.help
        assert family.said.get("UNIT", "") == row.unit, name
        for _, labels in family.samples:
            names = {key for key, _ in labels} - {"le"}
            assert names == set(row.labels), f"{name}: {names}"
    assert set(scrape(client).families) == set(FAMILIES) - EACH


def test_the_parser_refuses_what_is_no_openmetrics(client):
    text = client.get("/metrics").body.decode()
    for spoil in (lambda t: t.replace("# EOF\n", ""),
                  lambda t: t.replace("docket_logins_total", "docket_logins"),
                  lambda t: t.replace('le="1.0"', 'le="1"'),
                  lambda t: t.replace("# TYPE docket_logins counter\n", ""),
                  lambda t: t.replace('result="ok"', 'result="o\\k"'),
                  lambda t: re.sub(r'(le="\+Inf"} )(\d+)', r"\g<1>0", t),
                  lambda t: t.replace("\n", "\r\n")):
        assert spoil(text) != text
        with pytest.raises((AssertionError, KeyError)):
            openmetrics.parse(spoil(text))


@pytest.mark.parametrize("accept,opened", [
    ("application/openmetrics-text", True), ("*/*", True), (None, True),
    ("text/plain", False), ("application/json", False)])
def test_accept_chooses_the_format(client, accept, opened):
    headers = [("Accept", accept)] if accept else []
    reply = client.get("/metrics", 200, headers=headers)
    assert reply.type.startswith("application/openmetrics-text; version=1.0.0"
                                 if opened else "text/plain; version=0.0.4")
    assert reply.body.endswith(b"# EOF\n") == opened


def test_both_formats_tell_the_same(client):
    names = r"^(docket_\w+)"
    plain = client.get("/metrics", headers=TEXT).body.decode()
    opened = client.get("/metrics").body.decode()
    assert set(re.findall(names, plain, re.M)) == \
        set(re.findall(names, opened, re.M))
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", plain, re.M):
        assert name.endswith("_total") == (kind == "counter"), name


@pytest.mark.long
def test_promtool_has_nothing_to_say(client):
    for query in ("", "?workers=true"):
        text = client.get("/metrics" + query, headers=TEXT).body
        done = subprocess.run(["promtool", "check", "metrics"], input=text,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        assert (done.returncode, done.stdout) == (0, b""), done.stdout


def test_there_is_one_version(mine, client):
    said = subprocess.run([mine.docketd(), "--version"], check=True,
                          capture_output=True, timeout=120).stdout.decode()
    version = said.removeprefix("docketd ").strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", version)
    assert client.get("/openapi.json").json["info"]["version"] == version
    assert scrape(client).get("docket_build_info", version=version) == 1


# --- the figures ----------------------------------------------------------

def test_requests_are_counted_exactly(client):
    before = scrape(client)
    for _ in range(7):
        client.get("/healthz")
    client.request("HEAD", "/healthz", 200)
    for _ in range(3):
        client.get("/tasks", 401)
    client.get("/tasks/a/b/c", 404)
    client.request("PUT", "/healthz", 405)
    client.request("OPTIONS", "/tasks", 204)
    after = scrape(client)

    def grew(**labels):
        return after.get("docket_requests_total", **labels) \
            - before.get("docket_requests_total", **labels)

    assert grew(operation="health", method="GET", status="2xx") == 7
    assert grew(operation="health", method="HEAD", status="2xx") == 1
    assert grew(operation="getAllTasks", method="GET", status="4xx") == 3
    assert grew(operation="none", method="GET", status="4xx") == 1
    assert grew(operation="none", method="PUT", status="4xx") == 1
    assert grew(operation="none", method="OPTIONS", status="2xx") == 1
    # The first look is counted in the second, which is not in itself.
    assert grew(operation="getMetrics") == 1
    assert grew() == 15


def test_durations_add_up(client):
    before = scrape(client)
    for _ in range(20):
        client.get("/healthz")
    after = scrape(client)
    for name in ("docket_request_duration_seconds",
                 "docket_queue_duration_seconds"):
        assert after.get(name + "_count", group="main") \
            - before.get(name + "_count", group="main") == 21
    took = after.get("docket_request_duration_seconds_sum", group="main") \
        - before.get("docket_request_duration_seconds_sum", group="main")
    assert 0 < took < 21 * SLOW
    assert after.get("docket_requests_total") \
        == after.get("docket_request_duration_seconds_count")


def test_logins_codes_and_refreshes_are_counted(mine, client):
    before = scrape(client)
    one = docket.registered(mine)
    for password in ("wrong horse", "correct horse"):
        client.post("/auth", None, json={"username": one.username,
                                         "password": password})
    pair = client.post("/auth/refresh", json={
        "refresh_token": one.refresh}).json
    client.post("/auth/refresh", 401, json={"refresh_token": "rubbish"})
    client.post("/auth/refresh", json={
        "refresh_token": pair["refresh_token"]})
    client.post("/auth/refresh", 401, json={"refresh_token": one.refresh})
    phone = docket.new_phone()
    code = docket.send_otp(client, phone).json["otp"]
    docket.send_otp(client, phone, expect=429)
    docket.send_otp(client, docket.new_email())
    wrong = "0" * 6 if code != "0" * 6 else "1" * 6
    client.post("/otp/verify", 400, json={"phone": phone, "otp": wrong})
    client.post("/otp/verify", json={"phone": phone, "otp": code})
    after = scrape(client)

    def grew(name, **labels):
        return after.get(name, **labels) - before.get(name, **labels)

    assert grew("docket_logins_total", result="failed") == 1
    assert grew("docket_logins_total", result="ok") == 1
    assert grew("docket_refreshes_total", result="ok") == 2
    assert grew("docket_refreshes_total", result="reused") == 1
    assert grew("docket_refreshes_total", result="refused") == 1
    assert grew("docket_otp_sends_total", channel="sms",
                result="sent") == 1
    assert grew("docket_otp_sends_total", channel="sms",
                result="recipient") == 1
    assert grew("docket_otp_sends_total", channel="email",
                result="sent") == 1
    assert grew("docket_otp_checks_total", result="verified") == 1
    assert grew("docket_otp_checks_total", result="failed") == 1


# "correct horse", by a hash that the first login replaces.
OLD = "$2b$10$uN4DEjFavy147/9SPgeyLuP5NaDlXezRz4tP5DMuZX7e2KxMy1hwe"


def test_a_login_that_is_tried_again_is_one(dev, api):
    """Two at once: the second finds the hash replaced, and begins anew."""
    one = docket.registered(dev)
    before = scrape(api)
    served = 0
    for _ in range(4):
        dev.sql("UPDATE docket.users SET password_hash = :'hash'"
                " WHERE id = :'id'", hash=OLD, id=one.id)
        replies = docket.parallel([lambda c=Client(dev): c.post(
            "/auth", None, json={"username": one.username,
                                 "password": "correct horse"})
            for _ in range(2)])
        # On a busy machine one may wait too long for its turn.
        assert {r.status for r in replies} <= {200, 503}
        served += sum(r.status == 200 for r in replies)
    assert served <= scrape(api).get("docket_logins_total", result="ok") \
        - before.get("docket_logins_total", result="ok") <= 8


def test_a_lock_is_counted(mine, client):
    one = docket.registered(mine)
    before = scrape(client)
    for _ in range(11):
        client.post("/auth", None, json={"username": one.username,
                                         "password": "wrong horse"})
    after = scrape(client)
    assert after.get("docket_login_locks_total") \
        - before.get("docket_login_locks_total") == 1
    assert after.get("docket_logins_total", result="refused") \
        - before.get("docket_logins_total", result="refused") == 1


def test_who_waited_too_long_is_counted_and_metrics_are_not_refused(mine,
                                                                    client):
    path = fastcgi.sockets(mine)["socket"]
    late = f"{time.time() - 5:.3f}"
    before = scrape(client)
    assert fastcgi.ask(path, "GET", "/healthz",
                       DOCKET_START=late).status == 503
    reply = fastcgi.ask(path, "GET", "/metrics", DOCKET_START=late)
    assert reply.status == 200, str(reply)
    after = scrape(client)
    assert after.get("docket_requests_shed_total", reason="late") \
        - before.get("docket_requests_shed_total", reason="late") == 1
    waited = "docket_queue_duration_seconds_sum"
    assert 10 <= after.get(waited) - before.get(waited) < 10 + 20 * SLOW


def test_the_outbox_is_told_in_figures(mine, client):
    """What the courier does not take stays, and grows older."""
    owner = Postgres(mine).root
    psql = [docket.psql(), "-X", "-q", "-A", "-t", "-d", owner, "-c"]

    def run(statement):
        done = subprocess.run(psql + [statement], capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    run("UPDATE docket.courier_lanes SET held_at = now(), failures = 5,"
        " opened_at = now(), open_until = now() + interval '1 h'"
        " WHERE channel = 'email'")
    before = scrape(client)
    run("INSERT INTO docket.outbox (id, channel, address, purpose, sealed,"
        " next_at, expires_at) SELECT gen_random_uuid(), 'email', 'x',"
        " 'login', '', now() - interval '100 s', now() + interval '1 h'"
        " FROM generate_series(1, 3)")
    after = scrape(client)
    messages = "docket_outbox_messages"
    assert after.get(messages, channel="email", state="waiting") \
        - before.get(messages, channel="email", state="waiting") == 3
    assert 100 <= after.get("docket_outbox_age_seconds",
                            channel="email") < 200
    assert after.get("docket_outbox_breaker_open", channel="email") == 1
    assert after.get("docket_outbox_held", channel="email") == 1
    assert after.get("docket_outbox_breaker_open", channel="sms") == 0
    run("DELETE FROM docket.outbox; UPDATE docket.courier_lanes SET"
        " held_at = NULL, opened_at = NULL, open_until = NULL, failures = 0")
    assert scrape(client).get("docket_outbox_breaker_open") == 0


def test_the_last_sweep_is_told(mine, client):
    assert scrape(client).get("docket_schema_version") == \
        len(list((docket.ROOT / "sql/migrations").glob("*.sql")))
    subprocess.run([mine.docket(), "-c", mine.dir / "docket.conf", "gc"],
                   check=True, stdout=subprocess.DEVNULL, timeout=60)
    told = scrape(client)
    assert told.get("docket_gc_time_seconds") >= \
        told.get("docket_start_time_seconds")


def test_each_worker_is_told_when_asked(mine, client):
    def look():
        family = scrape(client, "?workers=true").families[
            "docket_worker_busy_seconds"]
        return [dict(labels) for _, labels in family.samples]

    seen = look()
    assert sorted(int(one["pid"]) for one in seen) == mine.workers()
    assert {one["worker"] for one in seen} == {
        "main.0", "main.1", "main.2", "hash.0", "hash.1"}
    # Who answered last may not have said yet that it is done.
    wait_until(lambda: [one["state"] for one in look()
                        if one["operation"] == "getMetrics"] == ["busy"],
               "one that is busy with this")
    assert client.get("/metrics?workers=perhaps", 400).pointers()


# --- whatever happens -----------------------------------------------------

def never_less(before, after):
    for key, value in before.counters().items():
        # Workers by themselves are not asked for here.
        assert after.counters().get(key, 0) >= value, key


@pytest.mark.faults
def test_nothing_is_lost_with_a_worker(mine, client):
    for _ in range(20):
        client.get("/healthz")
    before = scrape(client)
    workers = mine.workers()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(mine.workers()) == len(workers) and
               not set(workers) & set(mine.workers()), "new workers",
               20 * SLOW)
    wait_until(lambda: client.get("/readyz", None, check=False).status == 200,
               "a worker that serves", 20 * SLOW)
    after = scrape(client)
    never_less(before, after)
    assert after.get("docket_worker_ends_total", how="died") \
        - before.get("docket_worker_ends_total", how="died") == len(workers)


@pytest.mark.faults
def test_nothing_is_lost_with_a_reload(mine, client):
    before = scrape(client)
    hup(mine)
    after = scrape(client)
    never_less(before, after)
    assert after.get("docket_reloads_total", result="ok") \
        - before.get("docket_reloads_total", result="ok") == 1
    assert after.get("docket_reload_time_seconds") >= \
        before.get("docket_reload_time_seconds")
    assert after.get("docket_start_time_seconds") == \
        before.get("docket_start_time_seconds")


@pytest.mark.faults
def test_a_reload_that_is_refused_is_counted(mine, client):
    path = mine.dir / "docket.conf"
    good = path.read_text()
    before = scrape(client)
    path.write_text(good + "\nrubbish = 1\n")
    try:
        os.kill(mine.supervisor(), signal.SIGHUP)
        wait_until(lambda: scrape(client).get(
            "docket_reloads_total", result="refused") == 1 + before.get(
            "docket_reloads_total", result="refused"), "the refusal",
            10 * SLOW)
    finally:
        path.write_text(good)
    never_less(before, scrape(client))


@pytest.mark.faults
def test_it_answers_without_a_database(mine, client):
    before = scrape(client)
    assert before.get("docket_database_up") == 1
    postgres = Postgres(mine)
    postgres.stop()
    try:
        away = wait_until(lambda: (lambda s: s if s.get(
            "docket_database_up") == 0 else None)(scrape(client)),
            "the loss to be seen", 10 * SLOW)
        assert away.has("docket_requests_total")
        assert not away.has("docket_outbox_messages")
        assert away.get("docket_database_links_total", event="lost") > \
            before.get("docket_database_links_total", event="lost")
    finally:
        postgres.start()
        everybody_is_back(mine, 15 * SLOW)
    wait_until(lambda: all(scrape(client).get("docket_database_up") == 1
                           for _ in range(6)), "the database to be seen")
    assert scrape(client).has("docket_outbox_messages")


@pytest.mark.faults
@pytest.mark.skipif(SANITIZED, reason="it would take longer than a kill")
@docket.tries(3)
def test_a_group_that_hangs_is_seen(mine, client):
    told = scrape(client, "?workers=true").families[
        "docket_worker_busy_seconds"]
    pids = [int(dict(labels)["pid"]) for _, labels in told.samples
            if dict(labels)["worker"].startswith("hash.")]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        seen = wait_until(lambda: (lambda s: s if s.get(
            "docket_workers", group="hash", state="hung") == 2 else None)(
            scrape(client)), "two that hang")
        assert seen.get("docket_workers", group="main", state="hung") == 0
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    wait_until(lambda: scrape(client).get(
        "docket_workers", group="hash", state="idle") == 2, "both back")


# --- whom it tells --------------------------------------------------------

def test_nobody_is_named(mine, client):
    mark = "canary" + docket.new_name()
    phone = docket.new_phone()
    headers = [("X-Request-Id", mark), ("User-Agent", mark),
               ("Referer", f"https://{mark}/")]
    code = docket.send_otp(client, phone).json["otp"]
    reply = client.post("/auth/register", json={
        "username": mark, "password": mark + " horse",
        "email": f"{mark}@example.org", "phone": phone, "otp": code},
        headers=headers).json
    token = reply["access_token"]
    client.post("/tasks", 201, json={"title": mark}, token=token,
                headers=headers)
    client.get(f"/{mark}", 404, headers=headers)
    client.get(f"/tasks?q={mark}", token=token, headers=headers)
    client.request("CANARYMETHOD", "/tasks", 405)
    client.post("/auth", 401, json={"username": mark, "password": "no"},
                headers=headers)
    for query in ("", "?workers=true"):
        for accept in TEXT, []:
            text = client.get("/metrics" + query,
                              headers=accept).body.decode().lower()
            for secret in (mark, "canary", phone, reply["user"]["id"],
                           "127.0.0.1", token.lower()):
                assert secret not in text, secret


def series(told):
    """{(sample, labels)} but of docket_requests."""
    return {(name + suffix, frozenset(labels))
            for name, family in told.families.items()
            for suffix, labels in family.samples
            if name != "docket_requests"}


def test_what_comes_makes_no_series(mine, client):
    """A counter's are those of the table, and a request's labels ours."""
    before = series(scrape(client))
    for n in range(40):
        client.request(f"ODD{n}", f"/odd{n}?odd={n}", None)
        client.request("DELETE", f"/tasks/{n}", None, headers=[
            ("Authorization", f"Bearer odd{n}")])
    told = scrape(client)
    assert series(told) == before
    text = (docket.ROOT / "include/tbl/metrics.h").read_text()
    names = dict(re.findall(r'^FAMILY\((\w+), "(\w+)"', text, re.M))
    rows = {(names[family] + "_total",
             frozenset(re.findall(r'(\w+)=\\"(\w+)\\"', labels)))
            for family, labels in re.findall(
                r'^COUNT\(\w+,\s*(\w+), "(.*)"\)$', text, re.M)}
    counters = {name for name, _ in rows}
    assert len(rows) > 30
    assert {one for one in before if one[0] in counters} == rows
    routes = subprocess.run([mine.docketd(), "--routes"], check=True,
                            capture_output=True, text=True, timeout=120)
    ours = {"operation": {line.split()[4] for line in
                          routes.stdout.splitlines()} | {"none"},
            "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
                       "OPTIONS", "other"},
            "status": {f"{n}xx" for n in range(1, 6)}}
    for _, labels in told.families["docket_requests"].samples:
        for key, value in labels:
            assert value in ours[key], labels


def test_nginx_hides_it_from_all_but_loopback_and_who_is_named(mine):
    routes = subprocess.run(
        [mine.docketd(), "-c", mine.dir / "docket.conf", "--nginx", "--set",
         "server.metrics_allow=192.0.2.0/24, 2001:db8::7"], check=True,
        capture_output=True, timeout=120).stdout
    with front.alone("[$docket_known]", routes) as nginx:
        def known(path, address):
            return nginx.ask(path, address) == b"[yes]"

        for address in (None, "127.0.0.1", "127.8.9.10", "::1", "192.0.2.77",
                        "2001:db8::7"):
            assert known("/metrics", address), address
        for address in ("192.0.3.1", "10.0.0.1", "2001:db8::8", "1.1.1.1",
                        "255.255.255.253", "::127.0.0.1"):
            for path in ("/metrics", "/metrics/", "//metrics",
                         "/%6detrics", "/x/../metrics"):
                assert not known(path, address), (path, address)
            assert known("/healthz", address), address


def test_rubbish_as_a_network_is_refused(mine):
    for value in ("192.0.2.0/33", "example.org", "10.0.0.0/8; deny all",
                  "1.2.3.4/", "::/129"):
        done = subprocess.run(
            [mine.docketd(), "-c", mine.dir / "docket.conf", "--check",
             "--set", f"server.metrics_allow={value}"], text=True,
            capture_output=True, timeout=120)
        assert done.returncode == 78, value
        assert "server.metrics_allow" in done.stderr, done.stderr


# --- the page -------------------------------------------------------------

def test_the_page_has_every_family():
    page = (docket.ROOT / "docs/metrics.md").read_text()
    rows = dict(re.findall(r"^\| `(docket_\w+)` \| (\w+) ", page, re.M))
    assert rows == {name: row.type for name, row in FAMILIES.items()}
    for row in FAMILIES.values():
        assert row.help in page, row.name
