/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts: registration and the caller's own profile. */
#include "api/api.h"
#include "api/grants.h"
#include "api/new_password.h"
#include "api/proofs.h"
#include "api/shapes.h"
#include "base/error.h"
#include "core/names.h"
#include "store/otps.h"
#include "web/access.h"

const char *const user_roles[] = { "user", "admin", NULL };
const char *const user_statuses[] = { "Y", "N", NULL };

static const struct field user_rows[] = { USER_ROWS(struct user, ) };
const struct fields user_object = FIELDS("User", user_rows, struct user);

struct register_in {
	struct seen seen;
	struct text username, password, email, phone;
	struct text otp, verification_token, role;
};

#define IN struct register_in
static const struct field register_rows[] = {
	F_CHECK(TEXT, IN, username, "username", FIELD_REQUIRED, 3, 64, name_check_username, "3 to 64 characters, unique whatever its case", "\"exampleuser\""),
	F_CHECK(TEXT, IN, password, "password", FIELD_REQUIRED | FIELD_SECRET, 0, 0, check_password, CHECK_PASSWORD_DOC, "\"securepassword\""),
	F_CHECK(TEXT, IN, email, "email", FIELD_NULLABLE, 0, 254, name_check_email, "Unique when given", "\"exampleuser@example.com\""),
	F_CHECK(TEXT, IN, phone, "phone", FIELD_NULLABLE, 0, 32, name_check_phone, "E.164, unique when given", "\"+989121234567\""),
	F_CHECK(TEXT, IN, phone, "mobile_no", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""),
	F_CHECK(TEXT, IN, phone, "mobile", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""),
	F(TEXT, IN, otp, "otp", FIELD_NULLABLE | FIELD_SECRET, 0, 16, "A code sent to the phone, or to the e-mail address when no phone is given", "\"123456\""),
	F(TEXT, IN, verification_token, "verification_token", FIELD_NULLABLE | FIELD_SECRET, 0, 128, "Instead of otp: what POST /otp/verify gave", NULL),
	F_ENUM(IN, role, "role", FIELD_NULLABLE, user_roles, "Other than user: needs an admin bearer", "\"user\""),
};
#undef IN
const struct fields register_body =
    FIELDS("Registration", register_rows, struct register_in);

/* Anybody may become a user; only an admin makes an admin (C8). */
static int
register_may(struct call *call, const struct register_in *in)
{
	struct principal admin;
	int r;

	if (!in->role.s || text_is(in->role, "user"))
		return 0;
	r = access_bearer(call, &admin);
	if (r == E_TOKEN_MISSING)
		return E_ROLE;
	if (r)
		return r;
	admin.need_admin = true;
	return store_session_check(call->app->db, call->mem, &admin);
}

static int
register_demands(struct call *call, const struct register_in *in)
{
	const char *want = call->app->settings->auth_register_require;
	const bool proven = in->otp.s || in->verification_token.s;
	const struct password_owner owner = { in->username, in->email,
		in->phone };

	(void)password_demand(call, "/password", in->password, &owner);
	if (in->otp.s && in->verification_token.s)
		call_fault(call, "/otp", "duplicate",
		    "give otp or verification_token, not both");
	if (proven && !in->phone.s && !in->email.s)
		call_fault(call, "/phone", "required",
		    "the code was sent to a phone or an email: name it");
	if (strcmp(want, "email") == 0 && !in->email.s)
		call_fault(call, "/email", "required", "must be given");
	if (strcmp(want, "phone_otp") == 0 && !in->phone.s)
		call_fault(call, "/phone", "required", "must be given");
	if (strcmp(want, "phone_otp") == 0 && !proven)
		call_fault(call, "/otp", "required", "must be given");
	return call->faults.n ? E_INVALID : 0;
}

/* The proof that the address is the caller's: a code, a token, or nothing. */
static int
register_proof(struct call *call, const struct register_in *in,
    struct new_user *user)
{
	const struct proof_in members = {
		in->phone, in->email, in->otp, in->verification_token
	};
	struct proof proof;
	int r;

	if (!in->otp.s && !in->verification_token.s)
		return 0;
	r = proof_take(call, &members, TEXT("register"), &proof);
	if (r)
		return r;
	user->otp_id = proof.otp_id;
	user->proof = proof.hash;
	user->proof_address = proof.address;
	return 0;
}

static int
register_user(struct call *call, const struct register_in *in,
    struct new_user *ret)
{
	int r;

	ret->username = in->username;
	ret->email = in->email;
	ret->phone = in->phone;
	ret->role = in->role.s ? in->role : TEXT("user");
	r = crypto_uuid(&ret->id, &ret->created_at);
	if (r)
		return r;
	r = name_key(call->mem, in->username, &ret->username_key);
	if (r || !in->email.s)
		return r;
	return name_key(call->mem, in->email, &ret->email_key);
}

int
api_register(struct call *call)
{
	const struct register_in *in = call->body;
	struct auth_reply *out = arena_alloc(call->mem, sizeof(*out));
	struct new_user user = { 0 };
	struct new_session session;
	struct user made;
	int r;

	if ((r = register_may(call, in)) ||
	    (r = register_demands(call, in)) ||
	    (r = register_user(call, in, &user)) ||
	    (r = grants_session(call, &session)) ||
	    (r = register_proof(call, in, &user)))
		return r;
	r = grants_hash(call, in->password, &user.hash);
	if (r == 0)
		r = store_user_register(call->app->db, call->mem, &user,
		    &session, &made);
	/* A right code that bought nothing is not a guess. */
	if (r && !uuid_is_nil(&user.otp_id))
		(void)store_otp_refund(call->app->db, call->mem,
		    &user.otp_id);
	if (r)
		return r;
	call->reply.object = out;
	return grants_reply(call, &made, &session.id, out);
}

const struct fields user_reply = FIELDS("User", user_rows, struct user);

int
api_me(struct call *call)
{
	struct user *me = arena_alloc(call->mem, sizeof(*me));

	call->reply.object = me;
	return store_user_me(call->app->db, call->mem, &call->who, me);
}
