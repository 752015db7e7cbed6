/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions as other programs ask for them: end one, look at one. */
#ifndef DOCKET_STORE_REVOKE_H
#define DOCKET_STORE_REVOKE_H

#include "base/principal.h"
#include "store/db.h"

/*
 * One statement: whoever holds a token of a session may end it (RFC 7009).
 * user_id: whom it must belong to, or nil. One that is over, and one that there
 * is not, is no error. The audit row is token_revoke.
 */
int store_session_revoke(struct db *db, struct arena *mem,
    const struct uuid *session_id, const struct uuid *user_id,
    const struct client *client);

/* A live session of an active user, as it stands now. */
struct session_facts {
	struct uuid user_id;
	struct text username, role;
	int64_t counter;	/* of the newest refresh token */
	int64_t used_at;	/* µs: when that was made */
	int64_t ends_at;	/* µs: idle or absolute, whichever is first */
};

/* One statement. 0 and *ret_live false: none such, also for a nil id, which
 * only asks whether the caller may know; or who's error. An application, which
 * is nobody (nil user_id), may know. */
int store_session_facts(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *session_id,
    bool *ret_live, struct session_facts *ret);

#endif
