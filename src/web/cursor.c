/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keyset cursors: opaque, URL-safe, bound to user, sort and filters. */
#include "web/cursor.h"

#include "base/error.h"

/* version, key length (0xffff: no key), key, id, MAC; numbers big-endian. */
#define VERSION 1
#define HEAD 3
#define MAC 8
#define KEY_NONE 0xffff
#define KEY_MAX 2048
#define CURSOR_MAX (HEAD + KEY_MAX + sizeof(struct uuid) + MAC)

/* HMAC over length-prefixed `bound` and then the payload, so that no byte can
 * change sides. */
static int
cursor_mac(struct arena *mem, const struct secret *secret, struct text bound,
    const uint8_t *payload, size_t n, uint8_t ret[MAC])
{
	uint8_t *all = arena_alloc(mem, sizeof(uint64_t) + bound.n + n);
	const uint64_t length = bound.n;
	uint8_t hash[CRYPTO_HASH];
	int r;

	for (size_t i = 0; i < sizeof(length); i++)
		all[i] = (uint8_t)(length >> (56 - 8 * i));
	if (bound.n)
		memcpy(all + sizeof(length), bound.s, bound.n);
	memcpy(all + sizeof(length) + bound.n, payload, n);
	r = crypto_hmac(secret, all, sizeof(length) + bound.n + n, hash);
	if (r == 0)
		memcpy(ret, hash, MAC);
	return r;
}

int
cursor_encode(struct arena *mem, const struct secret *secret,
    struct text bound, const struct cursor *cursor, struct text *ret)
{
	const size_t n = cursor->key.s ? cursor->key.n : 0;
	const size_t length = cursor->key.s ? n : KEY_NONE;
	uint8_t *out = arena_alloc(mem, HEAD + n + sizeof(cursor->id) + MAC);
	size_t at = HEAD;
	int r;

	if (n > KEY_MAX)
		return E_CURSOR;
	out[0] = VERSION;
	out[1] = (uint8_t)(length >> 8);
	out[2] = (uint8_t)length;
	if (n)
		memcpy(out + at, cursor->key.s, n);
	at += n;
	memcpy(out + at, cursor->id.b, sizeof(cursor->id));
	at += sizeof(cursor->id);
	r = cursor_mac(mem, secret, bound, out, at, out + at);
	if (r == 0)
		*ret = base64url_encode(mem, out, at + MAC);
	return r;
}

int
cursor_decode(struct arena *mem, const struct secret *secret,
    struct text bound, struct text in, struct cursor *ret)
{
	uint8_t *raw = arena_alloc(mem, CURSOR_MAX);
	uint8_t mac[MAC];
	size_t n, length;
	int r;

	if (!base64url_decode(in, raw, CURSOR_MAX, &n) ||
	    n < HEAD + sizeof(ret->id) + MAC || raw[0] != VERSION)
		return E_CURSOR;
	r = cursor_mac(mem, secret, bound, raw, n - MAC, mac);
	if (r)
		return r;
	if (!crypto_equal(mac, raw + n - MAC, MAC))
		return E_CURSOR;
	length = (size_t)(raw[1] << 8 | raw[2]);
	ret->key = TEXT_NONE;
	if (length != KEY_NONE)
		ret->key = (struct text){ (const char *)raw + HEAD, length };
	if (n != HEAD + ret->key.n + sizeof(ret->id) + MAC)
		return E_CURSOR;
	memcpy(ret->id.b, raw + HEAD + ret->key.n, sizeof(ret->id));
	return 0;
}
