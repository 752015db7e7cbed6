/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Samples out of an OpenMetrics text, as docketd writes it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/scrape.h"

/* Only what docketd writes: a terminal obeys some of the other bytes. */
static bool
is_printable(const char *s, const char *end)
{
	while (s < end && *s >= ' ' && *s <= '~')
		s++;
	return s == end;
}

/* name{labels} value, or name value. */
static bool
parse_line(const char *s, const char *end, struct sample *ret)
{
	const char *space = memrchr(s, ' ', (size_t)(end - s));
	const char *brace, *stop;

	if (*s == '#' || !space || space + 1 == end || !is_printable(s, end))
		return false;
	brace = memchr(s, '{', (size_t)(space - s));
	stop = brace ? brace : space;
	ret->name = (struct text){ s, (size_t)(stop - s) };
	ret->labels = TEXT("");
	if (brace && space - brace >= 2)
		ret->labels = (struct text){ brace + 1,
			(size_t)(space - brace) - 2 };
	/* The line's end stops it: the text ends with one. */
	ret->value = strtod(space + 1, NULL);
	return true;
}

void
scrape_parse(struct arena *mem, struct text text, struct scrape *ret)
{
	const char *end = text.s + text.n, *stop;
	size_t lines = 0;

	for (const char *s = text.s; s < end; s++)
		lines += *s == '\n';
	*ret = (struct scrape){
		.v = arena_array(mem, lines + 1, sizeof(*ret->v)),
		.at_ms = clock_mono_ms(),
	};
	for (const char *s = text.s; s < end; s = stop + 1) {
		stop = memchr(s, '\n', (size_t)(end - s));
		if (!stop)
			return;
		if (parse_line(s, stop, &ret->v[ret->n]))
			ret->n++;
	}
}

/* No value of ours holds a comma or a quote, so a pair is a pair wherever it
 * stands. */
static bool
has_label(struct text labels, const char *label)
{
	const size_t n = strlen(label);

	for (size_t i = 0; i + n <= labels.n; i++)
		if ((i == 0 || labels.s[i - 1] == ',') &&
		    memcmp(labels.s + i, label, n) == 0 &&
		    (i + n == labels.n || labels.s[i + n] == ','))
			return true;
	return false;
}

double
scrape_sum(const struct scrape *scrape, const char *name, const char *label)
{
	double sum = NAN;

	for (size_t i = 0; i < scrape->n; i++) {
		const struct sample *s = &scrape->v[i];

		if (text_is(s->name, name) &&
		    (!label || has_label(s->labels, label)))
			sum = isnan(sum) ? s->value : sum + s->value;
	}
	return sum;
}

struct text
scrape_label(const struct sample *sample, const char *key)
{
	const struct text labels = sample->labels;
	const size_t n = strlen(key);

	for (size_t i = 0; i + n + 2 <= labels.n; i++) {
		const char *at = labels.s + i, *stop;

		if ((i > 0 && at[-1] != ',') || memcmp(at, key, n) != 0 ||
		    at[n] != '=' || at[n + 1] != '"')
			continue;
		at += n + 2;
		stop = memchr(at, '"', labels.n - i - n - 2);
		if (stop)
			return (struct text){ at, (size_t)(stop - at) };
	}
	return TEXT_NONE;
}

/* Buckets come by growing bound, each with all that lie below: series by
 * series, so those of one bound are summed. */
static double
below(const struct scrape *scrape, const char *bucket, struct text le)
{
	double sum = 0;

	for (size_t i = 0; i < scrape->n; i++)
		if (text_is(scrape->v[i].name, bucket) &&
		    text_equal(scrape_label(&scrape->v[i], "le"), le))
			sum += scrape->v[i].value;
	return sum;
}

double
scrape_quantile(const struct scrape *scrape, const char *name, double q)
{
	double from = 0, lower = 0, wanted;
	char bucket[128];

	snprintf(bucket, sizeof(bucket), "%s_count", name);
	wanted = scrape_sum(scrape, bucket, NULL) * q;
	if (isnan(wanted) || wanted <= 0)
		return NAN;
	snprintf(bucket, sizeof(bucket), "%s_bucket", name);
	for (size_t i = 0; i < scrape->n; i++) {
		struct text le = scrape_label(&scrape->v[i], "le");
		double n, bound;

		if (!text_is(scrape->v[i].name, bucket) || !le.s)
			continue;
		n = below(scrape, bucket, le);
		if (text_is(le, "+Inf"))
			return lower;
		bound = strtod(le.s, NULL);
		if (n >= wanted)
			return lower + (bound - lower) *
			    (wanted - from) / (n - from);
		from = n;
		lower = bound;
	}
	return NAN;
}
