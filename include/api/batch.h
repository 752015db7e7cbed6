/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A batch as it is sent, and what is said of it. */
#ifndef DOCKET_API_BATCH_H
#define DOCKET_API_BATCH_H

#include "api/tasks.h"

struct op_in {
	struct task_in task;	/* first: task_id is the operation's id */
	struct text op;		/* one of batch_ops */
	struct text if_match;
	bool purge;
};

extern const char *const batch_ops[];	/* in the order of enum batch_op */
/* Over struct op_in; its first four rows are these, the task's behind them. */
enum { OP_OP, OP_ID, OP_IF_MATCH, OP_PURGE, OP_TASK };
extern const struct fields batch_op_in;

struct batch_in {
	struct seen seen;
	struct list operations;	/* of struct op_in */
	bool atomic;
};
enum { BATCH_OPERATIONS, BATCH_ATOMIC };

struct batch_query_in {
	struct seen seen;
	bool dry_run;
};

/* ---- what is said of it ---- */

struct op_fault {
	struct text pointer, code, detail;
};

struct op_error {
	struct text type, title, detail, code;
	int64_t status;
	struct list errors;	/* of struct op_fault */
};

struct op_out {
	struct text op;
	int64_t status;
	bool has_task;
	struct task task;
	struct op_error error;	/* status INT_NONE: none */
};

struct batch_out {
	struct text message;
	bool atomic, dry_run;
	int64_t failed;
	struct list results;	/* of struct op_out */
};

#endif
