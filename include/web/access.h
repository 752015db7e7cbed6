/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Authorization and X-API-Key -> principal, as the route's row demands. */
#ifndef DOCKET_WEB_ACCESS_H
#define DOCKET_WEB_ACCESS_H

#include "web/call.h"

/*
 * 0 with call->who set (need_admin too), or E_TOKEN_MISSING, E_TOKEN,
 * E_API_KEY_MISSING, E_API_KEY. A bearer touches no database here, and a
 * personal key alone only when the worker does not remember it: the statement
 * checks the rest. A key beside a bearer is looked up each time; scopes are
 * then what both are good for. Public routes pass.
 */
int access_check(struct call *call);
/* Is the caller's credential good for the route's scope? 0, E_SCOPE, or what
 * access_renew says: nobody is refused from memory alone. */
int access_scope(struct call *call);
/* Says `error` only that the worker's memory of the key may be old? */
bool access_is_stale(const struct call *call, int error);
/* Look the key up once more; E_API_KEY when that was done already. */
int access_renew(struct call *call);

/* The token of "Bearer <token>", by the same rules, or TEXT_NONE. */
struct text access_token(struct text header, bool *ret_other_scheme);
/* What access tokens are held to, by these settings. */
struct token_policy access_policy(const struct app *app);
/* The same parse for whoever asks: E_TOKEN_MISSING, E_TOKEN, or 0. */
int access_bearer(struct call *call, struct principal *ret);

#endif
