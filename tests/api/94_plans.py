# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plan of every prepared statement: no table that grows is read whole, and
the sorts that have an index never sort more than a page.

The short form asks whether there is an index that could do it: what is off
costs the planner more than any other way, so whatever it still shows has no
other way. The long one asks what the planner takes when there are millions of
rows, with nothing switched off."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import docket

pytestmark = pytest.mark.plain

ROOT = docket.ROOT
CLUSTER = ROOT / "tests/lib/cluster.sh"
# Tables of a row or two, and the one that grows with releases alone.
STEADY = {"migrations", "courier_lanes", "gc_last"}
# Once an hour these look at everything that may have served.
SWEEPS = {"gc", "lane_sweep"}
# The first asks whether any message is due, and here all of them are: it ends
# at the first row. The second counts what waits, which is all of the table.
QUEUE = {"outbox_next", "queue_lanes"}
# Thousands of accounts at a time, once, by the console.
BULK = {"user_import", "user_import_update"}
# A person at the console asks for the whole queue, and what is in it.
CONSOLE = {"key_list_cli", "queue_list", "queue_retry", "queue_hold",
           "queue_drop"}
# All of such an index is few rows, whatever is in its table.
PARTIAL = {"api_keys_application", "api_keys_insecure"}
BY_INDEX = {"position", "number", "created", "due"}


class Cluster:
    """PostgreSQL of its own with the schema and rows."""

    def __init__(self, dev):
        self.programs = pathlib.Path(dev.docketd()).parent
        self.dir = tempfile.mkdtemp(prefix="dk.", dir="/tmp")

    def start(self):
        done = subprocess.run([CLUSTER, "start", self.dir], text=True,
                              capture_output=True)
        if done.returncode == 77:
            pytest.skip("no PostgreSQL server is installed")
        assert done.returncode == 0, done.stderr
        self.run(self.program("docket"), "--set",
                 "database.owner_dsn=" + self.dsn("docket_owner"), "--set",
                 f"server.secret_file={self.dir}/no", "--set",
                 f"auth.key_file={self.dir}/no", "migrate", "--dir",
                 ROOT / "sql/migrations")

    def program(self, name):
        return self.programs / name

    def dsn(self, role):
        return f"host={self.dir} user={role} dbname=docket"

    def run(self, *command, **more):
        done = subprocess.run([str(word) for word in command], text=True,
                              capture_output=True, **more)
        assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
        return done.stdout

    def sql(self, script):
        return self.run(docket.psql(), "-X", "-q", "-A", "-t", "-v",
                        "ON_ERROR_STOP=1", "-d", self.dsn("postgres"),
                        input=script)

    def stop(self):
        subprocess.run([CLUSTER, "stop", self.dir], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)


# A row for every user in the tables that the tool does not fill; constraints
# between columns are not what this is about.
OTHERS = """
SET session_replication_role = replica;
CREATE TEMP TABLE u AS SELECT id, id::text AS word,
    decode(md5(id::text), 'hex') AS hash, row_number() OVER () AS n
FROM docket.users;
UPDATE docket.users SET email = 'a' || n || '@b.example',
    email_key = 'a' || n || '@b.example', phone = '+4917' || n
    FROM u WHERE u.id = users.id;
INSERT INTO docket.idempotency (user_id, key, operation, fingerprint, status,
    headers, body) SELECT id, 'k', 'o', '', 200, '', '' FROM u;
INSERT INTO docket.attempts (kind, subject, window_start, n)
    SELECT 'login', hash, now(), 1 FROM u;
INSERT INTO docket.lockouts (subject, user_id, since, n)
    SELECT hash, id, now(), 1 FROM u;
INSERT INTO docket.audit (event, user_id) SELECT 'login', id FROM u;
INSERT INTO docket.otp_budgets (address) SELECT word FROM u;
INSERT INTO docket.otp_traffic (kind, subject, day)
    SELECT 'client', word, current_date FROM u;
INSERT INTO docket.otps (id, address, channel, purpose, hash, expires_at)
    SELECT id, '+4917' || n, 'sms', 'login', hash, now() FROM u;
INSERT INTO docket.outbox (id, channel, address, purpose, sealed, expires_at)
    SELECT id, 'sms', '+4917' || n, 'login', hash, now() FROM u;
INSERT INTO docket.dead_letters (id, channel, address, purpose, tries,
    created_at, expires_at)
    SELECT id, 'sms', '+4917' || n, 'login', 1, now(), now() FROM u;
INSERT INTO docket.api_keys (id, kind, user_id, session_id, name, hash,
    scopes, created_at, updated_at)
    SELECT id, 'personal', id, id, 'k', hash, '{}', now(), now() FROM u;
INSERT INTO docket.counters (user_id)  -- of few, any is found by them all
    SELECT gen_random_uuid() FROM u, generate_series(1, 40);
INSERT INTO docket.task_changes (user_id, change, version, task_id)
    SELECT user_id, number, version, id FROM docket.tasks;
VACUUM ANALYZE;
"""


