/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's memory of the claims it has read: one place for each id. */
#include "core/memo.h"

#include <stdlib.h>
#include <string.h>

/* A power of two; an HMAC's first bytes are as good as random. */
#define PLACES 2048

struct place {
	uint8_t id[CRYPTO_HASH];
	struct claims claims;	/* exp 0: empty */
};

struct token_memo {
	struct secret key;
	struct place v[PLACES];
};

struct token_memo *
token_memo_new(void)
{
	struct token_memo *memo = calloc(1, sizeof(*memo));

	if (memo && crypto_random(memo->key.b, CRYPTO_HASH)) {
		free(memo);
		return NULL;
	}
	if (memo)
		memo->key.n = CRYPTO_HASH;
	return memo;
}

void
token_memo_free(struct token_memo *memo)
{
	if (memo)
		secret_done(&memo->key);
	free(memo);
}

int
token_memo_id(const struct token_memo *memo, struct text token,
    uint8_t id[CRYPTO_HASH])
{
	memset(id, 0, CRYPTO_HASH);
	return memo ? crypto_hmac(&memo->key, token.s, token.n, id) : 0;
}

static size_t
place_of(const uint8_t id[CRYPTO_HASH])
{
	return (size_t)(id[0] << 8 | id[1]) & (PLACES - 1);
}

const struct claims *
token_memo_find(const struct token_memo *memo, const uint8_t id[CRYPTO_HASH])
{
	const struct place *p;

	if (!memo)
		return NULL;
	p = &memo->v[place_of(id)];
	return p->claims.exp > 0 && memcmp(p->id, id, CRYPTO_HASH) == 0 ?
	    &p->claims : NULL;
}

void
token_memo_keep(struct token_memo *memo, const uint8_t id[CRYPTO_HASH],
    const struct claims *claims)
{
	struct place *p;

	if (!memo)
		return;
	p = &memo->v[place_of(id)];
	memcpy(p->id, id, CRYPTO_HASH);
	p->claims = *claims;
}
