/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A new password: for the one that is known, or for a code. */
#include "api/passwords.h"

#include "api/api.h"
#include "api/grants.h"
#include "api/new_password.h"
#include "api/proofs.h"
#include "base/error.h"

struct password_in {
	struct seen seen;
	struct text current_password, new_password;
};

#define IN struct password_in
static const struct field password_rows[] = {
	F(TEXT, IN, current_password, "current_password", FIELD_REQUIRED | FIELD_SECRET, 0, 0, "The one that counts now", "\"securepassword\""),
	F_CHECK(TEXT, IN, new_password, "new_password", FIELD_REQUIRED | FIELD_SECRET, 0, 0, check_password, CHECK_PASSWORD_DOC, "\"a better password\""),
};
#undef IN
const struct fields password_body =
    FIELDS("PasswordChange", password_rows, struct password_in);

/* Whose names it must not be is known to the database. */
static int
password_new(struct call *call, struct text password)
{
	struct user me;
	int r;

	r = store_user_me(call->app->db, call->mem, &call->who, &me);
	if (r)
		return r;
	return password_demand(call, "/new_password", password,
	    &(struct password_owner){ me.username, me.email, me.phone });
}

int
api_password(struct call *call)
{
	static const struct message done = { TEXT_INIT("Password changed") };
	const struct password_in *in = call->body;
	struct text old, hash;
	int r;

	call->reply.object = &done;
	if ((r = password_new(call, in->new_password)) == 0 &&
	    (r = password_again(call, in->current_password, &old)) == 0 &&
	    (r = grants_hash(call, in->new_password, &hash)) == 0)
		r = store_account_password(call->app->db, call->mem,
		    &call->who, old, hash, &call->client);
	if (r == E_PASSWORD_WRONG)
		call_fault(call, "/current_password", "format", "is wrong");
	return r;
}

struct reset_in {
	struct seen seen;
	struct text phone, email, otp, verification_token, new_password;
};

#define IN struct reset_in
static const struct field reset_rows[] = {
	PROOF_ADDRESS_ROWS(IN),
	PROOF_ROWS(IN),
	F_CHECK(TEXT, IN, new_password, "new_password", FIELD_REQUIRED | FIELD_SECRET, 0, 0, check_password, CHECK_PASSWORD_DOC, "\"a better password\""),
};
#undef IN
const struct fields reset_body =
    FIELDS("PasswordReset", reset_rows, struct reset_in);

/* A wrong code ends it before the hash, whoever has the address; a right one
 * costs the hash, even where nobody has it. */
int
api_password_reset(struct call *call)
{
	static const struct message done = { TEXT_INIT("Password changed") };
	const struct reset_in *in = call->body;
	const struct proof_in members = {
		in->phone, in->email, in->otp, in->verification_token
	};
	struct proof proof;
	struct text hash;
	int r;

	call->reply.object = &done;
	proof_check(call, &members);
	(void)password_demand(call, "/new_password", in->new_password,
	    &(struct password_owner){ TEXT_NONE, in->email, in->phone });
	if (!in->phone.s && !in->email.s && call->faults.n == 0)
		call_fault(call, "/phone", "required",
		    "phone or email must be given");
	if (!in->otp.s && !in->verification_token.s)
		call_fault(call, "/otp", "required", "must be given");
	if (call->faults.n)
		return E_INVALID;
	r = proof_take(call, &members, TEXT("reset"), &proof);
	if (r)
		return r;
	r = grants_hash(call, in->new_password, &hash);
	if (r == 0)
		r = store_account_reset(call->app->db, call->mem, &proof,
		    hash, &call->client);
	return proof_back(call, &proof, r);
}
