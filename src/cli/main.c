/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket: the administrator's command; its table is tbl/commands.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/version.h"
#include "cli/cli.h"

static int
start(struct cli *cli, int argc, char **argv)
{
	const int status = cli_parse(cli, argc, argv);

	if (status)
		return status;
	if (cli_has(cli, OPT_version)) {
		printf("docket %s\n", docket_version);
		return EX_OK;
	}
	if (cli_has(cli, OPT_commands)) {
		cli_commands_print();
		return EX_OK;
	}
	if (cli_has(cli, OPT_help)) {
		cli_help(cli);
		return EX_OK;
	}
	return cli_run(cli);
}

/* Else a socket would get the number of one that is closed, and what is meant
 * for the terminal. Opened the wrong way round: who uses it is told. */
static bool
keep_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* cppcheck-suppress leakReturnValNotUsed ; it is to stay */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY :
		    O_RDONLY) != fd)
			return false;
	}
	return true;
}

/* What did not arrive, such as into a full disk, was not said. */
static int
flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (status == EX_OK) {
		fprintf(stderr, "docket: standard output: %s\n",
		    strerror(errno));
		status = EX_IOERR;
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct cli cli = { .mem = arena_new(65536) };
	int status = EX_OSERR;

	if (!keep_standard_files())
		return status;
	log_init("docket", LOG_WARN);
	if (cli.mem && crypto_init() == 0)
		status = start(&cli, argc, argv);
	else
		fputs("docket: cannot start: out of memory\n", stderr);
	arena_free(cli.mem);
	crypto_done();
	return flush(status);
}
