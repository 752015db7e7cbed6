/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What docket says of itself, from the table: usage, --help, --commands. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

#define COLUMNS 79
#define HELP_COLUMN 26

/* ---- text that is wrapped ---- */

struct page {
	FILE *f;
	size_t column, indent;
};

/* What is not parted; on a line of its own when this one is full. */
static void
put_piece(struct page *page, const char *s, size_t n)
{
	if (page->column > page->indent && page->column + 1 + n > COLUMNS) {
		fputc('\n', page->f);
		page->column = 0;
	}
	if (page->column < page->indent) {
		fprintf(page->f, "%*s", (int)(page->indent - page->column),
		    "");
		page->column = page->indent;
	} else if (page->column > page->indent) {
		fputc(' ', page->f);
		page->column++;
	}
	fprintf(page->f, "%.*s", (int)n, s);
	page->column += n;
}

__attribute__((format(printf, 2, 3)))
static void
put(struct page *page, const char *fmt, ...)
{
	char piece[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	put_piece(page, piece, strlen(piece));
}

static void
put_words(struct page *page, const char *s)
{
	for (; *s; s += strspn(s, " ")) {
		const size_t n = strcspn(s, " ");

		put_piece(page, s, n);
		s += n;
	}
}

static void
put_end(struct page *page)
{
	fputc('\n', page->f);
	page->column = 0;
}

/* ---- usage ---- */

static void
put_option(struct page *page, const struct cli_row *row)
{
	const char *value = row->placeholder ? row->placeholder : "";
	const char *blank = row->placeholder ? " " : "";

	put(page, row->how == CLI_MUST ? "--%s%s%s" :
	    row->how == CLI_MANY ? "[--%s%s%s]..." : "[--%s%s%s]",
	    cli_options[row->option].word, blank, value);
}

/* One command's, wrapped; the first of several says what it is. */
static void
put_usage(FILE *f, const struct cli_row *command, bool first)
{
	struct page page = { f, 0, 7 };
	const struct cli_row *row = command;
	char name[64];

	fputs(first ? "usage: " : "", f);
	page.column = first ? 7 : 0;
	cli_name(command, name, sizeof(name));
	put(&page, "docket %s", name);
	page.indent = 11;
	if (*command->arguments)
		put(&page, "%s", command->arguments);
	while ((row = cli_row_next(row, CLI_ROW_TAKES)))
		put_option(&page, row);
	put_end(&page);
}

static void
put_usages(FILE *f, const struct cli_row *noun)
{
	const struct cli_row *row = noun;
	bool first = true;

	while ((row = cli_row_next(row, CLI_ROW_COMMAND))) {
		put_usage(f, row, first);
		first = false;
	}
}

static const char usage_all[] =
    "usage: docket [OPTION]... NOUN [VERB] [ARGUMENT]...\n";

/* ---- help ---- */

static void
put_help(const struct cli_row *row)
{
	const struct cli_option_row *option = &cli_options[row->option];
	struct page page = { stdout, 0, HELP_COLUMN };
	int n;

	n = option->letter ? printf("  -%c, --%s", option->letter,
	    option->word) : printf("      --%s", option->word);
	if (row->placeholder)
		n += printf(" %s", row->placeholder);
	page.column = (size_t)n;
	if (page.column + 2 > HELP_COLUMN)
		put_end(&page);
	put_words(&page, row->text);
	put_end(&page);
}

static void
put_paragraph(const char *s)
{
	struct page page = { stdout, 0, 0 };

	put_end(&page);
	put_words(&page, s);
	put_end(&page);
}

/* A command's options, or, of NULL, those of all. */
static void
put_options(const struct cli_row *command, bool alone)
{
	const struct cli_row *row = command;

	while ((row = cli_row_next(row, CLI_ROW_TAKES)))
		if (alone || row->how != CLI_ALONE)
			put_help(row);
}

static void
help_command(const struct cli_row *command)
{
	put_usage(stdout, command, true);
	put_paragraph(command->text);
	if (command->more)
		put_paragraph(command->more);
	putchar('\n');
	put_options(command, false);
	put_options(NULL, false);
}

static void
put_summary(const char *name, const char *text)
{
	struct page page = { stdout, 0, HELP_COLUMN - 10 };

	page.column = (size_t)printf("  %s", name);
	if (page.column + 2 > page.indent)
		put_end(&page);
	put_words(&page, text);
	put_end(&page);
}

static void
help_noun(const struct cli_row *noun)
{
	const struct cli_row *row = noun;

	put_usages(stdout, noun);
	put_paragraph(noun->text);
	putchar('\n');
	while ((row = cli_row_next(row, CLI_ROW_COMMAND)))
		put_summary(*row->verb ? row->verb : noun->noun, row->text);
	putchar('\n');
	row = cli_verb_find(noun, "");
	if (row)
		put_options(row, false);
	put_options(NULL, false);
	printf("\nMore of a command: docket %s VERB --help\n", noun->noun);
}

/* "user  Accounts (add, import, list)" */
static void
put_noun(FILE *f, const struct cli_row *noun)
{
	struct page page = { f, 0, HELP_COLUMN - 10 };
	const struct cli_row *row = noun, *next;
	bool first = true;

	page.column = (size_t)fprintf(f, "  %s", noun->noun);
	put_words(&page, noun->text);
	row = cli_row_next(row, CLI_ROW_COMMAND);
	for (; row; row = next) {
		next = cli_row_next(row, CLI_ROW_COMMAND);
		if (*row->verb)
			put(&page, "%s%s%s", first ? "(" : "", row->verb,
			    next ? "," : ")");
		first = first && !*row->verb;
	}
	put_end(&page);
}

static void
help_all(FILE *f)
{
	fputs(usage_all, f);
	fputs("\nAdminister Docket. The settings are those of "
	    DOCKET_CONF ",\nif it exists.\n\n", f);
	for (const struct cli_row *row = cli_rows; row < cli_rows_end(); row++)
		if (row->kind == CLI_ROW_NOUN)
			put_noun(f, row);
}

void
cli_help(const struct cli *cli)
{
	if (cli->noun && (!cli->command || !*cli->command->verb) &&
	    cli_row_next(cli_row_next(cli->noun, CLI_ROW_COMMAND),
	    CLI_ROW_COMMAND)) {
		help_noun(cli->noun);
	} else if (cli->noun) {
		help_command(cli->command ? cli->command :
		    cli_row_next(cli->noun, CLI_ROW_COMMAND));
	} else {
		help_all(stdout);
		putchar('\n');
		put_options(NULL, true);
		puts("\nMore: docket NOUN --help, docket NOUN VERB --help");
	}
}

int
cli_usage(const struct cli *cli)
{
	if (cli->command)
		put_usage(stderr, cli->command, true);
	else if (cli->noun)
		put_usages(stderr, cli->noun);
	else if (cli->n_words == 0)
		help_all(stderr);
	else
		fputs(usage_all, stderr);
	fputs(cli->noun || cli->n_words ? "see docket --help\n" : "", stderr);
	return EX_USAGE;
}

int
cli_wrong(const struct cli *cli, const char *why)
{
	fprintf(stderr, "docket: %s\n", why);
	return cli_usage(cli);
}

/* ---- the table, for programs ---- */

static const char *const needs_names[] = {
	[CLI_NOTHING] = "nothing", [CLI_SETTINGS] = "settings",
	[CLI_API] = "api", [CLI_OWNER] = "owner", [CLI_COURIER] = "courier",
};
static const char *const effect_names[] = {
	[CLI_READS] = "reads", [CLI_CHANGES] = "changes",
	[CLI_MINDS] = "minds",
};
static const char *const how_names[] = {
	[CLI_MAY] = "may", [CLI_MUST] = "must", [CLI_MANY] = "many",
	[CLI_ALONE] = "alone",
};
static const char *const value_names[] = {
	[CLI_FLAG] = "flag", [CLI_WORD] = "word", [CLI_FILENAME] = "file",
	[CLI_DIRNAME] = "dir", [CLI_CHOICE] = "choice",
};

static void
print_takes(const struct cli_row *row)
{
	const struct cli_option_row *option = &cli_options[row->option];
	char letter[3] = { '-', option->letter, '\0' };

	printf("option\t--%s\t%s\t%s\t%s\t%s\t%s\n", option->word,
	    option->letter ? letter : "", how_names[row->how],
	    value_names[row->value], row->placeholder ? row->placeholder : "",
	    row->text);
}

void
cli_commands_print(void)
{
	for (const struct cli_row *row = cli_rows; row < cli_rows_end(); row++)
		switch (row->kind) {
		case CLI_ROW_NOUN:
			printf("noun\t%s\t%s\n", row->noun, row->text);
			break;
		case CLI_ROW_COMMAND:
			printf("command\t%s\t%s\t%s\t%s\t%s\t%s\n", row->verb,
			    row->arguments, needs_names[row->needs],
			    effect_names[row->effect], row->text,
			    row->more ? row->more : "");
			break;
		case CLI_ROW_TAKES:
			print_takes(row);
			break;
		}
}
