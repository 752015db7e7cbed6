/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What worker.c, intake.c and conns.c share: one worker's state. */
#ifndef DOCKET_SERVER_LOOP_H
#define DOCKET_SERVER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "server/worker.h"

/* How long a worker that could not take a connection leaves them alone. */
#define PAUSE_MS 100

struct conn {
	struct fcgi *fcgi;
	struct conn *prev, *next;
	bool waiting;		/* for the rest of a request, or for a first */
	bool told;		/* goodbye was said after the last exchange */
	int64_t active_ms;	/* the end of its last request; of waiting,
				 * the begin */
};

enum leaving {
	LEAVING_NOT,
	LEAVING_OVER,	/* others stay: connections are handed over */
	LEAVING_STOP,	/* nobody stays: they are ended with care */
};

struct worker {
	const struct worker_config *config;
	const struct settings *settings;
	struct score *score;
	struct web *web;
	int ep, signal_fd;
	bool ready, fatal;
	enum leaving leaving;
	int64_t started_ms, leave_ms;
	/* intake.c */
	bool listening;		/* both sources of connections are watched */
	bool crowded;		/* leaves new ones to the others */
	int64_t crowded_ms;	/* when it looked; 0 = look now */
	int64_t defer_ms;	/* when it last took what others left */
	int64_t share_ms;	/* no giving away before this */
	int64_t pause_ms;	/* no intake before this */
	/* conns.c */
	uint64_t served, limit;	/* limit 0: for ever */
	struct conn *conns;
	long n_conns, n_waiting;
	int64_t expire_ms;	/* when conns_expire looked */
	/* worker.c: what of the database is in the set; -1 = nothing */
	int db_fd;
	uint32_t db_events;
	int64_t db_step_ms;	/* when the last step was */
};

bool loop_watch(struct worker *w, int op, int fd, uint32_t events, void *tag);
void loop_leave(struct worker *w, enum leaving how, const char *why);

/* The tags of the two sources of connections. */
extern char intake_tag_listen, intake_tag_take;

/* Watch the sources exactly while there is room for more. */
void intake_watch(struct worker *w, int64_t now);
/* One of them has something. */
void intake_accept(struct worker *w);
bool intake_take(struct worker *w);

/* fresh: nothing was ever said on it. */
void conns_open(struct worker *w, int fd, bool fresh);
/* It has something to say: a request, or its end. */
void conns_serve(struct worker *w, struct conn *c);
/* While leaving: part with those that can be parted with. */
void conns_part(struct worker *w, int64_t now);
/* One to whoever has fewer. */
void conns_share(struct worker *w);
/* Close those that say too little for too long. Whether to look again soon. */
#define EXPIRE_TICK_MS 25
bool conns_expire(struct worker *w, int64_t now);
void conns_close_all(struct worker *w);

#endif
