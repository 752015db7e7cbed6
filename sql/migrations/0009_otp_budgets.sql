-- SPDX-License-Identifier: AGPL-3.0-or-later
-- One-time codes: what a day's text messages were worth, by client and by
-- country, and messages that are written but for nobody.

-- One row a client or country and day (UTC). A code counts as verified on the
-- day it was sent; sent - verified is what the breaker looks at. countries:
-- where a client sent to.
CREATE TABLE docket.otp_traffic (
	kind text NOT NULL CONSTRAINT otp_traffic_kind_check
	    CHECK (kind IN ('client', 'country')),
	subject text NOT NULL,
	day date NOT NULL,
	sent bigint NOT NULL DEFAULT 0,
	verified bigint NOT NULL DEFAULT 0,
	countries text[] NOT NULL DEFAULT '{}',
	PRIMARY KEY (kind, subject, day)
) WITH (fillfactor = 50);

-- Where a text message went and who asked for it, as otp_traffic has them;
-- NULL for e-mail, and where nobody counts.
ALTER TABLE docket.otps ADD COLUMN country text, ADD COLUMN sender text;

-- A code for nobody's account is written like any other, so that nobody can
-- tell by the time it takes; the courier drops it.
ALTER TABLE docket.outbox ADD COLUMN wanted boolean NOT NULL DEFAULT true;

-- Whoever consumes a code, by whatever statement, counts it as verified. The
-- client's row first, as in sending.
CREATE FUNCTION docket.otps_verified() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	sent_on date := (NEW.created_at AT TIME ZONE 'UTC')::date;
BEGIN
	UPDATE docket.otp_traffic SET verified = verified + 1
	    WHERE kind = 'client' AND subject = NEW.sender AND day = sent_on;
	UPDATE docket.otp_traffic SET verified = verified + 1
	    WHERE kind = 'country' AND subject = NEW.country
	    AND day = sent_on;
	RETURN NULL;
END
$$;

CREATE TRIGGER otps_verified AFTER UPDATE OF consumed_at ON docket.otps
	FOR EACH ROW WHEN (OLD.consumed_at IS NULL
	AND NEW.consumed_at IS NOT NULL AND NEW.country IS NOT NULL)
	EXECUTE FUNCTION docket.otps_verified();

-- A send that some budgets have granted and another has not: take it all
-- back. Only a race comes here; what is refused at a look costs no error.
CREATE FUNCTION docket.otp_undo() RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION 'a budget ran out meanwhile' USING ERRCODE = 'DK001';
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON docket.otp_traffic TO docket_api;
GRANT EXECUTE ON FUNCTION docket.otp_undo() TO docket_api;
