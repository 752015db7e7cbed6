/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's kept connections: open, serve, part with. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/loop.h"

/* A worker that stops never closes a connection that nginx may be writing to
 * at this moment: the POST that meets the end is lost to its client, for nginx
 * sends it to nobody else. It says goodbye and serves on until nginx closes.
 * Whoever has not done that so long after the last exchange is no nginx. */
#define PART_LATE_MS 3000

/* So long may a request take to come in full, and a new connection to begin
 * one: nginx connects when it has something to send. */
#define WAIT_MS 2000
/* Where every place is taken, patience ends sooner: while nothing comes, and
 * with idle ones too. Those that were served hear goodbye first, which nginx
 * heeds within much less than what is left to it then. */
#define FULL_WAIT_MS 200
#define FULL_IDLE_MS 250
#define FULL_LATE_MS 500

static void
count(struct worker *w, int by)
{
	w->n_conns += by;
	w->crowded_ms = 0;
	score_connections(w->score, w->n_conns);
}

/* We owe it patience, but not for ever: conns_expire. */
static void
set_waiting(struct worker *w, struct conn *c, bool waiting)
{
	if (waiting && !c->waiting)
		c->active_ms = clock_mono_ms();
	w->n_waiting += (long)waiting - (long)c->waiting;
	c->waiting = waiting;
}

/* Out of the list and gone. Out of the set by hand: that forgets a socket with
 * its last descriptor, and who gave us this one may not have closed theirs yet,
 * as may who takes it from us. */
static void
close_conn(struct worker *w, struct conn *c)
{
	loop_watch(w, EPOLL_CTL_DEL, fcgi_fd(c->fcgi), 0, NULL);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	set_waiting(w, c, false);
	count(w, -1);
	fcgi_close(c->fcgi);
	free(c);
}

/* No memory for it here and now: to whoever takes it next, with the request
 * that waits in it. */
static void
pass_on(struct worker *w, int fd)
{
	w->pause_ms = clock_mono_ms() + PAUSE_MS;
	if (w->leaving != LEAVING_STOP)
		handover_give(w->config->handover, fd);
	close(fd);
}

void
conns_open(struct worker *w, int fd, bool fresh)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct fcgi *fcgi = c ? fcgi_open(fd) : NULL;

	if (!fcgi) {
		free(c);
		pass_on(w, fd);
		return;
	}
	c->fcgi = fcgi;
	c->active_ms = clock_mono_ms();
	set_waiting(w, c, fresh);
	c->next = w->conns;
	if (c->next)
		c->next->prev = c;
	w->conns = c;
	count(w, 1);
	if (!loop_watch(w, EPOLL_CTL_ADD, fd, EPOLLIN, c))
		close_conn(w, c);
}

/* Reasons to be replaced: both let the others take the connections. */
static void
count_served(struct worker *w, const struct web_served *served)
{
	w->served++;
	if (served->fatal) {
		w->fatal = true;
		loop_leave(w, LEAVING_OVER, "fatal");
	} else if (w->limit > 0 && w->served >= w->limit) {
		loop_leave(w, LEAVING_OVER, "max_requests");
	}
}

/* Once after each exchange; a full socket is tried again. */
static void
say_goodbye(struct conn *c)
{
	if (!c->told)
		c->told = fcgi_goodbye(c->fcgi);
}

/* Shut the door for reading, then look: what arrived before is served (the
 * set reports it), what comes after fails at the sender, who then knows that
 * it was not taken. */
static void
retire(struct worker *w, struct conn *c)
{
	int fd = fcgi_fd(c->fcgi);
	char byte;

	shutdown(fd, SHUT_RD);
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		close_conn(w, c);
}

/* A request that is not there in full waits in the set, as do a fresh
 * connection and one that asked what we can (FCGI_GET_VALUES). */
