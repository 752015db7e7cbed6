/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replaces a secret file: lock, write beside it, sync, rename, sync. */
#include "cli/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/files.h"

static int
fail(const char *path, const char *why, int status)
{
	fprintf(stderr, "docket: %s: %s\n", path, why);
	return status;
}

/* Of the file itself, or of where it is to be. NULL with errno. */
static char *
resolve(const char *file)
{
	char copy[PATH_MAX], *dir, *path;

	path = realpath(file, NULL);
	if (path || errno != ENOENT)
		return path;
	snprintf(copy, sizeof(copy), "%s", file);
	dir = realpath(dirname(copy), NULL);
	if (!dir)
		return NULL;
	snprintf(copy, sizeof(copy), "%s", file);
	if (asprintf(&path, "%s/%s", dir, basename(copy)) < 0)
		path = NULL;
	free(dir);
	return path;
}

/* Not to wait: a second command would do its work twice. */
static int
lock(struct replace *r)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", r->path);
	r->dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0)
		return fail(r->path, strerror(errno), EX_CANTCREAT);
	if (flock(r->dir, LOCK_EX | LOCK_NB) == 0)
		return 0;
	/* What lies there is the other one's. */
	close(r->dir);
	r->dir = -1;
	return fail(r->path, "another command is at work on it", EX_TEMPFAIL);
}

static int
owner(struct replace *r, const char *like)
{
	struct stat st;

	r->uid = geteuid();
	r->gid = getegid();
	r->exists = stat(r->path, &st) == 0;
	if (!r->exists && errno != ENOENT)
		return fail(r->path, strerror(errno), EX_NOINPUT);
	if (!r->exists && (geteuid() != 0 || stat(like, &st) < 0))
		return 0;
	if (geteuid() != 0 && st.st_uid != geteuid())
		return fail(r->path, "it belongs to somebody else: run this "
		    "as its owner or as root", EX_NOPERM);
	r->uid = st.st_uid;
	r->gid = st.st_gid;
	return 0;
}

int
replace_begin(struct replace *r, const char *file, const char *like)
{
	int status;

	*r = (struct replace){ .path = resolve(file), .dir = -1 };
	if (!r->path)
		return fail(file, strerror(errno), EX_NOINPUT);
	if (asprintf(&r->fresh, "%s.new", r->path) < 0) {
		r->fresh = NULL;
		return fail(file, strerror(ENOMEM), EX_OSERR);
	}
	status = lock(r);
	if (status)
		return status;
	/* Whatever died before its rename left it; nobody else is here. */
	unlink(r->fresh);
	return owner(r, like);
}

int
replace_write(const struct replace *r, struct text bytes)
{
	const int fd = open(r->fresh,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good = fd >= 0;
	int error;

	if (good && (r->uid != geteuid() || r->gid != getegid()))
		good = fchown(fd, r->uid, r->gid) == 0;
	good = good && fchmod(fd, 0600) == 0 && file_write(fd, bytes) &&
	    fsync(fd) == 0;
	error = errno;
	if (fd >= 0)
		close(fd);
	return good ? 0 : fail(r->fresh, strerror(error), EX_CANTCREAT);
}

int
replace_commit(const struct replace *r)
{
	if (rename(r->fresh, r->path) < 0 || fsync(r->dir) < 0)
		return fail(r->path, strerror(errno), EX_CANTCREAT);
	return 0;
}

void
replace_done(struct replace *r)
{
	if (r->dir >= 0) {
		unlink(r->fresh);
		close(r->dir);	/* and so the lock */
	}
	free(r->path);
	free(r->fresh);
}
