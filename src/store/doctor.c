/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How the server, the schema and the outbox are, a statement each. */
#include "store/doctor.h"

#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"

#define SERVER(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct doctor_server, member_) }
#define SCHEMA(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct doctor_schema, member_) }
#define OUTBOX(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct doctor_outbox, member_) }

static const struct field server_fields[] = {
	SERVER(FIELD_INT, version),
	SERVER(FIELD_BOOL, fsync),
	SERVER(FIELD_BOOL, full_pages),
	SERVER(FIELD_BOOL, commits),
	SERVER(FIELD_TEXT, commit),
	SERVER(FIELD_INT, connections),
	SERVER(FIELD_INT, used),
	SERVER(FIELD_TIME, now),
	SERVER(FIELD_BOOL, read_only),
	SERVER(FIELD_BOOL, standby),
	SERVER(FIELD_TEXT, excess),
	SERVER(FIELD_TEXT, data),
};

static const struct field schema_fields[] = {
	SCHEMA(FIELD_INT, migration),
	SCHEMA(FIELD_TEXT, excess),
	SCHEMA(FIELD_BOOL, unswept),
	SCHEMA(FIELD_INT, sessions),
	SCHEMA(FIELD_INT, addresses),
	SCHEMA(FIELD_BOOL, local),
};

static const struct field outbox_fields[] = {
	OUTBOX(FIELD_INT, letters),
	OUTBOX(FIELD_TIME, due_since),
	OUTBOX(FIELD_INT, dead),
	OUTBOX(FIELD_TEXT, broken),
	OUTBOX(FIELD_TEXT, held),
};

static const struct fields server_row =
    FIELDS(NULL, server_fields, struct doctor_server);
static const struct fields schema_row =
    FIELDS(NULL, schema_fields, struct doctor_schema);
static const struct fields outbox_row =
    FIELDS(NULL, outbox_fields, struct doctor_outbox);

/* The reasons of the rows that are true, or NULL. */
#define SQL_SAID(rows) \
	"(SELECT string_agg(what, ', ') FROM (VALUES " rows \
	") x (what, so) WHERE so)"
#define SQL_MAY(what, table, privileges) \
	"('" what "', pg_catalog.has_table_privilege('docket." table "', '" \
	privileges "'))"

static const struct stmt server_v[] = {
	{
		"doctor_server",
		"SELECT current_setting('server_version_num')::bigint"
		" AS version,"
		" current_setting('fsync')::bool AS fsync,"
		" current_setting('full_page_writes')::bool AS full_pages,"
		" current_setting('synchronous_commit') NOT IN"
		" ('off', 'false', 'no', '0') AS commits,"
		" current_setting('synchronous_commit') AS commit,"
		" current_setting('max_connections')::bigint"
		" - current_setting('superuser_reserved_connections')::bigint"
		" AS connections,"
		" (SELECT count(*) FROM pg_stat_activity"
		" WHERE backend_type = 'client backend') AS used,"
		" clock_timestamp() AS now,"
		" current_setting('transaction_read_only')::bool"
		" AS read_only,"
		" pg_is_in_recovery() AS standby,"
		" (SELECT " SQL_SAID("('is a superuser', r.rolsuper),"
		    " ('may make roles', r.rolcreaterole),"
		    " ('may make databases', r.rolcreatedb),"
		    " ('may replicate', r.rolreplication),"
		    " ('passes row security', r.rolbypassrls)")
		" FROM pg_roles r WHERE r.rolname = current_user) AS excess,"
		/* The view leaves out what the role may not see. */
		" (SELECT setting FROM pg_settings"
		" WHERE name = 'data_directory'"
		" AND inet_server_addr() IS NULL) AS data",
		&server_row, false, false
	},
};

static const struct stmt schema_v[] = {
	{
		"doctor_schema",
		"SELECT (SELECT coalesce(max(number), 0)"
		" FROM docket.migrations) AS migration,"
		" " SQL_SAID(
		    "('owns the schema', pg_has_role(current_user, (SELECT"
		    " nspowner FROM pg_namespace WHERE nspname = 'docket'),"
		    " 'MEMBER')),"
		    " ('may create in the schema',"
		    " has_schema_privilege('docket', 'CREATE')),"
		    SQL_MAY("may read the audit trail", "audit", "SELECT") ","
		    SQL_MAY("may change the audit trail", "audit",
			"UPDATE, DELETE, TRUNCATE") ","
		    SQL_MAY("may change the list of migrations", "migrations",
			"INSERT, UPDATE, DELETE, TRUNCATE") ","
		    SQL_MAY("may read what the courier sends", "outbox",
			"SELECT") ","
		    SQL_MAY("may empty tables", "users", "TRUNCATE"))
		" AS excess,"
		" EXISTS (SELECT FROM docket.idempotency"
		" WHERE created_at < now() - interval '28 h')"
		" OR EXISTS (SELECT FROM docket.attempts"
		" WHERE window_start < now() - interval '6 h') AS unswept,"
		" n.sessions, n.addresses, n.local"
		" FROM (SELECT count(*) AS sessions,"
		" count(DISTINCT s.ip) AS addresses,"
		" coalesce(bool_and(s.ip::inet <<= ANY (ARRAY['127.0.0.0/8',"
		" '::1/128', '10.0.0.0/8', '172.16.0.0/12',"
		" '192.168.0.0/16', 'fc00::/7']::inet[])), false) AS local"
		" FROM (SELECT ip FROM docket.sessions WHERE ip IS NOT NULL"
		" ORDER BY id DESC LIMIT 200) s) n",
		&schema_row, false, false
	},
};

static const struct stmt outbox_v[] = {
	{
		"doctor_outbox",
		"SELECT count(*) AS letters,"
		" min(o.next_at) FILTER (WHERE o.next_at <= now())"
		" AS due_since,"
		" (SELECT count(*) FROM docket.dead_letters"
		" WHERE dead_at > now() - interval '1 day') AS dead,"
		" (SELECT string_agg(channel, ', ') FROM docket.courier_lanes"
		" WHERE opened_at IS NOT NULL) AS broken,"
		" (SELECT string_agg(channel, ', ') FROM docket.courier_lanes"
		" WHERE held_at IS NOT NULL) AS held"
		" FROM docket.outbox o WHERE o.wanted",
		&outbox_row, false, false
	},
};

const struct stmts doctor_server_statements = STMTS(server_v);
const struct stmts doctor_schema_statements = STMTS(schema_v);
const struct stmts doctor_outbox_statements = STMTS(outbox_v);

/* Each of them gives one row, whatever there is. */
static int
one_row(struct db *db, struct arena *mem, const struct stmt *stmt,
    const void **ret)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(db, mem, stmt, &none, &r);

	if (error)
		return error;
	if (r.rows != 1)
		return E_NONE;
	*ret = r.v;
	return 0;
}

int
store_doctor_server(struct db *db, struct arena *mem,
    struct doctor_server *ret)
{
	const void *row;
	int error = one_row(db, mem, &server_v[0], &row);

	if (error == 0)
		*ret = *(const struct doctor_server *)row;
	return error;
}

int
store_doctor_schema(struct db *db, struct arena *mem,
    struct doctor_schema *ret)
{
	const void *row;
	int error = one_row(db, mem, &schema_v[0], &row);

	if (error == 0)
		*ret = *(const struct doctor_schema *)row;
	return error;
}

int
store_doctor_outbox(struct db *db, struct arena *mem,
    struct doctor_outbox *ret)
{
	const void *row;
	int error = one_row(db, mem, &outbox_v[0], &row);

	if (error == 0)
		*ret = *(const struct doctor_outbox *)row;
	return error;
}
