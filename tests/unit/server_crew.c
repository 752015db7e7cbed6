/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* server/handover, server/crew: connections change hands; how many workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"
#include "server/crew.h"
#include "server/handover.h"
#include "web/route.h"

static void
bytes_that_wait_go_along(void **state)
{
	struct handover h;
	char in[8] = "";
	int pair[2], fd;

	(void)state;
	assert_int_equal(handovers_open(&h, 1), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(handover_take(&h), -1);
	assert_int_equal(write(pair[0], "before", 6), 6);
	assert_true(handover_give(&h, pair[1]));
	close(pair[1]);
	/* nobody holds it but the message, and the peer notices nothing */
	assert_int_equal(write(pair[0], "!", 1), 1);
	fd = handover_take(&h);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, in, sizeof(in)), 7);
	assert_memory_equal(in, "before!", 7);
	assert_int_equal(write(fd, "reply", 5), 5);
	assert_int_equal(read(pair[0], in, sizeof(in)), 5);
	close(fd);
	close(pair[0]);
	handovers_close(&h, 1);
}

static void
the_giver_may_die_before_it_is_taken(void **state)
{
	struct handover h;
	int pair[2], fd, status = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(handovers_open(&h, 1), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(handover_give(&h, pair[1]) ? 0 : 1);
	close(pair[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = handover_take(&h);
	assert_true(fd >= 0);
	close(fd);
	close(pair[0]);
	handovers_close(&h, 1);
}

/* So many at once, or says that it is full: it never blocks. */
static void
holds_many_and_never_blocks(void **state)
{
	struct handover h;
	int pair[2], fd, given = 0, taken = 0;

	(void)state;
	assert_int_equal(handovers_open(&h, 1), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	while (given < 200 && handover_give(&h, pair[1]))
		given++;
	assert_true(given >= 64);
	while ((fd = handover_take(&h)) >= 0) {
		taken++;
		close(fd);
	}
	assert_int_equal(taken, given);
	close(pair[0]);
	close(pair[1]);
	handovers_close(&h, 1);
}

static void
sizes_follow_cores_or_settings(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(crew_size(&s, GROUP_MAIN, 1), 4);
	assert_int_equal(crew_size(&s, GROUP_MAIN, 2), 8);
	assert_int_equal(crew_size(&s, GROUP_HASH, 1), 2);
	assert_int_equal(crew_size(&s, GROUP_HASH, 2), 4);
	assert_int_equal(crew_size(&s, GROUP_MAIN, 192), 256);
	s.server_workers = 3;
	s.server_auth_workers = 1;
	assert_int_equal(crew_size(&s, GROUP_MAIN, 2), 3);
	assert_int_equal(crew_size(&s, GROUP_HASH, 2), 1);
}

/* The supervisor looks again before the kernel is done with it; what hung has
 * not died besides. */
static void
one_that_hung_is_counted_once(void **state)
{
	struct settings s = { .server_workers = 1, .server_auth_workers = 1 };
	struct metrics *metrics = metrics_new(1);
	struct crew *crew = crew_new(&s);
	struct crew_death death;
	const int64_t late = 1000000;
	int status = 0;
	pid_t pid;

	(void)state;
	assert_non_null(metrics);
	assert_non_null(crew);
	metrics_use(metrics, 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	crew->members[0].pid = pid;
	score_start(&crew->board.v[0], GROUP_MAIN, 1);
	score_ready(&crew->board.v[0], pid, 1);
	score_busy(&crew->board.v[0], 1);
	crew_kill_hung(crew, 2);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	crew_kill_hung(crew, late);
	crew_kill_hung(crew, late + 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(crew_buried(crew, pid, status, &death));
	assert_int_equal(death.signo, SIGKILL);
	assert_int_equal(metrics_total(metrics, COUNT_END_HUNG), 1);
	assert_int_equal(metrics_total(metrics, COUNT_END_DIED), 0);
	/* Whoever takes its place begins anew. */
	crew->members[0].pid = pid;
	assert_true(crew_buried(crew, pid, SIGKILL, &death));
	assert_int_equal(metrics_total(metrics, COUNT_END_HUNG), 1);
	assert_int_equal(metrics_total(metrics, COUNT_END_DIED), 1);
	crew_free(crew);
	metrics_free(metrics);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_that_wait_go_along),
		cmocka_unit_test(the_giver_may_die_before_it_is_taken),
		cmocka_unit_test(holds_many_and_never_blocks),
		cmocka_unit_test(sizes_follow_cores_or_settings),
		cmocka_unit_test(one_that_hung_is_counted_once),
	};

	return cmocka_run_group_tests_name("server_crew", tests, NULL, NULL);
}
