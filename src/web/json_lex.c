/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Strings, numbers and words of a JSON text, each by the letter of RFC 8259. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/json_scan.h"
#include "web/utf8.h"

/* A pointer echoes what the client wrote; it need not echo a novel. */
#define POINTER_MAX 512
#define INDEX_MAX 20	/* digits of an index */

static size_t
pointer_segment(char *out, const struct frame *frame)
{
	size_t n = 0;

	out[n++] = '/';
	if (!frame->object)
		return n + (size_t)snprintf(out + n, INDEX_MAX + 1, "%zu",
		    frame->index);
	for (size_t i = 0; i < frame->name.n; i++) {
		const char c = frame->name.s[i];

		out[n++] = c == '/' ? '~' : c;
		if (c == '~' || c == '/')
			out[n++] = c == '~' ? '0' : '1';
	}
	return n;
}

/* RFC 6901 pointer to the current place; ends early rather than grow long. */
static struct text
scan_pointer(const struct scan *scan)
{
	char *out = arena_alloc(scan->mem, POINTER_MAX);
	size_t n = 0;

	for (size_t i = 0; i < scan->depth; i++) {
		const struct frame *frame = &scan->frames[i];
		const size_t most = frame->object ? 2 * frame->name.n :
		    INDEX_MAX;

		if ((frame->object && !frame->name.s) ||
		    n + most + 2 > POINTER_MAX)
			break;
		n += pointer_segment(out + n, frame);
	}
	return (struct text){ out, n };
}

bool
scan_fault(struct scan *scan, const char *code, const char *what, size_t at)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): always there */
	if (scan->faults->n == FAULTS_MAX)
		return false;
	faults_add(scan->faults, scan->mem, scan_pointer(scan), TEXT_NONE, code,
	    arena_printf(scan->mem, "%s at byte %zu", what, at));
	return false;
}

bool
scan_syntax(struct scan *scan, const char *what)
{
	return scan_fault(scan, "syntax",
	    scan->at < scan->n ? what : "the text ends too early", scan->at);
}

void
scan_space(struct scan *scan)
{
	while (scan->at < scan->n) {
		const char c = scan->s[scan->at];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
		scan->at++;
	}
}

int
scan_peek(const struct scan *scan)
{
	return scan->at < scan->n ? (uint8_t)scan->s[scan->at] : -1;
}

/* Four hex digits at `at`, or -1. */
static long
hex4(const struct scan *scan, size_t at)
{
	long code = 0;

	if (scan->n - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		const int v = hex_value(scan->s[i]);

		if (v < 0)
			return -1;
		code = code << 4 | v;
	}
	return code;
}

