/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/metrics: exact over processes, whoever dies, and nothing at all where
 * nobody asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"

#define KINDS 7

static struct metrics *metrics;

static int
setup(void **state)
{
	(void)state;
	metrics = metrics_new(KINDS);
	return metrics ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	metrics_free(metrics);
	return 0;
}

static void
nobody_counts_before_it_is_told_where(void **state)
{
	const struct metrics_request r = { .status = 200, .queued_us = -1 };

	(void)state;
	metrics_use(NULL, 0);
	metrics_count(COUNT_LOGIN_OK);
	metrics_request(&r);
	metrics_set(GAUGE_STARTED, 5);
	assert_int_equal(metrics_total(metrics, COUNT_LOGIN_OK), 0);
	assert_int_equal(metrics_requests(metrics, 0, 1), 0);
	assert_int_equal(metrics_gauge(metrics, GAUGE_STARTED), 0);
}

/* More processes than stripes, and half of them are killed at it. */
static void
everybody_counts_exactly(void **state)
{
	pid_t pids[40];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			metrics_use(metrics, i);
			for (int k = 0; k < 10000; k++)
				metrics_count(COUNT_LOGIN_OK);
			if (i % 2)
				raise(SIGKILL);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < 40; i++)
		waitpid(pids[i], NULL, 0);
	assert_int_equal(metrics_total(metrics, COUNT_LOGIN_OK), 400000);
	assert_int_equal(metrics_total(metrics, COUNT_LOGIN_FAILED), 0);
}

static void
requests_go_where_they_belong(void **state)
{
	struct metrics_spread s;

	(void)state;
	metrics_use(metrics, 3);
	for (size_t kind = 0; kind <= KINDS; kind++)
		for (int status = 100; status < 700; status += 100)
			metrics_request(&(struct metrics_request){
			    .kind = kind, .status = status, .group = 1,
			    .took_us = 500, .queued_us = -1 });
	for (size_t kind = 0; kind < KINDS; kind++) {
		for (int c = 0; c < 4; c++)
			assert_int_equal(metrics_requests(metrics, kind, c),
			    1);
		assert_int_equal(metrics_requests(metrics, kind, 4), 2);
	}
	/* One kind too many is nobody's, nor is it in the others. */
	metrics_spread(metrics, HISTOGRAM_LATENCY, 1, &s);
	assert_int_equal(s.buckets[0], 6 * KINDS);
	assert_int_equal(s.sum_us, 500 * 6 * KINDS);
	metrics_spread(metrics, HISTOGRAM_LATENCY, 0, &s);
	assert_int_equal(s.buckets[0], 0);
	metrics_spread(metrics, HISTOGRAM_QUEUE, 1, &s);
	assert_int_equal(s.buckets[0], 0);
}

/* A bound belongs to its bucket (le); a clock that was set back is zero. */
static void
durations_find_their_bucket(void **state)
{
	struct metrics_spread s;

	(void)state;
	metrics_use(metrics, 0);
	for (int i = 0; i < METRICS_BUCKETS - 1; i++) {
		metrics_request(&(struct metrics_request){ .status = 200,
		    .took_us = metrics_bounds[i], .queued_us = -7 });
		metrics_request(&(struct metrics_request){ .status = 200,
		    .took_us = metrics_bounds[i] + 1, .queued_us = -1 });
	}
	metrics_request(&(struct metrics_request){ .status = 200,
	    .took_us = -5, .queued_us = 0 });
	metrics_spread(metrics, HISTOGRAM_LATENCY, 0, &s);
	assert_int_equal(s.buckets[0], 2);
	for (int i = 1; i < METRICS_BUCKETS - 1; i++)
		assert_int_equal(s.buckets[i], 2);
	assert_int_equal(s.buckets[METRICS_BUCKETS - 1], 1);
	metrics_spread(metrics, HISTOGRAM_QUEUE, 0, &s);
	assert_int_equal(s.buckets[0], 1);
	assert_int_equal(s.sum_us, 0);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nobody_counts_before_it_is_told_where),
		CASE(everybody_counts_exactly),
		CASE(requests_go_where_they_belong),
		CASE(durations_find_their_bucket),
	};

	return cmocka_run_group_tests_name("base_metrics", tests, NULL, NULL);
}
