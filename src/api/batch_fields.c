/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The field rows of a batch and of its reply. */
#include "api/api.h"
#include "api/batch.h"
#include "api/fields.h"

#define BATCH_MAX 100

/* ---- taken ---- */

static const struct field body_rows[] = {
	{ "operations", FIELD_LIST, FIELD_REQUIRED,
	  offsetof(struct batch_in, operations), 1, BATCH_MAX, &batch_op_in,
	  NULL, NULL, NULL, "Done in this order", NULL },
	F(BOOL, struct batch_in, atomic, "atomic", 0, 0, 0, "All or nothing, which is how it is when absent; false: each for itself", "true"),
};
const struct fields batch_body =
    FIELDS("Batch", body_rows, struct batch_in);

static const struct field query_rows[] = {
	F(BOOL, struct batch_query_in, dry_run, "dry_run", 0, 0, 0, "Do it, say what came of it, and take it back", "false"),
};
const struct fields batch_query =
    FIELDS("BatchQuery", query_rows, struct batch_query_in);

/* ---- given ---- */

static void
print_task(struct buf *out, const void *object)
{
	const struct op_out *op = object;

	if (op->has_task)
		field_print_json(out, &task_object, &op->task, FIELD_ALL);
	else
		buf_puts(out, "null");
}

static const struct field fault_rows[] = {
	F(TEXT, struct op_fault, pointer, "pointer", 0, 0, 0, "RFC 6901, into the request's body", "\"/operations/3/due_timezone\""),
	F(TEXT, struct op_fault, code, "code", 0, 0, 0, "", "\"choice\""),
	F(TEXT, struct op_fault, detail, "detail", 0, 0, 0, "", NULL),
};
static const struct fields fault_object =
    FIELDS("OperationFault", fault_rows, struct op_fault);

static const struct field error_rows[] = {
	F(TEXT, struct op_error, type, "type", 0, 0, 0, "", "\"/problems/task_not_found\""),
	F(TEXT, struct op_error, title, "title", 0, 0, 0, "", "\"Task not found\""),
	F(INT, struct op_error, status, "status", 0, 0, 0, "", "404"),
	F(TEXT, struct op_error, detail, "detail", 0, 0, 0, "", "\"Task not found.\""),
	F(TEXT, struct op_error, code, "code", 0, 0, 0, "Stable: clients decide by it", "\"task_not_found\""),
	F_SUB(LIST, struct op_error, errors, "errors", 0, fault_object, "", NULL),
};
static const struct fields error_object =
    FIELDS("OperationError", error_rows, struct op_error);

static void
print_error(struct buf *out, const void *object)
{
	const struct op_out *op = object;

	if (op->error.status != INT_NONE)
		field_print_json(out, &error_object, &op->error, FIELD_ALL);
	else
		buf_puts(out, "null");
}

static const struct field op_rows[] = {
	F_ENUM(struct op_out, op, "op", 0, batch_ops, "", "\"create\""),
	F(INT, struct op_out, status, "status", 0, 0, 0, "As the operation alone would be answered", "201"),
	{ "task", FIELD_OBJECT, FIELD_NULLABLE, offsetof(struct op_out, task),
	  0, 0, &task_object, NULL, NULL, print_task,
	  "As it stands then; after 412 as it stood; null when deleted or not there", NULL },
	{ "error", FIELD_OBJECT, FIELD_NULLABLE, offsetof(struct op_out, error),
	  0, 0, &error_object, NULL, NULL, print_error,
	  "Null when it was done", NULL },
};
static const struct fields op_object =
    FIELDS("OperationResult", op_rows, struct op_out);

static const struct field reply_rows[] = {
	F(TEXT, struct batch_out, message, "message", 0, 0, 0, "", "\"Batch done\""),
	F(BOOL, struct batch_out, atomic, "atomic", 0, 0, 0, "As asked for", "true"),
	F(BOOL, struct batch_out, dry_run, "dry_run", 0, 0, 0, "Nothing has changed: this is what would have", "false"),
	F(INT, struct batch_out, failed, "failed", 0, 0, 0, "How many were not done", "0"),
	F_SUB(LIST, struct batch_out, results, "results", 0, op_object, "One for each operation, in their order", NULL),
};
const struct fields batch_reply =
    FIELDS("BatchDone", reply_rows, struct batch_out);
