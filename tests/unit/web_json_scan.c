/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/json_scan: what RFC 8259 and our limits take and refuse, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/json.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define B(s) { (s), sizeof(s) - 1 }

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* In a heap copy of the exact size, so that a sanitizer sees a step too far. */
static bool
scan(struct arena *mem, struct text in, struct faults *faults)
{
	char *copy = malloc(in.n ? in.n : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, in.s, in.n);
	memset(faults, 0, sizeof(*faults));
	ok = json_scan((struct text){ copy, in.n }, mem, faults);
	assert_int_equal(ok, faults->n == 0);
	free(copy);
	return ok;
}

static void
takes(void **state)
{
	static const struct text rows[] = {
		B("{}"), B("[]"), B("null"), B("true"), B("false"), B("0"),
		B("-0"), B("\"\""), B(" \t\r\n{ } \n"), B("[1 , 2]"),
		B("9223372036854775807"), B("-9223372036854775808"),
		B("[1.5,-0.0,1e5,1E+5,1e-5,0.1e1,123e45]"), B("[1e-400]"),
		B("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""),
		B("\"\\uD834\\uDD1E\""), B("\"\\uDBFF\\uDFFF\""),
		B("\"\xc2\x80\""), B("\"\xdf\xbf\""), B("\"\xe0\xa0\x80\""),
		B("\"\xed\x9f\xbf\""), B("\"\xee\x80\x80\""),
		B("\"\xef\xbf\xbf\""), B("\"\xf0\x90\x80\x80\""),
		B("\"\xf4\x8f\xbf\xbf\""), B("\"\x7f\""),
		B("{\"\":1}"), B("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}"),
		B("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"),
	};
	struct faults faults;

	for (size_t i = 0; i < N(rows); i++)
		if (!scan(*state, rows[i], &faults))
			fail_msg("%.*s: %s", TEXT_FMT(rows[i]),
			    faults.v[0].detail);
}

static void
refuses(void **state)
{
	static const struct {
		struct text in;
		const char *code, *pointer, *detail;
	} rows[] = {
		{ B(""), "syntax", "", "the text ends too early at byte 0" },
		{ B("  "), "syntax", "", "the text ends too early at byte 2" },
		{ B("\xef\xbb\xbf{}"), "syntax", "", "a value was expected at byte 0" },
		{ B("NaN"), "syntax", "", "a value was expected at byte 0" },
		{ B("[-Infinity]"), "syntax", "/0", "a digit was expected at byte 2" },
		{ B("Infinity"), "syntax", "", NULL },
		{ B("nul"), "syntax", "", NULL },
		{ B("nulll"), "syntax", "", "the text should end at byte 4" },
		{ B("True"), "syntax", "", NULL },
		{ B("'x'"), "syntax", "", NULL },
		{ B("01"), "syntax", "", "the text should end at byte 1" },
		{ B("-01"), "syntax", "", NULL },
		{ B("-"), "syntax", "", "the text ends too early at byte 1" },
		{ B("+1"), "syntax", "", NULL },
		{ B("2."), "syntax", "", "the text ends too early at byte 2" },
		{ B("[2.]"), "syntax", "/0", "a digit was expected at byte 3" },
		{ B(".5"), "syntax", "", NULL },
		{ B("1e"), "syntax", "", NULL },
		{ B("[1e+]"), "syntax", "/0", NULL },
		{ B("0x1"), "syntax", "", NULL },
		{ B("1 2"), "syntax", "", "the text should end at byte 2" },
		{ B("{}}"), "syntax", "", "the text should end at byte 2" },
		{ B("{} x"), "syntax", "", NULL },
		{ B("{}\0"), "syntax", "", "the text should end at byte 2" },
		{ B("[1,]"), "syntax", "/1", "a value was expected at byte 3" },
		{ B("[,1]"), "syntax", "/0", NULL },
		{ B("[1 2]"), "syntax", "/0", "a comma or ] was expected at byte 3" },
		{ B("[1}"), "syntax", "/0", NULL },
		{ B("["), "syntax", "/0", NULL },
		{ B("{\"a\":1,}"), "syntax", "", "a member name was expected at byte 7" },
		{ B("{a:1}"), "syntax", "", NULL },
		{ B("{\"a\"}"), "syntax", "/a", "a colon was expected at byte 4" },
		{ B("{\"a\":}"), "syntax", "/a", NULL },
		{ B("{\"a\":1"), "syntax", "/a", NULL },
		{ B("{\"a\":1]"), "syntax", "/a", NULL },
		{ B("[1/**/]"), "syntax", "/0", NULL },
		{ B("\"a"), "syntax", "", NULL },
		{ B("\"\\"), "syntax", "", NULL },
		{ B("\"\\x41\""), "syntax", "", "unknown escape at byte 2" },
		{ B("\"\\u12\""), "syntax", "", NULL },
		{ B("\"\\u123g\""), "syntax", "", NULL },
		{ B("\"\\u0000\""), "syntax", "", "\\u0000 is not allowed at byte 3" },
		{ B("\"\\ud800\""), "syntax", "", NULL },
		{ B("\"\\ud800x\""), "syntax", "", NULL },
		{ B("\"\\ud800\\u0041\""), "syntax", "", NULL },
		{ B("\"\\udc00\\ud800\""), "syntax", "", NULL },
		{ B("\"a\nb\""), "syntax", "", "control character at byte 2" },
		{ B("\"a\tb\""), "syntax", "", NULL },
		{ B("\"a\0b\""), "syntax", "", NULL },
		{ B("\"\x80\""), "syntax", "", "invalid UTF-8 at byte 1" },
		{ B("\"\xc0\xaf\""), "syntax", "", NULL },
		{ B("\"\xc1\xbf\""), "syntax", "", NULL },
		{ B("\"\xe0\x9f\xbf\""), "syntax", "", NULL },
		{ B("\"\xed\xa0\x80\""), "syntax", "", NULL },
		{ B("\"\xf0\x8f\xbf\xbf\""), "syntax", "", NULL },
		{ B("\"\xf4\x90\x80\x80\""), "syntax", "", NULL },
		{ B("\"\xf5\x80\x80\x80\""), "syntax", "", NULL },
		{ B("\"\xe2\x82\""), "syntax", "", NULL },
		{ B("\"\xe2"), "syntax", "", NULL },
		{ B("9223372036854775808"), "range", "", "number too large at byte 0" },
		{ B("-9223372036854775809"), "range", "", NULL },
		{ B("[0,{\"n\":100000000000000000000}]"), "range", "/1/n", NULL },
		{ B("[1e309]"), "range", "/0", NULL },
		{ B("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), "range",
		    "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", "nested too deeply at byte 16" },
		{ B("{\"a\":1,\"a\":2}"), "duplicate", "/a", "the member occurs again at byte 7" },
		{ B("{\"a\":1,\"\\u0061\":2}"), "duplicate", "/a", NULL },
		{ B("{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":2}"), "duplicate", "/\xf0\x9d\x84\x9e", NULL },
		{ B("[{\"x/y~z\":{\"b\":1,\"b\":1}}]"), "duplicate", "/0/x~1y~0z/b", NULL },
	};
	struct faults faults;

	for (size_t i = 0; i < N(rows); i++) {
		if (scan(*state, rows[i].in, &faults))
			fail_msg("taken: %.*s", TEXT_FMT(rows[i].in));
		if (!text_is(faults.v[0].pointer, rows[i].pointer) ||
		    strcmp(faults.v[0].code, rows[i].code) != 0 ||
		    (rows[i].detail &&
		    strcmp(faults.v[0].detail, rows[i].detail) != 0))
			fail_msg("%.*s: %s at \"%.*s\": %s",
			    TEXT_FMT(rows[i].in), faults.v[0].code,
			    TEXT_FMT(faults.v[0].pointer),
			    faults.v[0].detail);
	}
}

static void
notes_every_fault_that_is_no_syntax(void **state)
{
	struct faults faults;

	assert_false(scan(*state, TEXT("{\"a\":[1e999,{\"b\":1,\"b\":1}],"
	    "\"c\":99999999999999999999,\"a\":0}"), &faults));
	assert_int_equal(faults.n, 4);
	assert_true(text_is(faults.v[0].pointer, "/a/0"));
	assert_true(text_is(faults.v[1].pointer, "/a/1/b"));
	assert_true(text_is(faults.v[2].pointer, "/c"));
	assert_true(text_is(faults.v[3].pointer, "/a"));
}

static void
cuts_a_pointer_that_grows_too_long(void **state)
{
	char in[1024];
	struct faults faults;

	memset(in, 'k', sizeof(in));
	memcpy(in, "{\"a\":{\"", 7);
	memcpy(in + sizeof(in) - 8, "\":1e999}", 8);
	assert_false(scan(*state, (struct text){ in, sizeof(in) }, &faults));
	assert_true(text_is(faults.v[0].pointer, "/a"));
}

/* Neither many names nor many faults may take long: 256 KiB of the worst. */
static void
many_members_are_no_burden(void **state)
{
	const size_t max = 256 * 1024;
	char *in = malloc(max);
	struct faults faults = { 0 };
	size_t n = 1;

	assert_non_null(in);
	in[0] = '{';
	for (unsigned i = 0; n + 32 < max; i++)
		n += (size_t)snprintf(in + n, max - n, "%s\"\\u0061%x\":1",
		    i ? "," : "", i);
	in[n++] = '}';
	assert_true(json_scan((struct text){ in, n }, *state, &faults));
	for (n = 1; n + 8 < max; n += 8)
		memcpy(in + n, "\"a\":1e9,", 8);
	in[n - 1] = '}';
	assert_false(json_scan((struct text){ in, n }, *state, &faults));
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    notes_every_fault_that_is_no_syntax, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    cuts_a_pointer_that_grows_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(many_members_are_no_burden,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
