/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UUIDs to and from their 36 characters, and version 7 ones from parts. */
#include "base/uuid.h"

/* The byte positions in front of which the text has a dash: 8-4-4-4-12. */
#define DASH_BEFORE(i) ((i) == 4 || (i) == 6 || (i) == 8 || (i) == 10)

/* 48 bits of milliseconds, version, 12 random bits, variant, 62 more. */
struct uuid
uuid_v7(uint64_t ms, const uint8_t rnd[10])
{
	struct uuid id;

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(id.b + 6, rnd, 10);
	id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x70);	/* version 7 */
	id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);	/* variant 10 */
	return id;
}

uint64_t
uuid_ms(const struct uuid *id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms;
}

/* Braces, urn: and missing dashes are refused: one id, one spelling. */
bool
uuid_parse(struct text t, struct uuid *ret)
{
	struct uuid id;
	const char *p = t.s;

	if (!p || t.n != UUID_CHARS)
		return false;
	for (int i = 0; i < 16; i++) {
		int hi, lo;

		if (DASH_BEFORE(i) && *p++ != '-')
			return false;
		hi = hex_value(*p++);
		lo = hex_value(*p++);
		if (hi < 0 || lo < 0)
			return false;
		id.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = id;
	return true;
}

/* Lower case, as RFC 9562 §4 wants it. */
void
uuid_format(const struct uuid *id, char out[UUID_CHARS])
{
	static const char hex[] = "0123456789abcdef";
	static const uint8_t at[16] = {
		0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34
	};

	for (int i = 0; i < 16; i++) {
		out[at[i]] = hex[id->b[i] >> 4];
		out[at[i] + 1] = hex[id->b[i] & 15];
	}
	out[8] = out[13] = out[18] = out[23] = '-';
}
