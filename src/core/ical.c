/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Content lines of iCalendar (RFC 5545): folding, escapes, dates. */
#include "core/ical.h"

#include <strings.h>

#include "base/clock.h"

#define FOLD 75		/* octets a line, without its end (§3.1) */

/* A line that is being written. */
struct fold {
	struct buf *out;
	size_t n;		/* octets on it so far */
};

/* One character in its octets: a fold never comes between them. */
static void
fold_put(struct fold *f, const char *s, size_t n)
{
	if (f->n + n > FOLD) {
		buf_puts(f->out, "\r\n ");
		f->n = 1;
	}
	buf_put(f->out, s, n);
	f->n += n;
}

static size_t
char_size(struct text t, size_t at)
{
	size_t n = 1;

	while (at + n < t.n && ((unsigned char)t.s[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

static void
fold_value(struct fold *f, struct text value)
{
	for (size_t i = 0, n; i < value.n; i += n) {
		n = char_size(value, i);
		fold_put(f, value.s + i, n);
	}
}

static void
fold_text(struct fold *f, struct text t)
{
	for (size_t i = 0, n; i < t.n; i += n) {
		const unsigned char c = (unsigned char)t.s[i];

		n = char_size(t, i);
		if (c == '\r' && i + 1 < t.n && t.s[i + 1] == '\n')
			continue;	/* its LF says it */
		if (c == '\n' || c == '\r')
			fold_put(f, "\\n", 2);
		else if (c == '\\' || c == ',' || c == ';')
			fold_put(f, (char[]){ '\\', (char)c }, 2);
		else if ((c < 0x20 && c != '\t') || c == 0x7f)
			fold_put(f, " ", 1);
		else
			fold_put(f, t.s + i, n);
	}
}

static struct fold
fold_begin(struct buf *out, const char *name)
{
	struct fold f = { out, 0 };

	fold_value(&f, text_of(name));
	fold_put(&f, ":", 1);
	return f;
}

void
ical_put(struct buf *out, const char *name, struct text value)
{
	struct fold f = fold_begin(out, name);

	fold_value(&f, value);
	buf_puts(out, "\r\n");
}

void
ical_text(struct buf *out, const char *name, struct text value)
{
	struct fold f = fold_begin(out, name);

	fold_text(&f, value);
	buf_puts(out, "\r\n");
}

void
ical_texts(struct buf *out, const char *name, struct texts v)
{
	struct fold f = fold_begin(out, name);

	for (size_t i = 0; i < v.n; i++) {
		if (i > 0)
			fold_put(&f, ",", 1);
		fold_text(&f, v.v[i]);
	}
	buf_puts(out, "\r\n");
}

/* RFC 3339 without - and :, up to the second. */
static size_t
basic(struct text t, char out[TIME_CHARS])
{
	size_t n = 0;

	for (size_t i = 0; i < t.n && i < 19; i++)
		if (t.s[i] != '-' && t.s[i] != ':')
			out[n++] = t.s[i];
	return n;
}

void
ical_time(struct buf *out, const char *name, int64_t us)
{
	char spelt[TIME_CHARS], value[TIME_CHARS];
	size_t n;

	time_format(us, spelt);
	n = basic((struct text){ spelt, TIME_CHARS }, value);
	value[n++] = 'Z';
	ical_put(out, name, (struct text){ value, n });
}

void
ical_due(struct buf *out, struct text due, struct text zone)
{
	char value[TIME_CHARS];
	size_t n = basic(due, value);
	struct fold f = { out, 0 };

	if (due.n == TIME_CHARS)	/* an instant */
		value[n++] = 'Z';
	fold_value(&f, due.n == 10 ? TEXT("DUE;VALUE=DATE") : TEXT("DUE"));
	if (zone.s) {
		fold_value(&f, TEXT(";TZID="));
		fold_value(&f, zone);
	}
	fold_put(&f, ":", 1);
	fold_value(&f, (struct text){ value, n });
	buf_puts(out, "\r\n");
}

/* ---- read ---- */

/* One line as it stands, without its end. */
static struct text
raw_line(struct text *rest)
{
	const char *end = memchr(rest->s, '\n', rest->n);
	struct text line = { rest->s, end ? (size_t)(end - rest->s) :
	    rest->n };

	*rest = (struct text){ line.s + line.n + (end != NULL),
	    rest->n - line.n - (end != NULL) };
	if (line.n > 0 && line.s[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
goes_on(struct text rest)
{
	return rest.n > 0 && (rest.s[0] == ' ' || rest.s[0] == '\t');
}

/* Copied only when it was folded: twice, so that length is known. */
static struct text
unfolded(struct text *rest, struct arena *mem)
{
	struct text line = raw_line(rest), look = *rest;
	size_t n = line.n;
	char *out;

	if (!goes_on(look))
		return line;
	while (goes_on(look))
		n += raw_line(&look).n;
	out = arena_alloc(mem, n + 1);
	memcpy(out, line.s, line.n);
	n = line.n;
	while (goes_on(*rest)) {
		line = raw_line(rest);
		memcpy(out + n, line.s + 1, line.n - 1);
		n += line.n - 1;
	}
	return (struct text){ out, n };
}

/* The colon that ends name and parameters: not one in quotes. */
static size_t
colon_of(struct text line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		if (line.s[i] == '"')
			quoted = !quoted;
		else if (line.s[i] == ':' && !quoted)
			return i;
	}
	return line.n;
}

bool
ical_next(struct text *rest, struct arena *mem, struct ical_line *ret)
{
	const char *semicolon;
	struct text line;
	size_t colon;

	*ret = (struct ical_line){ TEXT_NONE, TEXT_NONE, TEXT_NONE };
	if (rest->n == 0)
		return false;
	line = unfolded(rest, mem);
	colon = colon_of(line);
	if (colon == line.n)
		return true;
	ret->name = (struct text){ line.s, colon };
	ret->value = (struct text){ line.s + colon + 1, line.n - colon - 1 };
	semicolon = memchr(line.s, ';', colon);
	if (semicolon) {
		ret->name.n = (size_t)(semicolon - line.s);
		ret->params = (struct text){ semicolon,
		    colon - ret->name.n };
	}
	return true;
}

static bool
same_word(struct text t, const char *word)
{
	return t.s && t.n == strlen(word) &&
	    strncasecmp(t.s, word, t.n) == 0;
}

bool
ical_is(const struct ical_line *line, const char *name)
{
	return same_word(line->name, name);
}

/* The next ";name=value" off the parameters. */
static bool
next_param(struct text *rest, struct text *name, struct text *value)
{
	size_t end = 1, equals = 0;
	bool quoted = false;

	if (rest->n == 0)
		return false;
	for (; end < rest->n && (quoted || rest->s[end] != ';'); end++) {
		if (rest->s[end] == '"')
			quoted = !quoted;
		if (rest->s[end] == '=' && !equals)
			equals = end;
	}
	if (!equals)
		equals = end;
	*name = (struct text){ rest->s + 1, equals - 1 };
	*value = equals < end ? (struct text){ rest->s + equals + 1,
	    end - equals - 1 } : TEXT("");
	*rest = (struct text){ rest->s + end, rest->n - end };
	return true;
}

struct text
ical_param(const struct ical_line *line, const char *name)
{
	struct text rest = line->params, spelt, value;

	while (next_param(&rest, &spelt, &value)) {
		if (!same_word(spelt, name))
			continue;
		if (value.n >= 2 && value.s[0] == '"' &&
		    value.s[value.n - 1] == '"')
			return (struct text){ value.s + 1, value.n - 2 };
		return value;
	}
	return TEXT_NONE;
}

/* A backslash before anything else stands for itself. */
struct text
ical_unescape(struct text value, struct arena *mem)
{
	char *out = arena_alloc(mem, value.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		const char next = i + 1 < value.n ? value.s[i + 1] : '\0';

		if (value.s[i] != '\\' || !memchr("\\,;nN", next, 5)) {
			out[n++] = value.s[i];
			continue;
		}
		out[n++] = next == 'n' || next == 'N' ? '\n' : next;
		i++;
	}
	return (struct text){ out, n };
}

struct texts
ical_split(struct text value, struct arena *mem)
{
	struct texts ret = { NULL, 1 };
	size_t begin = 0;

	for (size_t i = 0; i < value.n; i++)
		ret.n += value.s[i] == ',';
	ret.v = arena_array(mem, ret.n, sizeof(*ret.v));
	ret.n = 0;
	for (size_t i = 0; i <= value.n; i++) {
		if (i < value.n && value.s[i] == '\\') {
			i += i + 1 < value.n;
			continue;
		}
		if (i < value.n && value.s[i] != ',')
			continue;
		ret.v[ret.n++] = ical_unescape((struct text){
		    value.s + begin, i - begin }, mem);
		begin = i + 1;
	}
	return ret;
}

/* 'd' a digit, everything else itself. */
static bool
has_form(struct text t, const char *form)
{
	if (t.n != strlen(form))
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (form[i] == 'd' ? t.s[i] < '0' || t.s[i] > '9' :
		    t.s[i] != form[i])
			return false;
	return true;
}

struct text
ical_when(struct text v, struct arena *mem)
{
	const char *zulu = has_form(v, "ddddddddTddddddZ") ? "Z" : "";

	if (has_form(v, "dddddddd"))
		return text_of(arena_printf(mem, "%.4s-%.2s-%.2s", v.s,
		    v.s + 4, v.s + 6));
	if (!*zulu && !has_form(v, "ddddddddTdddddd"))
		return TEXT_NONE;
	return text_of(arena_printf(mem, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%s",
	    v.s, v.s + 4, v.s + 6, v.s + 9, v.s + 11, v.s + 13, zulu));
}
