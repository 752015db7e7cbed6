/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate's cookie (RFC 6265): read from a request, set by a reply. */
#ifndef DOCKET_WEB_COOKIE_H
#define DOCKET_WEB_COOKIE_H

#include "web/call.h"

/*
 * Whose pass the request's cookie holds. E_TOKEN_MISSING: it has none, or
 * auth.gate_cookie names none. E_TOKEN: a forged or old one, or two: somebody
 * set one beside it from another host, and whose is whose nobody can tell.
 * scopes: all there are, as of a login; the role's are the caller's to cut.
 */
int cookie_principal(struct call *call, struct principal *ret);

/* Set-Cookie with a pass for this session, and its lifetime in seconds. */
int cookie_set(struct call *call, const struct principal *who,
    int64_t *ret_seconds);
/* Set-Cookie that removes it. */
void cookie_clear(struct call *call);

#endif
