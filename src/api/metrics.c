/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* GET /metrics: whatever can be known now, whether the database is there or
 * not. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "api/api.h"
#include "api/exposition.h"
#include "api/fields.h"
#include "base/version.h"
#include "store/observe.h"
#include "web/call.h"
#include "web/router.h"
#include "web/web.h"

/* How long a database that does not answer may hold a scrape up. */
#define OBSERVE_MS 1000

#define OPEN_TYPE "application/openmetrics-text"

struct metrics_in {
	struct seen seen;
	bool workers;
};

static const struct field query_rows[] = {
	F(BOOL, struct metrics_in, workers, "workers", 0, 0, 0, "Each worker by itself, too", "true"),
};
const struct fields metrics_query =
    FIELDS("MetricsQuery", query_rows, struct metrics_in);

static const char *const groups[METRICS_GROUPS] = {
	[GROUP_MAIN] = "main",
	[GROUP_HASH] = "hash",
};

/* Of a worker as it is told: hung says more than what it hangs in. */
static const char *const states[] = {
	"starting", "idle", "busy", "draining", "hung"
};

#define STATES (sizeof(states) / sizeof(states[0]))
#define DRAINING 3	/* among them */

static size_t
state_of(const struct web_worker *worker)
{
	size_t i = 0;

	if (worker->hung)
		return STATES - 1;
	while (i < STATES && strcmp(states[i], worker->state) != 0)
		i++;
	return i;	/* STATES: there is none */
}

/* ---- from shared memory ---- */

/* The plain counters of a family. */
static void
put_counts(struct exposition *x, const struct call *call, enum family family)
{
	exposition_family(x, family);
	for (int i = 0; i < COUNT__MAX; i++)
		if (count_rows[i].family == family)
			exposition_int(x, count_rows[i].labels, (int64_t)
			    metrics_total(call->app->metrics, (enum count)i));
}

static void
put_kind(struct exposition *x, const struct call *call, size_t kind,
    const char *operation, const char *method)
{
	char labels[256];

	for (int c = 0; c < METRICS_CLASSES; c++) {
		uint64_t n = metrics_requests(call->app->metrics, kind, c);

		/* What never was is left out: most rows have one class. */
		if (n == 0)
			continue;
		snprintf(labels, sizeof(labels), "operation=\"%s\","
		    "method=\"%s\",status=\"%dxx\"", operation, method, c + 1);
		exposition_int(x, labels, (int64_t)n);
	}
}

static void
put_requests(struct exposition *x, const struct call *call)
{
	const struct routes *routes = &call->app->routes;

	exposition_family(x, FAMILY_REQUESTS);
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->v[i];

		put_kind(x, call, 2 * i, r->operation,
		    method_names[r->method]);
		put_kind(x, call, 2 * i + 1, r->operation, "HEAD");
	}
	for (size_t i = 0; i < ROUTER_METHODS; i++)
		put_kind(x, call, 2 * routes->n + i, "none",
		    router_methods[i]);
}

static void
put_spread(struct exposition *x, const struct call *call, enum family family,
    enum metrics_histogram which)
{
	struct metrics_spread spread;
	char labels[32];

	exposition_family(x, family);
	for (int g = 0; g < METRICS_GROUPS; g++) {
		snprintf(labels, sizeof(labels), "group=\"%s\"", groups[g]);
		metrics_spread(call->app->metrics, which, g, &spread);
		exposition_spread(x, labels, &spread);
	}
}

static void
put_gauge(struct exposition *x, enum family family, int64_t value)
{
	exposition_family(x, family);
	exposition_int(x, "", value);
}

/* ---- the workers ---- */

struct crowd {
	int64_t n[METRICS_GROUPS][STATES + 1];
	int64_t connections[METRICS_GROUPS];
};

static void
crowd_count(const struct app *app, struct crowd *ret)
{
	struct web_worker w;

	*ret = (struct crowd){ 0 };
	for (size_t i = 0; app->look && app->look(app->look_arg, i, &w); i++) {
		ret->n[w.group][state_of(&w)]++;
		ret->connections[w.group] += w.connections;
	}
	/* Of the crew before the last reload we know no more than this. */
	for (int g = 0; g < METRICS_GROUPS; g++)
		ret->n[g][DRAINING] += metrics_gauge(app->metrics,
		    (enum metrics_gauge)(GAUGE_LEAVING + g));
}

