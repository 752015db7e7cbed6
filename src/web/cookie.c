/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate's cookie (RFC 6265): read from a request, set by a reply. */
#include "web/cookie.h"

#include "base/clock.h"
#include "base/error.h"
#include "core/pass.h"
#include "core/scope.h"

/* The first pair of "a=1; b=2", without blanks around it; the rest stays. */
static struct text
pair_next(struct text *rest)
{
	const char *end = memchr(rest->s, ';', rest->n);
	struct text pair = { rest->s, end ? (size_t)(end - rest->s) : rest->n };

	*rest = end ? (struct text){ end + 1, rest->n - pair.n - 1 } :
	    TEXT_NONE;
	while (pair.n && pair.s[0] == ' ')
		pair = (struct text){ pair.s + 1, pair.n - 1 };
	while (pair.n && pair.s[pair.n - 1] == ' ')
		pair.n--;
	return pair;
}

/* How many cookies have that name, and the last one's value. */
static size_t
find(struct text header, const char *name, struct text *ret)
{
	const size_t n = strlen(name);
	size_t found = 0;

	while (header.s) {
		const struct text pair = pair_next(&header);

		if (pair.n <= n || pair.s[n] != '=' ||
		    memcmp(pair.s, name, n) != 0)
			continue;
		found++;
		*ret = (struct text){ pair.s + n + 1, pair.n - n - 1 };
	}
	return found;
}

int
cookie_principal(struct call *call, struct principal *ret)
{
	const char *name = call->app->settings->auth_gate_cookie;
	struct text value;
	struct pass pass;
	size_t found;
	int r;

	found = *name ? find(call->req->cookie, name, &value) : 0;
	if (found == 0)
		return E_TOKEN_MISSING;
	if (found > 1 || call->req->two_cookies)
		return E_TOKEN;
	r = pass_parse(&call->app->key_pass, value,
	    clock_real_us() / TIME_SECOND, &pass);
	if (r)
		return r;
	*ret = (struct principal){
		.user_id = pass.user_id,
		.session_id = pass.session_id,
		.scopes = MAY_ALL,
	};
	return 0;
}

/* No script reads it, no other site sends it, no plain HTTP carries it. */
static void
cookie_send(struct call *call, struct text value, int64_t seconds)
{
	const struct settings *set = call->app->settings;
	const char *domain = set->auth_gate_domain;

	call_header(call, "Set-Cookie", text_of(arena_printf(call->mem,
	    "%s=%.*s; Path=/; Max-Age=%lld; Secure; HttpOnly; "
	    "SameSite=Strict%s%s", set->auth_gate_cookie, (int)value.n,
	    value.s, (long long)seconds, *domain ? "; Domain=" : "",
	    domain)));
}

int
cookie_set(struct call *call, const struct principal *who,
    int64_t *ret_seconds)
{
	const int64_t seconds = call->app->settings->auth_gate_ttl;
	const struct pass pass = {
		.user_id = who->user_id,
		.session_id = who->session_id,
		.until = clock_real_us() / TIME_SECOND + seconds,
	};
	struct text value;
	int r;

	r = pass_make(call->mem, &call->app->key_pass, &pass, &value);
	if (r)
		return r;
	cookie_send(call, value, seconds);
	*ret_seconds = seconds;
	return 0;
}

void
cookie_clear(struct call *call)
{
	cookie_send(call, TEXT(""), 0);
}
