/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the service has done, counted in memory that all its processes share. */
#ifndef DOCKET_BASE_METRICS_H
#define DOCKET_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum metric_type {
	METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO
};

enum family {
#define FAMILY(id, name, type, unit, labels, help) FAMILY_##id,
#define COUNT(id, family, labels)
#include "tbl/metrics.h"
#undef FAMILY
#undef COUNT
	FAMILY__MAX
};

enum count {
#define FAMILY(id, name, type, unit, labels, help)
#define COUNT(id, family, labels) COUNT_##id,
#include "tbl/metrics.h"
#undef FAMILY
#undef COUNT
	COUNT__MAX
};

struct family_row {
	const char *name;
	enum metric_type type;
	const char *unit, *labels, *help;
};

struct count_row {
	enum family family;
	const char *labels;
};

extern const struct family_row family_rows[FAMILY__MAX];
extern const struct count_row count_rows[COUNT__MAX];

/* Written by the supervisor alone. Instants are Unix seconds. */
enum metrics_gauge {
	GAUGE_STARTED, GAUGE_RELOADED,
	GAUGE_LEAVING,		/* + group: workers of the crew that leaves */
	GAUGE__MAX = GAUGE_LEAVING + 2
};

#define METRICS_CLASSES 5	/* 1xx .. 5xx */
#define METRICS_GROUPS 2
#define METRICS_BUCKETS 13	/* the last one has no bound */
/* The bounds in µs, but for the last. */
extern const int64_t metrics_bounds[METRICS_BUCKETS - 1];

enum metrics_histogram { HISTOGRAM_LATENCY, HISTOGRAM_QUEUE, HISTOGRAM__MAX };

/*
 * Made before the first fork and kept over reloads, so nothing that was
 * counted is lost with a worker, and no counter ever falls before a restart.
 * Processes count in one of several stripes, to stay off each other's cache
 * lines; each change is one atomic addition, so those who share a stripe, or
 * die, cost nothing either. Whoever reads adds the stripes up.
 *
 * `kinds`: how many kinds of requests the caller tells apart.
 */
struct metrics;

struct metrics *metrics_new(size_t kinds);
void metrics_free(struct metrics *metrics);

/* From now on this process counts there; NULL, as at first: nowhere. */
void metrics_use(struct metrics *metrics, unsigned member);

void metrics_count(enum count count);
/* One request that was answered; queued_us: before it was begun, or -1. */
struct metrics_request {
	size_t kind;
	int group, status;
	int64_t took_us, queued_us;
};
void metrics_request(const struct metrics_request *request);
void metrics_set(enum metrics_gauge gauge, int64_t value);

/* What all processes have counted, as far as it can be seen now. */
struct metrics_spread {
	uint64_t buckets[METRICS_BUCKETS];	/* each on its own */
	uint64_t sum_us;
};

uint64_t metrics_total(const struct metrics *metrics, enum count count);
uint64_t metrics_requests(const struct metrics *metrics, size_t kind,
    int class_);
void metrics_spread(const struct metrics *metrics,
    enum metrics_histogram which, int group, struct metrics_spread *ret);
int64_t metrics_gauge(const struct metrics *metrics, enum metrics_gauge gauge);

#endif
