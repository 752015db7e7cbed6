/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The feed of changes: first the tasks, then the log of what was written. */
#include "store/changes.h"

#include <stddef.h>

#include "base/error.h"
#include "store/edges.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

/* Every row has the counter's columns; without a change the rest is none. */
struct change_row {
	struct task task;	/* first: TASK_FIELDS' offsets hold */
	int64_t newest, least;	/* the log reaches from least to newest */
	int64_t seen;		/* rows of the log behind this page */
	int64_t change, logged;	/* number; version that was logged with it */
	struct uuid task_id;
	bool trashed;
};

#define ROW(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct change_row, member_) }

static const struct field log_fields[] = {
	ROW(FIELD_INT, newest), ROW(FIELD_INT, least), ROW(FIELD_INT, seen),
	ROW(FIELD_INT, change), ROW(FIELD_UUID, task_id),
	ROW(FIELD_INT, logged), ROW(FIELD_BOOL, trashed), TASK_FIELDS,
};

static const struct field whole_fields[] = {
	ROW(FIELD_INT, newest), ROW(FIELD_INT, least), TASK_FIELDS,
};

static const struct fields log_row =
    FIELDS(NULL, log_fields, struct change_row);
static const struct fields whole_row =
    FIELDS(NULL, whole_fields, struct change_row);

enum { CHANGES_WHOLE, CHANGES_LOG };

static const struct stmt statements[] = {
	/* $4 the id to start behind, $5 rows. */
	[CHANGES_WHOLE] = {
		"changes_whole",
		"SELECT c.change AS newest, c.change_floor AS least, x.*"
		" FROM docket.counters c LEFT JOIN LATERAL ("
		"SELECT " SQL_TASK " FROM docket.tasks t"
		" WHERE t.user_id = $1 AND t.id > $4::uuid"
		" AND t.deleted_at IS NULL"
		" ORDER BY t.id LIMIT $5::bigint) x ON true"
		" WHERE c.user_id = " SQL_LIVE_USER,
		&whole_row, false, false
	},
	/*
	 * $4 the number to start behind, $5 rows. Of the page's rows each
	 * task's newest remains. The counter is read in the same moment: when
	 * the page is not full, all that is numbered up to there was in it.
	 * LIMIT 1 keeps the join to one look a row: the planner, who does not
	 * know $5, would read all of the owner's tasks for it.
	 */
	[CHANGES_LOG] = {
		"changes_log",
		"WITH m AS MATERIALIZED ("
		"SELECT l.change, l.task_id, l.version"
		" FROM docket.task_changes l"
		" WHERE l.user_id = $1 AND l.change > $4::bigint"
		" ORDER BY l.change LIMIT $5::bigint)"
		" SELECT c.change AS newest, c.change_floor AS least,"
		" (SELECT count(*) FROM m) AS seen,"
		" x.change, x.task_id, x.version AS logged,"
		" t.deleted_at IS NOT NULL AS trashed, " SQL_TASK
		" FROM docket.counters c LEFT JOIN ("
		"SELECT DISTINCT ON (m.task_id) m.* FROM m"
		" ORDER BY m.task_id, m.change DESC) x"
		" ON $4 BETWEEN c.change_floor AND c.change"
		" LEFT JOIN LATERAL (SELECT * FROM docket.tasks t"
		" WHERE t.user_id = $1 AND t.id = x.task_id LIMIT 1) t ON true"
		" WHERE c.user_id = " SQL_LIVE_USER " ORDER BY x.change",
		&log_row, false, false
	},
};

const struct stmts changes_statements = STMTS(statements);

/* Was everything since `change` ever in the log, and is it still? */
static bool
log_has(const struct change_row *row, int64_t change)
{
	return change >= row->least && change <= row->newest;
}

static void
put_task(struct task_changed *to, const struct change_row *row,
    const struct principal *who)
{
	to->task = row->task;
	task_complete(&to->task, who);
	to->id = row->task.id;
	to->version = row->task.version;
}

/* One task more than the page says whether there is another page of them. */
static int
whole_page(struct arena *mem, const struct principal *who,
    const struct changes_at *from, const struct db_result *r, size_t limit,
    struct changes *ret)
{
	const struct change_row *rows = r->v;
	size_t n = uuid_is_nil(&rows[0].task.id) ? 0 : r->rows;
	struct task_changed *v = arena_array(mem, n + 1, sizeof(*v));
	const bool begins = from->change == INT_NONE;
	const bool again = n > limit;

	if (!begins && !log_has(rows, from->change))
		return E_CHANGES;
	if (again)
		n = limit;
	for (size_t i = 0; i < n; i++)
		put_task(&v[i], &rows[i], who);
	*ret = (struct changes){ .changes = { .v = v, .n = n } };
	ret->next.change = begins ? rows->newest : from->change;
	ret->next.whole = again;
	if (again)
		ret->next.id = v[n - 1].id;
	ret->more = again || rows->newest > ret->next.change;
	return 0;
}

static void
put_change(struct task_changed *to, const struct change_row *row,
    const struct principal *who)
{
	const bool stands = !uuid_is_nil(&row->task.id);

	if (stands && !row->trashed) {
		put_task(to, row, who);
		return;
	}
	to->deleted = true;
	to->id = row->task_id;
	to->version = stands ? row->task.version : row->logged;
}

static int
log_page(struct arena *mem, const struct principal *who,
    const struct changes_at *from, const struct db_result *r, size_t limit,
    struct changes *ret)
{
	const struct change_row *rows = r->v;
	size_t n = rows[0].change == INT_NONE ? 0 : r->rows;
	struct task_changed *v = arena_array(mem, n + 1, sizeof(*v));
	bool full = rows->seen != INT_NONE && (size_t)rows->seen >= limit;

	if (!log_has(rows, from->change))
		return E_CHANGES;
	for (size_t i = 0; i < n; i++)
		put_change(&v[i], &rows[i], who);
	*ret = (struct changes){ .changes = { .v = v, .n = n } };
	ret->next.change = full ? rows[n - 1].change : rows->newest;
	ret->more = rows->newest > ret->next.change;
	return 0;
}

int
store_changes(struct db *db, struct arena *mem, const struct principal *who,
    const struct changes_at *from, int64_t limit, struct changes *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	if (from->whole)
		db_uuid(&p, uuid_is_nil(&from->id) ? &edge_low :
		    &from->id);
	else
		db_int(&p, from->change);
	db_int(&p, from->whole ? limit + 1 : limit);
	error = who_run(db, mem, who,
	    &statements[from->whole ? CHANGES_WHOLE : CHANGES_LOG], &p, &r);
	if (error)
		return error;
	/* Every account has its counter. */
	if (r.rows == 0)
		return E_NONE;
	return (from->whole ? whole_page : log_page)(mem, who, from, &r,
	    (size_t)limit, ret);
}
