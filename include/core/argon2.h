/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Argon2 by libargon2 (the only door): what libsodium does not do, which is
 * more than one lane, Argon2d and i, version 16, and other lengths of salt. */
#ifndef DOCKET_CORE_ARGON2_H
#define DOCKET_CORE_ARGON2_H

#include "core/hash.h"

/* h->n_tag bytes to out. 0, -ENOMEM, or -EINVAL for what hash_parse would have
 * refused. The lanes are filled one after the other: a worker has one thread. */
int argon2_tag(const struct hash *h, struct text password, uint8_t *out);

#endif
