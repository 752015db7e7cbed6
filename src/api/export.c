/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All of the caller's tasks as one file, a part at a time. */
#include "api/api.h"
#include "api/fields.h"
#include "api/tasks.h"
#include "api/transfer.h"
#include "base/error.h"
#include "core/task.h"
#include "store/export.h"
#include "web/task_file.h"

#define PART_MEMORY ((size_t)1024 * 1024)

struct export_in {
	struct seen seen;
	struct text format;
	struct texts status;
	int64_t priority;
	struct text tag, q;
	struct text due_before, due_after, created_before, created_after;
	struct text updated_before, updated_after;
	bool overdue;
};

static const char *const formats[] = { "json", "ndjson", "csv", "ics", NULL };

static int
check_statuses(struct arena *mem, void *member, const char **ret_why)
{
	struct texts *words = member;

	for (size_t i = 0; i < words->n; i++)
		if (task_check_status(mem, &words->v[i], ret_why))
			return 1;
	return 0;
}

#define IN struct export_in
#define BOUND(m, doc) F(TEXT, IN, m, #m, 0, 1, 64, doc, "\"2026-12-31\"")
static const struct field query_rows[] = {
	F_ENUM(IN, format, "format", 0, formats, "json when absent", "\"csv\""),
	F_CHECK(TEXTS, IN, status, "status", 0, 0, 8, check_statuses, "Any of these, comma separated", "[\"pending\"]"),
	F(INT, IN, priority, "priority", 0, 0, 9, "Exactly this", "1"),
	F(TEXT, IN, tag, "tag", 0, 1, 50, "Carrying this tag", "\"home\""),
	F(TEXT, IN, q, "q", 0, 1, 200, "Words of title or description", "\"milk\""),
	BOUND(due_before, "Due before this date or instant"),
	BOUND(due_after, "Due after this date or instant"),
	BOUND(created_before, "Created before this date or instant"),
	BOUND(created_after, "Created after this date or instant"),
	BOUND(updated_before, "Changed before this date or instant"),
	BOUND(updated_after, "Changed after this date or instant"),
	F(BOOL, IN, overdue, "overdue", 0, 0, 0, "Only what is overdue", "true"),
};
#undef IN
const struct fields export_query =
    FIELDS("ExportQuery", query_rows, struct export_in);

/* An export on its way out. */
struct export {
	enum task_format format;
	struct arena *mem;	/* of a part */
	struct list part;	/* read, not yet printed */
	bool more;		/* behind it */
	size_t n;		/* tasks printed */
	bool begun;
};

static void
export_bound(struct call *call, const char *name, struct text in, bool end,
    int64_t *ret)
{
	*ret = TIME_NONE;
	if (in.s && task_bound_parse(in, end, ret))
		call_fault(call, name, "format",
		    "must be a date or an RFC 3339 instant");
}

static int
export_filter(struct call *call, const struct export_in *in,
    struct task_filter *ret)
{
	*ret = (struct task_filter){
		.sort = SORT_POSITION, .status = in->status,
		.priority = in->priority, .tag = in->tag, .q = in->q,
		.overdue = in->overdue,
	};
	export_bound(call, "?due_before", in->due_before, false,
	    &ret->due_before);
	export_bound(call, "?due_after", in->due_after, true,
	    &ret->due_after);
	export_bound(call, "?created_before", in->created_before, false,
	    &ret->created_before);
	export_bound(call, "?created_after", in->created_after, true,
	    &ret->created_after);
	export_bound(call, "?updated_before", in->updated_before, false,
	    &ret->updated_before);
	export_bound(call, "?updated_after", in->updated_after, true,
	    &ret->updated_after);
	return call->faults.n ? E_INVALID : 0;
}

static int
export_next(struct call *call, struct export *ex)
{
	return store_export_next(call->app->db, ex->mem, &ex->part, &ex->more);
}

/* A part was read before the header went out: what is wrong with the caller
 * or the database has an answer of its own until then. */
static int
export_piece(struct call *call, bool *ret_more)
{
	struct export *ex = call->reply.stream_arg;
	const struct task *tasks = ex->part.v;

	if (!ex->begun)
		task_file_begin(ex->format, call->out);
	ex->begun = true;
	for (size_t i = 0; i < ex->part.n; i++)
		task_file_put(ex->format, call->out, &tasks[i],
		    ex->n++ == 0);
	*ret_more = ex->more;
	if (!ex->more) {
		task_file_end(ex->format, call->out);
		return 0;
	}
	arena_reset(ex->mem);
	return export_next(call, ex);
}

static void
export_headers(struct call *call, enum task_format format)
{
	const struct task_format_row *row = &task_formats[format];

	call->reply.type = row->reply_type;
	call_header(call, "Content-Disposition", text_of(arena_printf(
	    call->mem, "attachment; filename=\"tasks.%s\"", row->name)));
}

int
api_task_export(struct call *call)
{
	const struct export_in *in = call->query;
	struct export *ex = arena_alloc(call->mem, sizeof(*ex));
	struct task_filter filter;
	int r;

	ex->format = in->format.s ? task_format_of(in->format) : TASKS_JSON;
	if ((r = export_filter(call, in, &filter)))
		return r;
	ex->mem = arena_part(call->mem, PART_MEMORY);
	transfer_deadline(call);
	r = store_export_begin(call->app->db, call->mem, &call->who, &filter,
	    transfer_places(call->app->settings));
	if (r || (r = export_next(call, ex)))
		return r;
	export_headers(call, ex->format);
	call->reply.stream = export_piece;
	call->reply.stream_arg = ex;
	return 0;
}
