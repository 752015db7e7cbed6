/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Refresh tokens: version, session, counter and a MAC, nothing stored. */
#include <errno.h>

#include "base/error.h"
#include "core/token.h"

#define REFRESH_VERSION 1
#define REFRESH_MAC 16

/* version 1 | session 16 | counter 8, big-endian | MAC 16: 41 bytes. */
#define REFRESH_SIGNED (1 + 16 + 8)
#define REFRESH_BYTES (REFRESH_SIGNED + REFRESH_MAC)

int
refresh_make(struct arena *mem, const struct secret *key,
    const struct uuid *session, int64_t counter, struct text *ret)
{
	uint8_t bytes[REFRESH_SIGNED + CRYPTO_HASH];
	int r;

	if (counter < 0)
		return -EINVAL;
	bytes[0] = REFRESH_VERSION;
	memcpy(bytes + 1, session->b, sizeof(session->b));
	for (int i = 0; i < 8; i++)
		bytes[17 + i] = (uint8_t)((uint64_t)counter >> (56 - 8 * i));
	r = crypto_hmac(key, bytes, REFRESH_SIGNED, bytes + REFRESH_SIGNED);
	if (r)
		return r;
	*ret = base64url_encode(mem, bytes, REFRESH_BYTES);
	return 0;
}

int
refresh_parse(const struct secret *key, struct text token,
    struct uuid *ret_session, int64_t *ret_counter)
{
	uint8_t bytes[REFRESH_BYTES], mac[CRYPTO_HASH];
	uint64_t counter = 0;
	size_t n;
	int r;

	if (!token.s || !base64url_decode(token, bytes, sizeof(bytes), &n) ||
	    n != sizeof(bytes) || bytes[0] != REFRESH_VERSION)
		return E_REFRESH;
	r = crypto_hmac(key, bytes, REFRESH_SIGNED, mac);
	if (r)
		return r;
	if (!crypto_equal(mac, bytes + REFRESH_SIGNED, REFRESH_MAC))
		return E_REFRESH;
	for (int i = 0; i < 8; i++)
		counter = counter << 8 | bytes[17 + i];
	memcpy(ret_session->b, bytes + 1, sizeof(ret_session->b));
	*ret_counter = (int64_t)counter;
	return 0;
}
