/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: SQL that spends a code or a verification token. */
#ifndef DOCKET_STORE_OTP_SQL_H
#define DOCKET_STORE_OTP_SQL_H

#include "store/user_sql.h"

/*
 * Ends in `spent`: the address that was proven, or no row. id is a code just
 * guessed right, hash the SHA-256 of a verification token; either may be NULL.
 * Nothing is spent unless `guard` is true. The recipient's row is locked first,
 * as everywhere (otps.c); whoever locks accounts does so after `spent`.
 */
#define SQL_SPENT(id, hash, address_, purpose_, guard) \
	" b AS MATERIALIZED (" \
	" SELECT b.address FROM docket.otp_budgets b" \
	" JOIN docket.otps o ON o.address = b.address" \
	" WHERE o.id = " id "::uuid AND " guard \
	" FOR NO KEY UPDATE OF b)," \
	" code AS (" \
	" UPDATE docket.otps o SET consumed_at = now(), updated_at = now()" \
	" FROM b WHERE o.id = " id " AND o.address = b.address" \
	" AND o.address = " address_ "::text AND o.purpose = '" purpose_ "'" \
	" AND o.consumed_at IS NULL AND o.replaced_at IS NULL" \
	" RETURNING o.address)," \
	" back AS (" \
	" UPDATE docket.otp_budgets b SET streak = 0, " SQL_GUESS_BACK \
	" FROM code WHERE b.address = code.address)," \
	" proof AS (" \
	" UPDATE docket.otps o SET proof_used_at = now(), updated_at = now()" \
	" WHERE o.proof_hash = " hash "::bytea AND o.proof_used_at IS NULL" \
	" AND o.proof_until > now() AND o.purpose = '" purpose_ "'" \
	" AND o.address = " address_ " AND " guard \
	" RETURNING o.address)," \
	" spent AS MATERIALIZED (" \
	" SELECT address FROM code UNION ALL SELECT address FROM proof),"

#endif
