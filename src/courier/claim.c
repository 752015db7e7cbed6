/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A sender's loop: the next message, its delivery, its ending. */
#include "courier/claim.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "courier/deliver.h"
#include "store/lanes.h"
#include "store/outbox.h"

#define CONNECT_MS 2000
#define DEADLINE_MS 5000
#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 5000
/* Who waits for the bell comes back to say so. */
#define IDLE_MS 5000
#define COUNT_MS 1000
#define SWEEP_MS 30000
/* What a busy machine is granted beyond what was promised. */
#define GRACE_MS 3000
/* All that a turn may ask of the database. */
#define DATABASE_MS (CONNECT_MS + 3 * DEADLINE_MS)

static const struct stmts *const sets[] = {
	&outbox_statements, &lane_statements,
};

struct loop {
	const struct courier *courier;
	const struct lane *lane;
	struct text channel;
	struct way *way;
	struct board *board;
	int seat;
	struct arena *mem;	/* one message */
	struct db *db;
	int stop_fd;
	long backoff_ms;	/* 0: the database was there */
	struct ending last;	/* not yet written down */
	bool idle;		/* nothing was due */
	bool delayed;		/* something due did not go */
	int64_t sent, failed;	/* not yet counted */
	int64_t counted_ms, swept_ms;
};

/* ---- waiting ---- */

static void
promise(struct loop *loop, int64_t ms)
{
	board_promise(loop->board, loop->seat, clock_mono_ms(),
	    ms + GRACE_MS);
}

/* Wait, but no longer than until somebody wants us to stop, or the bell rings
 * (-1: no bell). */
static void
wait_ms(struct loop *loop, long ms, int bell)
{
	struct pollfd fds[] = {
		{ .fd = loop->stop_fd, .events = POLLIN },
		{ .fd = bell, .events = POLLIN },
	};

	promise(loop, ms);
	if (poll(fds, 2, (int)ms) > 0 && fds[1].revents)
		board_answer(loop->board, loop->seat);
	promise(loop, DATABASE_MS);
}

