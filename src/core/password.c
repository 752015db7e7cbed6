/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Password hashes: the one door to libsodium. */
#include "core/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define OPSLIMIT 2ULL
#define MEMLIMIT_KIB 19456
#define MEMLIMIT ((size_t)MEMLIMIT_KIB * 1024)

/* 22 and 43 characters: an all-zero salt of 16 bytes, a tag of 32. */
#define NO_SALT "AAAAAAAAAAAAAAAAAAAAAA"
#define NO_TAG "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* A hash that nothing matches, of today's cost. */
static char dummy[crypto_pwhash_STRBYTES];

int
password_init(void)
{
	if (sodium_init() < 0)
		return -EIO;
	snprintf(dummy, sizeof(dummy),
	    "$argon2id$v=%d$m=%d,t=%llu,p=1$" NO_SALT "$" NO_TAG, 19,
	    MEMLIMIT_KIB, OPSLIMIT);
	return 0;
}

int
password_hash(struct arena *mem, struct text password, struct text *ret)
{
	char out[crypto_pwhash_STRBYTES];

	/* Every byte counts, a NUL too: the length goes along. */
	if (crypto_pwhash_str_alg(out, password.s ? password.s : "",
	    password.n, OPSLIMIT, MEMLIMIT, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return -ENOMEM;
	ret->n = strlen(out);
	ret->s = arena_copy(mem, out, ret->n);
	return 0;
}

/* The PHC string NUL-terminated; false when it cannot be one of Argon2's. */
static bool
hash_string(struct text hash, char out[crypto_pwhash_STRBYTES])
{
	if (!hash.s || hash.n >= crypto_pwhash_STRBYTES ||
	    memchr(hash.s, '\0', hash.n))
		return false;
	memcpy(out, hash.s, hash.n);
	out[hash.n] = '\0';
	return crypto_pwhash_str_needs_rehash(out, OPSLIMIT, MEMLIMIT) >= 0;
}

bool
password_verify(struct text hash, struct text password)
{
	char phc[crypto_pwhash_STRBYTES];
	const char *secret = password.s ? password.s : "";

	if (hash_string(hash, phc))
		return crypto_pwhash_str_verify(phc, secret, password.n) == 0;
	/* The answer is known, the time must not tell it. */
	(void)!crypto_pwhash_str_verify(dummy, secret, password.n);
	return false;
}

bool
password_stale(struct text hash)
{
	char phc[crypto_pwhash_STRBYTES];

	return !hash_string(hash, phc) ||
	    strncmp(phc, crypto_pwhash_argon2id_STRPREFIX,
	    sizeof(crypto_pwhash_argon2id_STRPREFIX) - 1) != 0 ||
	    crypto_pwhash_str_needs_rehash(phc, OPSLIMIT, MEMLIMIT) != 0;
}
