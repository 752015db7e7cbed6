/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket gc: one sweep, for a timer. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "store/changes.h"
#include "store/gc.h"

int
cli_gc(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct settings settings;
	struct gc_counts n;
	int64_t changes = 0;
	struct db *db;
	int c, status;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		if (!cli_option(cli, c))
			return cli_usage();
	if (optind < argc)
		return cli_usage();
	status = cli_settings(cli, &settings);
	if (status)
		return status;
	db = cli_database(&settings, &status);
	if (db) {
		status = store_gc(db, cli->mem, settings.audit_keep,
		    settings.tasks_trash_days, &n);
		if (status == 0)
			status = store_changes_trim(db, cli->mem,
			    settings.tasks_changes_days * 86400, &changes);
		if (status)
			status = cli_fail("gc", status);
		else
			printf("codes %" PRId64 ", budgets %" PRId64
			    ", windows %" PRId64 ", replies %" PRId64
			    ", sessions %" PRId64 ", tasks %" PRId64
			    ", changes %" PRId64 ", audit %" PRId64 "\n",
			    n.otps, n.budgets, n.attempts, n.idempotency,
			    n.sessions, n.tasks, changes, n.audit);
	}
	db_free(db);
	settings_done(&settings);
	return status;
}
