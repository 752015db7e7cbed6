/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Run a statement, a transaction, a script; what a failure means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/wire.h"

/* The server gives up first and says so; a server that says nothing at all
 * is given up on this much later. */
#define SILENCE_MS 100

/* What COMMIT and ROLLBACK have at least, however late they come. */
#define END_LEAST_MS 300
/* How long the same refusal is not told again. */
#define REFUSED_MS 10000

/* The statement's time, or what is left of the request's. A server that is cut
 * off by the latter loses its connection: libpq's PQcancel blocks, on a server
 * that is stopped for ever, and a cancel that meets a COMMIT in its wait for a
 * standby makes the server say that it is done, on one machine alone. It is
 * rare, because statement_timeout leaves room (statement_ms): only a request of
 * several slow statements comes so far. */
static int64_t
deadline(const struct db *db)
{
	int64_t own = clock_mono_ms() + db->config.deadline_ms + SILENCE_MS;
	int64_t request = db->until_ms + SILENCE_MS;

	if (db->config.deadline_ms == 0)
		own = 0;
	if (db->until_ms == 0)
		return own;
	return own == 0 || request < own ? request : own;
}

static int64_t
deadline_of_end(const struct db *db)
{
	int64_t until = deadline(db);
	int64_t least = clock_mono_ms() + END_LEAST_MS;

	return until == 0 || until > least ? until : least;
}

void
db_deadline(struct db *db, int64_t mono_ms)
{
	db->until_ms = mono_ms;
}

/* Outside a transaction a write may have been committed when the connection
 * went; inside one it certainly was not. */
static int
lost_error(const struct db *db, enum wire w, bool write)
{
	if (write && !db->in_tx)
		return E_OUTCOME;
	return w == WIRE_SLOW ? E_TIMEOUT : E_DATABASE;
}

/* Ready; and, where it matters whether a statement was sent at all, not found
 * dead now that we look. A read that meets a dead connection is just lost. */
static bool
usable(struct db *db, bool write)
{
	if (db->state != LINK_READY)
		return false;
	if (!write || wire_alive(db))
		return true;
	link_lose(db);
	return false;
}

/* While a disk is full every write is refused: told once per state and a
 * while. A fault is told each time. */
static void
tell_refused(struct db *db, const char *name, int error,
    const struct pg_result *res)
{
	const char *state = wire_error(res, WIRE_SQLSTATE);
	int64_t now = clock_mono_ms();

	db->refused_n++;
	if (error > 0 && strcmp(db->refused, state) == 0 &&
	    now - db->refused_ms < REFUSED_MS)
		return;
	log_event(LOG_ERROR_, "db_refused",
	    "statement=%s sqlstate=%s times=%u message=\"%s\"", name, state,
	    db->refused_n, wire_error(res, WIRE_MESSAGE));
	snprintf(db->refused, sizeof(db->refused), "%s", state);
	db->refused_ms = now;
	db->refused_n = 0;
}

const char *
db_refusal(const struct db *db)
{
	return db->refused;
}

static int
refused_error(struct db *db, const char *name, const struct pg_result *res)
{
	const char *state = wire_error(res, WIRE_SQLSTATE);
	int error = sqlstate_error(state,
	    wire_error(res, WIRE_CONSTRAINT));

	/* The server always says a state: libpq found no memory for it. */
	if (!*state)
		error = -ENOMEM;

	/* Behind a virtual address the next connection finds the primary. */
	if (strcmp(state, "25006") == 0)
		db->stale = true;
	if (error < 0 || error == E_DATABASE)
		tell_refused(db, name ? name : "unnamed", error, res);
	return error;
}

int
db_run(struct db *db, struct arena *mem, const struct stmt *stmt,
    const struct db_params *params, struct db_result *ret)
{
	struct pg_result *res;
	enum wire w;
	int error;

	if (!usable(db, stmt->write))
		return E_DATABASE;
	if (db->until_ms && clock_mono_ms() >= db->until_ms)
		return E_TIMEOUT;
	if (!wire_send(db, stmt, params)) {
		link_lose(db);
		return E_DATABASE;
	}
	db->runs++;
	w = wire_wait(db, deadline(db), &res);
	if (w != WIRE_OK && w != WIRE_REFUSED) {
		error = lost_error(db, w, stmt->write);
		link_lose(db);
		return error;
	}
	arena_defer(mem, wire_clear, res);
	if (w == WIRE_REFUSED &&
	    pooler_lost_statement(db, wire_error(res, WIRE_SQLSTATE)))
		/* Nothing was done; but a transaction has ended by it. */
		return db->in_tx ? E_DATABASE :
		    db_run(db, mem, stmt, params, ret);
	if (w == WIRE_REFUSED)
		return refused_error(db, stmt->name, res);
	return row_decode(mem, stmt, res, ret);
}

static bool
pipe_send(struct db *db, const struct db_step *steps, size_t n)
{
	bool ok = wire_pipe(db);

	for (size_t i = 0; ok && i < n; i++)
		ok = wire_send(db, steps[i].stmt, steps[i].params);
	return ok && wire_pipe_sync(db);
}

/* The answer to one step; the connection may be lost afterwards. */
static int
pipe_take(struct db *db, struct arena *mem, struct db_step *step,
    int64_t until)
{
	struct pg_result *res;
	enum wire w = wire_wait(db, until, &res);
	int error;

	if (w != WIRE_OK && w != WIRE_REFUSED) {
		error = lost_error(db, w, true);
		link_lose(db);
		return error;
	}
	arena_defer(mem, wire_clear, res);
	if (w == WIRE_REFUSED)
		return refused_error(db, step->stmt->name, res);
	return row_decode(mem, step->stmt, res, &step->result);
}

