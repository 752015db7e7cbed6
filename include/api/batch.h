/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One operation of a batch, as it is sent. */
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

#endif
