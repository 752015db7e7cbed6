/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Walks a scanned JSON text along a pointer. */
#include "web/json_point.h"

#include <ctype.h>
#include <stdlib.h>

#include "web/json_scan.h"

bool
json_point_valid(const char *pointer)
{
	if (pointer[0] != '/')
		return false;
	for (const char *c = pointer; *c; c++)
		if (*c == '~' && c[1] != '0' && c[1] != '1')
			return false;
	return true;
}

/* The next token without its escapes; *pointer moves to the slash behind. */
static struct text
token_next(const char **pointer, struct arena *mem)
{
	const char *from = *pointer + 1;
	const size_t n = strcspn(from, "/");
	char *out = arena_array(mem, n + 1, 1);
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		out[o] = from[i];
		if (from[i] == '~')
			out[o] = from[++i] == '1' ? '/' : '~';
		o++;
	}
	*pointer = from + n;
	return (struct text){ out, o };
}

/* Over one value; the grammar has passed. */
static void
skip_value(struct scan *scan)
{
	size_t depth = 0;

	do {
		const int c = scan_peek(scan);

		if (c == '"') {
			scan_string(scan, NULL);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		if (strchr("{}[],: \t\r\n", c))
			scan->at++;
		else
			scan_scalar(scan);
	} while (depth > 0);
}

/* Behind a value: to the next one of the container, or false at its end. */
static bool
next_item(struct scan *scan)
{
	scan_space(scan);
	if (scan_peek(scan) != ',')
		return false;
	scan->at++;
	scan_space(scan);
	return true;
}

static bool
enter_object(struct scan *scan, struct text name)
{
	struct text found;

	if (scan_peek(scan) == '}')
		return false;
	do {
		scan_string(scan, &found);
		scan_space(scan);
		scan->at++;	/* the colon */
		scan_space(scan);
		if (text_equal(found, name))
			return true;
		skip_value(scan);
	} while (next_item(scan));
	return false;
}

/* RFC 6901 §4: digits without a leading zero. */
static bool
index_of(struct text token, size_t *ret)
{
	size_t n = 0;

	if (token.n == 0 || token.n > 6 || (token.s[0] == '0' && token.n > 1))
		return false;
	for (size_t i = 0; i < token.n; i++) {
		if (!isdigit((unsigned char)token.s[i]))
			return false;
		n = n * 10 + (size_t)(token.s[i] - '0');
	}
	*ret = n;
	return true;
}

static bool
enter_array(struct scan *scan, struct text token)
{
	size_t left;

	if (!index_of(token, &left) || scan_peek(scan) == ']')
		return false;
	for (; left > 0; left--) {
		skip_value(scan);
		if (!next_item(scan))
			return false;
	}
	return true;
}

/* From a container's bracket to the value of that name or index. */
static bool
enter(struct scan *scan, struct text token)
{
	const int c = scan_peek(scan);

	if (c != '{' && c != '[')
		return false;
	scan->at++;
	scan_space(scan);
	return c == '{' ? enter_object(scan, token) : enter_array(scan, token);
}

static bool
take_scalar(struct scan *scan, struct text *ret)
{
	const size_t from = scan->at;
	const int c = scan_peek(scan);

	if (c == '{' || c == '[' || c == 'n')
		return false;
	if (c == '"')
		return scan_string(scan, ret);
	scan_scalar(scan);
	*ret = (struct text){ scan->s + from, scan->at - from };
	return true;
}

bool
json_point(struct text in, const char *pointer, struct arena *mem,
    struct text *ret)
{
	struct faults faults = { .n = 0 };
	struct scan scan = { .s = in.s, .n = in.n, .mem = mem,
		.faults = &faults };

	if (!json_scan(in, mem, &faults))
		return false;
	scan_space(&scan);
	while (*pointer)
		if (!enter(&scan, token_next(&pointer, mem)))
			return false;
	return take_scalar(&scan, ret);
}
