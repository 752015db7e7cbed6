/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket backup: database, settings and keys into a folder, whole or not. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "cli/backup.h"
#include "cli/bar.h"
#include "store/backup.h"

#define DEEP 8

struct backup {
	struct cli *cli;
	struct arena *mem;
	const char *to;		/* what it is to be called */
	char *at;		/* where it is made, beside it */
	const char *files[BACKUP_FILES];
	size_t n;
	struct backup_facts facts;
};

static const struct file_mode secret_mode = { 0600, 0, 0 };

static const char *
path_of(const struct backup *b, const char *name)
{
	return arena_printf(b->mem, "%s/%s", b->at, name);
}

static int
noted(struct backup *b, const char *name)
{
	if (b->n == BACKUP_FILES)
		return backup_fail(b->to, "more files than a backup has room "
		    "for", EX_SOFTWARE);
	b->files[b->n++] = name;
	return 0;
}

/* ---- its files ---- */

static int
put(struct backup *b, const char *name, struct text bytes)
{
	struct file_mode mode = secret_mode;
	int error;

	mode.uid = geteuid();
	mode.gid = getegid();
	error = file_put(b->mem, path_of(b, name), bytes, &mode);
	return error ? backup_fail(path_of(b, name), strerror(-error),
	    EX_CANTCREAT) : noted(b, name);
}

static int
copy(struct backup *b, const char *from, const char *name)
{
	struct text bytes;
	int error = file_get(b->mem, from, &bytes);
	int status;

	if (error)
		return backup_fail(from, strerror(-error), EX_NOINPUT);
	status = put(b, name, bytes);
	explicit_bzero((char *)(uintptr_t)bytes.s, bytes.n);
	return status;
}

