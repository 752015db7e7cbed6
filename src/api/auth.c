/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Token pairs: /auth/token by its grants, /auth/refresh. */
#include "api/api.h"
#include "api/fields.h"
#include "api/grants.h"
#include "api/login.h"
#include "api/proofs.h"
#include "base/error.h"
#include "base/metrics.h"
#include "core/names.h"
#include "core/token.h"
#include "web/limit.h"
#include "web/notice.h"

struct token_in {
	struct seen seen;
	struct text grant_type, username, password, refresh_token, scope;
	struct text email, phone, otp;
};

#define IN struct token_in
static const struct field token_rows[] = {
	F(TEXT, IN, grant_type, "grant_type", FIELD_NULLABLE, 0, 0, "password (when absent), refresh_token or otp", "\"password\""),
	F(TEXT, IN, username, "username", FIELD_NULLABLE, 0, 0, "User name, email or phone", "\"johndoe\""),
	F(TEXT, IN, password, "password", FIELD_NULLABLE | FIELD_SECRET, 0, 0, "For grant_type=password", "\"password123\""),
	F(TEXT, IN, refresh_token, "refresh_token", FIELD_NULLABLE | FIELD_SECRET, 0, 0, "For grant_type=refresh_token", NULL),
	F(TEXT, IN, phone, "phone", FIELD_NULLABLE, 0, 0, "For grant_type=otp: E.164; or give email", "\"+989121234567\""),
	F(TEXT, IN, phone, "mobile", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 0, "= phone", "\"+989121234567\""),
	F(TEXT, IN, phone, "mobile_no", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 0, "= phone", "\"+989121234567\""),
	F(TEXT, IN, email, "email", FIELD_NULLABLE, 0, 0, "For grant_type=otp, instead of a phone", NULL),
	F(TEXT, IN, otp, "otp", FIELD_NULLABLE | FIELD_SECRET, 0, 0, "For grant_type=otp: a code of purpose login", "\"123456\""),
	F(TEXT, IN, scope, "scope", FIELD_NULLABLE, 0, 0, "Ignored: the user's role decides", NULL),
};
#undef IN
const struct fields token_body = {
	"TokenRequest", token_rows, sizeof(token_rows) / sizeof(token_rows[0]),
	sizeof(struct token_in), true
};

#define OUT struct auth_reply
static const struct field token_reply_rows[] = {
	F(TEXT, OUT, access_token, "access_token", 0, 0, 0, "JWT (RFC 9068)", "\"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.e30.c2ln\""),
	F(TEXT, OUT, token_type, "token_type", 0, 0, 0, "", "\"bearer\""),
	F(INT, OUT, expires_in, "expires_in", 0, 0, 0, "Seconds", "600"),
	F(TEXT, OUT, refresh_token, "refresh_token", 0, 0, 0, "Opaque", "\"AQGTb1x-S3wanWAPWj8cK00AAAAAAAAAAA\""),
	F(TEXT, OUT, scope, "scope", 0, 0, 0, "Granted scopes", "\"tasks:read tasks:write account\""),
};
#undef OUT
const struct fields token_reply =
    FIELDS("Tokens", token_reply_rows, struct auth_reply);

/* Same counter, same successor; see store/sessions.h for the theft rule. */
static int
refresh(struct call *call, struct text token, struct auth_reply *ret)
{
	const struct settings *set = call->app->settings;
	struct principal who = { 0 };
	struct refreshed fresh = { .stolen = false };
	int64_t counter;
	int r;

	r = refresh_parse(&call->app->key_refresh, token, &who.session_id,
	    &counter);
	if (r == E_REFRESH)
		metrics_count(COUNT_REFRESH_REFUSED);
	if (r == 0)
		r = limit_session(call, &who.session_id);
	if (r)
		return r;
	r = store_session_refresh(call->app->db, call->mem, &who.session_id,
	    counter, set->auth_refresh_idle, &call->client, &fresh);
	if (fresh.stolen)
		notice(call, EVENT_refresh_reuse, &fresh.user_id);
	else if (r == E_REFRESH)
		metrics_count(COUNT_REFRESH_REFUSED);
	if (r)
		return r;
	metrics_count(COUNT_REFRESH_OK);
	who.user_id = fresh.user_id;
	return grants_tokens(call, &who, fresh.role, fresh.counter, ret);
}

static int
token_password(struct call *call, const struct token_in *in,
    struct auth_reply *ret)
{
	int r;

	if (!call->app->settings->auth_password_grant)
		return E_GRANT_TYPE;
	if (in->username.n == 0 || in->password.n == 0)
		return call_refuse(call, E_INVALID,
		    "username and password are needed");
	r = login_password(call, in->username, USER_BY_NAME, in->password,
	    ret);
	return r == E_CREDENTIALS || r == E_USER_INACTIVE ? E_GRANT : r;
}

static int
token_refresh(struct call *call, const struct token_in *in,
    struct auth_reply *ret)
{
	int r;

	if (in->refresh_token.n == 0)
		return call_refuse(call, E_INVALID,
		    "refresh_token is needed");
	r = refresh(call, in->refresh_token, ret);
	return r == E_REFRESH ?
	    call_refuse(call, E_GRANT, error_row(E_REFRESH)->detail) : r;
}

/* Whatever is wrong with the address, a code for it there is not. */
static int
token_otp(struct call *call, const struct token_in *in,
    struct auth_reply *ret)
{
	struct proof proof = { .hash = TEXT_NONE };
	struct login_try named;
	struct new_session session;
	struct user user;
	int r;

	if (in->otp.n == 0 || (in->phone.n == 0) == (in->email.n == 0))
		return call_refuse(call, E_INVALID,
		    "otp and one of phone and email are needed");
	if ((r = login_ident(call, in->phone.n ? in->phone : in->email,
	    in->phone.n ? USER_BY_PHONE : USER_BY_EMAIL, &named)) ||
	    (r = grants_session(call, &session)) ||
	    (r = grants_code(call, named.ident, TEXT("login"), in->otp,
	    &proof.otp_id)))
		return r;
	proof.address = named.ident;
	r = store_login_code(call->app->db, call->mem, &proof, &session,
	    &user);
	if (r)
		return proof_back(call, &proof, r);
	return grants_reply(call, &user, &session.id, ret);
}

static const struct {
	const char *grant;
	int (*serve)(struct call *, const struct token_in *,
	    struct auth_reply *);
} grants[] = {
	{ "password",		token_password },
	{ "refresh_token",	token_refresh },
	{ "otp",		token_otp },
};

int
api_token(struct call *call)
{
	const struct token_in *in = call->body;
	struct auth_reply *out = arena_alloc(call->mem, sizeof(*out));
	const struct text grant = in->grant_type.n ? in->grant_type :
	    in->refresh_token.n && !in->username.n ? TEXT("refresh_token") :
	    TEXT("password");

	call->reply.object = out;
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		if (text_is(grant, grants[i].grant))
			return grants[i].serve(call, in, out);
	return E_GRANT_TYPE;
}

struct refresh_in {
	struct seen seen;
	struct text refresh_token;
};

static const struct field refresh_rows[] = {
	F(TEXT, struct refresh_in, refresh_token, "refresh_token", FIELD_REQUIRED | FIELD_SECRET, 0, 0, "The newest one", NULL),
};
const struct fields refresh_body =
    FIELDS("Refresh", refresh_rows, struct refresh_in);

int
api_refresh(struct call *call)
{
	const struct refresh_in *in = call->body;
	struct auth_reply *out = arena_alloc(call->mem, sizeof(*out));

	call->reply.object = out;
	return refresh(call, in->refresh_token, out);
}
