/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket migrate: apply what is missing, or tell. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/migrate.h"

#ifndef DOCKET_MIGRATIONS_DIR
#define DOCKET_MIGRATIONS_DIR "/usr/share/docket/migrations"
#endif

/* Long enough for a busy table, short enough that nobody queues behind it. */
#define LOCK_TIMEOUT_MS 5000

static int
migrate(struct cli *cli, bool status)
{
	const char *dir = cli_value(cli, OPT_dir);
	struct migrate_options o = {
		.dsn = cli->settings.database_owner_dsn,
		.dir = dir ? dir : DOCKET_MIGRATIONS_DIR,
		.dry_run = cli_dry(cli), .status = status,
		.lock_timeout_ms = LOCK_TIMEOUT_MS,
	};

	if (!cli_number(cli, OPT_lock_timeout, 1, 3600000,
	    &o.lock_timeout_ms))
		return cli_usage(cli);
	if (access(o.dir, R_OK | X_OK) < 0) {
		fprintf(stderr, "docket: %s: %s; --dir says where the "
		    "migrations are\n", o.dir, strerror(errno));
		return EX_NOINPUT;
	}
	return migrate_run(&o, stdout, stderr);
}

int
cli_migrate(struct cli *cli)
{
	return migrate(cli, false);
}

int
cli_migrate_status(struct cli *cli)
{
	return migrate(cli, true);
}
