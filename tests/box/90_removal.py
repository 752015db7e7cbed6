# SPDX-License-Identifier: AGPL-3.0-or-later
"""Going away: nginx goes on, data stays until somebody says otherwise."""

import pytest

from docket import wait_until

pytestmark = pytest.mark.long


def files(machine, *folders):
    return set(machine.run(
        f"find {' '.join(folders)} -path /proc -prune -o -path /sys -prune"
        " -o \\( -name '*docket*' -o -path '*/docket/*' \\) -print"
        " 2>/dev/null", None).split())


def test_removal_stops_it_and_leaves_what_is_ours(installed):
    installed.run("apt-get remove -y docket docket-courier")
    assert installed.run("pgrep -c docket", None).strip() == "0"
    installed.run("nginx -t -q && systemctl is-active nginx")
    assert not installed.path("/run/docket/docket.sock").exists()
    for kept in ("/etc/docket/docket.conf", "/etc/docket/secret.key",
                 "/etc/docket/jwt.keys"):
        assert installed.path(kept).exists(), kept
    assert installed.sql("SELECT count(*) > 0 FROM docket.users") == ["t"]
    assert not installed.run(
        "systemctl list-units --failed --no-legend --plain 'docket*'")


def test_it_comes_back_with_its_data(installed):
    installed.run("apt-get install -y ./next-docket.deb"
                  " ./next-docket-courier.deb")
    installed.run("docket setup --domain docket.example --self-signed")
    wait_until(lambda: installed.run(
        "curl --silent --insecure https://docket.example/readyz -o /dev/null"
        " -w '%{http_code}'", None) == "200", "the service", 30)
    said = installed.run(
        "curl --silent --insecure https://docket.example/auth --json"
        " '{\"username\":\"first\",\"password\":\"correct horse battery\"}'")
    assert '"access_token"' in said, said


def test_a_purge_without_an_answer_keeps_the_data(installed):
    said = installed.run("apt-get purge -y docket docket-courier")
    assert "docket: kept: /etc/docket" in said, said
    assert not installed.path("/etc/docket/docket.conf").exists()
    assert installed.path("/etc/docket/secret.key").exists()
    assert installed.sql("SELECT count(*) > 0 FROM docket.users") == ["t"]
    installed.run("nginx -t -q && systemctl is-active nginx")


def test_a_purge_that_was_told_to_leaves_nothing(installed):
    installed.run("apt-get install -y ./next-docket.deb"
                  " ./next-docket-courier.deb")
    installed.run("docket setup --domain docket.example --self-signed")
    guarded = installed.path("/etc/nginx/sites-available/wiki")
    guarded.write_text("# include /usr/share/docket/nginx/x;\n")
    installed.run("debconf-set-selections", stdin=(
        "docket docket/purge-data boolean true\n"))
    installed.run("apt-get purge -y docket docket-courier")
    assert installed.run("cd / && runuser -u postgres -- psql -qXAt -d postgres -c"
                         " \"SELECT datname FROM pg_database"
                         " WHERE datname = 'docket' UNION ALL SELECT rolname"
                         " FROM pg_roles WHERE rolname LIKE 'docket%'\"") == ""
    assert guarded.exists()
    installed.run("nginx -t -q && systemctl is-active nginx")
    left = {path for path in files(installed, "/etc", "/var/lib/docket",
                                   "/usr", "/lib", "/run/docket", "/var/log",
                                   "/var/lib/systemd")
            if "/docket-probe" not in path and "apt" not in path}
    assert not left, sorted(left)
