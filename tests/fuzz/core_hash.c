/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a stored password hash: within every bound, or a reason; and
 * the rest of them as a password that is on a list or not. */
#include <stddef.h>
#include <stdint.h>

#include "core/common.h"
#include "core/hash.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_argon2(const struct hash *h)
{
	must(h->version == 16 || h->version == 19, "an unknown version");
	must(h->type <= HASH_ARGON2ID, "an unknown type");
	must(h->lanes >= 1 && h->lanes <= HASH_LANES_MAX, "lanes");
	must(h->passes >= 1 && h->kib >= 8 * h->lanes &&
	    h->kib <= HASH_KIB_MAX, "memory");
	must((uint64_t)h->kib * h->passes <= HASH_KIB_PASSES_MAX, "time");
	must(h->n_salt >= 8, "a short salt");
}

static void
check_bcrypt(const struct hash *h)
{
	must(strlen(h->bcrypt) == HASH_BCRYPT_TEXT, "half a bcrypt string");
	must(h->bcrypt[4] == '0' || h->bcrypt[4] == '1', "rounds");
	must(h->n_tag == 31, "another tag");
}

static void
check_scrypt(const struct hash *h)
{
	const struct crypto_cost *c = &h->cost;

	must(c->rounds > 1 && (c->rounds & (c->rounds - 1)) == 0, "N");
	must(c->r >= 1 && c->p >= 1, "r, p");
	must((uint64_t)c->r * c->p <= HASH_SCRYPT_MAX &&
	    (uint64_t)c->rounds * c->r * c->p <= HASH_SCRYPT_MAX, "cost");
}

static void
check(const struct hash *h)
{
	must(h->scheme < HASH__MAX, "an unknown scheme");
	must(h->n_tag >= HASH_TAG_MIN && h->n_tag <= HASH_TAG_MAX, "tag");
	must(h->n_salt <= HASH_SALT_MAX, "salt");
	if (h->scheme == HASH_ARGON2)
		check_argon2(h);
	else if (h->scheme == HASH_BCRYPT)
		check_bcrypt(h);
	else if (h->scheme == HASH_SCRYPT)
		check_scrypt(h);
	else
		must(h->cost.rounds >= 1 && h->cost.rounds *
		    ((h->n_tag + 63) / 64) <= HASH_PBKDF2_MAX, "rounds");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *mem;
	const struct text in = { (const char *)data, size };
	const struct password_owner owner = { .username = in, .phone = in };
	struct hash h;
	const char *why = hash_parse(in, &h);

	if (!mem)
		mem = arena_new(65536);
	must(mem, "no memory");
	if (why)
		must(*why, "refused without a word");
	else
		check(&h);
	why = password_common(mem, in, &owner);
	must(text_chars(in) < 0 ? !why : size == 0 || why,
	    "one's own name was taken");
	arena_reset(mem);
	return 0;
}
