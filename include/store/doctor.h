/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What `docket doctor` asks the database, by the roles of the services. */
#ifndef DOCKET_STORE_DOCTOR_H
#define DOCKET_STORE_DOCTOR_H

#include "store/db.h"

/* Of the server; true of a database without a schema too. */
struct doctor_server {
	int64_t version;		/* 150006 */
	bool fsync, full_pages, commits;
	struct text commit;		/* synchronous_commit of the role */
	int64_t connections, used;	/* that roles like ours may have */
	int64_t now;
	bool read_only;			/* a standby is, too */
	bool standby;
	struct text excess;		/* what the role may do beyond its
					 * work; TEXT_NONE: nothing */
	struct text data;		/* its folder on this host; TEXT_NONE:
					 * elsewhere, or not ours to know */
};

/* Of the schema. */
struct doctor_schema {
	int64_t migration;		/* the last one */
	struct text excess;
	bool unswept;			/* what docket gc takes away is there */
	int64_t sessions, addresses;	/* the newest, from how many places */
	bool local;			/* all of those are private ones */
};

/* Of the outbox. */
struct doctor_outbox {
	int64_t letters;
	int64_t due_since;		/* of the oldest that is due, or
					 * TIME_NONE */
	int64_t dead;			/* of the last 24 h */
	struct text broken, held;	/* channels, or TEXT_NONE */
};

extern const struct stmts doctor_server_statements, doctor_schema_statements,
    doctor_outbox_statements;

/* As docket_api. */
int store_doctor_server(struct db *db, struct arena *mem,
    struct doctor_server *ret);
int store_doctor_schema(struct db *db, struct arena *mem,
    struct doctor_schema *ret);
/* As docket_courier. */
int store_doctor_outbox(struct db *db, struct arena *mem,
    struct doctor_outbox *ret);

#endif
