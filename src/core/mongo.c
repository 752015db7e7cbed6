/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The wrappers of MongoDB's Extended JSON, taken off. */
#include "core/mongo.h"

#include <stdio.h>

#include "base/clock.h"

/* What is at `at` of the input; white space before it is skipped. */
struct place {
	struct text in;
	size_t at;
};

static void
skip_space(struct place *p)
{
	while (p->at < p->in.n && memchr(" \t\r\n", p->in.s[p->at], 4))
		p->at++;
}

static bool
take(struct place *p, const char *word)
{
	const size_t n = strlen(word);

	skip_space(p);
	if (p->in.n - p->at < n || memcmp(p->in.s + p->at, word, n) != 0)
		return false;
	p->at += n;
	return true;
}

/* A string without escapes, its quotes left out: no wrapper needs any. */
static bool
take_string(struct place *p, struct text *ret)
{
	size_t end;

	if (!take(p, "\""))
		return false;
	for (end = p->at; end < p->in.n && p->in.s[end] != '"'; end++)
		if (p->in.s[end] == '\\')
			return false;
	if (end == p->in.n)
		return false;
	*ret = (struct text){ p->in.s + p->at, end - p->at };
	p->at = end + 1;
	return true;
}

static bool
is_integer(struct text t)
{
	size_t i = t.n > 0 && t.s[0] == '-';

	if (i == t.n || t.n > 20)
		return false;
	for (; i < t.n; i++)
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
	return true;
}

/* -?[0-9]+ as it stands. */
static bool
take_integer(struct place *p, struct text *ret)
{
	size_t end;

	skip_space(p);
	for (end = p->at; end < p->in.n &&
	    memchr("-0123456789", p->in.s[end], 11); end++)
		;
	*ret = (struct text){ p->in.s + p->at, end - p->at };
	p->at = end;
	return is_integer(*ret);
}

/* {"name":"digits"} */
static bool
take_number(struct place *p, struct text *ret)
{
	const struct place before = *p;

	if (take(p, "{") && (take(p, "\"$numberInt\"") ||
	    take(p, "\"$numberLong\"")) && take(p, ":") &&
	    take_string(p, ret) && is_integer(*ret) && take(p, "}"))
		return true;
	*p = before;
	return false;
}

static struct text
spell(struct arena *mem, struct text ms)
{
	char out[TIME_CHARS];
	int64_t v = 0;

	for (size_t i = ms.s[0] == '-'; i < ms.n; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, ms.s[i] - '0', &v))
			return TEXT("out of range");
	if (__builtin_mul_overflow(ms.s[0] == '-' ? -v : v, 1000, &v))
		return TEXT("out of range");
	time_format(v, out);
	return (struct text){ arena_copy(mem, out, TIME_CHARS), TIME_CHARS };
}

/* Behind {"$date": */
static bool
take_date(struct place *p, struct arena *mem, struct text *ret)
{
	if (take_string(p, ret))
		return true;
	if (!take_number(p, ret) && !take_integer(p, ret))
		return false;
	*ret = spell(mem, *ret);
	return true;
}

/* A wrapper that begins here: what it stands for. */
static struct text
unwrap(struct place *p, struct arena *mem)
{
	const struct place before = *p;
	struct text v;

	if (take_number(p, &v))
		return v;
	if (take(p, "{") && take(p, "\"$oid\"") && take(p, ":") &&
	    take_string(p, &v) && take(p, "}"))
		return text_of(arena_printf(mem, "\"%.*s\"", TEXT_FMT(v)));
	*p = before;
	if (take(p, "{") && take(p, "\"$date\"") && take(p, ":") &&
	    take_date(p, mem, &v) && take(p, "}"))
		return text_of(arena_printf(mem, "\"%.*s\"", TEXT_FMT(v)));
	*p = before;
	return TEXT_NONE;
}

/* Behind the string that begins here. */
static size_t
string_end(struct text in, size_t at)
{
	for (at++; at < in.n; at++) {
		if (in.s[at] == '\\')
			at++;
		else if (in.s[at] == '"')
			return at + 1;
	}
	return in.n;
}

struct text
mongo_plain(struct text in, struct arena *mem)
{
	struct place p = { in, 0 };
	size_t n = 0;
	char *out;

	if (!memmem(in.s, in.n, "\"$", 2))
		return in;
	/* What a wrapper stands for is never longer, a date in ms aside,
	 * whose shortest wrapper has 12 bytes for its 26. */
	out = arena_alloc(mem, 3 * in.n);
	while (p.at < in.n) {
		struct text v = TEXT_NONE;
		size_t end = in.s[p.at] == '"' ? string_end(in, p.at) :
		    p.at + 1;

		if (in.s[p.at] == '{')
			v = unwrap(&p, mem);
		if (!v.s) {
			v = (struct text){ in.s + p.at, end - p.at };
			p.at = end;
		}
		memcpy(out + n, v.s, v.n);
		n += v.n;
	}
	return (struct text){ out, n };
}
