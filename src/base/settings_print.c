/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Settings as text: the commented sample file, and what is in force. */
#include <string.h>

#include "base/settings_row.h"

#define COLUMNS 78

/* A comment, wrapped at words. */
static void
print_comment(FILE *out, const char *indent, const char *s)
{
	size_t column = 0, n;

	for (; *s; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (column == 0 || column + 1 + n > COLUMNS) {
			fprintf(out, "%s%s#", column ? "\n" : "", indent);
			column = 8 * strlen(indent) + 1;
		}
		fprintf(out, " %.*s", (int)n, s);
		column += 1 + n;
	}
	putc('\n', out);
}

/* Words and numbers stand as they are; the rest in quotes, where libconfuse
 * gives meaning to quotes, backslashes and ${NAME}. */
static void
print_value(FILE *out, const struct setting *row, const char *value)
{
	if (row->type != SETTING_TEXT && row->type != SETTING_PATH &&
	    row->type != SETTING_CHOICE) {
		fputs(value, out);
		return;
	}
	putc('"', out);
	for (; *value; value++) {
		if (strchr("\"\\$", *value))
			putc('\\', out);
		putc(*value, out);
	}
	putc('"', out);
}

/* What the value may be, where the doc does not say so itself. */
static void
print_bounds(FILE *out, const struct setting *row, const char *indent)
{
	switch (row->type) {
	case SETTING_INT:
		fprintf(out, "%s# %ld to %ld\n", indent, row->min, row->max);
		break;
	case SETTING_COUNT:
		fprintf(out, "%s# auto, or %ld to %ld\n", indent, row->min,
		    row->max);
		break;
	case SETTING_SECONDS:
		fprintf(out, "%s# %ld to %ld seconds; s, m, h and d are "
		    "understood\n", indent, row->min, row->max);
		break;
	default:
		break;
	}
}

/* Only the value is behind a bare #; docs have a space after it. */
static void
print_sample_row(FILE *out, const struct setting *row, const char *indent)
{
	print_comment(out, indent, row->doc);
	print_bounds(out, row, indent);
	fprintf(out, "%s#%s = ", indent, row->key);
	print_value(out, row, row->dflt);
	putc('\n', out);
}

/* Sections stay open, so uncommenting one line is enough. */
void
settings_print_sample(FILE *out)
{
	const char *section = "top";

	print_comment(out, "", "Settings of Docket. Each one stands here with "
	    "its default; uncomment the line of the one to change. "
	    "Later sources win: this file, conf.d/*.conf beside it, the "
	    "environment (DOCKET_SECTION_KEY), --set section.key=value.");
	putc('\n', out);
	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		bool top = strcmp(row->section, "top") == 0;

		if (strcmp(row->section, section) != 0) {
			fprintf(out, "%s\n%s {\n",
			    strcmp(section, "top") == 0 ? "" : "}\n",
			    row->section);
			section = row->section;
		}
		print_sample_row(out, row, top ? "" : "\t");
	}
	if (strcmp(section, "top") != 0)
		fputs("}\n", out);
}

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

/* For `docket config show`: what is in force, and who said so. */
void
settings_print(const struct settings *s, FILE *out)
{
	const struct settings_store *store = s->store;
	char name[64];

	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		size_t n = strlen(row->key);

		setting_name(row, name, sizeof(name));
		fprintf(out, "%-32s ", name);
		if (n >= 3 && strcmp(row->key + n - 3, "dsn") == 0)
			print_dsn(out, store->text[i]);
		else
			fputs(store->text[i], out);
		fprintf(out, "  # %s\n", store->origin[i]);
	}
}
