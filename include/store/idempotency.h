/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Idempotency-Key: claim it, store the reply beside the effect, replay. */
#ifndef DOCKET_STORE_IDEMPOTENCY_H
#define DOCKET_STORE_IDEMPOTENCY_H

#include "base/principal.h"
#include "store/db.h"

struct idem_key {
	struct text key;	/* 1..255 visible characters */
	struct text operation;	/* method and path */
	struct text fingerprint;	/* 32 bytes: SHA-256 of the input */
};

struct idem_reply {
	bool replay;		/* the rest is filled */
	int64_t status;
	struct text headers;	/* "Name: value\n" lines to send again */
	struct text body;
};

/*
 * Begin a transaction and claim the key for the caller. 0: go on (or replay,
 * then the transaction is over already). E_IN_FLIGHT while another request
 * holds it, E_IDEMPOTENCY when it was used for another request, or who's
 * error; all of these have rolled back.
 */
int store_idem_begin(struct db *db, struct arena *mem,
    const struct principal *who, const struct idem_key *key,
    struct idem_reply *ret);
/* Store the reply and commit, both or none. */
int store_idem_commit(struct db *db, struct arena *mem,
    const struct principal *who, const struct idem_key *key,
    const struct idem_reply *reply);

#endif
