/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where the values of a JSON text begin and end. */
#include "core/split_look.h"

enum {
	JSON_START,
	JSON_FIRST,	/* behind [: an item or ] */
	JSON_BEHIND,	/* behind an item: , or ] */
	JSON_ITEM,	/* behind a comma */
	JSON_TAIL,	/* behind the array of an object: , or } */
	JSON_SEQUENCE,	/* objects one after the other */
	JSON_OVER,
	JSON_WRAPPED = 16,	/* the array is a member's value */
};

/* Skip white space; false at the window's end. */
static bool
skip_space(struct look *l)
{
	size_t at = l->at;

	while (at < l->w.n && memchr(" \t\r\n", l->w.s[at], 4))
		at++;
	look_use(l, at);
	return at < l->w.n;
}

/* One past the string at `at`, or 0. */
static size_t
string_end(const struct look *l, size_t at)
{
	for (at++; at < l->w.n; at++) {
		if (l->w.s[at] == '\\')
			at++;
		else if (l->w.s[at] == '"')
			return at + 1;
	}
	return 0;
}

/* One past the object or array at `at`, or 0: brackets are only counted, the
 * reader of the record looks closer. */
static size_t
nest_end(const struct look *l, size_t at)
{
	size_t depth = 0;

	while (at < l->w.n) {
		const char c = l->w.s[at];

		if (c == '"') {
			at = string_end(l, at);
			if (at == 0)
				return 0;
			continue;
		}
		depth += c == '{' || c == '[';
		at++;
		if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return 0;
}

static size_t
value_end(const struct look *l, size_t at)
{
	if (l->w.s[at] == '{' || l->w.s[at] == '[')
		return nest_end(l, at);
	if (l->w.s[at] == '"')
		return string_end(l, at);
	for (; at < l->w.n; at++)
		if (memchr(",]} \t\r\n", l->w.s[at], 7))
			return at;
	return 0;
}

#define CUT "the JSON text is not ended"

static enum split_found
json_item(struct look *l, int then, struct split_record *ret)
{
	size_t end;

	if (memchr(",]}", l->w.s[l->at], 3))
		return look_bad(l, "a value is missing in the JSON text");
	end = value_end(l, l->at);
	/* A sequence may end with its last value, whatever that is. */
	if (end == 0 && l->last && then == JSON_SEQUENCE)
		end = l->w.n;
	if (end == 0)
		return l->last ? look_bad(l, CUT) : SPLIT_MORE;
	l->s->phase = then;
	return look_give(l, end, end, ret);
}

/* {"tasks":[ is what a list's reply begins with; behind it are items. 1, 0:
 * something else; -1: more is needed to know. */
static int
is_wrapped(const struct look *l, size_t *ret_at)
{
	static const char *const marks[] = { "{", "\"tasks\"", ":", "[" };
	size_t at = l->at;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const size_t n = strlen(marks[i]);

		while (at < l->w.n && memchr(" \t\r\n", l->w.s[at], 4))
			at++;
		if (at + n > l->w.n)
			return l->last ? 0 : -1;
		if (memcmp(l->w.s + at, marks[i], n) != 0)
			return 0;
		at += n;
	}
	*ret_at = at;
	return 1;
}

/* True: go on in the phase that was found. */
static bool
json_start(struct look *l, enum split_found *ret)
{
	size_t at;
	int wrapped = 0;

	*ret = SPLIT_MORE;
	if (l->w.s[l->at] == '[') {
		look_use(l, l->at + 1);
		l->s->phase = JSON_FIRST;
		return true;
	}
	if (l->w.s[l->at] != '{') {
		*ret = look_bad(l, "is neither an array nor an object of JSON");
		return false;
	}
	wrapped = is_wrapped(l, &at);
	if (wrapped < 0)
		return false;
	if (wrapped)
		look_use(l, at);
	l->s->phase = wrapped ? JSON_FIRST | JSON_WRAPPED : JSON_SEQUENCE;
	return true;
}

/* Behind the array of an object: members that say nothing of tasks. */
static bool
json_tail(struct look *l, enum split_found *ret)
{
	size_t end;

	*ret = SPLIT_MORE;
	if (l->w.s[l->at] == '}') {
		look_use(l, l->at + 1);
		l->s->phase = JSON_OVER;
		return true;
	}
	if (!memchr(",:\"", l->w.s[l->at], 3) && !memchr("tfn-0123456789[{",
	    l->w.s[l->at], 16)) {
		*ret = look_bad(l, "has no JSON behind its tasks");
		return false;
	}
	end = memchr(",:", l->w.s[l->at], 2) ? l->at + 1 :
	    value_end(l, l->at);
	if (end == 0) {
		if (l->last)
			*ret = look_bad(l, CUT);
		return false;
	}
	look_use(l, end);
	return true;
}

/* Behind an item, or behind the bracket: is there another one? */
static bool
json_behind(struct look *l, int wrapped, bool first, enum split_found *ret)
{
	const char c = l->w.s[l->at];

	if (c == ']') {
		l->s->phase = wrapped ? JSON_TAIL : JSON_OVER;
	} else if (first) {
		l->s->phase = JSON_ITEM | wrapped;
		return true;
	} else if (c == ',') {
		l->s->phase = JSON_ITEM | wrapped;
	} else {
		*ret = look_bad(l, "a comma is missing in the JSON array");
		return false;
	}
	look_use(l, l->at + 1);
	return true;
}

enum split_found
split_json(struct look *l, struct split_record *ret)
{
	enum split_found found = SPLIT_MORE;
	bool on = true;

	while (on && skip_space(l)) {
		const int wrapped = l->s->phase & JSON_WRAPPED;

		switch (l->s->phase & ~JSON_WRAPPED) {
		case JSON_START:
			on = json_start(l, &found);
			break;
		case JSON_FIRST:
			on = json_behind(l, wrapped, true, &found);
			break;
		case JSON_BEHIND:
			on = json_behind(l, wrapped, false, &found);
			break;
		case JSON_ITEM:
			return json_item(l, JSON_BEHIND | wrapped, ret);
		case JSON_TAIL:
			on = json_tail(l, &found);
			break;
		case JSON_SEQUENCE:
			return json_item(l, JSON_SEQUENCE, ret);
		default:
			return look_bad(l, "has more behind its JSON text");
		}
	}
	if (!on || !l->last)
		return found;
	return l->s->phase == JSON_OVER || l->s->phase == JSON_SEQUENCE ||
	    l->s->phase == JSON_START ? SPLIT_END : look_bad(l, CUT);
}

