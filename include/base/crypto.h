/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The OpenSSL door: hashes, MACs, sealing, signatures; randomness, base64url. */
#ifndef DOCKET_BASE_CRYPTO_H
#define DOCKET_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"

#define CRYPTO_HASH 32

/* Key material. Cleansed by secret_done; never printed. */
struct secret {
	uint8_t b[64];
	size_t n;
};

void secret_done(struct secret *s);

/* Fetch the algorithms once a process, before the first call; 0 or -EIO. A
 * forked child may go on with them; threads may not share them. */
int crypto_init(void);
void crypto_done(void);

/* The system's random source. 0 or -EIO; the bytes are unusable on failure. */
int crypto_random(void *out, size_t n);
/* A new UUIDv7 for the current instant; ret_us (may be NULL) gets the very
 * millisecond inside it, in µs, so that created_at and id sort alike. */
int crypto_uuid(struct uuid *ret, int64_t *ret_us);

int crypto_sha256(const void *in, size_t n, uint8_t out[CRYPTO_HASH]);
/* RFC 2104. -EINVAL for an empty key. */
int crypto_hmac(const struct secret *key, const void *in, size_t n,
    uint8_t out[CRYPTO_HASH]);
/* RFC 5869 with SHA-256, no salt: a key of 32 bytes for one purpose from the
 * master secret. -EINVAL for an empty one. */
int crypto_derive(const struct secret *master, const char *purpose,
    struct secret *ret);
/* A fast 128-bit digest for ETags (GMAC, fixed key); no security claim. */
int crypto_digest(const void *in, size_t n, uint8_t out[16]);

/* For imported password hashes (core/hash.h), whose cost the caller bounds:
 * PBKDF2 with HMAC (RFC 8018 §5.2) and scrypt (RFC 7914). n bytes to out. 0,
 * -ENOMEM or -EIO. */
enum crypto_digest { CRYPTO_SHA1, CRYPTO_SHA256, CRYPTO_SHA512 };

struct crypto_cost {
	enum crypto_digest digest;	/* PBKDF2 */
	uint32_t rounds;		/* PBKDF2's count, scrypt's N */
	uint32_t r, p;			/* scrypt */
};

int crypto_pbkdf2(const struct crypto_cost *cost, struct text password,
    struct text salt, uint8_t *out, size_t n);
int crypto_scrypt(const struct crypto_cost *cost, struct text password,
    struct text salt, uint8_t *out, size_t n);

/* Inside base: what OpenSSL's failure was. With what we give it, it fails for
 * want of memory; not every layer says so, and some say nothing: malloc's errno
 * does. -ENOMEM or -EIO. */
int crypto_fault(void);

bool crypto_equal(const void *a, const void *b, size_t n);

/* AES-256-GCM, random nonce in front, tag behind; `aad` is bound, not stored.
 * The key has 32 bytes (else -EINVAL). The result is in the arena.
 * crypto_open: E_SEAL (> 0) when it does not fit. */
int crypto_seal(struct arena *mem, const struct secret *key, struct text aad,
    struct text plain, struct text *ret);
int crypto_open(struct arena *mem, const struct secret *key, struct text aad,
    struct text sealed, struct text *ret);

/*
 * A key pair on P-256 from its private scalar, 32 bytes big-endian, which
 * base/ecdsa.h must have found sane. Signatures of a hash are in DER here;
 * base/ecdsa.h has those of JOSE. `n` holds the room in `der`, then what was
 * written. crypto_pair_verify: E_SEAL when it is not this key's.
 */
#define CRYPTO_SCALAR 32
#define CRYPTO_POINT 65		/* 4, x, y */

struct crypto_pair {
	void *key;		/* NULL: none */
	uint8_t point[CRYPTO_POINT];
};

int crypto_pair_load(const struct secret *d, struct crypto_pair *ret);
void crypto_pair_done(struct crypto_pair *pair);
int crypto_pair_sign(const struct crypto_pair *pair,
    const uint8_t hash[CRYPTO_HASH], uint8_t *der, size_t *n);
int crypto_pair_verify(const struct crypto_pair *pair,
    const uint8_t hash[CRYPTO_HASH], const uint8_t *der, size_t n);

/* RFC 4648 §5 without padding. The decoder refuses padding, other alphabets,
 * and non-canonical final bits: one value has one spelling. */
struct text base64url_encode(struct arena *mem, const void *in, size_t n);
/* False when malformed or longer than cap bytes. */
bool base64url_decode(struct text t, void *out, size_t cap, size_t *ret_n);

#endif
