/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* server/scoreboard: what is seen of a worker in another process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "server/scoreboard.h"
#include "web/web.h"

static int
set_up(void **state)
{
	static struct scoreboard board;

	*state = &board;
	return scoreboard_init(&board, 4);
}

static int
tear_down(void **state)
{
	scoreboard_done(*state);
	return 0;
}

static void
is_seen_over_a_fork(void **state)
{
	struct scoreboard *board = *state;
	struct score *score = &board->v[1];
	int status = -1;
	pid_t pid;

	score_start(score, 1, 100);
	assert_false(score_is_ready(score));
	pid = fork();
	if (pid == 0) {
		score_ready(score, (int)getpid(), 110);
		score_busy(score, 120);
		score_idle(score, true, 130);
		score_busy(score, 140);
		score_connections(score, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(score_is_ready(score));
	assert_int_equal(score->pid, pid);
	assert_int_equal(score->served, 1);
	assert_int_equal(score->active_ms, 130);
	assert_int_equal(score->busy_ms, 140);
	assert_int_equal(score->connections, 7);
	assert_int_equal(score->state, SCORE_BUSY);
	score_clear(score);
	assert_false(score_is_ready(score));
	assert_int_equal(score->served, 1);
}

static void
hung_is_one_thing_for_too_long(void **state)
{
	struct scoreboard *board = *state;
	struct score *score = &board->v[0];

	assert_false(score_hung(score, 10, 1000000));
	score_start(score, 0, 1000);
	assert_false(score_hung(score, 10, 1010));
	assert_true(score_hung(score, 10, 1011));
	score_beat(score, 1011);
	score_ready(score, 1, 1011);
	assert_false(score_hung(score, 10, 1021));
	assert_true(score_hung(score, 10, 1022));
	/* while busy, only that counts */
	score_busy(score, 2000);
	assert_false(score_hung(score, 10, 2010));
	assert_true(score_hung(score, 10, 2011));
	score_idle(score, false, 2012);
	score_beat(score, 2012);
	assert_false(score_hung(score, 10, 2022));
	assert_true(score_hung(score, 10, 2023));
	assert_int_equal(score->served, 0);
	/* draining, and busy with its last request */
	score_drain(score);
	score_busy(score, 3000);
	assert_int_equal(score->state, SCORE_DRAINING);
	assert_true(score_hung(score, 10, 3011));
}

static void
take_part(struct score *score, int group, long connections)
{
	score_start(score, group, 1);
	score_ready(score, 1, 1);
	score_connections(score, connections);
	score_listening(score, true);
}

static void
crowded_is_two_more_than_another(void **state)
{
	struct scoreboard *board = *state;

	take_part(&board->v[0], 0, 3);
	take_part(&board->v[1], 0, 2);
	take_part(&board->v[2], 1, 0);
	assert_false(scoreboard_crowded(board, 0, 10));
	assert_false(scoreboard_crowded(board, 1, 10));
	score_connections(&board->v[0], 4);
	assert_true(scoreboard_crowded(board, 0, 10));
	assert_false(scoreboard_crowded(board, 1, 10));
	/* nobody leaves it to one who does not listen, or is stuck, or dead */
	score_listening(&board->v[1], false);
	assert_false(scoreboard_crowded(board, 0, 10));
	score_listening(&board->v[1], true);
	score_busy(&board->v[1], 10);
	assert_true(scoreboard_crowded(board, 0, 15));
	assert_false(scoreboard_crowded(board, 0, 1000));
	score_idle(&board->v[1], true, 1000);
	assert_true(scoreboard_crowded(board, 0, 1001));
	/* nor to one who was idle for long and does not say so */
	assert_false(scoreboard_crowded(board, 0, 9000));
	score_beat(&board->v[1], 9000);
	assert_true(scoreboard_crowded(board, 0, 9001));
	score_clear(&board->v[1]);
	assert_false(scoreboard_crowded(board, 0, 9001));
}

static void
a_share_is_what_each_would_have(void **state)
{
	struct scoreboard *board = *state;

	take_part(&board->v[0], 0, 9);
	take_part(&board->v[1], 0, 2);
	take_part(&board->v[2], 1, 0);
	assert_true(scoreboard_above_share(board, 0, 10));
	assert_false(scoreboard_above_share(board, 1, 10));
	assert_false(scoreboard_above_share(board, 2, 10));
	/* rounded up: somebody has the odd one */
	score_connections(&board->v[0], 6);
	score_connections(&board->v[1], 5);
	assert_false(scoreboard_above_share(board, 0, 10));
	score_connections(&board->v[1], 4);
	assert_true(scoreboard_above_share(board, 0, 10));
	/* who looks for no more itself counts, who is stuck or leaves does
	 * not */
	score_listening(&board->v[1], false);
	assert_true(scoreboard_above_share(board, 0, 10));
	score_busy(&board->v[1], 10);
	assert_false(scoreboard_above_share(board, 0, 1000));
	score_idle(&board->v[1], true, 1000);
	assert_true(scoreboard_above_share(board, 0, 1001));
	assert_false(scoreboard_above_share(board, 0, 9000));
	score_drain(&board->v[1]);
	assert_false(scoreboard_above_share(board, 0, 1001));
}

/* Whoever looks has read the clock before. */
static void
what_began_after_the_look_is_of_no_age(void **state)
{
	struct scoreboard *board = *state;
	struct web_worker seen;

	score_start(&board->v[0], 0, 1000);
	score_ready(&board->v[0], 1, 1000);
	score_busy(&board->v[0], 1000);
	assert_true(scoreboard_look(board, 0, 5000, 998, &seen));
	assert_int_equal(seen.age_ms, 0);
	assert_int_equal(seen.busy_ms, 0);
	assert_true(scoreboard_look(board, 0, 5000, 1250, &seen));
	assert_int_equal(seen.age_ms, 250);
	assert_int_equal(seen.busy_ms, 250);
	assert_false(scoreboard_look(board, board->n, 5000, 1250, &seen));
}

static void
cells_do_not_share_a_cache_line(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct score) % 64, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_seen_over_a_fork, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(hung_is_one_thing_for_too_long,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    crowded_is_two_more_than_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_share_is_what_each_would_have, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_began_after_the_look_is_of_no_age, set_up, tear_down),
		cmocka_unit_test(cells_do_not_share_a_cache_line),
	};

	return cmocka_run_group_tests_name("server_scoreboard", tests, NULL,
	    NULL);
}
