/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/limiter, base/siphash: exact over processes, whatever dies or wraps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* The source itself: cells must be seen and made as a death leaves them. */
#include "../../src/base/limiter.c"

#define WINDOW (60 * TIME_SECOND)

static const struct bucket_rule rule = { 600, WINDOW };
static struct limiter *limiter;

static int
setup(void **state)
{
	(void)state;
	if (crypto_init() != 0)
		return -1;
	limiter = limiter_new();
	return limiter ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	limiter_free(limiter);
	limiter_free(NULL);
	crypto_done();
	return 0;
}

static struct bucket
take(const struct bucket_rule *r, const char *who, int64_t now)
{
	return limiter_take(limiter, r, LIMITER_USER, who, strlen(who), now);
}

/* Appendix A of the paper, and the first of its authors' test vectors. */
static void
siphash_is_siphash(void **state)
{
	uint8_t key[SIPHASH_KEY], in[15];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(siphash(key, in, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash(key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash(key, in, 8) == UINT64_C(0x93f5f5799a932462));
}

static void
subjects_and_kinds_are_apart(void **state)
{
	const struct bucket_rule two = { 2, WINDOW };
	const uint8_t id[16] = { 7 };

	(void)state;
	assert_true(take(&two, "one", 0).taken);
	assert_true(take(&two, "one", 0).taken);
	assert_false(take(&two, "one", 0).taken);
	assert_true(take(&two, "other", 0).taken);
	for (int kind = LIMITER_USER; kind <= LIMITER_PROBE; kind++)
		assert_int_equal(limiter_take(limiter, &two,
		    (enum limiter_kind)kind, id, sizeof(id), 0).left, 1);
	/* A subject may have any length; what is over it does not count. */
	for (size_t n = 0; n <= LIMITER_SUBJECT; n++)
		assert_int_equal(limiter_take(limiter, &two, LIMITER_CLIENT,
		    "................................................"
		    "................", n, 0).left, 1);
	assert_int_equal(limiter_take(limiter, &two, LIMITER_CLIENT,
	    "................................................"
	    ".................", LIMITER_SUBJECT + 2, 0).left, 0);
}

static void
what_is_owed_can_be_seen_and_forgotten(void **state)
{
	static const struct bucket_rule one = { 1, 10 * TIME_SECOND };
	const int64_t now = WINDOW, end = now + 10 * TIME_SECOND;

	(void)state;
	assert_false(limiter_owes(limiter, LIMITER_HELD, "a", 1, now));
	assert_true(limiter_take(limiter, &one, LIMITER_HELD, "a", 1,
	    now).taken);
	assert_true(limiter_owes(limiter, LIMITER_HELD, "a", 1, now));
	assert_true(limiter_owes(limiter, LIMITER_HELD, "a", 1, end - 1));
	assert_false(limiter_owes(limiter, LIMITER_HELD, "a", 1, end));
	assert_false(limiter_owes(limiter, LIMITER_PROBE, "a", 1, now));
	assert_false(limiter_owes(limiter, LIMITER_HELD, "b", 1, now));
	limiter_forget(limiter, LIMITER_PROBE, "a", 1);
	limiter_forget(limiter, LIMITER_HELD, "b", 1);
	assert_true(limiter_owes(limiter, LIMITER_HELD, "a", 1, now));
	limiter_forget(limiter, LIMITER_HELD, "a", 1);
	assert_false(limiter_owes(limiter, LIMITER_HELD, "a", 1, now));
	assert_true(limiter_take(limiter, &one, LIMITER_HELD, "a", 1,
	    now).taken);
}

/* Around what 31, 32, 40 and 63 bits of microseconds hold. */
static void
time_wraps_without_a_trace(void **state)
{
	static const int64_t edges[] = {
		0, (INT64_C(1) << 31), (INT64_C(1) << 32), (INT64_C(1) << 39),
		(INT64_C(1) << 40), (INT64_C(1) << 41), (INT64_C(1) << 53),
		INT64_MAX - WINDOW,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		int64_t now = edges[i] > WINDOW ? edges[i] - 50000 : 0;
		char who[32];

		snprintf(who, sizeof(who), "edge %zu", i);
		for (int n = 0; n < 600; n++)
			assert_true(take(&rule, who, now).taken);
		assert_false(take(&rule, who, now).taken);
		assert_false(take(&rule, who, now + 99999).taken);
		assert_true(take(&rule, who, now + 100000).taken);
		assert_false(take(&rule, who, now + 100000).taken);
		assert_int_equal(take(&rule, who, now + WINDOW).left, 598);
	}
}

static void
what_was_long_ago_is_paid(void **state)
{
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 600; i++)
		take(&rule, "old", now);
	for (int day = 1; day < 40; day++) {
		now = day * TIME_DAY;
		assert_int_equal(take(&rule, "old", now).left, 599);
	}
}

static uint64_t
cell_of(const char *who, unsigned *ret_set)
{
	uint8_t in[1 + LIMITER_SUBJECT] = { LIMITER_USER };
	uint64_t hash;

	memcpy(in + 1, who, strlen(who));
	hash = siphash(limiter->key, in, 1 + strlen(who));
	*ret_set = hash % SETS;
	return hash >> TAG_SHIFT;
}

static void
a_death_while_starting_is_no_obstacle(void **state)
{
	unsigned set;
	const uint64_t tag = cell_of("dead", &set);

	(void)state;
	for (int way = 0; way < WAYS; way++)
		limiter->cells[set][way] = tag << TAG_SHIFT | NEW | 100000;
	assert_int_equal(take(&rule, "dead", 0).left, 599);
	assert_int_equal(take(&rule, "dead", 0).left, 598);
	for (int way = 0, found = 0; way < WAYS; way++) {
		found += limiter->cells[set][way] >> TAG_SHIFT == tag;
		assert_true(found <= 1);
		assert_false(limiter->cells[set][way] & NEW);
	}
}

/* Else one could finish what another began, beside a bucket that stands. */
static void
no_two_claims_are_the_same(void **state)
{
	struct take take = { .tag = 5, .claims = &limiter->claims };
	const uint64_t one = claim_of(&take), other = claim_of(&take);

	(void)state;
	assert_int_not_equal(one, other);
	assert_true(one & other & NEW);
	assert_int_equal(one >> TAG_SHIFT, 5);
	assert_int_equal(other >> TAG_SHIFT, 5);
}

/* All owe much but one, whose word is that: it alone makes room. */
static void
makes_room(uint64_t one)
{
	unsigned set;
	const uint64_t tag = cell_of("newcomer", &set);

	for (uint64_t way = 0; way < WAYS; way++)
		limiter->cells[set][way] = (tag + 1 + way) << TAG_SHIFT |
		    (way == 5 ? one : (uint64_t)TIME_SECOND * (10 + way));
	assert_int_equal(take(&rule, "newcomer", 0).left, 599);
	for (uint64_t way = 0; way < WAYS; way++)
		assert_true(limiter->cells[set][way] >> TAG_SHIFT ==
		    (way == 5 ? tag : tag + 1 + way));
}

static void
a_claim_makes_room_for_a_bucket(void **state)
{
	(void)state;
	makes_room(NEW | UINT64_C(900) * TIME_SECOND);
}

static void
who_owes_least_makes_room(void **state)
{
	(void)state;
	makes_room(TIME_SECOND);
}

/* What a child lets through of `who`; it starts when the pipe is closed. */
static pid_t
guzzler(const char *who, const int gate[2], int out)
{
	const struct bucket_rule tight = { 1000, WINDOW };
	pid_t pid = fork();
	uint32_t n = 0;
	char byte;

	if (pid != 0)
		return pid;
	close(gate[1]);
	if (read(gate[0], &byte, 1) != 0)
		_exit(1);
	for (int i = 0; i < 3000; i++)
		n += take(&tight, who, 12345).taken;
	_exit(write(out, &n, sizeof(n)) == sizeof(n) ? 0 : 1);
}

static uint32_t
passed_of(const char *who, int n)
{
	int gate[2], out[2];
	uint32_t sum = 0, one;

	assert_int_equal(pipe(gate) | pipe(out), 0);
	for (int i = 0; i < n; i++)
		assert_true(guzzler(who, gate, out[1]) > 0);
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < n; i++) {
		assert_int_equal(read(out[0], &one, sizeof(one)),
		    sizeof(one));
		sum += one;
	}
	while (wait(NULL) > 0)
		;
	close(out[0]);
	close(out[1]);
	return sum;
}

