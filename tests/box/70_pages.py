# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that the pages tell, as they stand there, where systemd is."""

import pytest

import commands
from docket import wait_until

pytestmark = pytest.mark.long

# What stands for somebody's own in the pages: {command: as it is here}.
HERE = {
    "ps -o stat,wchan -p PID": "ps -o stat,wchan -p 1",
    "docket session revoke --user NAME": "docket session revoke --user first",
    "journalctl -u docket DOCKET_RID=5f2c0e3a":
        "journalctl -u docket DOCKET_RID=page-one",
    "dpkg-reconfigure docket": "dpkg-reconfigure -fnoninteractive docket",
}

# Of systemctl: 3 is a unit that has ended, as a sweep between two has.
STATUS = {"systemctl status docket-gc": 3}

# What it says, where that is more than that it was done.
SAYS = {
    "journalctl -u docket DOCKET_RID=5f2c0e3a": "rid=page-one",
    "journalctl -u docket -o json"
    " --output-fields=DOCKET_ROUTE,DOCKET_US": '"DOCKET_ROUTE"',
    "journalctl -u docket -u docket-courier": "courier_started",
    "journalctl -x": "Subject: The service serves",
    "systemctl status docket": "Serving",
    "systemctl status docket-courier": "active (running)",
    "systemctl status nginx": "active (running)",
    "systemctl list-timers docket-gc.timer": "docket-gc",
    "systemd-analyze security docket": "Overall exposure level",
    "nginx -t": "test is successful",
    "docket config show --changed": "server.public_url",
    "docket audit tail --event login --since 1h": "login",
    "docket key generate": "next",
    "docket key rotate": "current",
}


def answers(machine, status):
    return machine.run(
        "curl --silent --insecure --max-time 3 https://docket.example/readyz"
        " -o /dev/null -w '%{http_code}'", None) == status


def ready(machine):
    return answers(machine, "200")


@pytest.fixture(scope="module")
def lived(installed):
    """Somebody has logged in, and a request has a name."""
    for call in ("/tasks -H 'X-Request-Id: page-one'",
                 "/auth --json '{\"username\":\"first\",\"password\":"
                 "\"correct horse battery\"}'"):
        installed.run("curl --silent --insecure -o /dev/null"
                      f" https://docket.example{call}")
    wait_until(lambda: "page-one" in installed.journal("docket.service"),
               "the request's line", 20)
    return installed


@pytest.mark.parametrize("line", commands.booted())
def test_a_command_does_what_the_page_says(lived, line):
    said = lived.run(HERE.get(line, line), None)
    assert said.code == STATUS.get(line, 0), said
    assert SAYS.get(line, "") in said, said
    wait_until(lambda: ready(lived), "the service", 30)


def test_postgresql_lets_others_finish(lived):
    """The drop-in, and the setting for huge pages beside it."""
    drop_in, = commands.data("docs/operations.md", "ini")
    name = drop_in.split()[1]
    lived.run(f"mkdir -p {name.rpartition('/')[0]}; cat >{name}",
              stdin=drop_in)
    restart = "systemctl daemon-reload; systemctl restart postgresql@15-main"
    ask, = commands.data("docs/operations.md", "sql")
    try:
        lived.run(restart)
        wait_until(lambda: ready(lived), "the service", 30)
        assert "SCHED_BATCH" in lived.run(
            "chrt -a -p $(head -1 /var/lib/postgresql/15/main/postmaster.pid)")
        assert int(lived.sql(ask)[0]) > 0
    finally:
        lived.run(f"rm -r {name.rpartition('/')[0]}; {restart}")
    wait_until(lambda: ready(lived), "the service as before", 30)


DSN = "host=127.0.0.1 dbname=docket user=docket_api passfile=/etc/docket/pass"


def test_with_the_drop_in_a_database_over_tcp_is_reached(lived):
    """Without it the same settings find no network."""
    for line in commands.booted():
        if "/etc/systemd/system/" in line:
            lived.run(line)
    lived.run("systemctl daemon-reload")
    lived.sql("ALTER ROLE docket_api PASSWORD 'over the wire'")
    lived.run("install -o docket -g docket -m 600 /dev/null /etc/docket/pass;"
              " echo '*:*:*:*:over the wire' >/etc/docket/pass;"
              f" echo 'database {{ dsn = \"{DSN}\" }}'"
              " >/etc/docket/conf.d/70-tcp.conf")
    try:
        lived.run("systemctl restart docket.service")
        wait_until(lambda: ready(lived), "the database over TCP", 30)
        assert lived.sql(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename ="
            " 'docket_api' AND client_addr = '127.0.0.1'") == ["t"]
        lived.run("systemctl start docket-gc.service")
        lived.run("rm -r /etc/systemd/system/docket.service.d"
                  " /etc/systemd/system/docket-gc.service.d;"
                  " systemctl daemon-reload; systemctl restart docket.service")
        wait_until(lambda: answers(lived, "503"), "no way to it", 30)
    finally:
        lived.run("rm -rf /etc/docket/conf.d/70-tcp.conf /etc/docket/pass"
                  " /etc/systemd/system/docket.service.d"
                  " /etc/systemd/system/docket-gc.service.d;"
                  " systemctl daemon-reload; systemctl restart docket.service")
        lived.sql("ALTER ROLE docket_api PASSWORD NULL")
    wait_until(lambda: ready(lived), "the service as before", 30)
