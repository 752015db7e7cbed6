/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How long a code is valid, in words. */
#ifndef DOCKET_COURIER_TTL_H
#define DOCKET_COURIER_TTL_H

#include "base/arena.h"
#include "base/text.h"

/* "2 minutes", or "90 seconds" when minutes would not be exact, as the language
 * of the tag (lower case) words it; absent for a language that has no words
 * here. */
struct text ttl_word(struct arena *mem, struct text tag, long seconds);

#endif
