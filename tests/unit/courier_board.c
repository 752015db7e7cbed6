/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The watch of a lane: one has it, nobody's death keeps it, the bell rings. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "courier/board.h"

/* Seats 0 and 2 are of one lane, 1 of the other. */
static struct board *board;

static int
setup(void **state)
{
	(void)state;
	board = board_new();
	return board ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static bool
rings(int seat)
{
	struct pollfd fd = { .fd = board_bell(board, seat), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void
one_watches_a_lane(void **state)
{
	(void)state;
	assert_true(board_watch(board, 0));
	assert_true(board_watch(board, 0));
	assert_false(board_watch(board, 2));
	assert_true(board_watch(board, 1));
	/* Who does not have it cannot let it go, and wakes nobody. */
	board_pass(board, 2);
	assert_false(rings(0));
	assert_false(board_watch(board, 2));
	board_pass(board, 0);
	assert_true(rings(2));
	assert_false(rings(1));
	/* However often it rang, one answer is enough. */
	board_pass(board, 0);
	board_answer(board, 2);
	assert_false(rings(0));
	board_answer(board, 0);
	assert_true(board_watch(board, 2));
	assert_false(board_watch(board, 0));
}

static void
the_dead_watch_nothing(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(board_watch(board, 0) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(board_watch(board, 2));
	board_forget(board, 0);
	assert_true(rings(2));
	assert_true(board_watch(board, 2));
}

static void
who_promised_is_late_after_that(void **state)
{
	(void)state;
	assert_false(board_is_late(board, 3, 1000000));
	board_promise(board, 3, 1000, 500);
	assert_false(board_is_late(board, 3, 1500));
	assert_true(board_is_late(board, 3, 1501));
	assert_false(board_is_late(board, 2, 1501));
	board_forget(board, 3);
	assert_false(board_is_late(board, 3, 1501));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_watches_a_lane),
		CASE(the_dead_watch_nothing),
		CASE(who_promised_is_late_after_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
