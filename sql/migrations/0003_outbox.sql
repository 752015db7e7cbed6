-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The outbox: messages written with their cause, sent by the courier.

-- sealed is encrypted under a key that the database never sees. next_at is
-- both "not before" and the lease: whoever takes a message moves it ahead.
CREATE TABLE docket.outbox (
	id uuid PRIMARY KEY,
	channel text NOT NULL
	    CONSTRAINT outbox_channel_check CHECK (channel IN ('sms', 'email')),
	address text NOT NULL,
	purpose text NOT NULL,
	sealed bytea NOT NULL,
	tries integer NOT NULL DEFAULT 0,
	next_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_error text
) WITH (fillfactor = 70);

CREATE INDEX outbox_next ON docket.outbox (next_at);

-- The API only drops messages in; it cannot read or take them back.
GRANT INSERT ON docket.outbox TO docket_api;
GRANT SELECT, UPDATE, DELETE ON docket.outbox TO docket_courier;
