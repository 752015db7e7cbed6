/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The pass in the gate's cookie: whose session it is, and until when. */
#include "core/pass.h"

#include "base/error.h"

#define PASS_VERSION 1
#define PASS_MAC 16

/* version 1 | user 16 | session 16 | end 8, big-endian | MAC 16: 57 bytes. */
#define PASS_SESSION (1 + 16)
#define PASS_UNTIL (PASS_SESSION + 16)
#define PASS_SIGNED (PASS_UNTIL + 8)
#define PASS_BYTES (PASS_SIGNED + PASS_MAC)

int
pass_make(struct arena *mem, const struct secret *key,
    const struct pass *pass, struct text *ret)
{
	uint8_t bytes[PASS_SIGNED + CRYPTO_HASH];
	int r;

	bytes[0] = PASS_VERSION;
	memcpy(bytes + 1, pass->user_id.b, 16);
	memcpy(bytes + PASS_SESSION, pass->session_id.b, 16);
	for (int i = 0; i < 8; i++)
		bytes[PASS_UNTIL + i] =
		    (uint8_t)((uint64_t)pass->until >> (56 - 8 * i));
	r = crypto_hmac(key, bytes, PASS_SIGNED, bytes + PASS_SIGNED);
	if (r)
		return r;
	*ret = base64url_encode(mem, bytes, PASS_BYTES);
	return 0;
}

int
pass_parse(const struct secret *key, struct text text, int64_t now,
    struct pass *ret)
{
	uint8_t bytes[PASS_BYTES], mac[CRYPTO_HASH];
	uint64_t until = 0;
	size_t n;
	int r;

	if (!base64url_decode(text, bytes, sizeof(bytes), &n) ||
	    n != sizeof(bytes) || bytes[0] != PASS_VERSION)
		return E_TOKEN;
	r = crypto_hmac(key, bytes, PASS_SIGNED, mac);
	if (r)
		return r;
	if (!crypto_equal(mac, bytes + PASS_SIGNED, PASS_MAC))
		return E_TOKEN;
	for (int i = 0; i < 8; i++)
		until = until << 8 | bytes[PASS_UNTIL + i];
	if ((int64_t)until <= now)
		return E_TOKEN;
	memcpy(ret->user_id.b, bytes + 1, 16);
	memcpy(ret->session_id.b, bytes + PASS_SESSION, 16);
	ret->until = (int64_t)until;
	return 0;
}
