/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket config: the settings in force, and a file to start from. */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"

int
cli_config_show(struct cli *cli)
{
	const struct settings_view view = {
		.names = (const char *const *)cli->words,
		.n_names = (size_t)cli->n_words,
		.changed = cli_has(cli, OPT_changed),
		.origin = cli_has(cli, OPT_origin),
		.json = cli_has(cli, OPT_json),
	};
	int error;

	for (int i = 0; i < cli->n_words; i++)
		if (!settings_know(cli->words[i]))
			return cli_bad(cli->words[i],
			    "is no setting and no section of them");
	error = settings_show(&cli->settings, &view, stdout);
	return error ? cli_fail("config", error) : EX_OK;
}

int
cli_config_sample(struct cli *cli)
{
	(void)cli;
	settings_print_sample(stdout);
	return EX_OK;
}

int
cli_config_list(struct cli *cli)
{
	(void)cli;
	settings_print_rows(stdout);
	return EX_OK;
}
