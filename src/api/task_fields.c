/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The field rows of tasks: what is taken, what is given, and S0's spelling. */
#include "api/api.h"
#include "api/batch.h"
#include "api/fields.h"
#include "api/tasks.h"
#include "core/task.h"
#include "store/trash.h"

static const char *const statuses[] = {
	"pending", "in_progress", "completed", "cancelled", NULL
};
static const char *const labels[] = {
	"To Do", "In Progress", "Done", "Cancelled", NULL
};

static void
print_label(struct buf *out, const void *object)
{
	const struct task *task = object;

	buf_json(out, task_status_label(task->status));
}

/* ---- given ---- */

#define T struct task
#define TASK_ROWS \
	F(UUID, T, id, "id", 0, 0, 0, "UUIDv7", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""), \
	F(UUID, T, id, "uuid", 0, 0, 0, "= id", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""), \
	F(INT, T, number, "number", 0, 0, 0, "Counts up per user; good wherever an id is", "42"), \
	F(TEXT, T, title, "title", 0, 0, 0, "", "\"Sample Task\""), \
	F(TEXT, T, description, "description", 0, 0, 0, "", "\"This is a sample task description.\""), \
	F_ENUM(T, status, "status", 0, statuses, "", "\"pending\""), \
	F_PRINT(TEXT, T, status, "status_label", print_label, "For people", "\"To Do\""), \
	F(INT, T, priority, "priority", 0, 0, 0, "0 none, 1 highest, 9 lowest", "0"), \
	F(TEXT, T, due_date, "due_date", FIELD_NULLABLE, 0, 0, "A date, an instant, or a local time of due_timezone", "\"2026-12-31\""), \
	F(TEXT, T, due_timezone, "due_timezone", FIELD_NULLABLE, 0, 0, "IANA name", "\"Europe/Berlin\""), \
	F(BOOL, T, overdue, "overdue", 0, 0, 0, "Past due and not finished", "false"), \
	F(TEXTS, T, tags, "tags", 0, 0, 0, "", "[\"home\"]"), \
	F(TEXT, T, position, "position", 0, 0, 0, "Opaque; sorts as text", "\"0000000042\""), \
	F(INT, T, version, "version", 0, 0, 0, "Counts changes; the ETag", "1"), \
	F(UUID, T, user_id, "user_id", 0, 0, 0, "The owner", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""), \
	F(TIME, T, created_at, "created_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""), \
	F(TIME, T, updated_at, "updated_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""), \
	F(TIME, T, completed_at, "completed_at", FIELD_NULLABLE, 0, 0, "", "\"2026-01-31T09:30:00.000Z\"")
static const struct field task_rows[] = { TASK_ROWS };

/* The same in the trash; struct trashed begins with a struct task. */
static const struct field trashed_rows[] = {
	TASK_ROWS,
	F(TIME, struct trashed, deleted_at, "deleted_at", 0, 0, 0, "tasks.trash_days later it is gone", "\"2026-01-31T09:30:00.000Z\""),
};

/* S0's eight columns under its names. */
static const struct field s0_rows[] = {
	F(UUID, T, id, "task_id", 0, 0, 0, "UUIDv7", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""),
	F(TEXT, T, title, "title", 0, 0, 0, "", "\"Sample Task\""),
	F(TEXT, T, description, "description", 0, 0, 0, "", "\"This is a sample task description.\""),
	{ "status", FIELD_ENUM, 0, offsetof(T, status), 0, 0, NULL, labels, NULL, print_label, "", "\"To Do\"" },
	F(TEXT, T, due_date, "due_date", FIELD_NULLABLE, 0, 0, "", "\"2026-12-31\""),
	F(TIME, T, created_at, "created_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""),
	F(TIME, T, updated_at, "updated_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""),
	F(UUID, T, user_id, "user_id", 0, 0, 0, "The owner", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""),
	F(INT, T, number, "number", 0, 0, 0, "Counts up per user", "42"),
	F(TEXT, T, position, "position", 0, 0, 0, "Opaque; sorts as text", "\"0000000042\""),
};
#undef T

const struct fields task_object = FIELDS("Task", task_rows, struct task);
const struct fields trashed_object =
    FIELDS("TaskTrashed", trashed_rows, struct trashed);
static const struct fields s0_object = FIELDS("TaskS0", s0_rows, struct task);

struct task_out {
	struct task task;
};

static const struct field one_rows[] = {
	F_SUB(OBJECT, struct task_out, task, "task", 0, task_object, "", NULL),
};
const struct fields task_reply = FIELDS("TaskOne", one_rows, struct task_out);

#define DONE(object) { \
	F(TEXT, struct task_done, message, "message", 0, 0, 0, "What was done", "\"Task created\""), \
	F_SUB(OBJECT, struct task_done, task, "task", 0, object, "As it stands now", NULL) }
static const struct field done_rows[] = DONE(task_object);
static const struct field s0_done_rows[] = DONE(s0_object);
const struct fields task_done_reply =
    FIELDS("TaskDone", done_rows, struct task_done);
const struct fields s0_task_done_reply =
    FIELDS("TaskDoneS0", s0_done_rows, struct task_done);

#define PAGE(object) { \
	F_SUB(LIST, struct tasks_out, tasks, "tasks", 0, object, "This page", NULL), \
	F(TEXT, struct tasks_out, next_cursor, "next_cursor", FIELD_NULLABLE, 0, 0, "Null on the last page", NULL), \
	F(INT, struct tasks_out, total, "total", FIELD_OMIT_NONE, 0, 0, "With count=exact alone", "1") }
