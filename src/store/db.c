/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The only libpq door: open, prepare, send and wait, without ever blocking. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "store/hosts.h"
#include "store/wire.h"

static const char *
option(const PQconninfoOption *parsed, const char *keyword)
{
	for (const PQconninfoOption *o = parsed; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

/* libpq marks what is never to be shown; a name alone is a database's. */
int
db_dsn_tells(const char *dsn)
{
	PQconninfoOption *all = PQconninfoParse(dsn, NULL), *o = all;
	int r = all || !strpbrk(dsn, "=:") ? 0 : -1;

	for (; r == 0 && o && o->keyword; o++)
		r = o->val && *o->dispchar == '*';
	PQconninfoFree(all);
	return r;
}

/* Begin with host `from` of several. */
static PGconn *
start(struct db *db, const PQconninfoOption *parsed, unsigned from)
{
	/* What stands before dbname, the dsn may override. No
	 * connect_timeout: PQconnectPoll knows none, so link.c keeps time. */
	static const char *const keys[] = {
		"keepalives", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "dbname",
		"application_name", "client_encoding", "options",
		"host", "hostaddr", "port", NULL
	};
	const struct hosts listed = {
		option(parsed, "host"), option(parsed, "hostaddr"),
		option(parsed, "port")
	};
	struct hosts turned;
	char options[512], *text;
	PGconn *conn;

	db->n_hosts = hosts_count(&listed);
	if (!hosts_from(&listed, from, &turned, &text))
		return NULL;
	pooler_options(db, option(parsed, "options"), options, sizeof(options));
	conn = PQconnectStartParams(keys, (const char *[]) {
		"1", "5", "2", "2", "5000", db->config.dsn,
		db->config.application, "UTF8", options,
		turned.host, turned.hostaddr, turned.port, NULL }, 1);
	free(text);
	return conn;
}

bool
wire_open(struct db *db)
{
	PQconninfoOption *parsed = PQconninfoParse(db->config.dsn, NULL);

	db->conn = start(db, parsed, db->host);
	PQconninfoFree(parsed);
	if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD) {
		wire_note(db, db->conn ? PQerrorMessage(db->conn) :
		    "out of memory");
		return false;
	}
	PQsetNoticeProcessor(db->conn, wire_notice, db);
	db->events = EPOLLOUT;
	return true;
}

enum wire
wire_open_step(struct db *db)
{
	switch (PQconnectPoll(db->conn)) {
	case PGRES_POLLING_READING:
		db->events = EPOLLIN;
		return WIRE_AGAIN;
	case PGRES_POLLING_WRITING:
		db->events = EPOLLOUT;
		return WIRE_AGAIN;
	case PGRES_POLLING_OK:
		if (PQsetnonblocking(db->conn, 1) == 0) {
			db->events = EPOLLIN;
			return WIRE_OK;
		}
		break;
	default:
		break;
	}
	wire_note(db, PQerrorMessage(db->conn));
	db->adapted = pooler_refuses_options(db, PQerrorMessage(db->conn));
	return WIRE_LOST;
}

void
wire_take(struct db *db, struct db *from)
{
	wire_close(db);
	db->conn = from->conn;
	db->events = from->events;
	from->conn = NULL;
	PQsetNoticeProcessor(db->conn, wire_notice, db);
}

void
wire_close(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->events = 0;
}

int
wire_fd(const struct db *db)
{
	return db->conn ? PQsocket(db->conn) : -1;
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

bool
wire_alive(struct db *db)
{
	PGnotify *n;

	/* Mostly there is nothing to read, and a poll is cheaper. PQisBusy
	 * is what parses: a FATAL before the end of file says why. */
	while (readable(PQsocket(db->conn)))
		if (!PQconsumeInput(db->conn) || PQisBusy(db->conn) ||
		    PQstatus(db->conn) == CONNECTION_BAD) {
			wire_note(db, PQerrorMessage(db->conn));
			return false;
		}
	while ((n = PQnotifies(db->conn)))
		PQfreemem(n);
	return true;
}

/* The unnamed statement serves where none may be kept (PgBouncer). */
static const char *
stmt_name(const struct db *db, const struct stmt *stmt)
{
	return db->config.prepared ? stmt->name : "";
}

bool
wire_prepare(struct db *db)
{
	bool ok = PQenterPipelineMode(db->conn) == 1;

	for (size_t i = 0; ok && i < db->config.n_sets; i++) {
		const struct stmts *set = db->config.sets[i];

		for (size_t k = 0; ok && k < set->n; k++) {
			const char *name = stmt_name(db, &set->v[k]);

			ok = PQsendPrepare(db->conn, name, set->v[k].sql, 0,
			    NULL) && PQsendDescribePrepared(db->conn, name);
		}
	}
	ok = ok && PQpipelineSync(db->conn) == 1;
	if (!ok)
		wire_note(db, PQerrorMessage(db->conn));
	db->set = 0;
	db->stmt = 0;
	db->parsed = false;
	db->events = EPOLLIN | EPOLLOUT;
	return ok;
}

/* A statement's two answers, Parse and Describe, end with a NULL each; the
 * Sync's closes them all. WIRE_AGAIN: go on with the next. */
static enum wire
take_result(struct db *db, PGresult *res)
{
	enum wire w;

	if (res && PQresultStatus(res) == PGRES_PIPELINE_SYNC)
		return PQexitPipelineMode(db->conn) == 1 ? WIRE_OK : WIRE_LOST;
	if (!res)
		return prepare_next(db) ? WIRE_AGAIN : WIRE_LOST;
	w = prepare_answer(db, res, PQresultStatus(res) != PGRES_COMMAND_OK);
	if (PQstatus(db->conn) == CONNECTION_BAD)
		return WIRE_LOST;
	return w == WIRE_OK ? WIRE_AGAIN : w;
}

enum wire
wire_prepare_step(struct db *db)
{
	int more;

	if (!PQconsumeInput(db->conn) || (more = PQflush(db->conn)) < 0) {
		wire_note(db, PQerrorMessage(db->conn));
		return WIRE_LOST;
	}
	while (!PQisBusy(db->conn)) {
		PGresult *res = PQgetResult(db->conn);
		enum wire w = take_result(db, res);

		PQclear(res);
		if (w != WIRE_AGAIN)
			return w;
	}
	db->events = EPOLLIN | (more ? EPOLLOUT : 0);
	return WIRE_AGAIN;
}

bool
wire_send(struct db *db, const struct stmt *stmt, const struct db_params *p)
{
	if (db->config.prepared && stmt->name)
		return PQsendQueryPrepared(db->conn, stmt->name, p->n,
		    p->values, p->lengths, p->formats, 1) == 1;
	return PQsendQueryParams(db->conn, stmt->sql, p->n, NULL, p->values,
	    p->lengths, p->formats, 1) == 1;
}

bool
wire_send_script(struct db *db, const char *sql)
{
	return PQsendQuery(db->conn, sql) == 1;
}

/* Until the socket can be read, or written while something waits for it. */
static enum wire
wait_socket(struct db *db, int64_t until)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };
	int64_t left = until ? until - clock_mono_ms() : 1000;
	int more = PQflush(db->conn);
	bool ready;

	if (more < 0)
		return WIRE_LOST;
	if (more)
		p.events |= POLLOUT;
	/* Late, the answer may lie there all the same: look once. */
	ready = poll(&p, 1, left > 0 ? (int)left : 0) > 0 && p.revents & ~POLLOUT;
	if (ready && !PQconsumeInput(db->conn))
		return WIRE_LOST;
	return ready || left > 0 ? WIRE_OK : WIRE_SLOW;
}

