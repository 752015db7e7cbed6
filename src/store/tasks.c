/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One task at a time: insert, get, update, delete. */
#include "base/error.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/trash.h"
#include "store/who.h"

static const struct field task_fields[] = { TASK_FIELDS };

const struct fields task_row = FIELDS(NULL, task_fields, struct task);

/* What a new task has that was not given. */
static const struct field made_fields[] = {
	TASK_FIELD(FIELD_INT, number),
	TASK_FIELD(FIELD_TIME, due_at),
	TASK_FIELD(FIELD_TEXT, position),
	TASK_FIELD(FIELD_TIME, completed_at),
	TASK_FIELD(FIELD_TIME, read_at),
};

static const struct fields made_row = FIELDS(NULL, made_fields, struct task);

enum {
	TASK_INSERT, TASK_GET, TASK_GET_BY_NUMBER, TASK_UPDATE, TASK_MARK,
	TASK_TRASH, TASK_PURGE
};

/* Set by the caller's mask $6: the new value, else what is there. */
#define SQL_SET(column, bit, value) \
	column " = CASE WHEN $6::int & " bit " <> 0 THEN " value \
	" ELSE t." column " END"

#define SQL_COMPLETED(status) \
	"CASE WHEN " status " <> 'completed' THEN NULL" \
	" WHEN t.status = 'completed' THEN t.completed_at ELSE CURRENT_TIMESTAMP END"

/* A local time keeps the zone that is there when none comes along (RFC 7396);
 * any other due date drops it. What does not go together breaks the CHECK
 * tasks_due_zone. */
#define SQL_ZONE \
	"CASE WHEN $6 & 64 <> 0 THEN $13::text" \
	" WHEN $6 & 16 <> 0 AND $15::text IS NULL THEN NULL" \
	" ELSE t.due_timezone END"

static const struct stmt statements[] = {
	[TASK_INSERT] = {
		"task_insert",
		"WITH c AS ("
		" UPDATE docket.counters c SET task_number = c.task_number + 1,"
		" change = c.change + 1 WHERE c.user_id = " SQL_LIVE_USER
		" RETURNING c.task_number AS n, c.change),"
		" l AS (" SQL_LOG
		" SELECT $1, c.change, 1, $4::uuid FROM c)"
		" INSERT INTO docket.tasks AS t (user_id, id, number, title,"
		" description, status, priority, due_date, due_timezone,"
		" due_at, tags, position, created_at, updated_at,"
		" completed_at)"
		" SELECT $1, $4::uuid, c.n, $6::text, $7::text,"
		" $8::text, $9::bigint::smallint, $10::text, $11::text,"
		" COALESCE($12::timestamptz,"
		" $13::text::timestamp AT TIME ZONE $11),"
		" $14::text[], lpad(c.n::text, 10, '0'),"
		" $5::timestamptz, $5,"
		" CASE WHEN $8 = 'completed' THEN CURRENT_TIMESTAMP END FROM c"
		" RETURNING t.number, t.due_at, t.position, t.completed_at,"
		" CURRENT_TIMESTAMP AS read_at",
		&made_row, false, true
	},
	/* By id alone: the executor opens the table and the index of a number
	 * that nobody gave too, which is a quarter of its work. */
	[TASK_GET] = {
		"task_get",
		"SELECT " SQL_TASK " FROM docket.tasks t WHERE" SQL_TASK_BY_ID,
		&task_row, false, false
	},
	[TASK_GET_BY_NUMBER] = {
		"task_get_by_number",
		"SELECT " SQL_TASK " FROM docket.tasks t WHERE" SQL_LIVE_TASK,
		&task_row, false, false
	},
	/* Bits are those of TASK_TITLE and so on. The version is checked
	 * again on the row's newest version when another writer was faster. */
	[TASK_UPDATE] = {
		"task_update",
		SQL_WRITE("UPDATE docket.tasks t SET "
		SQL_SET("title", "1", "$8::text") ", "
		SQL_SET("description", "2", "$9::text") ", "
		SQL_SET("status", "4", "$10::text") ", "
		SQL_SET("completed_at", "4", SQL_COMPLETED("$10")) ", "
		SQL_SET("priority", "8", "COALESCE($11::bigint, 0)::smallint")
		", "
		SQL_SET("due_date", "16", "$12::text") ", "
		"due_timezone = " SQL_ZONE ", "
		SQL_SET("due_at", "80", "COALESCE($14::timestamptz,"
		    " CASE WHEN $6 & 16 <> 0 THEN $15::text"
		    " ELSE translate(t.due_date, 'T', ' ') END::timestamp"
		    " AT TIME ZONE " SQL_ZONE ")") ", "
		SQL_SET("tags", "32", "COALESCE($16::text[], '{}')") ","
		" version = t.version + 1,"
		" updated_at = greatest(CURRENT_TIMESTAMP, t.updated_at)"
		" FROM c", SQL_LIVE, "$7"),
		&task_row, false, true
	},
	/* What is done to tasks most of all, and nothing else with it: status
	 * and by id. It says what task_update says. */
	[TASK_MARK] = {
		"task_mark",
		SQL_WRITE("UPDATE docket.tasks t SET status = $5::text,"
		" completed_at = " SQL_COMPLETED("$5") ","
		" version = t.version + 1,"
		" updated_at = greatest(CURRENT_TIMESTAMP, t.updated_at)"
		" FROM c", SQL_BY_ID, "$6"),
		&task_row, false, true
	},
	[TASK_TRASH] = {
		"task_trash",
		SQL_WRITE("UPDATE docket.tasks t SET"
		" deleted_at = CURRENT_TIMESTAMP,"
		" version = t.version + 1,"
		" updated_at = greatest(CURRENT_TIMESTAMP, t.updated_at)"
		" FROM c", SQL_LIVE, "$6"),
		&task_row, false, true
	},
	/* What lies in the trash may be purged too. There is no version of it
	 * any more: the log has the next. */
	[TASK_PURGE] = {
		"task_purge",
		SQL_WRITE_AS("t.version + 1",
		"DELETE FROM docket.tasks t USING c", SQL_ANY, "$6"),
		&task_row, false, true
	},
};

