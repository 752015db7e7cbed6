/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* POST /tasks/batch: many writes in one request, together or each alone. */
#include "api/batch.h"

#include "api/api.h"
#include "base/error.h"
#include "store/batch.h"

/* ---- is it sound? ---- */

/* Which rows of batch_op_in each kind takes. */
#define BIT(row) (UINT64_C(1) << (row))
#define BITS_TASK (UINT64_MAX << OP_TASK)
static const struct {
	uint64_t takes;
	const char *not_taken;
} kinds[BATCH__MAX] = {
	[BATCH_CREATE] = { BIT(OP_OP) | BITS_TASK, "is not for create" },
	[BATCH_UPDATE] = { BIT(OP_OP) | BIT(OP_ID) | BIT(OP_IF_MATCH) |
	    BITS_TASK, "is not for update" },
	[BATCH_DELETE] = { BIT(OP_OP) | BIT(OP_ID) | BIT(OP_IF_MATCH) |
	    BIT(OP_PURGE), "is not for delete" },
};

/* An operation while it is looked at. */
struct check {
	struct call *call;
	const struct op_in *in;
	struct batch_item *item;
	struct text at;		/* "/operations/3" */
	size_t *unconditional;	/* faults: an if_match that is needed */
};

static void
fault(const struct check *c, const char *name, const char *code,
    const char *detail)
{
	faults_add(&c->call->faults, c->call->mem, c->at,
	    name ? text_of(name) : TEXT_NONE, code, detail);
}

static enum batch_op
op_kind(struct text op)
{
	int i = 0;

	while (batch_ops[i + 1] && !text_is(op, batch_ops[i]))
		i++;
	return (enum batch_op)i;
}

static void
check_members(const struct check *c)
{
	const uint64_t set = c->in->task.seen.set;

	for (unsigned row = 0; row < batch_op_in.n; row++)
		if (set & ~kinds[c->item->op].takes & BIT(row))
			fault(c, batch_op_in.v[row].name, "unknown",
			    kinds[c->item->op].not_taken);
}

static void
check_id(const struct check *c)
{
	const struct text id = c->in->task.task_id;

	if (!id.s)
		fault(c, "id", "required", "is required");
	else if (!task_ref_parse(id, &c->item->ref))
		fault(c, "id", "format", "must be a task's id or number");
}

/* 3, "3" and the ETag "\"3\"" mean a version, "*" any. */
static void
check_version(const struct check *c)
{
	struct text t = c->in->if_match;
	struct task_ref version;

	c->item->change.if_version = INT_NONE;
	if (!t.s && c->call->app->settings->tasks_require_if_match) {
		++*c->unconditional;
		fault(c, "if_match", "required", "is required");
	}
	if (!t.s || text_is(t, "*"))
		return;
	if (t.n > 2 && t.s[0] == '"' && t.s[t.n - 1] == '"')
		t = (struct text){ t.s + 1, t.n - 2 };
	if (task_ref_parse(t, &version) && version.number != INT_NONE)
		c->item->change.if_version = version.number;
	else
		fault(c, "if_match", "format",
		    "must be a version, an ETag, or *");
}

/* The task's own faults point to their place in the batch. */
static void
check_task(const struct check *c, bool whole)
{
	struct faults *faults = &c->call->faults;
	const size_t from = faults->n;

	task_in_fill(c->call, &c->in->task, whole, &c->item->change.to);
	for (size_t i = from; i < faults->n; i++)
		faults->v[i].pointer = text_of(arena_printf(c->call->mem,
		    "%.*s%.*s", TEXT_FMT(c->at),
		    TEXT_FMT(faults->v[i].pointer)));
}

static int
check_create(const struct check *c)
{
	struct new_task *to = &c->item->change.to;

	if (!c->in->task.title.s)
		fault(c, "title", "required", "is required");
	check_task(c, true);
	return crypto_uuid(&to->id, &to->created_at);
}

static void
check_update(const struct check *c)
{
	const unsigned set = task_in_set(&batch_op_in, &c->in->task);

	c->item->change.set = set;
	if (!set)
		fault(c, NULL, "required", "an update changes some member");
	check_task(c, set & TASK_ZONE && set & TASK_DUE);
}

static int
check_op(const struct check *c)
{
	c->item->op = op_kind(c->in->op);
	check_members(c);
	if (c->item->op == BATCH_CREATE)
		return check_create(c);
	check_id(c);
	check_version(c);
	c->item->purge = c->in->purge;
	if (c->item->op == BATCH_UPDATE)
		check_update(c);
	return 0;
}

