/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Access tokens: the one door to libjwt, which is never trusted alone. */
#include <errno.h>
#include <jwt.h>
#include <stdlib.h>

#include "base/ecdsa.h"
#include "base/error.h"
#include "core/scope.h"
#include "core/signed.h"
#include "core/token.h"

#define TOKEN_CLIENT "docket"

/*
 * libjwt 1.10 writes typ "JWT" whatever it is told, and refuses any other typ
 * when it decodes, so it cannot make or take an access token of RFC 9068. It
 * keeps the claims here: builds them, parses them (jansson: duplicates, NUL
 * and trailing bytes refused) and gives them out by type. The header and the
 * MAC around them are ours, and no claim is parsed before the MAC is right.
 */
struct grant {
	const char *name;
	const char *value;
};

static const char *
id_string(struct arena *mem, const struct uuid *id)
{
	char out[UUID_CHARS];

	uuid_format(id, out);
	return arena_copy(mem, out, sizeof(out));
}

/* Fill an empty set of claims. libjwt says EINVAL for whatever goes wrong; with
 * names and values as ours it is memory alone. */
static int
compose(jwt_t *jwt, const struct grant *grants, size_t n, int64_t now,
    int64_t ttl)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = jwt_add_grant(jwt, grants[i].name, grants[i].value);
	if (!r)
		r = jwt_add_grant_int(jwt, "iat", (long)now);
	if (!r)
		r = jwt_add_grant_int(jwt, "exp", (long)(now + ttl));
	return r ? -ENOMEM : 0;
}

/* *ret is malloc'ed. No arena in here: a jump out of it would lose the jwt. */
static int
claims_json(const struct grant *grants, size_t n, int64_t now, int64_t ttl,
    char **ret)
{
	jwt_t *jwt;
	int r;

	if (jwt_new(&jwt))
		return -ENOMEM;
	r = compose(jwt, grants, n, now, ttl);
	if (!r) {
		*ret = jwt_get_grants_json(jwt, NULL);
		if (!*ret)
			r = -ENOMEM;
	}
	jwt_free(jwt);
	return r;
}

/* header.claims.signature */
static int
assemble(struct arena *mem, const struct ring_key *key, struct text claims,
    struct text *ret)
{
	char *header = arena_printf(mem,
	    "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"" TOKEN_TYP "\"}",
	    key->alg, key->kid);
	struct text part = base64url_encode(mem, header, strlen(header));
	char *body = arena_printf(mem, "%.*s.%.*s", TEXT_FMT(part),
	    TEXT_FMT(claims));
	struct signature signature;
	int r = token_sign(key, text_of(body), &signature);

	if (r)
		return r;
	part = base64url_encode(mem, signature.b, signature.n);
	*ret = text_of(arena_printf(mem, "%s.%.*s", body, TEXT_FMT(part)));
	return 0;
}

int
token_issue(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now,
    const struct principal *who, struct text role, struct text *ret)
{
	struct text claims;
	struct uuid jti;
	char *json;
	int r = crypto_uuid(&jti, NULL);

	if (r)
		return r;
	const struct grant grants[] = {
		{ "iss", arena_text(mem, policy->issuer).s },
		{ "aud", arena_text(mem, policy->audience).s },
		{ "sub", id_string(mem, &who->user_id) },
		{ "sid", id_string(mem, &who->session_id) },
		{ "role", arena_text(mem, role).s },
		{ "scope", scope_of_role(role).s },
		{ "client_id", TOKEN_CLIENT },
		{ "jti", id_string(mem, &jti) },
	};

	r = claims_json(grants, sizeof(grants) / sizeof(grants[0]), now,
	    policy->ttl, &json);
	if (r)
		return r;
	claims = base64url_encode(mem, json, strlen(json));
	free(json);
	return assemble(mem, &ring->v[ring->current], claims, ret);
}

static bool
grant_is(jwt_t *jwt, const char *name, struct text want)
{
	const char *value = jwt_get_grant(jwt, name);

	return value && text_equal(text_of(value), want);
}

static bool
grant_uuid(jwt_t *jwt, const char *name, struct uuid *ret)
{
	const char *value = jwt_get_grant(jwt, name);

	return value && uuid_parse(text_of(value), ret) && !uuid_is_nil(ret);
}

/* True when the claim is a positive integer, or when it is absent and may be.
 * libjwt says 0, and no error, for what is no integer. */
static bool
grant_instant(jwt_t *jwt, const char *name, bool required, int64_t *at)
{
	long value;

	errno = 0;
	value = jwt_get_grant_int(jwt, name);
	if (errno == ENOENT)
		return !required;
	if (value <= 0)
		return false;
	*at = value;
	return true;
}

