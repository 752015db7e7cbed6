/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket restore: looks at all of a backup first, then all of it or nothing. */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/backup.h"
#include "cli/restore.h"
#include "store/backup.h"
#include "store/migrate.h"

#ifndef DOCKET_MIGRATIONS_DIR
#define DOCKET_MIGRATIONS_DIR "/usr/share/docket/migrations"
#endif

#define LINE_SUM 64

struct restore {
	struct cli *cli;
	struct arena *mem;
	const char *from;
	bool has_dump, has_manifest;
	int64_t migration;
	struct restore_facts facts;
	struct kept keys[2];
};

static const char *
path_of(const struct restore *r, const char *name)
{
	return arena_printf(r->mem, "%s/%s", r->from, name);
}

/* ---- is it whole? ---- */

/* Below the folder, and nowhere else; it will be printed. */
static bool
is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return *name && *name != '/' && !strstr(name, "..");
}

/* "HEX  NAME" */
static int
sum_check(struct restore *r, char *line)
{
	const size_t n = strlen(line);
	char hex[65] = "", *name = line + LINE_SUM + 2;
	int error;

	if (n < LINE_SUM + 3 || strncmp(line + LINE_SUM, "  ", 2) != 0 ||
	    !is_plain(name))
		return backup_fail(path_of(r, BACKUP_SUMS),
		    "has a line that is none of docket backup", EX_DATAERR);
	error = backup_sum(path_of(r, name), hex);
	if (error)
		return backup_fail(path_of(r, name), strerror(-error),
		    EX_DATAERR);
	if (strncmp(hex, line, LINE_SUM) != 0)
		return backup_fail(path_of(r, name), "was altered or cut: its "
		    "sum is another", EX_DATAERR);
	r->has_dump = r->has_dump || strcmp(name, BACKUP_DUMP) == 0;
	r->has_manifest = r->has_manifest ||
	    strcmp(name, BACKUP_MANIFEST) == 0;
	for (int i = 0; i < 2; i++)
		if (strcmp(name, r->keys[i].name) == 0)
			r->keys[i].state = KEY_OTHER;
	return 0;
}

/* Every file that is wrong is named. */
static int
sums_check(struct restore *r)
{
	const char *path = path_of(r, BACKUP_SUMS);
	struct text text;
	int error = file_get(r->mem, path, &text), status = 0;
	char *rest, *line;
	size_t n = 0;

	if (error)
		return backup_fail(path, arena_printf(r->mem, "%s; DIR is a "
		    "folder that docket backup wrote", strerror(-error)),
		    EX_NOINPUT);
	rest = (char *)(uintptr_t)text.s;
	while ((line = strsep(&rest, "\n"))) {
		int one;

		if (n++ > BACKUP_FILES)
			return backup_fail(path, "names more files than a "
			    "backup has", EX_DATAERR);
		one = *line ? sum_check(r, line) : 0;

		status = status ? status : one;
	}
	if (status == 0 && !(r->has_dump && r->has_manifest))
		status = backup_fail(path, "names no " BACKUP_DUMP " or no "
		    BACKUP_MANIFEST, EX_DATAERR);
	return status;
}

/* ---- does it fit? ---- */

static int64_t
number_after(struct text text, const char *name)
{
	const char *hit = strstr(text.s, name);

	return hit && (hit == text.s || hit[-1] == '\n') ?
	    strtoll(hit + strlen(name), NULL, 10) : -1;
}

static const char *
migrations_dir(const struct restore *r)
{
	const char *dir = cli_value(r->cli, OPT_dir);

	return dir ? dir : DOCKET_MIGRATIONS_DIR;
}

/* A file of its number is in the folder: this version knows it. */
static bool
is_known(const struct restore *r)
{
	const char *pattern = arena_printf(r->mem, "%s/%04" PRId64 "_*.sql",
	    migrations_dir(r), r->migration);
	glob_t found;
	const bool known = glob(pattern, 0, NULL, &found) == 0;

	globfree(&found);
	return known;
}

static int
manifest_check(struct restore *r)
{
	const char *path = path_of(r, BACKUP_MANIFEST);
	struct text text;

	if (file_get(r->mem, path, &text) != 0)
		return backup_fail(path, "cannot be read", EX_NOINPUT);
	r->migration = number_after(text, "migration ");
	if (number_after(text, "backup ") != BACKUP_FORM || r->migration < 0)
		return backup_fail(path, "is of another form: restore it with "
		    "the version that made it", EX_DATAERR);
	if (access(migrations_dir(r), R_OK) < 0)
		return backup_fail(migrations_dir(r), "no migrations are "
		    "here: --dir says where", EX_NOINPUT);
	if (!is_known(r))
		return backup_fail(path, arena_printf(r->mem, "migration "
		    "%" PRId64 " is of a later version than this program: "
		    "install that one, then run this again", r->migration),
		    EX_DATAERR);
	return 0;
}

