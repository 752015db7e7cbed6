-- SPDX-License-Identifier: AGPL-3.0-or-later
-- pgTAP: what each role may do, and that nobody else may do anything. Run as a
-- superuser; everything, the extension too, is rolled back.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
CREATE SCHEMA tap;
CREATE EXTENSION pgtap SCHEMA tap;
SET LOCAL search_path = tap, pg_catalog;

-- The one list: who may do what with which table. No row, no right; a table
-- that is not here fails.
CREATE TEMPORARY TABLE may (on_table, api, courier) AS VALUES
	('api_keys',	'SELECT INSERT DELETE',		''),
	('attempts',	'SELECT INSERT UPDATE DELETE',	''),
	('audit',	'INSERT',			''),
	('counters',	'SELECT INSERT UPDATE',		''),
	('courier_lanes', '',		'SELECT UPDATE'),
	('dead_letters', '',		'SELECT INSERT DELETE'),
	('gc_last',	'SELECT',			''),
	('idempotency',	'SELECT INSERT UPDATE DELETE',	''),
	('lockouts',	'SELECT INSERT UPDATE DELETE',	''),
	('migrations',	'SELECT',			''),
	('otp_budgets',	'SELECT INSERT UPDATE DELETE',	''),
	('otp_traffic',	'SELECT INSERT UPDATE DELETE',	''),
	('otps',	'SELECT INSERT UPDATE DELETE',	''),
	('outbox',	'INSERT',	'SELECT UPDATE DELETE'),
	('sessions',	'SELECT INSERT UPDATE DELETE',	''),
	('task_changes',	'SELECT INSERT DELETE',	''),
	('tasks',	'SELECT INSERT UPDATE DELETE',	''),
	('users',	'SELECT INSERT UPDATE DELETE',	'');

SELECT no_plan();

SELECT tables_are('docket', (SELECT array_agg(on_table::name) FROM may),
	'every table is in the list, and every row has a table');
SELECT table_privs_are('docket', on_table, r.role,
	array_remove(string_to_array(r.privileges, ' '), '')::name[],
	r.role || ' on ' || on_table || ': '
	|| COALESCE(NULLIF(r.privileges, ''), 'nothing'))
	FROM may CROSS JOIN LATERAL (VALUES ('docket_api', api),
	('docket_courier', courier)) r (role, privileges)
	ORDER BY on_table, r.role;

-- Beside the tables.
SELECT is_empty($$SELECT attrelid::regclass, attname
	FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
	WHERE c.relnamespace = 'docket'::regnamespace
	AND attacl IS NOT NULL AND (c.relname <> 'api_keys'
	OR attname IN ('id', 'kind', 'user_id', 'created_at'))
	AND (c.relname, attname) <> ('gc_last', 'ended_at')$$,
	'no column has rights of its own but those of a key that may change,
	and when the last sweep ended');
SELECT is_empty($$SELECT s.oid::regclass, r.role, p.privilege
	FROM pg_class s, (VALUES ('docket_api'), ('docket_courier')) r (role),
	(VALUES ('USAGE'), ('SELECT'), ('UPDATE')) p (privilege)
	WHERE s.relnamespace = 'docket'::regnamespace AND s.relkind = 'S'
	AND has_sequence_privilege(r.role, s.oid, p.privilege)$$,
	'no sequence is anybody''s but the owner''s');
SELECT schema_privs_are('docket', r.role, ARRAY['USAGE'],
	r.role || ' uses the schema and creates nothing in it')
	FROM (VALUES ('docket_api'), ('docket_courier')) r (role);
SELECT is_empty($$SELECT r.role, n.nspname FROM pg_namespace n,
	(VALUES ('docket_api'), ('docket_courier')) r (role)
	WHERE has_schema_privilege(r.role, n.oid, 'CREATE')$$,
	'no schema at all takes what they create');
SELECT is_empty($$SELECT r.role, p.privilege FROM
	(VALUES ('docket_api'), ('docket_courier')) r (role),
	(VALUES ('CREATE'), ('TEMPORARY')) p (privilege)
	WHERE has_database_privilege(r.role, current_database(),
	p.privilege)$$, 'nor does the database');

-- Nobody: grantee 0 is PUBLIC.
SELECT is_empty($$
	SELECT 'schema', nspname::text, a.privilege_type FROM pg_namespace,
	aclexplode(COALESCE(nspacl, acldefault('n', nspowner))) a
	WHERE nspname = 'docket' AND a.grantee = 0
	UNION ALL
	SELECT 'relation', relname, a.privilege_type FROM pg_class,
	aclexplode(COALESCE(relacl, acldefault('r', relowner))) a
	WHERE relnamespace = 'docket'::regnamespace AND a.grantee = 0
	UNION ALL
	SELECT 'function', proname, a.privilege_type FROM pg_proc,
	aclexplode(COALESCE(proacl, acldefault('f', proowner))) a
	WHERE pronamespace = 'docket'::regnamespace AND a.grantee = 0$$,
	'PUBLIC has no right to anything in the schema');
SELECT is_empty($$SELECT a.grantee::regrole, relname FROM pg_class,
	aclexplode(relacl) a WHERE relnamespace = 'docket'::regnamespace
	AND a.grantee NOT IN ('docket_owner'::regrole,
	'docket_api'::regrole, 'docket_courier'::regrole)$$,
	'no other role has one');
SELECT is_empty($$SELECT relname, a.privilege_type FROM pg_class,
	aclexplode(relacl) a WHERE relnamespace = 'docket'::regnamespace
	AND a.is_grantable AND a.grantee <> 'docket_owner'::regrole$$,
	'no right can be passed on');

-- Who they are.
SELECT is_empty($$SELECT rolname FROM pg_roles
	WHERE rolname IN ('docket_owner', 'docket_api', 'docket_courier')
	AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
	OR rolbypassrls)$$, 'none of the three is more than a role');
