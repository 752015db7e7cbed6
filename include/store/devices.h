/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A user's live sessions as the user sees them: where one is logged in. */
#ifndef DOCKET_STORE_DEVICES_H
#define DOCKET_STORE_DEVICES_H

#include "base/principal.h"
#include "store/db.h"

struct device {
	struct uuid id;		/* of the session: version 7, newer is greater */
	struct text agent;	/* User-Agent, or none */
	struct text ip;
	bool current;		/* the one that asks */
	int64_t created_at;
	int64_t used_at;	/* of the last refresh, else created_at */
	int64_t idle_until;	/* moved on by each refresh */
	int64_t absolute_until;
};

/* The newest first, those that are older than `before` (nil: all). ret: struct
 * list of struct device. Who's errors. */
int store_devices(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *before, int64_t limit,
    struct list *ret);

/* End one of one's own. E_SESSION when it is not live, not there, or not
 * one's own; who's errors. */
int store_device_revoke(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct client *client);

/* For the CLI, whoever's they are. E_USER: nobody has that name (its key, see
 * core/names.h). */
int store_devices_of(struct db *db, struct arena *mem, struct text name_key,
    struct list *ret);
/* End one session. E_SESSION. */
int store_device_end(struct db *db, struct arena *mem, const struct uuid *id);
/* End all of somebody's: how many there were. E_USER. */
int store_devices_end(struct db *db, struct arena *mem, struct text name_key,
    int64_t *ret);

#endif
