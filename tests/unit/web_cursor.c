/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/cursor and web/etag: round trips, forgeries, lists of tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "web/cursor.h"
#include "web/etag.h"

static const struct secret key = { .b = { 1, 2, 3 }, .n = 32 };
static const struct secret other = { .b = { 3, 2, 1 }, .n = 32 };

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state && crypto_init() == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	crypto_done();
	return 0;
}

static void
comes_back(void **state)
{
	static const struct text keys[] = {
		{ NULL, 0 }, { "", 0 }, { "0000000042", 10 },
		{ "\xc3\xa9\x01", 3 },
	};
	struct cursor in = { .id = { { 7, 8, 9 } } }, out;
	struct text text;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		in.key = keys[i];
		assert_int_equal(cursor_encode(*state, &key, TEXT("b"), &in,
		    &text), 0);
		assert_int_equal(cursor_decode(*state, &key, TEXT("b"), text,
		    &out), 0);
		assert_int_equal(!out.key.s, !in.key.s);
		assert_true(text_equal(out.key, in.key));
		assert_true(uuid_equal(&out.id, &in.id));
	}
}

static void
refuses_what_is_not_ours(void **state)
{
	const struct cursor in = { TEXT("key"), { { 7 } } };
	struct cursor out;
	struct text text, bad;
	char *copy;

	assert_int_equal(cursor_encode(*state, &key, TEXT("ab"), &in, &text),
	    0);
	assert_int_equal(cursor_decode(*state, &other, TEXT("ab"), text,
	    &out), E_CURSOR);
	assert_int_equal(cursor_decode(*state, &key, TEXT("a"), text, &out),
	    E_CURSOR);
	assert_int_equal(cursor_decode(*state, &key, TEXT_NONE, text, &out),
	    E_CURSOR);
	for (size_t i = 0; i < text.n; i++) {
		copy = arena_copy(*state, text.s, text.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(cursor_decode(*state, &key, TEXT("ab"),
		    (struct text){ copy, text.n }, &out), E_CURSOR);
		bad = (struct text){ text.s, i };
		assert_int_equal(cursor_decode(*state, &key, TEXT("ab"), bad,
		    &out), E_CURSOR);
	}
	assert_int_equal(cursor_decode(*state, &key, TEXT("ab"),
	    TEXT("not a cursor"), &out), E_CURSOR);
	copy = arena_alloc(*state, 100000);
	memset(copy, 'A', 100000);
	assert_int_equal(cursor_decode(*state, &key, TEXT("ab"),
	    (struct text){ copy, 100000 }, &out), E_CURSOR);
}

static void
a_key_that_is_too_long_is_refused(void **state)
{
	char *copy = arena_alloc(*state, 3000);
	const struct cursor in = { { copy, 3000 }, { { 7 } } };
	struct text text;

	assert_int_equal(cursor_encode(*state, &key, TEXT("b"), &in, &text),
	    E_CURSOR);
}

static void
tags_differ_by_bytes(void **state)
{
	struct text a, b, c;

	assert_int_equal(etag_of(*state, TEXT("one"), &a), 0);
	assert_int_equal(etag_of(*state, TEXT("two"), &b), 0);
	assert_int_equal(etag_of(*state, TEXT("one"), &c), 0);
	assert_int_equal(a.n, 24);
	assert_true(a.s[0] == '"' && a.s[23] == '"');
	assert_true(text_equal(a, c));
	assert_false(text_equal(a, b));
}

static void
finds_a_tag_in_a_list(void **state)
{
	static const char *const has[] = {
		"*", "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\"",
		" , \"a\"", "\"x,y\",\"a\"",
	}, *const lacks[] = {
		"", "a", "\"b\"", "\"a", "\"A\"", "\"\"", "W/a", "b, \"a\"",
		"\"a \"", "**",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		assert_true(etag_listed(text_of(has[i]), TEXT("\"a\"")));
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		assert_false(etag_listed(text_of(lacks[i]), TEXT("\"a\"")));
	assert_false(etag_listed(TEXT_NONE, TEXT("\"a\"")));
	assert_true(etag_listed(TEXT("\"a\""), TEXT("W/\"a\"")));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(comes_back), T(refuses_what_is_not_ours),
		T(a_key_that_is_too_long_is_refused),
		T(tags_differ_by_bytes), T(finds_a_tag_in_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
