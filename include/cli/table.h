/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rows of tbl/commands.h, and what is looked up in them. */
#ifndef DOCKET_CLI_TABLE_H
#define DOCKET_CLI_TABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct cli;
/* A sysexits code; what was given is in *cli (cli/cli.h). */
typedef int (*cli_command)(struct cli *cli);

/* OPT_dry_run, ...: a name that no row has does not compile. */
enum cli_option {
#define OPTION(name, word, letter, takes) OPT_##name,
#include "tbl/commands.h"
	OPT__MAX
};

struct cli_option_row {
	const char *word;	/* without its -- */
	char letter;		/* 0: none */
	enum { CLI_NONE, CLI_ARGUMENT } takes;
};

extern const struct cli_option_row cli_options[OPT__MAX];

enum cli_row_kind { CLI_ROW_TAKES, CLI_ROW_COMMAND, CLI_ROW_NOUN };
enum cli_needs { CLI_NOTHING, CLI_SETTINGS, CLI_API, CLI_OWNER, CLI_COURIER };
enum cli_effect { CLI_READS, CLI_CHANGES, CLI_MINDS };
enum cli_how { CLI_MAY, CLI_MUST, CLI_MANY, CLI_ALONE };
enum cli_value { CLI_FLAG, CLI_WORD, CLI_FILENAME, CLI_DIRNAME, CLI_CHOICE };

#define CLI_ANY INT_MAX

/* A noun's commands follow it, a command's options follow that; in front of
 * the first noun are the options of all. */
struct cli_row {
	enum cli_row_kind kind;
	const char *text;		/* summary, help */
	/* of a noun, and of a command: its own and its noun's */
	const char *noun;
	/* of a command */
	const char *verb, *arguments, *more;
	int least, most;
	enum cli_needs needs;
	enum cli_effect effect;
	cli_command run;
	/* of an option */
	enum cli_option option;
	enum cli_how how;
	enum cli_value value;
	const char *placeholder;
};

extern const struct cli_row cli_rows[];
extern const size_t cli_rows_n;

/* One behind the last; for loops. */
const struct cli_row *cli_rows_end(void);
/* The next row behind `row` of that kind within the same noun, or, for
 * options, within the same command; NULL at the end. row NULL: the first of
 * all (options: of those that all commands take). */
const struct cli_row *cli_row_next(const struct cli_row *row,
    enum cli_row_kind kind);
/* NULL: there is none. */
const struct cli_row *cli_noun_find(const char *noun);
/* verb "": the noun alone. */
const struct cli_row *cli_verb_find(const struct cli_row *noun,
    const char *verb);
/* What a command, or every command, makes of an option; NULL: nothing. */
const struct cli_row *cli_takes(const struct cli_row *command,
    enum cli_option option);
/* The noun or verb (noun NULL: a noun) nearest to a word that is none; NULL:
 * nothing is near. */
const char *cli_nearest(const struct cli_row *noun, const char *word);
/* "key rotate", "gc"; at most size - 1 characters. */
void cli_name(const struct cli_row *command, char *out, size_t size);

#endif