static void
processes_share_one_bucket_exactly(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		char who[32];

		snprintf(who, sizeof(who), "shared %d", i);
		assert_int_equal(passed_of(who, 8), 1000);
	}
}

#define STARTS 8000

/* All start a bucket of two at once, again and again: each time two pass. */
static pid_t
starter(const int gate[2], int out)
{
	const struct bucket_rule two = { 2, WINDOW };
	pid_t pid = fork();
	uint32_t n = 0;
	char byte;

	if (pid != 0)
		return pid;
	close(gate[1]);
	if (read(gate[0], &byte, 1) != 0)
		_exit(1);
	for (int i = 0; i < STARTS; i++) {
		char who[32];

		snprintf(who, sizeof(who), "many %d", i);
		n += take(&two, who, 1).taken;
	}
	_exit(write(out, &n, sizeof(n)) == sizeof(n) ? 0 : 1);
}

static uint32_t
started_by(int n)
{
	int gate[2], out[2];
	uint32_t sum = 0, one;

	assert_int_equal(pipe(gate) | pipe(out), 0);
	for (int i = 0; i < n; i++)
		assert_true(starter(gate, out[1]) > 0);
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < n; i++) {
		assert_int_equal(read(out[0], &one, sizeof(one)),
		    sizeof(one));
		sum += one;
	}
	while (wait(NULL) > 0)
		;
	close(out[0]);
	close(out[1]);
	return sum;
}

