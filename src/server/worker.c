/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker: one epoll set, one event at a time, one request at a time. */
#include "server/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/confine.h"
#include "server/loop.h"
#include "server/signals.h"
#include "web/route.h"

/* Without a database at first, others are left to answer for as long as a
 * request may wait, and no longer than this: below what counts as hung. */
#define READY_MOST_MS 4000
/* An idle worker turns this often, so that a stopped one is found. */
#define BEAT_MS 1000
/* How often a worker that leaves, or has more connections than others, is
 * woken to look again. */
#define LEAVE_TICK_MS 25
#define CROWDED_TICK_MS 100

/* What an event belongs to: these, intake's, or else a struct conn. */
static char tag_signal, tag_db;

bool
loop_watch(struct worker *w, int op, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = { .events = events, .data.ptr = tag };

	return epoll_ctl(w->ep, op, fd, &ev) == 0;
}

/* Follow the database connection; `anyway` when a new socket may have got the
 * number of the old one, which left the set when it was closed. */
static void
watch_db(struct worker *w, bool anyway)
{
	int fd = web_db_fd(w->web);
	uint32_t events = web_db_events(w->web);

	if (!anyway && fd == w->db_fd && events == w->db_events)
		return;
	if (w->db_fd >= 0 && w->db_fd != fd)
		loop_watch(w, EPOLL_CTL_DEL, w->db_fd, 0, NULL);
	if (fd >= 0 && !loop_watch(w, EPOLL_CTL_MOD, fd, events, &tag_db) &&
	    errno == ENOENT)
		loop_watch(w, EPOLL_CTL_ADD, fd, events, &tag_db);
	w->db_fd = fd;
	w->db_events = events;
}

/* After a step the connection may be another one under the same number. */
static void
step_db(struct worker *w)
{
	web_db_step(w->web);
	w->db_step_ms = clock_mono_ms();
	watch_db(w, true);
}

/* Leave, or leave in another way: STOP after OVER when nobody stays. */
void
loop_leave(struct worker *w, enum leaving how, const char *why)
{
	if (w->leaving >= how)
		return;
	w->leaving = how;
	w->leave_ms = clock_mono_ms();
	score_drain(w->score);
	intake_watch(w, w->leave_ms);
	log_event(LOG_INFO, "worker_leaves", "why=%s connections=%ld", why,
	    w->n_conns);
}

/* USR2: others stay. TERM, QUIT: nobody does, or somebody killed just us. */
static void
read_signals(struct worker *w)
{
	int signo;

	while ((signo = signals_read(w->signal_fd)) != 0)
		loop_leave(w, signo == SIGUSR2 ? LEAVING_OVER : LEAVING_STOP,
		    "told");
}

static void
handle(struct worker *w, void *tag)
{
	if (tag == &intake_tag_listen) {
		intake_accept(w);
	} else if (tag == &intake_tag_take) {
		intake_take(w);
	} else if (tag == &tag_signal) {
		read_signals(w);
	} else if (tag == &tag_db) {
		step_db(w);
	} else {
		conns_serve(w, tag);
		watch_db(w, false);
	}
}

static int64_t
ready_ms(const struct worker *w)
{
	int64_t ms = w->settings->server_shed_ms;

	return w->started_ms + (ms < READY_MOST_MS ? ms : READY_MOST_MS);
}

/* Serve once the database answers, or has not for a while: a worker without
 * one refuses quickly and would draw the requests of those that can. */
static void
get_ready(struct worker *w, int64_t now)
{
	uint64_t one = 1;

	if (w->ready)
		return;
	if (!web_db_ready(w->web) && now < ready_ms(w))
		return;
	w->ready = true;
	score_ready(w->score, (int)getpid(), now);
	if (write(w->config->ready_fd, &one, sizeof(one)) < 0)
		log_event(LOG_WARN, "ready_unheard", "errno=%d", errno);
}

/* The sooner of the two. */
static int
min_wait(int a, int64_t b)
{
	if (b < 0)
		b = 0;
	return b < a ? (int)b : a;
}

