/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Logging in: the counted try, the session that a right password opens. */
#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"
#include "store/user_sql.h"
#include "store/users.h"

#define FOUND(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct login_found, member_) }

static const struct field found_fields[] = {
	FOUND(FIELD_UUID, id),
	FOUND(FIELD_TEXT, hash),
	FOUND(FIELD_TEXT, status),
	FOUND(FIELD_BYTES, subject),
	FOUND(FIELD_INT, failures),
	FOUND(FIELD_INT, retry_after),
};

static const struct fields found_row =
    FIELDS(NULL, found_fields, struct login_found);

/*
 * $1 the name, $2 and $3 what the tries are counted by: the network and name
 * for nobody's, the network with the id for an account, however it was named.
 * The window is 60 s from its first try. The upsert locks its row and counts
 * on the newest version of it, so parallel tries get distinct numbers; past
 * the limit ($4) it stops, or what is given back later would not be felt.
 */
#define SQL_TRY(is) \
	"WITH u AS MATERIALIZED (" \
	" SELECT u.id, u.password_hash, u.active FROM (SELECT 1) one" \
	" LEFT JOIN docket.users u ON u." is ")," \
	" try AS (" \
	" INSERT INTO docket.attempts AS a (kind, subject, window_start, n)" \
	" SELECT 'login', CASE WHEN u.id IS NULL THEN $2::bytea" \
	" ELSE sha256($3::bytea || uuid_send(u.id)) END, now(), 1 FROM u" \
	" ON CONFLICT (kind, subject) DO UPDATE SET" \
	" n = CASE WHEN a.window_start <= now() - interval '60 s'" \
	" THEN 1 ELSE least(a.n, $4::bigint) + 1 END," \
	" window_start = CASE WHEN a.window_start <= now() - interval '60 s'" \
	" THEN now() ELSE a.window_start END" \
	" RETURNING subject, n, window_start)" \
	" SELECT u.id, u.password_hash AS hash," \
	" CASE WHEN u.active THEN 'Y' WHEN NOT u.active THEN 'N' END" \
	" AS status, try.subject, try.n AS failures," \
	" greatest(1, ceil(extract(epoch FROM" \
	" try.window_start + interval '60 s' - now())))::bigint" \
	" AS retry_after FROM try, u"

enum { LOGIN_DONE = USER_BY_ID + 1, LOGIN_FAILED, LOGIN_BACK };

static const struct stmt statements[] = {
	[USER_BY_NAME] = {
		"login_try_name", SQL_TRY("username_key = $1::text"),
		&found_row, false, true
	},
	[USER_BY_EMAIL] = {
		"login_try_email", SQL_TRY("email_key = $1::text"),
		&found_row, false, true
	},
	[USER_BY_PHONE] = {
		"login_try_phone", SQL_TRY("phone = $1::text"),
		&found_row, false, true
	},
	[USER_BY_ID] = {
		"login_try_id", SQL_TRY("id = $1::text::uuid"),
		&found_row, false, true
	},
	/* who_state as in SQL_WHO, without a session: it is being made. The
	 * lock is against a deactivation at this moment, which ends the
	 * sessions that it sees, and against a new password: whoever waited
	 * for that finds his hash ($10) gone, and does not put it back. */
	[LOGIN_DONE] = {
		"login_done",
		"WITH who AS MATERIALIZED ("
		" SELECT CASE WHEN u.id IS NULL THEN 1"
		" WHEN NOT u.active THEN 2 ELSE 0 END::int AS who_state"
		" FROM (SELECT 1) one"
		" LEFT JOIN docket.users u ON u.id = $1::uuid),"
		" live AS MATERIALIZED ("
		" SELECT u.* FROM docket.users u WHERE u.id = $1 AND u.active"
		" AND u.password_hash IS NOT DISTINCT FROM $10::text"
		" FOR NO KEY UPDATE),"
		" back AS ("
		" UPDATE docket.attempts a SET n = a.n - 1 FROM live"
		" WHERE a.kind = 'login' AND a.subject = $2::bytea"
		" AND a.n > 0),"
		" rehashed AS ("
		" UPDATE docket.users t SET password_hash = $3::text FROM live"
		" WHERE t.id = live.id AND $3::text IS NOT NULL),"
		" opened AS ("
		SQL_SESSION("live", "$4", "$5", "$6", "$7", "$8")
		"), noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT 'login', id, $4, $7, $9::text FROM live)"
		" SELECT who.who_state, x.*"
		" FROM who LEFT JOIN (SELECT " SQL_USER " FROM live u) x"
		" ON true",
		&user_row, true, true
	},
	[LOGIN_FAILED] = {
		"login_failed",
		"INSERT INTO docket.audit (event, user_id, ip, request_id)"
		" VALUES ('login_failed', $1::uuid, $2::text, $3::text)",
		NULL, false, true
	},
	[LOGIN_BACK] = {
		"login_back",
		"UPDATE docket.attempts a SET n = a.n - 1"
		" WHERE a.kind = 'login' AND a.subject = $1::bytea"
		" AND a.n > 0",
		NULL, false, true
	},
};

const struct stmts login_statements = STMTS(statements);

int
store_login_try(struct db *db, struct arena *mem,
    const struct login_try *try_, struct login_found *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, try_->ident);
	db_bytes(&p, try_->subject);
	db_bytes(&p, try_->network);
	db_int(&p, try_->limit);
	error = db_run(db, mem, &statements[try_->by], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct login_found *)r.v;
	return ret->failures > try_->limit ? E_RATE : 0;
}

int
store_login_done(struct db *db, struct arena *mem,
    const struct login_found *found, struct text rehash,
    const struct new_session *session, struct user *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &found->id);
	db_bytes(&p, found->subject);
	db_text(&p, rehash);
	db_uuid(&p, &session->id);
	db_int(&p, session->idle_seconds);
	db_int(&p, session->absolute_seconds);
	db_text(&p, session->client.ip);
	db_text(&p, session->client.agent);
	db_text(&p, session->client.request_id);
	db_text(&p, found->hash);
	error = db_run(db, mem, &statements[LOGIN_DONE], &p, &r);
	if (error || r.who)
		return error ? error : r.who;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct user *)r.v;
	return 0;
}

int
store_login_failed(struct db *db, struct arena *mem,
    const struct uuid *user_id, const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, user_id);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return db_run(db, mem, &statements[LOGIN_FAILED], &p, &r);
}

int
store_login_back(struct db *db, struct arena *mem, struct text subject)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_bytes(&p, subject);
	return db_run(db, mem, &statements[LOGIN_BACK], &p, &r);
}
