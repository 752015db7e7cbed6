/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keeps the connection: wait, connect, prepare, ready, and again when lost. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/wire.h"

/* A connection that gets no further within this starts over; where there are
 * several hosts, at the next one, and sooner. */
#define CONNECT_MS 2000
#define CONNECT_HOST_MS 1000
/* A schema that does not fit is not mended in milliseconds. */
#define DRIFT_MS 3000
#define RETRY_MS 100
#define RETRY_JITTER_MS 150
#define TELL_AGAIN_MS 5000
/* While the server is read-only: how often another connection is tried, and
 * how often that one is looked at. */
#define SPARE_MS 3000
#define SPARE_TICK_MS 5

struct db *
db_new(const struct db_config *config)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->config = *config;
	/* Who says that no statement is kept says that a pooler is there. */
	db->config.bare |= !config->prepared;
	return db;
}

void
db_free(struct db *db)
{
	if (!db)
		return;
	db_free(db->spare);
	wire_close(db);
	free(db);
}

/* Spread over the workers, so that a returning server is not stormed. */
static int64_t
retry_ms(const struct db *db)
{
	unsigned mix = (unsigned)getpid() * 2654435761u +
	    db->attempts * 40503u;

	/* The first retry follows at once: mostly it was a restart. */
	if (db->attempts == 0)
		return 0;
	return RETRY_MS + (int64_t)(mix >> 8) % (RETRY_JITTER_MS + 1);
}

/* Once per change of state, not once per attempt; and when it stays away for
 * another reason than it went. */
static void
tell_lost(struct db *db, enum log_level level, const char *event)
{
	int64_t now = clock_mono_ms();

	if (db->is_spare)
		return;
	if (db->told_lost && (now - db->told_ms < TELL_AGAIN_MS ||
	    strncmp(db->told_why, db->why, sizeof(db->told_why) - 1) == 0))
		return;
	log_event(level, event, "application=%s why=\"%s\"",
	    db->config.application, db->why);
	if (!db->told_lost)
		db->lost_at = now;
	db->told_ms = now;
	snprintf(db->told_why, sizeof(db->told_why), "%s", db->why);
	db->told_lost = true;
}

void
link_lose(struct db *db)
{
	wire_close(db);
	if (db->state == LINK_READY)
		metrics_count(COUNT_DB_LOST);
	if (!db->adapted)
		tell_lost(db, LOG_WARN, "db_lost");
	/* One that accepts and says nothing would come first for ever. */
	if (!db->adapted && (db->state == LINK_CONNECTING ||
	    db->state == LINK_PREPARING))
		db->host = (db->host + 1) % db->n_hosts;
	db_free(db->spare);
	db->spare = NULL;
	db->state = LINK_WAIT;
	db->until = clock_mono_ms() + (db->adapted ? 0 : retry_ms(db));
	db->attempts += !db->adapted;
	db->adapted = false;
	db->in_tx = false;
	db->stale = false;
}

static void
lose_to_drift(struct db *db)
{
	metrics_count(COUNT_DB_DRIFT);
	/* After an outage it is news: the schema was changed meanwhile. */
	db->told_lost = db->told_lost && db->told_drift;
	tell_lost(db, LOG_ERROR_, "db_drift");
	db->told_drift = true;
	link_lose(db);
	db->until = clock_mono_ms() + DRIFT_MS;
}

static void
be_ready(struct db *db)
{
	if (db->told_lost)
		log_event(LOG_INFO, "db_ready",
		    "application=%s attempts=%u away_ms=%lld",
		    db->config.application, db->attempts,
		    (long long)(clock_mono_ms() - db->lost_at));
	metrics_count(COUNT_DB_READY);
	db->state = LINK_READY;
	db->events = EPOLLIN;
	db->attempts = 0;
	db->told_lost = false;
	db->told_drift = false;
}

/* For the whole of it: libpq itself goes on from a host that refuses. */
static int
connect_ms(const struct db *db)
{
	return db->n_hosts > 1 ? CONNECT_HOST_MS : CONNECT_MS;
}

static void
step_wait(struct db *db)
{
	if (clock_mono_ms() < db->until)
		return;
	if (!wire_open(db)) {
		link_lose(db);
		return;
	}
	db->state = LINK_CONNECTING;
	db->until = clock_mono_ms() + connect_ms(db);
}

