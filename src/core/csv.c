/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Cells of CSV (RFC 4180): quoting, the formula guard, lists in a cell. */
#include "core/csv.h"

/* Quotes that stand before what a spreadsheet would run, or -1. */
static bool
is_guarded(struct text t)
{
	size_t i = 0;

	while (i < t.n && t.s[i] == '\'')
		i++;
	return i < t.n && memchr("=+-@\t\r", t.s[i], 6) != NULL;
}

static bool
needs_quotes(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (memchr(",\"\r\n", t.s[i], 4))
			return true;
	return t.n > 0 && (t.s[0] == ' ' || t.s[t.n - 1] == ' ');
}

void
csv_put(struct buf *out, struct text cell)
{
	const bool guarded = is_guarded(cell);

	if (!needs_quotes(cell)) {
		if (guarded)
			buf_putc(out, '\'');
		if (cell.n)
			buf_text(out, cell);
		return;
	}
	buf_puts(out, guarded ? "\"'" : "\"");
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.s[i] == '"')
			buf_putc(out, '"');
		buf_putc(out, cell.s[i]);
	}
	buf_putc(out, '"');
}

void
csv_next(struct buf *out, struct text cell)
{
	buf_putc(out, ',');
	csv_put(out, cell);
}

void
csv_end(struct buf *out)
{
	buf_puts(out, "\r\n");
}

struct text
csv_unguard(struct text cell)
{
	if (cell.n > 0 && cell.s[0] == '\'' && is_guarded(cell))
		return (struct text){ cell.s + 1, cell.n - 1 };
	return cell;
}

/* What stands between quotes, doubled ones as one; *at ends behind them. */
static bool
quoted(const char **at, const char *end, char *out, size_t *n)
{
	for (const char *s = *at + 1; s < end; s++) {
		if (*s == '"' && (s + 1 == end || s[1] != '"')) {
			*at = s + 1;
			return true;
		}
		s += *s == '"';
		out[(*n)++] = *s;
	}
	return false;
}

bool
csv_cell(struct text *rest, struct arena *mem, struct text *ret)
{
	const char *s = rest->s, *end = rest->s + rest->n, *comma;
	size_t n = 0;
	char *out;

	if (s < end && *s == '"') {
		out = arena_alloc(mem, rest->n);
		if (!quoted(&s, end, out, &n) || (s < end && *s != ','))
			return false;
		*ret = (struct text){ out, n };
	} else {
		comma = memchr(s, ',', rest->n);
		*ret = (struct text){ s, comma ? (size_t)(comma - s) :
		    rest->n };
		s += ret->n;
	}
	*rest = s < end ? (struct text){ s + 1, (size_t)(end - s - 1) } :
	    TEXT_NONE;
	return true;
}

void
csv_join(struct buf *out, struct texts v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		for (size_t k = 0; k < v.v[i].n; k++) {
			if (memchr(",\\", v.v[i].s[k], 2))
				buf_putc(out, '\\');
			buf_putc(out, v.v[i].s[k]);
		}
	}
}

/* A backslash before anything else stands for itself. */
struct texts
csv_split(struct text cell, struct arena *mem)
{
	struct texts ret = { NULL, 1 };
	char *out = arena_alloc(mem, cell.n + 1);

	for (size_t i = 0; i < cell.n; i++)
		ret.n += cell.s[i] == ',';
	ret.v = arena_array(mem, ret.n, sizeof(*ret.v));
	ret.n = 1;
	ret.v[0] = (struct text){ out, 0 };
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.s[i] == ',') {
			ret.v[ret.n++] = (struct text){ out, 0 };
			continue;
		}
		if (cell.s[i] == '\\' && i + 1 < cell.n &&
		    memchr(",\\", cell.s[i + 1], 2))
			i++;
		*out++ = cell.s[i];
		ret.v[ret.n - 1].n++;
	}
	return ret;
}
