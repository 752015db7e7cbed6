/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What people change of their own accounts: name, addresses, all of it. */
#include "store/account.h"

#include <errno.h>
#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/otp_sql.h"
#include "store/sets.h"
#include "store/who.h"

/* What the statements say instead of a change; 0 = done. */
enum outcome {
	OUTCOME_DONE, OUTCOME_OTP, OUTCOME_PROOF, OUTCOME_ADDRESS,
	OUTCOME_PASSWORD
};

static const int errors[] = {
	[OUTCOME_DONE] = E_OK,
	[OUTCOME_OTP] = E_OTP,
	[OUTCOME_PROOF] = E_PROOF_NEEDED,
	[OUTCOME_ADDRESS] = E_LAST_ADDRESS,
	[OUTCOME_PASSWORD] = E_PASSWORD_WRONG,
};

struct changed {
	int64_t outcome;
	struct user user;
};

#define CHANGED(type_, name_, member_) \
	{ .name = (name_), .type = (type_), \
	  .offset = offsetof(struct changed, member_) }

static const struct field changed_fields[] = {
	CHANGED(FIELD_INT, "outcome", outcome),
	CHANGED(FIELD_UUID, "id", user.id),
	CHANGED(FIELD_INT, "number", user.number),
	CHANGED(FIELD_TEXT, "username", user.username),
	CHANGED(FIELD_TEXT, "email", user.email),
	CHANGED(FIELD_TEXT, "phone", user.phone),
	CHANGED(FIELD_TEXT, "role", user.role),
	CHANGED(FIELD_TEXT, "status", user.status),
	CHANGED(FIELD_TIME, "created_at", user.created_at),
	CHANGED(FIELD_TIME, "updated_at", user.updated_at),
};

static const struct fields changed_row =
    FIELDS(NULL, changed_fields, struct changed);

static const struct field outcome_fields[] = {
	CHANGED(FIELD_INT, "outcome", outcome),
};

static const struct fields outcome_row =
    FIELDS(NULL, outcome_fields, struct changed);

#define SQL_LIVE "EXISTS (SELECT FROM who WHERE who.who_state = 0)"

/* When the account's address became what it is: now that it is proven, when
 * it was if it only is spelt anew, else never. */
#define SQL_VERIFIED(set, key, column, verified) \
	" CASE WHEN NOT " set "::bool THEN t." verified \
	" WHEN EXISTS (SELECT FROM spent WHERE spent.address = " key ")" \
	" THEN now()" \
	" WHEN t." column " = " key " THEN t." verified " END"

enum { ACCOUNT_CHANGE, ACCOUNT_DELETE };

