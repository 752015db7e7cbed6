/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* server/states: every state answers every event; deaths are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/states.h"

static void
is(enum state from, enum event event, enum state next, enum act act)
{
	struct step step = state_step(from, event);

	assert_int_equal(step.next, next);
	assert_int_equal(step.act, act);
}

static void
a_life_without_trouble(void **state)
{
	(void)state;
	is(STATE_STARTING, EVENT_READY, STATE_RUNNING, ACT_ANNOUNCE);
	is(STATE_RUNNING, EVENT_HUP, STATE_RELOADING, ACT_RELOAD);
	is(STATE_RELOADING, EVENT_READY, STATE_RUNNING, ACT_COMMIT);
	is(STATE_RUNNING, EVENT_TERM, STATE_DRAINING, ACT_DRAIN);
	is(STATE_DRAINING, EVENT_GONE, STATE_DRAINING, ACT_EXIT);
}

static void
a_refused_reload_keeps_what_runs(void **state)
{
	(void)state;
	is(STATE_RELOADING, EVENT_REFUSED, STATE_RUNNING, ACT_KEEP);
	is(STATE_RELOADING, EVENT_LATE, STATE_RUNNING, ACT_KEEP);
}

static void
a_reload_during_another_waits(void **state)
{
	(void)state;
	is(STATE_STARTING, EVENT_HUP, STATE_STARTING, ACT_LATER);
	is(STATE_RELOADING, EVENT_HUP, STATE_RELOADING, ACT_LATER);
}

static void
term_stops_from_everywhere(void **state)
{
	(void)state;
	for (enum state s = STATE_STARTING; s <= STATE_RELOADING; s++) {
		is(s, EVENT_TERM, STATE_DRAINING, ACT_DRAIN);
		is(s, EVENT_BROKEN, STATE_DRAINING, ACT_FAIL);
	}
}

static void
nothing_comes_back_from_draining(void **state)
{
	(void)state;
	for (enum event e = EVENT_READY; e < EVENT__MAX; e++) {
		assert_true(state_step(STATE_DRAINING, e).next >=
		    STATE_DRAINING);
		assert_int_equal(state_step(STATE_KILLING, e).next,
		    STATE_KILLING);
	}
	is(STATE_DRAINING, EVENT_LATE, STATE_KILLING, ACT_KILL);
	is(STATE_DRAINING, EVENT_TERM, STATE_DRAINING, ACT_NONE);
	is(STATE_KILLING, EVENT_LATE, STATE_KILLING, ACT_KILL);
	is(STATE_KILLING, EVENT_GONE, STATE_KILLING, ACT_EXIT);
}

static void
states_have_names(void **state)
{
	(void)state;
	assert_string_equal(state_name(STATE_STARTING), "starting");
	for (enum state s = STATE_STARTING; s < STATE__MAX; s++)
		assert_non_null(state_name(s));
}

static void
counts_deaths_within_the_time(void **state)
{
	struct intensity i = { 0 };

	(void)state;
	for (int n = 0; n < 3; n++)
		assert_false(intensity_hit(&i, 3, 10000, 1000 + n));
	assert_true(intensity_hit(&i, 3, 10000, 1003));
	/* the oldest of them falls out of the time */
	assert_false(intensity_hit(&i, 3, 10000, 11003));
}

static void
slow_deaths_are_never_too_many(void **state)
{
	struct intensity i = { 0 };

	(void)state;
	for (int n = 0; n < 1000; n++)
		assert_false(intensity_hit(&i, 1, 1000, n * 1000));
}

static void
the_ring_holds_the_greatest_limit(void **state)
{
	struct intensity i = { 0 };
	unsigned n = 1;

	(void)state;
	while (!intensity_hit(&i, INTENSITY_MAX - 1, 1000, 5))
		n++;
	assert_int_equal(n, INTENSITY_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life_without_trouble),
		cmocka_unit_test(a_refused_reload_keeps_what_runs),
		cmocka_unit_test(a_reload_during_another_waits),
		cmocka_unit_test(term_stops_from_everywhere),
		cmocka_unit_test(nothing_comes_back_from_draining),
		cmocka_unit_test(states_have_names),
		cmocka_unit_test(counts_deaths_within_the_time),
		cmocka_unit_test(slow_deaths_are_never_too_many),
		cmocka_unit_test(the_ring_holds_the_greatest_limit),
	};

	return cmocka_run_group_tests_name("server_states", tests, NULL,
	    NULL);
}
