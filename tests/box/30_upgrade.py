# SPDX-License-Identifier: AGPL-3.0-or-later
"""The next version over the one before, while people work."""

import subprocess
import time

import pytest

import box as boxes
from callers import Callers
from docket import wait_until

pytestmark = pytest.mark.long

# What a release after this one may bring, with the rights that are its own.
MIGRATION = """-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A column that waits for a lock of its table.
ALTER TABLE docket.tasks ADD COLUMN upgraded boolean;
"""


@pytest.fixture(scope="module")
def next_one(new, tmp_path_factory):
    """The packages with one more migration in them."""
    folder = tmp_path_factory.mktemp("next")
    made = {}
    for name in ("docket", "docket-courier"):
        tree = folder / name
        subprocess.run(["dpkg-deb", "-R", new[name], tree], check=True)
        if name == "docket":
            put_migration(tree / "usr/share/docket/migrations")
        made[name] = folder / new[name].name
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree,
                        made[name]], check=True, capture_output=True)
    return made


def put_migration(folder):
    last = max(int(p.name[:4]) for p in folder.iterdir())
    (folder / f"{last + 1:04}_next.sql").write_text(MIGRATION)


def install(machine, made):
    for one in ("docket", "docket-courier"):
        machine.put(made[one], f"/root/next-{one}.deb")
    return machine.run("apt-get install -y ./next-docket.deb"
                       " ./next-docket-courier.deb", None)


def test_a_migration_that_gets_no_lock_leaves_the_old_one(installed, next_one):
    """The upgrade says what to do, nothing is restarted, and dpkg can go on
    from there once the table is free."""
    installed.run("printf '%s\\n' 'server { workers = 3 }'"
                  " >/etc/docket/conf.d/50-mine.conf;"
                  " printf '# mine\\n' >>/etc/docket/docket.conf;"
                  " systemctl reload docket.service")
    pids = installed.pid("docket.service"), \
        installed.pid("docket-courier.service")
    installed.run("systemd-run --unit=holder --uid=postgres psql -qX -d docket"
                  " -c 'BEGIN; LOCK docket.tasks IN ACCESS SHARE MODE;"
                  " SELECT pg_sleep(600)'")
    wait_until(lambda: installed.sql(
        "SELECT 1 FROM pg_locks WHERE relation = 'docket.tasks'::regclass"
        " AND granted AND mode = 'AccessShareLock'"), "the lock", 20)
    said = install(installed, next_one)
    assert said.code != 0, said
    for word in ("could not be brought up to date", "dpkg --configure -a"):
        assert word in said, said
    assert pids == (installed.pid("docket.service"),
                    installed.pid("docket-courier.service"))
    assert installed.run(
        "curl --silent --insecure https://docket.example/readyz -o /dev/null"
        " -w '%{http_code}'") == "200"
    installed.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE query LIKE '%pg_sleep%'"
                  " AND pid <> pg_backend_pid()")


def test_the_upgrade_loses_no_request(installed, patient, next_one):
    before = installed.pid("docket.service")
    installed.sql("ALTER ROLE docket_api RESET jit")
    with installed.inside():
        with Callers(prefix="upgrade") as load:
            time.sleep(1)
            said = installed.run("dpkg --configure -a")
            time.sleep(2)
    print(f"the upgrade took {said.took:.1f} s: {load}")
    assert not load.failed, load.failed[:3]
    assert load.count > 50 and load.lost(installed) == []
    # Its listing is the same: nginx goes on.
    assert load.anew() == 0
    assert installed.pid("docket.service") != before
    assert "upgraded" in installed.sql(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'docket.tasks'::regclass")
    assert "jit=off" in installed.sql("SELECT rolconfig FROM pg_roles"
                                      " WHERE rolname = 'docket_api'")[0]
    assert boxes.OLD not in installed.run(
        "docketd --version; docket --version")
    assert " missing" not in installed.run("docket migrate status")


def test_other_routes_are_given_to_nginx(installed, patient, next_one):
    """A reload of nginx ends connections that are kept and idle. Whoever
    sends at that very moment sends again, and nothing is made twice."""
    routes = "/etc/docket/nginx-routes.conf"
    ours = installed.path(routes).read_text()
    installed.run(f"echo '# of the version before' >>{routes}")
    pids = nginx_workers(installed)
    with installed.inside():
        with Callers(prefix="routes", patient=True) as load:
            time.sleep(1)
            installed.run("apt-get install -y --reinstall ./next-docket.deb")
            time.sleep(2)
    print(load)
    assert not load.failed, load.failed[:3]
    assert load.lost(installed) == []
    # Whoever was being answered then was told to come anew.
    assert load.anew() + load.resent > 0
    assert not installed.sql(
        "SELECT title FROM docket.tasks WHERE title LIKE 'routes%'"
        " GROUP BY title HAVING count(*) > 1")
    assert installed.path(routes).read_text() == ours
    wait_until(lambda: not nginx_workers(installed) & pids,
               "the end of nginx's workers of before", 60)


def nginx_workers(machine):
    return set(machine.run("pgrep -u www-data -x nginx").split())


def test_what_an_administrator_changed_stays(installed):
    assert installed.path("/etc/docket/docket.conf").read_text() \
        .endswith("# mine\n")
    assert installed.path("/etc/docket/conf.d/50-mine.conf").exists()
    said = installed.run("stat -c '%U:%G %a' /etc/docket/docket.conf"
                         " /etc/docket /etc/docket/conf.d").split("\n")
    assert said[:3] == ["root:docket 640", "root:docket 750",
                        "root:docket 750"]
