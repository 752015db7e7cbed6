/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/text: counting characters and refusing what is no UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"

static void
counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_chars(TEXT_NONE), 0);
	assert_int_equal(text_chars(TEXT("")), 0);
	assert_int_equal(text_chars(TEXT("abc")), 3);
	assert_int_equal(text_chars(TEXT("\xc3\xa9")), 1);
	assert_int_equal(text_chars(TEXT("\xe2\x82\xac" "1")), 2);
	assert_int_equal(text_chars(TEXT("\xf0\x9f\x98\x80")), 1);
	/* e + combining acute: two code points */
	assert_int_equal(text_chars(TEXT("e\xcc\x81")), 2);
	assert_int_equal(text_chars(TEXT("a\0b")), 3);
}

static void
takes_the_edges(void **state)
{
	(void)state;
	assert_int_equal(text_chars(TEXT("\x7f\xc2\x80\xdf\xbf")), 3);
	assert_int_equal(text_chars(TEXT("\xe0\xa0\x80\xed\x9f\xbf")), 2);
	assert_int_equal(text_chars(TEXT("\xee\x80\x80\xef\xbf\xbf")), 2);
	assert_int_equal(text_chars(TEXT("\xf0\x90\x80\x80")), 1);
	assert_int_equal(text_chars(TEXT("\xf4\x8f\xbf\xbf")), 1);
}

static void
refuses_malformed(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
		"\xe0\x9f\xbf", "\xe2\x82", "\xe2(\xa1", "\xe2\x82(",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "ok\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (text_chars(text_of(bad[i])) != -1)
			fail_msg("row %zu passed", i);
}

static void
compares(void **state)
{
	(void)state;
	assert_true(text_is(TEXT("ab"), "ab"));
	assert_false(text_is(TEXT("ab"), "abc"));
	assert_false(text_is(TEXT("abc"), "ab"));
	assert_false(text_is(TEXT_NONE, ""));
	assert_true(text_is(TEXT(""), ""));
	assert_true(text_equal(TEXT("x"), TEXT("x")));
	assert_false(text_equal(TEXT("x"), TEXT("y")));
	assert_true(text_equal(TEXT_NONE, TEXT("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(takes_the_edges),
		cmocka_unit_test(refuses_malformed),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests_name("base_text", tests, NULL, NULL);
}
