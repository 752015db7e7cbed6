/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Manual order: a sequence of tasks, or one move. */
#include <stdlib.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/tasks.h"
#include "base/error.h"
#include "core/rank.h"

struct order_in {
	struct seen seen;
	struct list task_ids;	/* of struct uuid */
	struct text task_id, before, after;
};

#define IN struct order_in
static const struct field order_rows[] = {
	F(UUIDS, IN, task_ids, "task_ids", 0, 1, 5000, "These take this sequence within the places they hold", "[\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\"]"),
	F(TEXT, IN, task_id, "task_id", 0, 1, 64, "Or move this one (id or number)", NULL),
	F(TEXT, IN, before, "before", 0, 1, 64, "in front of this one", NULL),
	F(TEXT, IN, after, "after", 0, 1, 64, "or behind this one", NULL),
};
#undef IN
const struct fields order_body =
    FIELDS("Order", order_rows, struct order_in);

struct order_out {
	struct text message;
	int64_t moved;
};

static const struct field order_reply_rows[] = {
	F(TEXT, struct order_out, message, "message", 0, 0, 0, "", "\"Tasks ordered\""),
	F(INT, struct order_out, moved, "moved", 0, 0, 0, "How many tasks were named", "3"),
};
const struct fields order_reply =
    FIELDS("Ordered", order_reply_rows, struct order_out);

static int
uuid_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static bool
ids_repeat(struct arena *mem, const struct uuid *ids, size_t n)
{
	struct uuid *sorted = arena_array(mem, n, sizeof(*sorted));

	memcpy(sorted, ids, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), uuid_compare);
	for (size_t i = 1; i < n; i++)
		if (uuid_equal(&sorted[i - 1], &sorted[i]))
			return true;
	return false;
}

static int
order_sequence(struct call *call, const struct order_in *in,
    struct order_out *out)
{
	const struct uuid *ids = in->task_ids.v;
	size_t moved;
	int r;

	if (in->task_id.s || in->before.s || in->after.s)
		return call_fault(call, "/task_id", "duplicate",
		    "give task_ids or task_id, not both");
	if (ids_repeat(call->mem, ids, in->task_ids.n))
		return call_fault(call, "/task_ids", "duplicate",
		    "names a task twice");
	r = store_task_order(call->app->db, call->mem, &call->who, ids,
	    in->task_ids.n, &moved);
	if (r)
		return r;
	out->message = TEXT("Tasks ordered");
	out->moved = (int64_t)moved;
	return 0;
}

static int
order_move(struct call *call, const struct order_in *in,
    struct order_out *out)
{
	const struct text at = in->before.s ? in->before : in->after;
	struct task_ref ref, anchor;
	struct task moved;
	int r;

	if (!in->task_id.s || !at.s || (in->before.s && in->after.s))
		return call_fault(call, "/task_ids", "required",
		    "give task_ids, or task_id with before or after");
	if (!task_ref_parse(in->task_id, &ref) ||
	    !task_ref_parse(at, &anchor))
		return E_TASK_ID;
	r = store_task_move(call->app->db, call->mem, &call->who, &ref,
	    &anchor, in->after.s != NULL, rank_between, &moved);
	if (r)
		return r;
	out->message = TEXT("Task moved");
	out->moved = 1;
	return 0;
}

int
api_task_order(struct call *call)
{
	const struct order_in *in = call->body;
	struct order_out *out = arena_alloc(call->mem, sizeof(*out));

	call->reply.object = out;
	return in->task_ids.v ? order_sequence(call, in, out) :
	    order_move(call, in, out);
}
