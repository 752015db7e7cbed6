/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate for other sites: may the caller in, and the cookie for browsers. */
#include "api/api.h"
#include "api/fields.h"
#include "base/error.h"
#include "core/scope.h"
#include "store/users.h"
#include "web/call.h"
#include "web/cookie.h"

struct check_in {
	struct seen seen;
	struct text role, scope;
};

/* Words that do not exist are no faults of the request: nginx would make a
 * 500 of a 400, and it is a visitor who sees it. They let nobody in. */
static const struct field query_rows[] = {
	F(TEXT, struct check_in, role, "role", 0, 1, 64, "admin: admins alone; user: whoever has an account; any other lets nobody in", "\"admin\""),
	F(TEXT, struct check_in, scope, "scope", 0, 1, 200, "What token or key must be good for, between blanks; one that does not exist lets nobody in", "\"tasks:read\""),
};
const struct fields check_query =
    FIELDS("CheckQuery", query_rows, struct check_in);

static int
lacks(struct call *call, const char *scope)
{
	call->reply.lacks = scope;
	return E_SCOPE;
}

/* An admin's key that was not given the scope opens no admin's page. */
static int
check_role(struct call *call, const struct user *user, struct text role)
{
	if (!role.s || text_is(role, "user"))
		return 0;
	if (!text_is(role, "admin"))
		return call_refuse(call, E_ROLE,
		    "There is no such role, so nobody has it.");
	if (!text_is(user->role, "admin"))
		return E_ROLE;
	return call->who.scopes & MAY_ADMIN ? 0 : lacks(call, "admin");
}

/* The word at the front of words between blanks, none at their end. */
static struct text
word_next(struct text *rest)
{
	const char *blank;
	struct text word;

	while (rest->n && rest->s[0] == ' ')
		*rest = (struct text){ rest->s + 1, rest->n - 1 };
	blank = memchr(rest->s, ' ', rest->n);
	word = (struct text){ rest->s,
	    blank ? (size_t)(blank - rest->s) : rest->n };
	*rest = (struct text){ rest->s + word.n, rest->n - word.n };
	return word;
}

/* Each of them, of what the credential has and the user's role has now. */
static int
check_scope(struct call *call, const struct user *user, struct text scope)
{
	const unsigned may = call->who.scopes &
	    scope_words(scope_of_role(user->role));
	struct text word;

	if (!scope.s)
		return 0;
	while ((word = word_next(&scope)).n) {
		const unsigned bit = scope_bit(word);

		if (!bit)
			return call_refuse(call, E_SCOPE,
			    "There is no such scope, so nobody has it.");
		if (!(may & bit))
			return lacks(call, arena_copy(call->mem, word.s,
			    word.n));
	}
	return 0;
}

/* A header holds ASCII: all but RFC 3986's unreserved characters as %XX of
 * their UTF-8, which any percent-decoding undoes. */
static struct text
name_escape(struct arena *mem, struct text name)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char *out = arena_array(mem, name.n, 3);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		const uint8_t c = (uint8_t)name.s[i];

		if (c && strchr(plain, c)) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return (struct text){ out, n };
}

static void
tell(struct call *call, const struct user *user)
{
	char *id = arena_alloc(call->mem, UUID_CHARS);

	uuid_format(&user->id, id);
	call_header(call, "X-User-Id", (struct text){ id, UUID_CHARS });
	call_header(call, "X-User-Name",
	    name_escape(call->mem, user->username));
	call_header(call, "X-User-Role", user->role);
}

int
api_check(struct call *call)
{
	const struct check_in *in = call->query;
	struct user user;
	int r;

	if ((r = store_user_me(call->app->db, call->mem, &call->who, &user)) ||
	    (r = check_role(call, &user, in->role)) ||
	    (r = check_scope(call, &user, in->scope)))
		return r;
	tell(call, &user);
	return 0;
}

struct cookie_out {
	struct text message;
	int64_t expires_in;
};

static const struct field cookie_rows[] = {
	F(TEXT, struct cookie_out, message, "message", 0, 0, 0, "What was done", "\"Cookie set\""),
	F(INT, struct cookie_out, expires_in, "expires_in", 0, 0, 0, "Seconds", "43200"),
};
const struct fields cookie_reply =
    FIELDS("Cookie", cookie_rows, struct cookie_out);

static bool
has_cookie(const struct call *call)
{
	return *call->app->settings->auth_gate_cookie;
}

int
api_cookie_set(struct call *call)
{
	struct cookie_out *out = arena_alloc(call->mem, sizeof(*out));
	int r;

	call->reply.object = out;
	out->message = TEXT("Cookie set");
	r = store_session_check(call->app->db, call->mem, &call->who);
	if (r)
		return r;
	return has_cookie(call) ?
	    cookie_set(call, &call->who, &out->expires_in) : E_NOT_FOUND;
}

/* Whatever the cookie was, it is gone afterwards: signing out does not fail
 * because one is signed out already. */
int
api_cookie_end(struct call *call)
{
	static const struct message done = { TEXT_INIT("Signed out") };
	struct principal who;
	int r;

	call->reply.object = &done;
	if (!has_cookie(call))
		return E_NOT_FOUND;
	r = cookie_principal(call, &who);
	if (r == 0)
		r = store_session_end(call->app->db, call->mem, &who, false,
		    &call->client);
	if (r < 0 || (r > 0 && error_row(r)->status != 401))
		return r;
	cookie_clear(call);
	return 0;
}
