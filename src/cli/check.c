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
	const size_t n = cli->source.n_sets;
	const char **argv = arena_array(cli->mem, 2 * n + 5, sizeof(*argv));
	const struct tool tool = {
		.argv = argv, .seconds = 120,
		.user = service_user(cli->mem, &cli->settings),
	};
	struct tool_end end;
	size_t words = 0;

	argv[words++] = program;
	if (cli->source.file) {
		argv[words++] = "-c";
		argv[words++] = cli->source.file;
	}
	for (size_t i = 0; i < n; i++) {
		argv[words++] = "--set";
		argv[words++] = cli->source.sets[i];
	}
	argv[words++] = "--check";
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
