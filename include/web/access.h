/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Authorization header -> principal, by the route's access column. */
#ifndef DOCKET_WEB_ACCESS_H
#define DOCKET_WEB_ACCESS_H

#include "web/call.h"

/* 0 with call->who set (need_admin too), or E_TOKEN_MISSING, E_TOKEN. Touches
 * no database: the statement checks the rest. Public routes pass. */
int access_check(struct call *call);

/* The token of "Bearer <token>", by the same rules, or TEXT_NONE. */
struct text access_token(struct text header, bool *ret_other_scheme);
/* What access tokens are held to, by these settings. */
struct token_policy access_policy(const struct app *app);
/* The same parse for whoever asks: E_TOKEN_MISSING, E_TOKEN, or 0. */
int access_bearer(struct call *call, struct principal *ret);

#endif
