/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What an exchange must keep to before libcurl hears of it. */
#ifndef DOCKET_COURIER_GUARD_H
#define DOCKET_COURIER_GUARD_H

#include "core/address.h"
#include "courier/net.h"

#define GUARD_WHY 128

/* Does it begin so ("https:"), in whatever case? */
bool guard_scheme(const char *url, const char *scheme);
/* What is behind a host and its port ("h", "h:25", "[::1]:25"), or NULL: there
 * is none, or the port is none. */
const char *guard_host(const char *s);

/* NULL, or why this request can never be sent. libcurl itself lets a line
 * break in a header or an envelope through. */
const char *guard_request(const struct net_request *request);

/* Whether a connection may go there; if not, `why` names the address and what
 * it is. Without TLS only to an allowed network. */
bool guard_address(const struct networks *allowed, bool tls,
    const struct sockaddr *to, char why[GUARD_WHY]);

#endif
