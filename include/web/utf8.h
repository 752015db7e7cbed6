/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UTF-8 as RFC 3629 has it, and the percent escapes of RFC 3986. */
#ifndef DOCKET_WEB_UTF8_H
#define DOCKET_WEB_UTF8_H

#include "base/arena.h"
#include "base/text.h"

/* Bytes of the well-formed character at s (n >= 1 bytes are there); 0 for
 * anything else: overlong forms, surrogates, above U+10FFFF, cut sequences. */
size_t utf8_next(const char *s, size_t n);
bool utf8_valid(struct text t);
/* The longest run of whole characters that fits; t must be valid. */
struct text utf8_cut(struct text t, size_t max);
/* Writes 1 to 4 bytes; code must be a scalar value. */
size_t utf8_put(char *out, uint32_t code);

/*
 * Decode %XX once; plus: '+' means a space (forms). False for a bad escape, a
 * NUL or what is not UTF-8 afterwards. The result is in mem.
 */
bool percent_decode(struct arena *mem, struct text in, bool plus,
    struct text *ret);

#endif
