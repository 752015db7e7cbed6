/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The one door to libargon2: imported Argon2 hashes of any parameters. */
#include "core/argon2.h"

#include <argon2.h>
#include <errno.h>

int
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written to */
argon2_tag(const struct hash *h, struct text password, uint8_t *out)
{
	static const argon2_type types[] = {
		[HASH_ARGON2D] = Argon2_d,
		[HASH_ARGON2I] = Argon2_i,
		[HASH_ARGON2ID] = Argon2_id,
	};
	/* It takes no const, and with these flags it writes to neither. */
	argon2_context c = {
		.out = out,
		.outlen = (uint32_t)h->n_tag,
		.pwd = (uint8_t *)(uintptr_t)password.s,
		.pwdlen = password.s ? (uint32_t)password.n : 0,
		.salt = (uint8_t *)(uintptr_t)h->salt,
		.saltlen = (uint32_t)h->n_salt,
		.t_cost = h->passes,
		.m_cost = h->kib,
		.lanes = h->lanes,
		.threads = 1,
		.version = h->version,
		.flags = ARGON2_DEFAULT_FLAGS,
	};
	const int r = argon2_ctx(&c, types[h->type]);

	if (r == ARGON2_MEMORY_ALLOCATION_ERROR)
		return -ENOMEM;
	return r == ARGON2_OK ? 0 : -EINVAL;
}
