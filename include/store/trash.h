/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Deleted tasks: listed, restored, and gone when their time is over. */
#ifndef DOCKET_STORE_TRASH_H
#define DOCKET_STORE_TRASH_H

#include "store/tasks.h"

struct trashed {
	struct task task;	/* first: it is printed and completed as one */
	int64_t deleted_at;
};

/* Where a page of the trash begins: behind that row. */
struct trash_from {
	int64_t deleted_at;	/* TIME_NONE: with the newest */
	struct uuid id;
};

/* Newest deleted first, up to limit + 1 rows of struct trashed. */
int store_trash_list(struct db *db, struct arena *mem,
    const struct principal *who, const struct trash_from *from,
    int64_t limit, struct list *ret);
/* Back to where it was in the order. E_TASK when it is not in the trash;
 * E_VERSION with *ret as it lies there (if_version INT_NONE: whatever it
 * is). */
int store_task_restore(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    int64_t if_version, struct task *ret);
/* Whatever became of it but a purge. E_TASK. */
int store_task_any(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    struct task *ret);
/* Everybody's that was deleted more than that many days ago, in batches that
 * are each a transaction: a reader or writer waits for a batch at most.
 * ret_n: how many are gone. */
int store_trash_empty(struct db *db, struct arena *mem, int64_t days,
    int64_t *ret_n);

#endif
