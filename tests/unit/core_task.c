/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Status words, the three forms of a due date, bounds, zones, tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/clock.h"
#include "core/task.h"

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
status_words(void **state)
{
	static const char *const rows[][2] = {
		{ "pending", "pending" }, { "Pending", "pending" },
		{ "To Do", "pending" }, { "TODO", "pending" },
		{ "to do", "pending" },
		{ "In Progress", "in_progress" },
		{ "in_progress", "in_progress" },
		{ "IN-PROGRESS", "in_progress" },
		{ "Done", "completed" }, { "COMPLETED", "completed" },
		{ "cancelled", "cancelled" }, { "Canceled", "cancelled" },
		{ "", NULL }, { "doing", NULL }, { "done ", NULL },
		{ "to  do", NULL }, { "inprogress", NULL },
		{ "complete", NULL }, { "\xc4\xb0n_progress", NULL },
	};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = text_of(rows[i][0]);

		assert_int_equal(task_check_status(mem, &t, &why),
		    rows[i][1] ? 0 : 1);
		if (rows[i][1])
			assert_true(text_is(t, rows[i][1]));
		else
			assert_non_null(why);
	}
	assert_true(text_is(task_status_label(TEXT("pending")), "To Do"));
	assert_true(text_is(task_status_label(TEXT("in_progress")),
	    "In Progress"));
	assert_true(text_is(task_status_label(TEXT("completed")), "Done"));
	assert_true(text_is(task_status_label(TEXT("cancelled")),
	    "Cancelled"));
	assert_null(task_status_label(TEXT("x")).s);
}

