/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keyset cursors: opaque, URL-safe, bound to the user, the sort, the filters. */
#ifndef DOCKET_WEB_CURSOR_H
#define DOCKET_WEB_CURSOR_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/uuid.h"

/* Where the last page ended: the sort key's text and the row's id. */
struct cursor {
	struct text key;
	struct uuid id;
};

/* `bound`: the bytes that must be the same for the next page (user, sort,
 * filters). A truncated HMAC over both keeps it ours. */
int cursor_encode(struct arena *mem, const struct secret *secret,
    struct text bound, const struct cursor *cursor, struct text *ret);
/* E_CURSOR when it is malformed, forged, or for another list. */
int cursor_decode(struct arena *mem, const struct secret *secret,
    struct text bound, struct text in, struct cursor *ret);

#endif
