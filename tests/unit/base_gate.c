/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/gate: never more inside than slots, and deaths that leak nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The source itself: the lock must be reached to die with it. */
#include "../../src/base/gate.c"

#define SOON(ms) (clock_mono_ms() + (ms))

static void
counts_slots(void **state)
{
	struct gate *gate = gate_new(2, 0, 4);

	(void)state;
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	assert_int_equal(gate_enter(gate, 1, SOON(1000)), 0);
	assert_int_equal(gate_enter(gate, 2, SOON(1000)), E_BUSY);
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 2, SOON(1000)), 0);
	/* leaving twice is leaving once */
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 3, SOON(1000)), E_BUSY);
	gate_free(gate);
	gate_free(NULL);
}

/* Who is where can be looked at, and who was refused is counted. */
static void
tells_and_counts(void **state)
{
	struct gate *gate = gate_new(2, 1, 5);
	struct metrics *metrics = metrics_new(0);
	struct gate_seen seen;

	(void)state;
	metrics_use(metrics, 0);
	gate_look(gate, &seen);
	assert_int_equal(seen.slots, 2);
	assert_int_equal(seen.inside + seen.waiting, 0);
	gate_enter(gate, 0, SOON(1000));
	gate_enter(gate, 1, SOON(1000));
	assert_int_equal(metrics_total(metrics, COUNT_HASH_REFUSED), 0);
	gate->cells[2] = TICKET_FIRST;	/* waits */
	assert_int_equal(gate_enter(gate, 3, SOON(1000)), E_BUSY);
	gate_look(gate, &seen);
	assert_int_equal(seen.inside, 2);
	assert_int_equal(seen.waiting, 1);
	assert_int_equal(metrics_total(metrics, COUNT_HASH_REFUSED), 1);
	gate_free(gate);
	metrics_free(metrics);
}

static void
waits_until_the_deadline(void **state)
{
	struct gate *gate = gate_new(1, 1, 2);
	int64_t start = clock_mono_ms(), took;

	(void)state;
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	assert_int_equal(gate_enter(gate, 1, SOON(60)), E_BUSY);
	took = clock_mono_ms() - start;
	assert_true(took >= 60 && took < 60000);
	/* gave its place in the queue back */
	assert_int_equal(gate->cells[1], CELL_FREE);
	/* a deadline in the past: in if there is room, else busy at once */
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 1, SOON(-1)), 0);
	assert_int_equal(gate_enter(gate, 0, SOON(-1)), E_BUSY);
	gate_free(gate);
}

static void
entering_again_is_no_second_slot(void **state)
{
	struct gate *gate = gate_new(1, 0, 2);

	(void)state;
	assert_int_equal(gate_enter(gate, 0, SOON(10)), 0);
	assert_int_equal(gate_enter(gate, 0, SOON(10)), 0);
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 1, SOON(10)), 0);
	gate_free(gate);
}

/* Poll until the cell is as wanted; false after a minute. */
static bool
becomes(struct gate *gate, unsigned member, bool (*is)(uint64_t))
{
	for (int64_t end = SOON(60000); clock_mono_ms() < end; usleep(1000))
		if (is(gate->cells[member]))
			return true;
	return false;
}

static bool
is_inside(uint64_t cell)
{
	return cell == CELL_INSIDE;
}

static bool
is_waiting(uint64_t cell)
{
	return cell >= TICKET_FIRST;
}

/* A child that enters as `member` and then stays as it is. */
static pid_t
spawn(struct gate *gate, unsigned member)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(30);
		if (gate_enter(gate, member, SOON(20000)) != 0)
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
a_death_inside_leaks_nothing(void **state)
{
	struct gate *gate = gate_new(1, 1, 3);
	pid_t inside = spawn(gate, 0), waiting;

	(void)state;
	assert_true(becomes(gate, 0, is_inside));
	waiting = spawn(gate, 1);
	assert_true(becomes(gate, 1, is_waiting));
	/* the only place to wait is taken */
	assert_int_equal(gate_enter(gate, 2, SOON(1000)), E_BUSY);
	end(inside);
	gate_forget(gate, 0);
	assert_true(becomes(gate, 1, is_inside));
	end(waiting);
	gate_forget(gate, 1);
	assert_int_equal(gate_enter(gate, 2, SOON(1000)), 0);
	gate_free(gate);
}

