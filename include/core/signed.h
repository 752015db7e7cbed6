/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside core: signatures around an access token's header and claims. */
#ifndef DOCKET_CORE_SIGNED_H
#define DOCKET_CORE_SIGNED_H

#include "base/ecdsa.h"
#include "core/jose.h"
#include "core/memo.h"
#include "core/ring.h"

#define TOKEN_TYP "at+jwt"

/* HS256's MAC has 32 bytes, ES256's two numbers 64. */
struct signature {
	uint8_t b[ECDSA_BYTES];
	size_t n;
};

/* Of "header.claims" by this key. 0 or a fault. */
int token_sign(const struct ring_key *key, struct text part,
    struct signature *ret);

/*
 * The parts, if the ring's key that the header names has signed them: E_TOKEN
 * or a fault if not. RFC 8725: the header holds typ, that key's alg and its kid
 * and nothing else. id: what a memo knows this token by; whoever finds it there
 * need not read the claims.
 */
int token_open(const struct token_ring *ring, const struct token_memo *memo,
    struct text token, struct jose *ret, uint8_t id[CRYPTO_HASH]);

#endif
