/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One scalar out of a JSON text of another's, by its RFC 6901 pointer. */
#ifndef DOCKET_WEB_JSON_POINT_H
#define DOCKET_WEB_JSON_POINT_H

#include "base/arena.h"
#include "base/text.h"

/*
 * Strings decoded, numbers, true and false as they are written. False when
 * the text is not one that json_scan passes, or when there is no scalar there
 * (null is none). `pointer` begins with a slash.
 */
bool json_point(struct text in, const char *pointer, struct arena *mem,
    struct text *ret);

/* A slash, then anything; each ~ followed by 0 or 1. */
bool json_point_valid(const char *pointer);

#endif
