/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The trash: its list, and the way back. */
#include "store/trash.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/pages.h"
#include "api/tasks.h"
#include "base/error.h"
#include "web/cursor.h"

struct trash_in {
	struct seen seen;
	int64_t limit;
	struct text cursor;
};

static const struct field query_rows[] = {
	F(INT, struct trash_in, limit, "limit", 0, 1, PAGE_MAX, "Rows a page; 50 when absent", "50"),
	F(TEXT, struct trash_in, cursor, "cursor", 0, 1, 1024, "next_cursor of the page before", NULL),
};
const struct fields trash_query =
    FIELDS("TrashQuery", query_rows, struct trash_in);

struct trash_out {
	struct list tasks;	/* of struct trashed */
	struct text next_cursor;
};

static const struct field reply_rows[] = {
	F_SUB(LIST, struct trash_out, tasks, "tasks", 0, trashed_object, "Newest deleted first", NULL),
	F(TEXT, struct trash_out, next_cursor, "next_cursor", FIELD_NULLABLE, 0, 0, "Null on the last page", NULL),
};
const struct fields trash_reply =
    FIELDS("Trash", reply_rows, struct trash_out);

static struct text
trash_bound(struct call *call)
{
	char who[UUID_CHARS];

	uuid_format(&call->who.user_id, who);
	return text_of(arena_printf(call->mem, "trash %.*s", UUID_CHARS, who));
}

static int
trash_start(struct call *call, struct text cursor, struct trash_from *ret)
{
	struct cursor at;
	int r;

	*ret = (struct trash_from){ .deleted_at = TIME_NONE };
	if (!cursor.s)
		return 0;
	r = cursor_decode(call->mem, &call->app->key_cursor, trash_bound(call),
	    cursor, &at);
	if (r)
		return r;
	/* The MAC was right, so it is a number that was put there below. */
	ret->deleted_at = strtoll(arena_copy(call->mem, at.key.s, at.key.n),
	    NULL, 10);
	ret->id = at.id;
	return 0;
}

/* One row more than asked for tells whether there is a next page. */
static int
trash_next(struct call *call, size_t limit, struct trash_out *out)
{
	const struct trashed *last;
	struct cursor at;
	int r;

	if (out->tasks.n <= limit)
		return 0;
	out->tasks.n = limit;
	last = (const struct trashed *)out->tasks.v + limit - 1;
	at.id = last->task.id;
	at.key = text_of(arena_printf(call->mem, "%" PRId64,
	    last->deleted_at));
	r = cursor_encode(call->mem, &call->app->key_cursor, trash_bound(call),
	    &at, &out->next_cursor);
	if (r == 0)
		page_link(call, out->next_cursor);
	return r;
}

int
api_trash_list(struct call *call)
{
	const struct trash_in *in = call->query;
	const int64_t limit = in->limit == INT_NONE ? PAGE_DEFAULT : in->limit;
	struct trash_out *out = arena_alloc(call->mem, sizeof(*out));
	struct trash_from from;
	int r;

	call->reply.object = out;
	r = trash_start(call, in->cursor, &from);
	if (r)
		return r;
	r = store_trash_list(call->app->db, call->mem, &call->who, &from,
	    limit, &out->tasks);
	return r ? r : trash_next(call, (size_t)limit, out);
}

int
api_task_restore(struct call *call)
{
	struct task_done *out = arena_alloc(call->mem, sizeof(*out));
	struct task_match match;
	struct task_ref ref;
	int r;

	if ((r = task_ref_of(call, TEXT_NONE, &ref)) ||
	    (r = task_match_needed(call)))
		return r;
	task_if_match(call, &match);
	for (size_t i = 0; i < match.n || i == 0; i++) {
		r = store_task_restore(call->app->db, call->mem, &call->who,
		    &ref, match.n ? match.v[i] : INT_NONE, &out->task);
		if (r != E_VERSION)
			break;
	}
	if (r)
		return task_refuse(call, r, &out->task);
	out->message = TEXT("Task restored");
	call->reply.object = out;
	task_etag(call, &out->task);
	return 0;
}
