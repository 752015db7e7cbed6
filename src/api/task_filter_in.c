/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Query members that say which tasks, into the store's filter. */
#include "api/task_filter_in.h"

#include "base/error.h"
#include "core/task.h"

int
api_task_filter_statuses(struct arena *mem, void *member, const char **ret_why)
{
	struct texts *words = member;

	for (size_t i = 0; i < words->n; i++)
		if (task_check_status(mem, &words->v[i], ret_why))
			return 1;
	return 0;
}

static void
bound(struct call *call, const char *name, struct text in, bool end,
    int64_t *ret)
{
	*ret = TIME_NONE;
	if (in.s && task_bound_parse(in, end, ret))
		call_fault(call, name, "format",
		    "must be a date or an RFC 3339 instant");
}

int
api_task_filter(struct call *call, const struct task_filter_in *in,
    struct task_filter *ret)
{
	ret->status = in->status;
	ret->priority = in->priority;
	ret->tag = in->tag;
	ret->q = in->q;
	ret->overdue = in->overdue;
	bound(call, "?due_before", in->due_before, false, &ret->due_before);
	bound(call, "?due_after", in->due_after, true, &ret->due_after);
	bound(call, "?created_before", in->created_before, false,
	    &ret->created_before);
	bound(call, "?created_after", in->created_after, true,
	    &ret->created_after);
	bound(call, "?updated_before", in->updated_before, false,
	    &ret->updated_before);
	bound(call, "?updated_after", in->updated_after, true,
	    &ret->updated_after);
	return call->faults.n ? E_INVALID : 0;
}
