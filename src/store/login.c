/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Logging in: the counted try, the session that a right password opens. */
#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
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
	FOUND(FIELD_INT, locked),
	FOUND(FIELD_INT, reset),
};

static const struct fields found_row =
    FIELDS(NULL, found_fields, struct login_found);

static const struct field why_fields[] = {
	FOUND(FIELD_INT, retry_account),
	FOUND(FIELD_INT, retry_client),
};

static const struct fields why_row =
    FIELDS(NULL, why_fields, struct login_found);

/* Of a docket.lockouts l: nothing wrong for a whole window ($5). */
#define SQL_AT_PEACE \
	"(coalesce(l.locked_until, l.since)" \
	" <= now() - make_interval(secs => $5::bigint))"

/* What number this try has. */
#define SQL_NTH "CASE WHEN " SQL_AT_PEACE " THEN 1 ELSE l.n + 1 END"

/* Until when the n-th try locks, or NULL: $4 the limit, $6 seconds at first,
 * $7 at most. */
#define SQL_LOCK(n) \
	"CASE WHEN " n " >= $4::bigint THEN now() + make_interval(secs =>" \
	" least($7::bigint, $6::bigint << least(" n " - $4, 16)::int)) END"

/* Of a docket.attempts a: the client's minute is over. */
#define SQL_CLIENT_OVER "a.window_start <= now() - interval '60 s'"

#define SQL_SECONDS(until) \
	"greatest(1, ceil(extract(epoch FROM " until " - now())))::bigint"

/*
 * $1 the name, $2 and $3 what the tries are counted by: the network and name
 * for nobody's, the network with the id for an account, however it was named.
 * $8 and $9: the client and its limit.
 *
 * `refused` spares the writing, by the snapshot; the upserts decide, on the
 * newest version of their rows, which they lock: parallel tries get distinct
 * numbers. The client's row is always locked before the account's.
 */
#define SQL_TRY(is) \
	"WITH u AS MATERIALIZED (" \
	" SELECT u.id, u.password_hash, u.active," \
	" CASE WHEN u.id IS NULL THEN $2::bytea" \
	" ELSE sha256($3::bytea || uuid_send(u.id)) END AS subject" \
	" FROM (SELECT 1) one" \
	" LEFT JOIN docket.users u ON u." is ")," \
	" refused AS MATERIALIZED (" \
	" SELECT FROM docket.lockouts l JOIN u ON l.subject = u.subject" \
	" WHERE l.locked_until > now()" \
	" UNION ALL SELECT FROM docket.attempts a" \
	" WHERE a.kind = 'login_client' AND a.subject = $8::bytea" \
	" AND a.n >= $9::bigint AND $9 > 0 AND NOT " SQL_CLIENT_OVER ")," \
	" client AS (" \
	" INSERT INTO docket.attempts AS a (kind, subject, window_start, n)" \
	" SELECT 'login_client', $8, now(), 1" \
	" WHERE $9 > 0 AND NOT EXISTS (SELECT FROM refused)" \
	" ON CONFLICT (kind, subject) DO UPDATE SET" \
	" n = CASE WHEN " SQL_CLIENT_OVER " THEN 1 ELSE a.n + 1 END," \
	" window_start = CASE WHEN " SQL_CLIENT_OVER \
	" THEN now() ELSE a.window_start END" \
	" WHERE a.n < $9 OR " SQL_CLIENT_OVER " RETURNING n)," \
	" try AS (" \
	" INSERT INTO docket.lockouts AS l" \
	" (subject, user_id, since, n, locked_until)" \
	" SELECT u.subject, u.id, now(), 1, " SQL_LOCK("1") " FROM u" \
	" WHERE NOT EXISTS (SELECT FROM refused)" \
	" AND ($9 = 0 OR EXISTS (SELECT FROM client))" \
	" ON CONFLICT (subject) DO UPDATE SET n = " SQL_NTH "," \
	" since = CASE WHEN " SQL_AT_PEACE " THEN now() ELSE l.since END," \
	" locked_until = " SQL_LOCK("(" SQL_NTH ")") \
	" WHERE l.locked_until IS NULL OR l.locked_until <= now()" \
	" RETURNING n, since, locked_until)" \
	" SELECT u.id, u.password_hash AS hash," \
	" CASE WHEN u.active THEN 'Y' WHEN NOT u.active THEN 'N' END" \
	" AS status, u.subject, coalesce(try.n, 0) AS failures," \
	" CASE WHEN try.locked_until IS NULL THEN 0 ELSE " \
	SQL_SECONDS("try.locked_until") " END AS locked, " \
	SQL_SECONDS("try.since + make_interval(secs => $5)") " AS reset" \
	" FROM u LEFT JOIN try ON true"

