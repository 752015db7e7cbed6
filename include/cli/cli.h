/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the commands of `docket` share: options, settings, a database. */
#ifndef DOCKET_CLI_CLI_H
#define DOCKET_CLI_CLI_H

#include <getopt.h>

#include "base/settings.h"
#include "store/db.h"

struct cli {
	struct settings_source source;
	const char **sets;	/* room for one an argument */
	struct arena *mem;	/* for the whole run */
};

/* argv[0] is the command's own name; a sysexits code. */
typedef int (*cli_command)(struct cli *cli, int argc, char **argv);

int cli_migrate(struct cli *cli, int argc, char **argv);
int cli_user(struct cli *cli, int argc, char **argv);
int cli_key(struct cli *cli, int argc, char **argv);
int cli_apikey(struct cli *cli, int argc, char **argv);
/* Verbs of cli_user: argv[0] is the verb. */
int cli_user_add(struct cli *cli, int argc, char **argv);
int cli_user_import(struct cli *cli, int argc, char **argv);
int cli_user_unlock(struct cli *cli, int argc, char **argv);
/* Of accounts that are there: list, show, disable, enable, delete. */
int cli_account(struct cli *cli, int argc, char **argv);
int cli_session(struct cli *cli, int argc, char **argv);
int cli_gc(struct cli *cli, int argc, char **argv);
int cli_audit(struct cli *cli, int argc, char **argv);
int cli_queue(struct cli *cli, int argc, char **argv);
int cli_import(struct cli *cli, int argc, char **argv);
int cli_export(struct cli *cli, int argc, char **argv);

/* Options that every command takes, before and after its name. */
#define CLI_OPTIONS \
	{ "config", required_argument, NULL, 'c' }, \
	{ "set", required_argument, NULL, 's' }, \
	{ "help", no_argument, NULL, 'h' }

/* Take one of these. False: it is not one of them. --help has been answered
 * and the process exits. */
bool cli_option(struct cli *cli, int c);
/* "see docket --help" on standard error; EX_USAGE. */
int cli_usage(void);
/* 0, or EX_CONFIG with file:line on standard error. */
int cli_settings(const struct cli *cli, struct settings *ret);
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

#endif
