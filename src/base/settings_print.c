/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Every setting with its default: the sample file, and the bare table. */
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

void
settings_print_rows(FILE *out)
{
	static const char *const types[] = {
		[SETTING_TEXT] = "text", [SETTING_PATH] = "path",
		[SETTING_INT] = "int", [SETTING_COUNT] = "count",
		[SETTING_BOOL] = "bool", [SETTING_SECONDS] = "seconds",
		[SETTING_CHOICE] = "choice",
	};

	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		char name[64];

		setting_name(row, name, sizeof(name));
		fprintf(out, "%s\t%s\t%s\t%ld\t%ld\t%s\n", name,
		    types[row->type], row->dflt, row->min, row->max,
		    row->doc);
	}
}
