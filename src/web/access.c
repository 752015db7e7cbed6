/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Authorization header -> principal, by the route's access column. */
#include "web/access.h"

#include <strings.h>

#include "base/clock.h"
#include "base/error.h"

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

int
access_check(struct call *call)
{
	int r;

	if (call->route->access == ACCESS_PUBLIC)
		return 0;
	r = access_bearer(call, &call->who);
	if (r)
		return r;
	call->who.need_admin = call->route->access == ACCESS_ADMIN;
	return 0;
}
