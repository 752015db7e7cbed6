/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The courier's loop: lease messages, deliver them, wait for more. */
#ifndef DOCKET_COURIER_CLAIM_H
#define DOCKET_COURIER_CLAIM_H

#include <stdbool.h>

#include "base/crypto.h"
#include "base/settings.h"
#include "courier/way.h"

struct lane {
	const struct way_kind *kind;
	struct way *way;
};

struct courier {
	struct lane sms, email;
	const struct settings *settings;
	const struct secret *seal;	/* what messages are sealed under */
	bool once;			/* until the outbox is empty */
};

/*
 * Until SIGTERM or SIGINT, which the caller has blocked: they are looked for
 * between two messages and while waiting, so the message in hand is finished.
 * Returns a sysexits code. Without `once` a database that is away is waited
 * for; with it, that is EX_TEMPFAIL.
 */
int courier_run(const struct courier *courier);

#endif