@contextlib.contextmanager
def made(dev, *arguments):
    found = Cluster(dev)
    try:
        found.start()
        found.sql("INSERT INTO docket.users (id, username, username_key,"
                  " password_hash, created_at, updated_at) VALUES"
                  " (gen_random_uuid(), 'x', 'x', 'x', now(), now())")
        found.run("/usr/bin/python3", "-B", ROOT / "bench/seed_data.py",
                  "--dsn", found.dsn("docket_owner"), "--password-of", "x",
                  "--bulk", *arguments)
        found.sql(OTHERS)
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def some(dev):
    with made(dev, "--users", "200", "--tasks", "100") as found:
        yield found


@pytest.fixture(scope="module")
def millions(dev):
    with made(dev, "--users", "10000", "--tasks", "100", "--big",
              "1000000") as found:
        yield found


def statements(cluster):
    """(role, name, SQL) of all that are prepared."""
    text = cluster.run(cluster.program("docketd"), "--statements")
    found = re.findall(r"^SET ROLE (\w+);\nPREPARE (\w+) AS (.*?);\n(?=SET"
                       r"|\Z)", text, re.M | re.S)
    assert len(found) == text.count("PREPARE ") > 100
    return found


def plans(cluster, *settings):
    """{(role, name): plan} as a worker would have it: for any parameters."""
    script, all_of = [f"SET {s};" for s in (
        "plan_cache_mode = force_generic_plan", "jit = off",
        "max_parallel_workers_per_gather = 0", *settings)], []
    for role, name, sql in statements(cluster):
        n = max([0] + [int(d) for d in re.findall(r"\$(\d+)", sql)])
        nulls = "(" + ", ".join(["NULL"] * n) + ")" if n else ""
        script += [f"SET ROLE {role};", f"PREPARE {name} AS {sql};",
                   f"EXPLAIN (FORMAT JSON) EXECUTE {name}{nulls};",
                   "SELECT '----';"]
        all_of.append((role, name))
    told = cluster.sql("\n".join(script)).split("----\n")[:-1]
    assert len(told) == len(all_of)
    return {key: json.loads(text)[0]["Plan"]
            for key, text in zip(all_of, told)}


def nodes(plan, above=None):
    yield plan, above
    for child in plan.get("Plans", []):
        yield from nodes(child, plan)


def limited(plan):
    """Rows that can only be few: of limits, as UNION ALL puts them side by
    side."""
    kind = plan["Node Type"]
    if kind == "Limit":
        return True
    below = [p for p in plan.get("Plans", [])
             if p.get("Parent Relationship") not in ("InitPlan", "SubPlan")]
    return kind in ("Append", "Subquery Scan", "Result") and \
        bool(below) and all(map(limited, below))


def whole(node):
    """Does it read all of a table, be it by way of an index?"""
    if node["Node Type"] == "Seq Scan":
        return True
    return node["Node Type"] in ("Index Scan", "Index Only Scan") and \
        "Index Cond" not in node and node["Index Name"] not in PARTIAL


def walked(plan, under=False):
    """Every node, and whether a limit ends it."""
    yield plan, under
    inside = under or plan["Node Type"] == "Limit"
    for child in plan.get("Plans", []):
        yield from walked(child, inside and plan["Node Type"] != "Sort")


def scans(found):
    """Every reading of a whole table that grows, but for walks along an index
    to a limit."""
    return [f"{name}: {node['Node Type']} on {node['Relation Name']}"
            for (_, name), plan in found.items()
            if name not in SWEEPS | QUEUE | BULK | CONSOLE
            for node, under in walked(plan)
            if whole(node) and node["Relation Name"] not in STEADY
            and not (under and node["Node Type"] != "Seq Scan")]


