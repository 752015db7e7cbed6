/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's memory of the claims it has read: one place for each MAC. */
#include "core/memo.h"

#include <stdlib.h>
#include <string.h>

/* A power of two; a MAC's first bytes are as good as random. */
#define PLACES 2048

struct place {
	uint8_t mac[CRYPTO_HASH];
	struct claims claims;	/* exp 0: empty */
};

struct token_memo {
	struct place v[PLACES];
};

struct token_memo *
token_memo_new(void)
{
	return calloc(1, sizeof(struct token_memo));
}

void
token_memo_free(struct token_memo *memo)
{
	free(memo);
}

static size_t
place_of(const uint8_t mac[CRYPTO_HASH])
{
	return (size_t)(mac[0] << 8 | mac[1]) & (PLACES - 1);
}

const struct claims *
token_memo_find(const struct token_memo *memo, const uint8_t mac[CRYPTO_HASH])
{
	const struct place *p;

	if (!memo)
		return NULL;
	p = &memo->v[place_of(mac)];
	return p->claims.exp > 0 && memcmp(p->mac, mac, CRYPTO_HASH) == 0 ?
	    &p->claims : NULL;
}

void
token_memo_keep(struct token_memo *memo, const uint8_t mac[CRYPTO_HASH],
    const struct claims *claims)
{
	struct place *p;

	if (!memo)
		return;
	p = &memo->v[place_of(mac)];
	memcpy(p->mac, mac, CRYPTO_HASH);
	p->claims = *claims;
}
