/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where records begin and end: by line, by quote, by component. */
#include "core/split_look.h"

#include <strings.h>

void
look_use(struct look *l, size_t to)
{
	for (; l->at < to; l->at++)
		l->s->line += l->w.s[l->at] == '\n';
}

enum split_found
look_bad(struct look *l, const char *why)
{
	l->why = why;
	return SPLIT_BAD;
}

/* The record from `at` to `end`; `next` is where the one after it begins. */
enum split_found
look_give(struct look *l, size_t end, size_t next, struct split_record *ret)
{
	ret->bytes = (struct text){ l->w.s + l->at, end - l->at };
	ret->line = l->s->line + 1;
	look_use(l, next);
	return SPLIT_RECORD;
}

/* One past the end of the line at `at`, or 0 when it is not all there. */
static size_t
line_end(const struct look *l, size_t at)
{
	const char *end = memchr(l->w.s + at, '\n', l->w.n - at);

	if (end)
		return (size_t)(end - l->w.s) + 1;
	return l->last ? l->w.n : 0;
}

/* The same of a CSV record: a cell that begins with a quote hides line ends;
 * in any other cell quotes are letters. */
static size_t
csv_end_of(const struct look *l, size_t at)
{
	bool quoted = false, fresh = true, within = false;

	for (; at < l->w.n; at++) {
		const char c = l->w.s[at];

		if (quoted) {
			quoted = c != '"';
			continue;
		}
		if (c == '\n')
			return at + 1;
		/* A quote just behind a closing one is a doubled one. */
		if (c == '"' && (fresh || (within && l->w.s[at - 1] == '"')))
			quoted = within = true;
		fresh = c == ',';
		within = within && !fresh;
	}
	return l->last ? l->w.n : 0;
}

static struct text
trimmed(struct text line)
{
	while (line.n > 0 && (line.s[line.n - 1] == '\n' ||
	    line.s[line.n - 1] == '\r'))
		line.n--;
	return line;
}

static bool
is_blank(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!memchr(" \t\r\n", t.s[i], 4))
			return false;
	return true;
}

static enum split_found
next_line(struct look *l, struct split_record *ret)
{
	while (l->at < l->w.n) {
		size_t end = l->s->form == SPLIT_CSV ?
		    csv_end_of(l, l->at) : line_end(l, l->at);
		struct text line = { l->w.s + l->at, end - l->at };

		if (end == 0)
			return SPLIT_MORE;
		if (is_blank(line)) {
			look_use(l, end);
			continue;
		}
		return look_give(l, l->at + trimmed(line).n, end, ret);
	}
	return l->last ? SPLIT_END : SPLIT_MORE;
}

/* ---- iCalendar ---- */

enum { ICAL_OUTSIDE, ICAL_INSIDE, ICAL_OVER };

static bool
line_is(struct text line, const char *what)
{
	line = trimmed(line);
	while (line.n > 0 && line.s[line.n - 1] == ' ')
		line.n--;
	return line.n == strlen(what) && strncasecmp(line.s, what,
	    line.n) == 0;
}

/* From BEGIN:VTODO at `at` to behind its END, or 0. */
static size_t
todo_end(const struct look *l)
{
	size_t at = l->at;

	while (at < l->w.n) {
		size_t end = line_end(l, at);

		if (end == 0)
			return 0;
		if (line_is((struct text){ l->w.s + at, end - at },
		    "END:VTODO"))
			return end;
		at = end;
	}
	return 0;
}

/* A line outside of any VTODO. */
static enum split_found
ical_line(struct look *l, struct text line)
{
	struct split *s = l->s;

	if (line_is(line, "BEGIN:VCALENDAR"))
		s->phase = ICAL_INSIDE;
	else if (line_is(line, "END:VCALENDAR") && s->phase == ICAL_INSIDE)
		s->phase = ICAL_OVER;
	else if (s->phase != ICAL_INSIDE && !is_blank(line))
		return look_bad(l, "is no iCalendar: BEGIN:VCALENDAR is missing");
	if (line_is(line, "BEGIN:VEVENT") || line_is(line, "BEGIN:VJOURNAL") ||
	    line_is(line, "BEGIN:VFREEBUSY"))
		s->others++;
	return SPLIT_RECORD;
}

static enum split_found
next_todo(struct look *l, struct split_record *ret)
{
	while (l->at < l->w.n) {
		size_t end = line_end(l, l->at);
		struct text line = { l->w.s + l->at, end - l->at };

		if (end == 0)
			return SPLIT_MORE;
		if (l->s->phase == ICAL_INSIDE &&
		    line_is(line, "BEGIN:VTODO")) {
			end = todo_end(l);
			if (end == 0)
				return l->last ? look_bad(l, "ends inside a VTODO") :
				    SPLIT_MORE;
			return look_give(l, end, end, ret);
		}
		if (ical_line(l, line) == SPLIT_BAD)
			return SPLIT_BAD;
		look_use(l, end);
	}
	if (!l->last)
		return SPLIT_MORE;
	return l->s->phase == ICAL_OVER ? SPLIT_END :
	    look_bad(l, "ends before END:VCALENDAR");
}

/* A byte order mark is no part of the text. */
static bool
skip_mark(struct look *l)
{
	if (l->s->begun)
		return true;
	if (l->w.n < 3 && !l->last)
		return false;
	l->s->begun = true;
	if (l->w.n >= 3 && memcmp(l->w.s, "\xef\xbb\xbf", 3) == 0)
		l->at = 3;
	return true;
}

enum split_found
split_next(struct split *s, struct text window, bool last,
    struct split_record *ret, size_t *ret_used, const char **ret_why)
{
	struct look l = { .s = s, .w = window, .last = last };
	enum split_found found = SPLIT_MORE;

	if (skip_mark(&l)) {
		if (s->form == SPLIT_JSON)
			found = split_json(&l, ret);
		else if (s->form == SPLIT_ICAL)
			found = next_todo(&l, ret);
		else
			found = next_line(&l, ret);
	}
	if (found == SPLIT_BAD || found == SPLIT_END)
		*ret = (struct split_record){ TEXT_NONE, s->line + 1 };
	*ret_used = l.at;
	*ret_why = l.why;
	return found;
}
