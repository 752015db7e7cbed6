/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accept-Language into a list, and the list into a language that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/language.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

#define T35 "abcdefgh-abcdefgh-abcdefgh-abcdefgh"

static void
lists(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "fa", "fa" },
		{ "fa-IR,fa;q=0.9,en-US;q=0.8,en;q=0.7",
		    "fa-ir,fa,en-us,en" },
		{ "en;q=0.5, fa", "fa,en" },
		{ "en;q=0.5, de;q=0.50, fa;q=0.501", "fa,en,de" },
		{ " \t fa ; q=1.000 ,, en ", "fa,en" },
		{ "fa;Q=1", "fa" },
		{ "zh-Hant-TW", "zh-hant-tw" },
		/* Not wanted, no language, not well-formed. */
		{ "", NULL }, { ",", NULL }, { "*", NULL },
		{ "fa;q=0", NULL }, { "fa;q=0.000,en", "en" },
		{ "fa;q=1.001", NULL }, { "fa;q=2", NULL },
		{ "fa;q=", NULL }, { "fa;q=.5", NULL }, { "fa;q", NULL },
		{ "fa;q=0.1234", NULL }, { "fa;q=0,5", NULL },
		{ "fa;q=-1", NULL }, { "fa;x=1", NULL },
		{ "fa;", NULL }, { "fa;q=0.5x", NULL },
		{ "fa_IR", NULL }, { "-fa", NULL }, { "fa-", NULL },
		{ "fa--ir", NULL }, { "f1", NULL }, { "abcdefghi", NULL },
		{ "../../etc", NULL }, { "fa\r\nX: y", NULL },
		{ "f\xc3\xa4", NULL }, { "fa\x01", NULL },
		{ T35, T35 }, { T35 "x", NULL }, { T35 "-x", NULL },
		/* What does not fit is left out, whole. */
		{ T35 "," T35 ",en", T35 ",en" },
		{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r",
		    "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text list = language_list(mem, text_of(rows[i].in));

		if (!rows[i].out)
			assert_null(list.s);
		else if (!text_is(list, rows[i].out))
			fail_msg("%s -> %.*s", rows[i].in, TEXT_FMT(list));
		assert_true(list.n <= LANGUAGES_MAX);
	}
	assert_null(language_list(mem, TEXT_NONE).s);
}

static void
lookups(void **state)
{
	static const struct text tags[] = {
		TEXT_INIT("en"), TEXT_INIT("fa"), TEXT_INIT("zh-hant"),
		TEXT_INIT("de"), TEXT_INIT("de-x"),
	};
	static const struct {
		const char *list;
		size_t at;
	} rows[] = {
		{ "fa", 1 }, { "fa-ir", 1 }, { "fa-arab-ir", 1 },
		{ "ku,fa", 1 }, { "ku", 3 }, { "ku,*", 3 },
		{ "en,fa", 0 }, { "fa,en", 1 },
		/* The first range to its end before the second. */
		{ "fa-ir,en", 1 },
		/* RFC 4647 §3.4: zh-Hant-CN-x-private1-private2 */
		{ "zh-hant-cn-x-a-b", 2 }, { "zh-hant", 2 }, { "zh", 3 },
		{ "de-x-private", 3 }, { "de-x", 4 },
		{ "zh-hans-tw", 3 }, { "f", 3 }, { "far", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(language_lookup(text_of(rows[i].list), tags,
		    5, 3), rows[i].at);
	assert_int_equal(language_lookup(TEXT_NONE, tags, 4, 3), 3);
	assert_int_equal(language_lookup(TEXT("en"), tags, 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(lookups),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
