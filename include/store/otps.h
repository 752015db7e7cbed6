/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: budgets, the live code, guesses, proofs. */
#ifndef DOCKET_STORE_OTPS_H
#define DOCKET_STORE_OTPS_H

#include "base/principal.h"
#include "store/db.h"

struct otp_send {
	struct uuid id;
	struct text address;	/* canonical phone or e-mail */
	struct text channel;	/* "sms" or "email" */
	struct text purpose;	/* register, login, reset, change */
	struct text hash;	/* keyed, core/otp.h */
	struct text sealed;	/* the message for the courier, sealed */
	struct uuid message_id;
	int64_t ttl_seconds;
	int64_t sends_hour, sends_day, sends_client;	/* 0 = no limit */
	struct client client;
};

struct otp_sent {
	int64_t resend_in;	/* seconds until the next send is allowed */
	int64_t retry_after;	/* when refused */
};

/*
 * One statement: recipient's back-off (60, 120, 240 s), hour and day budgets,
 * the client's budget; then the new code replaces the live one of the same
 * address and purpose, and the message goes to the outbox. E_OTP_WAIT or
 * E_RATE with ret->retry_after. For reset the message is only queued when the
 * address belongs to an account, for login when the account has proven it
 * (store/account.h); the caller cannot tell.
 */
int store_otp_send(struct db *db, struct arena *mem,
    const struct otp_send *send, struct otp_sent *ret);

struct otp_guess {
	struct text address, purpose;
	int64_t per_code, per_recipient;	/* limits */
};

struct otp_live {
	struct uuid id;
	struct text hash;
	int64_t recipient_guesses;	/* this one counted */
	int64_t retry_after;
};

/* Its own commit, before the code is compared: count the guess on the live
 * code and on the recipient. E_OTP when there is no live code (nothing is
 * counted), E_OTP_BLOCKED when the recipient's budget is spent. */
int store_otp_guess(struct db *db, struct arena *mem,
    const struct otp_guess *guess, struct otp_live *ret);
/* The guess was right but is not used up (the registration failed
 * otherwise): give it back. */
int store_otp_refund(struct db *db, struct arena *mem, const struct uuid *id);
/* The guess was right: consume the code, give the recipient's guess back, and
 * remember the proof (SHA-256 of the verification token) for 600 s. E_OTP
 * when somebody was faster. */
int store_otp_prove(struct db *db, struct arena *mem, const struct uuid *id,
    struct text proof_hash, int64_t ttl_seconds);

#endif
