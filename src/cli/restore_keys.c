/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Looks at a backup's key files, and puts them into their place. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/backup.h"
#include "cli/replace.h"
#include "cli/restore.h"
#include "core/token.h"

bool
kept_secret_good(const char *path, FILE *err)
{
	struct secret secret = { .n = 0 };
	const bool good = secret_load(NULL, path, err, &secret) == 0;

	secret_done(&secret);
	return good;
}

bool
kept_ring_good(const char *path, FILE *err)
{
	struct token_ring *ring = token_ring_load(NULL, path, err);

	token_ring_free(ring);
	return ring;
}

/* ---- reading ---- */

int
kept_read(struct cli *cli, const char *from, struct kept *k)
{
	const char *path = arena_printf(cli->mem, "%s/%s", from, k->name);
	struct text now;
	int error;

	if (k->state == KEY_NOT_KEPT)
		return 0;
	error = file_get(cli->mem, path, &k->bytes);
	if (error)
		return backup_fail(path, strerror(-error), EX_NOINPUT);
	error = file_get(cli->mem, k->path, &now);
	if (error == -ENOENT)
		k->state = KEY_LACKS;
	else if (error)
		return backup_fail(k->path, arena_printf(cli->mem, "%s; run "
		    "this as root, or as its owner", strerror(-error)),
		    EX_NOPERM);
	else if (text_equal(k->bytes, now))
		k->state = KEY_SAME;
	if (error == 0)
		explicit_bzero((char *)(uintptr_t)now.s, now.n);
	return 0;
}

void
kept_done(struct kept *k)
{
	if (k->bytes.s)
		explicit_bzero((char *)(uintptr_t)k->bytes.s, k->bytes.n);
	k->bytes = TEXT_NONE;
}

static bool
is_wanted(const struct cli *cli, const struct kept *k)
{
	return k->state == KEY_LACKS ||
	    (k->state == KEY_OTHER && cli_has(cli, OPT_keys));
}

/* ---- looking ---- */

/* The loaders name the file that they read: a copy of it in memory, which has
 * the mode that it will have. */
static void
complaints_tell(const char *path, const char *copy, char *said)
{
	const size_t n = strlen(copy);
	char *line;

	while ((line = strsep(&said, "\n")))
		if (*line)
			fprintf(stderr, "docket: %s%s\n", path,
			    strncmp(line, copy, n) == 0 ? line + n : line);
}

/* 0, or an exit status and said what is wrong with it. */
static int
bytes_check(struct cli *cli, const char *path, const struct kept *k)
{
	const int fd = file_memory(k->bytes);
	const char *copy = arena_printf(cli->mem, "/proc/self/fd/%d", fd);
	char *said = NULL;
	size_t n = 0;
	FILE *err = fd < 0 ? NULL : open_memstream(&said, &n);
	const bool good = err && k->good(copy, err);

	if (err && fclose(err) == 0 && !good)
		complaints_tell(path, copy, said);
	free(said);
	if (fd >= 0)
		close(fd);
	return good ? 0 : err ? EX_DATAERR : cli_fail(path, -ENOMEM);
}

/* The folder is there, it is ours to write, and nobody else is at it. */
static int
place_check(struct cli *cli, const struct kept *k)
{
	const char *folder = dirname(arena_printf(cli->mem, "%s", k->path));
	struct replace at;
	int status;

	if (access(folder, W_OK | X_OK) < 0)
		return backup_fail(folder, arena_printf(cli->mem, "%s; %s",
		    strerror(errno), errno == ENOENT ? "docket setup makes "
		    "it" : "run this as root"), EX_CANTCREAT);
	status = replace_begin(&at, k->path,
	    cli->settings.server_secret_file);
	replace_done(&at);
	return status;
}

int
kept_check(struct cli *cli, const char *from, const struct kept *k)
{
	const char *path = arena_printf(cli->mem, "%s/%s", from, k->name);
	int status, place;

	if (!is_wanted(cli, k))
		return 0;
	status = bytes_check(cli, path, k);
	if (status)
		fprintf(stderr, "docket: the service could not start with it; "
		    "%s\n", k->state == KEY_OTHER ? "without --keys those of "
		    "this host stay" : "put a good one into its place here, "
		    "or let docket setup make one: sessions then end");
	place = place_check(cli, k);
	return status ? status : place;
}

void
kept_tell(const struct cli *cli, const struct kept *k)
{
	static const char *const words[] = {
		[KEY_LACKS] = "the backup's",
		[KEY_SAME] = "the same already",
		[KEY_OTHER] = ("stays; the backup has another one, without "
		    "which its sessions end: --keys takes it"),
		[KEY_NOT_KEPT] = "not in the backup",
	};

	printf("%s: %s\n", k->path, is_wanted(cli, k) ? words[KEY_LACKS] :
	    words[k->state]);
}

/* ---- writing ---- */

/* What was looked at, and not what may lie in the backup by now. */
int
kept_write(struct cli *cli, const struct kept *k)
{
	struct replace to;
	int status;

	if (!is_wanted(cli, k))
		return 0;
	status = replace_begin(&to, k->path,
	    cli->settings.server_secret_file);
	if (status == 0)
		status = replace_write(&to, k->bytes);
	if (status == 0)
		status = replace_commit(&to);
	replace_done(&to);
	return status;
}
