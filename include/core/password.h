/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Argon2id by libsodium (the only door): hash, verify, does it need anew. */
#ifndef DOCKET_CORE_PASSWORD_H
#define DOCKET_CORE_PASSWORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"

/* RFC 9106; OWASP: m = 19456 KiB, t = 2, p = 1. */
#define PASSWORD_MIN 8
#define PASSWORD_MAX 256

int password_init(void);
/* PHC string. 0, or -ENOMEM. Some 40 ms of CPU: hold a gate slot. */
int password_hash(struct arena *mem, struct text password, struct text *ret);
/* 0 and whether it matches, or -ENOMEM. hash TEXT_NONE: spends the same time
 * and says false, so that an unknown user costs what a wrong password costs. */
int password_verify(struct text hash, struct text password, bool *ret_right);
/* The parameters have risen since. */
bool password_stale(struct text hash);

#endif
