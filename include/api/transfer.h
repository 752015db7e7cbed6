/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What export and import share: the time they may take. */
#ifndef DOCKET_API_TRANSFER_H
#define DOCKET_API_TRANSFER_H

#include "web/call.h"

/* tasks.transfer_seconds from now on, instead of server.deadline_ms. */
static inline void
transfer_deadline(struct call *call)
{
	call->deadline_ms = clock_mono_ms() +
	    call->app->settings->tasks_transfer_seconds * 1000;
	db_deadline(call->app->db, call->deadline_ms);
}

#endif
