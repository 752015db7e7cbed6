/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads a template file, checks every line of it, fills wordings in. */
#include "courier/template.h"

#include <stdarg.h>

#define SUBJECT_MAX 200
#define TEXT_MAX 4000
#define NAME_SHOWN 32

static const char *const purposes[TEMPLATE_PURPOSES] = {
	"register", "login", "reset", "change"
};

static const struct {
	const char *name;
	const char *needs;	/* why it may be missing */
} vars[TEMPLATE_VARS] = {
	[TEMPLATE_CODE] = { "code", NULL },
	[TEMPLATE_TTL] = { "ttl", "is worded in en and fa alone: "
	    "write {{minutes}} or {{seconds}}" },
	[TEMPLATE_MINUTES] = { "minutes", "would round: otp.ttl is no "
	    "whole number of minutes" },
	[TEMPLATE_SECONDS] = { "seconds", NULL },
	[TEMPLATE_SERVICE] = { "service", NULL },
	[TEMPLATE_HOST] = { "host", "needs server.public_url with a "
	    "host name" },
};

#define ANY TEMPLATE_PURPOSES	/* what stands before the first heading */

struct parser {
	const char *name;
	const struct template_rules *rules;
	FILE *errors;
	unsigned line, faults;
	struct template_part parts[ANY + 1];
	bool seen[ANY + 1];
	size_t part;		/* being read */
	unsigned from;		/* its first line */
};

__attribute__((format(printf, 3, 4)))
static void
fault(struct parser *p, unsigned line, const char *fmt, ...)
{
	va_list ap;

	p->faults++;
	fprintf(p->errors, "%s:%u: ", p->name, line);
	va_start(ap, fmt);
	vfprintf(p->errors, fmt, ap);
	va_end(ap);
	putc('\n', p->errors);
}

bool
template_is_line(struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		uint8_t c = (uint8_t)t.s[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < t.n && (uint8_t)t.s[i + 1] < 0xa0)
			return false;
	}
	return text_chars(t) >= 0;
}

/* What is between {{ and }}, with *at behind it; absent at the text's end.
 * What never closes comes with its braces, up to the end. */
static struct text
next_var(struct text t, size_t *at, size_t *ret_start)
{
	const char *open, *close;
	size_t left;

	open = *at < t.n ? memmem(t.s + *at, t.n - *at, "{{", 2) : NULL;
	if (!open)
		return TEXT_NONE;
	*ret_start = (size_t)(open - t.s);
	left = t.n - *ret_start - 2;
	close = memmem(open + 2, left, "}}", 2);
	*at = close ? (size_t)(close - t.s) + 2 : t.n;
	return close ? (struct text){ open + 2, (size_t)(close - open) - 2 } :
	    (struct text){ open, left + 2 };
}

static size_t
var_of(struct text name)
{
	size_t i = 0;

	while (i < TEMPLATE_VARS && !text_is(name, vars[i].name))
		i++;
	return i;
}

static void
check_vars(struct parser *p, struct text line)
{
	size_t at = 0, start;
	struct text name;

	while ((name = next_var(line, &at, &start)).s) {
		size_t i = var_of(name);

		if (name.s == line.s + start)
			fault(p, p->line, "{{ without }} on the same line");
		else if (i == TEMPLATE_VARS)
			fault(p, p->line, "there is no {{%.*s}}: code, ttl, "
			    "minutes, seconds, service and host are there",
			    (int)(name.n < NAME_SHOWN ? name.n : NAME_SHOWN),
			    name.s);
		else if (p->rules->missing & 1u << i)
			fault(p, p->line, "{{%s}} %s", vars[i].name,
			    vars[i].needs);
	}
}

static bool
has_code(struct text t)
{
	return t.n > 0 && memmem(t.s, t.n, "{{code}}", 8);
}

/* "[word]" alone on a line. */
static bool
is_heading(struct text line, struct text *ret)
{
	if (line.n < 3 || line.s[0] != '[' || line.s[line.n - 1] != ']')
		return false;
	*ret = (struct text){ line.s + 1, line.n - 2 };
	for (size_t i = 0; i < ret->n; i++)
		if (ret->s[i] < 'a' || ret->s[i] > 'z')
			return false;
	return true;
}

static struct text
trim_lines(struct text t)
{
	while (t.n > 0 && t.s[0] == '\n') {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && (t.s[t.n - 1] == '\n' || t.s[t.n - 1] == ' '))
		t.n--;
	return t;
}

/* "Subject: ..." off the head of a mail's wording. */
static bool
take_subject(struct template_part *part)
{
	static const char name[] = "Subject: ";
	const size_t n = sizeof(name) - 1;
	const char *end = memchr(part->text.s, '\n', part->text.n);
	size_t first = end ? (size_t)(end - part->text.s) : part->text.n;

	if (first <= n || memcmp(part->text.s, name, n) != 0)
		return false;
	part->subject = (struct text){ part->text.s + n, first - n };
	part->text.s += first;
	part->text.n -= first;
	part->text = trim_lines(part->text);
	return true;
}

