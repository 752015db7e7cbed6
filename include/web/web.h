/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The web room's door for the worker: make it, feed it connections. */
#ifndef DOCKET_WEB_WEB_H
#define DOCKET_WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/gate.h"
#include "base/limiter.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "web/fcgi.h"
#include "web/route.h"

struct web;

/* A worker as the scoreboard knows it; ms are durations. */
struct web_worker {
	int group, pid;
	const char *state;	/* starting, idle, busy, draining */
	bool hung;		/* busy or silent for longer than a deadline */
	int operation;		/* of its request, as routes.v's index; -1 */
	int64_t busy_ms, age_ms;
	uint64_t served;
	long connections;
};

/* Everything a worker is given before it starts. */
struct web_config {
	const struct settings *settings;
	struct routes routes;
	struct gate *gate;
	struct limiter *limiter;
	unsigned member;
	int group;		/* enum group that we are of */
	/* Both NULL: nobody counts. doing: where the operation in hand is
	 * told to the others. */
	struct metrics *metrics;
	_Atomic int *doing;
	/* Worker i of our crew, or false behind the last; may be NULL. */
	bool (*look)(const void *arg, size_t i, struct web_worker *ret);
	const void *look_arg;
	struct text openapi;
	/* Called between the parts of a request that takes long, so that
	 * nobody thinks us hung; may be NULL. */
	void (*alive)(void *arg);
	void *alive_arg;
};

/* Keys and rings are read here. NULL: said why in the log. */
struct web *web_new(const struct web_config *config);
void web_free(struct web *web);

/* What one served request did, for the scoreboard. */
struct web_served {
	int status;
	int64_t took_us;
	bool fatal;		/* recycle this worker (out of memory) */
};

/* One request that fcgi_accept made ready; the caller calls fcgi_finish. */
void web_serve(struct web *web, struct fcgi *fcgi, struct web_served *ret);

/* The database connection between requests: its socket for the epoll set (-1:
 * none; it changes), the events it waits for, and the step to take when they
 * come or when web_db_tick_ms has passed. Never blocks for long. */
int web_db_fd(const struct web *web);
uint32_t web_db_events(const struct web *web);
void web_db_step(struct web *web);
int web_db_tick_ms(const struct web *web);
/* Statements can be run now (db_ready): a new worker waits for it, for a
 * second at most, before it accepts. */
bool web_db_ready(const struct web *web);

#endif
