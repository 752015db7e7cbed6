/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The liveness check that rides in every statement for a principal. */
#ifndef DOCKET_STORE_WHO_H
#define DOCKET_STORE_WHO_H

#include "base/principal.h"
#include "store/db.h"

/* Of a docket.sessions that is called s. */
#define SQL_SESSION_LIVE \
	"s.ended_at IS NULL AND s.idle_until > now()" \
	" AND s.absolute_until > now()"

/*
 * $1 user id, $2 session id, $3 does the route need an admin.
 * Always one row: who_state 0 = live, 1 = user gone, 2 = deactivated,
 * 3 = session ended or not that user's, 4 = not an admin. Work joins it with
 * `WHERE who.who_state = 0`, so a revoked token changes nothing, and the reply
 * row is there even when there is nothing to list. The session is found by its
 * own key: by its user's, somebody with a thousand sessions would wait for it.
 */
#define SQL_WHO \
	"WITH who AS MATERIALIZED (" \
	" SELECT CASE WHEN u.id IS NULL THEN 1" \
	" WHEN NOT u.active THEN 2" \
	" WHEN s.id IS NULL OR s.user_id <> $1 THEN 3" \
	" WHEN $3 AND u.role <> 'admin' THEN 4" \
	" ELSE 0 END::int AS who_state, $1::uuid AS user_id" \
	" FROM (SELECT 1) one" \
	" LEFT JOIN docket.users u ON u.id = $1" \
	" LEFT JOIN docket.sessions s ON s.id = $2" \
	" AND " SQL_SESSION_LIVE ")"

/*
 * The same $1..$3 in the least time: the user's id when the session is live
 * and nobody asks for an admin, else NULL. A deactivated account has no live
 * session (the trigger users_deactivated), a deleted one none at all. Why
 * there are no rows then, who_run asks. How it is written is what it costs:
 * IS TRUE leaves the planner one index to choose, the CASE spares a node of
 * the plan, and CURRENT_TIMESTAMP is now() without a function's set-up.
 */
#define SQL_LIVE_USER \
	"(SELECT s.user_id FROM docket.sessions s" \
	" WHERE s.id = $2::uuid AND (s.user_id = $1::uuid) IS TRUE" \
	" AND CASE WHEN $3::bool THEN false ELSE s.ended_at IS NULL END" \
	" AND s.idle_until > CURRENT_TIMESTAMP" \
	" AND s.absolute_until > CURRENT_TIMESTAMP)"

/* Push $1, $2, $3. */
void who_params(struct db_params *p, const struct principal *who);
/* who_state -> 0, E_USER_DELETED, E_USER_INACTIVE, E_TOKEN_REVOKED, E_ROLE. */
int who_error(int32_t who_state);
/* db_run for either kind, the check's answer among its errors; 0 with no rows
 * means that a live principal has none. */
int who_run(struct db *db, struct arena *mem, const struct principal *who,
    const struct stmt *stmt, const struct db_params *p, struct db_result *ret);

#endif
