/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: making them, and the keyed hash that is stored. */
#ifndef DOCKET_CORE_OTP_H
#define DOCKET_CORE_OTP_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/text.h"

/* `digits` uniform decimal digits from the system's source. 0 or -EIO. */
int otp_make(struct arena *mem, long digits, struct text *ret);
/* HMAC-SHA-256(key, purpose NUL address NUL code). */
int otp_hash(const struct secret *key, struct text purpose,
    struct text address, struct text code, uint8_t ret[CRYPTO_HASH]);

#endif
