-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Accounts: users, sessions, one-time codes, budgets, the audit trail.

GRANT USAGE ON SCHEMA docket TO docket_api, docket_courier;
GRANT SELECT ON docket.migrations TO docket_api;

-- created_at is the millisecond inside the UUIDv7 id. The keys decide what is
-- the same name or address; the other two are as the person wrote them.
CREATE TABLE docket.users (
	id uuid PRIMARY KEY,
	number bigint GENERATED ALWAYS AS IDENTITY
	    CONSTRAINT users_number_key UNIQUE,
	username text NOT NULL,
	username_key text NOT NULL CONSTRAINT users_username_key UNIQUE,
	email text,
	email_key text CONSTRAINT users_email_key UNIQUE,
	phone text CONSTRAINT users_phone_key UNIQUE,
	password_hash text,
	role text NOT NULL DEFAULT 'user'
	    CONSTRAINT users_role_check CHECK (role IN ('user', 'admin')),
	active boolean NOT NULL DEFAULT true,
	email_verified_at timestamptz,
	phone_verified_at timestamptz,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	CONSTRAINT users_email_both CHECK ((email IS NULL) = (email_key IS NULL))
) WITH (fillfactor = 90);

-- refresh_counter is the counter of the newest refresh token handed out.
CREATE TABLE docket.sessions (
	id uuid PRIMARY KEY,
	user_id uuid NOT NULL
	    CONSTRAINT sessions_user_fkey REFERENCES docket.users
	    ON DELETE CASCADE,
	refresh_counter bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz NOT NULL DEFAULT now(),
	idle_until timestamptz NOT NULL,
	absolute_until timestamptz NOT NULL,
	ended_at timestamptz,
	ended_why text,
	ip text,
	agent text
) WITH (fillfactor = 80);

CREATE INDEX sessions_user ON docket.sessions (user_id);

-- The code itself is never stored: hash is an HMAC over purpose, address and
-- code. proof_*: the verification token that a right guess was traded for.
CREATE TABLE docket.otps (
	id uuid PRIMARY KEY,
	address text NOT NULL,
	channel text NOT NULL
	    CONSTRAINT otps_channel_check CHECK (channel IN ('sms', 'email')),
	purpose text NOT NULL
	    CONSTRAINT otps_purpose_check
	    CHECK (purpose IN ('register', 'login', 'reset', 'change')),
	hash bytea NOT NULL,
	attempts integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	consumed_at timestamptz,
	replaced_at timestamptz,
	proof_hash bytea,
	proof_until timestamptz,
	proof_used_at timestamptz,
	client_ip text
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX otps_live ON docket.otps (address, purpose)
	WHERE consumed_at IS NULL AND replaced_at IS NULL;
CREATE UNIQUE INDEX otps_proof ON docket.otps (proof_hash)
	WHERE proof_hash IS NOT NULL;

-- One row a recipient, over all codes and purposes: a new code resets
-- nothing. sends holds the instants of the last day, so the hour's and the
-- day's limits are exact, whenever one looks.
CREATE TABLE docket.otp_budgets (
	address text PRIMARY KEY,
	sends timestamptz[] NOT NULL DEFAULT '{}',
	last_at timestamptz,
	streak integer NOT NULL DEFAULT 0,
	guess_start timestamptz,
	guess_n integer NOT NULL DEFAULT 0,
	blocked_until timestamptz
) WITH (fillfactor = 70);

-- Windows of failed logins ('login') and of codes sent for a client ('send').
CREATE TABLE docket.attempts (
	kind text NOT NULL,
	subject bytea NOT NULL,
	window_start timestamptz NOT NULL,
	n bigint NOT NULL,
	PRIMARY KEY (kind, subject)
) WITH (fillfactor = 70);

CREATE TABLE docket.audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	event text NOT NULL,
	user_id uuid,
	session_id uuid,
	ip text,
	request_id text,
	detail text
);

CREATE INDEX audit_user ON docket.audit (user_id, at);

GRANT SELECT, INSERT, UPDATE, DELETE
	ON docket.users, docket.sessions, docket.otps, docket.otp_budgets,
	docket.attempts TO docket_api;
-- Append only: a broken-into worker cannot wipe its trail.
GRANT INSERT ON docket.audit TO docket_api;