static void
put_workers(struct exposition *x, const struct call *call)
{
	struct crowd crowd;
	char labels[64];

	crowd_count(call->app, &crowd);
	exposition_family(x, FAMILY_WORKERS);
	for (int g = 0; g < METRICS_GROUPS; g++)
		for (size_t s = 0; s < STATES; s++) {
			snprintf(labels, sizeof(labels),
			    "group=\"%s\",state=\"%s\"", groups[g],
			    states[s]);
			exposition_int(x, labels, crowd.n[g][s]);
		}
	exposition_family(x, FAMILY_CONNECTIONS);
	for (int g = 0; g < METRICS_GROUPS; g++) {
		snprintf(labels, sizeof(labels), "group=\"%s\"", groups[g]);
		exposition_int(x, labels, crowd.connections[g]);
	}
}

/* One sample of one worker, as each family has it. */
static void
put_worker(struct exposition *x, const struct call *call,
    const struct web_worker *w, const char *name)
{
	const struct routes *routes = &call->app->routes;
	const size_t state = state_of(w);
	char labels[256];

	snprintf(labels, sizeof(labels), "worker=\"%s\"", name);
	if (x->family == FAMILY_WORKER_AGE) {
		exposition_milli(x, labels, w->age_ms);
	} else if (x->family == FAMILY_WORKER_SERVED) {
		exposition_int(x, labels, (int64_t)w->served);
	} else {
		snprintf(labels, sizeof(labels), "worker=\"%s\",state=\"%s\","
		    "operation=\"%s\",pid=\"%d\"", name,
		    state < STATES ? states[state] : w->state,
		    w->operation >= 0 && (size_t)w->operation < routes->n ?
		    routes->v[w->operation].operation : "none", w->pid);
		exposition_milli(x, labels, w->busy_ms);
	}
}

static void
put_each(struct exposition *x, const struct call *call)
{
	static const enum family families[] = {
		FAMILY_WORKER_BUSY, FAMILY_WORKER_AGE, FAMILY_WORKER_SERVED
	};
	const struct app *app = call->app;

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		unsigned seen[METRICS_GROUPS] = { 0 };
		struct web_worker w;
		char name[24];

		exposition_family(x, families[f]);
		for (size_t i = 0; app->look &&
		    app->look(app->look_arg, i, &w); i++) {
			snprintf(name, sizeof(name), "%s.%u",
			    groups[w.group], seen[w.group]++);
			put_worker(x, call, &w, name);
		}
	}
}

static void
put_hash(struct exposition *x, const struct call *call)
{
	struct gate_seen seen;

	gate_look(call->app->gate, &seen);
	exposition_family(x, FAMILY_HASH_SLOTS);
	exposition_int(x, "state=\"free\"", seen.inside < seen.slots ?
	    seen.slots - seen.inside : 0);
	exposition_int(x, "state=\"busy\"", seen.inside);
	exposition_int(x, "state=\"waiting\"", seen.waiting);
}

/* ---- from the database ---- */

static void
put_channel(struct exposition *x, const struct outbox_figures *f)
{
	char channel[64], labels[96];

	snprintf(channel, sizeof(channel), "channel=\"%.*s\"",
	    TEXT_FMT(f->channel));
	switch (x->family) {
	case FAMILY_OUTBOX:
		snprintf(labels, sizeof(labels), "%s,state=\"waiting\"",
		    channel);
		exposition_int(x, labels, f->waiting);
		snprintf(labels, sizeof(labels), "%s,state=\"dead\"", channel);
		exposition_int(x, labels, f->dead);
		break;
	case FAMILY_OUTBOX_ENDS:
		snprintf(labels, sizeof(labels), "%s,result=\"sent\"",
		    channel);
		exposition_int(x, labels, f->sent);
		snprintf(labels, sizeof(labels), "%s,result=\"failed\"",
		    channel);
		exposition_int(x, labels, f->failed);
		break;
	case FAMILY_OUTBOX_AGE:
		exposition_int(x, channel, f->due_seconds);
		break;
	case FAMILY_BREAKER:
		exposition_int(x, channel, f->open);
		break;
	default:
		exposition_int(x, channel, f->held);
	}
}

