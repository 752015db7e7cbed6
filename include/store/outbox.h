/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox as the courier sees it: lease, done, later. */
#ifndef DOCKET_STORE_OUTBOX_H
#define DOCKET_STORE_OUTBOX_H

#include "store/db.h"

struct message {
	struct uuid id;		/* stable over retries */
	struct text channel;	/* sms, email */
	struct text address;
	struct text purpose;
	struct text sealed;	/* crypto_seal, aad = the id's 36 characters */
	int64_t tries;		/* this one counted */
	int64_t expires_at;	/* not to be sent after this */
	int64_t created_at;
};

extern const struct stmts outbox_statements;

/* Lease up to n due messages for lease_seconds (FOR UPDATE SKIP LOCKED);
 * expired ones, and those for nobody's account, are dropped in the same
 * statement. struct list of message. */
int store_outbox_lease(struct db *db, struct arena *mem, int64_t n,
    int64_t lease_seconds, struct list *ret);
/* Sent: the row goes, its secret with it. */
int store_outbox_done(struct db *db, struct arena *mem,
    const struct uuid *id);
/* Not sent: try again after so many seconds. */
int store_outbox_later(struct db *db, struct arena *mem,
    const struct uuid *id, int64_t seconds, struct text why);

#endif