def long_sorts(found):
    """Every sort of more than pages in a list that an index has in order."""
    told, looked = [], 0
    for (_, name), plan in found.items():
        match = re.fullmatch(r"task_list_([a-z]+)(_desc)?(_full)?", name)
        if not match or match[1] not in BY_INDEX:
            continue
        looked += 1
        told += [f"{name}: a sort by {node['Sort Key']}"
                 for node, _ in nodes(plan)
                 if node["Node Type"] in ("Sort", "Incremental Sort")
                 and not limited(node["Plans"][0])]
    assert looked == len(BY_INDEX) * 4
    return told


def finds(found):
    """Words are looked for in the index of words, whoever asks."""
    told = []
    for (_, name), plan in found.items():
        if name.startswith("task_find"):
            used = [node.get("Index Name") for node, _ in nodes(plan)
                    if node["Node Type"] == "Bitmap Index Scan"]
            if used != ["tasks_text"] * 2:
                told.append(f"{name}: {used}")
    return told


def test_there_is_an_index_for_every_statement(some):
    found = plans(some, "enable_seqscan = off")
    told = scans(found)
    assert not told, "\n".join(told)


def test_there_is_an_index_for_the_four_orders(some):
    assert not long_sorts(plans(some, "enable_sort = off",
                                "enable_seqscan = off",
                                "enable_bitmapscan = off"))


def test_words_have_no_other_way_than_their_index(some):
    assert not finds(plans(some, "enable_seqscan = off"))


def test_the_columns_that_change_most_are_in_no_index(some):
    rows = some.sql("""
        SELECT DISTINCT a.attname FROM pg_index i
        JOIN pg_depend d ON d.classid = 'pg_class'::regclass
            AND d.objid = i.indexrelid
            AND d.refobjid = i.indrelid AND d.refobjsubid > 0
        JOIN pg_attribute a ON a.attrelid = i.indrelid
            AND a.attnum = d.refobjsubid
        WHERE i.indrelid = 'docket.tasks'::regclass""").split()
    assert "title" in rows and "position" in rows
    assert not {"status", "updated_at", "version", "completed_at"} & set(rows)


def test_statistics_make_no_words(some):
    """autovacuum would make those of 30,000 tasks, time and again."""
    told = some.sql("ANALYZE docket.tasks; SELECT starelid::regclass, attname"
                    " FROM pg_statistic JOIN pg_attribute ON attrelid ="
                    " starelid AND attnum = staattnum").split()
    assert "docket.tasks|user_id" in told
    assert not {"docket.tasks|title", "docket.tasks|description"} & set(told)
    assert not [one for one in told if one.startswith("docket.tasks_text|")]


def test_no_request_is_compiled_nor_shared_out(some):
    """Above some size the planner would do either, for 20 ms and more."""
    assert {"jit=off", "max_parallel_workers_per_gather=0",
            "plan_cache_mode=force_generic_plan"} <= set(some.sql(
                "SELECT unnest(rolconfig) FROM pg_roles WHERE rolname ="
                " 'docket_api'").split())


@pytest.mark.long
def test_what_is_taken_when_there_are_millions(millions):
    found = plans(millions)
    told = scans(found)
    assert not told, "\n".join(told)
    told = long_sorts(found)
    assert not told, "\n".join(told)
    assert not finds(found)


@pytest.mark.long
def test_a_million_tasks_are_walked_no_further_than_the_page(millions):
    """What is read for a page: of a user with a hundred tasks, and of one
    with ten thousand times as many."""
    users = {n: millions.sql(
        "SELECT s.user_id, s.id FROM docket.sessions s JOIN docket.users u"
        f" ON u.id = s.user_id WHERE u.username_key = 'bench{n:07d}'"
        ).strip().split("|") for n in (1, 10001)}
    texts = {name: sql for _, name, sql in statements(millions)}
    low = "'00000000-0000-0000-0000-000000000001'"
    keys = {"position": f"'', {low}", "number": "-1", "created": low,
            "due": f"'1970-01-01', {low}, {low}"}
    for sort, key in keys.items():
        name, read = f"task_list_{sort}", {}
        for n, (user, session) in users.items():
            told = millions.sql(
                "SET plan_cache_mode = force_generic_plan;\n"
                f"PREPARE x AS {texts[name]};\nEXPLAIN (ANALYZE, BUFFERS,"
                f" FORMAT JSON) EXECUTE x('{user}', '{session}', false, 51,"
                f" {key})")
            plan = json.loads(told)[0]["Plan"]
            assert plan["Actual Rows"] == 51, (name, n)
            read[n] = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        # Two pages of the order are one level deeper; no more than that.
        assert read[10001] <= read[1] * 2 + 20, (name, read)
