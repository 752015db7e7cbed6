# SPDX-License-Identifier: AGPL-3.0-or-later
"""Prometheus itself, as docs/metrics.md tells it, with the rules as they are
shipped, but for their patience: what goes wrong for real is an alert."""

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

import docket
import instance
from courier import running
from docket import ROOT, SLOW, Client, comm, wait_until
from postgres import Postgres, everybody_is_back

pytestmark = [pytest.mark.long, pytest.mark.faults, pytest.mark.skipif(
    not shutil.which("prometheus"), reason="no prometheus here")]


@pytest.fixture(scope="module")
def mine():
    with instance.running("server.workers=2", "server.auth_workers=2") as one:
        yield one


@pytest.fixture(scope="module")
def alerts(mine, tmp_path_factory):
    """A function: the names of those that fire."""
    place, port = tmp_path_factory.mktemp("prometheus"), docket.free_port()
    rules = (ROOT / "share/prometheus/docket.rules.yml").read_text()
    (place / "rules.yml").write_text(
        re.sub(r"^ +for: \w+\n", "", rules, flags=re.M))
    page = (ROOT / "docs/metrics.md").read_text()
    [text] = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    for old, new in (
            ("docket.example:443", f"localhost:{mine.port}"),
            ("scheme: https\n", "scheme: https\n    tls_config:"
             f" {{ca_file: {mine.dir}/ca.pem}}\n"),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("/usr/share/docket/prometheus/docket.rules.yml",
             str(place / "rules.yml"))):
        assert old in text
        text = text.replace(old, new)
    (place / "prometheus.yml").write_text(
        "global: {evaluation_interval: 1s}\n" + text)
    with open(place / "log", "w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={place}/prometheus.yml",
             f"--storage.tsdb.path={place}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(what):
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/{what}", timeout=10) as said:
            return json.load(said)["data"]

    def up():
        try:
            targets = ask("targets")["activeTargets"]
        except OSError:
            return False
        return [one["health"] for one in targets] == ["up"]

    def firing():
        return {one["labels"]["alertname"] for one in ask("alerts")["alerts"]
                if one["state"] == "firing"}

    try:
        wait_until(up, "Prometheus to see the service", 60 * SLOW)
        yield firing
    finally:
        process.terminate()
        process.wait(30)


def comes_and_goes(alerts, name, mend):
    try:
        wait_until(lambda: name in alerts(), name, 30 * SLOW)
    finally:
        mend()
    wait_until(lambda: name not in alerts(), f"the end of {name}", 60 * SLOW)


def owner(mine, statement):
    subprocess.run([docket.psql(), "-X", "-q", "-d", Postgres(mine).root,
                    "-c", statement], check=True, timeout=30)


def test_nothing_is_wrong(alerts, mine):
    client = Client(mine)
    for _ in range(20):
        client.get("/readyz")
    client.close()
    assert alerts() == set()


def test_the_database_is_away(alerts, mine):
    postgres = Postgres(mine)

    def mend():
        postgres.start()
        everybody_is_back(mine, 30 * SLOW)

    postgres.stop()
    comes_and_goes(alerts, "DocketDatabaseAway", mend)
    assert "DocketDatabaseFlaps" not in alerts()


def test_a_way_out_fails(alerts, mine):
    owner(mine, "UPDATE docket.courier_lanes SET opened_at = now(), open_until"
                " = now() + interval '1 h' WHERE channel = 'sms'")
    comes_and_goes(alerts, "DocketBreakerOpen", lambda: owner(
        mine, "UPDATE docket.courier_lanes SET opened_at = NULL,"
              " open_until = NULL"))


def test_the_courier_does_not_run(alerts, mine):
    [courier] = [pid for pid in mine.pids()["app"]
                 if comm(pid) == "docket-courier"]
    os.kill(courier, signal.SIGTERM)
    wait_until(lambda: not running(courier), "its end")
    client = Client(mine)
    docket.send_otp(client, docket.new_phone())
    client.close()
    owner(mine, "UPDATE docket.outbox SET next_at = now() - interval '150 s'")
    comes_and_goes(alerts, "DocketOutboxStuck",
                   lambda: owner(mine, "DELETE FROM docket.outbox"))


def test_workers_die_and_settings_are_refused(alerts, mine):
    """Neither ends for a while, however well it goes since."""
    for _ in range(5):
        before = mine.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(mine.workers()) == len(before) and
                   before[0] not in mine.workers(), "a new worker")
        wait_until(lambda: Client(mine).get("/readyz", None).status == 200,
                   "it to serve")
    conf = mine.dir / "docket.conf"
    good = conf.read_text()
    conf.write_text(good + "\nrubbish = 1\n")
    try:
        os.kill(mine.supervisor(), signal.SIGHUP)
        wait_until(lambda: {"DocketWorkersDie", "DocketReloadRefused"}
                   <= alerts(), "both", 30 * SLOW)
    finally:
        conf.write_text(good)


def test_the_service_is_gone(alerts, mine):
    os.kill(mine.supervisor(), signal.SIGSTOP)
    try:
        for pid in mine.workers():
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: "DocketDown" in alerts(), "DocketDown", 60 * SLOW)
    finally:
        for pid in mine.workers():
            os.kill(pid, signal.SIGCONT)
        os.kill(mine.supervisor(), signal.SIGCONT)
    wait_until(lambda: "DocketDown" not in alerts(), "its end", 60 * SLOW)
