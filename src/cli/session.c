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

/* What is done to all of an account's, by its name. */
static int
with_key(struct cli *cli, const char *name,
    int (*run)(struct db *db, struct arena *mem, struct text key))
{
	struct text key;
	const int error = name_key(cli->mem, text_of(name), &key) ? E_USER :
	    run(cli->db, cli->mem, key);

	return error ? cli_fail(name, error) : 0;
}

int
cli_session_list(struct cli *cli)
{
	return with_key(cli, cli->words[0], session_list);
}

int
cli_session_revoke(struct cli *cli)
{
	const char *user = cli_value(cli, OPT_user);
	int error;

	/* One of the two, not both: nobody can mean both. */
	if (!user == (cli->n_words == 0))
		return cli_wrong(cli, "ID or --user must be given, one of "
		    "them");
	if (user)
		return with_key(cli, user, session_end_all);
	error = session_end(cli->db, cli->mem, text_of(cli->words[0]));
	return error ? cli_fail(cli->words[0], error) : 0;
}