/* The cursor is behind "\u". */
static bool
scan_unicode(struct scan *scan, uint32_t *ret)
{
	long code = hex4(scan, scan->at), low;

	if (code < 0)
		return scan_syntax(scan, "\\u needs four hex digits");
	if (code == 0)
		return scan_syntax(scan, "\\u0000 is not allowed");
	scan->at += 4;
	if (code < 0xd800 || code > 0xdfff) {
		*ret = (uint32_t)code;
		return true;
	}
	if (code > 0xdbff || scan->n - scan->at < 6 ||
	    scan->s[scan->at] != '\\' || scan->s[scan->at + 1] != 'u')
		return scan_syntax(scan, "lone surrogate");
	low = hex4(scan, scan->at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return scan_syntax(scan, "lone surrogate");
	scan->at += 6;
	*ret = (uint32_t)(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
	return true;
}

/* One escape; the cursor is behind the backslash. */
static bool
scan_escape(struct scan *scan, uint32_t *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const int c = scan_peek(scan);
	const char *hit = c > 0 ? strchr(from, c) : NULL;

	if (c == 'u') {
		scan->at++;
		return scan_unicode(scan, ret);
	}
	if (!hit)
		return scan_syntax(scan, "unknown escape");
	scan->at++;
	*ret = (uint8_t)to[hit - from];
	return true;
}

/* What a string that has passed stands for; the cursor ends at `end`. */
static struct text
string_decode(struct scan *scan, size_t start, size_t end)
{
	/* An escape is never shorter than what it stands for. */
	char *out = arena_alloc(scan->mem, end - start);
	uint32_t code = 0;
	size_t n = 0;

	scan->at = start;
	while (scan->at < end) {
		const char c = scan->s[scan->at++];

		if (c != '\\')
			out[n++] = c;
		else if (scan_escape(scan, &code))
			n += utf8_put(out + n, code);
	}
	return (struct text){ out, n };
}

bool
scan_string(struct scan *scan, struct text *ret)
{
	const size_t start = ++scan->at;
	bool escaped = false;
	uint32_t code;
	size_t step, end;

	for (int c; (c = scan_peek(scan)) != '"';) {
		if (c < 0x20)
			return scan_syntax(scan, "control character");
		if (c == '\\') {
			escaped = true;
			scan->at++;
			if (!scan_escape(scan, &code))
				return false;
			continue;
		}
		step = utf8_next(scan->s + scan->at, scan->n - scan->at);
		if (step == 0)
			return scan_syntax(scan, "invalid UTF-8");
		scan->at += step;
	}
	end = scan->at;
	if (ret)
		*ret = escaped ? string_decode(scan, start, end) :
		    (struct text){ scan->s + start, end - start };
	scan->at = end + 1;
	return true;
}

static size_t
skip_digits(struct scan *scan)
{
	const size_t from = scan->at;

	while (scan->at < scan->n && scan->s[scan->at] >= '0' &&
	    scan->s[scan->at] <= '9')
		scan->at++;
	return scan->at - from;
}

/* An integer of digits fits int64_t. */
static bool
integer_fits(const char *s, size_t n)
{
	const bool negative = s[0] == '-';
	const uint64_t most = (uint64_t)INT64_MAX + negative;
	uint64_t v = 0;

	for (size_t i = negative; i < n; i++) {
		const uint64_t digit = (uint64_t)(s[i] - '0');

		if (v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	return true;
}

static bool
real_fits(struct scan *scan, size_t from)
{
	const char *copy = arena_copy(scan->mem, scan->s + from,
	    scan->at - from);

	return isfinite(strtod(copy, NULL));
}

static bool
scan_number(struct scan *scan)
{
	const size_t from = scan->at;
	bool integer = true, fits;

	if (scan_peek(scan) == '-')
		scan->at++;
	if (scan_peek(scan) == '0')
		scan->at++;
	else if (skip_digits(scan) == 0)
		return scan_syntax(scan, "a digit was expected");
	if (scan_peek(scan) == '.') {
		integer = false;
		scan->at++;
		if (skip_digits(scan) == 0)
			return scan_syntax(scan, "a digit was expected");
	}
	if (scan_peek(scan) == 'e' || scan_peek(scan) == 'E') {
		integer = false;
		scan->at++;
		if (scan_peek(scan) == '+' || scan_peek(scan) == '-')
			scan->at++;
		if (skip_digits(scan) == 0)
			return scan_syntax(scan, "a digit was expected");
	}
	fits = integer ? integer_fits(scan->s + from, scan->at - from) :
	    real_fits(scan, from);
	if (!fits)	/* a legal text: noted, and the scan goes on */
		scan_fault(scan, "range", "number too large", from);
	return true;
}

static bool
scan_word(struct scan *scan, const char *word)
{
	const size_t n = strlen(word);

	if (scan->n - scan->at < n || memcmp(scan->s + scan->at, word, n) != 0)
		return scan_syntax(scan, "a value was expected");
	scan->at += n;
	return true;
}

bool
scan_scalar(struct scan *scan)
{
	switch (scan_peek(scan)) {
	case '"':
		return scan_string(scan, NULL);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return scan_number(scan);
	default:
		return scan_syntax(scan, "a value was expected");
	}
}

struct text
scan_unpaired(struct text in, struct arena *mem)
{
	struct scan scan = { .s = in.s, .n = in.n };
	size_t n = 0, from;
	uint32_t code = 0;
	char *out;

	if (!memchr(in.s, '\\', in.n))
		return in;
	out = arena_alloc(mem, in.n);
	while ((from = scan.at) < in.n) {
		if (in.s[scan.at++] == '\\' && scan_escape(&scan, &code) &&
		    code > 0xffff) {
			n += utf8_put(out + n, code);
			continue;
		}
		memcpy(out + n, in.s + from, scan.at - from);
		n += scan.at - from;
	}
	return (struct text){ out, n };
}
