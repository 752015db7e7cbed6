-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The same rules for a fraction of their price, once more: a new task's.

-- Every foreign key to users is a look at the account for every task, which
-- locks its row and writes that down: a tenth of what a task costs. It says
-- nothing that the counter does not. Who makes a task takes its number from
-- the owner's counter first, and so holds that row until the task stands; the
-- counter does refer to the account. So: first the counter goes, which waits
-- for those who hold it and leaves nothing to those who come later, and then,
-- with a snapshot that is newer than the wait, the tasks.
ALTER TABLE docket.tasks DROP CONSTRAINT tasks_user_fkey;

-- Triggers of one event fire by their names: that of the counter's foreign
-- key, RI_..., comes before this one. Should that ever change, no account is
-- deleted any more, and nobody's task stays behind.
CREATE OR REPLACE FUNCTION docket.users_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM docket.counters WHERE user_id = OLD.id) THEN
		RAISE EXCEPTION 'the counter of account % is still there',
		    OLD.id;
	END IF;
	DELETE FROM docket.tasks WHERE user_id = OLD.id;
	DELETE FROM docket.lockouts WHERE user_id = OLD.id;
	RETURN NULL;
END
$$;

-- Where a page has less room than the fill factor leaves, every visit tidies
-- it up, row by row: with 17 rows instead of 90 that is soon done. It holds
-- for pages that are new; what is there stays where it is.
ALTER TABLE docket.counters SET (fillfactor = 20);

-- The rule of before. Most tasks have no zone and a date alone, or none: that
-- is one comparison.
CREATE OR REPLACE FUNCTION docket.tasks_due_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.due_timezone IS NULL
	    AND COALESCE(length(NEW.due_date), 0) <= 10 THEN
		RETURN NEW;
	END IF;
	IF (NEW.due_timezone IS NOT NULL) IS DISTINCT FROM
	    COALESCE(length(NEW.due_date) > 10
	    AND right(NEW.due_date, 1) <> 'Z', false) THEN
		RAISE check_violation USING TABLE = 'tasks', SCHEMA = 'docket',
		    CONSTRAINT = 'tasks_due_zone',
		    MESSAGE = 'due_date and due_timezone do not go together';
	END IF;
	RETURN NEW;
END
$$;
