/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sweeping out what has served its time. */
#ifndef DOCKET_STORE_GC_H
#define DOCKET_STORE_GC_H

#include "store/db.h"

/* Rows taken away, by kind. */
struct gc_counts {
	int64_t otps, budgets, attempts, idempotency, sessions;
	int64_t audit, tasks;
};

/* Codes and budgets two days after their last use, windows after two hours,
 * stored replies after 24 h, sessions 30 days after their end; entries of the
 * audit trail audit_keep seconds after they were written, deleted tasks after
 * trash_days. */
int store_gc(struct db *db, struct arena *mem, int64_t audit_keep,
    int64_t trash_days, struct gc_counts *ret);

#endif
