/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which tasks: the query members that a list and an export share. */
#ifndef DOCKET_API_TASK_FILTER_IN_H
#define DOCKET_API_TASK_FILTER_IN_H

#include "api/fields.h"
#include "store/tasks.h"
#include "web/call.h"

struct task_filter_in {
	struct texts status;
	int64_t priority;
	struct text tag, q;
	struct text due_before, due_after, created_before, created_after;
	struct text updated_before, updated_after;
	bool overdue;
};

/* Every status word among several is one, and becomes the stored one. */
int api_task_filter_statuses(struct arena *mem, void *member,
    const char **ret_why);

#define TASK_FILTER_BOUND(in_, m, doc) \
	F(TEXT, in_, filter.m, #m, 0, 1, 64, doc, "\"2026-12-31\"")
/* Field rows of a struct in_ with a member `filter`. */
#define TASK_FILTER_ROWS(in_) \
	F_CHECK(TEXTS, in_, filter.status, "status", 0, 0, 8, api_task_filter_statuses, "Any of these, comma separated", "[\"pending\"]"), \
	F(INT, in_, filter.priority, "priority", 0, 0, 9, "Exactly this", "1"), \
	F(TEXT, in_, filter.tag, "tag", 0, 1, 50, "Carrying this tag", "\"home\""), \
	F(TEXT, in_, filter.q, "q", 0, 1, 200, "Words of title and description, all of them: whole ones in either case; also a phrase in double quotes, or, -not", "\"milk\""), \
	TASK_FILTER_BOUND(in_, due_before, "Due before this date or instant"), \
	TASK_FILTER_BOUND(in_, due_after, "Due after this date or instant"), \
	TASK_FILTER_BOUND(in_, created_before, "Created before this date or instant"), \
	TASK_FILTER_BOUND(in_, created_after, "Created after this date or instant"), \
	TASK_FILTER_BOUND(in_, updated_before, "Changed before this date or instant"), \
	TASK_FILTER_BOUND(in_, updated_after, "Changed after this date or instant"), \
	F(BOOL, in_, filter.overdue, "overdue", 0, 0, 0, "Only what is overdue", "true")

/* Into *ret, the rest of which is the caller's. E_INVALID: the call has the
 * faults. */
int api_task_filter(struct call *call, const struct task_filter_in *in,
    struct task_filter *ret);

#endif
