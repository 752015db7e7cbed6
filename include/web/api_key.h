/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* X-API-Key: which key it is, looked up or remembered. */
#ifndef DOCKET_WEB_API_KEY_H
#define DOCKET_WEB_API_KEY_H

#include "web/call.h"

/* What a key was found to be, for the address that it came from. */
struct key_claims {
	struct uuid id;
	struct uuid user_id, session_id;	/* nil: an application's */
	unsigned scopes;	/* core/scope.h */
};

/*
 * A worker remembers for a minute at most what a personal key resolved to, by
 * the SHA-256 of key and client address. That opens nothing by itself: a key
 * acts by a session row, which the work's own statement checks, and whatever
 * changes the key takes that row away. So a stale memory is found out by the
 * very next request, and costs it one look-up more.
 */
struct key_memo;

/* About 130 KiB, touched as it fills. NULL: no memory. */
struct key_memo *key_memo_new(void);
void key_memo_free(struct key_memo *memo);

/*
 * The key of the request: from memory when `fresh` is false and it is there,
 * which *ret_known then says, else from the database, where the use is noted.
 * E_API_KEY_MISSING; E_API_KEY for whatever is wrong; or the database's.
 */
int api_key_resolve(struct call *call, bool fresh, struct key_claims *ret,
    bool *ret_known);

#endif
