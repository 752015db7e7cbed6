/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Fills {{names}} in, so that no value leaves its place. */
#include "courier/fill.h"

#include <string.h>

#define NAME_ECHO 32

static bool
is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

/* RFC 3986 §2.3: all but the unreserved. */
static bool
put_form(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		if (is_plain(t.s[i]))
			buf_putc(out, t.s[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)t.s[i]);
	}
	return true;
}

/* The writer's quotes are the template's already. */
static bool
put_json(struct buf *out, struct text t)
{
	struct buf quoted = { 0 };

	buf_json(&quoted, t);
	if (!quoted.failed)
		buf_put(out, quoted.p + 1, quoted.n - 2);
	else
		out->failed = true;
	buf_wipe(&quoted);
	return true;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static const char *
xml_entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	/* In an attribute these would become spaces. */
	case '\n': return "&#10;";
	case '\r': return "&#13;";
	case '\t': return "&#9;";
	default: return NULL;
	}
}

static bool
put_xml(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		const char *entity = xml_entity(t.s[i]);

		if (entity)
			buf_puts(out, entity);
		else if (is_control(t.s[i]))
			return false;
		else
			buf_putc(out, t.s[i]);
	}
	return true;
}

static bool
put_header(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (is_control(t.s[i]))
			return false;
	buf_text(out, t);
	return true;
}

static bool
put(struct buf *out, enum fill_place place, struct text t)
{
	if (memchr(t.s, '\0', t.n))
		return false;
	switch (place) {
	case FILL_JSON:
		return text_chars(t) >= 0 && put_json(out, t);
	case FILL_XML:
		return text_chars(t) >= 0 && put_xml(out, t);
	case FILL_HEADER:
		return put_header(out, t);
	default:
		return put_form(out, t);
	}
}

static const struct fill_value *
find(const struct fill_values *values, struct text name)
{
	for (size_t i = 0; i < values->n; i++)
		if (text_is(name, values->v[i].name))
			return &values->v[i];
	return NULL;
}

/* The name behind "{{" at `s`; NULL when it does not close. */
static const char *
name_end(const char *s, struct text *ret)
{
	const char *end = strstr(s, "}}");

	if (!end)
		return NULL;
	*ret = (struct text){ s + 2, (size_t)(end - s) - 2 };
	return end + 2;
}

bool
fill(struct buf *out, const char *template, enum fill_place place,
    const struct fill_values *values)
{
	const char *open;

	while ((open = strstr(template, "{{"))) {
		const struct fill_value *value = NULL;
		struct text name;
		const char *end = name_end(open, &name);

		buf_put(out, template, (size_t)(open - template));
		if (end)
			value = find(values, name);
		if (!value || !put(out, place, value->text))
			return false;
		template = end;
	}
	buf_puts(out, template);
	return true;
}

bool
fill_check(const char *template, const char *setting,
    const struct fill_values *values, FILE *errors)
{
	bool good = true;

	while ((template = strstr(template, "{{"))) {
		struct text name;
		const char *end = name_end(template, &name);

		if (!end) {
			fprintf(errors, "%s: \"{{\" without \"}}\"\n",
			    setting);
			return false;
		}
		if (!find(values, name)) {
			fprintf(errors, "%s: {{%.*s}} is not known\n", setting,
			    (int)(name.n < NAME_ECHO ? name.n : NAME_ECHO),
			    name.s);
			good = false;
		}
		template = end;
	}
	return good;
}
