/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: guesses counted before they are compared, and proofs. */
#include <stddef.h>

#include "base/error.h"
#include "store/otp_send_sql.h"
#include "store/sets.h"
#include "store/user_sql.h"

/*
 * Lock order: whoever touches a recipient's codes locks the recipient's row in
 * docket.otp_budgets first (sends by the upsert in otp_send.c). So everything
 * about one recipient is serial, nothing deadlocks, and a locked row shows its
 * newest version, whatever the statement's snapshot is.
 */

#define LIVE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct otp_live, member_) }

static const struct field live_fields[] = {
	LIVE(FIELD_UUID, id),
	LIVE(FIELD_BYTES, hash),
	LIVE(FIELD_INT, recipient_guesses),
	LIVE(FIELD_INT, retry_after),
	LIVE(FIELD_INT, client_after),
};

static const struct fields live_row =
    FIELDS(NULL, live_fields, struct otp_live);

static const struct field id_fields[] = {
	{ .name = "id", .type = FIELD_UUID, .offset = 0 },
};

static const struct fields id_row = FIELDS(NULL, id_fields, struct uuid);

/* The recipient of code $1, locked. */
#define SQL_RECIPIENT \
	"WITH b AS MATERIALIZED (" \
	" SELECT b.address FROM docket.otp_budgets b" \
	" JOIN docket.otps o ON o.address = b.address" \
	" WHERE o.id = $1::uuid FOR NO KEY UPDATE OF b),"

/* The window of client $5, when its $6 guesses are spent. */
#define SQL_SPENT \
	"docket.attempts a WHERE a.kind = 'verify'" \
	" AND a.subject = convert_to($5, 'UTF8')" \
	" AND a.n >= $6 AND a.window_start > now() - interval '5 min'"

enum { OTP_GUESS, OTP_FAILED, OTP_REFUND, OTP_PROVE };