const struct stmts task_statements = STMTS(statements);

void
task_params(struct db_params *p, const struct principal *who,
    const struct task_ref *ref)
{
	who_params(p, who);
	db_uuid(p, &ref->id);
	db_int(p, uuid_is_nil(&ref->id) ? ref->number : INT_NONE);
}

void
task_complete(struct task *t, const struct principal *who)
{
	t->user_id = who->user_id;
	t->overdue = t->due_at != TIME_NONE &&
	    t->due_at < t->read_at &&
	    (text_is(t->status, "pending") ||
	    text_is(t->status, "in_progress"));
}

int
task_run(struct db *db, struct arena *mem, const struct principal *who,
    const struct stmt *stmt, const struct db_params *p, struct task *ret)
{
	struct db_result r;
	int error = who_run(db, mem, who, stmt, p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_TASK;
	*ret = *(const struct task *)r.v;
	task_complete(ret, who);
	return 0;
}

/* As the row will stand there: what is not given has its default. */
static struct task
task_given(const struct new_task *task)
{
	static struct text nothing;
	const bool tagged = task->tags.v != NULL;

	return (struct task){
		.id = task->id,
		.title = task->title,
		.description = task->description,
		.status = task->status.s ? task->status : TEXT("pending"),
		.priority = task->priority == INT_NONE ? 0 : task->priority,
		.due_date = task->due_date,
		.due_timezone = task->due_timezone,
		.tags = tagged ? task->tags : (struct texts){ &nothing, 0 },
		.version = 1,
		.created_at = task->created_at,
		.updated_at = task->created_at,
	};
}

const struct stmt *
task_insert_step(struct db_params *p, struct arena *mem,
    const struct principal *who, const struct new_task *task)
{
	struct task given = task_given(task);

	who_params(p, who);
	db_uuid(p, &task->id);
	db_time(p, given.created_at);
	db_text(p, given.title);
	db_text(p, given.description);
	db_text(p, given.status);
	db_int(p, given.priority);
	db_text(p, given.due_date);
	db_text(p, given.due_timezone);
	db_time(p, task->due_at);
	db_text(p, task->due_local);
	db_texts(p, mem, given.tags);
	return &statements[TASK_INSERT];
}

struct task
task_inserted(const struct new_task *task, const struct task *made,
    const struct principal *who)
{
	struct task given = task_given(task);

	given.number = made->number;
	given.due_at = made->due_at;
	given.position = made->position;
	given.completed_at = made->completed_at;
	given.read_at = made->read_at;
	task_complete(&given, who);
	return given;
}

int
store_task_insert(struct db *db, struct arena *mem,
    const struct principal *who, const struct new_task *task,
    struct task *ret)
{
	struct db_params p = { 0 };
	const struct stmt *stmt = task_insert_step(&p, mem, who, task);
	struct task made;
	int error = task_run(db, mem, who, stmt, &p, &made);

	/* Every account has its counter, so no row is our own fault. */
	if (error)
		return error == E_TASK ? E_NONE : error;
	*ret = task_inserted(task, &made, who);
	return 0;
}

const struct stmt *
task_get_step(struct db_params *p, const struct principal *who,
    const struct task_ref *ref)
{
	if (uuid_is_nil(&ref->id)) {
		task_params(p, who, ref);
		return &statements[TASK_GET_BY_NUMBER];
	}
	who_params(p, who);
	db_uuid(p, &ref->id);
	return &statements[TASK_GET];
}

int
store_task_get(struct db *db, struct arena *mem, const struct principal *who,
    const struct task_ref *ref, struct task *ret)
{
	struct db_params p = { 0 };
	const struct stmt *stmt = task_get_step(&p, who, ref);

	return task_run(db, mem, who, stmt, &p, ret);
}

/* No row: was there no task, or not that version of it? `any`: in the trash
 * too. */
static int
task_refused(struct db *db, struct arena *mem, const struct principal *who,
    const struct task_ref *ref, bool any, struct task *ret)
{
	int error = (any ? store_task_any : store_task_get)(db, mem, who,
	    ref, ret);

	return error ? error : E_VERSION;
}

static const struct stmt *
task_mark(struct db_params *p, const struct principal *who,
    const struct task_ref *ref, const struct task_change *change)
{
	who_params(p, who);
	db_uuid(p, &ref->id);
	db_text(p, change->to.status);
	db_int(p, change->if_version);
	return &statements[TASK_MARK];
}

const struct stmt *
task_update_step(struct db_params *p, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    const struct task_change *change)
{
	const struct new_task *to = &change->to;

	if (change->set == TASK_STATUS && !uuid_is_nil(&ref->id))
		return task_mark(p, who, ref, change);
	task_params(p, who, ref);
	db_int4(p, (int32_t)change->set);
	db_int(p, change->if_version);
	db_text(p, to->title);
	db_text(p, to->description);
	db_text(p, to->status);
	db_int(p, to->priority);
	db_text(p, to->due_date);
	db_text(p, to->due_timezone);
	db_time(p, to->due_at);
	db_text(p, to->due_local);
	db_texts(p, mem, to->tags);
	return &statements[TASK_UPDATE];
}

const struct stmt *
task_delete_step(struct db_params *p, const struct principal *who,
    const struct task_ref *ref, int64_t if_version, bool purge)
{
	task_params(p, who, ref);
	db_int(p, if_version);
	return &statements[purge ? TASK_PURGE : TASK_TRASH];
}

int
store_task_update(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    const struct task_change *change, struct task *ret)
{
	struct db_params p = { 0 };
	const struct stmt *stmt = task_update_step(&p, mem, who, ref, change);
	int error = task_run(db, mem, who, stmt, &p, ret);

	if (error == E_TASK && change->if_version != INT_NONE)
		return task_refused(db, mem, who, ref, false, ret);
	return error;
}

int
store_task_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    int64_t if_version, bool purge, struct task *ret)
{
	struct db_params p = { 0 };
	const struct stmt *stmt = task_delete_step(&p, who, ref, if_version,
	    purge);
	int error = task_run(db, mem, who, stmt, &p, ret);

	if (error == E_TASK && if_version != INT_NONE)
		return task_refused(db, mem, who, ref, purge, ret);
	return error;
}
