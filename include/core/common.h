/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Passwords that a guesser tries first: the well-known, the owner's own names
 * (NIST SP 800-63B-4 §3.1.1.2: the whole value is compared, no part of it). */
#ifndef DOCKET_CORE_COMMON_H
#define DOCKET_CORE_COMMON_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* Whose password it is to be; what is not known is none. */
struct password_owner {
	struct text username, email, phone;
};

/*
 * NULL, or the code of what is wrong: "common" when the list holds it,
 * "personal" when it is the owner's user name, e-mail address, the part of
 * that before the @, or phone (with or without the plus). Compared in NFKC
 * and case-folded (name_key). Bytes that are no UTF-8 are on no list.
 */
const char *password_common(struct arena *mem, struct text password,
    const struct password_owner *owner);
/* A sentence for each of the two codes. */
const char *password_common_why(const char *code);

/* The list: word i has the bytes from common_at[i] to common_at[i + 1], in
 * byte order. Made from share/common-passwords.txt.gz and linked in: one copy
 * in the page cache for all workers. */
extern const char common_words[];
extern const uint32_t common_at[];
extern const size_t common_n;

#endif