static const struct field page_rows[] = PAGE(task_object);
static const struct field s0_page_rows[] = PAGE(s0_object);
const struct fields tasks_reply =
    FIELDS("Tasks", page_rows, struct tasks_out);
const struct fields s0_tasks_reply =
    FIELDS("TasksS0", s0_page_rows, struct tasks_out);

/* ---- taken ---- */

#define IN struct task_in
#define IN_ROWS(title_flags) \
	F(TEXT, IN, title, "title", title_flags, 1, 200, "", "\"Sample Task\""), \
	F(TEXT, IN, description, "description", FIELD_NULLABLE, 0, 10000, "", "\"This is a sample task description.\""), \
	F_WORD(IN, status, "status", 0, statuses, task_check_status, "In any case; To Do, In Progress and Done are taken too", "\"pending\""), \
	F(INT, IN, priority, "priority", FIELD_NULLABLE, 0, 9, "0 none, 1 highest, 9 lowest", "0"), \
	F_CHECK(TEXT, IN, due_date, "due_date", FIELD_NULLABLE, 1, 64, task_check_due, "A date, an instant, or a local time with due_timezone", "\"2026-12-31\""), \
	F_CHECK(TEXT, IN, due_date, "deadline", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 1, 64, task_check_due, "= due_date", "\"2026-12-31\""), \
	F_CHECK(TEXT, IN, due_timezone, "due_timezone", FIELD_NULLABLE, 1, 64, task_check_timezone, "IANA name, for a local due_date", "\"Europe/Berlin\""), \
	F_CHECK(TEXTS, IN, tags, "tags", FIELD_NULLABLE, 0, 20, task_check_tags, "1 to 50 characters each", "[\"home\"]")
#define TASK_ID_ROW(S) \
	F(TEXT, S, task_id, "task_id", FIELD_NUMERAL, 1, 64, "Id or number; also as a query parameter", "42")

static const struct field create_rows[] = { IN_ROWS(FIELD_REQUIRED) };
static const struct field put_rows[] = { IN_ROWS(0) };
static const struct field s0_put_rows[] = { IN_ROWS(0), TASK_ID_ROW(IN) };

const char *const batch_ops[] = { "create", "update", "delete", NULL };

/* struct op_in begins with a struct task_in, whose offsets so hold. */
static const struct field op_rows[] = {
	[OP_OP] = F_ENUM(struct op_in, op, "op", FIELD_REQUIRED, batch_ops, "", "\"update\""),
	[OP_ID] = F(TEXT, struct task_in, task_id, "id", FIELD_NUMERAL, 1, 64, "Update, delete: the task's id or number", "42"),
	[OP_IF_MATCH] = F(TEXT, struct op_in, if_match, "if_match", FIELD_NUMERAL, 1, 32, "Update, delete: only if it has this version; an ETag is taken too", "3"),
	[OP_PURGE] = F(BOOL, struct op_in, purge, "purge", 0, 0, 0, "Delete: for good, not to the trash", "false"),
	[OP_TASK] = IN_ROWS(0)
};
#undef IN
const struct fields batch_op_in =
    FIELDS("Operation", op_rows, struct op_in);
const struct fields task_create_body =
    FIELDS("NewTask", create_rows, struct task_in);
const struct fields task_put_body =
    FIELDS("TaskChange", put_rows, struct task_in);
const struct fields s0_task_put_body =
    FIELDS("TaskChangeS0", s0_put_rows, struct task_in);

/* The same struct as put: what may change with the status. */
static const struct field status_rows[] = {
	F_WORD(struct task_in, status, "status", 0, statuses, task_check_status, "In any case; To Do, In Progress and Done are taken too", "\"completed\""),
	F_CHECK(TEXT, struct task_in, due_date, "due_date", FIELD_NULLABLE, 1, 64, task_check_due, "A date, an instant, or a local time with due_timezone", "\"2026-12-31\""),
	F_CHECK(TEXT, struct task_in, due_date, "deadline", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 1, 64, task_check_due, "= due_date", "\"2026-12-31\""),
	F_CHECK(TEXT, struct task_in, due_timezone, "due_timezone", FIELD_NULLABLE, 1, 64, task_check_timezone, "IANA name, for a local due_date", "\"Europe/Berlin\""),
};
const struct fields task_status_body =
    FIELDS("TaskStatus", status_rows, struct task_in);

static const struct field id_rows[] = { TASK_ID_ROW(struct task_id_in) };
const struct fields s0_task_id_body =
    FIELDS("TaskIdS0", id_rows, struct task_id_in);
static const struct field delete_rows[] = {
	F(BOOL, struct task_id_in, purge, "purge", 0, 0, 0, "For good, not to the trash", "false"),
};
const struct fields task_delete_query =
    FIELDS("TaskDelete", delete_rows, struct task_id_in);
static const struct field s0_query_rows[] = {
	TASK_ID_ROW(struct task_id_in),
	F(BOOL, struct task_id_in, purge, "purge", 0, 0, 0, "For good, not to the trash", "false"),
};
const struct fields s0_task_query =
    FIELDS("TaskQueryS0", s0_query_rows, struct task_id_in);
