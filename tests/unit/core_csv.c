/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Cells there and back: quotes, the formula guard, lists in a cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/csv.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static void
written(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "a", "a" }, { "a b", "a b" },
		{ "a,b", "\"a,b\"" }, { "a\"b", "\"a\"\"b\"" },
		{ "a\nb", "\"a\nb\"" }, { " a", "\" a\"" }, { "a ", "\"a \"" },
		{ "=1", "'=1" }, { "+1", "'+1" }, { "-1", "'-1" },
		{ "@a", "'@a" }, { "\tx", "'\tx" }, { "\rx", "\"'\rx\"" },
		{ "'=1", "''=1" }, { "'", "'" }, { "'a", "'a" },
		{ "=\"a\",b", "\"'=\"\"a\"\",b\"" }, { "a=1", "a=1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = { 0 };

		csv_put(&b, text_of(rows[i][0]));
		buf_putc(&b, '\0');
		assert_string_equal(b.p, rows[i][1]);
		buf_done(&b);
	}
}

/* Every text of three bytes of these comes back. */
static void
there_and_back(void **state)
{
	static const char bytes[] = "'=\"\r\n,\\ -a";
	const size_t n = sizeof(bytes) - 1;

	(void)state;
	for (size_t i = 0; i < n * n * n; i++) {
		const char s[3] = { bytes[i % n], bytes[i / n % n],
			bytes[i / n / n] };
		const struct text in = { s, 3 };
		struct text rest, cell;
		struct buf b = { 0 };

		csv_put(&b, in);
		csv_next(&b, TEXT("next"));
		rest = buf_view(&b);
		assert_true(csv_cell(&rest, mem, &cell));
		cell = csv_unguard(cell);
		assert_int_equal(cell.n, 3);
		assert_memory_equal(cell.s, s, 3);
		assert_true(csv_cell(&rest, mem, &cell));
		assert_true(text_is(cell, "next"));
		assert_null(rest.s);
		buf_done(&b);
	}
}

static void
lists(void **state)
{
	struct text v[] = { TEXT("a,b"), TEXT("c\\"), TEXT("\\,"), TEXT("d") };
	struct texts back;
	struct buf b = { 0 };

	(void)state;
	csv_join(&b, (struct texts){ v, 4 });
	back = csv_split(buf_view(&b), mem);
	assert_int_equal(back.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(text_equal(back.v[i], v[i]));
	buf_done(&b);
	back = csv_split(TEXT("a\\b,"), mem);
	assert_int_equal(back.n, 2);
	assert_true(text_is(back.v[0], "a\\b"));
	assert_int_equal(back.v[1].n, 0);
}

static void
not_cells(void **state)
{
	static const char *const rows[] = { "\"", "\"a", "\"a\"b", "\"a\" ,b",
		"\"\"\"" };
	struct text cell;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text rest = text_of(rows[i]);

		assert_false(csv_cell(&rest, mem, &cell));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(lists),
		cmocka_unit_test(not_cells),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
