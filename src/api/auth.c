/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Logging in and keeping the tokens fresh: /auth, /auth/token, /auth/refresh. */
#include "api/api.h"
#include "api/fields.h"
#include "api/grants.h"
#include "api/passwords.h"
#include "api/proofs.h"
#include "base/error.h"
#include "core/names.h"
#include "core/password.h"
#include "core/token.h"
#include "web/limit.h"

struct login_in {
	struct seen seen;
	struct text username, email, phone, password;
};

#define IN struct login_in
static const struct field login_rows[] = {
	F(TEXT, IN, email, "email", FIELD_NULLABLE, 0, 0, "One of email, username and phone", "\"exampleuser@example.com\""),
	F(TEXT, IN, username, "username", FIELD_NULLABLE, 0, 0, "A user name; an email or phone is taken too", "\"exampleuser\""),
	F(TEXT, IN, phone, "phone", FIELD_NULLABLE, 0, 0, "E.164", "\"+989121234567\""),
	F(TEXT, IN, password, "password", FIELD_NULLABLE | FIELD_SECRET, 0, 0, "The password", "\"securepassword\""),
};
#undef IN
const struct fields login_body = FIELDS("Login", login_rows, struct login_in);

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

/* Four bytes for each character that an e-mail address may have. */
#define IDENT_MAX (4 * 254)

/* Which account a name means, in canonical form. A name that has no canonical
 * form, or that nobody can have, is nobody's: it is looked up all the same and
 * costs the same. */
static int
login_ident(struct call *call, struct text name, enum user_key by,
    struct login_try *ret)
{
	const char *why;

	if (by == USER_BY_NAME && memchr(name.s, '@', name.n))
		by = USER_BY_EMAIL;
	if (by == USER_BY_NAME && name.s[0] == '+')
		by = USER_BY_PHONE;
	ret->by = by;
	ret->ident = TEXT("");
	if (name.n > IDENT_MAX)
		return 0;
	if (by != USER_BY_PHONE)
		return name_key(call->mem, name, &ret->ident);
	ret->ident = name;
	(void)name_check_phone(call->mem, &ret->ident, &why);
	return 0;
}

static int
login_hash(struct call *call, const char *what, struct text *ret)
{
	uint8_t *hash = arena_alloc(call->mem, CRYPTO_HASH);

	*ret = (struct text){ (char *)hash, CRYPTO_HASH };
	return crypto_hmac(&call->app->key_subject, what, strlen(what), hash);
}

/* One counter per account and client network, one per client; see
 * store/users.h. */
static int
login_subject(struct call *call, struct login_try *try_)
{
	const struct settings *set = call->app->settings;
	const struct text net = call->client.network;
	int r;

	try_->limit = set->limits_login_failures;
	try_->window = set->limits_login_window;
	try_->lock = set->limits_login_lock;
	try_->lock_most = set->limits_login_lock_most;
	try_->client_limit = set->limits_login_client;
	r = login_hash(call, arena_printf(call->mem, "client %.*s",
	    TEXT_FMT(limit_client(&call->client))), &try_->client);
	if (r)
		return r;
	r = login_hash(call, arena_printf(call->mem, "net %.*s",
	    TEXT_FMT(net)), &try_->network);
	if (r)
		return r;
	return login_hash(call, arena_printf(call->mem, "%d %.*s %.*s",
	    try_->by, TEXT_FMT(net), TEXT_FMT(try_->ident)), &try_->subject);
}

/* Known or not, locked by which of them or by both: all of it looks alike. */
static int
login_refuse(struct call *call, const struct login_try *try_,
    const struct login_found *found)
{
	int64_t wait = found->retry_account;

	if (wait)
		limit_tell(call, &(struct limit){
			"login", try_->limit, try_->window, 0, wait });
	if (found->retry_client)
		limit_tell(call, &(struct limit){
			"login-client", try_->client_limit, 60, 0,
			found->retry_client });
	if (wait < found->retry_client)
		wait = found->retry_client;
	return call_refuse_later(call, E_RATE, (long)wait);
}

/* The audit row, and what is left. */
static int
login_failed(struct call *call, const struct login_try *try_,
    const struct login_found *found)
{
	const int64_t left = try_->limit - found->failures;
	const int r = store_login_failed(call->app->db, call->mem, found,
	    &call->client);

	limit_tell(call, &(struct limit){
		"login", try_->limit, try_->window, left > 0 ? left : 0,
		found->locked ? found->locked : found->reset });
	return r ? r : E_CREDENTIALS;
}

static int
login_open(struct call *call, const struct login_found *found,
    struct text password, struct auth_reply *ret)
{
	struct text rehash = TEXT_NONE;
	struct new_session session;
	struct user user;
	int r;

