-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What changed, in the order in which it was committed: GET /tasks/changes.

-- change: the number of the owner's latest write. Every write of a task takes
-- the next one from this row first and so holds the row until it commits: one
-- owner's numbers become visible in their order, however long a transaction
-- lasts, here, on a standby, and in a restored dump. A gap is a write that
-- found nothing. change_floor: what docket gc has taken from the log.
ALTER TABLE docket.counters
	ADD COLUMN change bigint NOT NULL DEFAULT 0,
	ADD COLUMN change_floor bigint NOT NULL DEFAULT 0;

-- One row a write, never updated; what the task is now, docket.tasks says. A
-- table of its own, so that no index of docket.tasks moves with a write. version
-- is the task's after that write; after a purge, the next. No foreign keys: who
-- writes here holds the owner's counter, which has one.
CREATE TABLE docket.task_changes (
	user_id uuid NOT NULL,
	change bigint NOT NULL,
	version bigint NOT NULL,
	task_id uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	CONSTRAINT task_changes_pkey PRIMARY KEY (user_id, change)
);

GRANT SELECT, INSERT, DELETE ON docket.task_changes TO docket_api;

-- The log goes with the tasks.
CREATE OR REPLACE FUNCTION docket.users_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM docket.counters WHERE user_id = OLD.id) THEN
		RAISE EXCEPTION 'the counter of account % is still there',
		    OLD.id;
	END IF;
	DELETE FROM docket.tasks WHERE user_id = OLD.id;
	DELETE FROM docket.task_changes WHERE user_id = OLD.id;
	DELETE FROM docket.lockouts WHERE user_id = OLD.id;
	RETURN NULL;
END
$$;
