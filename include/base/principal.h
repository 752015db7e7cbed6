/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who is asking: what an access token says, before the database agrees. */
#ifndef DOCKET_BASE_PRINCIPAL_H
#define DOCKET_BASE_PRINCIPAL_H

#include <stdbool.h>

#include "base/text.h"
#include "base/uuid.h"

/*
 * The token names a user and a session. Whether both still stand, and which
 * role the user has now, only the database knows: every statement that works
 * for a principal joins them (store/who.h) and refuses by itself.
 */
struct principal {
	struct uuid user_id;	/* nil: an application, which is nobody */
	struct uuid session_id;
	bool need_admin;	/* the route's demand, checked by the statement */
	unsigned scopes;	/* core/scope.h: of what was presented */
	struct uuid key_id;	/* of the API key beside or instead of the
				 * token; nil: none, or none that counts */
};

/* Where the request came from; for budgets, sessions and the audit trail. */
struct client {
	struct text ip;		/* canonical text, from REMOTE_ADDR */
	struct text network;	/* ip masked: /24 or /64 */
	struct text agent;	/* User-Agent, at most 256 bytes */
	struct text request_id;
};

#endif
