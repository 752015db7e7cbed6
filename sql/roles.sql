-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The three roles of Docket. Run as a superuser, once a cluster; running it
-- again changes nothing. It creates no database: make that afterwards with
--   CREATE DATABASE docket OWNER docket_owner ENCODING 'UTF8' TEMPLATE template0;
-- and let `docket migrate` (as docket_owner) do the rest.

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY
	    ARRAY['docket_owner', 'docket_api', 'docket_courier']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', name);
		END IF;
	END LOOP;
END
$$;

-- With LIMIT $n the planner would plan anew at every call: 1.7 x the CPU of a
-- list. On the role, because PgBouncer refuses it as a start-up option.
ALTER ROLE docket_api SET plan_cache_mode = force_generic_plan;
ALTER ROLE docket_courier SET plan_cache_mode = force_generic_plan;
-- Statements of a request are short, whatever the planner thinks of one whose
-- parameters it does not know: to compile it, or to start helpers for it, takes
-- longer than to run it.
ALTER ROLE docket_api SET jit = off;
ALTER ROLE docket_api SET max_parallel_workers_per_gather = 0;

-- Every statement names its objects in full; nothing is looked up by luck.
ALTER ROLE docket_api SET search_path = '';
ALTER ROLE docket_courier SET search_path = '';
ALTER ROLE docket_owner SET search_path = '';
