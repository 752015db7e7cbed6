-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What admins do to accounts: who did it, and that one of them always stays.

-- Who did it, when that is not the account that it was done to; session_id
-- is then that admin's. NULL: the account itself, or the command line.
ALTER TABLE docket.audit ADD COLUMN actor_id uuid;

-- Few rows, so that "is there another one?" reads one of them.
CREATE INDEX users_admins ON docket.users (number)
	WHERE role = 'admin' AND active;

-- How a name begins is a range of bytes, whatever the database's language.
CREATE INDEX users_username_begins ON docket.users (username_key COLLATE "C");
CREATE INDEX users_email_begins ON docket.users (email_key COLLATE "C")
	WHERE email_key IS NOT NULL;
CREATE INDEX users_phone_begins ON docket.users (phone COLLATE "C")
	WHERE phone IS NOT NULL;

-- Whatever statement takes the last active admin away fails, by the name of a
-- constraint. One at a time: two that go at once would each see the other
-- one stand. The look comes after the wait, with a snapshot of its own.
CREATE FUNCTION docket.users_last_admin() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('docket'),
	    hashtext('users_last_admin'));
	IF NOT EXISTS (SELECT FROM docket.users
	    WHERE role = 'admin' AND active AND id <> OLD.id) THEN
		RAISE check_violation USING
		    CONSTRAINT = 'users_last_admin',
		    MESSAGE = 'this is the last active admin';
	END IF;
	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$$;

CREATE TRIGGER users_last_admin BEFORE UPDATE OF role, active ON docket.users
	FOR EACH ROW WHEN (OLD.role = 'admin' AND OLD.active
	    AND NOT (NEW.role = 'admin' AND NEW.active))
	EXECUTE FUNCTION docket.users_last_admin();

CREATE TRIGGER users_last_admin_stays BEFORE DELETE ON docket.users
	FOR EACH ROW WHEN (OLD.role = 'admin' AND OLD.active)
	EXECUTE FUNCTION docket.users_last_admin();

-- Only their triggers run these: with the rights of whoever writes, who needs
-- no right to the function for it. The same for what comes later.
REVOKE ALL ON FUNCTION docket.users_deactivated(), docket.users_last_admin(),
	docket.tasks_due_zone() FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;

-- What no statement of the API's does: a counter goes with its account, and
-- nobody here makes temporary tables.
REVOKE DELETE ON docket.counters FROM docket_api;
DO $$
BEGIN
	EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC',
	    current_database());
END
$$;
