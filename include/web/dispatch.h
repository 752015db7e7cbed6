/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The pipeline: from a request that was read to a result for reply.c. */
#ifndef DOCKET_WEB_DISPATCH_H
#define DOCKET_WEB_DISPATCH_H

#include "web/call.h"
#include "web/router.h"

/*
 * Match, check the token, read and decode query and body, run the handler.
 * Returns what reply_send takes; ret is filled as far as the matching came.
 * A refusal that never reached the database still owes a non-public route the
 * liveness check, so a revoked token is 401 whatever else is wrong.
 */
int dispatch(struct call *call, struct fcgi *fcgi, struct match *ret);

#endif
