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
account_list(struct db *db, struct text begins)
{
	struct user_filter filter = { .begins = begins, .limit = PAGE };
	struct arena *rows = arena_new(65536);
	int error = rows ? 0 : -ENOMEM;

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

/* done: what is said after the name, or NULL when the job says it itself. */
static int
with_key(struct cli *cli, int (*job)(struct db *db, struct arena *mem,
    struct text name_key), const char *done)
{
	const char *name = cli->words[0];
	struct text key;
	const int error = name_key(cli->mem, text_of(name), &key) ? E_USER :
	    job(cli->db, cli->mem, key);

	if (error)
		return cli_fail(name, error);
	if (done)
		printf("%s %s\n", name, done);
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

int
cli_user_list(struct cli *cli)
{
	const char *begins = cli->n_words ? cli->words[0] : NULL;
	struct text key = TEXT_NONE;
	int error;

	if (begins && name_key(cli->mem, text_of(begins), &key))
		return cli_fail(begins, E_USER);
	error = account_list(cli->db, key);
	return error ? cli_fail(begins ? begins : "list", error) : 0;
}

int
cli_user_show(struct cli *cli)
{
	return with_key(cli, account_show, NULL);
}

int
cli_user_disable(struct cli *cli)
{
	return with_key(cli, account_disable, "deactivated");
}

int
cli_user_enable(struct cli *cli)
{
	return with_key(cli, account_enable, "activated");
}

int
cli_user_delete(struct cli *cli)
{
	return with_key(cli, store_console_delete, "deleted");
}
