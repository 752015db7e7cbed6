# SPDX-License-Identifier: AGPL-3.0-or-later
"""From two packages on a fresh machine to the first 201 over HTTPS."""

import hashlib
import json
import stat

import pytest

import box as boxes
from callers import listens

pytestmark = pytest.mark.long


def test_from_packages_to_the_first_201(installed):
    """Within three minutes, six commands and no file edited. What apt takes
    was fetched before: the machine has no network."""
    for line, said in installed.steps:
        print(f"{said.took:6.1f} s  {line.splitlines()[0][:70]}")
    took = sum(said.took for _, said in installed.steps)
    print(f"{took:6.1f} s  in all, {len(installed.steps)} commands")
    task, status = installed.steps[-1][1].rsplit(" ", 1)
    assert status == "201"
    assert json.loads(task)["task"]["title"] == "The first"
    assert len(installed.steps) <= 6 and took < 180


UNITS = ("docket.target", "docket.socket", "docket-auth.socket",
         "docket.service", "docket-courier.service", "docket-gc.timer")


def test_the_package_says_what_is_next(installed):
    assert "docket: next: docket setup --domain" in installed.steps[0][1]


def test_everything_runs_under_its_unit(installed):
    for unit in UNITS:
        said = installed.show(unit, "ActiveState", "UnitFileState")
        assert said == {"ActiveState": "active",
                        "UnitFileState": "enabled"}, unit
    said = installed.show("docket.service", "StatusText", "User", "Type",
                          "NRestarts", "WatchdogUSec")
    assert said["StatusText"].startswith("Serving"), said
    assert (said["User"], said["Type"]) == ("docket", "notify")
    assert said["NRestarts"] == "0" and said["WatchdogUSec"] == "30s"
    courier = installed.pid("docket-courier.service")
    assert installed.run(f"ps -o user= -p {courier}").strip() == "docket-courier"
    assert not installed.run(
        "systemctl list-units --failed --no-legend --plain 'docket*'")


def test_root_may_ask_whether_they_would_start(installed):
    """As who is there at night, without naming the account of a unit."""
    for program in ("docketd", "docket-courier"):
        assert installed.run(f"{program} --check") == ""
        said = installed.run(f"{program} --check --set server.secret_file=/no",
                             78)
        assert "server.secret_file" in said, said


def test_the_sockets_are_systemds(installed):
    said = installed.run("ss -xlH")
    for name in ("docket", "auth"):
        line = next(one for one in said.splitlines()
                    if f"/run/docket/{name}.sock" in one)
        assert line.split()[3] == "4096", line
        mode = installed.path(f"/run/docket/{name}.sock").lstat().st_mode
        assert stat.S_IMODE(mode) == 0o660
    held = installed.run("ss -xlHp 'src = /run/docket/docket.sock'")
    assert '"systemd"' in held, held


def test_secrets_are_for_those_who_need_them(installed):
    """Whoever asks as another user is refused."""
    for user, name, may in (
            ("docket", "/etc/docket/docket.conf", True),
            ("docket-courier", "/etc/docket/docket.conf", True),
            ("docket", "/etc/docket/jwt.keys", True),
            ("docket-courier", "/etc/docket/jwt.keys", False),
            ("www-data", "/etc/docket/docket.conf", False),
            ("www-data", "/etc/docket/secret.key", False),
            ("docket-courier", "/etc/docket/secret.key", False)):
        said = installed.run(f"runuser -u {user} -- cat {name}", None)
        assert (said.code == 0) == may, (user, name, said.code)


def test_systemd_has_nothing_to_say_of_the_units(installed):
    """As installed, with their programs: not one line."""
    said = installed.run(
        "systemd-analyze verify --man=no " + " ".join(
            f"/lib/systemd/system/{u}" for u in (*UNITS, "docket-gc.service")))
    assert not said


def test_the_hourly_sweep_runs(installed):
    installed.run("systemctl start docket-gc.service")
    assert installed.show("docket-gc.service", "Result", "ExecMainStatus") == \
        {"Result": "success", "ExecMainStatus": "0"}


def test_a_code_is_delivered(installed):
    """By the courier's own user, into the folder that is its alone."""
    installed.run("curl --silent --fail --insecure"
                  " https://docket.example/otp/send"
                  " --json '{\"email\":\"someone@docket.example\"}'")
    installed.run("for i in $(seq 100); do"
                  " ls /var/lib/docket/spool | grep -q . && exit;"
                  " sleep 0.1; done; exit 1")
    said = installed.run("stat -c '%U %a' /var/lib/docket/spool"
                         " /var/lib/docket/spool/*").split("\n")
    assert said[0] == "docket-courier 750", said
    assert said[1].split()[0] == "docket-courier"


def test_plain_http_leads_to_https(installed):
    with installed.inside():
        assert listens(80) and listens(443) and not listens(5432, "127.0.0.9")
    said = installed.run("curl --silent -o /dev/null -w"
                         " '%{http_code} %{redirect_url}'"
                         " http://docket.example/tasks?a=b")
    assert said == "301 https://docket.example/tasks?a=b"
    installed.run("mkdir -p /var/www/html/.well-known/acme-challenge;"
                  " echo proof >/var/www/html/.well-known/acme-challenge/x")
    assert installed.run(
        "curl --silent --fail"
        " http://docket.example/.well-known/acme-challenge/x") == "proof\n"


def test_two_builds_are_the_same_bytes(new):
    """Elsewhere, later, with another clock, language and mask."""
    again = boxes.packages("another-place-to-build-in", "--quick",
                           TZ="Asia/Tehran", LC_ALL="C")
    sums = [{name: hashlib.sha256(path.read_bytes()).hexdigest()
             for name, path in one.items()} for one in (new, again)]
    assert sums[0] == sums[1]
