/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Many writes on tasks in one transaction. */
#ifndef DOCKET_STORE_BATCH_H
#define DOCKET_STORE_BATCH_H

#include "store/tasks.h"

enum batch_op { BATCH_CREATE, BATCH_UPDATE, BATCH_DELETE, BATCH__MAX };

struct batch_item {
	enum batch_op op;
	struct task_ref ref;	/* update, delete */
	struct task_change change;	/* create: to alone; delete: if_version
					 * alone */
	bool purge;		/* delete */
	/* What became of it: 0 or E_TASK, E_VERSION, E_TIMEZONE, E_DUE_ZONE
	 * and what else PostgreSQL says of its values. */
	int error;
	struct task task;	/* created, updated: as it stands then;
				 * E_VERSION: as it stood */
};

struct batch {
	struct batch_item *v;
	size_t n;
	bool atomic;	/* one that fails takes all back */
	bool dry;	/* all is taken back in any case */
};

/*
 * Run the items in their order, in the open transaction or in one of its own,
 * which is committed. *ret_failed: how many have an error; when the batch is
 * atomic and any has, nothing was done, the transaction is over, and items
 * behind one whose values PostgreSQL refused were not tried. What is wrong
 * with all of it (the caller's session, the database) is returned, and nothing
 * is done either. Three round trips, and one more for each refused item of a
 * batch that is not atomic.
 */
int store_task_batch(struct db *db, struct arena *mem,
    const struct principal *who, const struct batch *batch,
    size_t *ret_failed);

#endif
