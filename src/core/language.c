/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Language ranges: read from a header, looked up among what there is. */
#include "core/language.h"

#include <ctype.h>

#define RANGES_MAX 16
#define QUALITY_ONE 1000

struct range {
	struct text tag;
	int q;			/* thousandths */
};

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

bool
language_is_tag(struct text t)
{
	size_t part = 0;
	bool first = true;

	if (t.n == 0 || t.n > LANGUAGE_TAG_MAX)
		return false;
	for (size_t i = 0; i <= t.n; i++) {
		if (i == t.n || t.s[i] == '-') {
			if (part == 0 || part > 8)
				return false;
			part = 0;
			first = false;
			continue;
		}
		if (!is_alnum(t.s[i]) ||
		    (first && t.s[i] >= '0' && t.s[i] <= '9'))
			return false;
		part++;
	}
	return true;
}

static struct text
trim(struct text t)
{
	while (t.n > 0 && (t.s[0] == ' ' || t.s[0] == '\t')) {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t'))
		t.n--;
	return t;
}

/* Up to the first `c`; *rest what is behind it, absent when there was none. */
static struct text
cut(struct text t, char c, struct text *rest)
{
	const char *at = t.n ? memchr(t.s, c, t.n) : NULL;
	size_t n = at ? (size_t)(at - t.s) : t.n;

	*rest = at ? (struct text){ at + 1, t.n - n - 1 } : TEXT_NONE;
	return trim((struct text){ t.s, n });
}

/* "q=0.8" in thousandths (RFC 9110 §12.4.2), or -1. */
static int
quality(struct text t)
{
	int q, digit = QUALITY_ONE / 10;

	if (t.n < 3 || t.n > 7 || (t.s[0] | 0x20) != 'q' || t.s[1] != '=' ||
	    (t.s[2] != '0' && t.s[2] != '1') || (t.n > 3 && t.s[3] != '.'))
		return -1;
	q = (t.s[2] - '0') * QUALITY_ONE;
	for (size_t i = 4; i < t.n; i++, digit /= 10) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return -1;
		q += (t.s[i] - '0') * digit;
	}
	return q > QUALITY_ONE ? -1 : q;
}

static bool
range_read(struct text element, struct range *ret)
{
	struct text weight, more;

	ret->tag = cut(element, ';', &weight);
	ret->q = QUALITY_ONE;
	if (weight.s)
		ret->q = quality(cut(weight, ';', &more));
	return ret->q > 0 && language_is_tag(ret->tag);
}

/* Behind those that are wanted as much. */
static size_t
range_insert(struct range v[RANGES_MAX], size_t n, struct range range)
{
	size_t i = n;

	for (; i > 0 && v[i - 1].q < range.q; i--)
		v[i] = v[i - 1];
	v[i] = range;
	return n + 1;
}

struct text
language_list(struct arena *mem, struct text accept)
{
	struct range v[RANGES_MAX];
	struct text rest = accept;
	size_t n = 0, used = 0;
	char *out;

	while (rest.s && n < RANGES_MAX) {
		struct range range;

		if (range_read(cut(rest, ',', &rest), &range))
			n = range_insert(v, n, range);
	}
	if (n == 0)
		return TEXT_NONE;
	out = arena_alloc(mem, LANGUAGES_MAX + 1);
	for (size_t i = 0; i < n; i++) {
		if (used + (used > 0) + v[i].tag.n > LANGUAGES_MAX)
			continue;
		if (used > 0)
			out[used++] = ',';
		for (size_t k = 0; k < v[i].tag.n; k++)
			out[used++] = (char)tolower((unsigned char)
			    v[i].tag.s[k]);
	}
	return (struct text){ out, used };
}

/* "zh-hant-x-a" -> "zh-hant": a single letter goes with what it leads. */
static struct text
shorten(struct text tag)
{
	while (tag.n > 0 && tag.s[tag.n - 1] != '-')
		tag.n--;
	if (tag.n > 0)
		tag.n--;
	if (tag.n >= 2 && tag.s[tag.n - 2] == '-')
		tag.n -= 2;
	return tag;
}

static size_t
find(struct text tag, const struct text *tags, size_t n)
{
	size_t i = 0;

	while (i < n && !text_equal(tag, tags[i]))
		i++;
	return i;
}

size_t
language_lookup(struct text list, const struct text *tags, size_t n,
    size_t otherwise)
{
	while (list.s) {
		struct text range = cut(list, ',', &list);

		for (; range.n > 0; range = shorten(range)) {
			size_t i = find(range, tags, n);

			if (i < n)
				return i;
		}
	}
	return otherwise;
}