static bool
is_whole(struct worker *w, struct conn *c)
{
	switch (fcgi_gather(c->fcgi)) {
	case FCGI_WHOLE:
		set_waiting(w, c, false);
		return true;
	case FCGI_MORE:
		set_waiting(w, c, c->waiting || fcgi_holds(c->fcgi));
		return false;
	case FCGI_OVER:
		break;
	}
	close_conn(w, c);
	return false;
}

/* No room: whoever waits at the socket would do so for as long as nginx has
 * requests for the connections that are kept. So one goes after each reply. */
static bool
is_full(const struct worker *w)
{
	return w->leaving == LEAVING_NOT &&
	    w->n_conns >= w->settings->server_connections;
}

void
conns_serve(struct worker *w, struct conn *c)
{
	struct web_served served = { 0 };
	bool request, keep = false;

	if (!is_whole(w, c))
		return;
	score_busy(w->score, clock_mono_ms());
	request = fcgi_accept(c->fcgi);
	if (request) {
		web_serve(w->web, c->fcgi, &served);
		keep = fcgi_finish(c->fcgi);
		count_served(w, &served);
	}
	c->active_ms = clock_mono_ms();
	c->told = false;
	if (!keep)
		close_conn(w, c);
	else if (w->leaving == LEAVING_STOP || is_full(w))
		say_goodbye(c);
	score_idle(w->score, request, clock_mono_ms());
}

/* It goes as it is, with the request that may wait in it. */
static void
hand_over(struct worker *w, struct conn *c)
{
	if (fcgi_holds(c->fcgi))
		return;	/* nobody could go on with the rest */
	if (handover_give(w->config->handover, fcgi_fd(c->fcgi)))
		close_conn(w, c);
}

void
conns_share(struct worker *w)
{
	for (struct conn *c = w->conns; c; c = c->next)
		if (!c->waiting && !fcgi_holds(c->fcgi)) {
			hand_over(w, c);
			return;
		}
}

void
conns_part(struct worker *w, int64_t now)
{
	struct conn *next;

	for (struct conn *c = w->conns; c; c = next) {
		int64_t since = c->active_ms > w->leave_ms ? c->active_ms :
		    w->leave_ms;

		next = c->next;
		if (w->leaving == LEAVING_OVER)
			hand_over(w, c);
		else if (!fcgi_holds(c->fcgi) && now - since >= PART_LATE_MS)
			retire(w, c);
		else
			say_goodbye(c);
	}
}

/* For how long a connection may say nothing; -1 = for ever. */
static int64_t
patience_ms(const struct conn *c, bool full)
{
	if (c->waiting)
		return full ? FULL_WAIT_MS : WAIT_MS;
	return full ? FULL_IDLE_MS : -1;
}

/* Hardly another byte has come, or not enough of them for too long. */
static bool
is_over(struct conn *c, bool full, int64_t now)
{
	const int64_t patience = patience_ms(c, full);
	const int64_t age = now - c->active_ms;
	char byte;

	if (patience < 0 || age < patience)
		return false;
	if (fcgi_holds(c->fcgi) && age >= WAIT_MS)
		return true;
	if (!c->waiting && age < FULL_LATE_MS) {
		say_goodbye(c);
		return false;
	}
	return recv(fcgi_fd(c->fcgi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

bool
conns_expire(struct worker *w, int64_t now)
{
	const bool full = w->n_conns >= w->settings->server_connections;
	struct conn *next;

	if (w->n_waiting == 0 && !full)
		return false;
	if (now - w->expire_ms < EXPIRE_TICK_MS)
		return true;
	w->expire_ms = now;
	for (struct conn *c = w->conns; c; c = next) {
		next = c->next;
		if (!is_over(c, full, now))
			continue;
		if (fcgi_holds(c->fcgi))
			close_conn(w, c);
		else
			retire(w, c);
	}
	return true;
}

void
conns_close_all(struct worker *w)
{
	while (w->conns)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it unlinks. */
		close_conn(w, w->conns);
}
