-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What a look at the service needs: the outbox in figures, the last sweep.

-- One row: when docket gc last ended well.
CREATE TABLE docket.gc_last (
	one boolean PRIMARY KEY DEFAULT true
	    CONSTRAINT gc_last_one_check CHECK (one),
	ended_at timestamptz
);

INSERT INTO docket.gc_last DEFAULT VALUES;
GRANT SELECT, UPDATE (ended_at) ON docket.gc_last TO docket_api;

-- The API may put messages in and read none of them: it gets figures, no
-- address and no id. Nothing is counted further than 100000, so that a look
-- costs little when it matters most.
CREATE FUNCTION docket.outbox_figures()
RETURNS TABLE (channel text, waiting bigint, due_seconds bigint,
    dead bigint, open boolean, held boolean, sent bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
	SELECT l.channel,
	    (SELECT count(*) FROM (SELECT FROM docket.outbox o
		WHERE o.channel = l.channel LIMIT 100000) n),
	    coalesce((SELECT greatest(0,
		extract(epoch FROM now() - min(o.next_at)))::bigint
		FROM docket.outbox o WHERE o.channel = l.channel
		AND o.next_at <= now()), 0),
	    (SELECT count(*) FROM (SELECT FROM docket.dead_letters d
		WHERE d.channel = l.channel LIMIT 100000) n),
	    l.opened_at IS NOT NULL, l.held_at IS NOT NULL, l.sent, l.failed
	FROM docket.courier_lanes l ORDER BY l.channel
$$;

REVOKE ALL ON FUNCTION docket.outbox_figures() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION docket.outbox_figures() TO docket_api;
