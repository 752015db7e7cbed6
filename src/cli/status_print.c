/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What docket status found: a page for people, an object for programs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/status.h"

static const char *const levels[] = {
	[STATUS_FINE] = "ok",
	[STATUS_DEGRADED] = "degraded",
	[STATUS_DOWN] = "down",
};

static struct text
version(const struct status *s)
{
	for (size_t i = 0; i < s->scrape.n; i++)
		if (text_is(s->scrape.v[i].name, "docket_build_info"))
			return scrape_label(&s->scrape.v[i], "version");
	return TEXT("unknown");
}

static double
uptime(const struct status *s)
{
	return (double)s->now - status_value(s, "docket_start_time_seconds", NULL);
}

static const char *const states[] = {
	"starting", "idle", "busy", "draining", "hung"
};

#define STATES (sizeof(states) / sizeof(states[0]))

static const char *
label_of(const char *state)
{
	static char label[32];

	snprintf(label, sizeof(label), "state=\"%s\"", state);
	return label;
}

static void
print_workers(const struct status *s)
{
	printf("workers     ");
	for (size_t i = 0; i < STATES; i++)
		printf("%s%s %.0f", i ? ", " : "", states[i],
		    status_value(s, "docket_workers", label_of(states[i])));
	printf(", ended %.0f\n",
	    status_value(s, "docket_worker_ends_total", NULL));
}

/* Of a channel; dead letters wait for nothing. */
static double
messages(const struct status *s, const char *channel, const char *state)
{
	char label[64];

	snprintf(label, sizeof(label), "channel=\"%s\",state=\"%s\"", channel,
	    state);
	return status_value(s, "docket_outbox_messages", label);
}

static void
print_channel(const struct status *s, const char *channel)
{
	char label[48];

	snprintf(label, sizeof(label), "channel=\"%s\"", channel);
	if (isnan(status_value(s, "docket_outbox_held", label))) {
		printf("%-11s not known\n", channel);
		return;
	}
	printf("%-11s %.0f messages, due for %.0f s, %.0f dead, breaker %s%s\n",
	    channel, messages(s, channel, "waiting"),
	    status_value(s, "docket_outbox_age_seconds", label),
	    messages(s, channel, "dead"),
	    status_value(s, "docket_outbox_breaker_open", label) > 0 ? "open" :
	    "closed", status_value(s, "docket_outbox_held", label) > 0 ? ", held" :
	    "");
}

/* "3 d 4 h", "12 s": the two largest units. */
static void
print_span(const char *name, double seconds, const char *after)
{
	/* What is no span is none that fits, either. */
	const int64_t t = seconds > 0 && seconds < 1e15 ? (int64_t)seconds : 0;

	printf("%-11s ", name);
	if (t >= 86400)
		printf("%" PRId64 " d %" PRId64 " h", t / 86400,
		    t % 86400 / 3600);
	else if (t >= 3600)
		printf("%" PRId64 " h %" PRId64 " min", t / 3600,
		    t % 3600 / 60);
	else if (t >= 60)
		printf("%" PRId64 " min %" PRId64 " s", t / 60, t % 60);
	else
		printf("%" PRId64 " s", t);
	printf("%s\n", after);
}

static void
print_duration(const struct status *s)
{
	static const char name[] = "docket_request_duration_seconds";
	const double p50 = scrape_quantile(&s->scrape, name, 0.5);

	if (isnan(p50))
		printf("duration    not known\n");
	else
		printf("duration    p50 %.1f ms, p99 %.1f ms, since the "
		    "start\n", 1000 * p50,
		    1000 * scrape_quantile(&s->scrape, name, 0.99));
}

static void
print_told(const struct status *s)
{
	const double gc = status_value(s, "docket_gc_time_seconds", NULL);

	printf("version     %.*s\n", TEXT_FMT(version(s)));
	print_span("uptime", uptime(s), "");
	print_workers(s);
	printf("requests    %.0f in all",
	    status_value(s, "docket_requests_total", NULL));
	if (isnan(s->rate))
		printf(", now not known\n");
	else
		printf(", %.1f a second now\n", s->rate);
	print_duration(s);
	if (status_value(s, "docket_database_up", NULL) > 0)
		printf("database    up, schema %.0f, connections lost %.0f\n",
		    status_value(s, "docket_schema_version", NULL),
		    status_value(s, "docket_database_links_total",
		    "event=\"lost\""));
	else
		printf("database    away\n");
	print_channel(s, "sms");
	print_channel(s, "email");
	if (gc > 0)
		print_span("gc", (double)s->now - gc, " ago");
	else
		printf("gc          %s\n", isnan(gc) ? "not known" : "never");
}

