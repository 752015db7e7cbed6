/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whose tasks `docket import` and `docket export` are about, in which form. */
#include "cli/task_user.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "core/names.h"
#include "store/console.h"

int
task_user_find(const struct cli *cli, struct uuid *ret)
{
	const char *name = cli_value(cli, OPT_user);
	struct text key;
	struct user user;
	int r = name_key(cli->mem, text_of(name), &key) ? E_USER :
	    store_console_user(cli->db, cli->mem, key, &user);

	if (r == E_USER) {
		fprintf(stderr, "docket: there is no user %s\n", name);
		return EX_NOUSER;
	}
	if (r)
		return cli_fail("user", r);
	*ret = user.id;
	return 0;
}

enum task_format
task_user_format(const char *format, const char *file)
{
	const char *dot = file ? strrchr(file, '.') : NULL;
	enum task_format ret = task_format_of(text_of(format ? format :
	    dot ? dot + 1 : ""));

	if (ret == TASKS__MAX)
		fputs("docket: --format must be json, ndjson, csv or ics\n",
		    stderr);
	return ret;
}
