/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What export and import share: the time they may take, and the places. */
#ifndef DOCKET_API_TRANSFER_H
#define DOCKET_API_TRANSFER_H

#include <unistd.h>

#include "base/clock.h"
#include "web/call.h"

/* tasks.transfers; auto leaves half of the group that does them to logins. */
static inline long
transfer_places(const struct settings *settings)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const long workers = settings->server_auth_workers;

	if (settings->tasks_transfers > 0)
		return settings->tasks_transfers;
	if (workers == 0)	/* 2 x cores, at least 2 (server/crew.c) */
		return cores < 1 ? 1 : cores;
	return workers < 4 ? 1 : workers / 2;
}

/* tasks.transfer_seconds from now on, instead of server.deadline_ms. */
static inline void
transfer_deadline(struct call *call)
{
	call->deadline_ms = clock_mono_ms() +
	    call->app->settings->tasks_transfer_seconds * 1000;
	db_deadline(call->app->db, call->deadline_ms);
}

#endif
