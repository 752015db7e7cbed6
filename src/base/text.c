/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Characters of a borrowed string. */
#include "base/text.h"

/* Bytes of the well-formed sequence at p (Unicode table 3-7), or 0. */
static size_t
sequence(const uint8_t *p, size_t n)
{
	uint8_t c = p[0], lo = 0x80, hi = 0xbf;
	size_t len;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	/* The second byte's range rules out overlong forms, surrogates and
	 * what lies above U+10FFFF. */
	if (c == 0xe0)
		lo = 0xa0;
	else if (c == 0xed)
		hi = 0x9f;
	else if (c == 0xf0)
		lo = 0x90;
	else if (c == 0xf4)
		hi = 0x8f;
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

int64_t
text_chars(struct text t)
{
	const uint8_t *p = (const uint8_t *)t.s;
	size_t left = t.n, step;
	int64_t chars = 0;

	for (; left > 0; left -= step, p += step) {
		step = sequence(p, left);
		if (step == 0)
			return -1;
		chars++;
	}
	return chars;
}
