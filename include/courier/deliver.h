/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One leased message: may it still go, and what became of it. */
#ifndef DOCKET_COURIER_DELIVER_H
#define DOCKET_COURIER_DELIVER_H

#include "courier/claim.h"
#include "store/outbox.h"

struct delivery {
	const struct courier *courier;
	const struct lane *lane;
	struct way *way;
	const struct message *message;
	int64_t asked_ms;	/* clock_mono_ms before it was leased: its
				 * times count from there, which errs to the
				 * safe side */
	int64_t lease_ms;
};

/* How long one message may be in a sender's hand. */
int64_t deliver_lease_ms(const struct settings *settings);
/* Logs what happened. Nothing is sent after the code has expired or the lease
 * has run out. */
void deliver(const struct delivery *d, struct arena *mem, struct ending *ret);

#endif
