/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The state of a database before it is dumped, or put in another's place. */
#include "store/backup.h"

#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"

static const struct field backup_fields[] = {
	{ .name = "migration", .type = FIELD_INT,
	  .offset = offsetof(struct backup_facts, migration) },
};

static const struct field restore_fields[] = {
	{ .name = "schema", .type = FIELD_BOOL,
	  .offset = offsetof(struct restore_facts, schema) },
	{ .name = "roles", .type = FIELD_INT,
	  .offset = offsetof(struct restore_facts, roles) },
	{ .name = "sessions", .type = FIELD_INT,
	  .offset = offsetof(struct restore_facts, sessions) },
};

static const struct fields backup_row =
    FIELDS(NULL, backup_fields, struct backup_facts);
static const struct fields restore_row =
    FIELDS(NULL, restore_fields, struct restore_facts);

static const struct stmt backup_v[] = {
	{
		"backup_facts",
		"SELECT coalesce(max(number), 0) AS migration"
		" FROM docket.migrations",
		&backup_row, false, false
	},
};

static const struct stmt restore_v[] = {
	{
		"restore_facts",
		"SELECT to_regnamespace('docket') IS NOT NULL AS schema,"
		" (SELECT count(*) FROM pg_roles WHERE rolname IN"
		" ('docket_api', 'docket_courier')) AS roles,"
		" (SELECT count(*) FROM pg_stat_activity"
		" WHERE datname = current_database() AND usename IN"
		" ('docket_api', 'docket_courier')) AS sessions",
		&restore_row, false, false
	},
};

const struct stmts backup_statements = STMTS(backup_v);
const struct stmts restore_statements = STMTS(restore_v);

int
store_backup_facts(struct db *db, struct arena *mem, struct backup_facts *ret)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &backup_v[0], &none, &r);

	if (error || r.rows == 0)
		return error ? error : E_NONE;
	*ret = *(const struct backup_facts *)r.v;
	return 0;
}

int
store_restore_facts(struct db *db, struct arena *mem,
    struct restore_facts *ret)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &restore_v[0], &none, &r);

	if (error || r.rows == 0)
		return error ? error : E_NONE;
	*ret = *(const struct restore_facts *)r.v;
	return 0;
}
