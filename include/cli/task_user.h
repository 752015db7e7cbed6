/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whose tasks `docket import` and `docket export` are about. */
#ifndef DOCKET_CLI_TASK_USER_H
#define DOCKET_CLI_TASK_USER_H

#include "cli/cli.h"
#include "web/task_file.h"

/* The account that --user names; 0, or an exit status and said why. */
int task_user_find(const struct cli *cli, struct uuid *ret);
/* The format's name, or the end of the file's; TASKS__MAX and said why. */
enum task_format task_user_format(const char *format, const char *file);

#endif
