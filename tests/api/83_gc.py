# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket gc: one sweep takes what no statement looks at, and no more."""

import os
import pathlib
import re
import subprocess

import docket
from docket import new_name

COUNTS = re.compile(r"codes (\d+), budgets (\d+), windows (\d+),"
                    r" replies (\d+), sessions (\d+), tasks (\d+),"
                    r" changes (\d+), audit (\d+)\n")


def gc(dev, *arguments):
    program = os.environ.get("DOCKET") or \
        pathlib.Path(dev.docketd()).with_name("docket")
    return subprocess.run(
        [program, "-c", dev.dir / "docket.conf", "gc", *arguments],
        text=True, capture_output=True, timeout=60, check=False)


def test_a_sweep_takes_what_is_old_and_no_more(dev, fresh):
    one, old, young = fresh(), new_name(), new_name()
    for key in (old, young):
        one.post("/tasks", 201, json={"title": key},
                 headers=[("Idempotency-Key", key)])
    dev.sql("UPDATE docket.idempotency SET created_at = created_at"
            " - interval '25 h' WHERE key = :'key' AND user_id = :'user'",
            key=old, user=one.id)
    swept = gc(dev)
    assert swept.returncode == 0, swept.stderr
    assert int(COUNTS.fullmatch(swept.stdout)[4]) >= 1, swept.stdout
    assert dev.sql("SELECT key FROM docket.idempotency WHERE user_id ="
                   " :'user'", user=one.id) == [[young]]
    # What was made stays, and so does who made it.
    assert {t["title"] for t in one.tasks()} == {old, young}


def test_wrong_usage_and_no_database_are_told(dev):
    assert gc(dev, "everything").returncode == os.EX_USAGE
    assert gc(dev, "--never").returncode == os.EX_USAGE
    away = gc(dev, "--set", "database.dsn=host=/nowhere")
    assert away.returncode == os.EX_TEMPFAIL, away.stderr
    assert "docket: database: " in away.stderr and "/nowhere" in away.stderr
    assert gc(dev, "--set", "no.such=1").returncode == os.EX_CONFIG


def test_sessions_that_ended_stay_a_month(dev, fresh):
    """However one ended: revoked, idle or old."""
    one = fresh()
    ids = dev.sql(
        "INSERT INTO docket.sessions (id, user_id, ended_at, ended_why,"
        " idle_until, absolute_until) SELECT gen_random_uuid(), :'id',"
        " ended, CASE WHEN ended IS NOT NULL THEN 'revoked' END,"
        " idle, old FROM (VALUES"
        " (now() - '29 d'::interval, now() + '1 d', now() + '1 d'),"
        " (now() - '31 d'::interval, now() + '1 d', now() + '1 d'),"
        " (NULL, now() - '29 d'::interval, now() + '1 d'),"
        " (NULL, now() - '31 d'::interval, now() + '1 d'),"
        " (NULL, now() + '1 d', now() - '31 d'::interval))"
        " v (ended, idle, old) RETURNING id", id=one.id)
    swept = gc(dev)
    assert int(COUNTS.fullmatch(swept.stdout)[5]) >= 3, swept.stdout
    left = dev.sql("SELECT id FROM docket.sessions WHERE user_id = :'id'",
                   id=one.id)
    assert sorted(left) == sorted([
        ids[0], ids[2], [docket.jwt_parts(one.access)[1]["sid"]]])
    one.get("/tasks")