static const struct stmt statements[] = {
	/*
	 * $1 address, $2 purpose, $3 guesses a code, $4 guesses a recipient,
	 * $5 client, $6 guesses a client. Whoever has no guess left does not
	 * come to the recipient's row. The window of a recipient is 24 h from
	 * its first guess; the guess that fills it is still evaluated, and
	 * blocks for 24 h from then.
	 */
	[OTP_GUESS] = {
		"otp_guess",
		"WITH client AS ("
		" INSERT INTO docket.attempts AS a"
		" (kind, subject, window_start, n)"
		" SELECT 'verify', convert_to($5::text, 'UTF8'), now(), 1"
		" WHERE $6::bigint > 0 AND $5 IS NOT NULL"
		" AND NOT EXISTS (SELECT FROM " SQL_SPENT ")"
		" ON CONFLICT (kind, subject) DO UPDATE SET"
		" n = CASE WHEN a.window_start <= now() - interval '5 min'"
		" THEN 1 ELSE a.n + 1 END,"
		" window_start = CASE WHEN"
		" a.window_start <= now() - interval '5 min'"
		" THEN now() ELSE a.window_start END"
		" WHERE a.n < $6"
		" OR a.window_start <= now() - interval '5 min'"
		" RETURNING 1),"
		" may AS MATERIALIZED ("
		" SELECT $6 = 0 OR $5 IS NULL OR EXISTS (SELECT FROM client)"
		" AS yes),"
		" b AS MATERIALIZED ("
		" SELECT b.*, CASE WHEN b.guess_start IS NULL"
		" OR b.guess_start <= now() - interval '24 h'"
		" OR b.blocked_until <= now() THEN 1"
		" ELSE b.guess_n + 1 END AS next_n"
		" FROM docket.otp_budgets b"
		" WHERE b.address = $1::text"
		" AND (SELECT yes FROM may) FOR NO KEY UPDATE),"
		" open AS ("
		" SELECT * FROM b"
		" WHERE b.blocked_until IS NULL OR b.blocked_until <= now()),"
		" hit AS ("
		" UPDATE docket.otps o SET attempts = o.attempts + 1,"
		" updated_at = now() FROM open"
		" WHERE o.address = open.address AND o.purpose = $2::text"
		" AND o.consumed_at IS NULL AND o.replaced_at IS NULL"
		" AND o.expires_at > now() AND o.attempts < $3::bigint"
		" RETURNING o.id, o.hash, open.next_n),"
		" counted AS ("
		" UPDATE docket.otp_budgets t SET guess_n = hit.next_n,"
		" guess_start = CASE WHEN hit.next_n = 1 THEN now()"
		" ELSE t.guess_start END,"
		" blocked_until = CASE WHEN hit.next_n >= $4::bigint"
		" THEN now() + interval '24 h' END"
		" FROM hit WHERE t.address = $1)"
		" SELECT hit.id, hit.hash, hit.next_n AS recipient_guesses,"
		" CASE WHEN b.blocked_until > now() THEN greatest(1, ceil("
		"extract(epoch FROM b.blocked_until - now())))::bigint"
		" ELSE 0 END AS retry_after,"
		/* The window may have begun after our own now(). */
		" CASE WHEN may.yes THEN 0 ELSE coalesce((SELECT least(300,"
		" ceil(extract(epoch FROM a.window_start + interval '5 min'"
		" - now()))) FROM " SQL_SPENT "), 1) END::bigint"
		" AS client_after"
		" FROM may LEFT JOIN b ON true LEFT JOIN hit ON true",
		&live_row, false, true
	},
	/* $1 address for the trail, $2 purpose, $3 ip, $4 request id, $5 is
	 * the recipient blocked by it. */
	[OTP_FAILED] = {
		"otp_failed",
		"INSERT INTO docket.audit"
		" (event, ip, request_id, address, detail)"
		" SELECT v.event, $3::text, $4::text, $1::text, $2::text"
		" FROM (VALUES (" SQL_EVENT(otp_failed) ", true),"
		" (" SQL_EVENT(otp_blocked) ", $5::bool)) v (event, so)"
		" WHERE v.so",
		NULL, false, true
	},
	[OTP_REFUND] = {
		"otp_refund",
		SQL_RECIPIENT
		" o AS ("
		" UPDATE docket.otps o SET attempts = greatest(o.attempts - 1,"
		" 0), updated_at = now() FROM b"
		" WHERE o.id = $1 AND o.address = b.address"
		" RETURNING o.address)"
		" UPDATE docket.otp_budgets b SET " SQL_GUESS_BACK
		" FROM o WHERE b.address = o.address",
		NULL, false, true
	},
	[OTP_PROVE] = {
		"otp_prove",
		SQL_RECIPIENT
		" o AS ("
		" UPDATE docket.otps o SET consumed_at = now(),"
		" updated_at = now(),"
		" proof_hash = $2::bytea,"
		" proof_until = now() + make_interval(secs => $3::bigint)"
		" FROM b WHERE o.id = $1 AND o.address = b.address"
		" AND o.consumed_at IS NULL AND o.replaced_at IS NULL"
		" RETURNING o.id, o.address, o.purpose),"
		" back AS ("
		" UPDATE docket.otp_budgets b SET streak = 0, " SQL_GUESS_BACK
		" FROM o WHERE b.address = o.address),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, ip, request_id, address, detail)"
		" SELECT " SQL_EVENT(otp_verified) ", $4::text, $5::text,"
		" $6::text, o.purpose FROM o)"
		" SELECT o.id FROM o",
		&id_row, false, true
	},
};

const struct stmts otp_statements = STMTS(statements);

int
store_otp_guess(struct db *db, struct arena *mem,
    const struct otp_guess *guess, struct otp_live *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, guess->address);
	db_text(&p, guess->purpose);
	db_int(&p, guess->per_code);
	db_int(&p, guess->per_recipient);
	db_text(&p, otp_client(&guess->client));
	db_int(&p, guess->per_client);
	error = db_run(db, mem, &statements[OTP_GUESS], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct otp_live *)r.v;
	if (ret->client_after > 0)
		return E_RATE;
	if (!uuid_is_nil(&ret->id))
		return 0;
	return ret->retry_after > 0 ? E_OTP_BLOCKED : E_OTP;
}

int
store_otp_failed(struct db *db, struct arena *mem,
    const struct otp_guess *guess, bool blocked)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_text(&p, guess->masked);
	db_text(&p, guess->purpose);
	db_text(&p, guess->client.ip);
	db_text(&p, guess->client.request_id);
	db_bool(&p, blocked);
	return db_run(db, mem, &statements[OTP_FAILED], &p, &r);
}

int
store_otp_refund(struct db *db, struct arena *mem, const struct uuid *id)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, id);
	return db_run(db, mem, &statements[OTP_REFUND], &p, &r);
}

int
store_otp_prove(struct db *db, struct arena *mem,
    const struct otp_proof *proof)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &proof->id);
	db_bytes(&p, proof->hash);
	db_int(&p, proof->ttl_seconds);
	db_text(&p, proof->client.ip);
	db_text(&p, proof->client.request_id);
	db_text(&p, proof->masked);
	error = db_run(db, mem, &statements[OTP_PROVE], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_OTP : 0;
}
