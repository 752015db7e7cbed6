/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Many accounts at once, from another system. */
#ifndef DOCKET_STORE_IMPORT_H
#define DOCKET_STORE_IMPORT_H

#include "store/users.h"

struct import_user {
	struct new_user user;	/* role none: user, or as it is */
	struct text active;	/* "Y", "N", or none: Y, or as it is */
};

/*
 * One statement for n accounts, all or nothing. `update`: of an account that
 * is there (by username_key, which may come once) what is given changes, and a
 * password that is given ends its sessions. E_USERNAME_TAKEN, E_EMAIL_TAKEN,
 * E_PHONE_TAKEN do not say whose: give one at a time to know.
 */
int store_user_import(struct db *db, struct arena *mem,
    const struct import_user *v, size_t n, bool update);

#endif
