/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What people change of their own accounts. */
#ifndef DOCKET_STORE_ACCOUNT_H
#define DOCKET_STORE_ACCOUNT_H

#include "base/principal.h"
#include "store/db.h"
#include "store/users.h"

/* That an address is the caller's: a code that was just guessed right
 * (store/otps.h), or the SHA-256 of a verification token, or neither. */
struct proof {
	struct uuid otp_id;
	struct text hash;
	struct text address;	/* canonical */
};

struct account_change {
	struct text username, username_key;	/* none: it stays */
	bool set_email, set_phone;
	struct text email, email_key;		/* none: taken away */
	struct text phone;
	struct text email_masked, phone_masked;	/* for the audit trail */
	struct proof proof;	/* of the new address */
};

/*
 * One statement each; all or nothing, the audit rows too.
 *
 * An address that is new to the account needs its proof, which is spent:
 * E_PROOF_NEEDED, E_OTP. E_LAST_ADDRESS: an account without a password keeps
 * one. E_USERNAME_TAKEN, E_EMAIL_TAKEN, E_PHONE_TAKEN; E_* of who.
 */
int store_account_change(struct db *db, struct arena *mem,
    const struct principal *who, const struct account_change *change,
    const struct client *client, struct user *ret);

/* hash: that of the password which was compared, none for an account without
 * one, which gives a proof of its own address instead. E_PASSWORD_WRONG when
 * it is not the account's hash (any more), E_OTP, E_LAST_ADMIN. */
int store_account_delete(struct db *db, struct arena *mem,
    const struct principal *who, struct text hash, const struct proof *proof,
    const struct client *client);

/* All other sessions end. E_PASSWORD_WRONG when `old` is not the account's
 * hash any more. */
int store_account_password(struct db *db, struct arena *mem,
    const struct principal *who, struct text old, struct text hash,
    const struct client *client);

/* A new password for whoever the proven address belongs to: all sessions
 * end, and the address counts as verified. E_OTP, also when it is nobody's. */
int store_account_reset(struct db *db, struct arena *mem,
    const struct proof *proof, struct text hash, const struct client *client);

/* A session for whoever has verified the address of the code. E_OTP, also when
 * nobody has, or the account is deactivated. */
int store_login_code(struct db *db, struct arena *mem,
    const struct proof *proof, const struct new_session *session,
    struct user *ret);

#endif
