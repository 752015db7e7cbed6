/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who waits for an account's tasks that somebody does not let go. */
#ifndef DOCKET_WEB_HELD_H
#define DOCKET_WEB_HELD_H

#include "web/call.h"

/*
 * Writers of one account's tasks take turns (store/task_sql.h). Where one of
 * them does not come to its end, the others would wait, each in a worker,
 * until no worker is left for anybody else. So nobody waits for a lock longer
 * than database.lock_ms; and once one has waited so long, that account's
 * writes are refused at once, on all workers, but for one a second, which
 * finds out. The first to get through lifts it; so do ten seconds in which
 * nobody asked.
 *
 * Before a write: 0, or E_BUSY. *ret_known: it is held, this one finds out.
 */
int held_check(struct call *call, bool *ret_known);
/* What became of it: r is the handler's, begun_ms clock_mono_ms before it. */
void held_note(struct call *call, bool known, int r, int64_t begun_ms);

#endif
