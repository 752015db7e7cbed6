/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* User names, e-mail addresses and phones: canonical forms and refusals. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/names.h"

typedef int (*check)(struct arena *, void *, const char **);

struct row {
	struct text in;
	const char *out;	/* NULL: refused */
};

#define ROW(in, out) { TEXT_INIT(in), out }
#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"

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
run(check fn, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct text t = rows[i].in;
		const char *why = NULL;
		int r = fn(mem, &t, &why);

		if (rows[i].out && (r || !text_is(t, rows[i].out)))
			print_error("row %zu: %s -> %.*s\n", i, rows[i].in.s,
			    TEXT_FMT(t));
		if (!rows[i].out && !r)
			print_error("row %zu: %s was taken\n", i,
			    rows[i].in.s);
		assert_int_equal(r, rows[i].out ? 0 : 1);
		if (rows[i].out)
			assert_true(text_is(t, rows[i].out));
		else
			assert_non_null(why);
	}
	arena_reset(mem);
}

static void
usernames(void **state)
{
	static const struct row rows[] = {
		ROW("ann", "ann"), ROW("Ann.B_c-9", "Ann.B_c-9"),
		ROW("a.b", "a.b"), ROW("-a-", "-a-"),
		ROW(A63 "a", A63 "a"), ROW(A63 "aa", NULL),
		ROW("ab", NULL), ROW("", NULL),
		ROW(".ab", NULL), ROW("ab.", NULL),
		ROW("a b", NULL), ROW(" ann", NULL), ROW("ann ", NULL),
		ROW("a@b", NULL), ROW("a+b", NULL), ROW("a/b", NULL),
		ROW("a\tb", NULL), ROW("a\nb", NULL), ROW("ann\0", NULL),
		ROW("a'b", NULL), ROW("<b>", NULL),
		/* Composed, decomposed, full width, ligature: one form. */
		ROW("Zo\xc3\xab", "Zo\xc3\xab"),
		ROW("Zoe\xcc\x88", "Zo\xc3\xab"),
		ROW("\xef\xbd\x81\xef\xbd\x8e\xef\xbd\x8e", "ann"),
		ROW("o\xef\xac\x83" "ce", "office"),
		/* Persian, Japanese, Persian digits. */
		ROW("\xd8\xb9\xd9\x84\xdb\x8c",
		    "\xd8\xb9\xd9\x84\xdb\x8c"),
		ROW("\xe5\xa4\xaa\xe9\x83\x8e\xe3\x81\xae",
		    "\xe5\xa4\xaa\xe9\x83\x8e\xe3\x81\xae"),
		ROW("\xdb\xb1\xdb\xb2\xdb\xb3", "\xdb\xb1\xdb\xb2\xdb\xb3"),
		/* No-break, en, ideographic, zero-width space; BOM; RLO;
		 * joiner; soft hyphen; Hangul filler; variation selector. */
		ROW("a\xc2\xa0" "b", NULL), ROW("a\xe2\x80\x82" "b", NULL),
		ROW("a\xe3\x80\x80" "b", NULL),
		ROW("a\xe2\x80\x8b" "b", NULL),
		ROW("a\xef\xbb\xbf" "b", NULL),
		ROW("a\xe2\x80\xae" "b", NULL),
		ROW("a\xe2\x80\x8d" "b", NULL), ROW("a\xc2\xad" "b", NULL),
		ROW("a\xe3\x85\xa4" "b", NULL), ROW("a\xef\xb8\x8f" "b", NULL),
		ROW("a\xe2\xa0\x80" "b", NULL),
		/* A mark first, emoji, private use, unassigned. */
		ROW("\xcc\x88" "ann", NULL),
		ROW("ann\xf0\x9f\x98\x80", NULL),
		ROW("ann\xee\x80\x80", NULL), ROW("ann\xcd\xb8", NULL),
		/* Not UTF-8: cut, overlong, surrogate. */
		ROW("ann\xc3", NULL), ROW("a\xc0\xaf" "b", NULL),
		ROW("a\xed\xa0\x80" "b", NULL), ROW("ann\xff", NULL),
		/* One character that becomes eighteen with spaces in it. */
		ROW("\xef\xb7\xba", NULL),
	};

	(void)state;
	run(name_check_username, rows, sizeof(rows) / sizeof(rows[0]));
}

static void
emails(void **state)
{
	static const struct row rows[] = {
		ROW("a@b.cc", "a@b.cc"),
		ROW("  J.Doe+x@Example.ORG ", "J.Doe+x@example.org"),
		ROW("o'neil!#$%&*-/=?^_`{|}~@x-1.example",
		    "o'neil!#$%&*-/=?^_`{|}~@x-1.example"),
		ROW("a@1.2.3.com", "a@1.2.3.com"),
		ROW(A63 "a@b.cc", A63 "a@b.cc"), ROW(A63 "aa@b.cc", NULL),
		ROW("a@" A63 ".cc", "a@" A63 ".cc"),
		ROW("a@" A63 "a.cc", NULL),
		ROW("a@" A63 "." A63 "." A63 "." A63, NULL),
		ROW("", NULL), ROW("@", NULL), ROW("a", NULL), ROW("a@", NULL),
		ROW("@b.cc", NULL), ROW("a@b", NULL), ROW("a@b.", NULL),
		ROW("a@.b.cc", NULL), ROW("a@b..cc", NULL),
		ROW("a@-b.cc", NULL), ROW("a@b-.cc", NULL),
		ROW("a@b_c.cc", NULL), ROW("a@1.2.3.4", NULL),
		ROW("a@[1.2.3.4]", NULL), ROW(".a@b.cc", NULL),
		ROW("a.@b.cc", NULL), ROW("a..b@b.cc", NULL),
		ROW("a@b@c.cc", NULL), ROW("a b@c.cc", NULL),
		ROW("\"a\"@b.cc", NULL), ROW("a(x)@b.cc", NULL),
		ROW("a,b@c.cc", NULL), ROW("a<b@c.cc>", NULL),
		ROW("a\0b@c.cc", NULL), ROW("a@b\0.cc", NULL),
		ROW("a@b.cc\n", NULL), ROW("a@b.cc\r\nBcc: x@y.zz", NULL),
		ROW("\xc3\xab@b.cc", NULL), ROW("a@\xc3\xab.cc", NULL),
	};

	(void)state;
	run(name_check_email, rows, sizeof(rows) / sizeof(rows[0]));
}

