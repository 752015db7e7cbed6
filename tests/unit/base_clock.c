/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/clock: RFC 3339 in, RFC 3339 out, against the C library's calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
parses_instants(void **state)
{
	static const struct { const char *in; int64_t us; } rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:01z", 1000000 },
		{ "1970-01-01 00:00:01Z", 1000000 },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "2026-01-31T09:30:00.123456Z", 1769851800123456 },
		{ "2026-01-31T09:30:00.1Z", 1769851800100000 },
		{ "2026-01-31T09:30:00.123456999999Z", 1769851800123456 },
		{ "2026-01-31T10:30:00+01:00", 1769851800000000 },
		{ "2026-01-31T04:00:00-05:30", 1769851800000000 },
		{ "2026-01-31T09:30:00-00:00", 1769851800000000 },
		{ "2026-02-01T09:29:00+23:59", 1769851800000000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000 },
		{ "2000-02-29T00:00:00Z", 951782400000000 },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000000) },
		{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		us = 42;
		if (!time_parse(text_of(rows[i].in), &us))
			fail_msg("refused %s", rows[i].in);
		if (us != rows[i].us)
			fail_msg("%s gave %lld", rows[i].in, (long long)us);
	}
}

static void
refuses_instants(void **state)
{
	static const char *const rows[] = {
		"", "2026", "2026-01-31", "2026-01-31T09:30Z",
		"2026-01-31T09:30:00", "2026-01-31T09:30:00.Z",
		"2026-01-31T09:30:00.5", "2026-01-31T09:30:00+01",
		"2026-01-31T09:30:00+0100", "2026-01-31T09:30:00+24:00",
		"2026-01-31T09:30:00+01:60", "2026-01-31T09:30:00 01:00",
		"2026-01-31T24:00:00Z", "2026-01-31T09:60:00Z",
		"2026-01-31T09:30:60Z", "2016-12-31T23:59:60Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-00-10T00:00:00Z",
		"2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z", "0000-01-01T00:00:00Z",
		"10000-01-01T00:00:00Z", "26-01-31T09:30:00Z",
		"2026-1-31T09:30:00Z", "2026-01-31T9:30:00Z",
		" 2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z ",
		"2026-01-31T09:30:00ZZ", "2026-01-31_09:30:00Z",
		"2026-01-31T09:30:00,5Z", "-026-01-31T09:30:00Z",
		"+026-01-31T09:30:00Z", "2026-01-31T09:30:0xZ",
		"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
	};
	int64_t us = 42;

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		if (time_parse(text_of(rows[i]), &us))
			fail_msg("took \"%s\"", rows[i]);
	assert_false(time_parse(TEXT("2026-01-31T09:30:00\0"), &us));
	assert_false(time_parse(TEXT("2026-01-31\0" "09:30:00Z"), &us));
	assert_false(time_parse(TEXT_NONE, &us));
	assert_int_equal(us, 42);
}

static void
dates(void **state)
{
	int32_t day = 42;

	(void)state;
	assert_true(date_parse(TEXT("1970-01-01"), &day));
	assert_int_equal(day, 0);
	assert_true(date_parse(TEXT("2024-02-29"), &day));
	assert_int_equal(day, 19782);
	assert_true(date_parse(TEXT("0001-01-01"), &day));
	assert_int_equal(day, -719162);
	assert_true(date_parse(TEXT("9999-12-31"), &day));
	assert_int_equal(day, 2932896);
	assert_false(date_parse(TEXT("2023-02-29"), &day));
	assert_false(date_parse(TEXT("2100-02-29"), &day));
	assert_false(date_parse(TEXT("2024-2-29"), &day));
	assert_false(date_parse(TEXT("2024-02-29 "), &day));
	assert_false(date_parse(TEXT("2024/02/29"), &day));
	assert_false(date_parse(TEXT_NONE, &day));
	assert_int_equal(day, 2932896);
}

static void
local_times(void **state)
{
	int64_t us;

	(void)state;
	assert_true(local_parse(TEXT("1970-01-02T00:01"), &us));
	assert_int_equal(us, 86460000000);
	assert_true(local_parse(TEXT("1970-01-01T00:00:01.5"), &us));
	assert_int_equal(us, 1500000);
	assert_true(local_parse(TEXT("1970-01-01 00:00:01"), &us));
	assert_false(local_parse(TEXT("1970-01-01T00:00:01Z"), &us));
	assert_false(local_parse(TEXT("1970-01-01T00:00:01+01:00"), &us));
	assert_false(local_parse(TEXT("1970-01-01T00:00:"), &us));
	assert_false(local_parse(TEXT("1970-01-01T00"), &us));
	assert_false(local_parse(TEXT("1970-01-01"), &us));
}

/* Every day of 9999 years, forth and back, against gmtime. */
static void
the_whole_calendar(void **state)
{
	char out[11], want[64];

	(void)state;
	for (int32_t day = -719162; day <= 2932896; day++) {
		time_t t = (time_t)day * 86400;
		int32_t back;
		struct tm tm;

		date_format(day, out);
		if (!date_parse((struct text){ out, 10 }, &back) ||
		    back != day)
			fail_msg("day %d gave %.10s", day, out);
		if (day % 7 != 0)	/* gmtime is slow: one day a week */
			continue;
		gmtime_r(&t, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02d",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		if (memcmp(out, want, 10) != 0)
			fail_msg("day %d gave %.10s, not %s", day, out, want);
	}
}

static void
prints_instants(void **state)
{
	static const struct { int64_t us; const char *want; } rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00.000Z" },
		{ 1000, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.999Z" },
		{ -1001, "1969-12-31T23:59:59.998Z" },
		{ 1769851800123456, "2026-01-31T09:30:00.123Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999Z" },
		/* what has no four-digit year is held at the edge */
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0001-01-01T00:00:00.000Z" },
	};
	char out[TIME_CHARS];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		time_format(rows[i].us, out);
		if (memcmp(out, rows[i].want, TIME_CHARS) != 0)
			fail_msg("%lld gave %.24s", (long long)rows[i].us,
			    out);
	}
}

static void
clocks_run(void **state)
{
	int64_t real = clock_real_us(), mono = clock_mono_ms();

	(void)state;
	assert_true(real / 1000000 - time(NULL) <= 1);
	assert_true(time(NULL) - real / 1000000 <= 1);
	assert_true(mono > 0);
	assert_true(clock_mono_ms() >= mono);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_instants),
		cmocka_unit_test(refuses_instants),
		cmocka_unit_test(dates),
		cmocka_unit_test(local_times),
		cmocka_unit_test(the_whole_calendar),
		cmocka_unit_test(prints_instants),
		cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests_name("base_clock", tests, NULL, NULL);
}
