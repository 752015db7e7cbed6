/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Claims that were read before, found again by what vouched for them. */
#ifndef DOCKET_CORE_MEMO_H
#define DOCKET_CORE_MEMO_H

#include <stdint.h>

#include "base/crypto.h"
#include "base/principal.h"

/* What a token says once its issuer and audience are known to be right.
 * Times are Unix seconds; an absent nbf or iat is 0. */
struct claims {
	struct uuid user_id, session_id;
	int64_t exp, nbf, iat;
	unsigned scopes;	/* core/scope.h; all when there is no claim */
};

/*
 * Reading claims costs five times as much as the MAC in front of it, and a
 * client sends the same token again and again. So a worker remembers what it
 * read. A claim of HS256 is known by the MAC that has just been computed and
 * compared: equal MACs mean equal bytes under an equal key, or HMAC is broken.
 * Verifying ES256 costs more than all the rest, and its signatures differ each
 * time, so such a token is known by an HMAC of all of it, signature included,
 * under a key that only this memo has. Nothing is accepted by this that a MAC
 * or signature has not vouched for, byte for byte, and time is looked at anew.
 * A memo lives as long as the ring that it was filled by.
 */
struct token_memo;

/* About 180 KiB, touched as it fills. NULL: no memory or randomness. */
struct token_memo *token_memo_new(void);
void token_memo_free(struct token_memo *memo);

/* What a whole token is known by; all zeros to a NULL memo. 0 or a fault. */
int token_memo_id(const struct token_memo *memo, struct text token,
    uint8_t id[CRYPTO_HASH]);
/* NULL: not there; also of a NULL memo, which remembers nothing. */
const struct claims *token_memo_find(const struct token_memo *memo,
    const uint8_t id[CRYPTO_HASH]);
/* Takes the place of whichever was there. */
void token_memo_keep(struct token_memo *memo, const uint8_t id[CRYPTO_HASH],
    const struct claims *claims);

#endif
