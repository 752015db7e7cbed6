/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entity tags (RFC 9110 §8.8.3). */
#ifndef DOCKET_WEB_ETAG_H
#define DOCKET_WEB_ETAG_H

#include "base/arena.h"
#include "base/text.h"

/* A strong tag of these bytes, with its quotes. 0 or a fault. */
int etag_of(struct arena *mem, struct text bytes, struct text *ret);
/* If-None-Match names the tag: a list or "*", weak comparison (§13.1.2). What
 * is malformed matches nothing. */
bool etag_listed(struct text if_none_match, struct text etag);

#endif
