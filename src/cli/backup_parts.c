/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What making a backup and bringing it back share. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/backup.h"

int
backup_fail(const char *path, const char *why, int status)
{
	fprintf(stderr, "docket: %s: %s\n", path, why);
	return status;
}

char *
backup_path(struct arena *mem, const char *path)
{
	char here[PATH_MAX] = "/", *whole;
	size_t n;

	if (path[0] != '/' && !getcwd(here, sizeof(here)))
		here[0] = '\0';
	whole = arena_printf(mem, "%s%s%s", path[0] == '/' ? "" : here,
	    path[0] == '/' ? "" : "/", path);
	n = strlen(whole);
	while (n > 1 && whole[n - 1] == '/')
		whole[--n] = '\0';
	return whole;
}

/* Mapped: a dump may be larger than memory. */
static int
sum_of(int fd, uint8_t hash[CRYPTO_HASH])
{
	struct stat st;
	size_t n;
	void *bytes;
	int error;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	n = (size_t)st.st_size;
	if (n == 0)
		return crypto_sha256("", 0, hash);
	bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	error = crypto_sha256(bytes, n, hash);
	munmap(bytes, n);
	return error;
}

int
backup_sum(const char *path, char hex[65])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    O_NOFOLLOW);
	uint8_t hash[CRYPTO_HASH] = { 0 };
	int error;

	if (fd < 0)
		return -errno;
	error = sum_of(fd, hash);
	close(fd);
	if (error == 0)
		hex_write(hex, hash, sizeof(hash));
	return error;
}

/* What libpq says of a string that it cannot read may quote the password. */
bool
backup_dsn(const struct settings *settings)
{
	const int tells = db_dsn_tells(settings->database_owner_dsn);

	if (tells < 0)
		fputs("docket: database.owner_dsn: libpq cannot read it: it is "
		    "host=... dbname=docket, or postgresql://...\n", stderr);
	else if (tells)
		fputs("docket: database.owner_dsn: has a password in it, "
		    "which would be seen in the list of processes; put it "
		    "into a file, and passfile=FILE here\n", stderr);
	return tells == 0;
}

struct db *
backup_database(const struct cli *cli, const struct stmts *set,
    int *ret_status)
{
	const struct stmts *const sets[] = { set };

	return cli_connect(&cli->settings, cli->settings.database_owner_dsn,
	    sets, 1, ret_status);
}
