/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a backup and a restore ask first, as the owner of the database. */
#ifndef DOCKET_STORE_BACKUP_H
#define DOCKET_STORE_BACKUP_H

#include "store/db.h"

struct backup_facts {
	int64_t migration;		/* the last one that is applied */
};

struct restore_facts {
	bool schema;			/* there is one already */
	int64_t roles;			/* of docket_api, docket_courier */
	int64_t sessions;		/* of those, in this database */
};

extern const struct stmts backup_statements, restore_statements;

int store_backup_facts(struct db *db, struct arena *mem,
    struct backup_facts *ret);
/* Of any database, with or without a schema. */
int store_restore_facts(struct db *db, struct arena *mem,
    struct restore_facts *ret);

#endif
