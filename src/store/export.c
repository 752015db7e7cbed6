/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All of a user's tasks, by one cursor in one moment. */
#include "store/export.h"

#include "store/sets.h"
#include "store/task_filter.h"
#include "store/who.h"

enum { TASK_EXPORT, CONSOLE_EXPORT };

/*
 * A row for every task there is, with nothing in it where the filters refuse
 * the task: however few pass, a part reads 500. The parameters are the full
 * list's; $4, its number of rows, is NULL.
 */
#define SQL_EXPORT \
	"SELECT x.* FROM docket.tasks t LEFT JOIN LATERAL (SELECT " SQL_TASK \
	" WHERE" SQL_FILTERED ") x ON true" \
	" WHERE t.user_id = " SQL_LIVE_USER " AND t.deleted_at IS NULL" \
	" ORDER BY t.position, t.id LIMIT $4::bigint"
#define SQL_CONSOLE \
	"SELECT " SQL_TASK " FROM docket.tasks t" \
	" WHERE t.user_id = $1::uuid AND t.deleted_at IS NULL" \
	" ORDER BY t.position, t.id LIMIT $2::bigint"

#define OPEN "DECLARE docket_export NO SCROLL CURSOR FOR "
#define PART 500
#define FETCH "FETCH 500 FROM docket_export"

static const struct stmt statements[] = {
	[TASK_EXPORT] = {
		"task_export", SQL_EXPORT, &task_row, false, false
	},
	[CONSOLE_EXPORT] = {
		"console_task_export", SQL_CONSOLE, &task_row, false, false
	},
};

const struct stmts export_statements = STMTS(statements);

static const struct db_cursor task_export = {
	&statements[TASK_EXPORT], OPEN SQL_EXPORT, FETCH
};
static const struct db_cursor console_export = {
	&statements[CONSOLE_EXPORT], OPEN SQL_CONSOLE, FETCH
};

int
store_export_begin(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    long places)
{
	struct db_params p = { 0 };
	int error = db_begin_snapshot(db);

	if (error == 0)
		error = store_transfer_claim(db, mem, who, places);
	if (error)
		return error;
	who_params(&p, who);
	db_null(&p);
	task_list_filters(&p, mem, filter);
	return db_cursor_open(db, mem, &task_export, &p);
}

int
store_console_export_begin(struct db *db, struct arena *mem,
    const struct uuid *owner)
{
	struct db_params p = { 0 };
	int error = db_begin_snapshot(db);

	if (error)
		return error;
	db_uuid(&p, owner);
	db_null(&p);
	return db_cursor_open(db, mem, &console_export, &p);
}

/* A row of a task that was refused has no id. */
int
store_export_next(struct db *db, struct arena *mem, struct list *ret,
    bool *ret_more)
{
	struct db_result r;
	struct task *tasks;
	size_t n = 0;
	int error = db_cursor_fetch(db, mem, &task_export, &r);

	if (error)
		return error;
	tasks = r.v;
	for (size_t i = 0; i < r.rows; i++)
		if (!uuid_is_nil(&tasks[i].id))
			tasks[n++] = tasks[i];
	*ret = (struct list){ .v = tasks, .n = n };
	*ret_more = r.rows == PART;
	return 0;
}
