/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket migrate: apply what is missing, or tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "store/migrate.h"

#ifndef DOCKET_MIGRATIONS_DIR
#define DOCKET_MIGRATIONS_DIR "/usr/share/docket/migrations"
#endif

/* Long enough for a busy table, short enough that nobody queues behind it. */
#define LOCK_TIMEOUT_MS 5000

static bool
parse_ms(const char *s, long *ret)
{
	char *end;

	*ret = strtol(s, &end, 10);
	return *s && !*end && *ret > 0 && *ret <= 3600000;
}

int
cli_migrate(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "dry-run", no_argument, NULL, 'n' },
		{ "lock-timeout", required_argument, NULL, 't' },
		{ "dir", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	struct migrate_options o = {
		.dir = DOCKET_MIGRATIONS_DIR,
		.lock_timeout_ms = LOCK_TIMEOUT_MS,
	};
	struct settings settings;
	int c, status;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'n')
			o.dry_run = true;
		else if (c == 'd')
			o.dir = optarg;
		else if (c == 't' ? !parse_ms(optarg, &o.lock_timeout_ms) :
		    !cli_option(cli, c))
			return cli_usage();
	}
	o.status = optind < argc && strcmp(argv[optind], "status") == 0;
	if (optind + o.status < argc)
		return cli_usage();
	status = cli_settings(cli, &settings);
	if (status)
		return status;
	o.dsn = settings.database_owner_dsn;
	status = migrate_run(&o, stdout, stderr);
	settings_done(&settings);
	return status;
}
