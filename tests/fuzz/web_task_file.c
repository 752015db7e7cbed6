/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a file of tasks: the same through every window, and what is
 * taken comes back from a file of each format. */
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "lib/input.h"
#include "web/task_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TASKS_MAX 64

/* What a reading came to. */
struct reading {
	size_t tasks, refused;
	size_t lines;		/* sum of where they began */
	int end;
};

static void
keep(struct reading *r, int found, const struct import_task *t,
    const struct faults *faults, struct import_task *v)
{
	r->lines += t->line;
	if (found == TASK_READ && faults->n == 0) {
		if (v && r->tasks < TASKS_MAX)
			v[r->tasks] = *t;
		r->tasks++;
		return;
	}
	must(faults->n > 0, "refused without a word");
	r->refused++;
}

/* The whole text by windows that grow by step. */
static struct reading
read_all(enum task_format format, struct text in, size_t step,
    struct arena *mem, struct import_task *v)
{
	struct task_reader reader = { .format = format, .stays = mem };
	struct reading r = { 0 };
	size_t at = 0, seen = 0, used;

	for (;;) {
		const bool last = seen == in.n;
		struct import_task t = { .line = 0 };
		struct faults faults;

		r.end = task_read(&reader, (struct text){ in.s + at,
		    seen - at }, last, mem, &t, &faults, &used);
		must(used <= seen - at, "used more than there was");
		at += used;
		if (r.end == TASK_READ || r.end == TASK_BROKEN)
			keep(&r, r.end, &t, &faults, v);
		if (r.end == TASK_MORE) {
			must(!last, "wants more than all");
			seen = in.n - seen < step ? in.n : seen + step;
		} else if (r.end != TASK_READ) {
			must(r.end == TASK_END || r.end == TASK_BROKEN,
			    "a fault of ours");
			return r;
		}
	}
}

static bool
has_control(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((unsigned char)t.s[i] < 0x20 && t.s[i] != '\t' &&
		    t.s[i] != '\n') || t.s[i] == 0x7f)
			return true;
	return false;
}

/* iCalendar has no form for some. */
static bool
fits(enum task_format format, const struct import_task *t)
{
	bool control = has_control(t->title) || has_control(t->description);

	for (size_t i = 0; i < t->tags.n; i++)
		control |= has_control(t->tags.v[i]);
	return format != TASKS_ICS || !control;
}

static void
check_same(enum task_format format, const struct import_task *a,
    const struct import_task *b)
{
	must(text_equal(a->title, b->title), "another title");
	must(text_equal(a->description, b->description),
	    "another description");
	must(text_equal(a->status, b->status), "another status");
	must(a->priority == b->priority && a->version == b->version,
	    "another number");
	must(a->tags.n == b->tags.n, "another number of tags");
	for (size_t i = 0; i < a->tags.n; i++)
		must(text_equal(a->tags.v[i], b->tags.v[i]), "another tag");
	must(text_equal(a->due_timezone, b->due_timezone), "another zone");
	if (format == TASKS_ICS)
		return;
	must(text_equal(a->due_date, b->due_date), "another due date");
	must(a->created_at == b->created_at &&
	    a->updated_at == b->updated_at &&
	    a->completed_at == b->completed_at, "another instant");
}

static void
check_back(enum task_format format, const struct import_task *t,
    struct arena *mem)
{
	const struct task task = {
		.id = t->id, .number = 1, .title = t->title,
		.description = t->description, .status = t->status,
		.priority = t->priority, .due_date = t->due_date,
		.due_timezone = t->due_timezone, .tags = t->tags,
		.position = TEXT_INIT("1"), .version = t->version,
		.created_at = t->created_at, .updated_at = t->updated_at,
		.completed_at = t->completed_at,
	};
	struct import_task back[TASKS_MAX];
	struct buf out = { 0 };
	struct reading r;

	task_file_begin(format, &out);
	task_file_put(format, &out, &task, true);
	task_file_end(format, &out);
	r = read_all(format, buf_view(&out), out.n, mem, back);
	must(r.end == TASK_END && r.tasks == 1 && r.refused == 0,
	    "what was written is not read");
	check_same(format, t, &back[0]);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_task v[TASKS_MAX];
	struct arena *mem = arena_new(65536);
	struct reading whole, parts;
	enum task_format format;
	static bool ready;
	struct text in;

	must(ready || crypto_init() == 0, "no random numbers");
	ready = true;
	if (size == 0 || !mem) {
		arena_free(mem);
		return 0;
	}
	format = (enum task_format)(data[0] % TASKS__MAX);
	in = (struct text){ (const char *)data + 1, size - 1 };
	whole = read_all(format, in, in.n, mem, v);
	parts = read_all(format, in, 1 + data[0] / TASKS__MAX, mem, NULL);
	must(whole.tasks == parts.tasks && whole.refused == parts.refused &&
	    whole.lines == parts.lines && whole.end == parts.end,
	    "the window matters");
	for (size_t i = 0; i < whole.tasks && i < TASKS_MAX; i++)
		for (int f = 0; f < TASKS__MAX; f++)
			if (fits((enum task_format)f, &v[i]))
				check_back((enum task_format)f, &v[i], mem);
	arena_free(mem);
	return 0;
}
