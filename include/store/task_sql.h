/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: SQL and helpers that the statements on tasks share. */
#ifndef DOCKET_STORE_TASK_SQL_H
#define DOCKET_STORE_TASK_SQL_H

#include <stddef.h>

#include "store/tasks.h"
#include "store/who.h"

/* What struct task's overdue says. */
#define SQL_OVERDUE \
	"(t.due_at < now() AND t.status IN ('pending', 'in_progress'))"

/* task_row's columns, of a docket.tasks that is called t. The owner is not one
 * of them: it is whoever asks. */
#define SQL_TASK \
	"t.id, t.number, t.title, t.description, t.status," \
	" t.priority, t.due_date, t.due_timezone, t.due_at," \
	" t.tags, t.position, t.version, t.created_at," \
	" t.updated_at, t.completed_at, CURRENT_TIMESTAMP AS read_at"

/* The id behind a reference of the caller's: an id, or a number. */
#define SQL_REF(id, number) \
	"COALESCE(" id "::uuid, (SELECT n.id FROM docket.tasks n" \
	" WHERE n.user_id = $1 AND n.number = " number "::bigint))"

/* The live caller's task $4 or $5, called t, in the trash or not. */
#define SQL_ANY_TASK \
	" t.user_id = " SQL_LIVE_USER " AND t.id = " SQL_REF("$4", "$5")
#define SQL_LIVE_TASK SQL_ANY_TASK " AND t.deleted_at IS NULL"
/* The same where $4 is never NULL, and nothing is $5. */
#define SQL_TASK_BY_ID \
	" t.user_id = " SQL_LIVE_USER " AND t.id = $4::uuid" \
	" AND t.deleted_at IS NULL"

/*
 * Every statement that writes tasks also writes the owner's log of changes
 * (store/changes.h), in three CTEs:
 *
 *   c  the owner's counter, moved on by n. First of all: whoever waits for an
 *      owner's tasks has the owner's counter or waits for that, so there are
 *      no deadlocks, and numbers are committed in their order.
 *   t  the write, joined with c, RETURNING t.*; one row also c.change AS turn
 *   l  the log. n is as many as t can have rows, or more; they are numbered
 *      down from c's, so that a gap is all that is left of the others.
 */
#define SQL_TURN(owner, n) \
	"c AS (UPDATE docket.counters c SET change = c.change + " n \
	" WHERE c.user_id = " owner " RETURNING c.user_id, c.change)"
#define SQL_LOG \
	"INSERT INTO docket.task_changes (user_id, change, version, task_id)"
#define SQL_LOG_ONE(version) \
	"l AS (" SQL_LOG " SELECT t.user_id, t.turn, " version ", t.id FROM t)"
#define SQL_LOG_MANY \
	"l AS (" SQL_LOG " SELECT c.user_id, c.change + 1 -" \
	" row_number() OVER (PARTITION BY c.user_id), t.version, t.id" \
	" FROM c JOIN t USING (user_id))"

/* Which task it is: $4 or $5, in the trash or not; the same, live; in the
 * trash; the live one where $4 is never NULL, and nothing is $5. */
#define SQL_ANY(t) t ".id = " SQL_REF("$4", "$5")
#define SQL_LIVE(t) SQL_ANY(t) " AND " t ".deleted_at IS NULL"
#define SQL_TRASHED(t) SQL_ANY(t) " AND " t ".deleted_at IS NOT NULL"
#define SQL_BY_ID(t) t ".id = $4::uuid AND " t ".deleted_at IS NULL"

/*
 * The live caller's one task: `write` is an UPDATE ... FROM c or a DELETE ...
 * USING c up to its WHERE, `which` one of the above, `version` the parameter
 * that is NULL or must be the task's version. Both are asked twice. First of
 * the snapshot, or who is refused would have taken a number; and of the row as
 * it is once it is locked, when another writer was faster.
 */
#define SQL_IS(t, which, version) \
	which(t) " AND (" version "::bigint IS NULL OR " t ".version = " \
	version ")"
#define SQL_WRITE(write, which, version) \
	SQL_WRITE_AS("t.version", write, which, version)
#define SQL_WRITE_AS(logged, write, which, version) \
	"WITH " SQL_TURN(SQL_LIVE_USER " AND EXISTS (SELECT" \
	" FROM docket.tasks f WHERE f.user_id = $1 AND " \
	SQL_IS("f", which, version) ")", "1") "," \
	" t AS (" write " WHERE t.user_id = c.user_id AND " \
	SQL_IS("t", which, version) " RETURNING t.*, c.change AS turn), " \
	SQL_LOG_ONE(logged) \
	" SELECT " SQL_TASK " FROM t"

#define TASK_FIELD(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct task, member_) }

/* The rows of task_row, for structs that begin with a struct task. */
#define TASK_FIELDS \
	TASK_FIELD(FIELD_UUID, id), \
	TASK_FIELD(FIELD_INT, number), \
	TASK_FIELD(FIELD_TEXT, title), \
	TASK_FIELD(FIELD_TEXT, description), \
	TASK_FIELD(FIELD_TEXT, status), \
	TASK_FIELD(FIELD_INT, priority), \
	TASK_FIELD(FIELD_TEXT, due_date), \
	TASK_FIELD(FIELD_TEXT, due_timezone), \
	TASK_FIELD(FIELD_TIME, due_at), \
	TASK_FIELD(FIELD_TEXTS, tags), \
	TASK_FIELD(FIELD_TEXT, position), \
	TASK_FIELD(FIELD_INT, version), \
	TASK_FIELD(FIELD_TIME, created_at), \
	TASK_FIELD(FIELD_TIME, updated_at), \
	TASK_FIELD(FIELD_TIME, completed_at), \
	TASK_FIELD(FIELD_TIME, read_at)

/* Push $1..$5. */
void task_params(struct db_params *p, const struct principal *who,
    const struct task_ref *ref);
/* One task's statements with their parameters, for who runs them together:
 * each says what the function of that name (store/tasks.h) runs. */
const struct stmt *task_get_step(struct db_params *p,
    const struct principal *who, const struct task_ref *ref);
const struct stmt *task_insert_step(struct db_params *p, struct arena *mem,
    const struct principal *who, const struct new_task *task);
const struct stmt *task_update_step(struct db_params *p, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    const struct task_change *change);
const struct stmt *task_delete_step(struct db_params *p,
    const struct principal *who, const struct task_ref *ref,
    int64_t if_version, bool purge);
/* Of store/trash.h. */
const struct stmt *task_any_step(struct db_params *p,
    const struct principal *who, const struct task_ref *ref);
/* The whole of a new task, of the row that its insertion gave. */
struct task task_inserted(const struct new_task *task,
    const struct task *made, const struct principal *who);
/* Fill what the database does not work out: *t is as it was read. Here, for an
 * expression with columns in it, set up for one row, costs PostgreSQL more than
 * handing out what it needs. */
void task_complete(struct task *t, const struct principal *who);
/* Run a statement that hands out one task: E_TASK when it did not. */
int task_run(struct db *db, struct arena *mem, const struct principal *who,
    const struct stmt *stmt, const struct db_params *p, struct task *ret);

#endif