/* Everything that can be known beforehand, of all operations at once. */
static int
batch_check(struct call *call, const struct list *operations,
    struct batch_item *items)
{
	const struct op_in *in = operations->v;
	size_t unconditional = 0;
	int r;

	for (size_t i = 0; i < operations->n; i++) {
		const struct check check = {
			.call = call, .in = &in[i], .item = &items[i],
			.at = text_of(arena_printf(call->mem,
			    "/operations/%zu", i)),
			.unconditional = &unconditional,
		};

		if ((r = check_op(&check)))
			return r;
	}
	if (call->faults.n == 0)
		return 0;
	return unconditional >= call->faults.n ? E_MATCH_NEEDED : E_INVALID;
}

/* ---- what became of it ---- */

/* What is wrong with an item that failed, and the answer it is. */
static int
item_error(struct call *call, const struct batch_item *item, size_t i,
    struct op_fault *ret)
{
	const struct error_row *row = error_row(item->error);
	const bool zone = item->error == E_TIMEZONE ||
	    item->error == E_DUE_ZONE;

	ret->pointer = text_of(arena_printf(call->mem, "/operations/%zu%s", i,
	    zone ? "/due_timezone" : ""));
	ret->code = text_of(item->error == E_TIMEZONE ? "choice" :
	    zone ? "format" : row->code);
	ret->detail = text_of(item->error == E_TIMEZONE ?
	    "is not a time zone that the server knows" : row->detail);
	return zone ? E_INVALID : item->error;
}

static void
print_item(struct call *call, const struct batch_item *item, size_t i,
    struct op_out *out)
{
	struct op_fault *fault = arena_alloc(call->mem, sizeof(*fault));
	const struct error_row *row;

	out->op = text_of(batch_ops[item->op]);
	out->status = item->op == BATCH_CREATE ? 201 : 200;
	out->task = item->task;
	out->has_task = item->error ? item->error == E_VERSION :
	    item->op != BATCH_DELETE;
	out->error.status = INT_NONE;
	if (!item->error)
		return;
	row = error_row(item_error(call, item, i, fault));
	out->status = row->status;
	out->error = (struct op_error){
		.type = text_of(arena_printf(call->mem, "/problems/%s",
		    row->code)),
		.title = text_of(row->title), .status = row->status,
		.detail = text_of(row->detail), .code = text_of(row->code),
		.errors = { .v = fault, .n = 1 },
	};
}

/* Nothing was done: the first that failed says why, all are pointed to. */
static int
batch_refuse(struct call *call, const struct batch *batch)
{
	int first = 0;

	for (size_t i = 0; i < batch->n; i++) {
		const struct batch_item *item = &batch->v[i];
		struct op_fault f;
		int error;

		if (!item->error)
			continue;
		error = item_error(call, item, i, &f);
		faults_add(&call->faults, call->mem, f.pointer, TEXT_NONE,
		    f.code.s, f.detail.s);
		if (first)
			continue;
		first = error;
		if (error == E_VERSION) {
			call->reply.extra = &task_object;
			call->reply.extra_object = &item->task;
			call->reply.extra_name = "task";
		}
	}
	return first;
}

int
api_task_batch(struct call *call)
{
	const struct batch_in *in = call->body;
	const struct batch_query_in *query = call->query;
	struct batch_out *out = arena_alloc(call->mem, sizeof(*out));
	const size_t n = in->operations.n;
	struct batch batch = {
		.v = arena_array(call->mem, n, sizeof(*batch.v)), .n = n,
		.atomic = in->atomic || !seen_has(&in->seen, BATCH_ATOMIC),
		.dry = query->dry_run,
	};
	struct op_out *results = arena_array(call->mem, n, sizeof(*results));
	size_t failed;
	int r;

	if ((r = batch_check(call, &in->operations, batch.v)) ||
	    (r = store_task_batch(call->app->db, call->mem, &call->who,
	    &batch, &failed)))
		return r;
	if (batch.atomic && failed)
		return batch_refuse(call, &batch);
	for (size_t i = 0; i < n; i++)
		print_item(call, &batch.v[i], i, &results[i]);
	*out = (struct batch_out){
		.message = batch.dry ? TEXT("Nothing was changed") :
		    TEXT("Batch done"),
		.atomic = batch.atomic, .dry_run = batch.dry,
		.failed = (int64_t)failed, .results = { .v = results, .n = n },
	};
	call->reply.object = out;
	return 0;
}
