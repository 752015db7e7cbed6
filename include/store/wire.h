/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: what db.c makes of libpq for link.c, run.c and row.c. */
#ifndef DOCKET_STORE_WIRE_H
#define DOCKET_STORE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct pg_conn;			/* libpq's, opaque here */
struct pg_result;

enum link_state { LINK_WAIT, LINK_CONNECTING, LINK_PREPARING, LINK_READY };

/* The one connection. db.c minds conn and why, link.c the states, run.c the
 * transaction. */
struct db {
	struct db_config config;
	struct pg_conn *conn;
	enum link_state state;
	int64_t until;		/* monotonic ms: the next step, or giving up */
	int64_t lost_at;	/* monotonic ms */
	uint32_t events;	/* what the socket is watched for */
	unsigned attempts;	/* since it was last ready */
	bool adapted;		/* lost, but for a reason that is mended */
	bool told_lost, told_drift;	/* logged once per change */
	int64_t told_ms;	/* monotonic ms: when, and what */
	char told_why[256];
	unsigned long runs;	/* statements sent */
	bool in_tx;
	int64_t until_ms;	/* db_deadline */
	unsigned host, n_hosts;	/* of those in the dsn: begin with this one */
	bool stale;		/* ready, but to be replaced: read-only */
	struct db *spare;	/* what is to replace it */
	int64_t spare_ms;	/* monotonic ms: the next may be begun */
	bool is_spare;		/* nobody waits for it: tell nothing */
	char refused[8];	/* SQLSTATE last told, and when */
	int64_t refused_ms;
	unsigned refused_n;	/* since then */
	size_t set, stmt;	/* whose Parse and Describe come next */
	bool parsed;		/* the Parse has been answered */
	char why[256];		/* the last failure, one line */
};

enum wire {
	WIRE_OK,
	WIRE_AGAIN,		/* db->events says what to wait for */
	WIRE_REFUSED,		/* an SQL error; the connection stands */
	WIRE_DRIFT,		/* a statement does not fit the schema */
	WIRE_SLOW,		/* the deadline passed */
	WIRE_LOST,
};

/* Begin a connection without blocking; false when libpq refuses the dsn. */
bool wire_open(struct db *db);
enum wire wire_open_step(struct db *db);
void wire_close(struct db *db);
/* Let the connection go and have the other's in its place. */
void wire_take(struct db *db, struct db *from);
int wire_fd(const struct db *db);
/* Read what came while nothing was asked; false when the server has gone. */
bool wire_alive(struct db *db);

/* Queue Parse and Describe of every statement behind one Sync, then take the
 * answers as they come. WIRE_DRIFT: db->why names the statement. */
bool wire_prepare(struct db *db);
enum wire wire_prepare_step(struct db *db);

/* Queue one execution, or a script of statements without parameters. What has
 * no name is not prepared. */
bool wire_send(struct db *db, const struct stmt *stmt,
    const struct db_params *params);
bool wire_send_script(struct db *db, const char *sql);
/*
 * Wait for the whole answer: up to ReadyForQuery, because the commit comes
 * after the rows. until: monotonic ms, 0 = for ever. *ret_res is the result
 * that counts, the caller's to clear (wire_clear); NULL for SLOW and LOST.
 */
enum wire wire_wait(struct db *db, int64_t until, struct pg_result **ret_res);

/* Several statements in one round trip: begin, queue them (wire_send), the
 * Sync, take each one's answer (wire_wait: refused, also for all that stand
 * behind one that was), then the Sync's, which ends it. */
bool wire_pipe(struct db *db);
bool wire_pipe_sync(struct db *db);
enum wire wire_pipe_end(struct db *db, int64_t until);

/* notes.c: keep libpq's message in db->why; log a server's NOTICE. */
void wire_note(struct db *db, const char *message);
void wire_notice(void *arg, const char *message);

/* The parts of a result. wire_value: NULL for an SQL NULL. */
int wire_rows(const struct pg_result *res);
int wire_columns(const struct pg_result *res);
const char *wire_name(const struct pg_result *res, int column);
uint32_t wire_type(const struct pg_result *res, int column);
const char *wire_value(const struct pg_result *res, int row, int column,
    size_t *ret_n);
long wire_affected(struct pg_result *res);
const char *wire_tag(struct pg_result *res);
/* Of an SQL error (the protocol's letters); an empty text when it has none. */
enum wire_part {
	WIRE_SQLSTATE = 'C', WIRE_MESSAGE = 'M', WIRE_CONSTRAINT = 'n',
};

const char *wire_error(const struct pg_result *res, enum wire_part part);
void wire_clear(void *res);

/* link.c: the connection has gone; db->why says why. */
void link_lose(struct db *db);

/* pooler.c: the start-up options. The administrator's own (`theirs`, or NULL)
 * come last and so win over ours. */
void pooler_options(const struct db *db, const char *theirs, char *out,
    size_t size);
/* pooler.c: what a connection failed of is what poolers do not have: from now
 * on without it. false: it is not, or nothing is left to do without. */
bool pooler_refuses_options(struct db *db, const char *message);
bool pooler_lost_statement(struct db *db, const char *state);

/* prepare.c: one Parse's or Describe's answer; `failed` as libpq sees it. */
enum wire prepare_answer(struct db *db, const struct pg_result *res,
    bool failed);
/* prepare.c: that answer has ended; false when none was due. */
bool prepare_next(struct db *db);

/* row.c: compare a description with the statement's row. false, and why. */
bool row_check(const struct stmt *stmt, const struct pg_result *res,
    char *why, size_t size);
/* row.c: decode all rows. */
int row_decode(struct arena *mem, const struct stmt *stmt,
    struct pg_result *res, struct db_result *ret);

/* sqlstate.c: the answer of tbl/sqlstates.h, or -EIO. */
int sqlstate_error(const char *state, const char *constraint);
/* Is it the server's state, which passes, not the statement's fault? */
bool sqlstate_passes(const char *state);

#endif
