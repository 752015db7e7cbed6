/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's kept connections: open, serve, part with. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/loop.h"

/* A worker that stops closes a connection right after a reply, when nginx
 * cannot have chosen it again; one that stays idle for this long it closes
 * too, taking in what may have arrived at that very moment. */
#define PART_IDLE_MS 250

static void
count(struct worker *w, int by)
{
	w->n_conns += by;
	w->crowded_ms = 0;
	score_connections(w->score, w->n_conns);
}

/* Out of the list and gone; the set forgets it with its last descriptor. */
static void
close_conn(struct worker *w, struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	count(w, -1);
	fcgi_close(c->fcgi);
	free(c);
}

void
conns_open(struct worker *w, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct fcgi *fcgi = c ? fcgi_open(fd) : NULL;

	if (!fcgi) {
		if (!c)
			close(fd);
		free(c);
		return;
	}
	c->fcgi = fcgi;
	c->active_ms = clock_mono_ms();
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

void
conns_serve(struct worker *w, struct conn *c)
{
	struct web_served served = { 0 };
	bool request, keep = false;

	/* Reading it is part of it: a peer that trickles must be seen too. */
	score_busy(w->score, clock_mono_ms());
	request = fcgi_accept(c->fcgi);
	if (request) {
		web_serve(w->web, c->fcgi, &served);
		keep = fcgi_finish(c->fcgi);
		count_served(w, &served);
	}
	c->active_ms = clock_mono_ms();
	if (!keep)
		close_conn(w, c);
	else if (w->leaving == LEAVING_STOP)
		retire(w, c);
	score_idle(w->score, request, clock_mono_ms());
}

/* It goes as it is, with the request that may wait in it. Out of the set by
 * hand: our close does not end a socket that somebody else holds too. */
static void
hand_over(struct worker *w, struct conn *c)
{
	int fd = fcgi_fd(c->fcgi);

	if (!handover_give(w->config->handover, fd))
		return;
	loop_watch(w, EPOLL_CTL_DEL, fd, 0, NULL);
	close_conn(w, c);
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
		else if (now - since >= PART_IDLE_MS)
			retire(w, c);
	}
}

void
conns_close_all(struct worker *w)
{
	while (w->conns)
		close_conn(w, w->conns);
}
