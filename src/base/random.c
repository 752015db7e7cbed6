/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Random bytes and ids out of them, from the kernel. */
#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/crypto.h"

/*
 * The kernel's generator, not RAND_bytes: it keeps no state in our memory, so
 * two workers forked from one supervisor cannot draw the same bytes, a core
 * shows none, and one call for 16 bytes costs less than a microsecond.
 */
int
crypto_random(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* The instant is cut to the millisecond that the UUID holds, so a row's
 * created_at can never disagree with its id. */
int
crypto_uuid(struct uuid *ret, int64_t *ret_us)
{
	uint8_t rnd[10];
	int64_t ms = clock_real_us() / 1000;
	int rc = crypto_random(rnd, sizeof(rnd));

	if (rc < 0)
		return rc;
	if (ms < 0)
		return -EIO;
	*ret = uuid_v7((uint64_t)ms, rnd);
	if (ret_us)
		*ret_us = ms * 1000;
	return 0;
}
