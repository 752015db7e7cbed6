/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From what the handler decided to the bytes of a CGI response. */
#ifndef DOCKET_WEB_REPLY_H
#define DOCKET_WEB_REPLY_H

#include <stdbool.h>

#include "web/call.h"

struct fcgi;

/*
 * Build status line, headers and body for the outcome of a call and write
 * them. result: what the handler or the pipeline returned (base/error.h). The
 * one place where an error becomes HTTP: problem+json (RFC 9457) with pointer
 * errors, or RFC 6749 §5.2 on ROUTE_OAUTH; WWW-Authenticate (RFC 6750 §3),
 * Allow, Retry-After, ETag and 304, Cache-Control, X-Request-Id. call->route
 * may be NULL (nothing matched). Returns the status that went out.
 */
int reply_send(struct call *call, int result, bool head, struct fcgi *fcgi);

/* The body alone, into call->out, as reply_send would write it; for storing
 * under an Idempotency-Key before it is sent. */
void reply_print(struct call *call, int result);

/* 503 out_of_memory without asking for memory, and once only: nothing may
 * have been written before. call may be NULL, half made, but its req may not.
 * Returns 503. */
int reply_bare(const struct call *call, struct fcgi *fcgi);

#endif