/* The signal stays pending: whoever asks again gets the same answer. */
static bool
stopping(const struct loop *loop)
{
	struct pollfd fd = { .fd = loop->stop_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void
back_off(struct loop *loop)
{
	loop->backoff_ms = loop->backoff_ms ? loop->backoff_ms * 2 :
	    BACKOFF_FIRST_MS;
	if (loop->backoff_ms > BACKOFF_MAX_MS)
		loop->backoff_ms = BACKOFF_MAX_MS;
	wait_ms(loop, loop->backoff_ms, -1);
}

/* ---- the database ---- */

static struct db *
new_db(const struct courier *courier)
{
	const struct settings *s = courier->settings;
	const struct db_config config = {
		.dsn = s->database_courier_dsn, .application = "docket-courier",
		.sets = sets, .n_sets = sizeof(sets) / sizeof(sets[0]),
		.prepared = strcmp(s->database_prepared, "off") != 0,
		.adapts = strcmp(s->database_prepared, "auto") == 0,
		.deadline_ms = DEADLINE_MS,
	};

	return db_new(&config);
}

/* 0 with a connection that is ready; its loss is the store's to log. */
static int
connect_db(struct loop *loop)
{
	int r;

	/* A ready one may have died while nobody asked it anything. */
	if (loop->db && db_ready(loop->db))
		db_step(loop->db);
	if (!loop->db)
		loop->db = new_db(loop->courier);
	if (!loop->db)
		return -ENOMEM;
	r = db_connect(loop->db, CONNECT_MS);
	if (r < 0) {
		/* Once the schema did not fit, only a new one looks again. */
		db_free(loop->db);
		loop->db = NULL;
	}
	return r;
}

/* The parent has seen that it can be opened; what has gone since may come
 * back. */
static int
open_way(struct loop *loop)
{
	if (loop->way)
		return 0;
	return loop->lane->kind->open(loop->courier->settings, stderr,
	    &loop->way) == 0 ? 0 : -EIO;
}

/* ---- the message ---- */

static void
tell_breaker(const struct loop *loop, const struct breaker *b)
{
	if (b->opened)
		log_event(LOG_WARN, "courier_breaker",
		    "channel=%s state=open seconds=%lld why=\"%s\"",
		    loop->lane->channel, (long long)b->open_seconds,
		    loop->last.why);
	if (b->closed)
		log_event(LOG_WARN, "courier_breaker",
		    "channel=%s state=closed", loop->lane->channel);
}

/* An ending that cannot ride with the next lease. Until it is written down it
 * is kept, so that a database that comes back learns of it. */
static int
settle(struct loop *loop)
{
	struct breaker breaker;
	int r;

	if (loop->last.kind == ENDING_NONE)
		return 0;
	r = store_outbox_end(loop->db, loop->mem, loop->channel, &loop->last,
	    loop->courier->settings->courier_breaker_failures, &breaker);
	if (r)
		return r;
	tell_breaker(loop, &breaker);
	loop->last = (struct ending){ .kind = ENDING_NONE };
	return 0;
}

static void
count(struct loop *loop)
{
	bool went = loop->last.kind == ENDING_SENT;

	loop->sent += went;
	loop->failed += !went && loop->last.kind != ENDING_DROPPED &&
	    loop->last.kind != ENDING_BACK;
	loop->delayed |= loop->last.kind == ENDING_LATER;
	atomic_fetch_add(&loop->board->seats[loop->seat].ended, 1);
}

static void
hand_over(struct loop *loop, const struct message *m, int64_t asked_ms)
{
	const struct settings *s = loop->courier->settings;
	const struct delivery d = {
		.courier = loop->courier, .lane = loop->lane,
		.way = loop->way, .message = m, .asked_ms = asked_ms,
		.lease_ms = deliver_lease_ms(s),
	};

	/* There may be more: another one looks meanwhile. */
	board_pass(loop->board, loop->seat);
	if (stopping(loop)) {
		loop->last = (struct ending){ .kind = ENDING_BACK,
			.id = m->id, .tries = m->tries, .probe = m->probe };
		return;
	}
	promise(loop, s->courier_send_seconds * 1000);
	deliver(&d, loop->mem, &loop->last);
	promise(loop, DATABASE_MS);
	count(loop);
}

static int
turn(struct loop *loop)
{
	const int64_t lease = deliver_lease_ms(loop->courier->settings);
	struct message m;
	int64_t asked_ms;
	int r = ending_is_plain(&loop->last) ? 0 : settle(loop);

	loop->idle = true;
	if (r)
		return r;
	asked_ms = clock_mono_ms();
	r = store_outbox_next(loop->db, loop->mem, loop->channel, lease,
	    &loop->last, &m);
	if (r)
		return r;
	loop->last = (struct ending){ .kind = ENDING_NONE };
	loop->delayed |= m.blocked;
	loop->idle = uuid_is_nil(&m.id);
	if (!loop->idle)
		hand_over(loop, &m, asked_ms);
	return 0;
}

/* ---- between messages ---- */

static int
flush_counts(struct loop *loop, int64_t now)
{
	int r = 0;

	loop->counted_ms = now;
	if (loop->sent + loop->failed > 0)
		r = store_lane_count(loop->db, loop->mem, loop->channel,
		    loop->sent, loop->failed);
	if (r == 0)
		loop->sent = loop->failed = 0;
	return r;
}

static int
sweep(struct loop *loop, int64_t now)
{
	int64_t expired = 0;
	int r = store_lane_sweep(loop->db, loop->mem, loop->channel,
	    loop->courier->settings->courier_keep_dead, &expired);

	loop->swept_ms = now;
	if (r == 0 && expired > 0)
		log_event(LOG_WARN, "messages_expired",
		    "channel=%s n=%lld", loop->lane->channel,
		    (long long)expired);
	return r;
}

/* Counts are written now and then, and before anybody waits; what is wrong
 * with the database the next turn finds. */
static void
tend(struct loop *loop, bool watching)
{
	int64_t now = clock_mono_ms();

	if (loop->idle || now - loop->counted_ms >= COUNT_MS)
		(void)flush_counts(loop, now);
	if (watching && now - loop->swept_ms >= SWEEP_MS)
		(void)sweep(loop, now);
}

static void
rest(struct loop *loop)
{
	bool watching = loop->idle && board_watch(loop->board, loop->seat);

	tend(loop, watching);
	arena_reset(loop->mem);
	if (watching)
		wait_ms(loop, loop->courier->settings->courier_poll_ms, -1);
	else if (loop->idle)
		wait_ms(loop, IDLE_MS, board_bell(loop->board, loop->seat));
}

/* What --once has to say. */
static int
verdict(const struct loop *loop, int r)
{
	if (r < 0)
		return EX_SOFTWARE;
	return r > 0 || loop->delayed ? EX_TEMPFAIL : EX_OK;
}

static int
run(struct loop *loop)
{
	const bool once = loop->courier->once;
	int r = 0;

	while (!stopping(loop)) {
		promise(loop, DATABASE_MS);
		r = open_way(loop);
		if (r == 0)
			r = connect_db(loop);
		if (r == 0)
			r = turn(loop);
		arena_reset(loop->mem);
		if (once && (r || loop->idle))
			break;
		if (r) {
			back_off(loop);
			continue;
		}
		loop->backoff_ms = 0;
		if (!once)
			rest(loop);
	}
	/* The last word, if anybody hears it. */
	if (loop->db && db_ready(loop->db)) {
		(void)settle(loop);
		(void)flush_counts(loop, 0);
	}
	return once ? verdict(loop, r) : EX_OK;
}

/* ---- the process ---- */

static int
stop_signals(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	if (sigprocmask(SIG_SETMASK, &stop, NULL) < 0)
		return -1;
	return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The parent's end is a SIGTERM, not a SIGKILL: the message in hand is
 * finished, or it would be sent twice. */
static bool
bind_to(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_DUMPABLE, 0);
	return getppid() == parent;
}

int
claim_run(const struct courier *courier, const struct claim_seat *seat)
{
	struct loop loop = {
		.courier = courier, .board = seat->board, .seat = seat->seat,
		.lane = &courier->lanes[seat->seat % BOARD_LANES],
		.stop_fd = stop_signals(), .mem = arena_new(65536),
		.swept_ms = clock_mono_ms() - SWEEP_MS,
	};
	char name[32];
	int code = EX_OSERR;

	loop.channel = text_of(loop.lane->channel);
	snprintf(name, sizeof(name), "%s.%d", loop.lane->channel,
	    seat->seat / BOARD_LANES);
	log_name(name);
	if (loop.stop_fd >= 0 && loop.mem && bind_to(seat->parent))
		code = run(&loop);
	if (loop.way)
		loop.lane->kind->close(loop.way);
	db_free(loop.db);
	arena_free(loop.mem);
	if (loop.stop_fd >= 0)
		close(loop.stop_fd);
	return code;
}
