/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The settings in force, their passwords masked, as lines or as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/settings_row.h"

/* Ends the word that begins at s, quoted or not, as libpq reads it. */
static const char *
word_end(const char *s)
{
	if (*s != '\'')
		return s + strcspn(s, " ");
	for (s++; *s && *s != '\''; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : s;
}

/* A connection string without its password, in either of libpq's forms. */
static void
print_dsn(FILE *out, const char *dsn)
{
	const char *scheme = strstr(dsn, "://"), *at, *colon, *hit;

	if (scheme) {
		dsn += fprintf(out, "%.*s", (int)(scheme + 3 - dsn), dsn);
		at = memchr(dsn, '@', strcspn(dsn, "/?"));
		colon = at ? memchr(dsn, ':', (size_t)(at - dsn)) : NULL;
		if (colon) {
			fprintf(out, "%.*s:***", (int)(colon - dsn), dsn);
			dsn = at;
		}
	}
	while ((hit = strcasestr(dsn, "password"))) {
		const char *value = hit + strlen("password");

		value += strspn(value, " ");
		value += *value == '=';
		value += strspn(value, " ");
		fprintf(out, "%.*s***", (int)(value - dsn), dsn);
		dsn = scheme ? value + strcspn(value, "&") : word_end(value);
	}
	fputs(dsn, out);
}

static bool
ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), n_end = strlen(end);

	return n >= n_end && strcmp(s + n - n_end, end) == 0;
}

/* What may be shown of a value; malloc'ed, or NULL. */
static char *
shown(const struct setting *row, const char *value)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	if (ends_with(row->key, "dsn") || ends_with(row->key, "url"))
		print_dsn(out, value);
	else
		fputs(value, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* The settings as they come, to compare with; "10m" is 600. */
static bool
same(const struct setting *row, const struct settings *a,
    const struct settings *b)
{
	const size_t i = (size_t)(row - setting_rows);
	const struct settings_store *sa = a->store, *sb = b->store;
	const char *va = (const char *)a + row->offset;
	const char *vb = (const char *)b + row->offset;

	switch (row->type) {
	case SETTING_BOOL:
		return memcmp(va, vb, sizeof(bool)) == 0;
	case SETTING_INT:
	case SETTING_COUNT:
	case SETTING_SECONDS:
		return memcmp(va, vb, sizeof(long)) == 0;
	default:
		return strcmp(sa->text[i], sb->text[i]) == 0;
	}
}

static bool
is_named(const struct setting *row, const char *name)
{
	char own[64];

	setting_name(row, own, sizeof(own));
	return strcmp(own, name) == 0 || strcmp(row->section, name) == 0;
}

bool
settings_know(const char *name)
{
	for (size_t i = 0; i < SETTINGS_N; i++)
		if (is_named(&setting_rows[i], name))
			return true;
	return false;
}

static bool
is_wanted(const struct settings_view *view, const struct setting *row,
    const struct settings *s, const struct settings *defaults)
{
	bool named = view->n_names == 0;

	for (size_t i = 0; i < view->n_names && !named; i++)
		named = is_named(row, view->names[i]);
	return named && !(view->changed && same(row, s, defaults));
}

/* Names are ours, values may be any bytes. */
static void
put_string(struct buf *out, char *s)
{
	if (text_chars(text_of(s)) < 0)
		for (char *p = s; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	buf_json(out, text_of(s));
}

/* A number, true or false, or a string, by the row's type. */
static void
put_value(struct buf *out, const struct setting *row,
    const struct settings *of, char *text)
{
	const char *member = (const char *)of + row->offset;
	long number = 0;
	bool yes = false;

	switch (row->type) {
	case SETTING_BOOL:
		memcpy(&yes, member, sizeof(yes));
		buf_puts(out, yes ? "true" : "false");
		return;
	case SETTING_INT:
	case SETTING_COUNT:
	case SETTING_SECONDS:
		memcpy(&number, member, sizeof(number));
		if (row->type == SETTING_COUNT && number == 0)
			buf_puts(out, "\"auto\"");
		else
			buf_int(out, number);
		return;
	default:
		put_string(out, text);
	}
}

static int
put_json(struct buf *out, const struct setting *row, const struct settings *s,
    const struct settings *defaults, bool first)
{
	const struct settings_store *store = s->store;
	const size_t i = (size_t)(row - setting_rows);
	char name[64], *value = shown(row, store->text[i]);
	char *dflt = strdup(row->dflt), *origin = strdup(store->origin[i]);
	const bool good = value && dflt && origin;

	if (good) {
		setting_name(row, name, sizeof(name));
		buf_printf(out, "%s\"%s\":{\"value\":", first ? "{" : ",\n",
		    name);
		put_value(out, row, s, value);
		buf_puts(out, ",\"default\":");
		put_value(out, row, defaults, dflt);
		buf_puts(out, ",\"origin\":");
		put_string(out, origin);
		buf_putc(out, '}');
	}
	free(value);
	free(dflt);
	free(origin);
	return good ? 0 : -ENOMEM;
}

static int
put_line(struct buf *out, const struct setting *row, const struct settings *s,
    const struct settings_view *view)
{
	const struct settings_store *store = s->store;
	const size_t i = (size_t)(row - setting_rows);
	char name[64], *value = shown(row, store->text[i]);

	if (!value)
		return -ENOMEM;
	setting_name(row, name, sizeof(name));
	buf_printf(out, "%-32s ", name);
	buf_puts(out, value);
	if (view->changed)
		buf_printf(out, "  # default %s", row->dflt);
	if (view->origin)
		buf_printf(out, "%s%s", view->changed ? ", " : "  # ",
		    store->origin[i]);
	buf_putc(out, '\n');
	free(value);
	return 0;
}

static int
put_all(struct buf *out, const struct settings *s,
    const struct settings *defaults, const struct settings_view *view)
{
	bool first = true;
	int r = 0;

	for (size_t i = 0; i < SETTINGS_N && r == 0; i++) {
		const struct setting *row = &setting_rows[i];

		if (!is_wanted(view, row, s, defaults))
			continue;
		r = view->json ? put_json(out, row, s, defaults, first) :
		    put_line(out, row, s, view);
		first = false;
	}
	if (view->json)
		buf_puts(out, first ? "{}\n" : "}\n");
	return r == 0 && out->failed ? -ENOMEM : r;
}

int
settings_show(const struct settings *s, const struct settings_view *view,
    FILE *out)
{
	struct settings defaults;
	struct buf text = { 0 };
	int r = settings_defaults(&defaults);

	if (r == 0)
		r = put_all(&text, s, &defaults, view);
	if (r == 0)
		fwrite(buf_view(&text).s, 1, buf_view(&text).n, out);
	buf_done(&text);
	settings_done(&defaults);
	return r;
}

void
settings_print(const struct settings *s, FILE *out)
{
	settings_show(s, &(struct settings_view){ .origin = true }, out);
}
