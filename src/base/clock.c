/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The two clocks, and RFC 3339 by hand: no locale, no zone, no strptime. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

/* The instants whose year has four digits: 0001-01-01 to 9999-12-31. */
#define DAY_MIN (-719162)
#define DAY_MAX 2932896
#define TIME_MIN ((int64_t)DAY_MIN * TIME_DAY)
#define TIME_MAX ((int64_t)DAY_MAX * TIME_DAY + TIME_DAY - 1)

/* 400 years are the cycle of the calendar. */
#define DAYS_400 146097
#define DAYS_100 36524
#define DAYS_4 1461
#define DAYS_1 365
/* From 0000-03-01, where our cycles start, to 1970-01-01. */
#define DAYS_TO_EPOCH 719468

int64_t
clock_real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * TIME_SECOND + ts.tv_nsec / 1000;
}

/* For deadlines: does not jump when the wall clock is set. */
int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static bool
year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* How long the month is in that year. */
static int
month_days(int year, int month)
{
	static const int8_t days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return days[month - 1] + (month == 2 && year_is_leap(year));
}

/*
 * Years are counted from March, so that the leap day is the last of its year:
 * then the months have lengths 31 30 31 30 31 31 30 31 30 31 31 28/29, whose
 * running sum is (153 m + 2) / 5.
 */
static int32_t
days_from_civil(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	    1 - DAYS_TO_EPOCH;
}

/* The inverse: peel off cycles of 400, 100, 4 and 1 years, then the month. */
static void
civil_from_days(int32_t day, int *ret_year, int *ret_month, int *ret_day)
{
	int32_t d = day + DAYS_TO_EPOCH;
	int cycle, century, four, one, m;

	cycle = d / DAYS_400;
	d %= DAYS_400;
	/* The last century and the last year of four are a day longer. */
	century = d / DAYS_100 < 4 ? d / DAYS_100 : 3;
	d -= century * DAYS_100;
	four = d / DAYS_4;
	d %= DAYS_4;
	one = d / DAYS_1 < 4 ? d / DAYS_1 : 3;
	d -= one * DAYS_1;
	m = (5 * d + 2) / 153;
	*ret_day = d - (153 * m + 2) / 5 + 1;
	*ret_month = m < 10 ? m + 3 : m - 9;
	*ret_year = cycle * 400 + century * 100 + four * 4 + one + (m >= 10);
}

/* Take exactly n digits from the front. */
static bool
take_digits(struct text *t, size_t n, int *ret)
{
	int v = 0;

	if (!t->s || t->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (t->s[i] < '0' || t->s[i] > '9')
			return false;
		v = v * 10 + (t->s[i] - '0');
	}
	t->s += n;
	t->n -= n;
	*ret = v;
	return true;
}

/* Take one character if it is any of these; never a NUL, which strchr would
 * find at the end of every set. */
static bool
take_char(struct text *t, const char *any_of)
{
	if (t->n == 0 || t->s[0] == '\0' || !strchr(any_of, t->s[0]))
		return false;
	t->s++;
	t->n--;
	return true;
}

/* YYYY-MM-DD, a day that exists -> days since the epoch. */
static bool
take_date(struct text *t, int32_t *ret_day)
{
	int year, month, day;

	if (!take_digits(t, 4, &year) || !take_char(t, "-") ||
	    !take_digits(t, 2, &month) || !take_char(t, "-") ||
	    !take_digits(t, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month))
		return false;
	*ret_day = days_from_civil(year, month, day);
	return true;
}

