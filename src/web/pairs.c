/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Queries and forms into structs, and what Accept says. */
#include "web/request.h"

#include <strings.h>

#include "web/utf8.h"

/* A name is told back no longer than this. */
#define NAME_ECHO 64

struct pairs {
	const struct fields *fields;
	struct arena *mem;
	struct text parent;
	void *object;
	struct faults *faults;
};

/* The part of `t` up to the first `c`; t is moved behind it. */
static struct text
cut(struct text *t, char c)
{
	const char *hit = t->n ? memchr(t->s, c, t->n) : NULL;
	const struct text part = { t->s, hit ? (size_t)(hit - t->s) : t->n };
	const size_t gone = part.n + (hit ? 1 : 0);

	*t = (struct text){ t->s + gone, t->n - gone };
	return part;
}

static void
pair_decode(struct pairs *p, struct text pair)
{
	struct seen *seen = p->object;
	struct text rest = pair, name = cut(&rest, '='), value;
	int row;

	if (!percent_decode(p->mem, name, true, &name) ||
	    !percent_decode(p->mem, rest, true, &value)) {
		faults_add(p->faults, p->mem, p->parent, TEXT_NONE, "syntax",
		    "a bad percent escape, NUL or invalid UTF-8");
		return;
	}
	row = field_find(p->fields, name);
	if (row < 0) {
		if (!p->fields->lenient)
			faults_add(p->faults, p->mem, p->parent,
			    utf8_cut(name, NAME_ECHO), "unknown",
			    "is not known here");
		return;
	}
	/* RFC 6749 §3.2: without a value it counts as left out. */
	if (p->fields->lenient && value.n == 0)
		return;
	if (seen_has(seen, (unsigned)field_target(p->fields, row))) {
		faults_add(p->faults, p->mem, p->parent, name, "duplicate",
		    "is given more than once");
		return;
	}
	field_from_text(p->fields, row, p->mem, value, p->object, p->parent,
	    p->faults);
}

void
request_decode_pairs(struct text pairs, const struct fields *fields,
    struct arena *mem, const char *prefix, void *object,
    struct faults *faults)
{
	struct pairs p = {
		.fields = fields, .mem = mem, .parent = text_of(prefix),
		.object = object, .faults = faults,
	};

	field_begin(fields, object);
	while (pairs.n) {
		const struct text pair = cut(&pairs, '&');

		if (pair.n)
			pair_decode(&p, pair);
	}
	field_required(fields, mem, object, p.parent, faults);
}

static struct text
trim(struct text t)
{
	while (t.n && (t.s[0] == ' ' || t.s[0] == '\t'))
		t = (struct text){ t.s + 1, t.n - 1 };
	while (t.n && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t'))
		t.n--;
	return t;
}

/* ";q=0", ";q=0.0", ...: RFC 9110 §12.4.2, not acceptable. */
static bool
weight_is_zero(struct text params)
{
	while (params.n) {
		struct text part = trim(cut(&params, ';'));

		if (part.n < 3 || strncasecmp(part.s, "q=", 2) != 0)
			continue;
		for (size_t i = 2; i < part.n; i++)
			if (part.s[i] != '0' && part.s[i] != '.')
				return false;
		return true;
	}
	return false;
}

/* How exactly a media range names what we send; 0: not at all. */
static int
range_rank(struct text range)
{
	static const struct {
		const char *name;
		int rank;
	} known[] = {
		{ "*/*", 1 },
		{ "application/*", 2 },
		{ "application/json", 3 },
		{ "application/problem+json", 3 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (range.n == strlen(known[i].name) &&
		    strncasecmp(range.s, known[i].name, range.n) == 0)
			return known[i].rank;
	return 0;
}

bool
request_accepts_json(struct text accept)
{
	bool ok = trim(accept).n == 0;
	int best = 0;

	if (!accept.s)
		return true;
	/* The most exact range decides (RFC 9110 §12.5.1). */
	while (accept.n) {
		struct text params = cut(&accept, ',');
		const int rank = range_rank(trim(cut(&params, ';')));

		if (rank == 0 || rank < best)
			continue;
		ok = !weight_is_zero(params) || (rank == best && ok);
		best = rank;
	}
	return ok;
}
