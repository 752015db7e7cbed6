/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Ways into an account: its password anew, a code in a password's place. */
#include <stddef.h>

#include "base/error.h"
#include "store/account.h"
#include "store/event.h"
#include "store/otp_sql.h"
#include "store/sets.h"
#include "store/who.h"

struct entry {
	struct uuid id;
	int64_t ended;		/* sessions */
};

static const struct field entry_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct entry, id) },
	{ .name = "ended", .type = FIELD_INT,
	  .offset = offsetof(struct entry, ended) },
};

static const struct fields entry_row =
    FIELDS(NULL, entry_fields, struct entry);

/* Whoever has shown the address to be theirs. Somebody may have registered
 * with a stranger's: the stranger's code must not lead into that account. */
#define SQL_PROVEN(address_) \
	" ((u.email_key = " address_ " AND u.email_verified_at IS NOT NULL)" \
	" OR (u.phone = " address_ " AND u.phone_verified_at IS NOT NULL))" \
	" AND u.active"

enum { ENTRY_PASSWORD, ENTRY_RESET, ENTRY_CODE };

static const struct stmt statements[] = {
	/* $4 the hash compared, $5 the new one, $6 ip, $7 request id. */
	[ENTRY_PASSWORD] = {
		"account_password",
		SQL_WHO ","
		" done AS ("
		" UPDATE docket.users t SET password_hash = $5::text,"
		" updated_at = greatest(now(), t.updated_at)"
		" FROM who WHERE who.who_state = 0 AND t.id = $1"
		" AND t.password_hash = $4::text RETURNING t.id),"
		" sessions AS MATERIALIZED ("
		" SELECT id, docket.sessions_end(id, $2, 'password_changed')"
		" AS ended FROM done),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT " SQL_EVENT(password_changed) ", id, $2,"
		" $6::text, $7::text FROM done)"
		" SELECT who.who_state, s.id, s.ended"
		" FROM who LEFT JOIN sessions s ON true",
		&entry_row, true, true
	},
	/* $1 code, $2 token, $3 address, $4 hash, $5 ip, $6 request id. */
	[ENTRY_RESET] = {
		"account_reset",
		"WITH " SQL_SPENT("$1", "$2", "$3", "reset",
		    "EXISTS (SELECT FROM docket.users u"
		    " WHERE (u.email_key = $3 OR u.phone = $3) AND u.active)")
		" done AS ("
		" UPDATE docket.users t SET password_hash = $4::text,"
		" email_verified_at = CASE WHEN t.email_key = $3"
		" THEN COALESCE(t.email_verified_at, now())"
		" ELSE t.email_verified_at END,"
		" phone_verified_at = CASE WHEN t.phone = $3"
		" THEN COALESCE(t.phone_verified_at, now())"
		" ELSE t.phone_verified_at END,"
		" updated_at = greatest(now(), t.updated_at)"
		" WHERE EXISTS (SELECT FROM spent) AND t.active"
		" AND (t.email_key = $3 OR t.phone = $3)"
		" RETURNING t.id),"
		" sessions AS MATERIALIZED ("
		" SELECT id, docket.sessions_end(id, NULL, 'password_reset')"
		" AS ended FROM done),"
		" noted AS ("
		" INSERT INTO docket.audit (event, user_id, ip, request_id)"
		" SELECT " SQL_EVENT(password_reset) ", id, $5::text,"
		" $6::text FROM done)"
		" SELECT id, ended FROM sessions",
		&entry_row, false, true
	},
	/* $1 code, $2 address, $3..$7 the session, $8 request id. The lock is
	 * as in login.c. */
	[ENTRY_CODE] = {
		"login_code",
		"WITH " SQL_SPENT("$1", "NULL", "$2", "login",
		    "EXISTS (SELECT FROM docket.users u WHERE"
		    SQL_PROVEN("$2") ")")
		" live AS MATERIALIZED ("
		" SELECT u.* FROM docket.users u"
		" WHERE EXISTS (SELECT FROM spent) AND" SQL_PROVEN("$2")
		" FOR NO KEY UPDATE OF u),"
		" opened AS ("
		SQL_SESSION("live", "$3", "$4", "$5", "$6", "$7")
		"), noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id, detail)"
		" SELECT " SQL_EVENT(login) ", id, $3, $6, $8::text, 'otp'"
		" FROM live)"
		" SELECT " SQL_USER " FROM live u",
		&user_row, false, true
	},
};

const struct stmts account_entry_statements = STMTS(statements);

int
store_account_password(struct db *db, struct arena *mem,
    const struct principal *who, struct text old, struct text hash,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_text(&p, old);
	db_text(&p, hash);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = who_run(db, mem, who, &statements[ENTRY_PASSWORD], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_PASSWORD_WRONG : 0;
}

int
store_account_reset(struct db *db, struct arena *mem,
    const struct proof *proof, struct text hash, const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &proof->otp_id);
	db_bytes(&p, proof->hash);
	db_text(&p, proof->address);
	db_text(&p, hash);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = db_run(db, mem, &statements[ENTRY_RESET], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_OTP : 0;
}

int
store_login_code(struct db *db, struct arena *mem,
    const struct proof *proof, const struct new_session *session,
    struct user *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &proof->otp_id);
	db_text(&p, proof->address);
	db_uuid(&p, &session->id);
	db_int(&p, session->idle_seconds);
	db_int(&p, session->absolute_seconds);
	db_text(&p, session->client.ip);
	db_text(&p, session->client.agent);
	db_text(&p, session->client.request_id);
	error = db_run(db, mem, &statements[ENTRY_CODE], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_OTP;
	*ret = *(const struct user *)r.v;
	return 0;
}
