/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where a phone number is: its country, its block of numbers. */
#include "core/country.h"

#include <string.h>

#define BLOCK_DIGITS 4

struct country_row {
	const char *prefix;	/* without the plus */
	const char *name;
};

static const struct country_row rows[] = {
#define COUNTRY(prefix, name) { prefix, name },
#include "tbl/countries.h"
#undef COUNTRY
};

struct country
country_of(struct text phone)
{
	struct country found = { { phone.s, 1 }, TEXT("ZZ") };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].prefix) + 1;

		if (n <= found.prefix.n || n > phone.n ||
		    memcmp(phone.s + 1, rows[i].prefix, n - 1) != 0)
			continue;
		found.prefix.n = n;
		found.name = text_of(rows[i].name);
	}
	return found;
}

bool
country_allowed(struct text phone, const char *list)
{
	const size_t least = country_of(phone).prefix.n;
	const char *at = list + strspn(list, ", ");

	if (*at == '\0')
		return true;
	while (*at) {
		size_t n = strcspn(at, ", ");

		/* A number of no country is in no list. */
		if (least > 1 && n >= least && n <= phone.n &&
		    memcmp(at, phone.s, n) == 0)
			return true;
		at += n;
		at += strspn(at, ", ");
	}
	return false;
}

struct text
country_block(struct text phone)
{
	return (struct text){ phone.s,
		phone.n > BLOCK_DIGITS ? phone.n - BLOCK_DIGITS : phone.n };
}
