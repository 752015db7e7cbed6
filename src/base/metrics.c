/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Counters in shared memory: striped, atomic, never set back. */
#include "base/metrics.h"

#include <sys/mman.h>

/* A power of two; more than there are cores would only cost the reader. */
#define STRIPES 16u
#define LINE 64u

const struct family_row family_rows[FAMILY__MAX] = {
#define FAMILY(id, name, type, unit, labels, help) \
	[FAMILY_##id] = { name, METRIC_##type, unit, labels, help },
#define COUNT(id, family, labels)
#include "tbl/metrics.h"
#undef FAMILY
#undef COUNT
};

const struct count_row count_rows[COUNT__MAX] = {
#define FAMILY(id, name, type, unit, labels, help)
#define COUNT(id, family, labels) [COUNT_##id] = { FAMILY_##family, labels },
#include "tbl/metrics.h"
#undef FAMILY
#undef COUNT
};

const int64_t metrics_bounds[METRICS_BUCKETS - 1] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 2500000,
};

typedef _Atomic uint64_t cell;

/* Cells of a histogram: its buckets and its sum. */
#define SPREAD (METRICS_BUCKETS + 1)
/* The counters, then the histograms of each group, then the requests. */
#define AT_SPREADS COUNT__MAX
#define AT_REQUESTS (AT_SPREADS + HISTOGRAM__MAX * METRICS_GROUPS * SPREAD)

struct metrics {
	size_t size;		/* of the mapping */
	size_t kinds;
	size_t stripe;		/* cells of one, with its last line filled */
	_Atomic int64_t gauges[GAUGE__MAX];
	_Alignas(LINE) cell cells[];
};

static struct {
	struct metrics *metrics;
	cell *cells;		/* our stripe; NULL: nobody counts */
} self;

struct metrics *
metrics_new(size_t kinds)
{
	const size_t line = LINE / sizeof(cell);
	const size_t n = AT_REQUESTS + kinds * METRICS_CLASSES;
	const size_t stripe = (n + line - 1) / line * line;
	const size_t size = sizeof(struct metrics) +
	    STRIPES * stripe * sizeof(cell);
	struct metrics *metrics = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (metrics == MAP_FAILED)
		return NULL;
	metrics->size = size;
	metrics->kinds = kinds;
	metrics->stripe = stripe;
	return metrics;
}

void
metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	if (self.metrics == metrics)
		metrics_use(NULL, 0);
	munmap(metrics, metrics->size);
}

void
metrics_use(struct metrics *metrics, unsigned member)
{
	self.metrics = metrics;
	self.cells = metrics ?
	    metrics->cells + member % STRIPES * metrics->stripe : NULL;
}

static void
add(size_t at, uint64_t n)
{
	atomic_fetch_add_explicit(&self.cells[at], n, memory_order_relaxed);
}

void
metrics_count(enum count count)
{
	if (self.cells)
		add((size_t)count, 1);
}

static size_t
spread_at(enum metrics_histogram which, int group)
{
	return AT_SPREADS +
	    ((size_t)which * METRICS_GROUPS + (size_t)group) * SPREAD;
}

static void
observe(enum metrics_histogram which, int group, int64_t us)
{
	const size_t at = spread_at(which, group);
	size_t i = 0;

	/* The clock may have been set back meanwhile. */
	if (us < 0)
		us = 0;
	while (i < METRICS_BUCKETS - 1 && us > metrics_bounds[i])
		i++;
	add(at + i, 1);
	add(at + METRICS_BUCKETS, (uint64_t)us);
}

static size_t
request_at(size_t kind, int class_)
{
	return AT_REQUESTS + kind * METRICS_CLASSES + (size_t)class_;
}

void
metrics_request(const struct metrics_request *r)
{
	int class_ = r->status / 100 - 1;

	if (!self.cells || r->kind >= self.metrics->kinds)
		return;
	if (class_ < 0 || class_ >= METRICS_CLASSES)
		class_ = METRICS_CLASSES - 1;
	add(request_at(r->kind, class_), 1);
	observe(HISTOGRAM_LATENCY, r->group, r->took_us);
	if (r->queued_us >= 0)
		observe(HISTOGRAM_QUEUE, r->group, r->queued_us);
}

void
metrics_set(enum metrics_gauge gauge, int64_t value)
{
	if (self.metrics)
		atomic_store_explicit(&self.metrics->gauges[gauge], value,
		    memory_order_relaxed);
}

/* ---- reading ---- */

static uint64_t
sum(const struct metrics *metrics, size_t at)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < STRIPES; i++)
		n += atomic_load_explicit(
		    &metrics->cells[i * metrics->stripe + at],
		    memory_order_relaxed);
	return n;
}

uint64_t
metrics_total(const struct metrics *metrics, enum count count)
{
	return sum(metrics, (size_t)count);
}

uint64_t
metrics_requests(const struct metrics *metrics, size_t kind, int class_)
{
	return sum(metrics, request_at(kind, class_));
}

void
metrics_spread(const struct metrics *metrics, enum metrics_histogram which,
    int group, struct metrics_spread *ret)
{
	const size_t at = spread_at(which, group);

	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		ret->buckets[i] = sum(metrics, at + i);
	ret->sum_us = sum(metrics, at + METRICS_BUCKETS);
}

int64_t
metrics_gauge(const struct metrics *metrics, enum metrics_gauge gauge)
{
	return atomic_load_explicit(&metrics->gauges[gauge],
	    memory_order_relaxed);
}
