/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What every worker is doing, in memory that the supervisor reads. */
#ifndef DOCKET_SERVER_SCOREBOARD_H
#define DOCKET_SERVER_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum score_state {
	SCORE_EMPTY,
	SCORE_STARTING,
	SCORE_IDLE,
	SCORE_BUSY,
	SCORE_DRAINING,
	SCORE__MAX
};

/* One worker, on a cache line of its own: only that worker writes it while it
 * lives. Instants are clock_mono_ms. */
struct score {
	_Alignas(64) _Atomic int64_t busy_ms;	/* since; 0 = not busy */
	_Atomic int64_t active_ms;		/* end of the last request */
	_Atomic int64_t beat_ms;		/* its loop's last turn */
	_Atomic int64_t started_ms;
	_Atomic uint64_t served;
	_Atomic int connections;
	_Atomic bool listening;			/* takes new connections */
	_Atomic int state;
	_Atomic int group;
	_Atomic int pid;
	_Atomic int operation;	/* of the request, as an index; -1: not known */
};

_Static_assert(sizeof(struct score) == 64, "a score is one cache line");

struct web_worker;

struct scoreboard {
	struct score *v;
	size_t n;
};

/* 0 or -ENOMEM. */
int scoreboard_init(struct scoreboard *board, size_t n);
void scoreboard_done(struct scoreboard *board);

/* The supervisor, before the fork and after the death. */
void score_start(struct score *score, int group, int64_t now_ms);
void score_clear(struct score *score);

/* The worker. */
void score_ready(struct score *score, int pid, int64_t now_ms);
void score_busy(struct score *score, int64_t now_ms);
/* served: whether what made it busy was a request. */
void score_idle(struct score *score, bool served, int64_t now_ms);
void score_drain(struct score *score);
/* At every turn of its loop, which takes a second at most when idle. */
void score_beat(struct score *score, int64_t now_ms);
void score_connections(struct score *score, long n);
void score_listening(struct score *score, bool listening);

/* Busy with one thing, starting, or without a beat for longer than limit_ms
 * (which is above a second). */
bool score_hung(const struct score *score, int64_t limit_ms, int64_t now_ms);
bool score_is_ready(const struct score *score);
/* Worker i as others may know it (web/web.h); false behind the last one. */
bool scoreboard_look(const struct scoreboard *board, size_t i,
    int64_t limit_ms, int64_t now_ms, struct web_worker *ret);
/* Of the same group somebody else listens who has at least two connections
 * fewer and is not stuck: let them have the next one. */
bool scoreboard_crowded(const struct scoreboard *board, size_t me,
    int64_t now_ms);
/* Do I have more connections than each would, were they dealt out anew among
 * those of my group who serve and are not stuck? */
bool scoreboard_above_share(const struct scoreboard *board, size_t me,
    int64_t now_ms);

#endif
