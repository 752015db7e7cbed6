/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All of the caller's tasks as one file, a part at a time. */
#include "api/api.h"
#include "api/fields.h"
#include "api/task_filter_in.h"
#include "api/tasks.h"
#include "api/transfer.h"
#include "base/error.h"
#include "store/export.h"
#include "web/task_file.h"

#define PART_MEMORY ((size_t)1024 * 1024)

struct export_in {
	struct seen seen;
	struct text format;
	struct task_filter_in filter;
};

static const char *const formats[] = { "json", "ndjson", "csv", "ics", NULL };

#define IN struct export_in
static const struct field query_rows[] = {
	F_ENUM(IN, format, "format", 0, formats, "json when absent", "\"csv\""),
	TASK_FILTER_ROWS(IN),
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
	struct task_filter filter = { .sort = SORT_POSITION };
	int r;

	ex->format = in->format.s ? task_format_of(in->format) : TASKS_JSON;
	if ((r = api_task_filter(call, &in->filter, &filter)))
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
