/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The cheap limits, and what every limited reply says of its limits. */
#ifndef DOCKET_WEB_LIMIT_H
#define DOCKET_WEB_LIMIT_H

#include "base/buf.h"
#include "base/error.h"
#include "web/call.h"

/*
 * Count the request before anything is done for it: a caller whose token is
 * right by user, anybody else by client (access: what access_check said). A
 * token is right by its signature here; whether it still lives is asked with
 * the work. `access`, or E_RATE, which no database needed to be asked for.
 */
int limit_check(struct call *call, int access);
/* A refresh token that is ours: count it by its session. 0 or E_RATE. */
int limit_session(struct call *call, const struct uuid *session);

/* Who counts as one client: an address, of IPv6 its /64. */
struct text limit_client(const struct client *client);
/* A limit that was counted elsewhere; past LIMITS_MAX they are not told. */
void limit_tell(struct call *call, const struct limit *limit);

/*
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), one
 * member a limit. `t` is, with r=0, when the next request may pass, as in
 * Retry-After; else when the whole quota is there again.
 */
void limit_headers(const struct call *call, enum error error,
    struct buf *out);

#endif
