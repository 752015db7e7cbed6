/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Letting somebody in who knows a password. */
#ifndef DOCKET_API_LOGIN_H
#define DOCKET_API_LOGIN_H

#include "api/grants.h"

/* Which account a name means, in canonical form. A name that has no canonical
 * form, or that nobody can have, is nobody's: it is looked up all the same and
 * costs the same. */
int login_ident(struct call *call, struct text name, enum user_key by,
    struct login_try *ret);

/* The envelope for whoever `name` is; E_RATE while they or their client are
 * locked out, E_CREDENTIALS for whatever does not fit, at the same price. */
int login_password(struct call *call, struct text name, enum user_key by,
    struct text password, struct auth_reply *ret);

#endif