/* A token of ours without the claim is good for everything; admins are made
 * by the role that the database has, whatever the token was issued for. */
static unsigned
grant_scopes(jwt_t *jwt)
{
	const char *value = jwt_get_grant(jwt, "scope");

	return value ? scope_words(text_of(value)) | MAY_ADMIN : MAY_ALL;
}

/* All but the time of day. */
static bool
claims_read(jwt_t *jwt, const struct token_policy *policy, struct claims *ret)
{
	*ret = (struct claims){ .scopes = grant_scopes(jwt) };
	return grant_instant(jwt, "exp", true, &ret->exp) &&
	    grant_instant(jwt, "nbf", false, &ret->nbf) &&
	    grant_instant(jwt, "iat", false, &ret->iat) &&
	    grant_is(jwt, "iss", policy->issuer) &&
	    grant_is(jwt, "aud", policy->audience) &&
	    grant_uuid(jwt, "sub", &ret->user_id) &&
	    grant_uuid(jwt, "sid", &ret->session_id);
}

static bool
times_hold(const struct claims *c, int64_t now, int64_t skew)
{
	return c->exp > now - skew && c->nbf <= now + skew &&
	    c->iat <= now + skew;
}

/* A claim that only says something, if it fits. */
static void
grant_copy(jwt_t *jwt, const char *name, char out[TOKEN_WORD])
{
	const char *value = jwt_get_grant(jwt, name);

	out[0] = '\0';
	if (value && strlen(value) < TOKEN_WORD)
		memcpy(out, value, strlen(value) + 1);
}

/* 0, E_TOKEN, or -ENOMEM, which is no reason to log in anew. more: also what
 * no decision hangs on, or NULL. */
static int
claims_parse(const char *json, const struct token_policy *policy,
    struct claims *ret, struct token_words *more)
{
	bool good, starved;
	jwt_t *jwt;

	if (jwt_new(&jwt))
		return -ENOMEM;
	/* It says EINVAL too when there was no memory; malloc says it here. */
	errno = 0;
	good = jwt_add_grants_json(jwt, json) == 0;
	starved = errno == ENOMEM;
	good = good && claims_read(jwt, policy, ret);
	if (good && more) {
		grant_copy(jwt, "client_id", more->client_id);
		grant_copy(jwt, "jti", more->jti);
	}
	jwt_free(jwt);
	if (starved)
		return -ENOMEM;
	return good ? 0 : E_TOKEN;
}

/* The claims of a part whose signature is right. */
static int
claims_decode(struct arena *mem, const struct token_policy *policy,
    struct text part, struct claims *ret, struct token_words *more)
{
	char *json = arena_alloc(mem, part.n + 1);
	size_t n;

	if (!base64url_decode(part, json, part.n, &n) || memchr(json, '\0', n))
		return E_TOKEN;
	json[n] = '\0';
	return claims_parse(json, policy, ret, more);
}

/* Out of the token, unless they were before. */
static int
claims_find(struct arena *mem, const struct token_policy *policy,
    struct text part, const uint8_t id[CRYPTO_HASH], struct claims *ret)
{
	const struct claims *known = token_memo_find(policy->memo, id);
	int r;

	if (known) {
		*ret = *known;
		return 0;
	}
	r = claims_decode(mem, policy, part, ret, NULL);
	if (r == 0)
		token_memo_keep(policy->memo, id, ret);
	return r;
}

int
token_check(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now, struct text token,
    struct principal *ret)
{
	uint8_t id[CRYPTO_HASH];
	struct claims claims;
	struct jose part;
	int r;

	r = token_open(ring, policy->memo, token, &part, id);
	if (r == 0)
		r = claims_find(mem, policy, part.claims, id, &claims);
	if (r)
		return r;
	if (!times_hold(&claims, now, policy->skew))
		return E_TOKEN;
	ret->user_id = claims.user_id;
	ret->session_id = claims.session_id;
	ret->scopes = claims.scopes;
	return 0;
}

int
token_inspect(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now, struct text token,
    struct claims *ret, struct token_words *ret_words)
{
	uint8_t id[CRYPTO_HASH];
	struct jose part;
	int r;

	r = token_open(ring, NULL, token, &part, id);
	if (r == 0)
		r = claims_decode(mem, policy, part.claims, ret, ret_words);
	if (r)
		return r;
	return times_hold(ret, now, policy->skew) ? 0 : E_TOKEN;
}
