/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The json-c door: a strict scan (RFC 8259), then members into a struct. */
#ifndef DOCKET_WEB_JSON_H
#define DOCKET_WEB_JSON_H

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"

#define JSON_DEPTH_MAX 16

/*
 * The whole text is one JSON value: RFC 8259 grammar, valid UTF-8, no lone
 * surrogates, no U+0000, depth <= JSON_DEPTH_MAX, no member name twice in an
 * object, integers within int64. Every fault is noted with its RFC 6901
 * pointer; a syntax error ends the scan. True when there were none.
 */
bool json_scan(struct text in, struct arena *mem, struct faults *faults);

/*
 * json_scan, then decode the object into `object` (cleared first) by the
 * rows: types, bounds, choices, checks, unknown members, required ones; all
 * faults at once. True when there were none.
 */
bool json_decode(struct text in, const struct fields *fields,
    struct arena *mem, void *object, struct faults *faults);

#endif
