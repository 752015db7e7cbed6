/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Password hashes: the one door to libsodium. */
#include "core/password.h"

#include <errno.h>
#include <sodium.h>

#include "core/argon2.h"
#include "core/bcrypt.h"
#include "core/hash.h"
#include "core/names.h"

#define OPSLIMIT 2ULL
#define MEMLIMIT_KIB 19456
#define MEMLIMIT ((size_t)MEMLIMIT_KIB * 1024)

#define SALT crypto_pwhash_SALTBYTES
#define TAG 32

/* A hash that nothing matches, of today's cost. */
static const struct hash dummy = {
	.scheme = HASH_ARGON2, .type = HASH_ARGON2ID, .version = 19,
	.kib = MEMLIMIT_KIB, .passes = OPSLIMIT, .lanes = 1,
	.n_salt = SALT, .n_tag = TAG,
};

int
password_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

static bool
is_ascii(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((uint8_t)t.s[i] >= 0x80)
			return false;
	return true;
}

/* In NFKC, which ASCII is in already; or as it is when that cannot be. */
static struct text
normal(struct arena *mem, struct text password)
{
	struct text t = is_ascii(password) ? password :
	    name_nfkc(mem, password);

	return t.s ? t : password;
}

bool
password_fits(struct arena *mem, struct text password)
{
	return password.n <= PASSWORD_MAX &&
	    password.n >= PASSWORD_MIN &&
	    normal(mem, password).n >= PASSWORD_MIN;
}

int
password_hash(struct arena *mem, struct text password, struct text *ret)
{
	const struct text in = normal(mem, password);
	char out[crypto_pwhash_STRBYTES];

	/* Every byte counts, a NUL too: the length goes along. */
	if (crypto_pwhash_str_alg(out, in.s ? in.s : "",
	    in.n, OPSLIMIT, MEMLIMIT, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return -ENOMEM;
	ret->n = strlen(out);
	ret->s = arena_copy(mem, out, ret->n);
	return 0;
}

/* libsodium's, which is faster, where it can. By hand: its own comparison
 * calls it a wrong password too when there was no memory. */
static int
tag_argon2(const struct hash *h, struct text password, uint8_t *out)
{
	if (h->type != HASH_ARGON2ID || h->version != 19 || h->lanes != 1 ||
	    h->n_salt != SALT)
		return argon2_tag(h, password, out);
	if (crypto_pwhash(out, h->n_tag, password.s ? password.s : "",
	    password.n, h->salt, h->passes, (size_t)h->kib * 1024,
	    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return -ENOMEM;
	return 0;
}

static int
tag_pbkdf2(const struct hash *h, struct text password, uint8_t *out)
{
	return crypto_pbkdf2(&h->cost, password,
	    (struct text){ (const char *)h->salt, h->n_salt }, out, h->n_tag);
}

static int
tag_scrypt(const struct hash *h, struct text password, uint8_t *out)
{
	return crypto_scrypt(&h->cost, password,
	    (struct text){ (const char *)h->salt, h->n_salt }, out, h->n_tag);
}

static int
compare(const struct hash *h, struct text password, bool *ret_right)
{
	static int (*const tags[])(const struct hash *, struct text,
	    uint8_t *) = {
		[HASH_ARGON2] = tag_argon2,
		[HASH_BCRYPT] = bcrypt_tag,
		[HASH_PBKDF2] = tag_pbkdf2,
		[HASH_SCRYPT] = tag_scrypt,
	};
	uint8_t tag[HASH_TAG_MAX];
	const int r = tags[h->scheme](h, password, tag);

	if (r)
		return r;
	*ret_right = sodium_memcmp(tag, h->tag, h->n_tag) == 0;
	sodium_memzero(tag, sizeof(tag));
	return 0;
}

static bool
is_ours(const struct hash *h)
{
	return h->scheme == HASH_ARGON2 && h->type == HASH_ARGON2ID &&
	    h->version == 19 && h->lanes == 1 && h->n_salt == SALT &&
	    h->n_tag == TAG;
}

/* known NULL: nobody's. */
static int
verify(const struct hash *known, struct text password, bool *ret_right)
{
	bool ignored;
	int r;

	*ret_right = false;
	if (known) {
		r = compare(known, password, ret_right);
		if (r || *ret_right || is_ours(known))
			return r;
	}
	/* The answer is known, the time must not tell it. */
	return compare(&dummy, password, &ignored);
}

int
password_verify(struct arena *mem, struct text hash, struct text password,
    bool *ret_right)
{
	const struct text in = normal(mem, password);
	struct hash h;
	const struct hash *known = hash_parse(hash, &h) ? NULL : &h;
	int r = verify(known, in, ret_right);

	if (r == 0 && !*ret_right && !text_equal(in, password))
		r = verify(known, password, ret_right);
	return r;
}

bool
password_stale(struct text hash, struct text password)
{
	struct hash h;

	if (hash_parse(hash, &h))
		return true;
	if (h.scheme == HASH_BCRYPT && !h.sha256_first &&
	    password.n > BCRYPT_PASSWORD)
		return false;
	return !is_ours(&h) || h.kib != MEMLIMIT_KIB || h.passes != OPSLIMIT;
}

const char *
password_refusal(struct text hash)
{
	struct hash h;

	return hash_parse(hash, &h);
}