static void
put_database(struct exposition *x, struct call *call)
{
	static const enum family families[] = {
		FAMILY_OUTBOX, FAMILY_OUTBOX_AGE, FAMILY_OUTBOX_ENDS,
		FAMILY_BREAKER, FAMILY_HELD
	};
	const int64_t late = clock_mono_ms() + OBSERVE_MS;
	const struct outbox_figures *v;
	struct list list = { 0 };
	bool up;

	db_deadline(call->app->db,
	    late < call->deadline_ms ? late : call->deadline_ms);
	up = store_observe(call->app->db, call->mem, &list) == 0;
	put_gauge(x, FAMILY_DATABASE, up);
	put_counts(x, call, FAMILY_DATABASE_LINKS);
	/* Nothing is told that is not known: no zeros instead. */
	if (!up || list.n == 0)
		return;
	v = list.v;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		exposition_family(x, families[f]);
		for (size_t i = 0; i < list.n; i++)
			put_channel(x, &v[i]);
	}
	put_gauge(x, FAMILY_SCHEMA, v->schema);
	put_gauge(x, FAMILY_GC, v->gc_ended);
}

/* ---- all of it ---- */

static void
put_all(struct exposition *x, struct call *call)
{
	const struct metrics *metrics = call->app->metrics;
	static const enum family counts[] = {
		FAMILY_RELOADS, FAMILY_SHED, FAMILY_LIMITED, FAMILY_HELD_UP,
		FAMILY_ENDS,
		FAMILY_HASH_REFUSED, FAMILY_LOGINS, FAMILY_LOCKS,
		FAMILY_REFRESHES, FAMILY_OTP_SENDS, FAMILY_OTP_CHECKS,
		FAMILY_OTP_BLOCKS, FAMILY_OTP_ALARMS
	};
	char labels[64];

	snprintf(labels, sizeof(labels), "version=\"%s\"", docket_version);
	exposition_family(x, FAMILY_BUILD);
	exposition_int(x, labels, 1);
	put_gauge(x, FAMILY_START, metrics_gauge(metrics, GAUGE_STARTED));
	put_gauge(x, FAMILY_RELOAD, metrics_gauge(metrics, GAUGE_RELOADED));
	put_requests(x, call);
	put_spread(x, call, FAMILY_LATENCY, HISTOGRAM_LATENCY);
	put_spread(x, call, FAMILY_QUEUE, HISTOGRAM_QUEUE);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		put_counts(x, call, counts[i]);
	put_workers(x, call);
	put_hash(x, call);
	put_database(x, call);
	if (((const struct metrics_in *)call->query)->workers)
		put_each(x, call);
	exposition_end(x);
}

/* Does Accept name it? Prometheus names it first when it takes it at all, and
 * who refuses it by q=0 means what is said of it nowhere. */
static bool
wants_open(struct text accept)
{
	const size_t n = sizeof(OPEN_TYPE) - 1;

	for (size_t i = 0; i + n <= accept.n; i++)
		if (strncasecmp(accept.s + i, OPEN_TYPE, n) == 0)
			return true;
	return false;
}

static void
release(void *buf)
{
	buf_done(buf);
}

int
api_metrics(struct call *call)
{
	struct buf *out = arena_alloc(call->mem, sizeof(*out));
	struct exposition x = { .out = out };

	x.open = !call->req->accept.s || wants_open(call->req->accept) ||
	    text_is(call->req->accept, "*/*");
	arena_defer(call->mem, release, out);
	put_all(&x, call);
	if (out->failed)
		return -ENOMEM;
	call->reply.raw = buf_view(out);
	call->reply.type = x.open ?
	    OPEN_TYPE "; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8";
	return 0;
}
