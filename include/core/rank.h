/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Fractional ranks: a text key between two others, for manual order. */
#ifndef DOCKET_CORE_RANK_H
#define DOCKET_CORE_RANK_H

#include "base/arena.h"
#include "base/text.h"

/*
 * Keys compare bytewise (COLLATE "C"). A new task's key is its number in ten
 * decimal digits ("0000000042"), made by the insert statement, so the end of
 * the list never needs looking up. Digits of a key are 0-9A-Za-z (base 62, in
 * ASCII order); a key made here is longer than ten digits or differs within
 * them, never ends in '0', and lies strictly between lo and hi. lo none =
 * below everything ("0000000000" then), hi none = above lo but below the next
 * number's key. 0, or -EINVAL when lo >= hi.
 */
#define RANK_DIGITS 10
int rank_between(struct arena *mem, struct text lo, struct text hi,
    struct text *ret);
/* n keys evenly between lo and hi, ascending, as short as they can be: for
 * respreading a crowded neighbourhood. */
int rank_spread(struct arena *mem, struct text lo, struct text hi, size_t n,
    struct text *ret);

#endif
