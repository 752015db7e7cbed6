/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Back-off: exponential, with full jitter, bounded by the code's life. */
#include "courier/retry.h"

/* 0..most, evenly enough. */
static int64_t
pick(int64_t most, uint32_t random)
{
	return (int64_t)((uint64_t)most * random >> 32);
}

static int64_t
ceiling_ms(int64_t tries)
{
	int64_t ms = RETRY_BASE_MS;

	while (tries-- > 1 && ms < RETRY_MOST_MS)
		ms *= 2;
	return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

int64_t
retry_ms(int64_t tries, long after_s, int64_t left_ms, uint32_t random)
{
	int64_t asked = (int64_t)after_s * 1000, most = ceiling_ms(tries), ms;

	if (after_s > 0) {
		/* A wish that no code outlives needs no sum. */
		ms = asked >= left_ms ? left_ms :
		    asked + pick(asked / 10, random);
	} else {
		if (most > left_ms)
			most = left_ms;
		ms = pick(most, random);
	}
	if (ms < RETRY_LEAST_MS)
		ms = RETRY_LEAST_MS;
	return ms < left_ms ? ms : RETRY_NEVER;
}
