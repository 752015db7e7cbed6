/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Claims that were read before, found again by the MAC over them. */
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
};

/*
 * Reading claims costs five times as much as the MAC in front of it, and a
 * client sends the same token again and again. So a worker remembers what it
 * read. The key is the MAC that it has just computed and compared: equal MACs
 * mean equal bytes under an equal key, or HMAC is broken. Nothing is accepted
 * by this that the MAC does not vouch for anew, and time is looked at anew.
 */
struct token_memo;

/* About 180 KiB, touched as it fills. NULL: no memory. */
struct token_memo *token_memo_new(void);
void token_memo_free(struct token_memo *memo);

/* NULL: not there; also of a NULL memo, which remembers nothing. */
const struct claims *token_memo_find(const struct token_memo *memo,
    const uint8_t mac[CRYPTO_HASH]);
/* Takes the place of whichever was there. */
void token_memo_keep(struct token_memo *memo, const uint8_t mac[CRYPTO_HASH],
    const struct claims *claims);

#endif
