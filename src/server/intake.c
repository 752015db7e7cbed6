/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where a worker's connections come from, and when it takes one. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/loop.h"
#include "web/route.h"

/* How soon a worker looks again whether it has more connections than others:
 * one that has, and one that has not. */
#define CROWDED_MS 5
#define ALONE_MS 100
/* How often it gives one away. */
#define SHARE_MS 5
/* How long a connection may be left to others. */
#define DEFER_MS 100

char intake_tag_listen, intake_tag_take;

/* Connections stay with their worker, so they are dealt out evenly: only
 * those who have no more than others are woken for the next. */
static bool
is_crowded(struct worker *w, int64_t now)
{
	bool look = w->crowded_ms == 0 ||
	    now - w->crowded_ms >= (w->crowded ? CROWDED_MS : ALONE_MS);

	if (look) {
		w->crowded_ms = now;
		w->crowded = scoreboard_crowded(w->config->board,
		    w->config->web.member, now);
	}
	return w->crowded;
}

static void
set_listening(struct worker *w, bool want)
{
	uint32_t events = EPOLLIN | EPOLLEXCLUSIVE;
	int op = want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;

	if (want == w->listening)
		return;
	loop_watch(w, op, w->config->listen_fd, events, &intake_tag_listen);
	loop_watch(w, op, w->config->handover->take, events, &intake_tag_take);
	w->listening = want;
	score_listening(w->score, want);
}

/* To the end of the socket's queue of waiting workers: it wakes the first
 * one, which would otherwise get them all. */
static void
queue_again(struct worker *w)
{
	set_listening(w, false);
}

/* May another one be taken along? The socket's turn comes once in a round of
 * all connections, so one a turn would leave a crowd waiting for seconds. Not
 * where each request is long: what is not taken, another worker may take. */
static bool
takes_more(struct worker *w)
{
	return w->config->group == GROUP_MAIN &&
	    w->n_conns < w->settings->server_connections &&
	    !is_crowded(w, clock_mono_ms());
}

static int
accept_next(const struct worker *w)
{
	/* cppcheck-suppress nullPointer ; who it is does not matter */
	return accept4(w->config->listen_fd, NULL, NULL, SOCK_CLOEXEC);
}

void
intake_accept(struct worker *w)
{
	int fd = accept_next(w);

	if (fd >= 0) {
		conns_open(w, fd, true);
		while (takes_more(w) && (fd = accept_next(w)) >= 0)
			conns_open(w, fd, true);
		queue_again(w);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_event(LOG_WARN, "accept_failed", "errno=%d connections=%ld", errno,
	    w->n_conns);
	w->pause_ms = clock_mono_ms() + PAUSE_MS;
}

bool
intake_take(struct worker *w)
{
	int fd = handover_take(w->config->handover);

	if (fd < 0)
		return false;
	conns_open(w, fd, false);
	queue_again(w);
	return true;
}

/* Those with fewer, and whoever was woken in our place, may be stopped: what
 * still waits is taken by hand. */
static void
insist(struct worker *w, int64_t now)
{
	if (now - w->defer_ms < DEFER_MS)
		return;
	w->defer_ms = now;
	intake_take(w);
	intake_accept(w);
}

/* A worker that was alone for a moment, as the first one after a reload, has
 * got them all, and nginx keeps them for a day: what is above an equal share
 * goes to the others, the next when the last was taken. */
static void
share(struct worker *w, int64_t now)
{
	if (w->config->group == GROUP_MAIN &&
	    handover_is_empty(w->config->handover) &&
	    scoreboard_above_share(w->config->board, w->config->web.member,
	    now))
		conns_share(w);
}

static bool
is_open(const struct worker *w, int64_t now)
{
	return w->ready && w->leaving == LEAVING_NOT && now >= w->pause_ms &&
	    w->n_conns < w->settings->server_connections;
}

void
intake_watch(struct worker *w, int64_t now)
{
	bool crowded;

	/* First: what it takes ends the listening. */
	if (is_open(w, now))
		insist(w, now);
	crowded = is_open(w, now) && is_crowded(w, now);
	set_listening(w, is_open(w, now) && !crowded);
	if (crowded && now >= w->share_ms) {
		w->share_ms = now + SHARE_MS;
		share(w, now);
	}
}
