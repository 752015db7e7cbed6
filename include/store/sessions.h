/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions: one a login; the refresh counter; the end of it. */
#ifndef DOCKET_STORE_SESSIONS_H
#define DOCKET_STORE_SESSIONS_H

#include "base/principal.h"
#include "store/db.h"

/* The counter of a new session's first refresh token. */
#define SESSION_COUNTER 0

struct new_session {
	struct uuid id;
	int64_t idle_seconds, absolute_seconds;
	struct client client;
};

/* Only the liveness check, for refusals that touch nothing else. 0 or who's. */
int store_session_check(struct db *db, struct arena *mem,
    const struct principal *who);

struct refreshed {
	struct uuid user_id;
	struct text role;
	int64_t counter;	/* of the successor to hand out */
	bool stolen;		/* E_REFRESH, and why */
};

/*
 * One statement. counter = the current one: it advances. counter = the one
 * before (a lost reply, two tabs): the same successor, nothing changes. Older:
 * the session ends (reuse of a stolen token) and an audit row says so.
 * E_REFRESH for that (ret->stolen, and whose it was) and for an unknown, ended
 * or idle session, a deactivated or deleted user.
 */
int store_session_refresh(struct db *db, struct arena *mem,
    const struct uuid *session_id, int64_t counter, int64_t idle_seconds,
    const struct client *client, struct refreshed *ret);

/* End this session, or all of the user's. 0 or who's error. */
int store_session_end(struct db *db, struct arena *mem,
    const struct principal *who, bool all, const struct client *client);

#endif
