/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The strict scan of a JSON text (RFC 8259) that json-c alone does not do. */
#include <stdlib.h>

#include "web/json_scan.h"

/* Up to so many members are compared pair by pair, more are sorted. */
#define PAIRS_MAX 16

static void
member_note(struct scan *scan, struct text name, size_t at)
{
	if (scan->n_members == scan->cap_members) {
		const size_t cap = scan->cap_members ?
		    scan->cap_members * 2 : 32;
		struct member *v = arena_array(scan->mem, cap, sizeof(*v));

		if (scan->n_members)
			memcpy(v, scan->members,
			    scan->n_members * sizeof(*v));
		scan->members = v;
		scan->cap_members = cap;
	}
	scan->members[scan->n_members++] =
	    (struct member){ .name = name, .at = at };
}

/* "name" ':' of an object; the cursor is at the quote. */
static bool
scan_name(struct scan *scan)
{
	struct frame *frame = &scan->frames[scan->depth - 1];
	const size_t at = scan->at;
	struct text name;

	frame->name = TEXT_NONE;
	if (scan_peek(scan) != '"')
		return scan_syntax(scan, "a member name was expected");
	if (!scan_string(scan, &name))
		return false;
	frame->name = name;
	member_note(scan, name, at);
	scan_space(scan);
	if (scan_peek(scan) != ':')
		return scan_syntax(scan, "a colon was expected");
	scan->at++;
	return true;
}

static int
member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	const size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	const int r = n ? memcmp(x->name.s, y->name.s, n) : 0;

	if (r)
		return r;
	if (x->name.n != y->name.n)
		return x->name.n < y->name.n ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void
member_twice(struct scan *scan, const struct member *member)
{
	scan->frames[scan->depth - 1].name = member->name;
	scan_fault(scan, "duplicate", "the member occurs again",
	    member->at);
}

/* Whatever the number of members, no quadratic time. */
static void
members_check(struct scan *scan)
{
	struct member *v = scan->members + scan->frames[scan->depth - 1].members;
	const size_t n = (size_t)(scan->members + scan->n_members - v);

	if (n > PAIRS_MAX) {
		qsort(v, n, sizeof(*v), member_compare);
		for (size_t i = 1; i < n; i++)
			if (text_equal(v[i - 1].name, v[i].name))
				member_twice(scan, &v[i]);
		return;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (text_equal(v[k].name, v[i].name)) {
				member_twice(scan, &v[i]);
				break;
			}
}

static bool
frame_open(struct scan *scan, bool object)
{
	if (scan->depth == JSON_DEPTH_MAX)
		return scan_fault(scan, "range", "nested too deeply",
		    scan->at);
	scan->frames[scan->depth++] = (struct frame){
		.object = object,
		.members = scan->n_members,
	};
	scan->at++;
	return true;
}

static void
frame_close(struct scan *scan)
{
	struct frame *frame = &scan->frames[scan->depth - 1];

	if (frame->object && scan->n_members > frame->members)
		members_check(scan);
	scan->n_members = frame->members;
	scan->depth--;
	scan->at++;
}

/* Behind a value: close what closes, stand before the next value. False at
 * the end of the outermost one, and after a syntax error (*ok). */
static bool
scan_next(struct scan *scan, bool *ok)
{
	while (scan->depth > 0) {
		struct frame *frame = &scan->frames[scan->depth - 1];

		scan_space(scan);
		if (scan_peek(scan) == ',') {
			scan->at++;
			frame->index++;
			scan_space(scan);
			*ok = !frame->object || scan_name(scan);
			return *ok;
		}
		if (scan_peek(scan) != (frame->object ? '}' : ']')) {
			*ok = scan_syntax(scan, frame->object ?
			    "a comma or } was expected" :
			    "a comma or ] was expected");
			return false;
		}
		frame_close(scan);
	}
	return false;
}

/* One value's beginning: a whole scalar, or the opening of a container and,
 * when it is not empty, up to its first value (*ret_more). */
static bool
scan_begin(struct scan *scan, bool *ret_more)
{
	const int c = scan_peek(scan);
	const bool object = c == '{';

	*ret_more = false;
	if (c != '{' && c != '[')
		return scan_scalar(scan);
	if (!frame_open(scan, object))
		return false;
	scan_space(scan);
	if (scan_peek(scan) == (object ? '}' : ']')) {
		frame_close(scan);
		return true;
	}
	*ret_more = true;
	return !object || scan_name(scan);
}

bool
json_scan(struct text in, struct arena *mem, struct faults *faults)
{
	const size_t before = faults->n;
	struct scan scan = {
		.s = in.s, .n = in.n, .mem = mem, .faults = faults,
	};
	bool more, ok = true;

	do {
		scan_space(&scan);
		if (!scan_begin(&scan, &more))
			return false;
	} while (more || scan_next(&scan, &ok));
	if (!ok)
		return false;
	scan_space(&scan);
	if (scan.at < scan.n)
		return scan_syntax(&scan, "the text should end");
	/* A full list of faults takes no more: then there were some before. */
	return faults->n == before && before < FAULTS_MAX;
}

size_t
json_values(struct text in)
{
	bool opened = false, quoted = false;
	size_t n = 1;

	for (size_t i = 0; i < in.n; i++) {
		const char c = in.s[i];

		if (quoted) {
			quoted = c != '"';
			i += c == '\\';
		} else if (!strchr(" \t\r\n", c)) {
			n += c == ',' || (opened && c != '}' && c != ']');
			opened = c == '{' || c == '[';
			quoted = c == '"';
		}
	}
	return n;
}
