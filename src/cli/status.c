/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket status: how the service is, on one page; for people and monitors. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/status.h"
#include "core/ring.h"

/* Between the two looks that give the rate. */
#define RATE_MS 1000
/* A message that is due for so long tells of a courier that does not run. */
#define DUE_LATE_S 300
/* docket-gc.timer runs hourly. */
#define GC_LATE_S (2 * 86400)

static void problem(struct status *s, enum status_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
problem(struct status *s, enum status_level level, const char *fmt, ...)
{
	va_list ap;

	if (s->level < level)
		s->level = level;
	if (s->n_problems == STATUS_PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(s->problems[s->n_problems++], sizeof(s->problems[0]), fmt,
	    ap);
	va_end(ap);
}

/* ---- looking ---- */

static bool
look(struct status *s, struct arena *mem, const char **ret_why)
{
	struct buf body = { 0 };

	*ret_why = cli_ask(s->settings->server_socket, "/metrics", &body);
	if (*ret_why)
		return false;
	scrape_parse(mem, arena_text(mem, buf_view(&body)), &s->scrape);
	buf_done(&body);
	return true;
}

/* 0 for what is less, or not known. */
static double
positive(double v)
{
	return v > 0 ? v : 0;
}

static void
look_twice(struct status *s, struct arena *mem)
{
	const struct timespec pause = { RATE_MS / 1000, 0 };
	const char *why;
	double before;
	int64_t at;

	s->rate = NAN;
	if (!look(s, mem, &why)) {
		problem(s, STATUS_DOWN, "%s: %s", s->settings->server_socket, why);
		return;
	}
	before = status_value(s, "docket_requests_total", NULL);
	at = s->scrape.at_ms;
	nanosleep(&pause, NULL);
	/* Less our own look, which the second counts. */
	if (look(s, mem, &why) && s->scrape.at_ms > at)
		s->rate = positive(status_value(s, "docket_requests_total",
		    NULL) - positive(before) - 1) * 1000 /
		    (double)(s->scrape.at_ms - at);
}

/* The other group may hang alone: logins then wait for ever. */
static void
look_at_hash(struct status *s)
{
	const char *path = s->settings->server_auth_socket;
	struct buf body = { 0 };
	const char *why;

	if (!*path)
		return;
	why = cli_ask(path, "/healthz", &body);
	if (why)
		problem(s, STATUS_DOWN, "%s: %s", path, why);
	buf_done(&body);
}

static void
look_at_keys(struct status *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *err = open_memstream(&text, &n);
	const char *path = s->settings->auth_key_file;
	struct token_ring *ring = err ?
	    token_ring_load("auth.key_file", path, err) : NULL;
	const struct ring_key *key = ring ? &ring->v[ring->current] : NULL;

	if (key)
		snprintf(s->key, sizeof(s->key), "%s %s, %zu in the ring",
		    key->kid, key->alg, ring->n);
	else if (access(path, F_OK) < 0 && errno == ENOENT)
		snprintf(s->key, sizeof(s->key), "none yet: docket setup "
		    "--domain NAME makes them");
	else
		snprintf(s->key, sizeof(s->key), access(path, R_OK) < 0 ?
		    "not readable by this user" :
		    "not usable: docket check says why");
	token_ring_free(ring);
	if (err)
		fclose(err);
	free(text);
}

/* ---- judging ---- */

static void
judge_channel(struct status *s, const char *channel)
{
	char label[48];
	double due;

	snprintf(label, sizeof(label), "channel=\"%s\"", channel);
	due = status_value(s, "docket_outbox_age_seconds", label);
	if (status_value(s, "docket_outbox_breaker_open", label) > 0)
		problem(s, STATUS_DEGRADED, "%s: the breaker is open", channel);
	if (status_value(s, "docket_outbox_held", label) > 0)
		problem(s, STATUS_DEGRADED, "%s: held by an administrator", channel);
	else if (due > DUE_LATE_S)
		problem(s, STATUS_DEGRADED, "%s: a message has been due for %.0f s",
		    channel, due);
}

static void
judge(struct status *s)
{
	const double start = status_value(s, "docket_start_time_seconds", NULL);
	const double gc = status_value(s, "docket_gc_time_seconds", NULL);
	const double since = start > gc ? start : gc;
	double hung;

	if (s->scrape.n == 0)
		return;
	if (!(status_value(s, "docket_database_up", NULL) > 0))
		problem(s, STATUS_DOWN, "the database is away");
	hung = status_value(s, "docket_workers", "state=\"hung\"");
	if (hung > 0)
		problem(s, STATUS_DEGRADED, "%.0f workers hang", hung);
	judge_channel(s, "sms");
	judge_channel(s, "email");
	/* Never yet is no fault of a young service. */
	if (!isnan(gc) && (double)s->now - since > GC_LATE_S)
		problem(s, STATUS_DEGRADED, "docket gc has not run for %.0f h",
		    ((double)s->now - since) / 3600);
}

int
cli_status(struct cli *cli)
{
	struct status s = { .settings = &cli->settings };

	look_twice(&s, cli->mem);
	look_at_hash(&s);
	look_at_keys(&s);
	s.now = clock_real_us() / TIME_SECOND;
	judge(&s);
	if (cli_has(cli, OPT_json))
		status_print_json(&s);
	else
		status_print(&s);
	return (int)s.level;
}
