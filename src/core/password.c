/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Password hashes: the one door to libsodium. */
#include "core/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define OPSLIMIT 2ULL
#define MEMLIMIT_KIB 19456
#define MEMLIMIT ((size_t)MEMLIMIT_KIB * 1024)

#define SALT crypto_pwhash_SALTBYTES
#define TAG 32

/* What one of our PHC strings says. */
struct phc {
	unsigned long kib, passes;
	uint8_t salt[SALT], tag[TAG];
};

/* A hash that nothing matches, of today's cost. */
static const struct phc dummy = { .kib = MEMLIMIT_KIB, .passes = OPSLIMIT };

int
password_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
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
	return true;
}

static bool
unbase64(const char *in, uint8_t *out, size_t n)
{
	size_t got;

	return sodium_base642bin(out, n, in, strlen(in), NULL, &got, NULL,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 && got == n;
}

/* False for what password_hash does not make. */
static bool
phc_parse(const char *in, struct phc *ret)
{
	char salt[23], tag[44];
	int end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): three and seven digits fit. */
	return sscanf(in, "$argon2id$v=19$m=%7lu,t=%3lu,p=1$%22[^$]$%43[^$]%n",
	    &ret->kib, &ret->passes, salt, tag, &end) == 4 &&
	    in[end] == '\0' && ret->passes >= crypto_pwhash_OPSLIMIT_MIN &&
	    ret->kib >= crypto_pwhash_MEMLIMIT_MIN / 1024 &&
	    unbase64(salt, ret->salt, SALT) && unbase64(tag, ret->tag, TAG);
}

/* By hand: crypto_pwhash_str_verify calls it a wrong password too when there
 * was no memory. */
int
password_verify(struct text hash, struct text password, bool *ret_right)
{
	char in[crypto_pwhash_STRBYTES];
	uint8_t tag[TAG];
	struct phc phc;
	bool known = hash_string(hash, in) && phc_parse(in, &phc);

	/* Without a hash the answer is known, the time must not tell it. */
	if (!known)
		phc = dummy;
	if (crypto_pwhash(tag, TAG, password.s ? password.s : "", password.n,
	    phc.salt, phc.passes, phc.kib * 1024,
	    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return -ENOMEM;
	*ret_right = known && sodium_memcmp(tag, phc.tag, TAG) == 0;
	sodium_memzero(tag, TAG);
	return 0;
}

bool
password_stale(struct text hash)
{
	char phc[crypto_pwhash_STRBYTES];

	return !hash_string(hash, phc) ||
	    crypto_pwhash_str_needs_rehash(phc, OPSLIMIT, MEMLIMIT) != 0;
}