/* So few that no set overflows, in a new table each time. That two of them
 * share a bucket is a matter of one table in 4,000. */
static void
starting_at_once_gives_no_second_quota(void **state)
{
	for (int i = 0; i < 10; i++) {
		assert_in_range(started_by(6), 2 * STARTS - 2, 2 * STARTS);
		limiter_free(limiter);
		assert_int_equal(setup(state), 0);
	}
}

static void
a_kill_anywhere_leaves_it_usable(void **state)
{
	const struct timespec nap = { 0, 300000 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (int k = 0;; k++) {
				char who[32];

				snprintf(who, sizeof(who), "kill %d", k % 64);
				take(&rule, who, k);
			}
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	for (int k = 0; k < 64; k++) {
		char who[32];

		snprintf(who, sizeof(who), "kill %d", k);
		assert_int_equal(take(&rule, who, 2 * WINDOW).left, 599);
	}
}

static void
it_costs_little(void **state)
{
	const int n = 200000;
	int64_t start = clock_real_us();

	(void)state;
	for (int i = 0; i < n; i++)
		take(&rule, "somebody", i * INT64_C(200000));
	print_message("%lld ns a request\n",
	    (long long)(clock_real_us() - start) * 1000 / n);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(siphash_is_siphash),
		CASE(subjects_and_kinds_are_apart),
		CASE(what_is_owed_can_be_seen_and_forgotten),
		CASE(time_wraps_without_a_trace),
		CASE(what_was_long_ago_is_paid),
		CASE(a_death_while_starting_is_no_obstacle),
		CASE(no_two_claims_are_the_same),
		CASE(a_claim_makes_room_for_a_bucket),
		CASE(who_owes_least_makes_room),
		CASE(processes_share_one_bucket_exactly),
		CASE(starting_at_once_gives_no_second_quota),
		CASE(a_kill_anywhere_leaves_it_usable),
		CASE(it_costs_little),
	};

	return cmocka_run_group_tests_name("base_limiter", tests, NULL, NULL);
}
