/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket: the administrator's command; one file a noun, one table of them. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/cli.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif
#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

#define CONNECT_MS 2000
#define DEADLINE_MS 30000

struct command {
	const char *noun;
	const char *usage;	/* what follows the noun */
	cli_command run;
	const char *help;
};

static const struct command commands[] = {
	{ "migrate", "[status] [--dry-run] [--lock-timeout MS] [--dir DIR]",
	    cli_migrate,
	    "Bring the schema up to date, as the owner of the database" },
	{ "user", "add NAME [--admin] [--update] [--email E] [--phone P]\n"
	    "              [--password-file FILE|-]\n"
	    "  user import FILE|- [--dry-run] [--update]\n"
	    "  user unlock|show|disable|enable|delete NAME\n"
	    "  user list [BEGINNING]",
	    cli_user,
	    "Add an account, its password on standard input; import accounts with\n"
	    "      their hashes, by NDJSON or CSV with a header; forget the wrong\n"
	    "      passwords and codes that locked an account; disable ends all\n"
	    "      of its sessions" },
	{ "key", "generate|rotate|list [--alg HS256|ES256] [--now] [--dry-run]",
	    cli_key,
	    "The ring of signing keys; docketd reads it anew at SIGHUP" },
	{ "apikey", "add --user NAME|--application NAME --scopes LIST\n"
	    "              [--name N] [--expires INSTANT] [--allow NETWORK]...\n"
	    "              [--insecure-value VALUE] [--if-absent]\n"
	    "  apikey list [--user NAME]\n"
	    "  apikey revoke ID\n"
	    "  apikey rotate ID [--grace SECONDS]",
	    cli_apikey,
	    "API keys; add and rotate print the id and, once, the key" },
	{ "session", "list NAME | revoke ID | revoke --user NAME",
	    cli_session,
	    "Where somebody is logged in, and the end of it, at once" },
	{ "queue", "list [--channel C] [--state S] [--json]\n"
	    "  queue show ID...\n"
	    "  queue retry|hold|drop ID...|--channel C|--all [--state S]\n"
	    "              [--dry-run]",
	    cli_queue,
	    "What waits for the courier. hold --channel stops a channel until\n"
	    "      retry --channel; states: due leased waiting held dead" },
	{ "import", "FILE|- --user NAME [--format json|ndjson|csv|ics]\n"
	    "              [--timezone ZONE] [--dry-run]",
	    cli_import,
	    "Tasks of a file into an account; what is wrong is told with its\n"
	    "      line, and the status is 65 when anything was" },
	{ "export", "--user NAME [--format json|ndjson|csv|ics] [-o FILE]",
	    cli_export,
	    "All tasks of an account as one file" },
	{ "gc", "", cli_gc,
	    "Take away expired codes, budgets, replies and sessions, and what\n"
	    "      the trash (tasks.trash_days) and the audit trail (audit.keep)\n"
	    "      have kept long enough" },
	{ "audit", "tail [-n N] [--follow] [--json] [FILTER]...\n"
	    "  audit export [--until TIME] [--format ndjson|csv] [FILTER]...",
	    cli_audit,
	    "What happened, as the owner of the database. FILTER: --user NAME|ID,\n"
	    "      --event EVENT, --since TIME; TIME: 2026-01-31[T09:30:00Z], or\n"
	    "      90m, 12h, 7d ago" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
help(void)
{
	puts("usage: docket [-c FILE] [--set SECTION.KEY=VALUE]... COMMAND\n"
	    "\n"
	    "Without -c, " DOCKET_CONF " is read if it exists.\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %s %s\n      %s\n", commands[i].noun,
		    commands[i].usage, commands[i].help);
	puts("\n  --version  print the version\n  --help     print this");
}

bool
cli_option(struct cli *cli, int c)
{
	switch (c) {
	case 'c':
		cli->source.file = optarg;
		return true;
	case 's':
		cli->sets[cli->source.n_sets++] = optarg;
		return true;
	case 'h':
		help();
		exit(EX_OK);
	case 'V':
		puts("docket " PACKAGE_VERSION);
		exit(EX_OK);
	default:
		return false;
	}
}

int
cli_usage(void)
{
	fputs("docket: wrong usage; see docket --help\n", stderr);
	return EX_USAGE;
}

int
cli_settings(const struct cli *cli, struct settings *ret)
{
	struct settings_source source = cli->source;

	source.sets = cli->sets;
	if (!source.file && access(DOCKET_CONF, F_OK) == 0)
		source.file = DOCKET_CONF;
	return settings_load(&source, stderr, ret) ? EX_CONFIG : 0;
}

int
cli_fail(const char *what, int error)
{
	fprintf(stderr, "docket: %s: %s\n", what,
	    error < 0 ? strerror(-error) : error_row(error)->detail);
	if (error < 0)
		return EX_SOFTWARE;
	return error_row(error)->status >= 500 ? EX_TEMPFAIL : EX_DATAERR;
}

void
cli_print_time(const char *name, int64_t us)
{
	char out[TIME_CHARS] = "-";

	if (us != TIME_NONE)
		time_format(us, out);
	printf("%s%.*s", name, us == TIME_NONE ? 1 : TIME_CHARS, out);
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
	int error = db ? db_connect(db, CONNECT_MS) : -ENOMEM;

	if (error == 0)
		return db;
	db_free(db);
	if (error == -EPROTO)
		fputs("docket: the schema is not this version's: "
		    "run docket migrate\n", stderr);
	*ret_status = error == -EPROTO ? EX_UNAVAILABLE :
	    cli_fail("database", error);
	return NULL;
}

struct db *
cli_database(const struct settings *settings, int *ret_status)
{
	return cli_connect(settings, settings->database_dsn, store_statements,
	    store_statements_n, ret_status);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[0], commands[i].noun) == 0) {
			optind = 0;	/* getopt starts over */
			return commands[i].run(cli, argc, argv);
		}
	return cli_usage();
}

/* The options in front of the command, then the command. */
static int
start(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	/* "+": what follows the command is the command's. */
	while ((c = getopt_long(argc, argv, "+c:h", options, NULL)) != -1)
		if (!cli_option(cli, c))
			return cli_usage();
	if (optind == argc)
		return cli_usage();
	return run(cli, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
	struct cli cli = { .sets = calloc((size_t)argc + 1, sizeof(char *)),
		.mem = arena_new(65536) };
	int status = EX_OSERR;

	log_init("docket", LOG_WARN);
	if (cli.sets && cli.mem && crypto_init() == 0)
		status = start(&cli, argc, argv);
	else
		fputs("docket: cannot start: out of memory\n", stderr);
	arena_free(cli.mem);
	crypto_done();
	free(cli.sets);
	return status;
}
