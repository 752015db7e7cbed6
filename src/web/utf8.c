/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UTF-8 as RFC 3629 has it, and the percent escapes of RFC 3986. */
#include "web/utf8.h"

/* Unicode's table 3-7: by lead byte, how long and which second byte. */
static const struct lead {
	uint8_t from, to;
	uint8_t length;
	uint8_t lo, hi;
} leads[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct lead *
lead_of(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (byte >= leads[i].from && byte <= leads[i].to)
			return &leads[i];
	return NULL;
}

size_t
utf8_next(const char *s, size_t n)
{
	const uint8_t *b = (const uint8_t *)s;
	const struct lead *lead;

	if (b[0] < 0x80)
		return 1;
	lead = lead_of(b[0]);
	if (!lead || n < lead->length || b[1] < lead->lo || b[1] > lead->hi)
		return 0;
	for (size_t i = 2; i < lead->length; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return lead->length;
}

bool
utf8_valid(struct text t)
{
	size_t i = 0;

	while (i < t.n) {
		const size_t step = utf8_next(t.s + i, t.n - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

struct text
utf8_cut(struct text t, size_t max)
{
	if (t.n <= max)
		return t;
	while (max > 0 && ((uint8_t)t.s[max] & 0xc0) == 0x80)
		max--;
	return (struct text){ t.s, max };
}

size_t
utf8_put(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The byte behind a '%', or -1. NUL counts as bad: no text may hold one. */
static int
escape_value(struct text in, size_t at)
{
	int hi, lo;

	if (in.n - at < 3)
		return -1;
	hi = hex_value(in.s[at + 1]);
	lo = hex_value(in.s[at + 2]);
	if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
		return -1;
	return hi << 4 | lo;
}

bool
percent_decode(struct arena *mem, struct text in, bool plus, struct text *ret)
{
	char *out = arena_alloc(mem, in.n + 1);
	struct text done;
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.s[i];

		if (c == '%') {
			const int byte = escape_value(in, i);

			if (byte < 0)
				return false;
			c = (char)byte;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		} else if (c == '\0') {
			return false;
		}
		out[n++] = c;
	}
	done = (struct text){ out, n };
	if (!utf8_valid(done))
		return false;
	*ret = done;
	return true;
}
