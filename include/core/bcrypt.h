/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bcrypt by libxcrypt (the only door), to verify imported hashes. */
#ifndef DOCKET_CORE_BCRYPT_H
#define DOCKET_CORE_BCRYPT_H

#include "core/hash.h"

#define BCRYPT_PASSWORD 72	/* bytes that count; the rest never did */

/*
 * The 31 characters of the tag to out. Of a password only its first 72 bytes
 * count, as where the hash was made. A NUL among them, where bcrypt would
 * stop, is in nobody's password: out is then what no hash holds. 0 or -EIO.
 */
int bcrypt_tag(const struct hash *h, struct text password, uint8_t *out);

#endif
