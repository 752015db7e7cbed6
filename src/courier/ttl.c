/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The words for minutes and seconds, a row a language. */
#include "courier/ttl.h"

#include <stdio.h>

struct words {
	const char *language;	/* the primary subtag */
	const char *minute, *minutes, *second, *seconds;
	const char *digits[10];
};

static const struct words rows[] = {
	{ "en", "minute", "minutes", "second", "seconds",
	    { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" } },
	{ "fa", "دقیقه", "دقیقه", "ثانیه", "ثانیه",
	    { "۰", "۱", "۲", "۳", "۴", "۵", "۶", "۷", "۸", "۹" } },
};

static const struct words *
words_of(struct text tag)
{
	const char *dash = memchr(tag.s, '-', tag.n);

	if (dash)
		tag.n = (size_t)(dash - tag.s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_is(tag, rows[i].language))
			return &rows[i];
	return NULL;
}

struct text
ttl_word(struct arena *mem, struct text tag, long seconds)
{
	const struct words *words = words_of(tag);
	bool minutes = seconds % 60 == 0;
	long n = minutes ? seconds / 60 : seconds;
	char ascii[24], number[sizeof(ascii) * 4], *end = number;

	if (!words)
		return TEXT_NONE;
	snprintf(ascii, sizeof(ascii), "%lu", (unsigned long)n);
	for (const char *d = ascii; *d; d++)
		end = stpcpy(end, words->digits[*d - '0']);
	return text_of(arena_printf(mem, "%s %s", number,
	    minutes ? n == 1 ? words->minute : words->minutes :
	    n == 1 ? words->second : words->seconds));
}
