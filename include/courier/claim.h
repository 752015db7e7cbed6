/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A sender: lease a message, deliver it, say what became of it, again. */
#ifndef DOCKET_COURIER_CLAIM_H
#define DOCKET_COURIER_CLAIM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/crypto.h"
#include "base/settings.h"
#include "courier/board.h"
#include "courier/templates.h"
#include "courier/way.h"

struct lane {
	const char *channel;	/* sms, email */
	const struct way_kind *kind;
};

struct courier {
	struct lane lanes[BOARD_LANES];
	const struct settings *settings;
	const struct templates *templates;
	const struct secret *seal;	/* what messages are sealed under */
	bool once;			/* until the outbox is empty */
};

/* Where a sender sits. */
struct claim_seat {
	struct board *board;
	int seat;
	pid_t parent;		/* whose end is ours */
};

/*
 * Until SIGTERM or SIGINT, which the caller has blocked, or the parent's end:
 * the message in hand is finished, no other is leased. Returns a sysexits
 * code. Without `once` a database that is away is waited for; with it, that is
 * EX_TEMPFAIL, as is a message that was due and did not go.
 */
int claim_run(const struct courier *courier, const struct claim_seat *seat);

#endif
