/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user unlock: forget the wrong passwords that locked an account. */
#include <stdio.h>

#include "cli/cli.h"
#include "core/names.h"
#include "store/unlock.h"

int
cli_user_unlock(struct cli *cli)
{
	const char *name = cli->words[0];
	struct text key;
	int error;

	if (name_key(cli->mem, text_of(name), &key))
		return cli_bad("the name", "has no canonical form");
	error = store_unlock_name(cli->db, cli->mem, key);
	if (error)
		return cli_fail(name, error);
	printf("%s unlocked\n", name);
	return 0;
}
