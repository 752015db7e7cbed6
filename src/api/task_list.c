/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A page of the caller's tasks: filters, sort, cursor, Link. */
#include "api/api.h"
#include "api/fields.h"
#include "api/pages.h"
#include "api/task_filter_in.h"
#include "api/tasks.h"
#include "base/error.h"
#include "web/cursor.h"

#define LIMIT_DEFAULT 50

struct tasks_in {
	struct seen seen;
	struct task_filter_in filter;
	struct texts fields;
	int64_t limit;
	struct text sort, cursor, count;
};

static const char *const counts[] = { "exact", NULL };
static const char *const sorts[] = {
	"position", "-position", "number", "-number",
	"created_at", "-created_at", "updated_at", "-updated_at",
	"due_date", "-due_date", "priority", "-priority",
	"title", "-title", "status", "-status", NULL
};

#define IN struct tasks_in
static const struct field query_rows[] = {
	TASK_FILTER_ROWS(IN),
	F_ENUM(IN, sort, "sort", 0, sorts, "A leading - turns it round; nothing due comes last either way", "\"position\""),
	F(INT, IN, limit, "limit", 0, 1, 200, "Rows a page; 50 when absent", "50"),
	F(TEXT, IN, cursor, "cursor", 0, 1, 2048, "next_cursor of the page before, with the same sort and filters", NULL),
	F_ENUM(IN, count, "count", 0, counts, "Add `total`", "\"exact\""),
	F(TEXTS, IN, fields, "fields", 0, 1, 32, "Only these members of each task", "[\"id\",\"title\"]"),
};
#undef IN
const struct fields tasks_query =
    FIELDS("TasksQuery", query_rows, struct tasks_in);

static void
list_sort(struct text name, struct task_filter *ret)
{
	if (!name.s)
		return;
	ret->descending = name.s[0] == '-';
	name.s += ret->descending;
	name.n -= ret->descending;
	for (int i = 0; i < SORT__MAX; i++)
		if (text_is(name, task_sort_names[i]))
			ret->sort = (enum task_sort)i;
}

/* fields=id,title -> the rows of the task object to print. */
static int
list_only(struct call *call, const struct tasks_in *in, uint64_t *ret)
{
	const struct fields *task = call->route->reply->v[0].sub;
	int row;

	*ret = 0;
	for (size_t i = 0; i < in->fields.n; i++) {
		row = field_find(task, in->fields.v[i]);
		if (row < 0)
			return call_fault(call, "?fields", "choice",
			    "names a member that tasks do not have");
		*ret |= UINT64_C(1) << row;
	}
	return 0;
}

/* With its length, so that two texts side by side read one way only. */
static void
bound_text(struct buf *b, struct text t)
{
	buf_printf(b, "|%zu:%.*s", t.n, TEXT_FMT(t));
}

/* Everything that must be the same for the next page. */
static struct text
list_bound_to(struct call *call, const struct task_filter *f)
{
	struct buf b = { 0 };
	struct text all;

	buf_uuid(&b, &call->who.user_id);
	buf_printf(&b, "|%d|%d|%lld|%d", f->sort, f->descending,
	    (long long)f->priority, f->overdue);
	buf_printf(&b, "|%zu", f->status.n);
	for (size_t i = 0; i < f->status.n; i++)
		bound_text(&b, f->status.v[i]);
	bound_text(&b, f->tag);
	bound_text(&b, f->q);
	buf_printf(&b, "|%lld|%lld|%lld|%lld|%lld|%lld",
	    (long long)f->due_before, (long long)f->due_after,
	    (long long)f->created_before, (long long)f->created_after,
	    (long long)f->updated_before, (long long)f->updated_after);
	if (b.failed) {
		buf_done(&b);
		arena_oom(call->mem);
	}
	all = arena_text(call->mem, buf_view(&b));
	buf_done(&b);
	return all;
}

static int
list_start(struct call *call, const struct tasks_in *in, struct text bound,
    struct task_filter *ret)
{
	struct cursor at;
	int r;

	if (!in->cursor.s)
		return 0;
	r = cursor_decode(call->mem, &call->app->key_cursor, bound,
	    in->cursor, &at);
	if (r)
		return r;
	ret->after = true;
	ret->key = at.key;
	ret->id = at.id;
	return 0;
}

static int
list_next(struct call *call, const struct task_list *page, struct text bound,
    struct tasks_out *out)
{
	const struct cursor at = { page->last_key, page->last_id };
	int r;

	if (!page->more)
		return 0;
	r = cursor_encode(call->mem, &call->app->key_cursor, bound, &at,
	    &out->next_cursor);
	if (r)
		return r;
	page_link(call, out->next_cursor);
	return 0;
}

int
api_task_list(struct call *call)
{
	const struct tasks_in *in = call->query;
	struct tasks_out *out = arena_alloc(call->mem, sizeof(*out));
	struct task_filter filter = {
		.limit = in->limit == INT_NONE ? LIMIT_DEFAULT : in->limit,
		.count = in->count.s != NULL,
	};
	struct task_list page;
	struct text bound;
	uint64_t only;
	int r;

	call->reply.object = out;
	list_sort(in->sort, &filter);
	if ((r = api_task_filter(call, &in->filter, &filter)) ||
	    (r = list_only(call, in, &only)))
		return r;
	bound = list_bound_to(call, &filter);
	if ((r = list_start(call, in, bound, &filter)) ||
	    (r = store_task_list(call->app->db, call->mem, &call->who,
	    &filter, &page)))
		return r;
	out->tasks = page.tasks;
	out->tasks.only = only;
	out->total = page.total;
	return list_next(call, &page, bound, out);
}
