/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket check: what would keep the programs from starting, all at once. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/listing.h"
#include "cli/service.h"
#include "cli/tool.h"

/* The program's own look, with our settings, as the account that it will be. */
static int
program_check(struct cli *cli, const char *program)
{
	const struct tool tool = {
		.argv = service_words(cli, program, "--check"), .seconds = 120,
		.user = service_user(cli->mem, &cli->settings),
	};
	struct tool_end end;

	if (tool_run(cli->mem, &tool, &end) == 0)
		return 0;
	fprintf(stderr, "docket: %s: %.*s\n", program,
	    TEXT_FMT(end.err.n ? end.err : TEXT("--check failed")));
	return 1;
}

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
	int faults;

	if (settings_load(&cli->source, stderr, &cli->settings))
		return EX_CONFIG;
	faults = program_check(cli, "docketd");
	if (tool_find(cli->mem, "docket-courier"))
		faults += program_check(cli, "docket-courier");
	faults += listing_check(cli);
	settings_done(&cli->settings);
	if (faults)
		return EX_CONFIG;
	puts("Settings, keys, templates and listing are good.");
	return EX_OK;
}
