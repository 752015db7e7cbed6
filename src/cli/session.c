/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket session: where somebody is logged in, and the end of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "cli/cli.h"
#include "core/names.h"
#include "store/devices.h"

/* A device is named by whoever logs in: a terminal gets to see no control
 * character of it. */
static const char *
printable(struct arena *mem, struct text t)
{
	char *s = arena_copy(mem, t.s ? t.s : "", t.n);

	for (size_t i = 0; i < t.n; i++)
		if (s[i] < ' ' || s[i] > '~')
			s[i] = '?';
	return s;
}

static int
session_list(struct db *db, struct arena *mem, struct text key)
{
	char id[UUID_CHARS], created[TIME_CHARS], used[TIME_CHARS];
	const struct device *devices;
	struct list all;
	int error = store_devices_of(db, mem, key, &all);

	if (error)
		return error;
	devices = all.v;
	for (size_t i = 0; i < all.n; i++) {
		uuid_format(&devices[i].id, id);
		time_format(devices[i].created_at, created);
		time_format(devices[i].used_at, used);
		printf("%.*s\t%.*s\t%.*s\t%s\t%s\n", UUID_CHARS, id,
		    TIME_CHARS, created, TIME_CHARS, used,
		    printable(mem, devices[i].ip),
		    printable(mem, devices[i].agent));
	}
	return 0;
}

static int
session_end_all(struct db *db, struct arena *mem, struct text key)
{
	int64_t n;
	int error = store_devices_end(db, mem, key, &n);

	if (error == 0)
		printf("%" PRId64 " ended\n", n);
	return error;
}

static int
session_end(struct db *db, struct arena *mem, struct text id)
{
	struct uuid uuid;
	int error;

	if (!uuid_parse(id, &uuid))
		return E_SESSION_ID;
	error = store_device_end(db, mem, &uuid);
	if (error == 0)
		puts("1 ended");
	return error;
}

/* What is to be done, and to what: a name's key, or a session's id. */
struct session_job {
	int (*run)(struct db *db, struct arena *mem, struct text what);
	const char *what;
};

static int
session_run(const struct cli *cli, const struct session_job *job)
{
	struct text what = text_of(job->what);
	struct settings settings;
	struct db *db;
	int status;

	if (job->run != session_end && name_key(cli->mem, what, &what))
		return cli_fail(job->what, E_USER);
	status = cli_settings(cli, &settings);
	if (status)
		return status;
	db = cli_database(&settings, &status);
	if (db) {
		status = job->run(db, cli->mem, what);
		if (status)
			status = cli_fail(job->what, status);
	}
	db_free(db);
	settings_done(&settings);
	return status;
}

/* list NAME, revoke ID, revoke --user NAME; false: none of them. */
static bool
session_parse(int argc, char **argv, const char *user, struct session_job *ret)
{
	const bool list = argc > 0 && strcmp(argv[0], "list") == 0;

	if (argc == 0 || (!list && strcmp(argv[0], "revoke") != 0))
		return false;
	if (user) {
		*ret = (struct session_job){ session_end_all, user };
		return !list && argc == 1;
	}
	if (argc != 2)
		return false;
	*ret = (struct session_job){ list ? session_list : session_end,
		argv[1] };
	return true;
}

int
cli_session(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "user", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	const char *user = NULL;
	struct session_job job;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'u')
			user = optarg;
		else if (!cli_option(cli, c))
			return cli_usage();
	}
	if (!session_parse(argc - optind, argv + optind, user, &job))
		return cli_usage();
	return session_run(cli, &job);
}
