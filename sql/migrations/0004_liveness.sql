-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A live session belongs to a live account: whoever deactivates an account,
-- by whatever statement, ends its sessions with it. So the check that rides in
-- every request reads one row, the session's, and still misses nothing.

CREATE FUNCTION docket.users_deactivated() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE docket.sessions SET ended_at = now(),
	    ended_why = 'deactivated'
	    WHERE user_id = NEW.id AND ended_at IS NULL;
	RETURN NULL;
END
$$;

CREATE TRIGGER users_deactivated AFTER UPDATE OF active ON docket.users
	FOR EACH ROW WHEN (OLD.active AND NOT NEW.active)
	EXECUTE FUNCTION docket.users_deactivated();

UPDATE docket.sessions s SET ended_at = now(), ended_why = 'deactivated'
	FROM docket.users u
	WHERE u.id = s.user_id AND NOT u.active AND s.ended_at IS NULL;
