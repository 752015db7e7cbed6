/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The pass in the gate's cookie: whose session it is, and until when. */
#ifndef DOCKET_CORE_PASS_H
#define DOCKET_CORE_PASS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/uuid.h"

/*
 * base64url of version, user, session, end and a truncated HMAC under a key of
 * its own: no access token, so that a site that sees it gets nothing that the
 * API takes. Nothing is stored; whether the session lives the database says.
 */
struct pass {
	struct uuid user_id, session_id;
	int64_t until;		/* Unix seconds */
};

/* 0 or a fault. */
int pass_make(struct arena *mem, const struct secret *key,
    const struct pass *pass, struct text *ret);
/* E_TOKEN for whatever is wrong with it, its age included. now: Unix
 * seconds. */
int pass_parse(const struct secret *key, struct text text, int64_t now,
    struct pass *ret);

#endif
