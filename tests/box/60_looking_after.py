# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an administrator looks at, and the backup that comes back."""

import json
import re
import shlex

import pytest

from docket import ROOT, wait_until

pytestmark = pytest.mark.long

NOTABLE = dict(re.findall(r'^NOTABLE\("(\w+)",\s*"([0-9a-f]{32})"\)$',
                          (ROOT / "include/tbl/journal.h").read_text(), re.M))
SITE = "https://docket.example"
PASSWORD = "correct horse battery"
# What is the test machine's own: its disk, its speed, its clock.
MACHINES = {"disk", "hashing", "clock"}


def call(machine, path, body=None, token=None, **headers):
    """Status and body of what one asks by curl."""
    words = ["curl", "--silent", "--insecure", "--max-time", "20",
             "-w", "\n%{http_code}", SITE + path]
    if body is not None:
        words += ["--json", json.dumps(body)]
    if token:
        words += ["--oauth2-bearer", token]
    for name, value in headers.items():
        words += ["-H", f"{name.replace('_', '-')}: {value}"]
    said, status = machine.run(shlex.join(words)).rsplit("\n", 1)
    return int(status), said


def login(machine, name):
    status, said = call(machine, "/auth",
                        {"username": name, "password": PASSWORD})
    return json.loads(said) if status == 200 else None


def ready(machine):
    return machine.run(f"curl --silent --insecure --max-time 3 {SITE}/readyz"
                       " -o /dev/null -w '%{http_code}'", None) == "200"


class Since:
    """The journal from now on."""

    def __init__(self, machine):
        self.machine = machine
        self.begun = machine.run("date +@%s.%6N").strip()

    def lines(self, unit, *words):
        return self.machine.run(
            f"journalctl --no-pager -u {unit} --since '{self.begun}' "
            + " ".join(words)).splitlines()

    def entries(self, unit):
        return [json.loads(one) for one in self.lines(unit, "-o json")]


@pytest.fixture(scope="module")
def told(installed):
    """What the journal got of a restart, a request and a message."""
    since = Since(installed)
    installed.run("systemctl restart docket.service docket-courier.service")
    wait_until(lambda: ready(installed), "the service", 30)
    assert call(installed, "/tasks", X_Request_Id="box-one")[0] == 401
    wait_until(lambda: [one for one in since.entries("docket.service")
                        if one.get("DOCKET_RID") == "box-one"],
               "the request's line", 20)
    return since


def number(machine, user):
    return machine.run(f"id -u {user}").strip()


def test_the_workers_lines_are_entries_of_the_journal(installed, told):
    """Out of the sandbox, by journald's own protocol, under their names."""
    entries = told.entries("docket.service")
    [one] = [e for e in entries if e.get("DOCKET_RID") == "box-one"]
    assert (one["DOCKET_EVENT"], one["DOCKET_ROUTE"], one["DOCKET_STATUS"]) \
        == ("request", "getAllTasks", "401")
    assert one["DOCKET_PROCESS"].startswith("main."), one
    assert one["_TRANSPORT"] == "journal"
    assert one["_SYSTEMD_UNIT"] == "docket.service"
    assert one["_UID"] == number(installed, "docket")
    assert int(one["_PID"]) != installed.pid("docket.service")
    stopped = [e for e in entries if e.get("DOCKET_EVENT") == "stopped"]
    assert stopped and stopped[0]["MESSAGE_ID"] == NOTABLE["stopped"]
    up = [e for e in entries if e.get("MESSAGE_ID") == NOTABLE["ready"]]
    assert up and up[-1]["DOCKET_EVENT"] == "ready"
    assert int(up[-1]["_PID"]) == installed.pid("docket.service")
    others = [e for e in entries if e["_TRANSPORT"] == "stdout"
              and e["SYSLOG_IDENTIFIER"] == "docketd"]
    assert not others, others[:3]


def test_so_are_the_couriers(installed, told):
    entries = [e for e in told.entries("docket-courier.service")
               if "DOCKET_EVENT" in e]
    assert entries
    assert {(e["_TRANSPORT"], e["_UID"]) for e in entries} == {
        ("journal", number(installed, "docket-courier"))}


def test_the_catalog_came_with_the_package(told):
    """journalctl -x explains, with what the entry says put in."""
    said = "\n".join(told.lines("docket.service", "-x",
                                f"MESSAGE_ID={NOTABLE['ready']}"))
    assert "Subject: The service serves" in said, said
    assert re.search(r"answers: \d+ of the main group, \d+ that", said), said


def test_settings_that_cannot_serve_are_told_and_not_taken(installed):
    since, path = Since(installed), "/etc/docket/conf.d/99-wrong.conf"
    installed.run(f"echo 'server {{ workers = many }}' >{path};"
                  " systemctl reload docket.service")
    try:
        wait_until(lambda: NOTABLE["reload_refused"] in [
            e.get("MESSAGE_ID") for e in since.entries("docket.service")],
            "the refusal", 20)
        said = "\n".join(since.lines(
            "docket.service", "-x",
            f"MESSAGE_ID={NOTABLE['reload_refused']}"))
        for word in ("Subject: New settings were refused", path, "workers",
                     "docketd --check"):
            assert word in said, said
        assert ready(installed)
        said = installed.run("docket check", None)
        assert said.code == 78 and path in said, said
    finally:
        installed.run(f"rm {path}")
    installed.run("docket check && systemctl reload docket.service")


