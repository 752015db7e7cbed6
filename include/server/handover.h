/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A kept connection goes from a worker that leaves, or has more than its
 * share, to one that takes it. */
#ifndef DOCKET_SERVER_HANDOVER_H
#define DOCKET_SERVER_HANDOVER_H

#include <stdbool.h>

/*
 * One a group, made by the supervisor, which keeps both ends open: what is on
 * its way outlives the giver and waits for the next taker. Closing a kept
 * connection instead would race with nginx writing a request into it, and
 * nginx repeats no POST.
 */
struct handover {
	int give, take;
};

/* One for each group. 0 or -errno. */
int handovers_open(struct handover *v, int n);
void handovers_close(struct handover *v, int n);

/* True: it is on its way and ours may be closed. False: try again later. */
bool handover_give(const struct handover *h, int fd);
/* Nothing that was given waits to be taken. */
bool handover_is_empty(const struct handover *h);
/* A connection, close-on-exec; -1: none waits. */
int handover_take(const struct handover *h);

#endif
