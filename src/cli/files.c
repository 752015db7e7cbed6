/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads small files whole, and replaces them whole. */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL ((off_t)16 << 20)

static int
read_all(int fd, char *bytes, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t more = read(fd, bytes + got, n - got);

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			return more < 0 ? -errno : -EIO;
		got += (size_t)more;
	}
	return 0;
}

int
file_get(struct arena *mem, const char *path, struct text *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *bytes;
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SMALL) {
		close(fd);
		return -EFBIG;
	}
	bytes = arena_alloc(mem, (size_t)st.st_size + 1);
	error = read_all(fd, bytes, (size_t)st.st_size);
	close(fd);
	if (error == 0)
		*ret = (struct text){ bytes, (size_t)st.st_size };
	return error;
}

bool
file_write(int fd, struct text bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.s, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes.s += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

int
file_memory(struct text bytes)
{
	const int fd = memfd_create("docket", MFD_CLOEXEC);
	int error;

	if (fd >= 0 && fchmod(fd, 0600) == 0 && file_write(fd, bytes) &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

static bool
give(int fd, const struct file_mode *mode)
{
	return (geteuid() != 0 || fchown(fd, mode->uid, mode->gid) == 0) &&
	    fchmod(fd, mode->mode) == 0;
}

int
file_put(struct arena *mem, const char *path, struct text bytes,
    const struct file_mode *mode)
{
	const char *fresh = arena_printf(mem, "%s.new", path);
	int fd, error = 0;
	bool good;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return -errno;
	good = give(fd, mode) && file_write(fd, bytes) && fsync(fd) == 0;
	error = good ? 0 : -errno;
	close(fd);
	if (good && rename(fresh, path) < 0)
		error = -errno;
	if (error)
		unlink(fresh);
	return error ? error : file_sync(dirname(arena_printf(mem, "%s",
	    path)));
}

/* A folder that was made here: it is given away by its descriptor, since
 * whoever has the one above may have put a link into its place. */
static int
folder_give(int fd, const struct file_mode *mode)
{
	return fd < 0 || !give(fd, mode) ? -errno : 0;
}

/* The folder `name` below `at`; *ret: to go on below it. */
static int
folder_step(int at, const char *name, const struct file_mode *mode, int *ret)
{
	const bool made = mkdirat(at, name, 0700) == 0;
	int error = made || errno == EEXIST ? 0 : -errno;

	*ret = -1;
	if (error)
		return error;
	*ret = openat(at, name, O_DIRECTORY | O_CLOEXEC | (made ?
	    O_RDONLY | O_NOFOLLOW : O_PATH));
	if (made)
		return folder_give(*ret, mode);
	return *ret < 0 ? -errno : 0;
}

int
file_folder(struct arena *mem, const char *path, const struct file_mode *mode)
{
	const struct file_mode above = { 0755, geteuid(), getegid() };
	char *rest = arena_printf(mem, "%s", path), *name;
	int at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY |
	    O_CLOEXEC), below, error = at < 0 ? -errno : 0;

	while (error == 0 && (name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		error = folder_step(at, name, rest && *rest ? &above : mode,
		    &below);
		close(at);
		at = below;
	}
	if (at >= 0)
		close(at);
	return error;
}

int
file_sync(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return error;
}
