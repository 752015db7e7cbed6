/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: guesses counted before they are compared, and proofs. */
#include <stddef.h>

#include "base/error.h"
#include "store/otps.h"
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

enum { OTP_GUESS, OTP_REFUND, OTP_PROVE };

static const struct stmt statements[] = {
	/*
	 * $1 address, $2 purpose, $3 guesses a code, $4 guesses a recipient.
	 * The window of a recipient is 24 h from its first guess; the guess
	 * that fills it is still evaluated, and blocks for 24 h from then.
	 */
	[OTP_GUESS] = {
		"otp_guess",
		"WITH b AS MATERIALIZED ("
		" SELECT b.*, CASE WHEN b.guess_start IS NULL"
		" OR b.guess_start <= now() - interval '24 h'"
		" OR b.blocked_until <= now() THEN 1"
		" ELSE b.guess_n + 1 END AS next_n"
		" FROM docket.otp_budgets b"
		" WHERE b.address = $1::text FOR NO KEY UPDATE),"
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
		" ELSE 0 END AS retry_after"
		" FROM b LEFT JOIN hit ON true",
		&live_row, false, true
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
		" RETURNING o.id, o.address),"
		" back AS ("
		" UPDATE docket.otp_budgets b SET streak = 0, " SQL_GUESS_BACK
		" FROM o WHERE b.address = o.address)"
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
	error = db_run(db, mem, &statements[OTP_GUESS], &p, &r);
	if (error)
		return error;
	/* Nobody was ever sent a code here. */
	if (r.rows == 0)
		return E_OTP;
	*ret = *(const struct otp_live *)r.v;
	if (!uuid_is_nil(&ret->id))
		return 0;
	return ret->retry_after > 0 ? E_OTP_BLOCKED : E_OTP;
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
store_otp_prove(struct db *db, struct arena *mem, const struct uuid *id,
    struct text proof_hash, int64_t ttl_seconds)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, id);
	db_bytes(&p, proof_hash);
	db_int(&p, ttl_seconds);
	error = db_run(db, mem, &statements[OTP_PROVE], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_OTP : 0;
}
