/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One task: create, read, change, delete. */
#include "api/tasks.h"

#include "api/api.h"
#include "api/fields.h"
#include "base/error.h"

static int
task_reply_done(struct call *call, struct task_done *out, const char *message)
{
	out->message = text_of(message);
	call->reply.object = out;
	task_etag(call, &out->task);
	return 0;
}

/* Only the database knows which zones there are. */
static int
task_zone(struct call *call, int r)
{
	if (r == E_TIMEZONE)
		return call_fault(call, "/due_timezone", "choice",
		    "is not a time zone that the server knows");
	if (r == E_DUE_ZONE)
		return call_fault(call, "/due_timezone", "format",
		    error_row(E_DUE_ZONE)->detail);
	return r;
}

int
api_task_create(struct call *call)
{
	const struct task_in *in = call->body;
	struct task_done *out = arena_alloc(call->mem, sizeof(*out));
	struct new_task task = { 0 };
	char id[UUID_CHARS];
	int r;

	if ((r = task_in_fill(call, in, true, &task)) ||
	    (r = crypto_uuid(&task.id, &task.created_at)))
		return r;
	r = store_task_insert(call->app->db, call->mem, &call->who, &task,
	    &out->task);
	if (r)
		return task_zone(call, r);
	uuid_format(&out->task.id, id);
	call_header(call, "Location", text_of(arena_printf(call->mem,
	    "/tasks/%.*s", UUID_CHARS, id)));
	return task_reply_done(call, out, "Task created");
}

int
api_task_get(struct call *call)
{
	struct task *task = arena_alloc(call->mem, sizeof(*task));
	struct task_ref ref;
	int r;

	call->reply.object = task;
	r = task_ref_of(call, TEXT_NONE, &ref);
	if (r)
		return r;
	r = store_task_get(call->app->db, call->mem, &call->who, &ref, task);
	if (r)
		return r;
	task_etag(call, task);
	return 0;
}

/* One write for each ETag of If-Match until one fits; mostly there is none, or
 * one. */
static int
task_update(struct call *call, const struct task_ref *ref,
    struct task_change *change, struct task *ret)
{
	struct task_match match;
	int r = E_VERSION;

	task_if_match(call, &match);
	if (!change->set && match.n == 0)
		return store_task_get(call->app->db, call->mem, &call->who,
		    ref, ret);
	change->if_version = INT_NONE;
	if (match.n == 0)
		return store_task_update(call->app->db, call->mem, &call->who,
		    ref, change, ret);
	for (size_t i = 0; i < match.n && r == E_VERSION; i++) {
		change->if_version = match.v[i];
		r = store_task_update(call->app->db, call->mem, &call->who,
		    ref, change, ret);
	}
	return r;
}

/* PUT, PATCH and PATCH status are one thing: the members that came change,
 * null clears, the others stay. */
static int
task_change(struct call *call, const struct task_in *in, const char *message)
{
	struct task_done *out = arena_alloc(call->mem, sizeof(*out));
	struct task_change change = {
		.set = task_in_set(call->route->body, in),
	};
	struct task_ref ref;
	int r;

	if ((r = task_ref_of(call, in->task_id, &ref)) ||
	    (r = task_match_needed(call)) ||
	    (r = task_in_fill(call, in, change.set & TASK_ZONE &&
	    change.set & TASK_DUE, &change.to)))
		return r;
	r = task_update(call, &ref, &change, &out->task);
	if (r)
		return task_refuse(call, task_zone(call, r), &out->task);
	return task_reply_done(call, out, message);
}

int
api_task_put(struct call *call)
{
	return task_change(call, call->body, "Task updated");
}

int
api_task_status(struct call *call)
{
	const struct task_in *in = call->body;

	if (!task_in_set(call->route->body, in))
		return call_fault(call, "", "required",
		    "status or due_date must be given");
	return task_change(call, in, "Task updated");
}

int
api_task_delete(struct call *call)
{
	static const struct message done = { TEXT_INIT("Task deleted") };
	const struct task_id_in *body = call->body;
	const struct task_id_in *query = call->query;
	struct task *now = arena_alloc(call->mem, sizeof(*now));
	struct task_match match;
	struct task_ref ref;
	int r;

	call->reply.object = &done;
	if ((r = task_ref_of(call, body ? body->task_id : TEXT_NONE, &ref)) ||
	    (r = task_match_needed(call)))
		return r;
	task_if_match(call, &match);
	for (size_t i = 0; i < match.n || i == 0; i++) {
		r = store_task_delete(call->app->db, call->mem, &call->who,
		    &ref, match.n ? match.v[i] : INT_NONE, query->purge, now);
		if (r != E_VERSION)
			break;
	}
	return task_refuse(call, r, now);
}
