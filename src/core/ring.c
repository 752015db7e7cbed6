/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The key ring out of its file: every key that may be used, or why not. */
#include "core/ring.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/ecdsa.h"
#include "core/keyfile.h"

/* RFC 7518 §3.1. */
static const char *const algorithms[] = { "HS256", "ES256" };
#define ES256 algorithms[1]

static const char *const roles[] = {
	[RING_CURRENT] = "current",
	[RING_NEXT] = "next",
	[RING_PREVIOUS] = "previous",
};

#define ROLES (sizeof(roles) / sizeof(roles[0]))

/* It is not empty: another word has come after it. */
static bool
kid_is_sane(struct text kid)
{
	if (kid.n > RING_KID)
		return false;
	for (size_t i = 0; i < kid.n; i++) {
		char c = kid.s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		    c == '-'))
			return false;
	}
	return true;
}

const char *
ring_algorithm(struct text name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		if (text_is(name, algorithms[i]))
			return algorithms[i];
	}
	return NULL;
}

const char *
ring_role_name(enum ring_role role)
{
	return roles[role];
}

const struct ring_key *
ring_find(const struct token_ring *ring, struct text kid)
{
	for (size_t i = 0; i < ring->n; i++) {
		if (text_is(kid, ring->v[i].kid))
			return &ring->v[i];
	}
	return NULL;
}

/* One key, one purpose (RFC 8725 §3.9): what is known to one algorithm's
 * verifiers must not sign by another. */
static bool
is_shared(const struct token_ring *ring, const struct ring_key *key)
{
	for (size_t i = 0; i < ring->n; i++) {
		const struct ring_key *other = &ring->v[i];

		if (other->alg != key->alg && other->secret.n ==
		    key->secret.n && memcmp(other->secret.b, key->secret.b,
		    key->secret.n) == 0)
			return true;
	}
	return false;
}

const char *
ring_key_load(struct ring_key *key)
{
	if (key->alg != ES256)
		return NULL;
	if (key->secret.n != CRYPTO_SCALAR || !ecdsa_scalar(key->secret.b))
		return "no private key on P-256: 32 bytes, 1 to n - 1";
	return crypto_pair_load(&key->secret, &key->pair) ?
	    "out of memory" : NULL;
}

/* NULL, or why not. */
static const char *
key_decode(const struct token_ring *ring, struct ring_key *key,
    struct text word)
{
	const char *why = keyfile_secret(word, &key->secret);

	if (!why && is_shared(ring, key))
		why = "this key is there with another ALG";
	return why ? why : ring_key_load(key);
}

static bool
role_find(struct text word, enum ring_role *ret)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (text_is(word, roles[i])) {
			*ret = (enum ring_role)i;
			return true;
		}
	}
	return false;
}

/* A line before anything of it is believed. */
struct words {
	enum ring_role role;
	struct text kid, key;
	const char *alg;
};

/* NULL, or why not. */
static const char *
words_read(const struct token_ring *ring, struct text line, bool has_current,
    struct words *ret)
{
	const bool known = role_find(keyfile_word(&line), &ret->role);
	struct text alg;

	ret->kid = keyfile_word(&line);
	alg = keyfile_word(&line);
	ret->key = keyfile_word(&line);
	if (!known)
		return "a line begins with current, next or previous";
	if (ret->key.n == 0 || keyfile_word(&line).n > 0)
		return "a line has four words: ROLE KID ALG BASE64URL";
	if (!kid_is_sane(ret->kid))
		return "a KID is 1-64 of A-Z a-z 0-9 . _ -";
	if (ring_find(ring, ret->kid))
		return "this KID is there twice";
	if (ret->role == RING_CURRENT && has_current)
		return "a second current key";
	if (ring->n == RING_KEYS)
		return "more than 16 keys";
	ret->alg = ring_algorithm(alg);
	return ret->alg ? NULL : "unknown ALG; HS256 and ES256 are known";
}

/* One key's line. NULL, or why not. */
static const char *
ring_add(struct token_ring *ring, struct text line, int64_t since,
    bool *has_current)
{
	struct ring_key *to = &ring->v[ring->n];
	struct words words;
	const char *why = words_read(ring, line, *has_current, &words);

	if (why)
		return why;
	to->alg = words.alg;
	to->role = words.role;
	to->since = since;
	memcpy(to->kid, words.kid.s, words.kid.n);
	to->kid[words.kid.n] = '\0';
	why = key_decode(ring, to, words.key);
	if (words.role == RING_CURRENT) {
		ring->current = ring->n;
		*has_current = true;
	}
	ring->n++;	/* also a bad one, so that its KID is known */
	return why;
}

/* "# since INSTANT" says it of the key in the next line; 0: it does not. */
static int64_t
since_read(struct text line)
{
	int64_t us;

	if (!text_is(keyfile_word(&line), "#") ||
	    !text_is(keyfile_word(&line), "since") ||
	    !time_parse(keyfile_word(&line), &us) || us < TIME_SECOND)
		return 0;
	return us / TIME_SECOND;
}

/* Every line, every complaint. */
static bool
ring_read(struct token_ring *ring, struct keyfile *src)
{
	bool has_current = false, good = true;
	int64_t since = 0;
	struct text line;
	size_t pos = 0;

	while (keyfile_line(src, &pos, &line)) {
		struct text rest = line, word = keyfile_word(&rest);
		const char *why;

		if (word.n == 0 || word.s[0] == '#') {
			since = since_read(line);
			continue;
		}
		why = ring_add(ring, line, since, &has_current);
		if (why)
			keyfile_complain(src, why);
		good = good && !why;
		since = 0;
	}
	src->line = 0;
	if (good && !has_current)
		keyfile_complain(src, "no current key");
	return good && has_current;
}

struct token_ring *
token_ring_new(void)
{
	return calloc(1, sizeof(struct token_ring));
}

struct token_ring *
token_ring_load(const char *setting, const char *file, FILE *err)
{
	struct keyfile src = { .name = file, .setting = setting, .err = err };
	struct token_ring *ring = token_ring_new();
	bool good;

	if (!ring) {
		keyfile_complain(&src, "out of memory");
		return NULL;
	}
	good = keyfile_open(&src) && ring_read(ring, &src);
	keyfile_done(&src);
	if (good)
		return ring;
	token_ring_free(ring);
	return NULL;
}

void
token_ring_free(struct token_ring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < RING_KEYS; i++) {
		secret_done(&ring->v[i].secret);
		crypto_pair_done(&ring->v[i].pair);
	}
	free(ring);
}
