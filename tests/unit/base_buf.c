/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/buf: numbers, escapes, growth, and what happens without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static void
assert_holds(struct buf *b, const char *want)
{
	if (b->failed || b->n != strlen(want) ||
	    (b->n && memcmp(b->p, want, b->n) != 0))
		fail_msg("has \"%.*s\", not \"%s\"", (int)b->n,
		    b->p ? b->p : "", want);
	buf_reset(b, SIZE_MAX);
}

static void
integers(void **state)
{
	static const int64_t v[] = {
		0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 12345, 1234567,
		-1, -9, -10, -100, INT64_MAX, INT64_MIN, INT64_MIN + 1,
	};
	struct buf b = { 0 };
	char want[32];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_int(&b, v[i]);
		snprintf(want, sizeof(want), "%lld", (long long)v[i]);
		assert_holds(&b, want);
	}
	buf_done(&b);
}

static void
json_strings(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_json(&b, TEXT_NONE);
	assert_holds(&b, "null");
	buf_json(&b, TEXT(""));
	assert_holds(&b, "\"\"");
	buf_json(&b, TEXT("plain /\x7f \xc3\xa9"));
	assert_holds(&b, "\"plain /\x7f \xc3\xa9\"");
	buf_json(&b, TEXT("\"\\"));
	assert_holds(&b, "\"\\\"\\\\\"");
	buf_json(&b, TEXT("a\b\t\n\f\rz"));
	assert_holds(&b, "\"a\\b\\t\\n\\f\\rz\"");
	buf_json(&b, TEXT("\0\x01\x0b\x0e\x1f"));
	assert_holds(&b, "\"\\u0000\\u0001\\u000b\\u000e\\u001f\"");
	buf_done(&b);
}

/* Each byte alone: below 0x20, the quote and the backslash, and no other. */
static void
json_escapes_exactly_what_must_be(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool must = c < 0x20 || c == '"' || c == '\\';

		buf_json(&b, (struct text){ &byte, 1 });
		assert_int_equal(b.p[1] == '\\', must);
		if (!must)
			assert_int_equal(b.n, 3);
		buf_reset(&b, SIZE_MAX);
	}
	buf_done(&b);
}

/* The same at every place of a longer text: no step of the scan skips one. */
static void
json_finds_escapes_anywhere(void **state)
{
	static const uint8_t special[] = { 0, 0x1f, '"', '\\', 0x20, 0x7f,
		0x80, 0x9f, 0xa2, 0xdc, 0xff, '!', '#', '[', ']' };
	struct buf b = { 0 };
	char in[40];

	(void)state;
	for (size_t n = 1; n < sizeof(in); n++) {
		for (size_t at = 0; at < n * sizeof(special); at++) {
			uint8_t c = special[at % sizeof(special)];
			size_t want = n + 2;

			memset(in, 'x', n);
			in[at / sizeof(special)] = (char)c;
			want += c < 0x20 ? 5 : c == '"' || c == '\\';
			buf_json(&b, (struct text){ in, n });
			assert_int_equal(b.n, want);
			assert_int_equal(b.p[want - 1], '"');
			buf_reset(&b, SIZE_MAX);
		}
	}
	buf_done(&b);
}

/* Escapes sextuple the text: the room must grow along. */
static void
json_grows_with_escapes(void **state)
{
	static char in[3000];
	struct buf b = { 0 };

	(void)state;
	memset(in, 1, sizeof(in));
	buf_json(&b, (struct text){ in, sizeof(in) });
	assert_int_equal(b.n, 6 * sizeof(in) + 2);
	assert_memory_equal(b.p + b.n - 7, "\\u0001\"", 7);
	buf_done(&b);
}

/* RFC 4648 §10, and the two characters that URLs write otherwise. */
static void
base64(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_base64(&b, rows[i].in, strlen(rows[i].in));
		assert_holds(&b, rows[i].out);
	}
	buf_wipe(&b);
	assert_null(b.p);
	buf_wipe(&b);
}

static void
other_pieces(void **state)
{
	struct uuid id;
	struct buf b = { 0 };

	(void)state;
	assert_true(uuid_parse(TEXT("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
	    &id));
	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_put(&b, "cde", 2);
	buf_put(&b, NULL, 0);
	buf_text(&b, TEXT("!"));
	buf_text(&b, TEXT_NONE);
	buf_printf(&b, "%03d", 7);
	assert_holds(&b, "abcd!007");
	buf_name(&b, '{', "a");
	buf_name(&b, ',', "bc");
	assert_holds(&b, "{\"a\":,\"bc\":");
	buf_uuid(&b, &id);
	assert_holds(&b, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	buf_time(&b, 1769851800123456);
	assert_holds(&b, "2026-01-31T09:30:00.123Z");
	buf_done(&b);
}

static void
grows_and_shrinks(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(buf_view(&b).n, 0);
	assert_non_null(buf_view(&b).s);
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 100000);
	assert_int_equal(b.p[99999], 'a' + 99999 % 26);
	buf_printf(&b, "%10000d", 1);
	assert_int_equal(b.n, 110000);
	buf_reset(&b, 1 << 20);
	assert_true(b.cap >= 110000);
	assert_int_equal(b.n, 0);
	buf_reset(&b, 1000);
	assert_true(b.cap <= 1000);
	buf_puts(&b, "still works");
	assert_holds(&b, "still works");
	buf_done(&b);
}

static void
failure_sticks_until_reset(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "x");
	buf_put(&b, "y", SIZE_MAX - 4);	/* refused before a byte is read */
	assert_true(b.failed);
	buf_puts(&b, "more");
	buf_putc(&b, 'z');
	buf_int(&b, 5);
	buf_json(&b, TEXT("q"));
	assert_int_equal(b.n, 1);
	buf_reset(&b, SIZE_MAX);
	assert_false(b.failed);
	buf_puts(&b, "again");
	assert_holds(&b, "again");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(json_escapes_exactly_what_must_be),
		cmocka_unit_test(json_finds_escapes_anywhere),
		cmocka_unit_test(json_grows_with_escapes),
		cmocka_unit_test(base64),
		cmocka_unit_test(other_pieces),
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(failure_sticks_until_reset),
	};

	return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
