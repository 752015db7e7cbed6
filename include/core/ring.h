/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The key ring: what token.c looks keys up in, what `docket key` turns. */
#ifndef DOCKET_CORE_RING_H
#define DOCKET_CORE_RING_H

#include <stddef.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/text.h"
#include "core/token.h"

#define RING_KEYS 16
#define RING_KID 64

enum ring_role {
	RING_NEXT,	/* known to all, signs nothing yet */
	RING_CURRENT,	/* signs */
	RING_PREVIOUS,	/* signs nothing any more */
};

struct ring_key {
	char kid[RING_KID + 1];
	const char *alg;	/* RFC 7518 name, static */
	struct secret secret;	/* HS256: the key; ES256: the scalar d */
	struct crypto_pair pair;	/* ES256 alone; else its key is NULL */
	enum ring_role role;
	int64_t since;		/* Unix seconds when it took the role;
				 * 0: nobody wrote it down */
};

struct token_ring {
	struct ring_key v[RING_KEYS];
	size_t n;
	size_t current;		/* the one that signs */
};

/* NULL: no such key. */
const struct ring_key *ring_find(const struct token_ring *ring,
    struct text kid);
/* The static name, or NULL: none that is known. */
const char *ring_algorithm(struct text name);
const char *ring_role_name(enum ring_role role);
/* What the algorithm needs beside the secret. NULL, or why not. */
const char *ring_key_load(struct ring_key *key);

/* No keys yet. NULL: no memory. */
struct token_ring *token_ring_new(void);

/*
 * Turning the ring (core/ring_turn.c); instants are Unix seconds. 0, -ENOSPC
 * for more than RING_KEYS, or a fault; the ring is as it was then.
 */

/* One key more: the current one of an empty ring, else a next one. */
int ring_generate(struct token_ring *ring, const char *alg, int64_t now);

struct ring_turn {
	const char *alg;	/* of a key that is made */
	int64_t now;
	int64_t keep;		/* seconds that tokens live: no previous key
				 * leaves earlier */
	bool at_once;		/* also a key that nobody has seen yet */
};

/*
 * The first next key signs from now on, the current one becomes a previous
 * one, previous ones past their time leave, and there is a next one again.
 * *ret_turned is false when there was no next key: then only that was made,
 * because who has not read the file anew would refuse what it signs.
 */
int ring_rotate(struct token_ring *ring, const struct ring_turn *turn,
    bool *ret_turned);

/* The file. Its bytes are secret: whoever has the buffer cleanses it. */
void ring_print(const struct token_ring *ring, struct arena *mem,
    struct buf *out);

#endif
