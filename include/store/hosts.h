/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A connection string's list of hosts, begun at another one. */
#ifndef DOCKET_STORE_HOSTS_H
#define DOCKET_STORE_HOSTS_H

#include <stdbool.h>

/* As in the string: comma lists, or NULL. */
struct hosts {
	const char *host, *hostaddr, *port;
};

/* How many hosts they name; 1 when none is named. */
unsigned hosts_count(const struct hosts *h);

/* The same lists, each begun at its item `from` (modulo their number); a port
 * that stands for all hosts stays. `text` is what they live in, the caller's
 * to free. false: no memory. */
bool hosts_from(const struct hosts *h, unsigned from, struct hosts *ret,
    char **ret_text);

#endif
