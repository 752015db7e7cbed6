-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Tasks, their numbers, and the replies kept for Idempotency-Key.

CREATE TABLE docket.counters (
	user_id uuid PRIMARY KEY
	    CONSTRAINT counters_user_fkey REFERENCES docket.users
	    ON DELETE CASCADE,
	task_number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- user_id comes first in every key, so a task list is one range and the
-- table can be split by owner. status and updated_at stay out of every index:
-- a status update is then a HOT update. created_at is the millisecond inside
-- id, which is why no index has it.
CREATE TABLE docket.tasks (
	user_id uuid NOT NULL
	    CONSTRAINT tasks_user_fkey REFERENCES docket.users
	    ON DELETE CASCADE,
	id uuid NOT NULL,
	number bigint NOT NULL,
	title text NOT NULL,
	description text,
	status text NOT NULL DEFAULT 'pending'
	    CONSTRAINT tasks_status_check CHECK
	    (status IN ('pending', 'in_progress', 'completed', 'cancelled')),
	priority smallint NOT NULL DEFAULT 0
	    CONSTRAINT tasks_priority_check CHECK (priority BETWEEN 0 AND 9),
	due_date text,
	due_timezone text,
	due_at timestamptz,
	tags text[] NOT NULL DEFAULT '{}',
	position text COLLATE "C" NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	completed_at timestamptz,
	deleted_at timestamptz,
	-- a local time (2026-01-31T09:30:00) and a zone come together or not
	CONSTRAINT tasks_due_zone CHECK ((due_timezone IS NOT NULL) = COALESCE
	    (length(due_date) > 10 AND right(due_date, 1) <> 'Z', false)),
	CONSTRAINT tasks_pkey PRIMARY KEY (user_id, id),
	CONSTRAINT tasks_number_key UNIQUE (user_id, number)
) WITH (fillfactor = 90);

CREATE INDEX tasks_position ON docket.tasks (user_id, position, id);
CREATE INDEX tasks_due ON docket.tasks (user_id, due_at, id)
	WHERE due_at IS NOT NULL;

CREATE TABLE docket.idempotency (
	user_id uuid NOT NULL
	    CONSTRAINT idempotency_user_fkey REFERENCES docket.users
	    ON DELETE CASCADE,
	key text NOT NULL,
	operation text NOT NULL,
	fingerprint bytea NOT NULL,
	status integer NOT NULL,
	headers text NOT NULL,
	body text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, key)
);

GRANT SELECT, INSERT, UPDATE, DELETE
	ON docket.counters, docket.tasks, docket.idempotency TO docket_api;
