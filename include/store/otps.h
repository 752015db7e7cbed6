/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: budgets, the live code, guesses, proofs. */
#ifndef DOCKET_STORE_OTPS_H
#define DOCKET_STORE_OTPS_H

#include "base/principal.h"
#include "store/db.h"

/* The breaker: how many texted codes of a day (UTC) may stay unverified. */
struct otp_anomaly {
	struct text mode;	/* deny, record; anything else: not counted */
	int64_t country_unverified, country_percent;
	int64_t client_countries, client_unverified;
};

struct otp_send {
	struct uuid id;
	struct text address;	/* canonical phone or e-mail */
	struct text masked;	/* the same for the audit trail */
	struct text channel;	/* "sms" or "email" */
	struct text purpose;	/* register, login, reset, change */
	struct text hash;	/* keyed, core/otp.h */
	struct text sealed;	/* the message for the courier, sealed */
	struct text language;	/* to word it in: core/language.h's list */
	struct uuid message_id;
	int64_t ttl_seconds;
	int64_t sends_hour, sends_day, sends_client;	/* 0 = no limit */
	int64_t prefix_hour, channel_hour;		/* likewise */
	struct text country;	/* of a phone; none: nobody's */
	struct text block;	/* what prefix_hour is counted by, or none */
	struct otp_anomaly anomaly;
	struct client client;
};

struct otp_sent {
	int64_t resend_in;	/* seconds until the next send is allowed */
	int64_t retry_after;	/* when refused */
	struct text alarms;	/* "country IR, total sms": what has not been
				 * told for an hour, or none */
};

/*
 * One statement: recipient's back-off (60, 120, 240 s), hour and day budgets,
 * the budgets of the client, of the block of numbers and of the channel, the
 * breaker; then the new code replaces the live one of the same address and
 * purpose, and the message goes to the outbox. All of it or nothing: what one
 * budget refuses costs no other. Refused with ret->retry_after and ret->alarms:
 * E_OTP_WAIT (recipient), E_RATE (client), E_OTP_UNAVAILABLE (everything else).
 * For reset the message says by itself whether the address belongs to an
 * account, for login whether the account has proven it (store/account.h): the
 * courier drops those that do not; the caller cannot tell.
 */
int store_otp_send(struct db *db, struct arena *mem,
    const struct otp_send *send, struct otp_sent *ret);

struct otp_guess {
	struct text address, purpose;
	struct text masked;	/* the address for the audit trail */
	int64_t per_code, per_recipient;	/* limits */
	int64_t per_client;			/* in 5 minutes; 0 = none */
	struct client client;
};

struct otp_live {
	struct uuid id;
	struct text hash;
	int64_t recipient_guesses;	/* this one counted */
	int64_t retry_after;	/* the recipient's block; 0: none */
	int64_t client_after;	/* the client's, before anything is looked at */
};

/* Its own commit, before the code is compared: count the guess on the live
 * code and on the recipient. E_OTP when there is no live code (nothing is
 * counted but for the client), E_OTP_BLOCKED when the recipient's budget is
 * spent, E_RATE when the client's is. */
int store_otp_guess(struct db *db, struct arena *mem,
    const struct otp_guess *guess, struct otp_live *ret);
/* The guess was wrong, or there was nothing to guess: the audit rows, one more
 * when it was the recipient's last. */
int store_otp_failed(struct db *db, struct arena *mem,
    const struct otp_guess *guess, bool blocked);
/* The guess was right but is not used up (the registration failed
 * otherwise): give it back. */
int store_otp_refund(struct db *db, struct arena *mem, const struct uuid *id);
struct otp_proof {
	struct uuid id;		/* of the code */
	struct text hash;	/* SHA-256 of the verification token */
	int64_t ttl_seconds;
	struct text masked;	/* the address for the audit trail */
	struct client client;
};

/* The guess was right: consume the code, give the recipient's guess back, and
 * remember the proof (SHA-256 of the verification token) for 600 s. E_OTP
 * when somebody was faster. */
int store_otp_prove(struct db *db, struct arena *mem,
    const struct otp_proof *proof);

#endif