def test_check_finds_nothing_wrong(installed):
    """Each program as its own account, which owns what it needs."""
    assert "are good" in installed.run("docket check")
    installed.run("chown root /var/lib/docket/spool")
    try:
        said = installed.run("docket check", 78)
        assert "courier.spool_dir" in said, said
    finally:
        installed.run("chown docket-courier /var/lib/docket/spool")


def doctor(machine):
    """{check: level}, and the exit status."""
    said = machine.run("docket doctor --json", None)
    rows = json.loads(said)
    assert len({row["check"] for row in rows}) == len(rows) >= 18
    assert all(row["next"] for row in rows if row["level"] != "OK"), rows
    worst = max(["OK", "WARN", "FAIL"].index(row["level"]) for row in rows)
    assert said.code == worst, (said.code, rows)
    return {row["check"]: row["level"] for row in rows}, said.code, rows


def test_doctor_and_status_find_nothing_broken(installed):
    """A certificate that it made itself is all that is to be done."""
    levels, status, rows = doctor(installed)
    for row in rows:
        print(row["level"], row["check"], row["detail"], sep="\t")
    assert {check for check, level in levels.items() if level == "FAIL"} <= \
        MACHINES
    for check in ("keys", "key-files", "database", "durability", "rights",
                  "connections", "schema", "listing"):
        assert levels[check] == "OK", rows
    assert levels["certificate"] == "WARN" and status == 1
    said = installed.run("docket status", None)
    assert said.code == 0 and "database    up" in said, said
    said = json.loads(installed.run("docket status --json"))
    assert said["database_up"] is True, said


def test_a_listing_of_another_version_is_found(installed):
    """And what doctor says next mends it."""
    path = "/etc/docket/nginx-routes.conf"
    installed.run(f"echo '# old' >>{path}")
    levels, status, rows = doctor(installed)
    assert levels["listing"] == "FAIL" and status == 2
    assert "docketd --nginx" in next(
        row["next"] for row in rows if row["check"] == "listing")
    installed.run(f"docketd --nginx >{path}; systemctl reload nginx")
    assert doctor(installed)[0]["listing"] == "OK"


def test_an_nginx_that_does_not_run_is_told(installed):
    installed.run("systemctl stop nginx")
    try:
        levels, status, rows = doctor(installed)
        assert levels["nginx"] == "FAIL" and status == 2, rows
        assert levels["service"] == "OK"
    finally:
        installed.run("systemctl start nginx")
    wait_until(lambda: ready(installed), "nginx", 30)


def test_while_the_database_is_away_they_say_so(installed):
    installed.run("systemctl stop postgresql@15-main.service")
    try:
        levels, status, _ = doctor(installed)
        assert levels["database"] == "FAIL" and status == 2
        assert levels["keys"] == levels["listing"] == "OK"
        said = installed.run("docket status", None)
        assert said.code == 2 and "the database is away" in said, said
    finally:
        installed.run("systemctl start postgresql@15-main.service")
    wait_until(lambda: ready(installed), "the database", 30)
    wait_until(lambda: installed.run("docket status", None).code == 0,
               "all to be well", 30)


def test_metrics_are_for_the_host_alone(installed):
    status, said = call(installed, "/metrics")
    assert status == 200 and "docket_database_up 1\n" in said
    other = "192.0.2.7"
    installed.run(f"ip address add {other}/32 dev lo")
    try:
        for path, expect in (("/metrics", "404"), ("/metrics?a=b", "404"),
                             ("/healthz", "200")):
            said = installed.run(
                f"curl --silent --insecure --interface {other} --resolve"
                f" docket.example:443:{other} -o /dev/null"
                f" -w '%{{http_code}} %{{local_ip}}' '{SITE}{path}'")
            assert said == f"{expect} {other}", path
    finally:
        installed.run(f"ip address del {other}/32 dev lo")


def titles(machine, token):
    status, said = call(machine, "/tasks?limit=50", token=token)
    assert status == 200, said
    return [task["title"] for task in json.loads(said)["tasks"]]


def test_a_backup_comes_back(installed):
    """Over what was written after it; sessions of before go on."""
    first = login(installed, "first")
    before = titles(installed, first["access_token"])
    assert "The first" in before
    said = installed.run("docket backup /root/backup")
    print(f"backup: {said.took:.1f} s")
    installed.run("cd /root/backup && sha256sum --strict --quiet -c"
                  " SHA256SUMS")
    assert call(installed, "/tasks", {"title": "Too late"},
                first["access_token"])[0] == 201
    assert call(installed, "/auth/register", {
        "username": "latecomer", "password": PASSWORD})[0] == 200
    said = installed.run(
        "docket restore /root/backup --replace --keys", None)
    assert said.code == 75 and "docket.target" in said, said
    installed.run("systemctl stop docket.target docket.service"
                  " docket-courier.service")
    assert installed.run("docket status", None).code == 2
    said = installed.run("docket restore /root/backup --replace --keys")
    print(f"restore: {said.took:.1f} s")
    installed.run("systemctl start docket.target")
    wait_until(lambda: ready(installed), "the service", 30)
    assert call(installed, "/auth/refresh", {
        "refresh_token": first["refresh_token"]})[0] == 200
    again = login(installed, "first")
    assert titles(installed, again["access_token"]) == before
    assert login(installed, "latecomer") is None
    levels, _, rows = doctor(installed)
    assert {check for check, level in levels.items() if level == "FAIL"} <= \
        MACHINES, rows
    installed.run("rm -r /root/backup")
