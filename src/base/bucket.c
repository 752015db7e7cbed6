/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A token bucket: pure arithmetic, time is an argument. */
#include "base/bucket.h"

#include <assert.h>

#include "base/clock.h"

static int64_t
seconds_up(int64_t us)
{
	return (us + TIME_SECOND - 1) / TIME_SECOND;
}

struct bucket
bucket_take(const struct bucket_rule *rule, int64_t debt_us)
{
	const int64_t cost = rule->window_us / rule->quota;
	const int64_t most = cost * rule->quota;
	struct bucket ret = {
		.quota = rule->quota,
		.window = seconds_up(rule->window_us),
		.debt_us = debt_us,
	};

	assert(cost > 0);
	if (debt_us < 0 || debt_us > rule->window_us)
		ret.debt_us = 0;
	ret.taken = ret.debt_us <= most - cost;
	if (ret.taken)
		ret.debt_us += cost;
	/* A rule that was tightened meanwhile may be owed more than it has. */
	if (ret.debt_us < most)
		ret.left = (most - ret.debt_us) / cost;
	ret.reset = seconds_up(ret.left > 0 ? ret.debt_us :
	    ret.debt_us - (most - cost));
	return ret;
}