void
status_print(const struct status *s)
{
	printf("docket      %s\n", levels[s->level]);
	if (s->scrape.n > 0)
		print_told(s);
	printf("keys        %s\n", s->key);
	for (size_t i = 0; i < s->n_problems; i++)
		printf("problem     %s\n", s->problems[i]);
}

/* ---- the same as JSON ---- */

static void
json_number(struct buf *out, const char *name, double v)
{
	buf_name(out, ',', name);
	if (isnan(v))
		buf_puts(out, "null");
	else
		buf_printf(out, "%.6g", v);
}

static void
json_count(struct buf *out, char before, const char *name, double v)
{
	buf_name(out, before, name);
	if (isnan(v))
		buf_puts(out, "null");
	else
		buf_printf(out, "%.0f", v);
}

static void
json_bool(struct buf *out, char before, const char *name, double v)
{
	buf_name(out, before, name);
	buf_puts(out, isnan(v) ? "null" : v > 0 ? "true" : "false");
}

static void
json_workers(const struct status *s, struct buf *out)
{
	buf_name(out, ',', "workers");
	for (size_t i = 0; i < STATES; i++)
		json_count(out, i ? ',' : '{', states[i],
		    status_value(s, "docket_workers", label_of(states[i])));
	json_count(out, ',', "ended",
	    status_value(s, "docket_worker_ends_total", NULL));
	buf_putc(out, '}');
}

static void
json_channel(const struct status *s, struct buf *out, char before,
    const char *channel)
{
	char label[48];

	snprintf(label, sizeof(label), "channel=\"%s\"", channel);
	buf_name(out, before, channel);
	json_count(out, '{', "messages", messages(s, channel, "waiting"));
	json_count(out, ',', "dead", messages(s, channel, "dead"));
	json_count(out, ',', "due_seconds",
	    status_value(s, "docket_outbox_age_seconds", label));
	json_bool(out, ',', "breaker_open",
	    status_value(s, "docket_outbox_breaker_open", label));
	json_bool(out, ',', "held", status_value(s, "docket_outbox_held", label));
	buf_putc(out, '}');
}

static void
json_problems(const struct status *s, struct buf *out)
{
	buf_name(out, ',', "problems");
	buf_putc(out, '[');
	for (size_t i = 0; i < s->n_problems; i++) {
		if (i)
			buf_putc(out, ',');
		buf_json(out, text_of(s->problems[i]));
	}
	buf_puts(out, "]}\n");
}

void
status_print_json(const struct status *s)
{
	const double gc = status_value(s, "docket_gc_time_seconds", NULL);
	struct buf out = { 0 };

	buf_name(&out, '{', "status");
	buf_json(&out, text_of(levels[s->level]));
	buf_name(&out, ',', "version");
	buf_json(&out, s->scrape.n ? version(s) : TEXT_NONE);
	json_count(&out, ',', "uptime_seconds", uptime(s));
	json_workers(s, &out);
	json_count(&out, ',', "requests",
	    status_value(s, "docket_requests_total", NULL));
	json_number(&out, "requests_per_second", s->rate);
	json_number(&out, "p50_seconds", scrape_quantile(&s->scrape,
	    "docket_request_duration_seconds", 0.5));
	json_number(&out, "p99_seconds", scrape_quantile(&s->scrape,
	    "docket_request_duration_seconds", 0.99));
	json_bool(&out, ',', "database_up",
	    status_value(s, "docket_database_up", NULL));
	json_count(&out, ',', "schema",
	    status_value(s, "docket_schema_version", NULL));
	buf_name(&out, ',', "outbox");
	json_channel(s, &out, '{', "sms");
	json_channel(s, &out, ',', "email");
	buf_putc(&out, '}');
	json_count(&out, ',', "gc_seconds_ago", gc > 0 ?
	    (double)s->now - gc : NAN);
	buf_name(&out, ',', "key");
	buf_json(&out, text_of(s->key));
	json_problems(s, &out);
	fwrite(out.p, 1, out.n, stdout);
	buf_done(&out);
}