/* An error is never displaced by what follows it, nor rows by success. */
static PGresult *
keep_result(PGresult *kept, PGresult *res)
{
	if (kept && PQresultStatus(kept) != PGRES_COMMAND_OK &&
	    PQresultStatus(res) != PGRES_FATAL_ERROR) {
		PQclear(res);
		return kept;
	}
	PQclear(kept);
	return res;
}

enum wire
wire_wait(struct db *db, int64_t until, struct pg_result **ret_res)
{
	PGresult *kept = NULL, *res;
	enum wire w = WIRE_OK;

	*ret_res = NULL;
	do {
		while (w == WIRE_OK && PQisBusy(db->conn))
			w = wait_socket(db, until);
		res = w == WIRE_OK ? PQgetResult(db->conn) : NULL;
		if (res)
			kept = keep_result(kept, res);
	} while (res);
	/* A FATAL is both: an error, and the end of the connection. */
	if (w == WIRE_OK && PQstatus(db->conn) == CONNECTION_BAD)
		w = WIRE_LOST;
	if (w != WIRE_OK || !kept) {
		wire_note(db, w == WIRE_SLOW ? "no answer in time" :
		    PQerrorMessage(db->conn));
		PQclear(kept);
		return w == WIRE_SLOW ? WIRE_SLOW : WIRE_LOST;
	}
	*ret_res = kept;
	switch (PQresultStatus(kept)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		return WIRE_OK;
	default:
		return WIRE_REFUSED;
	}
}

bool
wire_pipe(struct db *db)
{
	return PQenterPipelineMode(db->conn) == 1;
}

bool
wire_pipe_sync(struct db *db)
{
	return PQpipelineSync(db->conn) == 1;
}

enum wire
wire_pipe_end(struct db *db, int64_t until)
{
	enum wire w = WIRE_OK;
	PGresult *res;
	bool synced;

	while (w == WIRE_OK && PQisBusy(db->conn))
		w = wait_socket(db, until);
	res = w == WIRE_OK ? PQgetResult(db->conn) : NULL;
	synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
	PQclear(res);
	if (synced && PQexitPipelineMode(db->conn) == 1)
		return WIRE_OK;
	wire_note(db, w == WIRE_SLOW ? "no answer in time" :
	    PQerrorMessage(db->conn));
	return w == WIRE_SLOW ? WIRE_SLOW : WIRE_LOST;
}

int
wire_rows(const struct pg_result *res)
{
	return PQntuples(res);
}

int
wire_columns(const struct pg_result *res)
{
	return PQnfields(res);
}

const char *
wire_name(const struct pg_result *res, int column)
{
	return PQfname(res, column);
}

uint32_t
wire_type(const struct pg_result *res, int column)
{
	return PQftype(res, column);
}

const char *
wire_value(const struct pg_result *res, int row, int column, size_t *ret_n)
{
	*ret_n = (size_t)PQgetlength(res, row, column);
	if (*ret_n == 0 && PQgetisnull(res, row, column))
		return NULL;
	return PQgetvalue(res, row, column);
}

long
wire_affected(struct pg_result *res)
{
	return strtol(PQcmdTuples(res), NULL, 10);
}

const char *
wire_tag(struct pg_result *res)
{
	return PQcmdStatus(res);
}

const char *
wire_error(const struct pg_result *res, enum wire_part part)
{
	const char *s = PQresultErrorField(res, (int)part);

	return s ? s : "";
}

void
wire_clear(void *res)
{
	PQclear(res);
}
