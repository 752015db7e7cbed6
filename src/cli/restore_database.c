/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Puts a dump into the database: all of it in one transaction, or nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/backup.h"
#include "cli/bar.h"

struct script {
	int fd;
	off_t size;		/* 0: it is being made */
};

/* The program has the same descriptor, and so the same place in it. */
static void
script_show(void *arg)
{
	const struct script *script = arg;
	const off_t at = lseek(script->fd, 0, SEEK_CUR);

	if (script->size)
		bar_show(at, script->size, "into the database");
	else
		bar_show(0, 0, "unpacked: %jd MB", (intmax_t)(at >> 20));
}

/* psql obeys lines that begin with a backslash, and root runs it: without a
 * word that nobody knew before, a dump could say them. */
static const char *
restrict_word(struct arena *mem)
{
	uint8_t bytes[20];
	char hex[2 * sizeof(bytes) + 1];

	if (crypto_random(bytes, sizeof(bytes)))
		return NULL;
	hex_write(hex, bytes, sizeof(bytes));
	return arena_printf(mem, "--restrict-key=%s", hex);
}

static int
script_failed(const struct tool_end *end)
{
	const bool old = memmem(end->err.s, end->err.n, "restrict-key", 12);

	fprintf(stderr, "docket: pg_restore: %.*s\ndocket: nothing was "
	    "changed%s\n", TEXT_FMT(end->err), old ? "; apt upgrade "
	    "postgresql-client: a dump could make one before 15.14 run "
	    "programs" : "");
	return old ? EX_UNAVAILABLE : EX_DATAERR;
}

/* Into a file that has no name: a dump that cannot be read to its end must
 * have changed nothing. */
static int
script_make(struct arena *mem, const char *dump, struct script *script)
{
	const char *const argv[] = {
		"pg_restore", "--no-owner", restrict_word(mem), "--file=-",
		dump, NULL,
	};
	const struct tool tool = {
		.argv = argv, .out = script->fd, .tick = script_show,
		.arg = script,
	};
	struct tool_end end;
	int code;

	if (!argv[2])
		return cli_fail("random bytes", -EIO);
	code = tool_run(mem, &tool, &end);
	bar_clear();
	script->size = lseek(script->fd, 0, SEEK_CUR);
	if (code == 0 && lseek(script->fd, 0, SEEK_SET) == 0)
		return 0;
	return script_failed(&end);
}

/* One transaction: what was there goes in the moment in which the other
 * comes. */
static int
script_run(struct cli *cli, struct script *script)
{
	const char *const argv[] = {
		"psql", "-X", "-q", "-w", "-1", "-v", "ON_ERROR_STOP=1",
		"-o", "/dev/null", "-d", cli->settings.database_owner_dsn,
		"-c", "SET lock_timeout = '10s'",
		"-c", "DROP SCHEMA IF EXISTS docket CASCADE",
		"-f", "-", "-c", "ANALYZE", NULL,
	};
	const struct tool tool = {
		.argv = argv, .in = script->fd, .tick = script_show,
		.arg = script,
	};
	struct tool_end end;
	const int code = tool_run(cli->mem, &tool, &end);

	bar_clear();
	if (code == 0)
		return 0;
	/* Its connection may have ended behind its COMMIT. */
	fprintf(stderr, "docket: psql: %.*s\ndocket: %s\n",
	    TEXT_FMT(end.err), code == 1 || code == 3 ?
	    "nothing was changed" : "all of the database was changed, or "
	    "nothing; run this again");
	return EX_UNAVAILABLE;
}

/* All of it in SQL, not packed: there may be more room elsewhere. */
int
restore_database(struct cli *cli, const char *dump)
{
	const char *tmp = getenv("TMPDIR");
	struct script script = { .size = 0 };
	int status;

	tmp = tmp && *tmp == '/' ? tmp : "/var/tmp";
	script.fd = open(tmp, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (script.fd < 0)
		return backup_fail(tmp, arena_printf(cli->mem, "%s; TMPDIR "
		    "names another folder", strerror(errno)), EX_CANTCREAT);
	status = script_make(cli->mem, dump, &script);
	if (status == 0)
		status = script_run(cli, &script);
	close(script.fd);
	return status;
}