static int
is_conf(const struct dirent *entry)
{
	const size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int
settings_folder(struct backup *b, const char *folder)
{
	struct dirent **names;
	const int n = scandir(folder, &names, is_conf, alphasort);
	int status = 0;

	if (n < 0)
		return errno == ENOENT ? 0 :
		    backup_fail(folder, strerror(errno), EX_NOINPUT);
	for (int i = 0; i < n; i++) {
		if (status == 0)
			status = copy(b, arena_printf(b->mem, "%s/%s", folder,
			    names[i]->d_name), arena_printf(b->mem,
			    "settings/conf.d/%s", names[i]->d_name));
		free(names[i]);
	}
	free(names);
	return status;
}

static int
settings_copy(struct backup *b)
{
	const char *conf = b->cli->source.file;
	int status;

	if (!conf)
		return 0;
	status = copy(b, conf, "settings/docket.conf");
	return status ? status : settings_folder(b, arena_printf(b->mem,
	    "%s/conf.d", dirname(arena_printf(b->mem, "%s", conf))));
}

static int
keys_copy(struct backup *b)
{
	const struct settings *s = &b->cli->settings;
	int status;

	if (cli_has(b->cli, OPT_no_keys))
		return 0;
	status = copy(b, s->server_secret_file, BACKUP_SECRET);
	return status ? status : copy(b, s->auth_key_file, BACKUP_RING);
}

static void
dump_show(void *arg)
{
	struct stat st = { .st_size = 0 };

	stat(arg, &st);
	bar_show(0, 0, "dumped: %jd MB", (intmax_t)(st.st_size >> 20));
}

/* One snapshot, whoever writes meanwhile. */
static int
dump(struct backup *b)
{
	char *path = arena_printf(b->mem, "%s/" BACKUP_DUMP, b->at);
	const char *const argv[] = {
		"pg_dump", "--format=custom", "--schema=docket",
		"--no-password", "--lock-wait-timeout=10000", "--file", path,
		"--dbname", b->cli->settings.database_owner_dsn, NULL,
	};
	const struct tool tool = {
		.argv = argv, .tick = dump_show, .arg = path,
	};
	struct tool_end end;
	const int code = tool_run(b->mem, &tool, &end);

	bar_clear();
	if (code == 0)
		return noted(b, BACKUP_DUMP);
	fprintf(stderr, "docket: pg_dump: %.*s\n", TEXT_FMT(end.err));
	return EX_UNAVAILABLE;
}

static int
manifest(struct backup *b)
{
	char now[TIME_CHARS + 1] = "";

	time_format(clock_real_us(), now);
	return put(b, BACKUP_MANIFEST, text_of(arena_printf(b->mem,
	    "backup %d\nversion %s\nmigration %" PRId64 "\ncreated %s\n",
	    BACKUP_FORM, docket_version, b->facts.migration, now)));
}

static int
sums(struct backup *b)
{
	const char *lines = "";
	char hex[65];

	for (size_t i = 0; i < b->n; i++) {
		const char *path = path_of(b, b->files[i]);
		int error = backup_sum(path, hex);

		if (error == 0)
			error = file_sync(path);
		if (error)
			return backup_fail(path, strerror(-error), EX_IOERR);
		lines = arena_printf(b->mem, "%s%s  %s\n", lines, hex,
		    b->files[i]);
	}
	return put(b, BACKUP_SUMS, text_of(lines));
}

/* ---- the folder ---- */

static int
folders(struct backup *b)
{
	static const char *const names[] = {
		"settings", "settings/conf.d", "keys",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mkdir(path_of(b, names[i]), 0700) < 0)
			return backup_fail(path_of(b, names[i]),
			    strerror(errno), EX_CANTCREAT);
	return 0;
}

static int
away(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* Under its name only when all of it is on the disk. */
static int
commit(struct backup *b)
{
	const char *parent = dirname(arena_printf(b->mem, "%s", b->to));
	static const char *const names[] = {
		"settings/conf.d", "settings", "keys", ".",
	};
	int error = 0;

	for (size_t i = 0; i < 4 && error == 0; i++)
		error = file_sync(path_of(b, names[i]));
	/* Not over an empty folder either: rename would. */
	if (error == 0 && access(b->to, F_OK) == 0)
		error = -EEXIST;
	if (error == 0 && rename(b->at, b->to) < 0)
		error = -errno;
	if (error == 0)
		error = file_sync(parent);
	return error ? backup_fail(b->to, strerror(-error), EX_CANTCREAT) : 0;
}

static int
facts(struct backup *b)
{
	int status = 0;
	struct db *db = backup_database(b->cli, &backup_statements, &status);

	if (db) {
		status = store_backup_facts(db, b->mem, &b->facts);
		status = status ? cli_fail("database", status) : 0;
	}
	db_free(db);
	return status;
}

/* Its number is in the manifest, which restore goes by. */
static int
still_the_same(struct backup *b)
{
	const int64_t before = b->facts.migration;
	const int status = facts(b);

	if (status || b->facts.migration == before)
		return status;
	return backup_fail(b->to, "the database was migrated meanwhile: run "
	    "this again", EX_TEMPFAIL);
}

static int
fill(struct backup *b)
{
	int status = folders(b);

	if (status == 0)
		status = dump(b);
	if (status == 0)
		status = still_the_same(b);
	if (status == 0)
		status = settings_copy(b);
	if (status == 0)
		status = keys_copy(b);
	if (status == 0)
		status = manifest(b);
	if (status == 0)
		status = sums(b);
	return status ? status : commit(b);
}

static int
told(const struct backup *b)
{
	struct stat st = { .st_size = 0 };

	stat(arena_printf(b->mem, "%s/%s", b->to, BACKUP_DUMP), &st);
	printf("%s: %zu files, the dump has %jd bytes%s\n", b->to, b->n,
	    (intmax_t)st.st_size, cli_has(b->cli, OPT_no_keys) ?
	    "; without keys: tokens and codes do not outlive a restore" : "");
	return 0;
}

int
cli_backup(struct cli *cli)
{
	struct backup b = {
		.cli = cli, .mem = cli->mem,
		.to = backup_path(cli->mem, cli->words[0]),
	};
	int status;

	if (access(b.to, F_OK) == 0)
		return backup_fail(b.to, "is there already; name a new folder",
		    EX_CANTCREAT);
	if (!backup_dsn(&cli->settings))
		return EX_CONFIG;
	status = facts(&b);
	if (status)
		return status;
	b.at = arena_printf(b.mem, "%s.XXXXXX", b.to);
	umask(0077);
	if (!mkdtemp(b.at))
		return backup_fail(b.to, arena_printf(b.mem, "%s; the folder "
		    "above it has to be there, and ours to write",
		    strerror(errno)), EX_CANTCREAT);
	/* Who ends it ends pg_dump, and what is half goes. */
	tool_hold(true);
	status = fill(&b);
	if (status)
		(void)nftw(b.at, away, DEEP, FTW_DEPTH | FTW_PHYS);
	else
		status = told(&b);
	tool_hold(false);
	return status;
}
