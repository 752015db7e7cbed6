/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* That an address is the caller's: the members that say so, and their worth. */
#ifndef DOCKET_API_PROOFS_H
#define DOCKET_API_PROOFS_H

#include "api/fields.h"
#include "core/names.h"
#include "store/account.h"
#include "web/call.h"

/* Rows of a struct S with text members phone, email, otp and
 * verification_token. */
#define PROOF_ADDRESS_ROWS(S) \
	F_CHECK(TEXT, S, phone, "phone", FIELD_NULLABLE, 0, 32, name_check_phone, "E.164", "\"+989121234567\""), \
	F_CHECK(TEXT, S, phone, "mobile", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""), \
	F_CHECK(TEXT, S, phone, "mobile_no", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""), \
	F_CHECK(TEXT, S, email, "email", FIELD_NULLABLE, 0, 254, name_check_email, "An e-mail address", "\"exampleuser@example.com\"")
#define PROOF_ROWS(S) \
	F(TEXT, S, otp, "otp", FIELD_NULLABLE | FIELD_SECRET, 0, 16, "The code that was sent to the address", "\"123456\""), \
	F(TEXT, S, verification_token, "verification_token", FIELD_NULLABLE | FIELD_SECRET, 0, 128, "Instead of otp: what POST /otp/verify gave", NULL)

struct proof_in {
	struct text phone, email;	/* canonical, or none */
	struct text otp, verification_token;
};

/* Notes what is wrong with the members together: two proofs, a proof of
 * nothing, two addresses. */
void proof_check(struct call *call, const struct proof_in *in);
/* Count and compare the code, or hash the token; neither given: the address
 * alone. E_OTP, E_OTP_BLOCKED. */
int proof_take(struct call *call, const struct proof_in *in,
    struct text purpose, struct proof *ret);
/* A right code that bought nothing was not a guess; returns error. */
int proof_back(struct call *call, const struct proof *proof, int error);

#endif
