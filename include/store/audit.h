/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading the audit trail: as the owner, docket_api only writes it. */
#ifndef DOCKET_STORE_AUDIT_H
#define DOCKET_STORE_AUDIT_H

#include "store/db.h"

/* The owner's statements: no part of store_statements. */
extern const struct stmts audit_statements;

struct audit_entry {
	int64_t id, at;
	struct text event;	/* tbl/events.h */
	struct uuid user_id;	/* whose account; nil: nobody's */
	struct uuid actor_id;	/* who did it, when that is somebody else */
	struct uuid session_id;
	struct text ip, request_id;	/* none: the command line */
	struct text address;	/* masked */
	struct text detail;
};

extern const struct fields audit_row;

struct audit_filter {
	struct text event;	/* none: every one */
	struct uuid user_id;	/* whose, or by whom; nil: everybody */
	int64_t since, until;	/* TIME_NONE: no bound; until is exclusive */
};

struct audit_bounds {
	int64_t first, last;	/* ids; INT_NONE: there is none */
};

int store_audit_bounds(struct db *db, struct arena *mem,
    struct audit_bounds *ret);
/* An id that everything since then is at or behind: ids come in the order of
 * `at` but for what ran side by side, which is not as much as an hour. */
int store_audit_seek(struct db *db, struct arena *mem, int64_t since,
    int64_t *ret_id);
/* ret: struct list of struct audit_entry, by id. The newest n up to id `to`
 * and from `from` on. */
int store_audit_last(struct db *db, struct arena *mem,
    const struct audit_filter *filter, int64_t from, int64_t to, int64_t n,
    struct list *ret);
/* n at most from id `from` on. */
int store_audit_page(struct db *db, struct arena *mem,
    const struct audit_filter *filter, int64_t from, int64_t n,
    struct list *ret);
/* n at most: what is behind id `after`, and what of the missing ones has come.
 * Whatever the filter is: who follows has to know which ids are there. */
int store_audit_new(struct db *db, struct arena *mem, int64_t after,
    struct texts missing, int64_t n, struct list *ret);
/* The account of that name; E_USER. */
int store_audit_user(struct db *db, struct arena *mem, struct text name_key,
    struct uuid *ret);

#endif
