/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What texts cost as short messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/gsm7.h"

static char room[4096];

/* `s` so many times, then `tail`. */
static struct text
times(const char *s, size_t n, const char *tail)
{
	room[0] = '\0';
	while (n-- > 0)
		strcat(room, s);
	strcat(room, tail);
	return text_of(room);
}

static void
check(struct text t, bool unicode, size_t units, size_t segments)
{
	const struct sms_size size = sms_measure(t);

	assert_int_equal(size.unicode, unicode);
	assert_int_equal(size.units, units);
	assert_int_equal(size.segments, segments);
}

/* TS 23.038 §6.2.1, row by row as the standard prints it; no escape. */
static const char alphabet[] =
    "@£$¥èéùìòÇ\nØø\rÅå" "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./" "0123456789:;<=>?" "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§" "¿abcdefghijklmno" "pqrstuvwxyzäöñüà";

static void
the_alphabet_and_its_extension(void **state)
{
	(void)state;
	check(text_of(alphabet), false, 127, 1);
	check(TEXT("\f^{}\\[~]|€"), false, 20, 1);
}

/* Every other character of the first plane is none of them. */
static void
nothing_else(void **state)
{
	size_t seven = 0;

	(void)state;
	for (uint32_t c = 1; c < 0x10000; c++) {
		char s[4] = { (char)c };
		size_t n = 1;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c >= 0x800) {
			s[0] = (char)(0xe0 | c >> 12);
			s[1] = (char)(0x80 | (c >> 6 & 0x3f));
			s[2] = (char)(0x80 | (c & 0x3f));
			n = 3;
		} else if (c >= 0x80) {
			s[0] = (char)(0xc0 | c >> 6);
			s[1] = (char)(0x80 | (c & 0x3f));
			n = 2;
		}
		seven += !sms_measure((struct text){ s, n }).unicode;
	}
	assert_int_equal(seven, 127 + 10);
}

static void
segments(void **state)
{
	(void)state;
	check(TEXT(""), false, 0, 1);
	check(times("a", 160, ""), false, 160, 1);
	check(times("a", 161, ""), false, 161, 2);
	check(times("a", 306, ""), false, 306, 2);
	check(times("a", 307, ""), false, 307, 3);
	/* Two septets are not cut in two: 152 and a hole, then the rest. */
	check(times("a", 152, "€"), false, 154, 1);
	check(times("€", 80, ""), false, 160, 1);
	check(times("€", 81, ""), false, 162, 2);
	check(times("€", 152, ""), false, 304, 2);
	check(times("€", 153, ""), false, 306, 3);
	check(times("ک", 70, ""), true, 70, 1);
	check(times("ک", 71, ""), true, 71, 2);
	check(times("ک", 134, ""), true, 134, 2);
	check(times("ک", 135, ""), true, 135, 3);
	/* One character too many makes them all dear. */
	check(times("a", 70, "ک"), true, 71, 2);
	check(times("a", 159, "ç"), true, 160, 3);
	/* Nor is a surrogate pair cut: 33 of them to a part of 67. */
	check(times("😀", 35, ""), true, 70, 1);
	check(times("😀", 36, ""), true, 72, 2);
	check(times("😀", 66, ""), true, 132, 2);
	check(times("😀", 67, ""), true, 134, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_alphabet_and_its_extension),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
