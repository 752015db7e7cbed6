/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Picks the line that counts out of what others say, less number and code. */
#include "courier/said.h"

#include <stdio.h>
#include <strings.h>

#define LINE_MAX_ 400
#define SHORTEST 3	/* a shorter local part hides nothing */

static struct text
first_line(struct text t)
{
	const char *end;

	while (t.n > 0 && (*t.s == '\n' || *t.s == '\r' || *t.s == ' ')) {
		t.s++;
		t.n--;
	}
	end = t.n ? memchr(t.s, '\n', t.n) : NULL;
	if (end)
		t.n = (size_t)(end - t.s);
	while (t.n > 0 && (t.s[t.n - 1] == '\r' || t.s[t.n - 1] == ' '))
		t.n--;
	if (t.n > LINE_MAX_)
		t.n = LINE_MAX_;
	return t;
}

/* Each `what` in t, whatever its case, as stars. */
static struct text
hide(struct arena *mem, struct text t, struct text what)
{
	char *out;
	size_t n = 0;

	if (what.n == 0 || t.n < what.n)
		return t;
	out = arena_alloc(mem, 3 * t.n + 1);
	for (size_t i = 0; i < t.n; ) {
		if (t.n - i >= what.n &&
		    strncasecmp(t.s + i, what.s, what.n) == 0) {
			memcpy(out + n, "***", 3);
			n += 3;
			i += what.n;
		} else {
			out[n++] = t.s[i++];
		}
	}
	return (struct text){ out, n };
}

struct text
said_line(struct arena *mem, struct text said, const struct letter *letter)
{
	struct text line = first_line(said), to = letter->to, part = to;
	const char *at = to.n ? memchr(to.s, '@', to.n) : NULL;

	/* A NUL would end the line for whoever prints it. */
	line.n = line.n ? strnlen(line.s, line.n) : 0;
	/* The longest first: a number may hold the digits of a code. */
	line = hide(mem, line, to);
	if (at)
		part.n = (size_t)(at - to.s);
	else if (to.n > 0 && to.s[0] == '+')
		part = (struct text){ to.s + 1, to.n - 1 };
	if (part.n >= SHORTEST)
		line = hide(mem, line, part);
	return hide(mem, line, letter->code);
}

struct text
said_last(struct text replies, long status)
{
	char code[24];
	struct text found = TEXT("");

	snprintf(code, sizeof(code), "%03ld", status);
	while (replies.n > 0) {
		const char *end = memchr(replies.s, '\n', replies.n);
		const size_t n = end ? (size_t)(end - replies.s) + 1 : replies.n;

		if (n >= 3 && memcmp(replies.s, code, 3) == 0)
			found = (struct text){ replies.s, n };
		replies.s += n;
		replies.n -= n;
	}
	return found;
}
