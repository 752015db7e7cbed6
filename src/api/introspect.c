/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tokens in the hands of other programs: take one back, ask about one. */
#include "api/api.h"
#include "api/fields.h"
#include "base/clock.h"
#include "base/error.h"
#include "core/scope.h"
#include "core/token.h"
#include "store/revoke.h"
#include "web/access.h"

struct token_in {
	struct seen seen;
	struct text token, hint;
};

/* The hint (RFC 7009 §2.1) saves others a look-up: ours tell themselves. */
#define IN struct token_in
static const struct field token_rows[] = {
	F(TEXT, IN, token, "token", FIELD_REQUIRED | FIELD_SECRET, 0, 0, "An access or a refresh token", NULL),
	F(TEXT, IN, hint, "token_type_hint", FIELD_NULLABLE, 0, 0, "Not needed: a token says itself what it is", "\"refresh_token\""),
};
#undef IN

#define BODY(name_) { \
	name_, token_rows, sizeof(token_rows) / sizeof(token_rows[0]), \
	sizeof(struct token_in), true }

const struct fields revoke_body = BODY("Revocation");
const struct fields introspect_body = BODY("Introspection");

/* Whichever of the two kinds it is. */
struct token_out {
	bool refresh;
	struct uuid user_id;	/* nil for a refresh token, which has none */
	struct uuid session_id;
	int64_t counter;	/* of a refresh token */
	struct claims claims;	/* of an access token */
	struct token_words words;
};

/* 0, E_TOKEN for what is neither, or a fault. */
static int
token_read(struct call *call, struct text token, struct token_out *ret)
{
	const struct token_policy policy = access_policy(call->app);
	int r = refresh_parse(&call->app->key_refresh, token,
	    &ret->session_id, &ret->counter);

	ret->refresh = r == 0;
	if (r != E_REFRESH)
		return r;
	r = token_inspect(call->mem, call->app->ring, &policy,
	    clock_real_us() / TIME_SECOND, token, &ret->claims, &ret->words);
	if (r)
		return r;
	ret->user_id = ret->claims.user_id;
	ret->session_id = ret->claims.session_id;
	return 0;
}

/* ---- RFC 7009 ---- */

/* The same answer for a token that never was: there is nothing to revoke. */
int
api_revoke(struct call *call)
{
	const struct token_in *in = call->body;
	struct token_out token = { .refresh = false };
	int r = token_read(call, in->token, &token);

	if (r)
		return r == E_TOKEN ? 0 : r;
	return store_session_revoke(call->app->db, call->mem,
	    &token.session_id, &token.user_id, &call->client);
}

/* ---- RFC 7662 ---- */

struct introspection {
	bool active;
	struct text scope, client_id, username, token_type, aud, iss, jti, role;
	int64_t exp, iat;
	struct uuid sub, sid;
};

#define OUT struct introspection
static const struct field introspect_rows[] = {
	F(BOOL, OUT, active, "active", 0, 0, 0, "False: the others are left out", "true"),
	F(TEXT, OUT, scope, "scope", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "What the user's role grants now", "\"tasks:read tasks:write account\""),
	F(TEXT, OUT, client_id, "client_id", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "Whom it was issued to", "\"docket\""),
	F(TEXT, OUT, username, "username", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "As the user spells it", "\"exampleuser\""),
	F(TEXT, OUT, token_type, "token_type", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "Bearer or refresh_token", "\"Bearer\""),
	F(INT, OUT, exp, "exp", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "Unix seconds", "1800000600"),
	F(INT, OUT, iat, "iat", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "Unix seconds", "1800000000"),
	F(UUID, OUT, sub, "sub", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "The user's id", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""),
	F(TEXT, OUT, aud, "aud", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "", "\"docket\""),
	F(TEXT, OUT, iss, "iss", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "", "\"https://docket.example\""),
	F(TEXT, OUT, jti, "jti", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "The token's id; of a refresh token session and counter", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4e\""),
	F(UUID, OUT, sid, "sid", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "The session's id", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4f\""),
	F(TEXT, OUT, role, "role", FIELD_NULLABLE | FIELD_PARTIAL, 0, 0, "The user's role now", "\"user\""),
};
#undef OUT
const struct fields introspect_reply =
    FIELDS("IntrospectionReply", introspect_rows, struct introspection);

#define ONLY_ACTIVE 1	/* the first row */

/* Would it be taken this moment? Of refresh tokens the newest one, and the one
 * before it, whose use gives the same successor. */
static bool
is_active(const struct token_out *token, const struct session_facts *facts)
{
	if (token->refresh)
		return token->counter == facts->counter ||
		    token->counter == facts->counter - 1;
	return uuid_equal(&token->user_id, &facts->user_id);
}

static struct text
word(struct call *call, const char *s)
{
	return s[0] ? text_of(arena_copy(call->mem, s, strlen(s))) : TEXT_NONE;
}

static void
access_print(struct call *call, const struct token_out *token,
    struct introspection *out)
{
	out->token_type = TEXT("Bearer");
	out->client_id = word(call, token->words.client_id);
	out->jti = word(call, token->words.jti);
	out->exp = token->claims.exp;
	out->iat = token->claims.iat ? token->claims.iat : INT_NONE;
}

static void
refresh_print(struct call *call, const struct token_out *token,
    const struct session_facts *facts, struct introspection *out)
{
	char id[UUID_CHARS];

	uuid_format(&token->session_id, id);
	out->token_type = TEXT("refresh_token");
	out->client_id = TEXT("docket");
	out->jti = text_of(arena_printf(call->mem, "%.*s.%lld", UUID_CHARS,
	    id, (long long)token->counter));
	out->exp = facts->ends_at / TIME_SECOND;
	out->iat = facts->used_at / TIME_SECOND;
}

/* Everything but times and names of the token is the database's word. */
static void
active_print(struct call *call, const struct token_out *token,
    const struct session_facts *facts, struct introspection *out)
{
	const struct settings *set = call->app->settings;

	*out = (struct introspection){
		.active = true,
		.scope = scope_of_role(facts->role),
		.username = facts->username,
		.aud = text_of(set->auth_audience),
		.iss = text_of(set->auth_issuer),
		.sub = facts->user_id,
		.sid = token->session_id,
		.role = facts->role,
	};
	if (token->refresh)
		refresh_print(call, token, facts, out);
	else
		access_print(call, token, out);
	call->reply.only = FIELD_ALL;
}

int
api_introspect(struct call *call)
{
	const struct token_in *in = call->body;
	struct introspection *out = arena_alloc(call->mem, sizeof(*out));
	struct token_out token = { .refresh = false };
	struct session_facts facts;
	bool live;
	int r = token_read(call, in->token, &token);

	/* No session then: the statement still says who may ask. */
	if (r == E_TOKEN)
		token.session_id = (struct uuid){ 0 };
	else if (r)
		return r;
	call->reply.object = out;
	call->reply.only = ONLY_ACTIVE;
	r = store_session_facts(call->app->db, call->mem, &call->who,
	    &token.session_id, &live, &facts);
	if (r == 0 && live && is_active(&token, &facts))
		active_print(call, &token, &facts, out);
	return r;
}
