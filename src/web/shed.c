/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Requests that have waited too long are refused before they cost anything. */
#include "web/shed.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"

/* What has waited too long is not worth starting (house.md §3), nor what has
 * waited while the database let another run out of its time: one such wait
 * after the other would add up. What is started has so much less time. */
int
shed_check(struct call *call)
{
	const struct settings *set = call->app->settings;
	int64_t waited_ms;

	/* Who looks what is wrong is let in when something is. */
	if (call->req->started_us == 0 || call->route->flags & ROUTE_LOCAL)
		return 0;
	if (call->req->started_us < call->app->stalled_us) {
		metrics_count(COUNT_SHED_STALLED);
		return E_BUSY;
	}
	waited_ms = (clock_real_us() - call->req->started_us) / 1000;
	if (waited_ms > set->server_shed_ms) {
		metrics_count(COUNT_SHED_LATE);
		return E_BUSY;
	}
	if (waited_ms > 0) {
		call->deadline_ms -= waited_ms;
		db_deadline(call->app->db, call->deadline_ms);
	}
	return 0;
}

void
shed_note(struct call *call, int r, int64_t begun_ms)
{
	const int64_t took_ms = clock_mono_ms() - begun_ms;

	if ((r == E_TIMEOUT || r == E_OUTCOME) &&
	    took_ms >= call->app->settings->server_shed_ms)
		call->app->stalled_us = clock_real_us();
}
