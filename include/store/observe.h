/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the database knows of the service's health, in one cheap statement. */
#ifndef DOCKET_STORE_OBSERVE_H
#define DOCKET_STORE_OBSERVE_H

#include "store/db.h"

/* A channel's figures; schema and gc are the same in each. */
struct outbox_figures {
	struct text channel;
	int64_t waiting, dead;	/* messages, 100000 at most */
	int64_t due_seconds;	/* of the one that is due longest */
	bool open, held;	/* the breaker; by an administrator */
	int64_t sent, failed;
	int64_t schema;		/* the last migration */
	int64_t gc_ended;	/* Unix seconds; 0 = never */
};

/* ret: struct list of struct outbox_figures. */
int store_observe(struct db *db, struct arena *mem, struct list *ret);
/* docket gc has ended well. */
int store_observe_gc(struct db *db, struct arena *mem);

#endif
