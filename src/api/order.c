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
	struct texts task_ids;	/* ids or numbers */
	struct text task_id, before, after;
};

#define IN struct order_in
static const struct field order_rows[] = {
	F(TEXTS, IN, task_ids, "task_ids", FIELD_NUMERAL, 1, 5000, "These take this sequence within the places they hold", "[\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\"]"),
	F(TEXT, IN, task_id, "task_id", FIELD_NUMERAL, 1, 64, "Or move this one", "42"),
	F(TEXT, IN, before, "before", FIELD_NUMERAL, 1, 64, "in front of this one", "41"),
	F(TEXT, IN, after, "after", FIELD_NUMERAL, 1, 64, "or behind this one", "41"),
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
text_compare(const void *a, const void *b)
{
	const struct text *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->s, y->s, x->n);
}

static int
order_bad_id(struct call *call, const char *pointer)
{
	call_fault(call, pointer, "format", "must be a task's id or number");
	return E_TASK_ID;
}

static int
order_twice(struct call *call)
{
	return call_fault(call, "/task_ids", "duplicate",
	    "names a task twice");
}

/* Every one an id or a number, none twice; ids in their one spelling. */
static int
order_refs(struct call *call, struct texts in)
{
	struct text *sorted = arena_array(call->mem, in.n, sizeof(*sorted));
	struct task_ref ref;

	for (size_t i = 0; i < in.n; i++) {
		if (!task_ref_parse(in.v[i], &ref))
			return order_bad_id(call, arena_printf(call->mem,
			    "/task_ids/%zu", i));
		if (!uuid_is_nil(&ref.id)) {
			char *id = arena_alloc(call->mem, UUID_CHARS);

			uuid_format(&ref.id, id);
			in.v[i] = (struct text){ id, UUID_CHARS };
		}
		sorted[i] = in.v[i];
	}
	qsort(sorted, in.n, sizeof(*sorted), text_compare);
	for (size_t i = 1; i < in.n; i++)
		if (text_equal(sorted[i - 1], sorted[i]))
			return order_twice(call);
	return 0;
}

static int
order_sequence(struct call *call, const struct order_in *in,
    struct order_out *out)
{
	size_t moved;
	int r;

	if (in->task_id.s || in->before.s || in->after.s)
		return call_fault(call, "/task_id", "duplicate",
		    "give task_ids or task_id, not both");
	r = order_refs(call, in->task_ids);
	if (r)
		return r;
	r = store_task_order(call->app->db, call->mem, &call->who,
	    in->task_ids, &moved);
	/* By its id and by its number, which only the database sees. */
	if (r == E_INVALID)
		return order_twice(call);
	if (r)
		return r;
	out->message = TEXT("Tasks ordered");
	out->moved = (int64_t)moved;
	return 0;
}

static const struct task_ranks ranks = { rank_between, rank_spread };

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
	if (!task_ref_parse(in->task_id, &ref))
		return order_bad_id(call, "/task_id");
	if (!task_ref_parse(at, &anchor))
		return order_bad_id(call, in->before.s ? "/before" : "/after");
	r = store_task_move(call->app->db, call->mem, &call->who, &ref,
	    &anchor, in->after.s != NULL, &ranks, &moved);
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