static const struct stmt statements[] = {
	/*
	 * $4 username, $5 its key; $6 set the email? $7 email, $8 its key;
	 * $9 set the phone? $10 phone; $11 code, $12 token, $13 address;
	 * $14 ip, $15 request id; for the trail $16 the email, $17 the phone.
	 */
	[ACCOUNT_CHANGE] = {
		"account_change",
		SQL_WHO ","
		SQL_SPENT("$11", "$12", "$13", "change", SQL_LIVE)
		" me AS MATERIALIZED ("
		" SELECT u.* FROM docket.users u,"
		" (SELECT count(*) FROM spent) proven"
		" WHERE u.id = $1 AND " SQL_LIVE
		" FOR NO KEY UPDATE OF u),"
		" asked AS MATERIALIZED ("
		" SELECT me.*, CASE"
		" WHEN ($11 IS NOT NULL OR $12 IS NOT NULL)"
		" AND NOT EXISTS (SELECT FROM spent) THEN 1"
		" WHEN $8::text <> COALESCE(me.email_key, '')"
		" AND NOT EXISTS (SELECT FROM spent WHERE address = $8)"
		" THEN 2"
		" WHEN $10::text <> COALESCE(me.phone, '')"
		" AND NOT EXISTS (SELECT FROM spent WHERE address = $10)"
		" THEN 2"
		" WHEN me.password_hash IS NULL AND ($6 OR $9)"
		" AND CASE WHEN $6 THEN $8 ELSE me.email_key END IS NULL"
		" AND CASE WHEN $9 THEN $10 ELSE me.phone END IS NULL"
		" THEN 3 ELSE 0 END::bigint AS outcome FROM me),"
		" done AS ("
		" UPDATE docket.users t SET"
		" username = COALESCE($4::text, t.username),"
		" username_key = COALESCE($5::text, t.username_key),"
		" email = CASE WHEN $6 THEN $7::text ELSE t.email END,"
		" email_key = CASE WHEN $6 THEN $8 ELSE t.email_key END,"
		" phone = CASE WHEN $9 THEN $10 ELSE t.phone END,"
		" email_verified_at ="
		SQL_VERIFIED("$6", "$8", "email_key", "email_verified_at") ","
		" phone_verified_at ="
		SQL_VERIFIED("$9", "$10", "phone", "phone_verified_at") ","
		" updated_at = greatest(now(), t.updated_at)"
		" FROM asked WHERE t.id = asked.id AND asked.outcome = 0"
		" RETURNING t.*),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id, address)"
		" SELECT e.event, $1, $2, $14::text, $15::text, e.address"
		" FROM asked JOIN done ON done.id = asked.id,"
		" LATERAL (VALUES"
		" (" SQL_EVENT(username_changed) ", NULL,"
		" asked.username <> done.username),"
		" (" SQL_EVENT(email_changed) ", $16::text,"
		" asked.email_key IS DISTINCT FROM done.email_key),"
		" (" SQL_EVENT(phone_changed) ", $17::text,"
		" asked.phone IS DISTINCT FROM done.phone))"
		" e (event, address, happened) WHERE e.happened)"
		" SELECT who.who_state, asked.outcome, " SQL_USER
		" FROM who LEFT JOIN asked ON true LEFT JOIN done u ON true",
		&changed_row, true, true
	},
	/*
	 * $4 hash, $5 code, $6 token, $7 address, $8 ip, $9 request id.
	 * The counters are locked before the account, as a new task does. That
	 * an admin stays is the business of the trigger users_last_admin.
	 */
	[ACCOUNT_DELETE] = {
		"account_delete",
		SQL_WHO ","
		SQL_SPENT("$5", "$6", "$7", "change",
		    "EXISTS (SELECT FROM who JOIN docket.users u"
		    " ON u.id = who.user_id AND u.password_hash IS NULL"
		    " WHERE who.who_state = 0"
		    " AND $7 IN (u.email_key, u.phone))")
		" counters AS MATERIALIZED ("
		" SELECT c.user_id FROM docket.counters c,"
		" (SELECT count(*) FROM spent) proven"
		" WHERE c.user_id = $1 AND " SQL_LIVE
		" FOR UPDATE OF c),"
		" me AS MATERIALIZED ("
		" SELECT u.id, u.password_hash"
		" FROM docket.users u, (SELECT count(*) FROM counters) locked"
		" WHERE u.id = $1 AND " SQL_LIVE
		" FOR UPDATE OF u),"
		" asked AS MATERIALIZED ("
		" SELECT me.id, CASE"
		" WHEN me.password_hash IS DISTINCT FROM $4::text THEN 4"
		" WHEN $4 IS NULL AND NOT EXISTS (SELECT FROM spent) THEN 1"
		" ELSE 0 END::bigint AS outcome FROM me),"
		" gone AS ("
		" DELETE FROM docket.users t USING asked"
		" WHERE t.id = asked.id AND asked.outcome = 0"
		" RETURNING t.id),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT " SQL_EVENT(account_deleted) ", id, $2,"
		" $8::text, $9::text"
		" FROM gone)"
		" SELECT who.who_state, asked.outcome"
		" FROM who LEFT JOIN asked ON true",
		&outcome_row, true, true
	},
};

const struct stmts account_statements = STMTS(statements);

static void
proof_params(struct db_params *p, const struct proof *proof)
{
	db_uuid(p, &proof->otp_id);
	db_bytes(p, proof->hash);
	db_text(p, proof->address);
}

/* No row at all: the account went while we waited for it. */
static int
outcome_error(const struct db_result *r)
{
	const int64_t outcome = r->rows == 0 ? 0 :
	    ((const struct changed *)r->v)->outcome;

	if (r->rows == 0)
		return E_USER_DELETED;
	if (outcome < 0 ||
	    (size_t)outcome >= sizeof(errors) / sizeof(errors[0]))
		return -EPROTO;
	return errors[outcome];
}

int
store_account_change(struct db *db, struct arena *mem,
    const struct principal *who, const struct account_change *change,
    const struct client *client, struct user *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_text(&p, change->username);
	db_text(&p, change->username_key);
	db_bool(&p, change->set_email);
	db_text(&p, change->email);
	db_text(&p, change->email_key);
	db_bool(&p, change->set_phone);
	db_text(&p, change->phone);
	proof_params(&p, &change->proof);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	db_text(&p, change->email_masked);
	db_text(&p, change->phone_masked);
	error = who_run(db, mem, who, &statements[ACCOUNT_CHANGE], &p, &r);
	if (error || (error = outcome_error(&r)))
		return error;
	*ret = ((const struct changed *)r.v)->user;
	return 0;
}

int
store_account_delete(struct db *db, struct arena *mem,
    const struct principal *who, struct text hash, const struct proof *proof,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_text(&p, hash);
	proof_params(&p, proof);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = who_run(db, mem, who, &statements[ACCOUNT_DELETE], &p, &r);
	return error ? error : outcome_error(&r);
}
