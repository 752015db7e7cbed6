/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* SipHash-2-4: a fast keyed hash, for tables whose keys strangers choose. */
#ifndef DOCKET_BASE_SIPHASH_H
#define DOCKET_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

/* Aumasson, Bernstein: SipHash, a fast short-input PRF (2012). Whoever does
 * not know the key cannot find two inputs that meet. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *in, size_t n);

#endif
