/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Runs a command with the settings and the database that its row needs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/audit.h"
#include "store/queue.h"

#define CONNECT_MS 2000
#define DEADLINE_MS 30000

/* Whose settings are in force, for what is said of a refusal. */
static const struct cli *at_work;

/* What clients of the API are told is not what administrators can do. */
static const char *
words_of(int error)
{
	switch (error) {
	case E_DATABASE:
		return "the database is away; docket doctor says more";
	case E_OUTCOME:
		return "the database went away meanwhile: whether it was done "
		    "is not known; look, then run this again";
	case E_BUSY:
		return "somebody else has it in hand; run this again shortly";
	case E_TIMEOUT:
		return "the database took too long; run this again";
	default:
		return error < 0 ? strerror(-error) : error_row(error)->detail;
	}
}

/* The database's own words are in the log line before. */
static int
refused(const char *what)
{
	static const char *const roles[] = {
		[CLI_NOTHING] = "", [CLI_SETTINGS] = "",
		[CLI_API] = "dsn must be docket_api's",
		[CLI_OWNER] = "owner_dsn must be docket_owner's",
		[CLI_COURIER] = "courier_dsn must be docket_courier's",
	};
	const bool right = strcmp(db_refusal(at_work->db), "42501") == 0;

	fprintf(stderr, "docket: %s: the database refused it%s%s\n", what,
	    right ? ": database." : "",
	    right ? roles[at_work->command->needs] : "");
	return right ? EX_NOPERM : EX_SOFTWARE;
}

int
cli_fail(const char *what, int error)
{
	if (error == -EIO && at_work && *db_refusal(at_work->db))
		return refused(what);
	fprintf(stderr, "docket: %s: %s\n", what, words_of(error));
	if (error < 0)
		return EX_SOFTWARE;
	return error_row(error)->status >= 500 ? EX_TEMPFAIL : EX_DATAERR;
}

int
cli_bad(const char *what, const char *why)
{
	fprintf(stderr, "docket: %s %s\n", what, why);
	return EX_DATAERR;
}

void
cli_print_time(const char *name, int64_t us)
{
	char out[TIME_CHARS] = "-";

	if (us != TIME_NONE)
		time_format(us, out);
	printf("%s%.*s", name, us == TIME_NONE ? 1 : TIME_CHARS, out);
}

/* Its exit status. */
static int
not_connected(const struct db *db, int error)
{
	if (error == -EPROTO) {
		fputs("docket: the schema is not this version's: "
		    "run docket migrate\n", stderr);
		return EX_UNAVAILABLE;
	}
	if (!db || !*db_why(db))
		return cli_fail("database", error);
	fprintf(stderr, "docket: database: %s\ndocket: is it there, and the "
	    "setting right? systemctl status postgresql, pg_lsclusters; "
	    "docket doctor says more\n", db_why(db));
	return EX_TEMPFAIL;
}

struct db *
cli_connect(const struct settings *settings, const char *dsn,
    const struct stmts *const *sets, size_t n_sets, int *ret_status)
{
	const struct db_config config = {
		.dsn = dsn, .application = "docket",
		.sets = sets, .n_sets = n_sets,
		.prepared = strcmp(settings->database_prepared, "off") != 0,
		.adapts = strcmp(settings->database_prepared, "auto") == 0,
		.deadline_ms = DEADLINE_MS,
	};
	struct db *db = db_new(&config);
	int error;

	/* Why there is none is told here, and not as a service logs it. */
	log_init("docket", LOG_ERROR_);
	error = db ? db_connect(db, CONNECT_MS) : -ENOMEM;
	log_init("docket", LOG_WARN);
	if (error == 0)
		return db;
	*ret_status = not_connected(db, error);
	db_free(db);
	return NULL;
}

struct db *
cli_database(const struct settings *settings, int *ret_status)
{
	return cli_connect(settings, settings->database_dsn, store_statements,
	    store_statements_n, ret_status);
}

/* By the role that a command works as. */
static int
open_database(struct cli *cli)
{
	static const struct stmts *const audit[] = { &audit_statements };
	static const struct stmts *const queue[] = { &queue_statements };
	const struct settings *s = &cli->settings;
	int status = 0;

	if (cli->command->needs == CLI_API)
		cli->db = cli_database(s, &status);
	else if (cli->command->needs == CLI_OWNER)
		cli->db = cli_connect(s, s->database_owner_dsn, audit, 1,
		    &status);
	else if (cli->command->needs == CLI_COURIER)
		cli->db = cli_connect(s, s->database_courier_dsn, queue, 1,
		    &status);
	return status;
}

int
cli_begin(const struct cli *cli)
{
	const int error = cli_dry(cli) ? db_begin(cli->db) : 0;

	return error ? cli_fail("database", error) : 0;
}

void
cli_end(const struct cli *cli, int status)
{
	if (!cli_dry(cli))
		return;
	db_rollback(cli->db);
	if (status == 0)
		puts("Nothing was changed (--dry-run).");
}

/* What it says of itself is what would have been. */
static int
change(struct cli *cli)
{
	int status = cli_begin(cli);

	if (status)
		return status;
	status = cli->command->run(cli);
	cli_end(cli, status);
	return status;
}

static int
with_settings(struct cli *cli)
{
	int status = open_database(cli);

	if (status)
		return status;
	at_work = cli->db ? cli : NULL;
	status = cli->command->effect == CLI_CHANGES ? change(cli) :
	    cli->command->run(cli);
	at_work = NULL;
	db_free(cli->db);
	cli->db = NULL;
	return status;
}

int
cli_settings(struct cli *cli)
{
	const char *file = cli->source.file;

	if (settings_load(&cli->source, stderr, &cli->settings) == 0)
		return 0;
	if (!file || access(file, R_OK) == 0 || errno != EACCES)
		return EX_CONFIG;
	fputs("docket: the settings are not everybody's to read: run this as "
	    "root\n", stderr);
	return EX_NOPERM;
}

int
cli_run(struct cli *cli)
{
	int status;

	if (cli->command->needs == CLI_NOTHING)
		return cli->command->run(cli);
	status = cli_settings(cli);
	if (status)
		return status;
	status = with_settings(cli);
	settings_done(&cli->settings);
	return status;
}
