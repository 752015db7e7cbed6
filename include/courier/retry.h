/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* When a message is tried again. */
#ifndef DOCKET_COURIER_RETRY_H
#define DOCKET_COURIER_RETRY_H

#include <stdint.h>

#define RETRY_BASE_MS 1000
#define RETRY_MOST_MS 30000
#define RETRY_LEAST_MS 50
#define RETRY_NEVER (-1)

/*
 * Milliseconds until the next try after `tries` of them: anything between
 * nothing and RETRY_BASE_MS doubled with each, so that a gateway that comes
 * back is not stormed (full jitter). `after_s`: seconds that the other side
 * asked for (0: none); never sooner than that, and up to a tenth later.
 * RETRY_NEVER when the message expires first (left_ms).
 */
int64_t retry_ms(int64_t tries, long after_s, int64_t left_ms,
    uint32_t random);

#endif
