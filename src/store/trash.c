/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The trash: what is in it, what comes back, what goes. */
#include "store/trash.h"

#include <stddef.h>

#include "base/error.h"
#include "store/edges.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

static const struct field trashed_fields[] = {
	TASK_FIELDS,
	{ .name = "deleted_at", .type = FIELD_TIME,
	  .offset = offsetof(struct trashed, deleted_at) },
};

static const struct fields trashed_row =
    FIELDS(NULL, trashed_fields, struct trashed);

/* How far one batch of the sweep came, and what it took away. */
struct swept {
	struct uuid user_id, id;
	int64_t deleted_at, seen, gone;
};

#define SWEPT(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct swept, member_) }

static const struct field swept_fields[] = {
	SWEPT(FIELD_UUID, user_id),
	SWEPT(FIELD_TIME, deleted_at),
	SWEPT(FIELD_UUID, id),
	SWEPT(FIELD_INT, seen),
	SWEPT(FIELD_INT, gone),
};

static const struct fields swept_row =
    FIELDS(NULL, swept_fields, struct swept);

/* Rows of the trash that one batch looks at. */
#define SWEEP_BATCH 5000

enum { TRASH_LIST, TRASH_FIND, TRASH_GET, TRASH_RESTORE, TRASH_SWEEP };

static const struct stmt statements[] = {
	/* $4 rows, $5 and $6 start behind: sentinels for the newest. */
	[TRASH_LIST] = {
		"trash_list",
		"SELECT " SQL_TASK ", t.deleted_at FROM docket.tasks t"
		" WHERE t.user_id = " SQL_LIVE_USER
		" AND t.deleted_at IS NOT NULL AND (t.deleted_at, t.id)"
		" < ($5::timestamptz, $6::uuid)"
		" ORDER BY t.deleted_at DESC, t.id DESC LIMIT $4::bigint",
		&trashed_row, false, false
	},
	[TRASH_FIND] = {
		"trash_find",
		"SELECT " SQL_TASK " FROM docket.tasks t WHERE" SQL_ANY_TASK,
		&task_row, false, false
	},
	[TRASH_GET] = {
		"trash_get",
		"SELECT " SQL_TASK " FROM docket.tasks t WHERE" SQL_ANY_TASK
		" AND t.deleted_at IS NOT NULL",
		&task_row, false, false
	},
	/* Its position was kept: others were placed around it. */
	[TRASH_RESTORE] = {
		"trash_restore",
		SQL_WRITE("UPDATE docket.tasks t SET deleted_at = NULL,"
		" version = t.version + 1,"
		" updated_at = greatest(CURRENT_TIMESTAMP, t.updated_at)"
		" FROM c", SQL_TRASHED, "$6"),
		&task_row, false, true
	},
	/*
	 * $1 days; $2 user, $3 instant, $4 id to start behind; $5 rows. The
	 * walk is along the index, from owner to owner, so that every batch
	 * costs the same. What was restored meanwhile is not taken: the DELETE
	 * asks for itself, of the row as it is once it is locked. The log of
	 * changes has had its end since it went to the trash.
	 */
	[TRASH_SWEEP] = {
		"trash_sweep",
		"WITH page AS MATERIALIZED ("
		" SELECT t.user_id, t.deleted_at, t.id FROM docket.tasks t"
		" WHERE t.deleted_at IS NOT NULL AND"
		" (t.user_id, t.deleted_at, t.id)"
		" > ($2::uuid, $3::timestamptz, $4::uuid)"
		" ORDER BY t.user_id, t.deleted_at, t.id LIMIT $5::bigint),"
		" gone AS ("
		" DELETE FROM docket.tasks t USING page p"
		" WHERE t.user_id = p.user_id AND t.id = p.id"
		" AND p.deleted_at <= now() - make_interval(days =>"
		" $1::bigint::int) AND t.deleted_at = p.deleted_at"
		" RETURNING 1)"
		" SELECT p.user_id, p.deleted_at, p.id,"
		" (SELECT count(*) FROM page) AS seen,"
		" (SELECT count(*) FROM gone) AS gone FROM page p"
		" ORDER BY p.user_id DESC, p.deleted_at DESC, p.id DESC LIMIT 1",
		&swept_row, false, true
	},
};

const struct stmts trash_statements = STMTS(statements);

int
store_trash_list(struct db *db, struct arena *mem, const struct principal *who,
    const struct trash_from *from, int64_t limit, struct list *ret)
{
	const bool newest = from->deleted_at == TIME_NONE;
	struct db_params p = { 0 };
	struct trashed *v;
	struct db_result r;
	int error;

	who_params(&p, who);
	db_int(&p, limit + 1);
	db_time(&p, newest ? EDGE_TIME_HIGH : from->deleted_at);
	db_uuid(&p, newest ? &edge_high : &from->id);
	error = who_run(db, mem, who, &statements[TRASH_LIST], &p, &r);
	if (error)
		return error;
	v = r.v;
	for (size_t i = 0; i < r.rows; i++)
		task_complete(&v[i].task, who);
	*ret = (struct list){ .v = v, .n = r.rows };
	return 0;
}

const struct stmt *
task_any_step(struct db_params *p, const struct principal *who,
    const struct task_ref *ref)
{
	task_params(p, who, ref);
	return &statements[TRASH_FIND];
}

int
store_task_any(struct db *db, struct arena *mem, const struct principal *who,
    const struct task_ref *ref, struct task *ret)
{
	struct db_params p = { 0 };
	const struct stmt *stmt = task_any_step(&p, who, ref);

	return task_run(db, mem, who, stmt, &p, ret);
}

int
store_task_restore(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    int64_t if_version, struct task *ret)
{
	struct db_params p = { 0 };
	int error;

	task_params(&p, who, ref);
	db_int(&p, if_version);
	error = task_run(db, mem, who, &statements[TRASH_RESTORE], &p, ret);
	if (error != E_TASK || if_version == INT_NONE)
		return error;
	/* Not there, or there with another version? */
	p.n--;
	error = task_run(db, mem, who, &statements[TRASH_GET], &p, ret);
	return error ? error : E_VERSION;
}

int
store_trash_empty(struct db *db, struct arena *mem, int64_t days,
    int64_t *ret_n)
{
	struct swept at = { .user_id = edge_low, .id = edge_low,
		.deleted_at = EDGE_TIME_LOW };
	struct db_result r;
	int error;

	*ret_n = 0;
	do {
		struct db_params p = { 0 };

		db_int(&p, days);
		db_uuid(&p, &at.user_id);
		db_time(&p, at.deleted_at);
		db_uuid(&p, &at.id);
		db_int(&p, SWEEP_BATCH);
		error = db_run(db, mem, &statements[TRASH_SWEEP], &p, &r);
		if (error || r.rows == 0)
			return error;
		at = *(const struct swept *)r.v;
		*ret_n += at.gone;
	} while (at.seen == SWEEP_BATCH);
	return 0;
}
