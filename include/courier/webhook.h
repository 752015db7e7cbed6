/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signatures of Standard Webhooks 1.0 (symmetric, v1). */
#ifndef DOCKET_COURIER_WEBHOOK_H
#define DOCKET_COURIER_WEBHOOK_H

#include "base/crypto.h"

/* "whsec_" and base64 of 24 to 64 bytes, with "v1," in front or not. NULL with
 * *ret, or why it is none. */
const char *webhook_secret(struct text word, struct secret *ret);

/* "v1,BASE64 v1,BASE64": HMAC-SHA-256 over id.timestamp.body by each of the
 * secrets, which receivers try in turn. 0, or a negative errno. */
int webhook_sign(struct arena *mem, const struct secret *secrets, size_t n,
    struct text id, int64_t timestamp, struct text body, struct text *ret);

#endif
