/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The caller's own account: another name, another address, its end. */
#include "api/api.h"
#include "api/passwords.h"
#include "api/proofs.h"
#include "base/error.h"

struct me_in {
	struct seen seen;
	struct text phone, email, username, otp, verification_token;
};

/* The rows whose null says something. */
enum { ME_PHONE = 0, ME_EMAIL = 3 };

#define IN struct me_in
static const struct field me_rows[] = {
	PROOF_ADDRESS_ROWS(IN),
	F_CHECK(TEXT, IN, username, "username", 0, 3, 64, name_check_username, "3 to 64 characters, unique whatever its case", "\"exampleuser\""),
	PROOF_ROWS(IN),
};
#undef IN
const struct fields me_body = FIELDS("ProfileChange", me_rows, struct me_in);

/* What a registration must bring cannot be taken away afterwards. */
static void
me_demands(struct call *call, const struct me_in *in)
{
	const char *want = call->app->settings->auth_register_require;

	if (in->seen.null >> ME_EMAIL & 1 && strcmp(want, "email") == 0)
		call_fault(call, "/email", "required",
		    "every account here has one");
	if (in->seen.null >> ME_PHONE & 1 && strcmp(want, "phone_otp") == 0)
		call_fault(call, "/phone", "required",
		    "every account here has one");
}

static int
me_change(struct call *call, const struct me_in *in,
    struct account_change *ret)
{
	int r = 0;

	*ret = (struct account_change){
		.username = in->username,
		.set_email = seen_has(&in->seen, ME_EMAIL),
		.set_phone = seen_has(&in->seen, ME_PHONE),
		.email = in->email,
		.phone = in->phone,
	};
	if (in->email.s)
		ret->email_masked = name_mask(call->mem, in->email);
	if (in->phone.s)
		ret->phone_masked = name_mask(call->mem, in->phone);
	if (in->username.s)
		r = name_key(call->mem, in->username, &ret->username_key);
	if (r || !in->email.s)
		return r;
	return name_key(call->mem, in->email, &ret->email_key);
}

/* A guess is written down before the statement that asks who is there. */
static int
me_live(struct call *call)
{
	return store_session_check(call->app->db, call->mem, &call->who);
}

static int
me_proof(struct call *call, const struct proof_in *in, struct proof *ret)
{
	int r = in->otp.s ? me_live(call) : 0;

	return r ? r : proof_take(call, in, TEXT("change"), ret);
}

int
api_me_change(struct call *call)
{
	const struct me_in *in = call->body;
	const struct proof_in members = {
		in->phone, in->email, in->otp, in->verification_token
	};
	struct user *me = arena_alloc(call->mem, sizeof(*me));
	struct account_change change;
	int r;

	call->reply.object = me;
	proof_check(call, &members);
	me_demands(call, in);
	if (call->faults.n)
		return E_INVALID;
	if (in->seen.set == 0)
		return store_user_me(call->app->db, call->mem, &call->who, me);
	if ((r = me_change(call, in, &change)) ||
	    (r = me_proof(call, &members, &change.proof)))
		return r;
	r = store_account_change(call->app->db, call->mem, &call->who,
	    &change, &call->client, me);
	if (r == E_PROOF_NEEDED)
		call_fault(call, "/otp", "required", "must be given");
	return proof_back(call, &change.proof, r);
}

struct leave_in {
	struct seen seen;
	struct text password, phone, email, otp, verification_token;
};

#define IN struct leave_in
static const struct field leave_rows[] = {
	F(TEXT, IN, password, "password", FIELD_NULLABLE | FIELD_SECRET, 0, 0, "The password", "\"securepassword\""),
	PROOF_ADDRESS_ROWS(IN),
	PROOF_ROWS(IN),
};
#undef IN
const struct fields leave_body =
    FIELDS("AccountDeletion", leave_rows, struct leave_in);

/* The password, or where there is none a code to an address of the account. */
static int
leave_check(struct call *call, const struct leave_in *in,
    const struct proof_in *members)
{
	const bool proven = in->otp.s || in->verification_token.s;

	if (in->password.s && proven)
		call_fault(call, "/otp", "duplicate",
		    "give the password or a code, not both");
	if (!in->password.s && !proven)
		call_fault(call, "/password", "required", "must be given");
	proof_check(call, members);
	return call->faults.n ? E_INVALID : 0;
}

static int
leave(struct call *call, const struct leave_in *in,
    const struct proof_in *members)
{
	struct text hash = TEXT_NONE;
	struct proof proof = { .hash = TEXT_NONE };
	int r;

	if (!in->password.s)
		r = me_proof(call, members, &proof);
	else if ((r = me_live(call)) == 0)
		r = password_again(call, in->password, &hash);
	if (r)
		return r;
	r = store_account_delete(call->app->db, call->mem, &call->who, hash,
	    &proof, &call->client);
	return proof_back(call, &proof, r);
}

int
api_me_delete(struct call *call)
{
	static const struct message done = { TEXT_INIT("Account deleted") };
	const struct leave_in *in = call->body;
	const struct proof_in members = {
		in->phone, in->email, in->otp, in->verification_token
	};
	int r;

	call->reply.object = &done;
	r = leave_check(call, in, &members);
	if (r)
		return r;
	r = leave(call, in, &members);
	if (r == E_PASSWORD_WRONG)
		call_fault(call, "/password", in->password.s ? "format" :
		    "required", in->password.s ? "is wrong" :
		    "this account has one");
	return r;
}
