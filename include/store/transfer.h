/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks by the thousand: whose turn it is, the rows of an import. */
#ifndef DOCKET_STORE_TRANSFER_H
#define DOCKET_STORE_TRANSFER_H

#include "store/tasks.h"

/* A task from elsewhere. Absent instants are the caller's to fill. */
struct import_task {
	struct uuid id;		/* what it gets */
	struct uuid given;	/* of the file: when the owner has that task,
				 * in the trash or not, this one is skipped;
				 * nil: none */
	struct text title, description, status;
	int64_t priority;
	struct text due_date, due_timezone;
	int64_t due_at;		/* as in struct new_task */
	struct text due_local;
	struct texts tags;
	int64_t version;
	int64_t created_at;	/* the instant inside id */
	int64_t updated_at, completed_at;
	size_t line;		/* of its file */
};

/*
 * Inside a transaction, which holds it to its end: the caller's one place
 * among `places` of the whole service. who's errors; E_TRANSFER when the
 * caller has another export or import in hand, E_BUSY when all places are
 * taken.
 */
int store_transfer_claim(struct db *db, struct arena *mem,
    const struct principal *who, long places);

/*
 * Which of these zones the database does not know, by index; ret_unknown has
 * room for zones.n.
 */
int store_zones_check(struct db *db, struct arena *mem, struct texts zones,
    bool *ret_unknown);

/*
 * n tasks in one statement, in their order behind those that are there. A task
 * whose id or given the owner has is left as it is; ret_added: the others. who
 * NULL: the command line, for the user `owner`; no session is asked for.
 */
int store_task_import(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *owner,
    const struct import_task *v, size_t n, size_t *ret_added);

#endif
