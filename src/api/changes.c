/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What changed since a token: for clients that keep a copy. */
#include "store/changes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/pages.h"
#include "api/tasks.h"
#include "base/error.h"
#include "web/cursor.h"

struct changes_in {
	struct seen seen;
	struct text since;
	int64_t limit;
};

#define IN struct changes_in
static const struct field query_rows[] = {
	F(TEXT, IN, since, "since", 0, 1, 2048, "next of the page before; absent: from the beginning", NULL),
	F(INT, IN, limit, "limit", 0, 1, PAGE_MAX, "Changes a page, at most; 50 when absent", "50"),
};
#undef IN
const struct fields changes_query =
    FIELDS("ChangesQuery", query_rows, struct changes_in);

#define C struct task_changed
static const struct field change_rows[] = {
	F(UUID, C, id, "id", 0, 0, 0, "The task's", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""),
	F(INT, C, version, "version", 0, 0, 0, "Counts its changes", "2"),
	F(BOOL, C, deleted, "deleted", 0, 0, 0, "Gone, or in the trash: drop it", "false"),
	F_SUB(OBJECT, C, task, "task", FIELD_OMIT_NONE, task_object, "As it is now; absent when deleted", NULL),
};
#undef C
static const struct fields change_object =
    FIELDS("Change", change_rows, struct task_changed);

struct changes_out {
	struct list changes;
	struct text next;
	bool more;
};

#define OUT struct changes_out
static const struct field reply_rows[] = {
	F_SUB(LIST, OUT, changes, "changes", 0, change_object, "Oldest first; a task once a page", NULL),
	F(TEXT, OUT, next, "next", 0, 0, 0, "since of the next request, now or any time later", NULL),
	F(BOOL, OUT, more, "more", 0, 0, 0, "There is more already", "false"),
};
#undef OUT
const struct fields changes_reply =
    FIELDS("Changes", reply_rows, struct changes_out);

/* Nobody else's, and no list's. */
static struct text
bound_to(struct call *call)
{
	char id[UUID_CHARS];

	uuid_format(&call->who.user_id, id);
	return text_of(arena_printf(call->mem, "changes|%.*s", UUID_CHARS,
	    id));
}

/* "w" or "c", and the number: the MAC says that it was written here. */
static int
since_read(struct call *call, struct text since, struct changes_at *ret)
{
	struct cursor at;
	int r;

	*ret = (struct changes_at){ .whole = true, .change = INT_NONE };
	if (!since.s)
		return 0;
	r = cursor_decode(call->mem, &call->app->key_cursor, bound_to(call),
	    since, &at);
	if (r)
		return r;
	if (at.key.n < 2)
		return E_CURSOR;
	ret->whole = at.key.s[0] == 'w';
	ret->change = strtoll(arena_printf(call->mem, "%.*s",
	    (int)at.key.n - 1, at.key.s + 1), NULL, 10);
	ret->id = at.id;
	return 0;
}

static int
since_write(struct call *call, const struct changes_at *at, struct text *ret)
{
	const struct cursor next = {
		.key = text_of(arena_printf(call->mem, "%c%" PRId64,
		    at->whole ? 'w' : 'c', at->change)),
		.id = at->id,
	};

	return cursor_encode(call->mem, &call->app->key_cursor,
	    bound_to(call), &next, ret);
}

int
api_task_changes(struct call *call)
{
	const struct changes_in *in = call->query;
	struct changes_out *out = arena_alloc(call->mem, sizeof(*out));
	struct changes_at from;
	struct changes page;
	int r;

	call->reply.object = out;
	if ((r = since_read(call, in->since, &from)) ||
	    (r = store_changes(call->app->db, call->mem, &call->who, &from,
	    in->limit == INT_NONE ? PAGE_DEFAULT : in->limit, &page)))
		return r;
	out->changes = page.changes;
	out->more = page.more;
	return since_write(call, &page.next, &out->next);
}
