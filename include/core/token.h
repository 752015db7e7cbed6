/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libjwt door: the key ring, access tokens, refresh tokens. */
#ifndef DOCKET_CORE_TOKEN_H
#define DOCKET_CORE_TOKEN_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/principal.h"
#include "base/text.h"
#include "base/uuid.h"
#include "core/memo.h"

struct token_ring;

/*
 * Lines `current|next|previous KID ALG BASE64URL`, '#' comments; exactly one
 * current; a comment "# since INSTANT" says it of the key in the next line.
 * For ES256 the bytes are the private scalar (RFC 7518 §6.2.2.1's `d`). Refused
 * with "setting: file:line: why" on err (setting NULL: without it): a key under 32 bytes, a known default (alpha,
 * secret, changeme, ... also repeated or padded), no scalar of P-256, one key
 * for two algorithms, a KID that is not 1-64 of [A-Za-z0-9._-], a KID twice,
 * an unknown ALG, a file that others can read. NULL then.
 */
struct token_ring *token_ring_load(const char *setting, const char *file,
    FILE *err);
void token_ring_free(struct token_ring *ring);

/* The same rules for the master secret: one line of base64url. 0 or -EINVAL */
int secret_load(const char *setting, const char *file, FILE *err,
    struct secret *ret);

struct token_policy {
	struct text issuer, audience;
	int64_t ttl, skew;	/* seconds */
	struct token_memo *memo;	/* of what this issuer and audience
					 * let pass; NULL: none */
};

/*
 * RFC 9068: header typ at+jwt and kid; iss, aud, sub, sid, role, scope,
 * client_id, iat, exp, jti. now: Unix seconds. 0 or a fault.
 */
int token_issue(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now,
    const struct principal *who, struct text role, struct text *ret);

/*
 * RFC 8725: our own parse of the header first (exactly typ at+jwt, a kid of
 * the ring, that key's alg, nothing else: no crit, jku, x5u, jwk), then the
 * MAC or signature, then exp, nbf, iat, iss, aud, sub, sid. E_TOKEN for
 * whatever is wrong; ret gets user_id, session_id and scopes.
 */
int token_check(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now, struct text token,
    struct principal *ret);

/* Claims that are told (RFC 7662) and decide nothing; "" when a token has none,
 * or more than fits. */
#define TOKEN_WORD 128

struct token_words {
	char client_id[TOKEN_WORD], jti[TOKEN_WORD];
};

/* The same rules, and all that the token says; nothing is remembered. */
int token_inspect(struct arena *mem, const struct token_ring *ring,
    const struct token_policy *policy, int64_t now, struct text token,
    struct claims *ret, struct token_words *ret_words);

/*
 * The refresh token: base64url of version, session, counter and a truncated
 * HMAC under a key of its own. Nothing secret is stored, and the same counter
 * always gives the same token. refresh_parse: E_REFRESH.
 */
int refresh_make(struct arena *mem, const struct secret *key,
    const struct uuid *session, int64_t counter, struct text *ret);
int refresh_parse(const struct secret *key, struct text token,
    struct uuid *ret_session, int64_t *ret_counter);

#endif
