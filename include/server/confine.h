/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a worker is not allowed: to outlive, to dump core, to grow, to push. */
#ifndef DOCKET_SERVER_CONFINE_H
#define DOCKET_SERVER_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/settings.h"

/* False when the supervisor has already gone. */
bool confine_worker(pid_t parent, const struct settings *settings);
/* Let the others have the cores first; what is left is still enough. */
void confine_stand_back(void);

#endif
