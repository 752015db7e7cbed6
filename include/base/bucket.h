/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A token bucket: pure arithmetic, time is an argument. */
#ifndef DOCKET_BASE_BUCKET_H
#define DOCKET_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * `quota` requests at once, and that many again over each window: a bucket
 * that is filled evenly, not a window that opens all at once. What a bucket
 * holds is told by one number, its debt: the time until it is full again
 * (GCRA). A full bucket owes nothing, so it need not be remembered.
 */
struct bucket_rule {
	int64_t quota;		/* 1 .. window_us */
	int64_t window_us;
};

struct bucket {
	bool taken;		/* may this request pass? */
	int64_t quota, window;	/* the rule; the window in seconds */
	int64_t left;		/* how many more may pass now */
	int64_t reset;		/* seconds, rounded up: with some left, until
				 * the bucket is full; with none, until the
				 * next may pass, at least 1 */
	int64_t debt_us;	/* to be kept */
};

/* One request of a bucket with that debt; what is no debt under the rule
 * (negative, or over the window) counts as none. */
struct bucket bucket_take(const struct bucket_rule *rule, int64_t debt_us);

#endif
