/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a command of `docket` is given, and what all of them share. */
#ifndef DOCKET_CLI_CLI_H
#define DOCKET_CLI_CLI_H

#include "base/settings.h"
#include "cli/verbs.h"
#include "store/db.h"

struct cli {
	/* what was typed */
	const struct cli_row *noun, *command;	/* NULL: none yet */
	char **words;		/* behind noun and verb */
	int n_words;
	struct cli_given {
		enum cli_option option;
		const char *value;	/* "" of a flag */
	} *given;
	size_t n_given;
	struct settings_source source;
	/* what the command's row needs */
	struct settings settings;
	struct db *db;
	struct arena *mem;	/* for the whole run */
};

/* ---- options and words (cli/parse.c) ---- */

/* Read argv. 0, or EX_USAGE and why on standard error. With --help, or an option that stands alone, there need be
 * no command. */
int cli_parse(struct cli *cli, int argc, char **argv);
/* The last value given, or NULL. */
const char *cli_value(const struct cli *cli, enum cli_option option);
bool cli_has(const struct cli *cli, enum cli_option option);
/* All values of an option that may be repeated: how many there are, of which
 * the first `most` are in ret. */
size_t cli_values(const struct cli *cli, enum cli_option option,
    const char **ret, size_t most);
/* A whole number of these bounds; false, and said, when it is none. *ret
 * stays when the option was not given. */
bool cli_number(const struct cli *cli, enum cli_option option, long min,
    long max, long *ret);

/* ---- words about it (cli/help.c) ---- */

/* How the command, or else the noun or all of docket, is used, on standard
 * error; EX_USAGE. */
int cli_usage(const struct cli *cli);
/* The same, and first why it is shown. */
int cli_wrong(const struct cli *cli, const char *why);
/* What --help says of the command, the noun, or all, on standard output. */
void cli_help(const struct cli *cli);
/* The table, its columns between tabs. */
void cli_commands_print(void);

/* ---- what commands share (cli/run.c) ---- */

/* Run cli->command with what it needs; its exit status. */
int cli_run(struct cli *cli);
/* The settings in force, into cli->settings. 0, or an exit status and all that
 * is wrong with them said. */
int cli_settings(struct cli *cli);
/* The API's database with all its statements; NULL and why on standard
 * error: *ret_status is then the exit status. */
struct db *cli_database(const struct settings *settings, int *ret_status);
/* The same as another role, with the statements that are its own. */
struct db *cli_connect(const struct settings *settings, const char *dsn,
    const struct stmts *const *sets, size_t n_sets, int *ret_status);
/* "NAME2026-01-31T09:30:00.000Z" on standard output, "NAME-" for none. */
void cli_print_time(const char *name, int64_t us);
/* Tell an error of the store on standard error; its exit status. */
int cli_fail(const char *what, int error);
/* "docket: WHAT WHY" on standard error; EX_DATAERR. */
int cli_bad(const char *what, const char *why);
/* A dry run's statements stand between these two, in a transaction that is
 * never committed; without --dry-run they do nothing. Who waits for somebody,
 * or computes for long, does so before. 0 or an exit status; the latter's
 * status is the command's own, so that nothing is said after a failure. */
int cli_begin(const struct cli *cli);
void cli_end(const struct cli *cli, int status);
/* Is this a run that shall change nothing? */
static inline bool
cli_dry(const struct cli *cli)
{
	return cli_has(cli, OPT_dry_run);
}

#endif