/* How long the next event may be waited for. */
static int
wait_ms(const struct worker *w, int64_t now)
{
	int tick = web_db_tick_ms(w->web);
	int log = log_tick(now), ms = BEAT_MS;

	if (log >= 0)
		ms = min_wait(ms, log);
	if (tick >= 0)
		ms = min_wait(ms, w->db_step_ms + tick - now);
	if (!w->ready)
		ms = min_wait(ms, ready_ms(w) - now);
	if (now < w->pause_ms)
		ms = min_wait(ms, w->pause_ms - now);
	if (w->crowded)
		ms = min_wait(ms, CROWDED_TICK_MS);
	if (w->leaving != LEAVING_NOT)
		ms = min_wait(ms, LEAVE_TICK_MS);
	return ms;
}

/* First whether somebody stays: then what we have goes to them, else what they
 * gave must not wait for nobody. */
static void
leave_on(struct worker *w, int64_t now)
{
	read_signals(w);
	while (w->leaving == LEAVING_STOP && intake_take(w))
		;
	conns_part(w, now);
}

/* Nothing to wait for any more. */
static bool
has_left(const struct worker *w)
{
	return w->leaving != LEAVING_NOT && w->n_conns == 0;
}

/* One step: what time asks for, then at most one event. */
static void
turn(struct worker *w)
{
	int64_t now = clock_mono_ms();
	int tick = web_db_tick_ms(w->web);
	struct epoll_event ev;
	int wait;

	score_beat(w->score, now);
	if (tick >= 0 && now - w->db_step_ms >= tick)
		step_db(w);
	get_ready(w, now);
	intake_watch(w, now);
	if (w->leaving != LEAVING_NOT)
		leave_on(w, now);
	wait = wait_ms(w, now);
	if (conns_expire(w, now))
		wait = min_wait(wait, EXPIRE_TICK_MS);
	if (has_left(w))
		return;
	if (epoll_wait(w->ep, &ev, 1, wait) == 1)
		handle(w, ev.data.ptr);
}

/* Workers of one age do not all recycle at the same request. */
static uint64_t
recycle_after(const struct worker_config *c)
{
	uint64_t max = (uint64_t)c->web.settings->server_max_requests;

	return max + max * c->web.member / (8 * c->board->n);
}

static bool
open_loop(struct worker *w)
{
	w->ep = epoll_create1(EPOLL_CLOEXEC);
	w->signal_fd = signals_worker();
	return w->ep >= 0 && w->signal_fd >= 0 &&
	    loop_watch(w, EPOLL_CTL_ADD, w->signal_fd, EPOLLIN, &tag_signal);
}

static void
close_loop(struct worker *w)
{
	conns_close_all(w);
	web_free(w->web);
	close(w->signal_fd);
	close(w->ep);
}

/* Still at the same request, and not stuck in it. */
static void
go_on(void *score)
{
	const int64_t now = clock_mono_ms();

	score_busy(score, now);
	score_beat(score, now);
}

/* One of our crew, as it is seen from here. */
static bool
look(const void *arg, size_t i, struct web_worker *ret)
{
	const struct worker_config *config = arg;
	const int64_t now = clock_mono_ms();

	return scoreboard_look(config->board, i,
	    config->web.settings->server_deadline_ms, now, ret);
}

int
worker_run(const struct worker_config *config)
{
	struct web_config web = config->web;
	struct worker w = {
		.config = config,
		.settings = config->web.settings,
		.score = &config->board->v[config->web.member],
		.db_fd = -1,
		.limit = recycle_after(config),
	};

	/* libfcgi installs handlers, so ours come after it; keys come last,
	 * when nothing of them can be dumped any more. */
	log_name(config->name);
	if (!confine_worker(config->parent, config->web.settings) ||
	    fcgi_init() < 0 || !open_loop(&w))
		return EX_OSERR;
	/* Beside a login storm there are cores for everything else. */
	if (config->group == GROUP_HASH)
		confine_stand_back();
	metrics_use(web.metrics, web.member + 1);
	web.doing = &w.score->operation;
	web.look = look;
	web.look_arg = config;
	web.alive = go_on;
	web.alive_arg = w.score;
	w.web = web_new(&web);
	if (!w.web)
		return EX_CONFIG;
	w.started_ms = clock_mono_ms();
	step_db(&w);
	while (!has_left(&w))
		turn(&w);
	close_loop(&w);
	log_flush();
	return w.fatal ? EX_TEMPFAIL : EX_OK;
}
