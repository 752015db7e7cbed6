/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What admins do to accounts: read, change, delete one of anybody's. */
#ifndef DOCKET_STORE_ADMIN_H
#define DOCKET_STORE_ADMIN_H

#include "store/users.h"

/* An account by id, or with a nil id by number. */
struct user_ref {
	struct uuid id;
	int64_t number;
};

/* Bits of user_change.set: the members that change. */
enum {
	USER_ROLE	= 1 << 0,
	USER_STATUS	= 1 << 1,
	USER_USERNAME	= 1 << 2,
	USER_EMAIL	= 1 << 3,
	USER_PHONE	= 1 << 4,
};

struct user_change {
	unsigned set;
	struct text role, status;		/* "user"..., "Y" or "N" */
	struct text username, username_key;	/* as in struct new_user */
	struct text email, email_key, phone;	/* none clears */
};

/*
 * All three: who->need_admin must be set; who's errors, and E_USER when there
 * is no such account. Every real change leaves a row in docket.audit that
 * names the admin.
 */
int store_admin_get(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_ref *ref,
    struct user *ret);
/* One statement. Deactivation ends the account's sessions. E_LAST_ADMIN when
 * no active admin would be left; E_USERNAME_TAKEN and its kin. An address
 * that changes is not verified any more. */
int store_admin_change(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_ref *ref,
    const struct user_change *change, const struct client *client,
    struct user *ret);
/* The account and all that hangs on it. E_LAST_ADMIN. */
int store_admin_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_ref *ref,
    const struct client *client);

#endif