/* The part that ends before `end` is whole: is it good? */
static void
part_end(struct parser *p, const char *end)
{
	struct template_part *part = &p->parts[p->part];

	part->text.n = (size_t)(end - part->text.s);
	part->text = trim_lines(part->text);
	if (part->text.n == 0 && p->part == ANY)
		return;
	p->seen[p->part] = true;
	if (part->text.n > 0 && p->rules->mail && !take_subject(part))
		fault(p, p->from, "a mail begins with \"Subject: \" and "
		    "words");
	if (!has_code(part->text))
		fault(p, p->from, "this wording has no {{code}}");
	if (part->text.n > TEXT_MAX || part->subject.n > SUBJECT_MAX)
		fault(p, p->from, "this wording is over %d bytes, or its "
		    "subject over %d", TEXT_MAX, SUBJECT_MAX);
}

static void
part_begin(struct parser *p, struct text purpose, const char *behind)
{
	size_t i = 0;

	while (i < TEMPLATE_PURPOSES && !text_is(purpose, purposes[i]))
		i++;
	if (i == TEMPLATE_PURPOSES)
		fault(p, p->line, "[%.*s] is no purpose: register, login, "
		    "reset and change are",
		    (int)(purpose.n < NAME_SHOWN ? purpose.n : NAME_SHOWN),
		    purpose.s);
	else if (p->seen[i])
		fault(p, p->line, "[%s] was there before", purposes[i]);
	p->part = i;
	p->from = p->line + 1;
	p->parts[i] = (struct template_part){ .text = { behind, 0 } };
}

/* The line at s; what is behind it. */
static const char *
line_read(struct parser *p, const char *s, const char *end, bool *head)
{
	const char *feed = memchr(s, '\n', (size_t)(end - s));
	const char *behind = feed ? feed + 1 : end;
	struct text line = { s, (size_t)((feed ? feed : end) - s) };
	struct text purpose;

	p->line++;
	*head = *head && line.n > 0 && line.s[0] == '#';
	if (!template_is_line(line))
		fault(p, p->line, "this is no UTF-8, or has a control "
		    "character");
	else if (*head)
		p->parts[ANY].text.s = behind;
	else if (is_heading(line, &purpose)) {
		part_end(p, s);
		part_begin(p, purpose, behind);
	} else
		check_vars(p, line);
	return behind;
}

unsigned
template_parse(struct text file, const char *name,
    const struct template_rules *rules, FILE *errors, struct template *ret)
{
	struct parser p = {
		.name = name, .rules = rules, .errors = errors, .part = ANY,
		.from = 1,
	};
	const char *end = file.s + file.n;
	bool head = true;

	if (file.n > TEMPLATE_FILE_MAX) {
		fault(&p, 1, "the file is over %d bytes", TEMPLATE_FILE_MAX);
		return p.faults;
	}
	p.parts[ANY].text.s = file.s;
	for (const char *s = file.s; s < end; )
		s = line_read(&p, s, end, &head);
	part_end(&p, end);
	for (size_t i = 0; i < TEMPLATE_PURPOSES; i++) {
		if (!p.seen[i] && !p.seen[ANY])
			fault(&p, p.line, "[%s] is missing, and so is a "
			    "wording before the first heading", purposes[i]);
		ret->parts[i] = p.parts[p.seen[i] ? i : ANY];
	}
	return p.faults;
}

size_t
template_purpose(struct text purpose)
{
	for (size_t i = 0; i < TEMPLATE_PURPOSES; i++)
		if (text_is(purpose, purposes[i]))
			return i;
	return 0;
}

const char *
template_purpose_name(size_t i)
{
	return purposes[i];
}

/* Into out, or, when that is NULL, its length alone. */
static size_t
fill(struct text t, const struct text values[TEMPLATE_VARS], char *out)
{
	size_t at = 0, from = 0, n = 0, start;
	struct text name;

	while ((name = next_var(t, &at, &start)).s) {
		size_t i = var_of(name);
		struct text value = i < TEMPLATE_VARS ? values[i] : TEXT_NONE;

		if (out && start > from)
			memcpy(out + n, t.s + from, start - from);
		n += start - from;
		if (out && value.n > 0)
			memcpy(out + n, value.s, value.n);
		n += value.n;
		from = at;
	}
	if (out && t.n > from)
		memcpy(out + n, t.s + from, t.n - from);
	return n + t.n - from;
}

struct text
template_fill(struct arena *mem, struct text wording,
    const struct text values[TEMPLATE_VARS])
{
	size_t n = fill(wording, values, NULL);
	char *out = arena_alloc(mem, n + 1);

	fill(wording, values, out);
	return (struct text){ out, n };
}
