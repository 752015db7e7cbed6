/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writes a letter into the spool folder, whole and durable or not at all. */
#include "courier/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "courier/way.h"

#define NAME_MAX_ 80

static int
write_all(int fd, struct text t)
{
	while (t.n > 0) {
		ssize_t n = write(fd, t.s, t.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		t.s += n;
		t.n -= (size_t)n;
	}
	return 0;
}

/* Content first, then the name, each on the disk before the next. */
static int
put_file(int dir, const char *temp, const char *name, struct text content)
{
	int r, fd = openat(dir, temp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	r = write_all(fd, content);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temp, 0);
	else if (fsync(dir) < 0)
		r = -errno;
	return r;
}

static int
open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* cppcheck-suppress resourceLeak ; the caller has it */
	return fd < 0 ? -errno : fd;
}

int
spool_check(const char *dir)
{
	int r = 0, fd = open_dir(dir);

	if (fd < 0)
		return fd;
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		r = -errno;
	close(fd);
	return r;
}

int
spool_write(const char *dir, const struct letter *letter)
{
	char temp[NAME_MAX_], name[NAME_MAX_];
	struct buf json = { 0 };
	int r, fd = open_dir(dir);

	if (fd < 0)
		return fd;
	/* The pid: another courier may be at the same letter after a lease
	 * has run out. A leading dot and another ending keep it out of *.json. */
	snprintf(temp, sizeof(temp), ".%.*s.%ld", TEXT_FMT(letter->id),
	    (long)getpid());
	snprintf(name, sizeof(name), "%" PRId64 "-%.*s.json",
	    letter->created_at / 1000, TEXT_FMT(letter->id));
	letter_json(&json, letter);
	r = json.failed ? -ENOMEM :
	    put_file(fd, temp, name, buf_view(&json));
	buf_wipe(&json);
	close(fd);
	return r;
}

struct way {
	const char *dir;
};

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	const char *dir = settings->courier_spool_dir;
	int r = dir[0] ? spool_check(dir) : -ENOENT;
	struct way *way;

	if (r < 0) {
		fprintf(errors, "courier.spool_dir: \"%s\": %s\n", dir,
		    strerror(-r));
		return r;
	}
	way = malloc(sizeof(*way));
	if (!way)
		return -ENOMEM;
	way->dir = dir;
	*ret = way;
	return 0;
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	int r = spool_write(way->dir, letter);

	(void)mem;
	if (r < 0)
		outcome_set(ret, OUTCOME_LATER, true, "courier.spool_dir %s: "
		    "%s", way->dir, strerror(-r));
	else
		ret->kind = OUTCOME_SENT;
}

static void
way_close(struct way *way)
{
	free(way);
}

const struct way_kind way_spool = {
	"spool", way_open, way_send, way_close
};
