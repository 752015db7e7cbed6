-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Ending sessions for a new password, as of the moment at which the account's
-- row is locked: a statement alone sees those of its own beginning, and a
-- login that was faster to the lock would outlive the password it came with.

CREATE FUNCTION docket.sessions_end(whose uuid, but uuid, why text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE docket.sessions SET ended_at = now(), ended_why = why
	    WHERE user_id = whose AND kind = 'login' AND ended_at IS NULL
	    AND id IS DISTINCT FROM but;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;

REVOKE ALL ON FUNCTION docket.sessions_end(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION docket.sessions_end(uuid, uuid, text)
	TO docket_api;
