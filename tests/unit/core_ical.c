/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Content lines: folded by octets between characters, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/ical.h"

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

/* No line is longer than 75 octets or begins inside a character. */
static void
check_lines(struct text t)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '\r') {
			assert_true(n <= 75);
			assert_true(t.s[++i] == '\n');
			n = 0;
			if (i + 2 < t.n)
				assert_true(t.s[i + 1] == ' ' && ((unsigned
				    char)t.s[i + 2] & 0xc0) != 0x80);
			continue;
		}
		n++;
	}
}

static void
folds(void **state)
{
	static const char *const units[] = { "x", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", ",", "\\", ";", "a," };

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
		for (size_t lead = 0; lead < 80; lead++) {
			struct buf in = { 0 }, out = { 0 };
			struct ical_line line;
			struct text rest;

			for (size_t i = 0; i < lead; i++)
				buf_putc(&in, 'x');
			for (size_t i = 0; i < 60; i++)
				buf_puts(&in, units[u]);
			ical_text(&out, "SUMMARY", buf_view(&in));
			rest = buf_view(&out);
			check_lines(rest);
			assert_true(ical_next(&rest, mem, &line));
			assert_int_equal(rest.n, 0);
			assert_true(ical_is(&line, "summary"));
			assert_true(text_equal(ical_unescape(line.value, mem),
			    buf_view(&in)));
			buf_done(&in);
			buf_done(&out);
		}
}

static void
controls(void **state)
{
	struct buf out = { 0 };

	(void)state;
	ical_text(&out, "X", TEXT("a\r\nb\rc\nd\te\x01" "f\x7fg"));
	buf_putc(&out, '\0');
	assert_string_equal(out.p, "X:a\\nb\\nc\\nd\te f g\r\n");
	buf_done(&out);
}

static void
parameters(void **state)
{
	struct text rest = TEXT("DUE;X=\"a:b;c\";tzid=Europe/Berlin;Y:v:w\nno\n"
	    ":\n");
	struct ical_line line;

	(void)state;
	assert_true(ical_next(&rest, mem, &line));
	assert_true(text_is(line.name, "DUE") && text_is(line.value, "v:w"));
	assert_true(text_is(ical_param(&line, "TZID"), "Europe/Berlin"));
	assert_true(text_is(ical_param(&line, "X"), "a:b;c"));
	assert_true(text_is(ical_param(&line, "Y"), ""));
	assert_null(ical_param(&line, "Z").s);
	assert_true(ical_next(&rest, mem, &line));
	assert_null(line.name.s);
	assert_true(ical_next(&rest, mem, &line));
	assert_int_equal(line.name.n, 0);
	assert_false(ical_next(&rest, mem, &line));
}

static void
dates(void **state)
{
	static const char *const rows[][2] = {
		{ "20260131", "2026-01-31" },
		{ "20260131T093000", "2026-01-31T09:30:00" },
		{ "20260131T093000Z", "2026-01-31T09:30:00Z" },
		{ "20260131T0930", NULL }, { "2026-01-31", NULL },
		{ "", NULL }, { "20260131T093000z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = ical_when(text_of(rows[i][0]), mem);

		assert_true(rows[i][1] ? text_is(t, rows[i][1]) : !t.s);
	}
}

static void
lists(void **state)
{
	struct text v[] = { TEXT("a,b"), TEXT("c\\"), TEXT("d;\ne") };
	struct buf out = { 0 };
	struct ical_line line;
	struct text rest;
	struct texts back;

	(void)state;
	ical_texts(&out, "CATEGORIES", (struct texts){ v, 3 });
	rest = buf_view(&out);
	assert_true(ical_next(&rest, mem, &line));
	back = ical_split(line.value, mem);
	assert_int_equal(back.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(text_equal(back.v[i], v[i]));
	buf_done(&out);
}

static void
due(void **state)
{
	struct buf out = { 0 };

	(void)state;
	ical_due(&out, TEXT("2026-01-31"), TEXT_NONE);
	ical_due(&out, TEXT("2026-01-31T09:30:00.123Z"), TEXT_NONE);
	ical_due(&out, TEXT("2026-01-31T09:30:00"), TEXT("Europe/Berlin"));
	buf_putc(&out, '\0');
	assert_string_equal(out.p, "DUE;VALUE=DATE:20260131\r\n"
	    "DUE:20260131T093000Z\r\n"
	    "DUE;TZID=Europe/Berlin:20260131T093000\r\n");
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),
		cmocka_unit_test(controls),
		cmocka_unit_test(parameters),
		cmocka_unit_test(dates),
		cmocka_unit_test(lists),
		cmocka_unit_test(due),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
