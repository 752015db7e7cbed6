/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads small files whole, and replaces them whole. */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
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

static bool
write_all(int fd, struct text bytes)
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
	good = give(fd, mode) && write_all(fd, bytes) && fsync(fd) == 0;
	error = good ? 0 : -errno;
	close(fd);
	if (good && rename(fresh, path) < 0)
		error = -errno;
	if (error)
		unlink(fresh);
	return error;
}

int
file_folder(const char *path, const struct file_mode *mode)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	for (char *slash = part; slash; ) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(part, slash ? 0755 : mode->mode) == 0) {
			if (!slash && (chmod(part, mode->mode) < 0 ||
			    (geteuid() == 0 &&
			    chown(part, mode->uid, mode->gid) < 0)))
				return -errno;
		} else if (errno != EEXIST) {
			return -errno;
		}
		if (slash)
			*slash = '/';
	}
	return 0;
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
