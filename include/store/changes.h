/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What changed since: the feed that clients keep a copy by. */
#ifndef DOCKET_STORE_CHANGES_H
#define DOCKET_STORE_CHANGES_H

#include "store/tasks.h"

/*
 * How far a client has come. First it is given the tasks themselves, by id,
 * then every change since the moment when it began: the log needs no history
 * of what nobody has touched.
 */
struct changes_at {
	bool whole;		/* still among the tasks */
	int64_t change;		/* the log is read up to here, or will be from
				 * here; INT_NONE: about to begin */
	struct uuid id;		/* whole: the last task given; nil: none */
};

struct task_changed {
	struct uuid id;
	int64_t version;
	bool deleted;
	struct task task;	/* id nil when deleted */
};

struct changes {
	struct list changes;	/* of struct task_changed, oldest first, a task
				 * once, as it is now */
	struct changes_at next;
	bool more;
};

/* At most limit of them. E_CHANGES when `from` is before what the log still
 * has, or behind its end. */
int store_changes(struct db *db, struct arena *mem,
    const struct principal *who, const struct changes_at *from, int64_t limit,
    struct changes *ret);

/* Take from the logs what a later change of the same task says too, and what
 * is older than `keep` seconds; ret_n rows. */
int store_changes_trim(struct db *db, struct arena *mem, int64_t keep,
    int64_t *ret_n);

#endif
