/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The supervisor: sockets, worker groups, signals, systemd. */
#ifndef DOCKET_SERVER_SERVER_H
#define DOCKET_SERVER_SERVER_H

#include <stdio.h>

#include "base/settings.h"
#include "base/text.h"
#include "web/route.h"

struct server_config {
	struct settings_source source;	/* read again at SIGHUP */
	struct routes routes;
	struct text openapi;
	/* Can these settings serve: do the keys load? Faults to err; 0 or
	 * -EINVAL. Called unprivileged, before the fork and at SIGHUP. */
	int (*check)(const struct settings *settings, FILE *err);
};

/* Open or inherit the sockets, drop root, fork the workers, supervise until
 * told to stop. Returns a sysexits code. Takes the settings over. */
int server_run(const struct server_config *config, struct settings *settings);

#endif
