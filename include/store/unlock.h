/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Unlocking: what wrong passwords and wrong codes have closed. */
#ifndef DOCKET_STORE_UNLOCK_H
#define DOCKET_STORE_UNLOCK_H

#include "base/principal.h"
#include "store/db.h"

/* An account, by either. */
struct unlock_target {
	struct uuid id;		/* or nil */
	int64_t number;		/* or INT_NONE */
};

/* Forget the account's wrong passwords from every network, and the wrong codes
 * at its addresses with their block; an audit row. admin->need_admin must be
 * set. E_USER, E_* of who. */
int store_unlock(struct db *db, struct arena *mem,
    const struct principal *admin, const struct unlock_target *target,
    const struct client *client);
/* The same by the canonical name, for the command line. E_USER. */
int store_unlock_name(struct db *db, struct arena *mem,
    struct text username_key);

#endif
