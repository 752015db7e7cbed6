# SPDX-License-Identifier: AGPL-3.0-or-later
"""SQL that each rule must find, and its like that none may find."""

HEAD = """
#include "store/who.h"
static const struct stmt statements[] = { { "one", %s, NULL, false, false } };
"""
TABLES = {"sql/migrations/1.sql": """
CREATE TABLE docket.tasks (
	user_id uuid NOT NULL,
	CONSTRAINT tasks_pkey PRIMARY KEY (user_id, id)
);
CREATE TABLE docket.task_changes (
	seq bigint,
	user_id uuid,
	PRIMARY KEY (user_id, seq)
);
CREATE TABLE docket.task_words (
	word text PRIMARY KEY
);
CREATE TABLE docket.users (
	id uuid PRIMARY KEY
);
"""}

# rule, then what stands in the place of a statement's SQL
FOUND = [
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE t.id = $4"'),
    ("owner", '"SELECT id FROM docket.tasks"'),
    ("owner", '"SELECT c.id FROM docket.task_changes c WHERE c.seq > $4"'),
    ("owner", '"SELECT w.word FROM docket.task_words w"'),
    ("owner", '"UPDATE docket.tasks t SET user_id = $1 WHERE t.id = $4"'),
    ("owner", '"DELETE FROM docket.tasks t USING docket.users u'
     ' WHERE u.user_id = $1 AND t.id = $4"'),
    ("owner", '"SELECT t.id FROM docket.tasks t'
     ' WHERE t.user_id = $1 OR t.id = $4"'),
    ("owner", '"SELECT t.id FROM docket.tasks t'
     ' WHERE NOT t.user_id = $1"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE'
     ' CASE WHEN $5 THEN t.user_id = $1 ELSE true END"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE (t.user_id = $1)'
     ' IS NOT NULL"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE t.user_id = $4"'),
    ("owner", '"SELECT t.id FROM docket.tasks t JOIN docket.tasks n'
     ' ON n.title = t.title WHERE t.user_id = $1"'),
    ("owner", '"SELECT t.id FROM docket.tasks t JOIN docket.tasks n'
     ' ON n.user_id = $4 WHERE t.user_id = $1"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE t.user_id = $1'
     ' UNION ALL SELECT n.id FROM docket.tasks n"'),
    ("owner", '"WITH x AS (SELECT id FROM docket.tasks WHERE number = $4)'
     ' SELECT t.id FROM docket.tasks t, x WHERE t.user_id = $1"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE t.user_id = $1'
     ' AND EXISTS (SELECT FROM docket.tasks n WHERE n.id = t.id)"'),
    ("owner", '"INSERT INTO docket.tasks (user_id, id) VALUES ($4, $5)"'),
    ("owner", '"INSERT INTO docket.tasks (id, user_id) SELECT $4, $1"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE t.user_id ='
     ' (SELECT s.user_id FROM docket.sessions s WHERE s.id = $2)"'),
    ("literal", '"SELECT 1 FROM " TABLE'),
    ("literal", 'text'),
    ("session", '"SET statement_timeout = 5"'),
    ("session", '"SELECT set_config(\'work_mem\', $1, false)"'),
    ("session", '"SELECT pg_advisory_lock($1)"'),
    ("session", '"SELECT pg_try_advisory_lock($1)"'),
    ("session", '"CREATE TEMP TABLE x (id int)"'),
    ("session", '"PREPARE x AS SELECT 1"'),
    ("session", '"DECLARE c CURSOR WITH HOLD FOR SELECT 1"'),
    ("session", '"SELECT currval(\'docket.users_number_seq\')"'),
    ("listen", '"LISTEN outbox"'),
    ("owner", '"SELECT t.id FROM docket.tasks t WHERE (t.user_id = $1)'
     ' IS FALSE"'),
    ("owner", '"WITH c AS (SELECT user_id FROM docket.users), t AS ('
     'DELETE FROM docket.tasks t USING c WHERE t.user_id = c.user_id'
     ' RETURNING t.*) SELECT id FROM t"'),
    ("owner", '"WITH c AS (SELECT c.user_id FROM docket.tasks c), t AS ('
     'DELETE FROM docket.tasks t USING c WHERE t.user_id = c.user_id)'
     ' SELECT 1"'),
]
FINE = [
    '"SELECT t.id FROM docket.tasks t WHERE (t.user_id = $1) IS TRUE"',
    '"WITH c AS (SELECT c.user_id FROM docket.tasks c WHERE c.user_id = $1),'
    ' t AS (DELETE FROM docket.tasks t USING c WHERE t.user_id = c.user_id'
    ' RETURNING t.*) INSERT INTO docket.task_changes (user_id, id)'
    ' SELECT t.user_id, t.id FROM t"',
    '"SELECT t.id FROM docket.tasks t WHERE t.user_id = " SQL_LIVE_USER',
    '"SELECT t.id FROM docket.tasks AS t WHERE t.user_id = $1::uuid'
    ' AND (t.id = $4 OR t.number = $5)"',
    '"SELECT id FROM docket.tasks WHERE user_id = $1"',
    'SQL_WHO " SELECT t.id FROM who JOIN docket.tasks t'
    ' ON who.who_state = 0 AND t.user_id = who.user_id"',
    '"SELECT t.id FROM docket.tasks t JOIN docket.task_changes c'
    ' ON c.user_id = t.user_id WHERE t.user_id = $1"',
    '"INSERT INTO docket.tasks AS t (user_id, id) SELECT $1, $4"',
    '"UPDATE docket.tasks SET title = $4 WHERE user_id = $1"',
    '"SELECT id FROM docket.users"',
    '"SELECT pg_advisory_xact_lock($1)"',
]
LOOSE = [
    'static const char *x(void) { return "SELECT 1"; }',
    'static void x(char *s) { sprintf(s, "UPDATE docket.tasks SET %s", s); }',
]
MIGRATIONS = [
    ("enums", "CREATE TYPE docket.status AS ENUM ('a', 'b');"),
    ("session", "SELECT 1; SET work_mem = '1GB';"),
    ("session", "CREATE TEMPORARY TABLE x (id int);"),
]
COMMENTED = "-- CREATE TYPE docket.status AS ENUM ('a'); SET x = 1\nSELECT 1;"


def found(sql, source, migrations, path="src/store/one.c"):
    """The rules that find something."""
    looked = sql.Tree({path: source}, migrations)
    return {name for name, rule in sql.RULES.items()
            if any("for nothing" not in fault for fault in rule(looked))}


def faults(sql):
    for rule, text in FOUND:
        got = found(sql, HEAD % text, TABLES)
        if rule not in got:
            yield f"{rule} does not find {text}"
    for text in FINE:
        got = found(sql, HEAD % text, TABLES)
        if got:
            yield f"{sorted(got)} should not find {text}"
    for text in LOOSE:
        if "literal" not in found(sql, text, TABLES):
            yield f"literal does not find {text}"
    for rule, text in MIGRATIONS:
        if rule not in found(sql, "", {**TABLES, "2.sql": text}):
            yield f"{rule} does not find {text}"
    if found(sql, "", {**TABLES, "2.sql": COMMENTED}):
        yield "a comment is taken for SQL"
    if "listen" not in found(sql, 'char x[] = "LISTEN outbox";', TABLES):
        yield "listen does not see the API"
    if "listen" in found(sql, 'char x[] = "LISTEN outbox";', TABLES,
                         "src/courier/one.c"):
        yield "listen does not let the courier"
