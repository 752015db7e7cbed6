/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The scoreboard: shared memory, one cell a worker, no locks. */
#include "server/scoreboard.h"

#include <errno.h>
#include <sys/mman.h>

#include "web/web.h"

#define STUCK_MS 20		/* busy for longer: nobody counts on it */
#define SILENT_MS 1500		/* nor on who is idle and says nothing */

/* Nothing orders one member against another here: a reader that sees a state
 * and a count from different moments only logs them. */
#define PUT(member, value) \
	atomic_store_explicit(&score->member, (value), memory_order_relaxed)
#define GET(member) \
	atomic_load_explicit(&score->member, memory_order_relaxed)

static const char *const names[SCORE__MAX] = {
	[SCORE_EMPTY] = "empty",
	[SCORE_STARTING] = "starting",
	[SCORE_IDLE] = "idle",
	[SCORE_BUSY] = "busy",
	[SCORE_DRAINING] = "draining",
};

int
scoreboard_init(struct scoreboard *board, size_t n)
{
	void *v = mmap(NULL, n * sizeof(*board->v), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (v == MAP_FAILED)
		return -ENOMEM;
	board->v = v;
	board->n = n;
	return 0;
}

void
scoreboard_done(struct scoreboard *board)
{
	if (board->v)
		munmap(board->v, board->n * sizeof(*board->v));
	board->v = NULL;
	board->n = 0;
}

void
score_start(struct score *score, int group, int64_t now_ms)
{
	PUT(pid, 0);
	PUT(group, group);
	PUT(operation, -1);
	PUT(served, 0);
	PUT(connections, 0);
	PUT(listening, false);
	PUT(busy_ms, 0);
	PUT(active_ms, now_ms);
	PUT(beat_ms, now_ms);
	PUT(started_ms, now_ms);
	PUT(state, SCORE_STARTING);
}

/* served stays: the supervisor reads it of the dead. */
void
score_clear(struct score *score)
{
	PUT(state, SCORE_EMPTY);
	PUT(listening, false);
	PUT(busy_ms, 0);
	PUT(pid, 0);
}

void
score_ready(struct score *score, int pid, int64_t now_ms)
{
	PUT(pid, pid);
	PUT(active_ms, now_ms);
	PUT(state, SCORE_IDLE);
}

void
score_busy(struct score *score, int64_t now_ms)
{
	PUT(busy_ms, now_ms);
	PUT(operation, -1);
	/* DRAINING says more than BUSY and stays. */
	if (GET(state) == SCORE_IDLE)
		PUT(state, SCORE_BUSY);
}

void
score_idle(struct score *score, bool served, int64_t now_ms)
{
	PUT(busy_ms, 0);
	PUT(active_ms, now_ms);
	if (served)
		PUT(served, GET(served) + 1);
	if (GET(state) == SCORE_BUSY)
		PUT(state, SCORE_IDLE);
}

void
score_drain(struct score *score)
{
	PUT(state, SCORE_DRAINING);
}

void
score_beat(struct score *score, int64_t now_ms)
{
	PUT(beat_ms, now_ms);
}

void
score_connections(struct score *score, long n)
{
	PUT(connections, (int)n);
}

void
score_listening(struct score *score, bool listening)
{
	PUT(listening, listening);
}

/* With one thing, as far as the worker itself says. */
static bool
is_stuck(const struct score *score, int64_t limit_ms, int64_t now_ms)
{
	/* One that never gets ready hangs as well. */
	int64_t since = GET(state) == SCORE_STARTING ? GET(started_ms) :
	    GET(busy_ms);

	return GET(state) != SCORE_EMPTY && since != 0 &&
	    now_ms - since > limit_ms;
}

bool
score_hung(const struct score *score, int64_t limit_ms, int64_t now_ms)
{
	/* Stopped while idle, it says nothing more. */
	bool silent = score_is_ready(score) && GET(busy_ms) == 0 &&
	    now_ms - GET(beat_ms) > limit_ms;

	return silent || is_stuck(score, limit_ms, now_ms);
}

bool
score_is_ready(const struct score *score)
{
	return GET(state) >= SCORE_IDLE;
}

/* A second more than a deadline: so long an idle one may say nothing. */
#define BEAT_SLACK_MS 1000

bool
scoreboard_look(const struct scoreboard *board, size_t i, int64_t limit_ms,
    int64_t now_ms, struct web_worker *ret)
{
	const struct score *score;
	int64_t busy, started;

	if (i >= board->n)
		return false;
	score = &board->v[i];
	busy = GET(busy_ms);
	started = GET(started_ms);
	*ret = (struct web_worker){
		.group = GET(group),
		.pid = GET(pid),
		.state = names[GET(state)],
		.hung = score_hung(score, limit_ms + BEAT_SLACK_MS, now_ms),
		.operation = busy ? GET(operation) : -1,
		.busy_ms = busy && busy < now_ms ? now_ms - busy : 0,
		/* Both may have begun since the clock was read. */
		.age_ms = started < now_ms ? now_ms - started : 0,
		.served = GET(served),
		.connections = GET(connections),
	};
	return true;
}

/* Somebody who can take a connection now: neither long in a request nor
 * stopped while idle. */
static bool
is_about(const struct score *score, int64_t now_ms)
{
	return !is_stuck(score, STUCK_MS, now_ms) &&
	    (GET(busy_ms) != 0 || now_ms - GET(beat_ms) <= SILENT_MS);
}

bool
scoreboard_crowded(const struct scoreboard *board, size_t me, int64_t now_ms)
{
	const struct score *score = &board->v[me];
	long mine = GET(connections);
	int group = GET(group);

	/* Two, not one: with one they would all take turns in waiting. */
	for (size_t i = 0; i < board->n; i++) {
		score = &board->v[i];
		if (i != me && GET(listening) && GET(group) == group &&
		    GET(connections) + 2 <= mine &&
		    is_about(score, now_ms))
			return true;
	}
	return false;
}

bool
scoreboard_above_share(const struct scoreboard *board, size_t me,
    int64_t now_ms)
{
	const struct score *score = &board->v[me];
	const long mine = GET(connections);
	const int group = GET(group);
	long all = mine, n = 1;

	for (size_t i = 0; i < board->n; i++) {
		score = &board->v[i];
		if (i == me || GET(group) != group || !score_is_ready(score) ||
		    GET(state) == SCORE_DRAINING ||
		    !is_about(score, now_ms))
			continue;
		all += GET(connections);
		n++;
	}
	return mine > (all + n - 1) / n;
}