static void
due_forms(void **state)
{
	static const struct {
		const char *in;
		bool zone;
		const char *text, *at, *local;	/* at: an instant */
	} rows[] = {
		{ "2026-01-31", false, "2026-01-31",
		    "2026-01-31T23:59:59.999Z", NULL },
		{ "2028-02-29", false, "2028-02-29",
		    "2028-02-29T23:59:59.999Z", NULL },
		{ "9999-12-31", false, "9999-12-31",
		    "9999-12-31T23:59:59.999Z", NULL },
		{ "0001-01-01", false, "0001-01-01",
		    "0001-01-01T23:59:59.999Z", NULL },
		{ "2026-01-31T09:30:00Z", false, "2026-01-31T09:30:00.000Z",
		    "2026-01-31T09:30:00.000Z", NULL },
		{ "2026-01-31T13:00:00.1239+03:30", false,
		    "2026-01-31T09:30:00.123Z", "2026-01-31T09:30:00.123Z",
		    NULL },
		{ "1969-12-31T23:59:59.9999Z", false,
		    "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z",
		    NULL },
		{ "2026-01-31T09:30:00", true, "2026-01-31T09:30:00", NULL,
		    "2026-01-31 09:30:00" },
		{ "2026-01-31T09:30", true, "2026-01-31T09:30:00", NULL,
		    "2026-01-31 09:30:00" },
		{ "2026-01-31T09:30:00.75", true, "2026-01-31T09:30:00",
		    NULL, "2026-01-31 09:30:00" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = TIME_NONE;
		struct due due;

		if (task_due_parse(mem, text_of(rows[i].in), rows[i].zone,
		    &due, &why))
			fail_msg("%s refused: %s", rows[i].in, why);
		assert_true(text_is(due.text, rows[i].text));
		if (rows[i].at)
			assert_true(time_parse(text_of(rows[i].at), &at));
		assert_int_equal(due.at, at);
		if (rows[i].local)
			assert_true(text_is(due.local, rows[i].local));
		else
			assert_null(due.local.s);
	}
}

static void
due_refusals(void **state)
{
	static const struct {
		const char *in;
		bool zone;
	} rows[] = {
		{ "2026-01-31T09:30:00", false }, { "2026-01-31", true },
		{ "2026-01-31T09:30:00Z", true }, { "", false }, { "", true },
		{ "2026-02-29", false }, { "2026-13-01", false },
		{ "2026-00-10", false }, { "31.01.2026", false },
		{ "2026-1-31", false }, { "tomorrow", false },
		{ "2026-01-31T25:00:00Z", false },
		{ "2026-01-31T09:30:60Z", false },
		{ "2026-01-31T24:00:00", true },
		{ "0000-01-01", false }, { "10000-01-01", false },
		{ "0001-01-01T00:00:00+14:00", false },
		{ "9999-12-31T23:59:59-14:00", false },
		{ "2026-01-31 ", false }, { " 2026-01-31", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct due due = { TEXT("x"), 7, TEXT_NONE };
		const char *why = NULL;

		if (!task_due_parse(mem, text_of(rows[i].in), rows[i].zone,
		    &due, &why))
			fail_msg("%s was taken", rows[i].in);
		assert_non_null(why);
		assert_int_equal(due.at, 7);
	}
}

/* For the decoder, before it is known whether a zone came along. */
static void
due_spelling(void **state)
{
	struct text t = TEXT("2026-01-31T09:30:00");
	const char *why = NULL;

	(void)state;
	assert_int_equal(task_check_due(mem, &t, &why), 0);
	t = TEXT("2026-01-31");
	assert_int_equal(task_check_due(mem, &t, &why), 0);
	assert_true(text_is(t, "2026-01-31"));
	t = TEXT("2026-02-31");
	assert_int_equal(task_check_due(mem, &t, &why), 1);
	assert_non_null(why);
}

static void
bounds(void **state)
{
	int64_t us, want;

	(void)state;
	assert_true(time_parse(TEXT("2026-01-31T00:00:00Z"), &want));
	assert_int_equal(task_bound_parse(TEXT("2026-01-31"), false, &us), 0);
	assert_int_equal(us, want);
	assert_int_equal(task_bound_parse(TEXT("2026-01-31"), true, &us), 0);
	assert_int_equal(us, want + TIME_DAY - 1);
	assert_int_equal(task_bound_parse(TEXT("2026-01-31T01:00:00+01:00"),
	    true, &us), 0);
	assert_int_equal(us, want);
	assert_int_equal(task_bound_parse(TEXT("2026-01-31T01:00:00"), true,
	    &us), 1);
	assert_int_equal(task_bound_parse(TEXT("x"), true, &us), 1);
	assert_int_equal(task_bound_parse(TEXT(""), true, &us), 1);
}

#define LETTERS_65 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
zones(void **state)
{
	static const char *const good[] = {
		"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires",
		"Etc/GMT+5", "Asia/Tehran", "America/Port-au-Prince",
	};
	static const char *const bad[] = {
		"", "+05:30", "/etc/passwd", "../x", "Europe/", "_x", "5",
		"Europe/Berlin'", "Europe Berlin", "Europe/Berlin\n",
		LETTERS_65,
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct text t = text_of(good[i]);

		assert_int_equal(task_check_timezone(mem, &t, &why), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text t = text_of(bad[i]);

		assert_int_equal(task_check_timezone(mem, &t, &why), 1);
	}
}

#define E10 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"

static void
tags(void **state)
{
	struct text in[] = {
		TEXT(" home "), TEXT("work"), TEXT("home"), TEXT("\twork\r\n"),
		TEXT("two words"), TEXT("Home"), TEXT(E10 E10 E10 E10 E10),
	};
	struct text empty = TEXT(" \t"), none = TEXT("");
	struct text wide = TEXT(E10 E10 E10 E10 E10 "x");
	struct texts t = { in, 7 };
	const char *why = NULL;

	(void)state;
	assert_int_equal(task_check_tags(mem, &t, &why), 0);
	assert_int_equal(t.n, 5);
	assert_true(text_is(t.v[0], "home"));
	assert_true(text_is(t.v[1], "work"));
	assert_true(text_is(t.v[2], "two words"));
	assert_true(text_is(t.v[3], "Home"));
	assert_int_equal(t.v[4].n, 100);

	t = (struct texts){ NULL, 0 };
	assert_int_equal(task_check_tags(mem, &t, &why), 0);
	assert_int_equal(t.n, 0);
	assert_non_null(t.v);
	t = (struct texts){ &empty, 1 };
	assert_int_equal(task_check_tags(mem, &t, &why), 1);
	assert_non_null(why);
	t = (struct texts){ &none, 1 };
	assert_int_equal(task_check_tags(mem, &t, &why), 1);
	t = (struct texts){ &wide, 1 };
	assert_int_equal(task_check_tags(mem, &t, &why), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_words),
		cmocka_unit_test(due_forms),
		cmocka_unit_test(due_refusals),
		cmocka_unit_test(due_spelling),
		cmocka_unit_test(bounds),
		cmocka_unit_test(zones),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
