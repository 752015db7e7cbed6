/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Compares nginx's listing of the routes with what it should be. */
#include "cli/listing.h"

#include <libgen.h>

#include "cli/files.h"
#include "cli/tool.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

const char *
listing_path(const struct cli *cli)
{
	char *copy = arena_printf(cli->mem, "%s", cli->source.file ?
	    cli->source.file : DOCKET_CONF);

	return arena_printf(cli->mem, "%s/nginx-routes.conf", dirname(copy));
}

enum listing_state
listing_look(const struct cli *cli, const char **ret_why)
{
	const size_t n = cli->source.n_sets;
	const char **argv = arena_array(cli->mem, 2 * n + 5, sizeof(*argv));
	struct tool tool = { .argv = argv, .seconds = 60 };
	struct tool_end end;
	struct text is;
	size_t words = 0;

	argv[words++] = "docketd";
	if (cli->source.file) {
		argv[words++] = "-c";
		argv[words++] = cli->source.file;
	}
	for (size_t i = 0; i < n; i++) {
		argv[words++] = "--set";
		argv[words++] = cli->source.sets[i];
	}
	argv[words++] = "--nginx";
	if (file_get(cli->mem, listing_path(cli), &is) != 0)
		return LISTING_NONE;
	if (tool_run(cli->mem, &tool, &end) != 0) {
		*ret_why = end.err.s;
		return LISTING_FAULT;
	}
	if (is.n > 0 && is.s[is.n - 1] == '\n')
		is.n--;
	return text_equal(is, end.out) ? LISTING_SAME : LISTING_OLD;
}
