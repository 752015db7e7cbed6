/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What an idle sender does for its lane: counts, and the sweep. */
#ifndef DOCKET_STORE_LANES_H
#define DOCKET_STORE_LANES_H

#include "store/db.h"

extern const struct stmts lane_statements;

/* So many more were sent, and so many tries failed. */
int store_lane_count(struct db *db, struct arena *mem, struct text channel,
    int64_t sent, int64_t failed);
/* What nobody leases any more, because the lane is held or open, expires all
 * the same: it becomes a dead letter, or vanishes if it was not wanted. Dead
 * letters go after keep_seconds. *ret_expired: new dead letters. */
int store_lane_sweep(struct db *db, struct arena *mem, struct text channel,
    int64_t keep_seconds, int64_t *ret_expired);

#endif
