/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts from the command line: show, list, activate, delete. */
#include "store/console.h"

#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/user_sql.h"

/* Whom a statement found. */
struct named {
	struct uuid id;
};

static const struct field named_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct named, id) },
};

static const struct fields named_row =
    FIELDS(NULL, named_fields, struct named);

enum { CONSOLE_SHOW, CONSOLE_LIST, CONSOLE_FIND, CONSOLE_ACTIVATE,
	CONSOLE_DELETE, CONSOLE_ROTATED };

#define SQL_LIST(such) \
	"SELECT " SQL_USER " FROM docket.users u" \
	" WHERE u.number > $1::bigint" \
	" AND ($2::text IS NULL OR u.role = $2)" \
	" AND ($3::text IS NULL OR u.active = ($3 = 'Y'))" such \
	" ORDER BY u.number LIMIT $4::bigint"

static const struct stmt statements[] = {
	[CONSOLE_SHOW] = {
		"console_show",
		"SELECT " SQL_USER " FROM docket.users u"
		" WHERE u.username_key = $1::text",
		&user_row, false, false
	},
	[CONSOLE_LIST] = {
		"console_list", SQL_LIST(""), &user_row, false, false
	},
	[CONSOLE_FIND] = {
		"console_find", SQL_LIST(" AND " SQL_USER_BEGINS("$5::text")),
		&user_row, false, false
	},
	[CONSOLE_ACTIVATE] = {
		"console_activate",
		"WITH was AS MATERIALIZED ("
		" SELECT id, active FROM docket.users"
		" WHERE username_key = $1::text FOR NO KEY UPDATE),"
		" u AS ("
		" UPDATE docket.users u SET active = $2::bool,"
		" updated_at = greatest(now(), u.updated_at)"
		" FROM was WHERE u.id = was.id AND was.active <> $2),"
		" noted AS ("
		" INSERT INTO docket.audit (event, user_id, detail)"
		" SELECT CASE WHEN $2 THEN " SQL_EVENT(activated)
		" ELSE " SQL_EVENT(deactivated) " END,"
		" id, 'by the command line' FROM was WHERE active <> $2)"
		" SELECT id FROM was",
		&named_row, false, true
	},
	[CONSOLE_DELETE] = {
		"console_delete",
		"WITH gone AS ("
		" DELETE FROM docket.users WHERE username_key = $1::text"
		" RETURNING id),"
		" noted AS ("
		" INSERT INTO docket.audit (event, user_id, detail)"
		" SELECT " SQL_EVENT(user_deleted) ", id,"
		" 'by the command line' FROM gone)"
		" SELECT id FROM gone",
		&named_row, false, true
	},
	[CONSOLE_ROTATED] = {
		"console_rotated",
		"INSERT INTO docket.audit (event, detail)"
		" VALUES (" SQL_EVENT(signing_key_rotate) ", $1::text)",
		NULL, false, true
	},
};

const struct stmts console_statements = STMTS(statements);

int
store_console_user(struct db *db, struct arena *mem, struct text name_key,
    struct user *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, name_key);
	error = db_run(db, mem, &statements[CONSOLE_SHOW], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_USER;
	*ret = *(const struct user *)r.v;
	return 0;
}

int
store_console_users(struct db *db, struct arena *mem,
    const struct user_filter *filter, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_int(&p, filter->after_number);
	db_text(&p, filter->role);
	db_text(&p, filter->status);
	db_int(&p, filter->limit);
	if (filter->begins.s)
		db_text(&p, filter->begins);
	error = db_run(db, mem,
	    &statements[filter->begins.s ? CONSOLE_FIND : CONSOLE_LIST], &p,
	    &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

static int
account_run(struct db *db, struct arena *mem, const struct stmt *stmt,
    const struct db_params *p)
{
	struct db_result r;
	int error = db_run(db, mem, stmt, p, &r);

	if (error)
		return error;
	return r.rows == 0 ? E_USER : 0;
}

int
store_console_activate(struct db *db, struct arena *mem, struct text name_key,
    bool active)
{
	struct db_params p = { 0 };

	db_text(&p, name_key);
	db_bool(&p, active);
	return account_run(db, mem, &statements[CONSOLE_ACTIVATE], &p);
}

int
store_console_delete(struct db *db, struct arena *mem, struct text name_key)
{
	struct db_params p = { 0 };

	db_text(&p, name_key);
	return account_run(db, mem, &statements[CONSOLE_DELETE], &p);
}

int
store_console_rotated(struct db *db, struct arena *mem, struct text kid)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_text(&p, kid);
	return db_run(db, mem, &statements[CONSOLE_ROTATED], &p, &r);
}
