/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A new password, wherever one is set: registration, change, reset. */
#ifndef DOCKET_API_NEW_PASSWORD_H
#define DOCKET_API_NEW_PASSWORD_H

#include "core/common.h"
#include "web/call.h"

/* The check (base/field.h) of a member that is a new password: its length. */
int check_password(struct arena *mem, void *member, const char **ret_why);
#define CHECK_PASSWORD_DOC "8 to 256 bytes"

/* Unless auth.password_blocklist is off: a fault at `pointer`, with the code
 * common or personal, when guessers would try it first. 0, or E_INVALID. */
int password_demand(struct call *call, const char *pointer,
    struct text password, const struct password_owner *owner);

#endif
