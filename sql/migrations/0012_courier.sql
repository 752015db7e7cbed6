-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The courier's lanes: one a channel, each with a breaker; dead letters.

-- leased: somebody has it in hand until next_at. next_at = infinity: held by
-- an administrator, due never. tries is also whose lease it is.
ALTER TABLE docket.outbox ADD COLUMN leased boolean NOT NULL DEFAULT false;

-- A lane looks at its own channel alone.
CREATE INDEX outbox_due ON docket.outbox (channel, next_at);
DROP INDEX docket.outbox_next;

-- What did not go: refused, or too late. The secret is not kept.
CREATE TABLE docket.dead_letters (
	id uuid PRIMARY KEY,
	channel text NOT NULL,
	address text NOT NULL,
	purpose text NOT NULL,
	tries integer NOT NULL,
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	dead_at timestamptz NOT NULL DEFAULT now(),
	last_error text
);

CREATE INDEX dead_letters_dead ON docket.dead_letters (dead_at);

-- failures: how often in a row the way out has failed. opened_at: since when
-- the breaker is open; nothing is leased before open_until, and one message
-- then. open_seconds: how long it opened for last.
CREATE TABLE docket.courier_lanes (
	channel text PRIMARY KEY
	    CONSTRAINT courier_lanes_channel_check
	    CHECK (channel IN ('sms', 'email')),
	held_at timestamptz,
	failures integer NOT NULL DEFAULT 0,
	opened_at timestamptz,
	open_until timestamptz,
	open_seconds integer NOT NULL DEFAULT 0,
	failed_at timestamptz,
	last_error text,
	sent bigint NOT NULL DEFAULT 0,
	failed bigint NOT NULL DEFAULT 0,
	CONSTRAINT courier_lanes_open_check
	    CHECK ((opened_at IS NULL) = (open_until IS NULL))
) WITH (fillfactor = 10);

INSERT INTO docket.courier_lanes (channel) VALUES ('sms'), ('email');

GRANT SELECT, INSERT, DELETE ON docket.dead_letters TO docket_courier;
GRANT SELECT, UPDATE ON docket.courier_lanes TO docket_courier;
