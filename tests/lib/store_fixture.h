/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* For tests of the store: a cluster of their own, accounts, parallel callers. */
#ifndef TESTS_LIB_STORE_FIXTURE_H
#define TESTS_LIB_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/principal.h"
#include "store/db.h"
#include "store/users.h"

/* cmocka group setup and teardown: tests/lib/cluster.sh, the migrations, and
 * `db` and `mem` below. Exits 77 where there is no PostgreSQL. */
int fixture_start(void **state);
int fixture_stop(void **state);
/* cmocka teardown of a case: resets `mem`. */
int fixture_reset(void **state);

extern struct db *db;		/* as docket_api, everything prepared */
extern struct arena *mem;

/* Where the cluster is, and where the sources are. */
const char *fixture_dir(void);
const char *fixture_source(const char *path);
/* A connection string for a role; one of a few static buffers. */
const char *fixture_dsn(const char *role, const char *database);
/* Another connection with the API's statements; fails the test if it cannot. */
struct db *fixture_connect(void);
/* Run a command line; its exit status. */
int fixture_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As the superuser: a script; the one bigint or text that a query gives. */
void fixture_sql(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int64_t fixture_int(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
struct text fixture_text(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* 36 characters and a NUL, in mem. */
const char *fixture_uuid(const struct uuid *id);
/* Unique within the run. */
struct text fixture_name(const char *prefix);
/* A new account of that role with a session. */
struct principal fixture_user(const char *role);
void fixture_new_user(struct new_user *ret, const char *role);
void fixture_new_session(struct new_session *ret);

/* n threads, each with a connection and an arena, start fn together. */
struct caller {
	struct db *db;
	struct arena *mem;
	size_t i;
	void *arg;
	int result;
};

typedef void (*caller_fn)(struct caller *caller);
/* How many of the n results were `result`. */
size_t fixture_count(const struct caller *callers, size_t n, int result);
/* The callers' connections stay open until fixture_callers_free. */
struct caller *fixture_callers(size_t n);
void fixture_parallel(struct caller *callers, size_t n, caller_fn fn,
    void *arg);
void fixture_callers_free(struct caller *callers, size_t n);

/* store_task_order by ids. */
int order_ids(struct db *on, struct arena *m, const struct principal *who,
    const struct uuid *ids, size_t n, size_t *ret_n);

#endif
