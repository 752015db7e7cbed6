/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One worker process: the event loop over its connections. */
#ifndef DOCKET_SERVER_WORKER_H
#define DOCKET_SERVER_WORKER_H

#include <sys/types.h>

#include "server/handover.h"
#include "server/scoreboard.h"
#include "web/web.h"

struct worker_config {
	struct web_config web;
	const char *name;	/* "main.3" */
	int group;		/* enum group of web/route.h */
	int listen_fd;
	const struct handover *handover;
	int ready_fd;		/* an eventfd: told once when we can serve */
	pid_t parent;
	struct scoreboard *board;	/* web.member is our cell */
};

/* In the child, right after the fork. Returns a sysexits code: 0 after a
 * drain, EX_CONFIG when the web room said no, EX_OSERR. */
int worker_run(const struct worker_config *config);

#endif
