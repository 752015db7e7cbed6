/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The table of commands, and looking things up in it. */
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

/* Nobody types a word that is further from the one that was meant. */
#define FAR 3
#define WORD_MAX 24

const struct cli_option_row cli_options[OPT__MAX] = {
#define OPTION(name, word_, letter_, takes_) \
	[OPT_##name] = { (word_), (letter_), CLI_##takes_ },
#include "tbl/commands.h"
};

const struct cli_row cli_rows[] = {
#define NOUN(noun_, summary_) \
	{ .kind = CLI_ROW_NOUN, .noun = (noun_), .text = (summary_) },
#define COMMAND(verb_, arguments_, least_, most_, needs_, effect_, handler_, \
    summary_, more_) \
	{ .kind = CLI_ROW_COMMAND, .verb = (verb_), \
	  .arguments = (arguments_), \
	  .least = (least_), .most = (most_), .needs = CLI_##needs_, \
	  .effect = CLI_##effect_, .run = (handler_), \
	  .text = (summary_), \
	  .more = (more_) },
#define TAKES(option_, how_, kind_, value_, help_) \
	{ .kind = CLI_ROW_TAKES, .option = OPT_##option_, \
	  .how = CLI_##how_, .value = CLI_##kind_, .placeholder = (value_), \
	  .text = (help_) },
#define ANY CLI_ANY
#include "tbl/commands.h"
#undef ANY
};

const size_t cli_rows_n = sizeof(cli_rows) / sizeof(cli_rows[0]);

const struct cli_row *
cli_rows_end(void)
{
	return cli_rows + cli_rows_n;
}

const struct cli_row *
cli_row_next(const struct cli_row *row, enum cli_row_kind kind)
{
	for (row = row ? row + 1 : cli_rows; row < cli_rows_end(); row++) {
		if (row->kind == kind)
			return row;
		if (row->kind > kind)
			return NULL;
	}
	return NULL;
}

const struct cli_row *
cli_noun_find(const char *noun)
{
	for (const struct cli_row *row = cli_rows; row < cli_rows_end(); row++)
		if (row->kind == CLI_ROW_NOUN && strcmp(row->noun, noun) == 0)
			return row;
	return NULL;
}

const struct cli_row *
cli_verb_find(const struct cli_row *noun, const char *verb)
{
	const struct cli_row *row = noun;

	while ((row = cli_row_next(row, CLI_ROW_COMMAND)))
		if (strcmp(row->verb, verb) == 0)
			return row;
	return NULL;
}

static const struct cli_row *
takes(const struct cli_row *command, enum cli_option option)
{
	const struct cli_row *row = command;

	while ((row = cli_row_next(row, CLI_ROW_TAKES)))
		if (row->option == option)
			return row;
	return NULL;
}

const struct cli_row *
cli_takes(const struct cli_row *command, enum cli_option option)
{
	const struct cli_row *row = takes(NULL, option);

	return row || !command ? row : takes(command, option);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters are to be put in, taken out or changed (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	const size_t n = strlen(b);
	size_t row[WORD_MAX + 1], above, left;

	if (n > WORD_MAX || strlen(a) > WORD_MAX)
		return FAR;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		above = row[0];
		row[0] = i + 1;
		for (size_t j = 1; j <= n; j++) {
			left = above + (a[i] != b[j - 1]);
			above = row[j];
			row[j] = least(left, least(above, row[j - 1]) + 1);
		}
	}
	return row[n];
}

/* The words of a noun, or all nouns. */
static bool
is_word_of(const struct cli_row *noun, const struct cli_row *row)
{
	const struct cli_row *own = noun;

	if (!noun)
		return row->kind == CLI_ROW_NOUN;
	while ((own = cli_row_next(own, CLI_ROW_COMMAND)))
		if (own == row)
			return *own->verb;
	return false;
}

const char *
cli_nearest(const struct cli_row *noun, const char *word)
{
	const char *near = NULL;
	size_t best = FAR;

	for (const struct cli_row *row = cli_rows; row < cli_rows_end();
	    row++) {
		const char *name = noun ? row->verb : row->noun;
		size_t far;

		if (!is_word_of(noun, row))
			continue;
		far = distance(word, name);
		/* Half of the word is another word. */
		if (far < best && 2 * far <= strlen(name)) {
			best = far;
			near = name;
		}
	}
	return near;
}

void
cli_name(const struct cli_row *command, char *out, size_t size)
{
	const struct cli_row *noun = command;

	while (noun->kind != CLI_ROW_NOUN)
		noun--;
	snprintf(out, size, "%s%s%s", noun->noun, *command->verb ? " " : "",
	    command->verb);
}
