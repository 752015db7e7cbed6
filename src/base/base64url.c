/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base64url without padding (RFC 4648 §5), one spelling for one value. */
#include "base/crypto.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 0..63, or -1. */
static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Six bits at a time from a small accumulator; NUL-terminated by the arena. */
struct text
base64url_encode(struct arena *mem, const void *in, size_t n)
{
	const uint8_t *p = in;
	size_t chars = n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0), o = 0;
	char *out = arena_array(mem, chars + 1, 1);
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			out[o++] = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		out[o++] = alphabet[bits << (6 - have) & 63];
	return (struct text){ out, o };
}

/* Not in constant time: what comes in here is checked by a MAC or looked up. */
bool
base64url_decode(struct text t, void *out, size_t cap, size_t *ret_n)
{
	uint8_t *p = out;
	size_t n = t.n / 4 * 3 + (t.n % 4 ? t.n % 4 - 1 : 0), o = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	/* One character alone holds six bits, which is no byte. */
	if (!t.s || t.n % 4 == 1 || n > cap)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		int v = digit(t.s[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			p[o++] = (uint8_t)(bits >> have);
		}
	}
	/* Bits left over must be zero, or two texts would mean one value. */
	if (bits & ((1u << have) - 1))
		return false;
	*ret_n = o;
	return true;
}
