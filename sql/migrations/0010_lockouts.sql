-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Lockouts: wrong passwords by account and client network.

-- subject is a keyed hash of the network and the account, or of the network
-- and a name that nobody has: who that is, and where, is not to be read here.
-- user_id says whose it is, for an admin to unlock. No foreign key: counting
-- a try must not wait for whoever changes the account, nor the other way.
CREATE TABLE docket.lockouts (
	subject bytea PRIMARY KEY,
	user_id uuid,
	since timestamptz NOT NULL,
	n bigint NOT NULL,
	locked_until timestamptz
) WITH (fillfactor = 70);

CREATE INDEX lockouts_user ON docket.lockouts (user_id)
	WHERE user_id IS NOT NULL;

CREATE FUNCTION docket.users_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	DELETE FROM docket.lockouts WHERE user_id = OLD.id;
	RETURN NULL;
END
$$;

CREATE TRIGGER users_deleted AFTER DELETE ON docket.users
	FOR EACH ROW EXECUTE FUNCTION docket.users_deleted();

-- What the last version counted by the minute.
DELETE FROM docket.attempts WHERE kind = 'login';

GRANT SELECT, INSERT, UPDATE, DELETE ON docket.lockouts TO docket_api;
