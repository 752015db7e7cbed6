/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a stored password hash says: Docket's own and those of others. */
#ifndef DOCKET_CORE_HASH_H
#define DOCKET_CORE_HASH_H

#include "base/crypto.h"
#include "base/text.h"

enum hash_scheme {
	HASH_ARGON2,	/* RFC 9106, PHC string; also with Django's argon2$ */
	HASH_BCRYPT,	/* $2a$, $2b$, $2y$; also with Django's bcrypt$ */
	HASH_PBKDF2,	/* Django, Werkzeug, passlib */
	HASH_SCRYPT,	/* Django, Werkzeug, passlib */
	HASH__MAX
};

enum hash_argon2 { HASH_ARGON2D, HASH_ARGON2I, HASH_ARGON2ID };

#define HASH_TEXT 512		/* bytes of the whole string */
#define HASH_SALT_MAX 128
#define HASH_TAG_MIN 16		/* argon2-cffi's and passlib's least */
#define HASH_TAG_MAX 128
#define HASH_BCRYPT_TEXT 60

/*
 * The dearest that a login may cost; each took 0.4 to 1.0 s of one core where
 * it was measured. What costs more is refused at import and matches nothing.
 */
#define HASH_KIB_MAX (256 * 1024)		/* Argon2, scrypt */
#define HASH_KIB_PASSES_MAX (1024 * 1024)	/* Argon2: KiB x passes */
#define HASH_LANES_MAX 64
#define HASH_BCRYPT_MAX 14			/* log2 of the rounds */
#define HASH_PBKDF2_MAX 2000000			/* rounds x digests a tag */
#define HASH_SCRYPT_MAX (1 << 21)		/* N x r x p */

struct hash {
	enum hash_scheme scheme;
	enum hash_argon2 type;		/* Argon2 */
	uint32_t version;		/* Argon2: 16 or 19 */
	uint32_t kib, passes, lanes;	/* Argon2 */
	struct crypto_cost cost;	/* PBKDF2, scrypt */
	bool sha256_first;		/* bcrypt of the hex SHA-256 (Django) */
	uint8_t salt[HASH_SALT_MAX];
	size_t n_salt;
	uint8_t tag[HASH_TAG_MAX];	/* bcrypt: the 31 characters */
	size_t n_tag;
	char bcrypt[HASH_BCRYPT_TEXT + 1];	/* the string as crypt takes it */
};

/* NULL and *ret, or why it is refused: a sentence that goes on from "the
 * hash". Pure, and costs nothing. */
const char *hash_parse(struct text in, struct hash *ret);

#endif