enum { LOGIN_DONE = USER_BY_ID + 1, LOGIN_WHY, LOGIN_FAILED,
	LOGIN_BACK };

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
		" WHERE a.kind = 'login_client' AND a.subject = $11::bytea"
		" AND a.n > 0 RETURNING a.n),"
		/* Counting those puts this behind them: see SQL_TRY. */
		" forgiven AS ("
		" DELETE FROM docket.lockouts l"
		" USING live, (SELECT count(*) FROM back) clients"
		" WHERE l.subject = $2::bytea),"
		" rehashed AS ("
		" UPDATE docket.users t SET password_hash = $3::text FROM live"
		" WHERE t.id = live.id AND $3::text IS NOT NULL),"
		" opened AS ("
		SQL_SESSION("live", "$4", "$5", "$6", "$7", "$8")
		"), noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT " SQL_EVENT(login) ", id, $4, $7, $9::text FROM live)"
		" SELECT who.who_state, x.*"
		" FROM who LEFT JOIN (SELECT " SQL_USER " FROM live u) x"
		" ON true",
		&user_row, true, true
	},
	/* $1 the subject, $2 the client, $3 its limit. */
	[LOGIN_WHY] = {
		"login_why",
		"SELECT CASE WHEN l.subject IS NULL THEN 0 ELSE "
		SQL_SECONDS("l.locked_until") " END AS retry_account,"
		" CASE WHEN a.subject IS NULL THEN 0 ELSE "
		SQL_SECONDS("a.window_start + interval '60 s'")
		" END AS retry_client FROM (SELECT 1) one"
		" LEFT JOIN docket.lockouts l ON l.subject = $1::bytea"
		" AND l.locked_until > now()"
		" LEFT JOIN docket.attempts a ON a.kind = 'login_client'"
		" AND a.subject = $2::bytea AND a.n >= $3::bigint AND $3 > 0"
		" AND NOT " SQL_CLIENT_OVER,
		&why_row, false, false
	},
	[LOGIN_FAILED] = {
		"login_failed",
		"INSERT INTO docket.audit"
		" (event, user_id, ip, request_id, detail)"
		" SELECT event, $1::uuid, $2::text, $3::text, detail"
		" FROM (VALUES (" SQL_EVENT(login_failed) ", NULL), ("
		SQL_EVENT(login_locked) ", $4::bigint || ' s'))"
		" AS v (event, detail)"
		" WHERE v.detail IS NULL OR $4 > 0",
		NULL, false, true
	},
	/* An end of a lock that is now is no peace: what was counted stays. */
	[LOGIN_BACK] = {
		"login_back",
		"WITH back AS ("
		" UPDATE docket.attempts a SET n = a.n - 1"
		" WHERE a.kind = 'login_client' AND a.subject = $2::bytea"
		" AND a.n > 0 RETURNING a.n)"
		" UPDATE docket.lockouts l SET n = greatest(l.n - 1, 0),"
		" locked_until = CASE WHEN l.locked_until > now()"
		" THEN now() ELSE l.locked_until END"
		" FROM (SELECT count(*) FROM back) clients"
		" WHERE l.subject = $1::bytea",
		NULL, false, true
	},
};

const struct stmts login_statements = STMTS(statements);

/* Refused; what it is that refuses has been there for a moment. */
static int
try_refused(struct db *db, struct arena *mem, const struct login_try *try_,
    struct login_found *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	const struct login_found *why;
	int error;

	db_bytes(&p, ret->subject);
	db_bytes(&p, try_->client);
	db_int(&p, try_->client_limit);
	error = db_run(db, mem, &statements[LOGIN_WHY], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	why = r.v;
	ret->retry_account = why->retry_account;
	ret->retry_client = why->retry_client;
	return E_RATE;
}

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
	db_int(&p, try_->window);
	db_int(&p, try_->lock);
	db_int(&p, try_->lock_most);
	db_bytes(&p, try_->client);
	db_int(&p, try_->client_limit);
	error = db_run(db, mem, &statements[try_->by], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct login_found *)r.v;
	ret->client = try_->client;
	return ret->failures > 0 ? 0 : try_refused(db, mem, try_, ret);
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
	db_bytes(&p, found->client);
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
    const struct login_found *found, const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, &found->id);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	db_int(&p, found->locked);
	return db_run(db, mem, &statements[LOGIN_FAILED], &p, &r);
}

int
store_login_back(struct db *db, struct arena *mem,
    const struct login_found *found)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_bytes(&p, found->subject);
	db_bytes(&p, found->client);
	return db_run(db, mem, &statements[LOGIN_BACK], &p, &r);
}
