/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user list|show|disable|enable|delete: accounts that are there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "cli/cli.h"
#include "core/names.h"
#include "store/console.h"

#define PAGE 200

/* What a command does once there is a database; an error of the store. */
typedef int (*account_job)(struct db *db, struct arena *mem,
    struct text name_key);

static void
account_print(const struct user *u)
{
	char created[TIME_CHARS];

	time_format(u->created_at, created);
	printf("%" PRId64 "\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", u->number,
	    TEXT_FMT(u->username), TEXT_FMT(u->role), TEXT_FMT(u->status),
	    TEXT_FMT(u->email), TEXT_FMT(u->phone), TIME_CHARS, created);
}

/* One page, and where the next one starts; 0 after the last. */
static int
account_page(struct db *db, struct arena *mem, struct user_filter *filter)
{
	const struct user *users;
	struct list page;
	int error = store_console_users(db, mem, filter, &page);

	if (error)
		return error;
	users = page.v;
	for (size_t i = 0; i < page.n; i++)
		account_print(&users[i]);
	filter->after_number = page.n < PAGE ? 0 : users[PAGE - 1].number;
	return 0;
}

/* However many there are, only a page of them is held. */
static int
account_list(struct db *db, struct arena *mem, struct text begins)
{
	struct user_filter filter = { .begins = begins, .limit = PAGE };
	struct arena *rows = arena_new(65536);
	int error = rows ? 0 : -ENOMEM;

	(void)mem;
	while (error == 0) {
		error = account_page(db, rows, &filter);
		arena_reset(rows);
		if (filter.after_number == 0)
			break;
	}
	arena_free(rows);
	return error;
}

static int
account_show(struct db *db, struct arena *mem, struct text name_key)
{
	char id[UUID_CHARS], created[TIME_CHARS], updated[TIME_CHARS];
	struct user u;
	int error = store_console_user(db, mem, name_key, &u);

	if (error)
		return error;
	uuid_format(&u.id, id);
	time_format(u.created_at, created);
	time_format(u.updated_at, updated);
	printf("id %.*s\nnumber %" PRId64 "\nusername %.*s\nemail %.*s\n"
	    "phone %.*s\nrole %.*s\nstatus %.*s\ncreated_at %.*s\n"
	    "updated_at %.*s\n", UUID_CHARS, id, u.number,
	    TEXT_FMT(u.username), TEXT_FMT(u.email), TEXT_FMT(u.phone),
	    TEXT_FMT(u.role), TEXT_FMT(u.status), TIME_CHARS, created,
	    TIME_CHARS, updated);
	return 0;
}

static int
account_disable(struct db *db, struct arena *mem, struct text name_key)
{
	return store_console_activate(db, mem, name_key, false);
}

static int
account_enable(struct db *db, struct arena *mem, struct text name_key)
{
	return store_console_activate(db, mem, name_key, true);
}

/* done: what is said after the name, or NULL when the job says it itself. */
static int
account_run(const struct cli *cli, const char *name, account_job job,
    const char *done)
{
	struct text key = TEXT_NONE;
	struct settings settings;
	struct db *db;
	int status;

	if (name && name_key(cli->mem, text_of(name), &key))
		return cli_fail(name, E_USER);
	status = cli_settings(cli, &settings);
	if (status)
		return status;
	db = cli_database(&settings, &status);
	if (db) {
		status = job(db, cli->mem, key);
		if (status)
			status = cli_fail(name ? name : "list", status);
		else if (done)
			printf("%s %s\n", name, done);
	}
	db_free(db);
	settings_done(&settings);
	return status;
}

/* One name, or none when `optional`; no options but everybody's. */
static int
account_name(struct cli *cli, int argc, char **argv, bool optional,
    const char **ret)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		if (!cli_option(cli, c))
			return cli_usage();
	if (argc - optind != 1 && !(optional && argc == optind))
		return cli_usage();
	*ret = argc == optind ? NULL : argv[optind];
	return 0;
}

static const struct verb {
	const char *name;
	bool optional;		/* the account's name */
	account_job job;
	const char *done;
} verbs[] = {
	{ "list",	true,	account_list,		NULL },
	{ "show",	false,	account_show,		NULL },
	{ "disable",	false,	account_disable,	"deactivated" },
	{ "enable",	false,	account_enable,		"activated" },
	{ "delete",	false,	store_console_delete,	"deleted" },
};

static const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int
cli_account(struct cli *cli, int argc, char **argv)
{
	const struct verb *verb = verb_find(argv[0]);
	const char *name = NULL;
	int status;

	if (!verb)
		return cli_usage();
	status = account_name(cli, argc, argv, verb->optional, &name);
	return status ? status : account_run(cli, name, verb->job, verb->done);
}
