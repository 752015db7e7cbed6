/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a date, an instant and a local time: printed and read again,
 * and counted by the C library's calendar. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "lib/input.h"

#define FIRST (-719162 * TIME_DAY)
#define LAST (2932897 * TIME_DAY - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
digits(const char *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++)
		v = v * 10 + s[i] - '0';
	return v;
}

/* The seconds that timegm counts for the date and time of day at s. */
static int64_t
counted(const char *s, size_t n)
{
	struct tm tm = {
		.tm_year = digits(s, 4) - 1900, .tm_mon = digits(s + 5, 2) - 1,
		.tm_mday = digits(s + 8, 2),
	};

	if (n >= 16) {
		tm.tm_hour = digits(s + 11, 2);
		tm.tm_min = digits(s + 14, 2);
	}
	if (n >= 19 && s[16] == ':')
		tm.tm_sec = digits(s + 17, 2);
	return timegm(&tm);
}

static int64_t
down(int64_t us, int64_t unit)
{
	const int64_t rest = us % unit;

	return us - (rest < 0 ? rest + unit : rest);
}

static void
check_format(int64_t us)
{
	char out[TIME_CHARS], again[TIME_CHARS];
	int64_t got;

	time_format(us, out);
	must(time_parse((struct text){ out, TIME_CHARS }, &got),
	    "what was printed is refused");
	us = us < FIRST ? FIRST : us > LAST ? LAST : us;
	must(got == down(us, 1000), "another instant");
	must(counted(out, TIME_CHARS) == down(us, TIME_SECOND) / TIME_SECOND,
	    "the calendar says another instant");
	time_format(got, again);
	must(memcmp(out, again, TIME_CHARS) == 0, "printed differently");
}

/* +hh:mm at the end, in seconds. */
static int64_t
offset(struct text in)
{
	const char *at = in.s + in.n - 6;

	if (in.s[in.n - 1] == 'Z' || in.s[in.n - 1] == 'z')
		return 0;
	return (at[0] == '-' ? -60 : 60) *
	    (digits(at + 1, 2) * 60 + digits(at + 4, 2));
}

static bool
check_time(struct text in)
{
	int64_t us;

	if (!time_parse(in, &us))
		return false;
	must(us >= FIRST && us <= LAST, "a year that cannot be written");
	must(down(us, TIME_SECOND) / TIME_SECOND ==
	    counted(in.s, in.n) - offset(in), "another instant");
	check_format(us);
	return true;
}

static void
check_day(int32_t day)
{
	char out[10];
	int32_t again;

	date_format(day, out);
	must(date_parse((struct text){ out, 10 }, &again),
	    "what was printed is refused");
	must(again == (day < -719162 ? -719162 : day > 2932896 ? 2932896 :
	    day), "another day");
}

static bool
check_date(struct text in)
{
	char out[10];
	int32_t day;

	if (!date_parse(in, &day))
		return false;
	must(day * INT64_C(86400) == counted(in.s, in.n), "another day");
	date_format(day, out);
	must(text_equal(in, (struct text){ out, 10 }), "another spelling");
	return true;
}

static bool
check_local(struct text in)
{
	char out[TIME_CHARS];
	int64_t us, again;

	if (!local_parse(in, &us))
		return false;
	must(down(us, TIME_SECOND) / TIME_SECOND == counted(in.s, in.n),
	    "another time");
	time_format(us, out);
	must(local_parse((struct text){ out, 19 }, &again) &&
	    again == down(us, TIME_SECOND), "another time when printed");
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = { (const char *)data, size };
	int64_t us;
	int32_t day;

	must(check_time(in) + check_date(in) + check_local(in) <= 1,
	    "two readings of one text");
	if (size >= sizeof(us)) {
		memcpy(&us, data, sizeof(us));
		memcpy(&day, data, sizeof(day));
		check_format(us);
		check_format(us % LAST);
		check_day(day);
		check_day(day % 3000000);
	}
	return 0;
}
