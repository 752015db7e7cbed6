/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The first byte picks a body of the route table; the rest is that body, as
 * JSON and, where the byte says so, as a form. */
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/tasks.h"
#include "base/error.h"
#include "lib/input.h"
#include "web/json.h"
#include "web/request.h"

/* A body that several routes share is there once. */
static const struct fields *bodies[64];
static unsigned n_bodies;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; i < api_routes.n; i++) {
		const struct fields *body = api_routes.v[i].body;
		unsigned k = 0;

		while (k < n_bodies && bodies[k] != body)
			k++;
		if (k == n_bodies && body != &fields_none)
			bodies[n_bodies++] = body;
	}
	return n_bodies < 5;
}

static bool
decode(const struct fields *fields, bool form, struct text in,
    struct arena *mem, void *object)
{
	struct faults faults = { .n = 0 };
	bool ok;

	if (form)
		request_decode_pairs(in, fields, mem, "/", object, &faults);
	ok = form ? faults.n == 0 :
	    json_decode(in, fields, mem, object, &faults);
	input_check_faults(&faults, ok);
	return ok;
}

static void
round_trip(const struct fields *fields, bool form, const void *object,
    struct arena *mem)
{
	void *again = arena_alloc(mem, fields->size);
	struct buf out = { 0 };

	input_check_struct(fields, object);
	(form ? input_print_pairs : input_print_json)(&out, fields, object);
	must(!out.failed, "no memory");
	must(decode(fields, form, buf_view(&out), mem, again),
	    "what was printed is refused");
	input_check_same(fields, object, again);
	buf_done(&out);
}

static bool
has_row(const struct fields *fields, const char *name)
{
	return field_find(fields, text_of(name)) >= 0;
}

/* What the handlers of tasks go on with: every member within what the store
 * takes, or the one fault they may add. */
static void
check_task(const struct fields *fields, const struct task_in *in,
    struct arena *mem)
{
	const unsigned all = TASK_TITLE | TASK_DESCRIPTION | TASK_STATUS |
	    TASK_PRIORITY | TASK_DUE | TASK_ZONE | TASK_TAGS;
	const bool whole = fields->v[0].flags & FIELD_REQUIRED;
	struct call call = { .mem = mem };
	struct new_task task = { .priority = INT_NONE };
	const int r = task_in_fill(&call, in, whole, &task);

	must(r == 0 || r == E_INVALID, "another fault");
	must((r == 0) == (call.faults.n == 0), "refused without a word");
	input_check_faults(&call.faults, r == 0);
	must(!whole || in->title.s, "a task without a title");
	must(task.description.s && task.status.s && task.tags.v &&
	    task.priority >= 0 && task.priority <= 9, "a member is absent");
	if (r == 0)
		must((task.due_date.s != NULL) == (in->due_date.s != NULL) &&
		    (!task.due_local.s || task.due_at == TIME_NONE),
		    "another due date");
	must((task_in_set(fields, in) & ~all) == 0,
	    "a member that nobody knows");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fields *fields;
	struct arena *mem;
	struct text in;
	void *object;
	bool form;

	if (size == 0 || !(mem = arena_new(4096)))
		return 0;
	form = data[0] >= 128;
	fields = bodies[data[0] % 128 % n_bodies];
	in = (struct text){ (const char *)data + 1, size - 1 };
	object = arena_alloc(mem, fields->size);
	if (decode(fields, form, in, mem, object)) {
		round_trip(fields, form, object, mem);
		if (has_row(fields, "status") && has_row(fields, "due_date"))
			check_task(fields, object, mem);
	}
	arena_free(mem);
	return 0;
}