SELECT is_empty($$SELECT member::regrole, roleid::regrole
	FROM pg_auth_members WHERE member::regrole::text LIKE 'docket\_%'
	OR roleid::regrole::text LIKE 'docket\_%'$$,
	'none is a member of another');
SELECT set_eq($$SELECT rolname FROM pg_roles
	WHERE rolname LIKE 'docket\_%' AND 'search_path=""' = ANY (rolconfig)$$,
	ARRAY['docket_owner', 'docket_api', 'docket_courier']::name[],
	'nothing is looked up by luck: search_path is empty');

-- Whose things they are, and how the functions run.
SELECT is_empty($$
	SELECT oid::regclass::text FROM pg_class
	WHERE relnamespace = 'docket'::regnamespace
	AND relowner <> 'docket_owner'::regrole
	UNION ALL
	SELECT oid::regprocedure::text FROM pg_proc
	WHERE pronamespace = 'docket'::regnamespace
	AND proowner <> 'docket_owner'::regrole
	UNION ALL
	SELECT nspname FROM pg_namespace
	WHERE nspname = 'docket' AND nspowner <> 'docket_owner'::regrole$$,
	'docket_owner owns all of it');
SELECT is_empty($$SELECT proname FROM pg_proc
	WHERE pronamespace = 'docket'::regnamespace AND prosecdef
	AND proname NOT IN ('audit_expire',	-- what is old, and no more
	'outbox_figures')$$,	-- how many, and nobody''s name
	'no function lends anybody the owner''s rights but two');
SELECT is_empty($$SELECT proname FROM pg_proc
	WHERE pronamespace = 'docket'::regnamespace
	AND proname <> 'tasks_due_zone'	-- for its price: see its migration
	AND NOT 'search_path=pg_catalog' = ANY (COALESCE(proconfig, '{}'))$$,
	'every function brings its own search_path');
SELECT is_empty($$SELECT proname, r.role FROM pg_proc,
	(VALUES ('docket_api'), ('docket_courier')) r (role)
	WHERE pronamespace = 'docket'::regnamespace
	AND (r.role, proname) NOT IN (('docket_api', 'sessions_end'),
	('docket_api', 'otp_undo'), ('docket_api', 'audit_expire'),
	('docket_api', 'outbox_figures'))
	AND has_function_privilege(r.role, pg_proc.oid, 'EXECUTE')$$,
	'only triggers run them, but for four');
SELECT isnt_empty($$SELECT FROM pg_proc
	WHERE pronamespace = 'docket'::regnamespace$$, 'there are some');

SELECT finish();
ROLLBACK;
