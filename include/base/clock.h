/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Clocks, and RFC 3339 dates and instants to and from numbers. */
#ifndef DOCKET_BASE_CLOCK_H
#define DOCKET_BASE_CLOCK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Instants are int64_t microseconds since the Unix epoch; this one is none. */
#define TIME_NONE INT64_MIN
#define TIME_SECOND INT64_C(1000000)
#define TIME_DAY (INT64_C(86400) * TIME_SECOND)

int64_t clock_real_us(void);
int64_t clock_mono_ms(void);

/* "2026-01-31T09:30:00[.frac](Z|+hh:mm)", RFC 3339 §5.6; 't', 'z' and a space
 * for T accepted; years 0001-9999; seconds 60 refused; real dates only. */
bool time_parse(struct text t, int64_t *ret_us);
/* "2026-01-31", a real date. ret_day: days since 1970-01-01. */
bool date_parse(struct text t, int32_t *ret_day);
/* "2026-01-31T09:30[:00[.frac]]" with no offset, as if it were UTC. */
bool local_parse(struct text t, int64_t *ret_us);

/* Exactly TIME_CHARS characters, 2026-01-31T09:30:00.000Z, no NUL. */
#define TIME_CHARS 24
void time_format(int64_t us, char out[TIME_CHARS]);
/* Exactly 10 characters, no NUL. */
void date_format(int32_t day, char out[10]);

#endif
