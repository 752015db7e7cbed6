/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ES256 (RFC 7518 §3.4): signatures as two numbers, in one spelling. */
#ifndef DOCKET_BASE_ECDSA_H
#define DOCKET_BASE_ECDSA_H

#include <stdbool.h>

#include "base/crypto.h"

#define ECDSA_BYTES 64		/* r and s, 32 bytes each, big-endian */
#define ECDSA_DER 72		/* at most: SEQUENCE of two INTEGERs */

/* A private key, or a half of a signature: 1..n-1, n the group's order. */
bool ecdsa_scalar(const uint8_t d[CRYPTO_SCALAR]);

/*
 * Of SHA-256 of the input. With (r, s) anybody can make (r, n - s), which fits
 * the same key and message: ecdsa_sign gives the lower s, and ecdsa_verify
 * takes no other, so that nobody but the signer has a second spelling.
 * ecdsa_verify: E_SEAL for whatever is not this key's.
 */
int ecdsa_sign(const struct crypto_pair *pair, struct text in,
    uint8_t out[ECDSA_BYTES]);
int ecdsa_verify(const struct crypto_pair *pair, struct text in,
    const uint8_t signature[ECDSA_BYTES]);

/* The length of the DER, or 0: r or s is no scalar, or s the upper one. */
size_t ecdsa_to_der(const uint8_t raw[ECDSA_BYTES], uint8_t der[ECDSA_DER]);
/* Back, with the lower s, whichever it was. False when that is no signature. */
bool ecdsa_from_der(const uint8_t *der, size_t n, uint8_t raw[ECDSA_BYTES]);

#endif
