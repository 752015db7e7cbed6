/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: uniform digits and the keyed hash that is stored. */
#include "core/otp.h"

#include <errno.h>

#define DIGITS_MAX 32
#define INPUT_MAX 1024

int
otp_make(struct arena *mem, long digits, struct text *ret)
{
	uint8_t pool[64];
	char out[DIGITS_MAX];
	long n = 0;

	if (digits < 1 || digits > DIGITS_MAX)
		return -EINVAL;
	while (n < digits) {
		int r = crypto_random(pool, sizeof(pool));

		if (r)
			return r;
		/* 250 is the last multiple of ten in a byte: what is above
		 * would make 0-5 likelier than 6-9. */
		for (size_t i = 0; i < sizeof(pool) && n < digits; i++) {
			if (pool[i] < 250)
				out[n++] = (char)('0' + pool[i] % 10);
		}
	}
	ret->s = arena_copy(mem, out, (size_t)digits);
	ret->n = (size_t)digits;
	explicit_bzero(pool, sizeof(pool));
	explicit_bzero(out, sizeof(out));
	return 0;
}

/* Append t and `tail` bytes of NUL. False when there is no room. */
static bool
append(uint8_t *to, size_t *n, struct text t, size_t tail)
{
	if (t.n > INPUT_MAX - tail - *n)
		return false;
	if (t.n > 0)
		memcpy(to + *n, t.s, t.n);
	memset(to + *n + t.n, 0, tail);
	*n += t.n + tail;
	return true;
}

int
otp_hash(const struct secret *key, struct text purpose, struct text address,
    struct text code, uint8_t ret[CRYPTO_HASH])
{
	uint8_t in[INPUT_MAX];
	size_t n = 0;
	int r;

	/* Neither purpose nor address can hold a NUL, so no two triples give
	 * the same bytes. */
	if (!append(in, &n, purpose, 1) || !append(in, &n, address, 1) ||
	    !append(in, &n, code, 0))
		return -EINVAL;
	r = crypto_hmac(key, in, n, ret);
	explicit_bzero(in, n);
	return r;
}
