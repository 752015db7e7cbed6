/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Requests that have waited too long are refused before they cost anything. */
#ifndef DOCKET_WEB_SHED_H
#define DOCKET_WEB_SHED_H

#include "web/call.h"

/* E_BUSY for what has waited too long since nginx handed it over; else 0, and
 * what it has waited is taken off its deadline. */
int shed_check(struct call *call);
/* How a request that was let in ended (r), begun at that clock_mono_ms: what
 * waited while the database stalled is refused from now on. */
void shed_note(struct call *call, int r, int64_t begun_ms);

#endif