static void
step_connecting(struct db *db)
{
	enum wire w = wire_open_step(db);

	if (w == WIRE_AGAIN)
		return;
	if (w != WIRE_OK || !wire_prepare(db)) {
		link_lose(db);
		return;
	}
	db->state = LINK_PREPARING;
	db->until = clock_mono_ms() + CONNECT_MS;
}

static void
step_preparing(struct db *db)
{
	switch (wire_prepare_step(db)) {
	case WIRE_OK:
		be_ready(db);
		break;
	case WIRE_AGAIN:
		break;
	case WIRE_DRIFT:
		lose_to_drift(db);
		break;
	default:
		link_lose(db);
	}
}

/* The server became read-only. Behind a virtual address or in a list of hosts
 * a new connection finds the primary; until there is one, this one serves the
 * reads. */
static void
step_spare(struct db *db)
{
	if (!db->spare) {
		if (clock_mono_ms() < db->spare_ms)
			return;
		db->spare_ms = clock_mono_ms() + SPARE_MS;
		db->spare = db_new(&db->config);
		if (!db->spare)
			return;
		db->spare->is_spare = true;
		db->spare->host = (db->host + 1) % db->n_hosts;
	}
	db_step(db->spare);
	if (db_ready(db->spare)) {
		wire_take(db, db->spare);
		db->config = db->spare->config;
		db->host = db->spare->host;
		db->stale = false;
	}
	if (!db->stale || db->spare->attempts > 0) {
		db_free(db->spare);
		db->spare = NULL;
	}
}

/* Nothing was asked: what comes is a notice, or the end. */
static void
step_ready(struct db *db)
{
	if (!wire_alive(db))
		link_lose(db);
	else if (db->stale)
		step_spare(db);
}

/* A step does at most one thing, and a lost connection leaves no socket until
 * the next one: an event loop sees every change of db_fd. */
void
db_step(struct db *db)
{
	static void (*const steps[])(struct db *) = {
		[LINK_WAIT] = step_wait,
		[LINK_CONNECTING] = step_connecting,
		[LINK_PREPARING] = step_preparing,
		[LINK_READY] = step_ready,
	};
	struct pollfd p = { .fd = wire_fd(db) };

	if (db->state == LINK_CONNECTING || db->state == LINK_PREPARING) {
		if (clock_mono_ms() >= db->until) {
			snprintf(db->why, sizeof(db->why),
			    "no connection within %d ms", connect_ms(db));
			link_lose(db);
			return;
		}
		/* PQconnectPoll blocks nowhere, but it must not be asked
		 * before the socket has something for it. */
		p.events = (short)((db->events & EPOLLIN ? POLLIN : 0) |
		    (db->events & EPOLLOUT ? POLLOUT : 0));
		if (poll(&p, 1, 0) <= 0)
			return;
	}
	steps[db->state](db);
}

const char *
db_why(const struct db *db)
{
	return db->why;
}

int
db_fd(const struct db *db)
{
	return wire_fd(db);
}

uint32_t
db_events(const struct db *db)
{
	return db->events;
}

int
db_tick_ms(const struct db *db)
{
	int64_t until = db->state == LINK_READY ? db->spare_ms : db->until;
	int64_t left = until - clock_mono_ms();

	if (db->state == LINK_READY && !db->stale)
		return -1;
	if (db->spare)
		return SPARE_TICK_MS;
	return left > 0 ? (int)left : 0;
}

bool
db_ready(const struct db *db)
{
	return db->state == LINK_READY;
}

int
db_connect(struct db *db, long ms)
{
	int64_t until = clock_mono_ms() + ms;

	for (;;) {
		struct pollfd p = { .fd = wire_fd(db) };
		int64_t left = until - clock_mono_ms();
		int tick = db_tick_ms(db);

		if (db_ready(db) && !db->spare)
			return 0;
		if (db->told_drift)
			return -EPROTO;
		if (left <= 0)
			return E_DATABASE;
		p.events = (short)((db->events & EPOLLIN ? POLLIN : 0) |
		    (db->events & EPOLLOUT ? POLLOUT : 0));
		poll(&p, 1, tick < left ? tick : (int)left);
		db_step(db);
	}
}
