/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The supervisor's loop. */
#ifndef DOCKET_SERVER_SUPERVISOR_H
#define DOCKET_SERVER_SUPERVISOR_H

#include "server/crew.h"

/* Fork the crew (taken over), keep it whole, reload, drain. Returns the
 * sysexits code of the whole program. */
int supervisor_run(const struct server_config *config,
    const struct listener *listeners, struct crew *crew);

#endif
