-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The same rules for a fraction of their price. A CHECK is stored as text and
-- parsed anew by every statement that writes the table, whatever it writes:
-- three of them were a tenth of a status update's work. A domain is checked
-- where its column is set, and compiled once a connection; so is a function.

CREATE DOMAIN docket.task_status AS text
	CONSTRAINT tasks_status_check CHECK (VALUE IN
	    ('pending', 'in_progress', 'completed', 'cancelled'));
CREATE DOMAIN docket.task_priority AS smallint
	CONSTRAINT tasks_priority_check CHECK (VALUE BETWEEN 0 AND 9);

ALTER TABLE docket.tasks
	DROP CONSTRAINT tasks_status_check,
	DROP CONSTRAINT tasks_priority_check,
	DROP CONSTRAINT tasks_due_zone,
	ALTER COLUMN status TYPE docket.task_status,
	ALTER COLUMN priority TYPE docket.task_priority;

-- A local time (2026-01-31T09:30:00) and a zone come together or not. It names
-- what is built in alone and runs as who calls it: a search_path of its own
-- would cost more than the check.
CREATE FUNCTION docket.tasks_due_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
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

CREATE TRIGGER tasks_due_zone
	BEFORE INSERT OR UPDATE OF due_date, due_timezone ON docket.tasks
	FOR EACH ROW EXECUTE FUNCTION docket.tasks_due_zone();
