/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* MongoDB's Extended JSON (v2, canonical and relaxed) as plain JSON; pure. */
#ifndef DOCKET_CORE_MONGO_H
#define DOCKET_CORE_MONGO_H

#include "base/arena.h"
#include "base/text.h"

/*
 * {"$oid":"…"} -> "…", {"$date":"…"} -> "…" (an RFC 3339 instant),
 * {"$date":{"$numberLong":"ms"}} or {"$date":ms} -> the same spelt out,
 * {"$numberInt":"n"} and {"$numberLong":"n"} -> n. Everything else stays, byte
 * by byte, also what is no JSON. `in` itself when there is nothing to do.
 */
struct text mongo_plain(struct text in, struct arena *mem);

#endif