static int
facts(struct restore *r)
{
	int status = 0;
	struct db *db = backup_database(r->cli, &restore_statements, &status);

	if (db) {
		status = store_restore_facts(db, r->mem, &r->facts);
		status = status ? cli_fail("database", status) : 0;
	}
	db_free(db);
	return status;
}

static int
database_check(struct restore *r)
{
	const bool replace = cli_has(r->cli, OPT_replace);
	int status = facts(r);

	if (status)
		return status;
	if (r->facts.roles < 2)
		return backup_fail("database", "has no roles docket_api and "
		    "docket_courier: docket setup makes them, or psql -f "
		    "roles.sql", EX_UNAVAILABLE);
	if (r->facts.schema && !replace)
		return backup_fail("database", "is not empty; --replace puts "
		    "the backup in its place", EX_CANTCREAT);
	if (r->facts.sessions > 0)
		return backup_fail("database", arena_printf(r->mem, "%" PRId64
		    " connections of the service are open: systemctl stop "
		    "docket.target, then run this again", r->facts.sessions),
		    EX_TEMPFAIL);
	return 0;
}

/* ---- all of it ---- */

static int
restore_do(struct restore *r)
{
	const struct migrate_options migrate = {
		.dsn = r->cli->settings.database_owner_dsn,
		.dir = migrations_dir(r), .lock_timeout_ms = 5000,
	};
	int status = restore_database(r->cli, path_of(r, BACKUP_DUMP));

	if (status)
		return status;
	for (int i = 0; i < 2 && status == 0; i++)
		status = kept_write(r->cli, &r->keys[i]);
	/* A backup of an older version. */
	if (status == 0)
		status = migrate_run(&migrate, stdout, stderr);
	if (status == 0)
		puts("Restored. Start the service: systemctl start "
		    "docket.target; then docket doctor.");
	else
		fputs("docket: the database is the backup's by now, but not "
		    "all is done: mend that, then run this again with "
		    "--replace\n", stderr);
	return status;
}

/* Whoever ends it ends the transaction, and is told so. */
static int
restore_held(struct restore *r)
{
	int status;

	tool_hold(true);
	status = restore_do(r);
	tool_hold(false);
	return status;
}

/* All of it is told. */
static int
keys_check(struct restore *r)
{
	int status = 0;

	for (int i = 0; i < 2; i++) {
		int one = kept_read(r->cli, r->from, &r->keys[i]);

		if (one == 0)
			one = kept_check(r->cli, r->from, &r->keys[i]);
		status = status ? status : one;
	}
	return status;
}

static int
checks(struct restore *r)
{
	const int database = database_check(r);
	const int manifest = manifest_check(r);
	const int keys = keys_check(r);

	return database ? database : manifest ? manifest : keys;
}

static int
restore(struct restore *r)
{
	int status = sums_check(r);

	if (status == 0 && !backup_dsn(&r->cli->settings))
		status = EX_CONFIG;
	if (status == 0)
		status = checks(r);
	if (status)
		return status;
	printf("database: %s, migration %" PRId64 "\n", r->facts.schema ?
	    "replaced" : "filled", r->migration);
	for (int i = 0; i < 2; i++)
		kept_tell(r->cli, &r->keys[i]);
	if (!cli_dry(r->cli))
		return restore_held(r);
	puts("Nothing was changed (--dry-run).");
	return 0;
}

int
cli_restore(struct cli *cli)
{
	const struct settings *s = &cli->settings;
	struct restore r = {
		.cli = cli, .mem = cli->mem,
		.from = backup_path(cli->mem, cli->words[0]),
		.keys = {
			{ BACKUP_SECRET, s->server_secret_file,
			  kept_secret_good, KEY_NOT_KEPT, TEXT_NONE },
			{ BACKUP_RING, s->auth_key_file,
			  kept_ring_good, KEY_NOT_KEPT, TEXT_NONE },
		},
	};
	const int status = restore(&r);

	for (int i = 0; i < 2; i++)
		kept_done(&r.keys[i]);
	return status;
}
