-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Accounts with a live session and tasks each: psql -v users=N -v tasks=N
-- -v password_of=NAME, whose hash every account gets. Run as docket_owner.
--
-- Ids are UUIDv7 whose random part is the user's number, so that they can be
-- worked out without asking: bench_id(milliseconds, number). Tasks are laid
-- down oldest first, one of each user in turn, as real use would: a user's 20
-- newest lie on 20 different pages.

CREATE FUNCTION pg_temp.bench_id(ms bigint, n bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
	SELECT (lpad(to_hex(ms), 12, '0') || '70008000'
	    || lpad(to_hex(n), 12, '0'))::uuid
$$;

CREATE FUNCTION pg_temp.at(ms bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
	SELECT to_timestamp(ms / 1000) + ms % 1000 * interval '1 ms'
$$;

-- 2024-01-01 in milliseconds; the first task comes after it.
\set base 1704067200000

BEGIN;

INSERT INTO docket.users (id, username, username_key, password_hash,
    created_at, updated_at)
SELECT pg_temp.bench_id(:base - 10000000 + n, n), name, name, u.password_hash,
    pg_temp.at(:base - 10000000 + n), pg_temp.at(:base - 10000000 + n)
FROM generate_series(1, :users) n,
    LATERAL (SELECT 'bench' || lpad(n::text, 7, '0') AS name) named,
    docket.users u
WHERE u.username_key = :'password_of'
ORDER BY n;

INSERT INTO docket.counters (user_id, task_number)
SELECT pg_temp.bench_id(:base - 10000000 + n, n), :tasks
FROM generate_series(1, :users) n;

INSERT INTO docket.sessions (id, user_id, idle_until, absolute_until)
SELECT pg_temp.bench_id(:base - 20000000 + n, n),
    pg_temp.bench_id(:base - 10000000 + n, n),
    now() + interval '14 days', now() + interval '90 days'
FROM generate_series(1, :users) n;

INSERT INTO docket.tasks (user_id, id, number, title, description, status,
    priority, due_date, due_at, tags, position, created_at, updated_at,
    completed_at)
SELECT pg_temp.bench_id(:base - 10000000 + n, n), pg_temp.bench_id(ms, n), k,
    'Task ' || k || ' of ' || n,
    'What is to be done for task ' || k || ': ask "Bob", then write it down',
    (ARRAY['pending', 'in_progress', 'completed'])[1 + (n + k) % 3],
    k % 10, to_char(due, 'YYYY-MM-DD'), due,
    CASE WHEN k % 4 = 0 THEN '{home}'::text[] ELSE '{}' END,
    lpad(k::text, 10, '0'), pg_temp.at(ms), pg_temp.at(ms),
    CASE WHEN (n + k) % 3 = 2 THEN pg_temp.at(ms) END
FROM generate_series(1, :tasks) k, generate_series(1, :users) n,
    LATERAL (SELECT :base + (k::bigint * :users + n) * 1000 AS ms) created,
    LATERAL (SELECT timestamptz '2030-01-01 00:00Z'
	+ k * interval '1 day' AS due) falls
ORDER BY k, n;

COMMIT;

VACUUM (FREEZE, ANALYZE) docket.users, docket.counters, docket.sessions,
	docket.tasks;
