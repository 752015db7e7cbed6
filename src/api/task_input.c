/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From what a client sends about a task to what the store takes. */
#include "api/api.h"
#include "api/tasks.h"
#include "base/error.h"
#include "core/task.h"

static const struct {
	size_t offset;
	unsigned bit;
} members[] = {
	{ offsetof(struct task_in, title),		TASK_TITLE },
	{ offsetof(struct task_in, description),	TASK_DESCRIPTION },
	{ offsetof(struct task_in, status),		TASK_STATUS },
	{ offsetof(struct task_in, priority),		TASK_PRIORITY },
	{ offsetof(struct task_in, due_date),		TASK_DUE },
	{ offsetof(struct task_in, due_timezone),	TASK_ZONE },
	{ offsetof(struct task_in, tags),		TASK_TAGS },
};

static unsigned
member_bit(size_t offset)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].offset == offset)
			return members[i].bit;
	return 0;
}

unsigned
task_in_set(const struct fields *fields, const struct task_in *in)
{
	unsigned set = 0;

	for (unsigned i = 0; i < fields->n; i++)
		if (seen_has(&in->seen, i))
			set |= member_bit(fields->v[i].offset);
	return set;
}

/* What is asked of the zone: here when the input says all there is to say,
 * else by the database, which has the rest. */
static int
fill_due(struct call *call, const struct task_in *in, bool whole,
    struct new_task *ret)
{
	const bool zoned = in->due_timezone.s != NULL;
	const char *why;
	struct due due;

	ret->due_at = TIME_NONE;
	ret->due_timezone = in->due_timezone;
	if (!in->due_date.s)
		return whole && zoned ? call_fault(call, "/due_date",
		    "required", "due_timezone needs a local due_date") : 0;
	if (task_due_parse(call->mem, in->due_date, zoned, &due, &why) &&
	    (whole || task_due_parse(call->mem, in->due_date, true, &due,
	    &why)))
		return call_fault(call, "/due_date", "format", why);
	ret->due_date = due.text;
	ret->due_at = due.at;
	ret->due_local = due.local;
	return 0;
}

/* What is absent or null gets the value of a task that says nothing of it. */
int
task_in_fill(struct call *call, const struct task_in *in, bool whole,
    struct new_task *ret)
{
	static struct text none[1];

	ret->title = in->title;
	ret->description = in->description.s ? in->description : TEXT("");
	ret->status = in->status.s ? in->status : TEXT("pending");
	ret->priority = in->priority == INT_NONE ? 0 : in->priority;
	ret->tags = in->tags.v ? in->tags : (struct texts){ none, 0 };
	return fill_due(call, in, whole, ret);
}

bool
task_ref_parse(struct text t, struct task_ref *ret)
{
	int64_t number = 0;

	*ret = (struct task_ref){ .number = INT_NONE };
	if (uuid_parse(t, &ret->id))
		return !uuid_is_nil(&ret->id);
	if (t.n == 0 || t.n > 18 || t.s[0] == '0')
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		number = number * 10 + (t.s[i] - '0');
	}
	ret->number = number;
	return true;
}

int
task_ref_of(struct call *call, struct text in_body, struct task_ref *ret)
{
	const struct task_id_in *query = call->query;
	const bool alias = call->route->query == &s0_task_query;
	struct text t = call->params[0];

	if (alias && query->task_id.s && in_body.s &&
	    !text_equal(query->task_id, in_body))
		return call_fault(call, "/task_id", "duplicate",
		    "is another one than in the query");
	if (!t.s)
		t = in_body;
	if (!t.s && alias)
		t = query->task_id;
	return t.s && task_ref_parse(t, ret) ? 0 : E_TASK_ID;
}

/* One entity tag of a list: the version in it, or -1, which none is. */
static int64_t
tag_version(struct text tag)
{
	struct task_ref version;

	if (tag.n < 3 || tag.s[0] != '"' || tag.s[tag.n - 1] != '"')
		return -1;
	if (!task_ref_parse((struct text){ tag.s + 1, tag.n - 2 }, &version) ||
	    version.number == INT_NONE)
		return -1;
	return version.number;
}

void
task_if_match(const struct call *call, struct task_match *ret)
{
	struct text rest = call->req->if_match;

	ret->n = 0;
	if (!rest.s || text_is(rest, "*"))
		return;
	if (!rest.n)	/* a header that names no version names no task's */
		ret->v[ret->n++] = -1;
	while (rest.n && ret->n < TASK_MATCH_MAX) {
		const char *comma = memchr(rest.s, ',', rest.n);
		struct text tag = { rest.s,
		    comma ? (size_t)(comma - rest.s) : rest.n };

		rest.s += tag.n + (comma != NULL);
		rest.n -= tag.n + (comma != NULL);
		for (; tag.n && tag.s[0] == ' '; tag.s++)
			tag.n--;
		while (tag.n && tag.s[tag.n - 1] == ' ')
			tag.n--;
		ret->v[ret->n++] = tag_version(tag);
	}
}

int
task_match_needed(const struct call *call)
{
	return call->app->settings->tasks_require_if_match &&
	    !call->req->if_match.s ? E_MATCH_NEEDED : 0;
}

void
task_etag(struct call *call, const struct task *task)
{
	call_header(call, "ETag", text_of(arena_printf(call->mem,
	    "\"%lld\"", (long long)task->version)));
}

int
task_refuse(struct call *call, int error, const struct task *now)
{
	if (error != E_VERSION)
		return error;
	call->reply.extra = &task_object;
	call->reply.extra_object = now;
	call->reply.extra_name = "task";
	task_etag(call, now);
	return error;
}
