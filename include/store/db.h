/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libpq door: one connection, prepared statements, binary results. */
#ifndef DOCKET_STORE_DB_H
#define DOCKET_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"
#include "base/uuid.h"

struct db;

/*
 * One literal statement. Result columns are matched to `row` by position and
 * checked by name and type when the statement is prepared, so drift between
 * SQL and struct fails at connect, not at 3 a.m. With `who` the first column
 * is who_state (store/who.h) and the row's columns follow it; a row whose
 * columns are all NULL carries only the who_state and is not handed out.
 */
struct stmt {
	const char *name;
	const char *sql;
	const struct fields *row;	/* NULL: no result columns */
	bool who;
	bool write;	/* an unknown outcome matters: E_OUTCOME, not
			 * E_DATABASE, when the connection dies in it */
};

struct stmts {
	const struct stmt *v;
	size_t n;
};

/* Every set of the program, for the API role. */
extern const struct stmts *const store_statements[];
extern const size_t store_statements_n;

struct db_config {
	const char *dsn;		/* all borrowed for the db's life */
	const char *application;	/* application_name */
	const struct stmts *const *sets;
	size_t n_sets;
	bool prepared;			/* keep statements in the server */
	bool adapts;			/* not, if a pooler is met */
	bool bare;			/* no start-up options */
	long deadline_ms;		/* of a statement, or of the request
					 * (db_deadline); 0 = none */
	long statement_ms;		/* statement_timeout: what is left of a
					 * request that has waited its time;
					 * 0 = deadline_ms */
	long lock_ms;			/* lock_timeout; 0 = none of its own */
};

/* 1 when a connection string holds a password, as libpq reads it (what a
 * service's or a password file says is not in it); 0; below 0: libpq cannot
 * read it. */
int db_dsn_tells(const char *dsn);
/* Nothing is connected yet. NULL: no memory. */
struct db *db_new(const struct db_config *config);
void db_free(struct db *db);
/* Connect and prepare now, for at most ms; 0, E_DATABASE, or -EPROTO for
 * drift (logged with the statement's name). CLI and courier use this. */
int db_connect(struct db *db, long ms);
/* In the server's or libpq's words, a line: why there is no connection. "". */
const char *db_why(const struct db *db);
/* SQLSTATE of the refusal that was logged last. "": none was. */
const char *db_refusal(const struct db *db);
/* For an event loop; see web/web.h. */
int db_fd(const struct db *db);
uint32_t db_events(const struct db *db);	/* EPOLLIN / EPOLLOUT */
void db_step(struct db *db);
int db_tick_ms(const struct db *db);
bool db_ready(const struct db *db);

/* The parameters of one execution, in order $1, $2, ...; at most 48. Values
 * are borrowed until db_run returns. */
#define DB_PARAMS_MAX 48

struct db_params {
	int n;
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX];
	uint8_t scratch[DB_PARAMS_MAX][8];
};

void db_null(struct db_params *p);
void db_text(struct db_params *p, struct text t);	/* TEXT_NONE = NULL */
void db_bytes(struct db_params *p, struct text t);	/* bytea */
void db_uuid(struct db_params *p, const struct uuid *id);	/* nil = NULL */
void db_int(struct db_params *p, int64_t v);		/* bigint; INT_NONE */
void db_int4(struct db_params *p, int32_t v);
void db_bool(struct db_params *p, bool v);
void db_time(struct db_params *p, int64_t us);		/* timestamptz */
/* Arrays are built in mem. v == NULL = NULL. */
void db_texts(struct db_params *p, struct arena *mem, struct texts v);
void db_uuids(struct db_params *p, struct arena *mem, const struct uuid *v,
    size_t n);

struct db_result {
	int who;		/* 0 or the E_* of who_state; 0 without */
	size_t rows;		/* with `who`: rows that carry a row */
	long affected;
	void *v;		/* rows structs of stmt->row->size bytes, in
				 * mem; text points into the result, which
				 * lives until mem is reset */
};

/*
 * Run one statement and decode its rows. 0 (look at ret->who), E_DATABASE when
 * there is no connection (at once) or it died before the statement was sent,
 * E_OUTCOME when it died (or fell silent) in a write outside a transaction,
 * E_TIMEOUT, or the answer of the SQLSTATE (tbl/sqlstates.h: constraint names
 * decide E_USERNAME_TAKEN and the like); -EIO for one that has no row there.
 */
int db_run(struct db *db, struct arena *mem, const struct stmt *stmt,
    const struct db_params *params, struct db_result *ret);

/* One of several statements that go out together. A stmt without a name is
 * not prepared: for what cannot be, such as a savepoint. */
struct db_step {
	const struct stmt *stmt;
	const struct db_params *params;
	struct db_result result;
};

/*
 * Run them in this order within the open transaction, in one round trip
 * (libpq's pipeline). What the server refuses ends it: 0, or the error of
 * steps[*ret_done], behind which nothing was run.
 */
int db_pipe(struct db *db, struct arena *mem, struct db_step *steps, size_t n,
    size_t *ret_done);

/*
 * The rows of a statement, part by part, in a transaction and up to its end:
 * one plan and one pass, each part with a statement's time of its own. `rows`
 * is in a set, for the check of its columns, and never run by itself; `open`
 * is the same words behind DECLARE ... CURSOR FOR, `fetch` asks for a part.
 */
struct db_cursor {
	const struct stmt *rows;	/* without `who` */
	const char *open, *fetch;
};

/* db_run's errors. No rows: that was all. */
int db_cursor_open(struct db *db, struct arena *mem, const struct db_cursor *c,
    const struct db_params *params);
int db_cursor_fetch(struct db *db, struct arena *mem, const struct db_cursor *c,
    struct db_result *ret);

/* When the request in hand is out of time (clock_mono_ms; 0: never): no
 * statement waits longer, and none starts later but COMMIT and ROLLBACK. */
void db_deadline(struct db *db, int64_t mono_ms);

/* How many statements were sent so far: whether a handler came this far. */
unsigned long db_runs(const struct db *db);

/* A transaction over more than one statement: only where one statement cannot
 * do it (Idempotency-Key, task moves). An error in between rolls back by
 * itself at db_rollback, which is safe to call at any time. */
int db_begin(struct db *db);
/* The same, read only, all statements seeing the moment of the first; cursors
 * give their first rows soon. */
int db_begin_snapshot(struct db *db);
/* Undo what was done since db_savepoint, and go on with the transaction. */
int db_savepoint(struct db *db);
int db_undo(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* A script of several statements without parameters (migrations); NOTICEs are
 * logged. 0, E_DATABASE, or -EPROTO with the server's message in *ret_why,
 * which lives until the next call. */
int db_script(struct db *db, const char *sql, const char **ret_why);

#endif