static void
phones(void **state)
{
	static const struct row rows[] = {
		ROW("+989121234567", "+989121234567"),
		ROW("0098 912 123-4567", "+989121234567"),
		ROW("+98 (912) 123.45.67", "+989121234567"),
		ROW(" +989121234567 ", "+989121234567"),
		ROW("+1234567", "+1234567"),
		ROW("+123456789012345", "+123456789012345"),
		ROW("00123456789012345", "+123456789012345"),
		ROW("+123456", NULL), ROW("+1234567890123456", NULL),
		ROW("001234567890123456", NULL),
		ROW("+12345678901234567890123456789", NULL),
		ROW("09121234567", NULL), ROW("9121234567", NULL),
		ROW("+0989121234567", NULL), ROW("000989121234567", NULL),
		ROW("+98+9121234567", NULL), ROW("00+989121234567", NULL),
		ROW("+98912123456a", NULL), ROW("+98912CALLNOW", NULL),
		ROW("+9891212345\0" "67", NULL), ROW("+989121234567\n", NULL),
		ROW("+989121234567;ext=1", NULL), ROW("", NULL),
		ROW("+", NULL), ROW("00", NULL), ROW("+989XXXXXXXXX", NULL),
		ROW("+\xdb\xb9\xdb\xb8\xdb\xb9\xdb\xb1\xdb\xb2", NULL),
	};

	(void)state;
	run(name_check_phone, rows, sizeof(rows) / sizeof(rows[0]));
}

static bool
same_key(struct text a, struct text b)
{
	struct text x, y;

	assert_int_equal(name_key(mem, a, &x), 0);
	assert_int_equal(name_key(mem, b, &y), 0);
	return text_equal(x, y);
}

static void
keys(void **state)
{
	struct text key;

	(void)state;
	assert_int_equal(name_key(mem, TEXT("Ann"), &key), 0);
	assert_true(text_is(key, "ann"));
	assert_true(same_key(TEXT("STRASSE"), TEXT("stra\xc3\x9f" "e")));
	assert_true(same_key(TEXT("\xe1\xba\x9e"), TEXT("ss")));
	assert_true(same_key(TEXT("\xce\xa3\xce\x8a\xce\xa3"),
	    TEXT("\xcf\x83\xce\xaf\xcf\x82")));
	assert_true(same_key(TEXT("ZOE\xcc\x88"), TEXT("zo\xc3\xab")));
	assert_true(same_key(TEXT("\xef\xbc\xa1nn"), TEXT("ann")));
	assert_false(same_key(TEXT("ann"), TEXT("anne")));
	assert_int_equal(name_key(mem, TEXT("\xff"), &key), -EILSEQ);
	arena_reset(mem);
}

static size_t
encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Over every character: a key is its own key, a name its own name, and a
 * name and its canonical form have one key. */
static void
canonical_forms_are_stable(void **state)
{
	size_t taken = 0;

	(void)state;
	for (uint32_t c = 1; c < 0x110000; c++) {
		char s[8] = "aa";
		struct text in = { s, 2 + encode(c, s + 2) }, name = in;
		struct text key, again, key_of_name;
		const char *why;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		assert_int_equal(name_key(mem, in, &key), 0);
		assert_int_equal(name_key(mem, key, &again), 0);
		if (!text_equal(key, again))
			fail_msg("key of U+%04X is not stable", c);
		if (name_check_username(mem, &name, &why) == 0) {
			taken++;
			again = name;
			assert_int_equal(name_check_username(mem, &again,
			    &why), 0);
			assert_true(text_equal(name, again));
			assert_int_equal(name_key(mem, name, &key_of_name),
			    0);
			assert_true(text_equal(key, key_of_name));
		}
		arena_reset(mem);
	}
	print_message("names: %zu characters may occur\n", taken);
	assert_true(taken > 100000 && taken < 200000);
}

static void
masks(void **state)
{
#define MASK(in, out) assert_true(text_is(name_mask(mem, TEXT(in)), out))
	(void)state;
	MASK("+989121234567", "+98912***567");
	MASK("+1234567", "+1***67");
	MASK("john@example.org", "j***@example.org");
	MASK("j@example.org", "j***@example.org");
	MASK("short", "***");
	MASK("", "***");
	assert_true(text_is(name_mask(mem, TEXT_NONE), "***"));
#undef MASK
	arena_reset(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usernames),
		cmocka_unit_test(emails),
		cmocka_unit_test(phones),
		cmocka_unit_test(keys),
		cmocka_unit_test(canonical_forms_are_stable),
		cmocka_unit_test(masks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