/* hh:mm -> µs of the day. */
static bool
take_hour_minute(struct text *t, int64_t *ret_us)
{
	int hour, minute;

	if (!take_digits(t, 2, &hour) || !take_char(t, ":") ||
	    !take_digits(t, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ret_us = (hour * INT64_C(3600) + minute * INT64_C(60)) * TIME_SECOND;
	return true;
}

/* ss[.frac] -> µs. A leap second is refused: PostgreSQL would turn it into
 * the next minute, another instant than the client wrote. */
static bool
take_seconds(struct text *t, int64_t *ret_us)
{
	int second, digit;
	int64_t unit = TIME_SECOND, us;

	if (!take_digits(t, 2, &second) || second > 59)
		return false;
	us = second * TIME_SECOND;
	if (take_char(t, ".")) {
		if (!take_digits(t, 1, &digit))
			return false;
		do {
			unit /= 10;
			us += digit * unit;
		} while (take_digits(t, 1, &digit));
	}
	*ret_us = us;
	return true;
}

/* Z or +hh:mm -> what to subtract to get UTC. */
static bool
take_offset(struct text *t, int64_t *ret_us)
{
	bool west;

	if (take_char(t, "Zz")) {
		*ret_us = 0;
		return true;
	}
	west = t->n > 0 && t->s[0] == '-';
	if (!take_char(t, "+-") || !take_hour_minute(t, ret_us))
		return false;
	if (west)
		*ret_us = -*ret_us;
	return true;
}

bool
time_parse(struct text t, int64_t *ret_us)
{
	int32_t day;
	int64_t minutes, seconds, offset, us;

	if (!take_date(&t, &day) || !take_char(&t, "Tt ") ||
	    !take_hour_minute(&t, &minutes) || !take_char(&t, ":") ||
	    !take_seconds(&t, &seconds) || !take_offset(&t, &offset) ||
	    t.n > 0)
		return false;
	us = day * TIME_DAY + minutes + seconds - offset;
	/* An offset may carry it out of the years that can be written. */
	if (us < TIME_MIN || us > TIME_MAX)
		return false;
	*ret_us = us;
	return true;
}

bool
date_parse(struct text t, int32_t *ret_day)
{
	int32_t day;

	if (!take_date(&t, &day) || t.n > 0)
		return false;
	*ret_day = day;
	return true;
}

/* Seconds may be missing: it is what HTML's datetime-local sends. */
bool
local_parse(struct text t, int64_t *ret_us)
{
	int32_t day;
	int64_t minutes, seconds = 0;

	if (!take_date(&t, &day) || !take_char(&t, "Tt ") ||
	    !take_hour_minute(&t, &minutes))
		return false;
	if (take_char(&t, ":") && !take_seconds(&t, &seconds))
		return false;
	if (t.n > 0)
		return false;
	*ret_us = day * TIME_DAY + minutes + seconds;
	return true;
}

/* v with leading zeros in exactly n characters; returns the place behind. */
static char *
put_digits(char *out, int n, int v)
{
	for (int i = n - 1; i >= 0; i--) {
		out[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return out + n;
}

void
date_format(int32_t day, char out[10])
{
	int y, m, d;

	if (day < DAY_MIN)
		day = DAY_MIN;
	if (day > DAY_MAX)
		day = DAY_MAX;
	civil_from_days(day, &y, &m, &d);
	out = put_digits(out, 4, y);
	*out++ = '-';
	out = put_digits(out, 2, m);
	*out++ = '-';
	put_digits(out, 2, d);
}

/* Held within years 1 to 9999: the result has 24 characters whatever comes. */
void
time_format(int64_t us, char out[TIME_CHARS])
{
	int64_t day, rest;
	int ms, s;

	if (us < TIME_MIN)
		us = TIME_MIN;
	if (us > TIME_MAX)
		us = TIME_MAX;
	day = us / TIME_DAY;
	rest = us % TIME_DAY;
	if (rest < 0) {		/* before 1970: round down */
		rest += TIME_DAY;
		day--;
	}
	ms = (int)(rest / 1000);
	s = ms / 1000;
	date_format((int32_t)day, out);
	out += 10;
	*out++ = 'T';
	out = put_digits(out, 2, s / 3600);
	*out++ = ':';
	out = put_digits(out, 2, s / 60 % 60);
	*out++ = ':';
	out = put_digits(out, 2, s % 60);
	*out++ = '.';
	out = put_digits(out, 3, ms % 1000);
	*out = 'Z';
}