/* Over the answers that nobody waits for, to the Sync's. */
static int
pipe_end(struct db *db, size_t left, int64_t until)
{
	struct pg_result *res;
	enum wire w = WIRE_OK;
	int error;

	for (; left > 0 && (w == WIRE_OK || w == WIRE_REFUSED); left--) {
		w = wire_wait(db, until, &res);
		wire_clear(res);
	}
	if (w == WIRE_OK || w == WIRE_REFUSED)
		w = wire_pipe_end(db, until);
	if (w == WIRE_OK)
		return 0;
	error = lost_error(db, w, true);
	link_lose(db);
	return error;
}

int
db_pipe(struct db *db, struct arena *mem, struct db_step *steps, size_t n,
    size_t *ret_done)
{
	const int64_t until = deadline(db);
	int error = 0, ended;
	size_t i;

	*ret_done = 0;
	if (!usable(db, true))
		return E_DATABASE;
	if (db->until_ms && clock_mono_ms() >= db->until_ms)
		return E_TIMEOUT;
	if (!pipe_send(db, steps, n)) {
		link_lose(db);
		return E_DATABASE;
	}
	db->runs++;
	for (i = 0; i < n && error == 0; i++)
		error = pipe_take(db, mem, &steps[i], until);
	*ret_done = error ? i - 1 : n;
	if (db->state != LINK_READY)
		return error;
	ended = pipe_end(db, n - i, until);
	return ended ? ended : error;
}

int
db_cursor_open(struct db *db, struct arena *mem, const struct db_cursor *c,
    const struct db_params *params)
{
	const struct stmt open = { NULL, c->open, NULL, false, false };
	struct db_result r;

	return db_run(db, mem, &open, params, &r);
}

int
db_cursor_fetch(struct db *db, struct arena *mem, const struct db_cursor *c,
    struct db_result *ret)
{
	const struct stmt fetch = { NULL, c->fetch, c->rows->row, false,
	    false };
	const struct db_params none = { 0 };

	return db_run(db, mem, &fetch, &none, ret);
}

unsigned long
db_runs(const struct db *db)
{
	return db->runs;
}

/* A command without rows. tag: what the server says it did. */
static int
run_command(struct db *db, const char *sql, int64_t until, char tag[16])
{
	struct pg_result *res;
	enum wire w;
	int error = 0;

	if (!usable(db, true))
		return E_DATABASE;
	w = wire_send_script(db, sql) ? wire_wait(db, until, &res) : WIRE_LOST;
	if (w == WIRE_LOST || w == WIRE_SLOW) {
		link_lose(db);
		return w == WIRE_SLOW ? E_TIMEOUT : E_DATABASE;
	}
	if (w == WIRE_REFUSED)
		error = refused_error(db, sql, res);
	strncpy(tag, wire_tag(res), 15);
	tag[15] = '\0';
	wire_clear(res);
	return error;
}

static int
begin(struct db *db, const char *how)
{
	char tag[16];
	int error;

	if (db->until_ms && clock_mono_ms() >= db->until_ms)
		return E_TIMEOUT;
	error = run_command(db, how, deadline(db), tag);

	db->in_tx = error == 0;
	return error;
}

int
db_begin(struct db *db)
{
	return begin(db, "BEGIN");
}

/* Cursors walk an index from the first row on, whatever the planner knows of
 * the table: a sort of all of them would not end in a statement's time. */
int
db_begin_snapshot(struct db *db)
{
	return begin(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
	    "SET LOCAL cursor_tuple_fraction = 0.000001");
}

int
db_savepoint(struct db *db)
{
	char tag[16];

	return run_command(db, "SAVEPOINT part", deadline(db), tag);
}

int
db_undo(struct db *db)
{
	char tag[16];

	return run_command(db, "ROLLBACK TO SAVEPOINT part", deadline(db),
	    tag);
}

int
db_commit(struct db *db)
{
	char tag[16];
	int error;

	if (!db->in_tx)
		return E_DATABASE;
	/* Found dead before the COMMIT was sent: nothing has happened. */
	if (!usable(db, true))
		return E_DATABASE;
	error = run_command(db, "COMMIT", deadline_of_end(db), tag);
	db->in_tx = false;
	if (error == E_DATABASE || error == E_TIMEOUT || error == -ENOMEM)
		return E_OUTCOME;
	/* The server turns the COMMIT of a failed transaction into this. */
	if (error == 0 && strcmp(tag, "COMMIT") != 0)
		return -EIO;
	return error;
}

void
db_rollback(struct db *db)
{
	char tag[16];

	if (!db->in_tx)
		return;
	db->in_tx = false;
	if (run_command(db, "ROLLBACK", deadline_of_end(db), tag) != 0 &&
	    db->state == LINK_READY)
		link_lose(db);
}

bool
db_in_transaction(const struct db *db)
{
	return db->in_tx;
}

int
db_script(struct db *db, const char *sql, const char **ret_why)
{
	struct pg_result *res;
	enum wire w;

	*ret_why = db->why;
	if (!usable(db, true))
		return E_DATABASE;
	w = wire_send_script(db, sql) ? wire_wait(db, 0, &res) : WIRE_LOST;
	if (w == WIRE_LOST || w == WIRE_SLOW) {
		link_lose(db);
		return E_DATABASE;
	}
	if (w == WIRE_REFUSED)
		snprintf(db->why, sizeof(db->why), "%s: %s",
		    wire_error(res, WIRE_SQLSTATE),
		    wire_error(res, WIRE_MESSAGE));
	wire_clear(res);
	return w == WIRE_OK ? 0 : -EPROTO;
}
