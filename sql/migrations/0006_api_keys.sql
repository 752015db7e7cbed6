-- SPDX-License-Identifier: AGPL-3.0-or-later
-- API keys, and the sessions through which personal ones act.

-- A personal key acts by a session of its own, kind 'key', so the liveness
-- check of every statement serves it as it is. Such a row is no login: lists
-- of sessions leave it out, and it goes with its key alone. A constant
-- default rewrites nothing, and the rows that are there need no look.
ALTER TABLE docket.sessions
	ADD COLUMN kind text NOT NULL DEFAULT 'login';
ALTER TABLE docket.sessions ADD CONSTRAINT sessions_kind_check
	CHECK (kind IN ('login', 'key')) NOT VALID;

-- hash is the SHA-256 of the whole key. Whatever changes what a key may do
-- gives its session another id: who remembers the old one finds it gone.
-- old_hash is the secret before the last rotation, good until old_until.
CREATE TABLE docket.api_keys (
	id uuid PRIMARY KEY,
	kind text NOT NULL
	    CONSTRAINT api_keys_kind_check
	    CHECK (kind IN ('personal', 'application')),
	user_id uuid
	    CONSTRAINT api_keys_user_fkey REFERENCES docket.users
	    ON DELETE CASCADE,
	session_id uuid
	    CONSTRAINT api_keys_session_fkey REFERENCES docket.sessions,
	name text NOT NULL,
	hash bytea NOT NULL,
	old_hash bytea,
	old_until timestamptz,
	insecure boolean NOT NULL DEFAULT false,
	scopes text[] NOT NULL,
	allow cidr[] NOT NULL DEFAULT '{}',
	expires_at timestamptz,
	used_at timestamptz,
	used_ip text,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	-- an application's key is nobody's
	CONSTRAINT api_keys_owner CHECK ((kind = 'personal')
	    = (user_id IS NOT NULL) AND (kind = 'personal')
	    = (session_id IS NOT NULL))
) WITH (fillfactor = 70);

CREATE INDEX api_keys_user ON docket.api_keys (user_id);
-- For the end of a session row, which asks whether a key needs it.
CREATE UNIQUE INDEX api_keys_session ON docket.api_keys (session_id);
-- The fixed values of development, which carry no id to be found by.
CREATE UNIQUE INDEX api_keys_insecure ON docket.api_keys (hash)
	WHERE insecure;
CREATE INDEX api_keys_application ON docket.api_keys (id)
	WHERE kind = 'application';

GRANT SELECT, INSERT, DELETE ON docket.api_keys TO docket_api;
-- What a key is and whose is never changed.
GRANT UPDATE (session_id, name, hash, old_hash, old_until, insecure, scopes,
	allow, expires_at, used_at, used_ip, updated_at)
	ON docket.api_keys TO docket_api;
