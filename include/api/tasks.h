/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What task handlers take and give; the profiles print parts of it. */
#ifndef DOCKET_API_TASKS_H
#define DOCKET_API_TASKS_H

#include "base/field.h"
#include "store/tasks.h"
#include "web/call.h"

/* {message, task} */
struct task_done {
	struct text message;
	struct task task;
};

/* A page of tasks. */
struct tasks_out {
	struct list tasks;	/* of struct task */
	struct text next_cursor;
	int64_t total;
};

/* Body of create, put, patch and status. */
struct task_in {
	struct seen seen;
	struct text title, description, status;
	int64_t priority;
	struct text due_date, due_timezone;
	struct texts tags;
	struct text task_id;	/* S0: the id in the body */
};

/* A query or body that only names the task (S0), with purge for delete. */
struct task_id_in {
	struct seen seen;
	struct text task_id;
	bool purge;
};

extern const struct fields task_object;		/* over struct task */
extern const struct fields trashed_object;	/* over struct trashed */

/* Which TASK_* members of a store change an input had, whatever list of rows
 * it was decoded by. */
unsigned task_in_set(const struct fields *fields, const struct task_in *in);
/* Input -> what the store takes; faults of due_date are noted (E_INVALID).
 * whole: nothing is there already that a zone could go with. */
int task_in_fill(struct call *call, const struct task_in *in, bool whole,
    struct new_task *ret);

/* An id or a number as text. */
bool task_ref_parse(struct text t, struct task_ref *ret);
/* The task a call is about: the path's {id}, else S0's task_id. E_TASK_ID. */
int task_ref_of(struct call *call, struct text in_body, struct task_ref *ret);
/* The versions that If-Match names (RFC 9110 §13.1.1, strong comparison: a
 * weak or foreign tag counts as -1, which no task has); none for no header
 * and for `*`. */
#define TASK_MATCH_MAX 8
struct task_match {
	int64_t v[TASK_MATCH_MAX];
	size_t n;
};
void task_if_match(const struct call *call, struct task_match *ret);
/* A write on one task that does not say which version it means, where
 * tasks.require_if_match asks for that: E_MATCH_NEEDED, else 0. */
int task_match_needed(const struct call *call);
/* The strong ETag of one task. */
void task_etag(struct call *call, const struct task *task);
/* A 412 carries the task as it stands. */
int task_refuse(struct call *call, int error, const struct task *now);

#endif
