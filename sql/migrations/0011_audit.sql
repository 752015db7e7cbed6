-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The audit trail: whose address an event was about, rows that nobody changes,
-- and an end of its growth.

-- Masked: +98912***567, a***@example.org.
ALTER TABLE docket.audit ADD COLUMN address text;

-- Whoever may write the table, its owner too: what is written stays as it is,
-- and what is younger than 30 days stays.
CREATE FUNCTION docket.audit_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE insufficient_privilege USING
	    MESSAGE = 'the audit trail is append-only';
END
$$;

CREATE TRIGGER audit_stays BEFORE UPDATE OR TRUNCATE ON docket.audit
	FOR EACH STATEMENT EXECUTE FUNCTION docket.audit_stays();
CREATE TRIGGER audit_young_stays BEFORE DELETE ON docket.audit
	FOR EACH ROW WHEN (OLD.at > now() - interval '30 days')
	EXECUTE FUNCTION docket.audit_stays();

-- Take away what is older than `keep`, `most` rows at a time: how many went.
-- The oldest have the smallest ids, so this walks the primary key from its
-- beginning and no index on `at` has to be kept up by every log-in. It runs as
-- the owner: docket_api has no DELETE, and may call this, because the trigger
-- above guards what is young from it, whatever it passes.
CREATE FUNCTION docket.audit_expire(keep interval, most bigint)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	gone bigint;
BEGIN
	WITH oldest AS MATERIALIZED (
	    SELECT id, at FROM docket.audit ORDER BY id LIMIT most),
	old AS (
	    DELETE FROM docket.audit a USING oldest o
	    WHERE a.id = o.id AND o.at < now() - keep
	    AND o.at < now() - interval '30 days' RETURNING 1)
	SELECT count(*) INTO gone FROM old;
	RETURN gone;
END
$$;

REVOKE ALL ON FUNCTION docket.audit_stays(),
	docket.audit_expire(interval, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION docket.audit_expire(interval, bigint)
	TO docket_api;
