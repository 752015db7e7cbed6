# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database's roles: pgTAP reads what each may do from the catalog, and
each tries, logged in, what it must not do."""

import re
import subprocess

import pytest

from docket import ROOT, psql


def dsn(dev, role):
    return dev.dsn.replace("user=docket_api", f"user={role}")


def run(dev, role, *arguments, **more):
    return subprocess.run(
        [psql(), "-X", "-q", "-A", "-t", "-d", dsn(dev, role), *arguments],
        text=True, capture_output=True, timeout=60, check=False, **more)


@pytest.fixture(scope="module")
def tap(dev):
    """pgTAP's verdicts: {what: ok}."""
    done = run(dev, "postgres", "-v", "ON_ERROR_STOP=1",
               "-f", ROOT / "tests/sql/roles.sql")
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^(not ok|ok) \d+ - (.*)$", done.stdout, re.M)
    assert len(found) == len({what for _, what in found})
    plan = re.search(r"^1\.\.(\d+)$", done.stdout, re.M)
    assert int(plan[1]) == len(found), done.stdout
    return {what: verdict == "ok" for verdict, what in found}, done.stdout


def test_every_role_may_do_what_the_list_says_and_no_more(tap):
    verdicts, said = tap
    failed = [what for what, ok in verdicts.items() if not ok]
    assert not failed, said
    assert len(verdicts) >= 2 * 11 + 15


def test_it_would_say_so(dev):
    """A right too many, to PUBLIC, to a role, to a column, a function with
    the owner's rights: each is found."""
    for statement, words in (
            ("GRANT SELECT ON docket.audit TO docket_api",
             "docket_api on audit"),
            ("GRANT SELECT ON docket.users TO docket_courier",
             "docket_courier on users"),
            ("GRANT SELECT (email) ON docket.users TO docket_courier",
             "no column has rights"),
            ("GRANT INSERT ON docket.tasks TO PUBLIC", "PUBLIC has no"),
            ("REVOKE SELECT ON docket.users FROM docket_api",
             "docket_api on users"),
            ("GRANT docket_owner TO docket_api", "none is a member"),
            ("ALTER ROLE docket_courier CREATEROLE", "none of the three"),
            ("CREATE TABLE docket.surprise ()", "every table is in"),
            ("ALTER FUNCTION docket.users_last_admin() SECURITY DEFINER",
             "no function lends"),
            ("ALTER FUNCTION docket.users_last_admin() RESET search_path",
             "every function brings"),
            ("ALTER ROLE docket_api RESET search_path", "by luck")):
        text = (ROOT / "tests/sql/roles.sql").read_text()
        assert text.count("BEGIN;\n") == 1
        text = text.replace("BEGIN;\n", f"BEGIN;\n{statement};\n")
        done = run(dev, "postgres", "-v", "ON_ERROR_STOP=1", input=text)
        assert done.returncode == 0, done.stderr
        failed = re.findall(r"^not ok \d+ - (.*)$", done.stdout, re.M)
        assert any(words in what for what in failed), (statement, failed)


# --- and as the role itself -----------------------------------------------

READ = "SELECT FROM docket.{} LIMIT 1"
DENIED = [
    *[("docket_api", READ.format(table)) for table in (
        "audit", "outbox", "dead_letters", "courier_lanes")],
    *[("docket_courier", READ.format(table)) for table in (
        "users", "sessions", "otps", "otp_budgets", "attempts", "tasks",
        "counters", "idempotency", "audit", "migrations")],
    ("docket_api", "UPDATE docket.audit SET event = ''"),
    ("docket_api", "DELETE FROM docket.audit"),
    ("docket_api", "DELETE FROM docket.outbox"),
    ("docket_api", "UPDATE docket.outbox SET tries = 0"),
    ("docket_api", "INSERT INTO docket.migrations SELECT"
     " FROM docket.migrations"),
    ("docket_api", "DELETE FROM docket.migrations"),
    ("docket_api", "DELETE FROM docket.counters"),
    ("docket_api", "SELECT nextval('docket.users_number_seq')"),
    ("docket_api", "SELECT docket.users_last_admin()"),
    ("docket_api", "TRUNCATE docket.sessions"),
    ("docket_api", "ALTER TABLE docket.users DISABLE TRIGGER USER"),
    ("docket_api", "DROP TRIGGER users_last_admin ON docket.users"),
    ("docket_api", "CREATE TABLE docket.mine ()"),
    ("docket_api", "CREATE TABLE public.mine ()"),
    ("docket_api", "CREATE TEMPORARY TABLE mine ()"),
    ("docket_api", "SET session_replication_role = replica"),
    ("docket_api", "SET ROLE docket_owner"),
    ("docket_api", "CREATE ROLE mine"),
    ("docket_api", "COPY docket.users TO PROGRAM 'cat'"),
    ("docket_api", "COPY docket.users TO '/tmp/users'"),
    ("docket_api", "SELECT pg_read_file('/etc/passwd')"),
    ("docket_api", "SELECT pg_terminate_backend(pid) FROM"
     " pg_stat_activity WHERE usename = 'docket_courier'"),
    ("docket_courier", "INSERT INTO docket.outbox (id) VALUES (NULL)"),
    ("docket_courier", "INSERT INTO docket.audit (event) VALUES ('x')"),
    ("docket_courier", "DELETE FROM docket.users"),
    ("docket_courier", "UPDATE docket.dead_letters SET address = ''"),
    ("docket_courier", "INSERT INTO docket.courier_lanes VALUES ('sms')"),
    ("docket_courier", "DELETE FROM docket.courier_lanes"),
    ("docket_courier", "SET ROLE docket_api"),
]


@pytest.mark.parametrize("role, statement", DENIED,
                         ids=[f"{r}: {s[:50]}" for r, s in DENIED])
def test_a_role_tries_what_it_must_not(dev, role, statement):
    done = run(dev, role, "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
               "-c", f"BEGIN; {statement}; ROLLBACK")
    assert done.returncode != 0, done.stdout
    assert "42501" in done.stderr, done.stderr


def test_it_may_do_its_work(dev):
    """The same way of asking, where it must pass."""
    for role, statement in (
            ("docket_api", READ.format("users")),
            ("docket_api", "INSERT INTO docket.audit (event) VALUES ('x')"),
            ("docket_courier", READ.format("outbox"))):
        done = run(dev, role, "-v", "ON_ERROR_STOP=1",
                   "-c", f"BEGIN; {statement}; ROLLBACK")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("role", ["docket_api", "docket_courier",
                                  "docket_owner"])
def test_names_are_not_looked_up(dev, role):
    done = run(dev, role, "-c", "SHOW search_path")
    assert done.stdout.strip() in ("", '""'), done.stdout
