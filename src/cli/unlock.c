/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user unlock: forget the wrong passwords that locked an account. */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "core/names.h"
#include "store/unlock.h"

static int
unlock(const struct cli *cli, const char *name, struct text key)
{
	struct settings settings;
	struct db *db;
	int status = cli_settings(cli, &settings);

	if (status)
		return status;
	db = cli_database(&settings, &status);
	if (db) {
		status = store_unlock_name(db, cli->mem, key);
		if (status)
			status = cli_fail(name, status);
		else
			printf("%s unlocked\n", name);
	}
	db_free(db);
	settings_done(&settings);
	return status;
}

int
cli_user_unlock(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct text key;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		if (!cli_option(cli, c))
			return cli_usage();
	if (argc - optind != 1)
		return cli_usage();
	if (name_key(cli->mem, text_of(argv[optind]), &key)) {
		fprintf(stderr, "docket: the name has no canonical form\n");
		return EX_DATAERR;
	}
	return unlock(cli, argv[optind], key);
}