	if (password_stale(found->hash, password) &&
	    (r = grants_hash(call, password, &rehash)))
		return r;
	r = grants_session(call, &session);
	if (r)
		return r;
	r = store_login_done(call->app->db, call->mem, found, rehash,
	    &session, &user);
	if (r == E_USER_DELETED)
		return E_CREDENTIALS;
	if (r)
		return r;
	return grants_reply(call, &user, &session.id, ret);
}

static int
login_compare(struct call *call, const struct login_try *try_,
    const struct login_found *found, struct text password,
    struct auth_reply *ret)
{
	bool right;
	int r;

	r = grants_verify(call, found->hash, password, &right);
	if (r)
		return r;
	return right ? login_open(call, found, password, ret) :
	    login_failed(call, try_, found);
}

static int
login_once(struct call *call, const struct login_try *try_,
    struct text password, struct auth_reply *ret)
{
	struct login_found found;
	int r;

	r = store_login_try(call->app->db, call->mem, try_, &found);
	if (r == E_RATE)
		return login_refuse(call, &try_, &found);
	if (r)
		return r;
	r = login_compare(call, &try_, &found, password, ret);
	/* Only failures count, and not being served is none of the user's. */
	if (r && error_row(r)->status >= 500)
		(void)store_login_back(call->app->db, call->mem, &found);
	return r;
}

/* E_CREDENTIALS for whatever does not fit, at the same price. */
static int
login_password(struct call *call, struct text name, enum user_key by,
    struct text password, struct auth_reply *ret)
{
	struct login_try try_;
	int r;

	if ((r = login_ident(call, name, by, &try_)) ||
	    (r = login_subject(call, &try_)))
		return r;
	r = login_once(call, &try_, password, ret);
	/* Another login has made the hash anew meanwhile, or the password was
	 * changed: which, is seen now. */
	if (r == E_NONE)
		r = login_once(call, &try_, password, ret);
	return r == E_NONE ? E_CREDENTIALS : r;
}

/* Wrong is wrong at the same price; right is none of the tries. */
static int
again_compare(struct call *call, const struct login_found *found,
    struct text password)
{
	bool right;
	int r;

	r = grants_verify(call, found->hash, password, &right);
	if (r)
		return r;
	if (right)
		return store_login_back(call->app->db, call->mem,
		    found->subject);
	r = store_login_failed(call->app->db, call->mem, &found->id,
	    &call->client);
	return r ? r : E_PASSWORD_WRONG;
}

int
password_again(struct call *call, struct text password, struct text *ret_hash)
{
	struct login_try try_ = { .by = USER_BY_ID };
	struct login_found found;
	char *id = arena_alloc(call->mem, UUID_CHARS);
	int r;

	uuid_format(&call->who.user_id, id);
	try_.ident = (struct text){ id, UUID_CHARS };
	if ((r = store_session_check(call->app->db, call->mem, &call->who)) ||
	    (r = login_subject(call, &try_)))
		return r;
	r = store_login_try(call->app->db, call->mem, &try_, &found);
	if (r == E_RATE)
		return call_refuse_later(call, r, found.retry_after);
	if (r)
		return r;
	r = again_compare(call, &found, password);
	if (r && error_row(r)->status >= 500)
		(void)store_login_back(call->app->db, call->mem,
		    found.subject);
	*ret_hash = found.hash;
	return r;
}

int
api_login(struct call *call)
{
	const struct login_in *in = call->body;
	struct auth_reply *out = arena_alloc(call->mem, sizeof(*out));

	call->reply.object = out;
	if (in->password.n == 0)
		return E_CREDENTIALS_MISSING;
	if (in->email.n)
		return login_password(call, in->email, USER_BY_EMAIL,
		    in->password, out);
	if (in->username.n)
		return login_password(call, in->username, USER_BY_NAME,
		    in->password, out);
	if (in->phone.n)
		return login_password(call, in->phone, USER_BY_PHONE,
		    in->password, out);
	return E_CREDENTIALS_MISSING;
}

/* Same counter, same successor; see store/sessions.h for the theft rule. */
static int
refresh(struct call *call, struct text token, struct auth_reply *ret)
{
	const struct settings *set = call->app->settings;
	struct principal who = { 0 };
	struct refreshed fresh;
	int64_t counter;
	int r;

	r = refresh_parse(&call->app->key_refresh, token, &who.session_id,
	    &counter);
	if (r == 0)
		r = limit_session(call, &who.session_id);
	if (r)
		return r;
	r = store_session_refresh(call->app->db, call->mem, &who.session_id,
	    counter, set->auth_refresh_idle, &call->client, &fresh);
	if (r)
		return r;
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
