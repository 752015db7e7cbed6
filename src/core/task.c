/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a task may be: status words, due dates, tags. */
#include "core/task.h"

#include <stdio.h>

#include "base/clock.h"

#define TAG_MAX 50
#define ZONE_MAX 64
#define MILLISECOND INT64_C(1000)
/* 0001-01-01 and 10000-01-01, days since 1970: what RFC 3339 can spell. */
#define FIRST_INSTANT (INT64_C(-719162) * TIME_DAY)
#define LAST_INSTANT (INT64_C(2932897) * TIME_DAY - 1)

static const struct {
	const char *word;	/* lower case */
	const char *wire;
} words[] = {
	{ "pending", "pending" },
	{ "to do", "pending" },
	{ "todo", "pending" },
	{ "in_progress", "in_progress" },
	{ "in progress", "in_progress" },
	{ "in-progress", "in_progress" },
	{ "completed", "completed" },
	{ "done", "completed" },
	{ "cancelled", "cancelled" },
	{ "canceled", "cancelled" },
};

static const struct {
	const char *wire;
	const char *label;
} labels[] = {
	{ "pending", "To Do" },
	{ "in_progress", "In Progress" },
	{ "completed", "Done" },
	{ "cancelled", "Cancelled" },
};

static bool
is_word(struct text t, const char *word)
{
	if (t.n != strlen(word))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return true;
}

int
task_check_status(struct arena *mem, void *member, const char **ret_why)
{
	struct text *t = member;

	(void)mem;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_word(*t, words[i].word)) {
			*t = text_of(words[i].wire);
			return 0;
		}
	}
	*ret_why = "must be one of pending, in_progress, completed, cancelled";
	return 1;
}

struct text
task_status_label(struct text status)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (text_is(status, labels[i].wire))
			return text_of(labels[i].label);
	}
	return TEXT_NONE;
}

/* Down to the millisecond, also before 1970. */
static int64_t
whole_ms(int64_t us)
{
	int64_t rest = us % MILLISECOND;

	return us - (rest < 0 ? rest + MILLISECOND : rest);
}

static bool
is_writable(int64_t us)
{
	return us >= FIRST_INSTANT && us <= LAST_INSTANT;
}

static void
due_date(struct arena *mem, int32_t day, struct due *ret)
{
	char out[10];

	date_format(day, out);
	ret->text = (struct text){ arena_copy(mem, out, sizeof(out)),
	    sizeof(out) };
	ret->at = (day + INT64_C(1)) * TIME_DAY - MILLISECOND;
}

static void
due_instant(struct arena *mem, int64_t us, struct due *ret)
{
	char out[TIME_CHARS];

	ret->at = whole_ms(us);
	time_format(ret->at, out);
	ret->text = (struct text){ arena_copy(mem, out, sizeof(out)),
	    sizeof(out) };
}

/* The first 19 characters of the instant's spelling, in both notations. */
static void
due_local(struct arena *mem, int64_t us, struct due *ret)
{
	char out[TIME_CHARS], *local;
	const size_t n = sizeof("2026-01-31T09:30:00") - 1;

	time_format(us, out);
	ret->text = (struct text){ arena_copy(mem, out, n), n };
	local = arena_copy(mem, out, n);
	local[10] = ' ';
	ret->local = (struct text){ local, n };
}

int
task_due_parse(struct arena *mem, struct text in, bool has_zone,
    struct due *ret, const char **ret_why)
{
	struct due due = { TEXT_NONE, TIME_NONE, TEXT_NONE };
	bool needs_zone = false;
	int32_t day;
	int64_t us;

	*ret_why = "must be a date (2026-01-31), an instant "
	    "(2026-01-31T09:30:00Z) or, with due_timezone, a local time "
	    "(2026-01-31T09:30:00)";
	if (date_parse(in, &day)) {
		due_date(mem, day, &due);
	} else if (time_parse(in, &us) && is_writable(us)) {
		due_instant(mem, us, &due);
	} else if (local_parse(in, &us)) {
		needs_zone = true;
		due_local(mem, us, &due);
	} else {
		return 1;
	}
	if (needs_zone && !has_zone) {
		*ret_why = "is a local time, which needs due_timezone";
		return 1;
	}
	if (!needs_zone && has_zone) {
		*ret_why = "is no local time: due_timezone goes with that only";
		return 1;
	}
	*ret = due;
	return 0;
}

/* The spelling alone: whether a zone came along is not known here. */
int
task_check_due(struct arena *mem, void *member, const char **ret_why)
{
	const struct text *in = member;
	struct due due;

	if (task_due_parse(mem, *in, false, &due, ret_why) == 0)
		return 0;
	return task_due_parse(mem, *in, true, &due, ret_why);
}

static bool
is_zone_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    c == '_' || c == '-' || c == '/';
}

/* Etc/GMT+5 and the like are the only IANA names with digits. */
static bool
is_fixed_zone(struct text t)
{
	char spelt[24];

	for (int h = -14; h <= 12; h++) {
		snprintf(spelt, sizeof(spelt), "Etc/GMT%+d", h);
		if (text_is(t, spelt))
			return true;
	}
	return text_is(t, "Etc/GMT0");
}

/*
 * Area/City, or UTC. The database's own notion is wider: to it, UTC+3 is a
 * POSIX zone three hours WEST of Greenwich, PST an abbreviation, and the
 * folders posix/ and right/ are zones too. None of them is an IANA name.
 */
int
task_check_timezone(struct arena *mem, void *member, const char **ret_why)
{
	const struct text *t = member;
	const char *slash = memchr(t->s, '/', t->n);

	(void)mem;
	*ret_why = "must be an IANA time zone such as Europe/Berlin";
	if (text_is(*t, "UTC") || is_fixed_zone(*t))
		return 0;
	if (!slash || t->n > ZONE_MAX || t->s[0] < 'A' || t->s[0] > 'Z' ||
	    t->s[t->n - 1] == '/')
		return 1;
	for (size_t i = 0; i < t->n; i++) {
		if (!is_zone_char(t->s[i]))
			return 1;
	}
	return 0;
}

int
task_bound_parse(struct text in, bool end, int64_t *ret_us)
{
	int32_t day;
	int64_t us;

	if (date_parse(in, &day)) {
		*ret_us = end ? (day + INT64_C(1)) * TIME_DAY - 1 :
		    day * TIME_DAY;
		return 0;
	}
	if (!time_parse(in, &us) || !is_writable(us))
		return 1;
	*ret_us = us;
	return 0;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct text
trimmed(struct text t)
{
	while (t.n > 0 && is_space(t.s[0])) {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && is_space(t.s[t.n - 1]))
		t.n--;
	return t;
}

static bool
is_among(const struct text *v, size_t n, struct text t)
{
	for (size_t i = 0; i < n; i++) {
		if (text_equal(v[i], t))
			return true;
	}
	return false;
}

int
task_check_tags(struct arena *mem, void *member, const char **ret_why)
{
	struct texts *tags = member;
	struct text *v = arena_array(mem, tags->n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < tags->n; i++) {
		struct text t = trimmed(tags->v[i]);
		int64_t length = text_chars(t);

		if (length < 1 || length > TAG_MAX) {
			*ret_why = "must have tags of 1 to 50 characters";
			return 1;
		}
		if (!is_among(v, n, t))
			v[n++] = t;
	}
	*tags = (struct texts){ v, n };
	return 0;
}
