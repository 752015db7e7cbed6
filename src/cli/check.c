/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket check: what would keep the programs from starting, all at once. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/listing.h"
#include "cli/service.h"
#include "cli/tool.h"

/* Where a program finds what it is handed over. */
#define HANDED "/dev/stdin"

struct look {
	const char *program, *user;
	int handed;		/* a copy of the secret; -1: none is needed */
};

/* What is said of the copy is meant for the file. */
static struct text
of_the_file(struct cli *cli, struct text said)
{
	const char *hit = strstr(said.s, HANDED);

	if (!hit)
		return said;
	return text_of(arena_printf(cli->mem, "%.*s%s%s", (int)(hit - said.s),
	    said.s, cli->settings.server_secret_file, hit + strlen(HANDED)));
}

/* The program's own look, with our settings, as the account that it will be. */
static int
program_check(struct cli *cli, const struct look *look)
{
	struct tool tool = {
		.argv = service_words(cli, look->program, "--check"),
		.user = look->user, .seconds = 120,
	};
	struct tool_end end;

	if (look->handed >= 0)
		tool.in = look->handed;
	if (tool_run(cli->mem, &tool, &end) == 0)
		return 0;
	if (end.err.n == 0)
		end.err = TEXT("--check failed");
	else if (look->handed >= 0)
		end.err = of_the_file(cli, end.err);
	fprintf(stderr, "docket: %s: %.*s\n", look->program,
	    TEXT_FMT(end.err));
	return 1;
}

static int
docketd_check(struct cli *cli)
{
	const struct look look = {
		.program = "docketd", .handed = -1,
		.user = service_user(cli->mem, &cli->settings),
	};

	return program_check(cli, &look);
}

/* ---- the courier ---- */

/* Readable for this account alone, as systemd makes a credential; -1: there is
 * none. */
static int
secret_copy(struct cli *cli, const char *user)
{
	const struct passwd *who = getpwnam(user);
	struct text bytes;
	int fd;

	if (!who || file_get(cli->mem, cli->settings.server_secret_file,
	    &bytes) != 0)
		return -1;
	fd = file_memory(bytes);
	explicit_bzero((char *)(uintptr_t)bytes.s, bytes.n);
	if (fd < 0 || fchown(fd, who->pw_uid, who->pw_gid) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The same settings, but for where the secret is. */
static struct cli
with_copy(const struct cli *cli)
{
	const size_t n = cli->source.n_sets;
	const char **sets = (const char **)arena_array(cli->mem, n + 1,
	    sizeof(*sets));
	struct cli ret = *cli;

	for (size_t i = 0; i < n; i++)
		sets[i] = cli->source.sets[i];
	sets[n] = "server.secret_file=" HANDED;
	ret.source.sets = sets;
	ret.source.n_sets = n + 1;
	return ret;
}

/* An account of its own may not read the secret: its unit hands that over. */
static int
courier_check(struct cli *cli)
{
	struct look look = {
		.program = "docket-courier", .handed = -1,
		.user = service_courier(cli->mem, &cli->settings),
	};
	struct cli as = *cli;
	int faults;

	if (geteuid() == 0 && strcmp(look.user, service_user(cli->mem,
	    &cli->settings)) != 0)
		look.handed = secret_copy(cli, look.user);
	if (look.handed >= 0)
		as = with_copy(cli);
	faults = program_check(&as, &look);
	if (look.handed >= 0)
		close(look.handed);
	return faults;
}

/* ---- all of it ---- */

/* A host without nginx has no listing, and misses nothing. */
static int
listing_check(struct cli *cli)
{
	const char *path = listing_path(cli), *why = "";

	switch (listing_look(cli, &why)) {
	case LISTING_OLD:
		fprintf(stderr, "docket: %s: is not what the settings make; "
		    "docketd --nginx prints it anew\n", path);
		return 1;
	case LISTING_FAULT:
		fprintf(stderr, "docket: docketd --nginx: %s\n", why);
		return 1;
	default:
		return 0;
	}
}

int
cli_check(struct cli *cli)
{
	int faults = cli_settings(cli);

	if (faults)
		return faults;
	faults = docketd_check(cli);
	if (tool_find(cli->mem, "docket-courier"))
		faults += courier_check(cli);
	faults += listing_check(cli);
	settings_done(&cli->settings);
	if (faults)
		return EX_CONFIG;
	puts("Settings, keys, templates and listing are good.");
	return EX_OK;
}
