/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Authorization and X-API-Key -> principal, as the route's row demands. */
#include "web/access.h"

#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "core/scope.h"
#include "web/api_key.h"
#include "web/cookie.h"

#define TOKEN_MAX (8 * 1024)

static const bool b64token[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
	['+'] = true, ['/'] = true,
};

/* RFC 6750 §2.1: 1*( ALPHA / DIGIT / - . _ ~ + / ) *"=" */
static bool
token_is_sane(struct text token)
{
	size_t n = 0;

	while (n < token.n && b64token[(uint8_t)token.s[n]])
		n++;
	if (n == 0)
		return false;
	while (n < token.n && token.s[n] == '=')
		n++;
	return n == token.n && token.n <= TOKEN_MAX;
}

struct text
access_token(struct text header, bool *ret_other_scheme)
{
	static const struct text scheme = { "Bearer", 6 };
	struct text token;

	*ret_other_scheme = header.n < scheme.n ||
	    strncasecmp(header.s, scheme.s, scheme.n) != 0 ||
	    (header.n > scheme.n && header.s[scheme.n] != ' ');
	if (*ret_other_scheme)
		return TEXT_NONE;
	token = (struct text){ header.s + scheme.n, header.n - scheme.n };
	while (token.n && token.s[0] == ' ')
		token = (struct text){ token.s + 1, token.n - 1 };
	return token_is_sane(token) ? token : TEXT_NONE;
}

struct token_policy
access_policy(const struct app *app)
{
	const struct settings *set = app->settings;

	return (struct token_policy){
		.issuer = text_of(set->auth_issuer),
		.audience = text_of(set->auth_audience),
		.ttl = set->auth_access_ttl,
		.skew = set->auth_clock_skew,
		.memo = app->memo,
	};
}

/* One credential (RFC 6750 §2.1); another scheme is no credential of ours. */
int
access_bearer(struct call *call, struct principal *ret)
{
	const struct token_policy policy = access_policy(call->app);
	struct text token;
	bool other;

	if (!call->req->authorization.s)
		return E_TOKEN_MISSING;
	if (call->req->two_authorizations)
		return E_TOKEN;
	token = access_token(call->req->authorization, &other);
	if (other)
		return E_TOKEN_MISSING;
	if (!token.s)
		return E_TOKEN;
	return token_check(call->mem, call->app->ring, &policy,
	    clock_real_us() / TIME_SECOND, token, ret);
}

/* ---- a bearer, an API key, or both ---- */

/* What a route asks for: which are needed, and whether a key counts at all. */
struct demand {
	bool bearer, key, takes_key;
};

static const struct demand bearer_alone = { true, false, false };
static const struct demand either = { false, false, true };

static const struct {
	const char *setting;
	struct demand demand;
} tasks_auths[] = {
	{ "jwt",	{ true, false, false } },
	{ "either",	{ false, false, true } },
	{ "apikey",	{ false, true, true } },
	{ "jwt+apikey",	{ true, true, true } },
};

static struct demand
tasks_demand(const struct settings *set)
{
	size_t i = sizeof(tasks_auths) / sizeof(tasks_auths[0]) - 1;

	while (i > 0 &&
	    strcmp(set->auth_tasks_auth, tasks_auths[i].setting) != 0)
		i--;
	return tasks_auths[i].demand;
}

static struct demand
demand_of(const struct call *call)
{
	const struct route *route = call->route;

	if (route->access == ACCESS_ADMIN_OR_KEY)
		return either;
	if (!route->scope)
		return bearer_alone;
	return route->flags & ROUTE_TASKS ?
	    tasks_demand(call->app->settings) : either;
}

/* A key beside a bearer only takes away: both have to be good for it. */
static int
key_beside(struct call *call, const struct key_claims *key)
{
	if (!uuid_is_nil(&key->user_id) &&
	    !uuid_equal(&key->user_id, &call->who.user_id))
		return E_API_KEY;
	call->who.key_id = key->id;
	call->who.scopes &= key->scopes;
	return 0;
}

/* A key alone acts as its owner; an application's is nobody's. */
static int
key_alone(struct call *call, const struct key_claims *key)
{
	if (uuid_is_nil(&key->user_id) &&
	    call->route->access != ACCESS_ADMIN_OR_KEY)
		return E_TOKEN_MISSING;
	call->by_key = true;
	call->who.user_id = key->user_id;
	call->who.session_id = key->session_id;
	call->who.scopes = key->scopes;
	call->who.key_id = key->id;
	return 0;
}

/* Beside a bearer no statement checks the key's own session: it is looked up
 * each time. */
static int
access_key(struct call *call, bool beside, bool fresh)
{
	struct key_claims key;
	int r;

	r = api_key_resolve(call, fresh || beside, &key, &call->key_known);
	if (r)
		return r;
	return beside ? key_beside(call, &key) : key_alone(call, &key);
}

static int
access_credentials(struct call *call, const struct demand *want)
{
	const bool key = want->takes_key && call->req->api_key.s;
	int r = access_bearer(call, &call->who);

	if (r == E_TOKEN_MISSING && call->route->flags & ROUTE_GATE)
		r = cookie_principal(call, &call->who);
	if (r && r != E_TOKEN_MISSING)
		return r;
	if (r && (want->bearer || (!want->key && !key)))
		return r;
	if (want->key && !key)
		return E_API_KEY_MISSING;
	return key ? access_key(call, r == 0, false) : 0;
}

int
access_check(struct call *call)
{
	struct demand want;
	int r;

	if (call->route->access == ACCESS_PUBLIC)
		return 0;
	want = demand_of(call);
	r = access_credentials(call, &want);
	if (r)
		return r;
	call->who.need_admin = call->route->access == ACCESS_ADMIN ||
	    (call->route->access == ACCESS_ADMIN_OR_KEY &&
	    uuid_is_nil(&call->who.key_id));
	return 0;
}

int
access_renew(struct call *call)
{
	return call->key_known ? access_key(call, false, true) : E_API_KEY;
}

static bool
scope_suffices(const struct call *call)
{
	return !call->route->scope ||
	    call->who.scopes & scope_bit(text_of(call->route->scope));
}

int
access_scope(struct call *call)
{
	int r;

	if (scope_suffices(call))
		return 0;
	if (!call->key_known)
		return E_SCOPE;
	r = access_renew(call);
	if (r)
		return r;
	return scope_suffices(call) ? 0 : E_SCOPE;
}

bool
access_is_stale(const struct call *call, int error)
{
	return call->by_key && (error == E_TOKEN_REVOKED ||
	    error == E_USER_INACTIVE || error == E_USER_DELETED);
}
