/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Registration: proof, account, session and audit row, all or nothing. */
#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/user_sql.h"
#include "store/users.h"

/* user, session and counters row of whoever is in `ok`, which holds the
 * address that was proven, or NULL. $1..$9 the user, $10..$15 the session. */
#define SQL_REGISTER \
	" u AS (" \
	" INSERT INTO docket.users (id, username, username_key, email," \
	" email_key, phone, password_hash, role, created_at, updated_at," \
	" email_verified_at, phone_verified_at)" \
	" SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text," \
	" $6::text, $7::text, $8::text, $9::timestamptz, $9," \
	" CASE WHEN ok.address = $5 THEN now() END," \
	" CASE WHEN ok.address = $6 THEN now() END FROM ok" \
	" RETURNING *)," \
	" c AS (" \
	" INSERT INTO docket.counters (user_id) SELECT id FROM u)," \
	" opened AS (" \
	SQL_SESSION("u", "$10", "$11", "$12", "$13", "$14") \
	"), noted AS (" \
	" INSERT INTO docket.audit" \
	" (event, user_id, session_id, ip, request_id, detail)" \
	" SELECT " SQL_EVENT(register) ", id, $10, $13, $15::text, role" \
	" FROM u)" \
	" SELECT " SQL_USER " FROM u"

enum { REGISTER_PLAIN, REGISTER_CODE, REGISTER_PROOF };

static const struct stmt statements[] = {
	[REGISTER_PLAIN] = {
		"register_plain",
		"WITH ok AS (SELECT NULL::text AS address)," SQL_REGISTER,
		&user_row, false, true
	},
	/* The budget's row is locked first, as everywhere (otps.c). */
	[REGISTER_CODE] = {
		"register_code",
		"WITH b AS MATERIALIZED ("
		" SELECT b.address FROM docket.otp_budgets b"
		" JOIN docket.otps o ON o.address = b.address"
		" WHERE o.id = $16::uuid FOR NO KEY UPDATE OF b),"
		" ok AS ("
		" UPDATE docket.otps o SET consumed_at = now(),"
		" updated_at = now() FROM b"
		" WHERE o.id = $16 AND o.address = b.address"
		" AND o.purpose = 'register' AND o.consumed_at IS NULL"
		" AND o.replaced_at IS NULL"
		" AND (o.address = $5 OR o.address = $6)"
		" RETURNING o.address),"
		" back AS ("
		" UPDATE docket.otp_budgets b SET streak = 0, " SQL_GUESS_BACK
		" FROM ok WHERE b.address = ok.address),"
		SQL_REGISTER,
		&user_row, false, true
	},
	[REGISTER_PROOF] = {
		"register_proof",
		"WITH ok AS ("
		" UPDATE docket.otps o SET proof_used_at = now(),"
		" updated_at = now()"
		" WHERE o.proof_hash = $16::bytea AND o.proof_used_at IS NULL"
		" AND o.proof_until > now() AND o.purpose = 'register'"
		" AND o.address = $17::text"
		" RETURNING o.address),"
		SQL_REGISTER,
		&user_row, false, true
	},
};

const struct stmts register_statements = STMTS(statements);

static void
register_params(struct db_params *p, const struct new_user *user,
    const struct new_session *session)
{
	db_uuid(p, &user->id);
	db_text(p, user->username);
	db_text(p, user->username_key);
	db_text(p, user->email);
	db_text(p, user->email_key);
	db_text(p, user->phone);
	db_text(p, user->hash);
	db_text(p, user->role);
	db_time(p, user->created_at);
	db_uuid(p, &session->id);
	db_int(p, session->idle_seconds);
	db_int(p, session->absolute_seconds);
	db_text(p, session->client.ip);
	db_text(p, session->client.agent);
	db_text(p, session->client.request_id);
}

int
store_user_register(struct db *db, struct arena *mem,
    const struct new_user *user, const struct new_session *session,
    struct user *ret)
{
	const struct stmt *stmt = &statements[REGISTER_PLAIN];
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	register_params(&p, user, session);
	if (!uuid_is_nil(&user->otp_id)) {
		stmt = &statements[REGISTER_CODE];
		db_uuid(&p, &user->otp_id);
	} else if (user->proof.s) {
		stmt = &statements[REGISTER_PROOF];
		db_bytes(&p, user->proof);
		db_text(&p, user->proof_address);
	}
	error = db_run(db, mem, stmt, &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_OTP;
	*ret = *(const struct user *)r.v;
	return 0;
}