static void
a_death_waiting_leaks_nothing(void **state)
{
	struct gate *gate = gate_new(1, 1, 3);
	pid_t waiting;

	(void)state;
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	waiting = spawn(gate, 1);
	assert_true(becomes(gate, 1, is_waiting));
	end(waiting);
	gate_forget(gate, 1);
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 2, SOON(1000)), 0);
	gate_free(gate);
}

static void
a_death_with_the_lock_stops_nobody(void **state)
{
	struct gate *gate = gate_new(1, 1, 2);
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(&gate->lock);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	gate_leave(gate, 0);
	assert_int_equal(gate_enter(gate, 1, SOON(1000)), 0);
	gate_free(gate);
}

static void
a_stopped_holder_costs_the_deadline(void **state)
{
	struct gate *gate = gate_new(1, 1, 2);
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		pthread_mutex_lock(&gate->lock);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, WUNTRACED);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(gate_enter(gate, 0, SOON(50)), E_BUSY);
	end(pid);
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	gate_free(gate);
}

static void
who_waits_longest_goes_first(void **state)
{
	struct gate *gate = gate_new(1, 3, 4);
	pid_t pids[3];

	(void)state;
	assert_int_equal(gate_enter(gate, 0, SOON(1000)), 0);
	/* come in the order 3, 2, 1 */
	for (unsigned i = 0; i < 3; i++) {
		pids[i] = spawn(gate, 3 - i);
		assert_true(becomes(gate, 3 - i, is_waiting));
	}
	gate_leave(gate, 0);
	assert_true(becomes(gate, 3, is_inside));
	assert_true(is_waiting(gate->cells[2]) && is_waiting(gate->cells[1]));
	gate_forget(gate, 3);
	assert_true(becomes(gate, 2, is_inside));
	assert_true(is_waiting(gate->cells[1]));
	for (int i = 0; i < 3; i++)
		end(pids[i]);
	gate_free(gate);
}

struct tally {
	_Atomic int inside, most, rounds, wrong;
};

static void
contend(struct gate *gate, unsigned member, struct tally *tally)
{
	for (int i = 0; i < 200; i++) {
		int now, most;

		if (gate_enter(gate, member, SOON(20000)) != 0) {
			tally->wrong++;
			continue;
		}
		now = ++tally->inside;
		most = tally->most;
		while (now > most && !atomic_compare_exchange_weak(
		    &tally->most, &most, now))
			;
		usleep(50);
		tally->inside--;
		tally->rounds++;
		gate_leave(gate, member);
	}
}

/* Eight processes through two slots: both are used, a third never is. */
static void
holds_under_contention(void **state)
{
	struct gate *gate = gate_new(2, 8, 8);
	struct tally *tally = mmap(NULL, sizeof(*tally),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[8];

	(void)state;
	assert_true(tally != MAP_FAILED);
	for (unsigned i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			contend(gate, i, tally);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++)
		waitpid(pids[i], NULL, 0);
	assert_int_equal(tally->rounds, 1600);
	assert_int_equal(tally->wrong, 0);
	assert_int_equal(tally->most, 2);
	munmap(tally, sizeof(*tally));
	gate_free(gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_slots),
		cmocka_unit_test(tells_and_counts),
		cmocka_unit_test(waits_until_the_deadline),
		cmocka_unit_test(entering_again_is_no_second_slot),
		cmocka_unit_test(a_death_inside_leaks_nothing),
		cmocka_unit_test(a_death_waiting_leaks_nothing),
		cmocka_unit_test(a_death_with_the_lock_stops_nobody),
		cmocka_unit_test(a_stopped_holder_costs_the_deadline),
		cmocka_unit_test(who_waits_longest_goes_first),
		cmocka_unit_test(holds_under_contention),
	};

	return cmocka_run_group_tests_name("base_gate", tests, NULL, NULL);
}
