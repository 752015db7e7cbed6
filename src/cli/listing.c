/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Compares nginx's listing of the routes with what it should be. */
#include "cli/listing.h"

#include <libgen.h>

#include "cli/files.h"
#include "cli/service.h"
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
	const struct tool tool = {
		.argv = service_words(cli, "docketd", "--nginx"),
		.seconds = 60,
	};
	struct tool_end end;
	struct text is;

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
