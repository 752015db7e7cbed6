/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions: the liveness check, the refresh counter, the end. */
#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/sessions.h"
#include "store/sets.h"
#include "store/who.h"

static const struct field refreshed_fields[] = {
	{ .name = "user_id", .type = FIELD_UUID,
	  .offset = offsetof(struct refreshed, user_id) },
	{ .name = "role", .type = FIELD_TEXT,
	  .offset = offsetof(struct refreshed, role) },
	{ .name = "counter", .type = FIELD_INT,
	  .offset = offsetof(struct refreshed, counter) },
	{ .name = "stolen", .type = FIELD_BOOL,
	  .offset = offsetof(struct refreshed, stolen) },
};

static const struct fields refreshed_row =
    FIELDS(NULL, refreshed_fields, struct refreshed);

enum { SESSION_CHECK, SESSION_REFRESH, SESSION_END };

static const struct stmt statements[] = {
	[SESSION_CHECK] = {
		"session_check",
		SQL_WHO " SELECT who.who_state FROM who",
		NULL, true, false
	},
	/*
	 * The row lock makes parallel refreshes take turns, and each sees the
	 * counter that the one before it left: the first advances it, the
	 * others find theirs to be the last one replaced.
	 */
	[SESSION_REFRESH] = {
		"session_refresh",
		"WITH s AS MATERIALIZED ("
		" SELECT s.id, s.user_id, s.refresh_counter AS n, u.role"
		" FROM docket.sessions s"
		" JOIN docket.users u ON u.id = s.user_id AND u.active"
		" WHERE s.id = $1::uuid AND " SQL_SESSION_LIVE
		" FOR NO KEY UPDATE OF s),"
		" advanced AS ("
		" UPDATE docket.sessions t SET"
		" refresh_counter = t.refresh_counter + 1, used_at = now(),"
		" idle_until = least(t.absolute_until,"
		" now() + make_interval(secs => $3::bigint)),"
		" ip = $4::text, agent = $5::text"
		" FROM s WHERE t.id = s.id AND s.n = $2::bigint"
		" RETURNING t.id),"
		" stolen AS ("
		" UPDATE docket.sessions t SET ended_at = now(),"
		" ended_why = 'refresh_reuse'"
		" FROM s WHERE t.id = s.id AND $2 < s.n - 1"
		" RETURNING t.id, t.user_id),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT " SQL_EVENT(refresh_reuse) ", user_id, id, $4,"
		" $6::text FROM stolen)"
		" SELECT s.user_id, s.role,"
		" CASE WHEN $2 = s.n THEN s.n + 1 ELSE s.n END AS counter,"
		" $2 < s.n - 1 AS stolen FROM s WHERE $2 <= s.n",
		&refreshed_row, false, true
	},
	[SESSION_END] = {
		"session_end",
		SQL_WHO ","
		" ended AS ("
		" UPDATE docket.sessions t SET ended_at = now(),"
		" ended_why = CASE WHEN $4::bool THEN 'logout_all'"
		" ELSE 'logout' END"
		" FROM who WHERE who.who_state = 0 AND t.user_id = $1"
		" AND ($4 OR t.id = $2) AND t.ended_at IS NULL),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT CASE WHEN $4 THEN " SQL_EVENT(logout_all)
		" ELSE " SQL_EVENT(logout) " END,"
		" $1, $2, $5::text, $6::text FROM who WHERE who_state = 0)"
		" SELECT who.who_state FROM who",
		NULL, true, true
	},
};

const struct stmts session_statements = STMTS(statements);

int
store_session_check(struct db *db, struct arena *mem,
    const struct principal *who)
{
	struct db_params p = { 0 };
	struct db_result r;

	who_params(&p, who);
	return who_run(db, mem, who, &statements[SESSION_CHECK], &p, &r);
}

int
store_session_refresh(struct db *db, struct arena *mem,
    const struct uuid *session_id, int64_t counter, int64_t idle_seconds,
    const struct client *client, struct refreshed *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, session_id);
	db_int(&p, counter);
	db_int(&p, idle_seconds);
	db_text(&p, client->ip);
	db_text(&p, client->agent);
	db_text(&p, client->request_id);
	error = db_run(db, mem, &statements[SESSION_REFRESH], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_REFRESH;
	*ret = *(const struct refreshed *)r.v;
	return ret->stolen ? E_REFRESH : 0;
}

int
store_session_end(struct db *db, struct arena *mem,
    const struct principal *who, bool all, const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;

	who_params(&p, who);
	db_bool(&p, all);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return who_run(db, mem, who, &statements[SESSION_END], &p, &r);
}
