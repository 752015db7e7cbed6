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
/* Whether a new one has 8 to 256 bytes, in NFKC too, which may be shorter. */
bool password_fits(struct arena *mem, struct text password);
/*
 * PHC string of the password in NFKC (NIST SP 800-63B-4 §3.1.1.2), so that
 * every keyboard's spelling of it is right; bytes that are no UTF-8 as they
 * are. 0, or -ENOMEM. Some 40 ms of CPU: hold a gate slot.
 */
int password_hash(struct arena *mem, struct text password, struct text *ret);
/*
 * 0 and whether it matches, or -ENOMEM, -EIO. Any hash of core/hash.h. A
 * password that NFKC changes is tried as it is too, for who set it elsewhere;
 * whose it is makes no difference to that. hash TEXT_NONE, or one that
 * hash_parse refuses: spends the same time and says false, so that an unknown
 * user costs what a wrong password costs. A wrong password for an imported
 * hash costs that and one of ours, as the right one does with its new hash.
 */
int password_verify(struct arena *mem, struct text hash, struct text password,
    bool *ret_right);
/*
 * The password was right; does its hash need to be made anew? Ours when the
 * parameters have risen since, another's always, but for bcrypt with more than
 * 72 bytes: what stood behind them was never checked and may be a typing
 * error.
 */
bool password_stale(struct text hash, struct text password);
/* NULL, or why a hash can match nothing (core/hash.h). */
const char *password_refusal(struct text hash);

#endif
