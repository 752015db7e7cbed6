/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which language to write to somebody in (RFC 9110 §12.5.4, RFC 4647). */
#ifndef DOCKET_CORE_LANGUAGE_H
#define DOCKET_CORE_LANGUAGE_H

#include "base/arena.h"
#include "base/text.h"

#define LANGUAGES_MAX 64	/* bytes of a list */
#define LANGUAGE_TAG_MAX 35	/* RFC 5646 §4.4.1 */

/* One tag of the form that RFC 4647 §2.1 gives a range, "*" aside. */
bool language_is_tag(struct text t);

/*
 * An Accept-Language as a list of tags, the most wanted first: "fa-ir,fa,en",
 * in lower case, LANGUAGES_MAX at most. What is not well-formed, has q=0, is
 * "*" or does not fit is left out; TEXT_NONE when nothing remains.
 */
struct text language_list(struct arena *mem, struct text accept);

/*
 * RFC 4647 §3.4: of `tags` (lower case) the first that a range of the list, or
 * what remains of it when its end is cut off, names; else `otherwise`. The
 * list may be TEXT_NONE.
 */
size_t language_lookup(struct text list, const struct text *tags, size_t n,
    size_t otherwise);

#endif
