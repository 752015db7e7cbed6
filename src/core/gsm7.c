/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Counts septets, UTF-16 units and segments of a text message. */
#include "core/gsm7.h"

#include <stdint.h>

/* TS 23.038 §6.2.1 but for ASCII letters and digits, ascending. */
static const uint16_t others[] = {
	0x0a, 0x0d, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x3a, 0x3b, 0x3c, 0x3d,
	0x3e, 0x3f, 0x40, 0x5f, 0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4,
	0xc5, 0xc6, 0xc7, 0xc9, 0xd1, 0xd6, 0xd8, 0xdc, 0xdf, 0xe0, 0xe4,
	0xe5, 0xe6, 0xe8, 0xe9, 0xec, 0xf1, 0xf2, 0xf6, 0xf8, 0xf9, 0xfc,
	0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};

/* §6.2.1.1: behind an escape. */
static const uint16_t extension[] = {
	0x0c, 0x5b, 0x5c, 0x5d, 0x5e, 0x7b, 0x7c, 0x7d, 0x7e, 0x20ac,
};

#define N(v) (sizeof(v) / sizeof((v)[0]))

static bool
has(const uint16_t *v, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == c)
			return true;
	return false;
}

/* 1 or 2; 0: not to be had in this alphabet. */
static size_t
septets(uint32_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || has(others, N(others), c))
		return 1;
	return has(extension, N(extension), c) ? 2 : 0;
}

static size_t
units_16(uint32_t c)
{
	return c > 0xffff ? 2 : 1;
}

/* The character at *at, which moves on; the text is UTF-8. */
static uint32_t
next(struct text t, size_t *at)
{
	const uint8_t *p = (const uint8_t *)t.s + *at;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n && *at + i < t.n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*at += n;
	return c;
}

/* Count by `width`; one is what a single message holds, each what a part of
 * several does. False: a character has no width. */
static bool
count(struct text t, size_t (*width)(uint32_t), size_t one, size_t each,
    struct sms_size *ret)
{
	size_t units = 0, parts = 1, room = each;

	for (size_t at = 0; at < t.n; ) {
		size_t w = width(next(t, &at));

		if (w == 0)
			return false;
		units += w;
		if (w > room) {
			parts++;
			room = each;
		}
		room -= w;
	}
	ret->units = units;
	ret->segments = units <= one ? 1 : parts;
	return true;
}

struct sms_size
sms_measure(struct text t)
{
	struct sms_size size = { .unicode = false };

	if (count(t, septets, 160, 153, &size))
		return size;
	size.unicode = true;
	count(t, units_16, 70, 67, &size);
	return size;
}
