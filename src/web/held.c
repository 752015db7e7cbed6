/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who waits for an account's tasks that somebody does not let go. */
#include "web/held.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"

#define PROBE_SECONDS 1

/* How long it is remembered; how often one may find out. */
static const struct bucket_rule memory = { 1, 10 * TIME_SECOND };
static const struct bucket_rule probe = { 1, PROBE_SECONDS * TIME_SECOND };

static const char why[] =
    "Another change to these tasks takes long; try again shortly.";

static bool
writes_tasks(const struct call *call)
{
	return call->route->flags & ROUTE_TASKS &&
	    call->route->tx == TX_WRITE && !uuid_is_nil(&call->who.user_id);
}

static bool
take(struct call *call, const struct bucket_rule *rule,
    enum limiter_kind kind)
{
	return limiter_take(call->app->limiter, rule, kind,
	    &call->who.user_id, sizeof(call->who.user_id),
	    clock_mono_ms() * 1000).taken;
}

static void
forget(struct call *call, enum limiter_kind kind)
{
	limiter_forget(call->app->limiter, kind, &call->who.user_id,
	    sizeof(call->who.user_id));
}

int
held_check(struct call *call, bool *ret_known)
{
	*ret_known = writes_tasks(call) && limiter_owes(call->app->limiter,
	    LIMITER_HELD, &call->who.user_id, sizeof(call->who.user_id),
	    clock_mono_ms() * 1000);
	if (!*ret_known || take(call, &probe, LIMITER_PROBE))
		return 0;
	metrics_count(COUNT_HELD_AT_ONCE);
	call->reply.detail = why;
	return call_refuse_later(call, E_BUSY, PROBE_SECONDS);
}

/* E_BUSY also says other things, but those at once. */
void
held_note(struct call *call, bool known, int r, int64_t begun_ms)
{
	const int64_t took_ms = clock_mono_ms() - begun_ms;

	if (!writes_tasks(call))
		return;
	if (r == 0 && known) {
		forget(call, LIMITER_HELD);
		forget(call, LIMITER_PROBE);
	}
	if (r != E_BUSY || took_ms < call->app->settings->database_lock_ms / 2)
		return;
	metrics_count(COUNT_HELD_WAITED);
	forget(call, LIMITER_HELD);
	take(call, &memory, LIMITER_HELD);
	take(call, &probe, LIMITER_PROBE);
	call->reply.detail = why;
}
