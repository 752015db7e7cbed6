/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The caller's own password, asked for once more. */
#ifndef DOCKET_API_PASSWORDS_H
#define DOCKET_API_PASSWORDS_H

#include "store/users.h"
#include "web/call.h"

/*
 * Compare the password of a caller who was found live once more. A try is counted by account and
 * network, together with logins; a right one is given back. 0 with the hash
 * that it was compared with; E_PASSWORD_WRONG at the price of a hash, E_RATE,
 * E_BUSY.
 */
int password_again(struct call *call, struct text password,
    struct text *ret_hash);

#endif
