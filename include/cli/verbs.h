/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Every handler that a row of tbl/commands.h names, declared by its row. */
#ifndef DOCKET_CLI_VERBS_H
#define DOCKET_CLI_VERBS_H

#include "cli/table.h"

#define COMMAND(verb, arguments, least, most, needs, effect, handler, \
    summary, more) int handler(struct cli *cli);
#include "tbl/commands.h"

#endif
