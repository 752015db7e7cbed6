/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* New settings at SIGHUP. */
#ifndef DOCKET_SERVER_RELOAD_H
#define DOCKET_SERVER_RELOAD_H

#include "server/crew.h"

/* Load the settings and check the keys: a crew that is not forked yet, or
 * NULL with every fault (file:line) in the log. */
struct crew *reload_crew(const struct server_config *config);

#endif
