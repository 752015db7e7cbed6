/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UUIDs: 16 bytes, version 7 when made here (RFC 9562 §5.7). */
#ifndef DOCKET_BASE_UUID_H
#define DOCKET_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* All zero (the nil UUID) means "absent" and prints as JSON null. */
struct uuid {
	uint8_t b[16];
};

#define UUID_CHARS 36

/* Pure: ms = Unix milliseconds (48 bits), rnd = 10 random bytes. */
struct uuid uuid_v7(uint64_t ms, const uint8_t rnd[10]);
/* The millisecond a version 7 UUID was made. */
uint64_t uuid_ms(const struct uuid *id);
/* Exactly 8-4-4-4-12 hex digits, either case; else false and *ret untouched. */
bool uuid_parse(struct text t, struct uuid *ret);
/* Writes UUID_CHARS lower-case characters, no NUL. */
void uuid_format(const struct uuid *id, char out[UUID_CHARS]);

static inline bool
uuid_is_nil(const struct uuid *id)
{
	static const struct uuid nil;

	return memcmp(id, &nil, sizeof(nil)) == 0;
}

static inline bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
