/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Passwords that are tried: counted, compared, and a session for a right one. */
#include "api/login.h"

#include "api/api.h"
#include "api/fields.h"
#include "api/passwords.h"
#include "base/error.h"
#include "base/metrics.h"
#include "core/names.h"
#include "core/password.h"
#include "web/limit.h"
#include "web/notice.h"

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

/* Four bytes for each character that an e-mail address may have. */
#define IDENT_MAX (4 * 254)

int
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

	notice(call, EVENT_login_refused, &found->id);
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

	notice(call, EVENT_login_failed, &found->id);
	if (found->locked > 0)
		notice(call, EVENT_login_locked, &found->id);
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

/* Count the try, then compare: 0 when the password was right. Only failures
 * count, and not being served is none of the user's. */
static int
login_evaluate(struct call *call, const struct login_try *try_,
    struct text password, struct login_found *found)
{
	bool right = false;
	int r;

	r = store_login_try(call->app->db, call->mem, try_, found);
	if (r == E_RATE)
		return login_refuse(call, try_, found);
	if (r)
		return r;
	r = grants_verify(call, found->hash, password, &right);
	if (r)
		(void)store_login_back(call->app->db, call->mem, found);
	if (r == 0 && !right)
		return login_failed(call, try_, found);
	return r;
}

static int
login_once(struct call *call, const struct login_try *try_,
    struct text password, struct auth_reply *ret)
{
	struct login_found found;
	int r;

	r = login_evaluate(call, try_, password, &found);
	if (r)
		return r;
	r = login_open(call, &found, password, ret);
	/* What is tried again (login_password) is one try. */
	if (r != E_NONE)
		metrics_count(COUNT_LOGIN_OK);
	if (r && error_row(r)->status >= 500)
		(void)store_login_back(call->app->db, call->mem, &found);
	return r;
}

int
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

int
password_again(struct call *call, struct text password, struct text *ret_hash)
{
	struct login_try try_ = { .by = USER_BY_ID };
	struct login_found found;
	char *id = arena_alloc(call->mem, UUID_CHARS);
	int r;

	uuid_format(&call->who.user_id, id);
	try_.ident = (struct text){ id, UUID_CHARS };
	r = login_subject(call, &try_);
	if (r == 0)
		r = login_evaluate(call, &try_, password, &found);
	if (r)
		return r == E_CREDENTIALS ? E_PASSWORD_WRONG : r;
	metrics_count(COUNT_LOGIN_OK);
	*ret_hash = found.hash;
	return store_login_back(call->app->db, call->mem, &found);
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
