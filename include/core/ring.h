/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The key ring inside core: what token.c looks keys up in. */
#ifndef DOCKET_CORE_RING_H
#define DOCKET_CORE_RING_H

#include <stddef.h>

#include "base/crypto.h"
#include "base/text.h"
#include "core/token.h"

#define RING_KEYS 16
#define RING_KID 64
#define SECRET_MIN 32

struct ring_key {
	char kid[RING_KID + 1];
	const char *alg;	/* RFC 7518 name, static */
	struct secret secret;
};

struct token_ring {
	struct ring_key v[RING_KEYS];
	size_t n;
	size_t current;		/* the one that signs */
};

/* NULL: no such key. */
const struct ring_key *ring_find(const struct token_ring *ring,
    struct text kid);

#endif
