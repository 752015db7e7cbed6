/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user: one table of what can be done with accounts. */
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *verb;
	cli_command run;
} verbs[] = {
	{ "add", cli_user_add },
	{ "import", cli_user_import },
	{ "unlock", cli_user_unlock },
	{ "list", cli_account },
	{ "show", cli_account },
	{ "disable", cli_account },
	{ "enable", cli_account },
	{ "delete", cli_account },
};

/* The verb is the first word, its options and arguments follow. */
int
cli_user(struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (argc > 1 && strcmp(argv[1], verbs[i].verb) == 0)
			return verbs[i].run(cli, argc - 1, argv + 1);
	return cli_usage();
}
