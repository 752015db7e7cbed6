/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* nginx's listing of the routes, beside the settings file. */
#ifndef DOCKET_CLI_LISTING_H
#define DOCKET_CLI_LISTING_H

#include "cli/cli.h"

enum listing_state { LISTING_SAME, LISTING_OLD, LISTING_NONE, LISTING_FAULT };

/* Where it is: nginx-routes.conf in the folder of the settings file. */
const char *listing_path(const struct cli *cli);
/* Against what docketd --nginx prints for these settings. FAULT: docketd does
 * not; *ret_why is then what it said. */
enum listing_state listing_look(const struct cli *cli, const char **ret_why);

#endif
