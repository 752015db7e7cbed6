/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The hash gate: cells in shared memory, counted afresh at every decision. */
#include "base/gate.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"

/*
 * A cell is CELL_FREE, CELL_INSIDE, or the ticket of a member that waits
 * (tickets grow, so a smaller one came earlier). There are no counters that a
 * death could leave wrong: inside and waiting are counted from the cells.
 *
 * The lock covers "count, then enter" and nothing else. It is robust: when its
 * holder dies the next one gets it, and as every change of a cell is one store
 * there is nothing to repair. Leaving and forgetting only take away, which
 * needs no lock; so the supervisor never waits for a worker.
 */
#define CELL_FREE 0
#define CELL_INSIDE 1
#define TICKET_FIRST 2

/* A wake-up can get lost with a member that dies: look again this often. */
#define NAP_MS 20

struct gate {
	size_t size;
	unsigned slots, waiters, members;
	pthread_mutex_t lock;
	uint64_t next_ticket;		/* under the lock */
	_Atomic uint32_t changes;	/* futex: bumped when a cell is freed */
	_Atomic uint64_t cells[];
};

/* For processes, and robust: see above. */
static int
gate_lock_new(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc != 0)
		return rc;
	rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (rc == 0)
		rc = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc;
}

/* Anonymous and shared: the workers inherit it, and it has no name that could
 * be left behind. */
struct gate *
gate_new(unsigned slots, unsigned waiters, unsigned members)
{
	size_t size = sizeof(struct gate) + members * sizeof(uint64_t);
	struct gate *gate;

	assert(slots > 0 && members > 0);
	gate = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (gate == MAP_FAILED)
		return NULL;
	if (gate_lock_new(&gate->lock) != 0) {
		munmap(gate, size);
		return NULL;
	}
	gate->size = size;
	gate->slots = slots;
	gate->waiters = waiters;
	gate->members = members;
	gate->next_ticket = TICKET_FIRST;
	return gate;
}

/* Unmaps this process's view. The lock is not destroyed: others may hold it. */
void
gate_free(struct gate *gate)
{
	if (gate)
		munmap(gate, gate->size);
}

/* Until the deadline only: its holder may be stopped by a debugger. */
static bool
gate_lock(struct gate *gate, int64_t deadline)
{
	struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = deadline % 1000 * 1000000,
	};
	int rc = pthread_mutex_trylock(&gate->lock);

	if (rc == EBUSY)
		rc = pthread_mutex_clocklock(&gate->lock, CLOCK_MONOTONIC,
		    &until);
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&gate->lock);
	return rc == 0;
}

/*
 * Go in, or get or keep a place in the queue; false when there is none. With
 * k slots free the k members who wait longest may go in, in any order, so one
 * that sleeps through its turn does not hold up the ones behind it.
 */
static bool
gate_try(struct gate *gate, unsigned member)
{
	uint64_t mine = gate->cells[member];
	unsigned inside = 0, waiting = 0, before = 0;

	for (unsigned i = 0; i < gate->members; i++) {
		uint64_t cell = gate->cells[i];

		if (i == member || cell == CELL_FREE)
			continue;
		if (cell == CELL_INSIDE) {
			inside++;
			continue;
		}
		waiting++;
		if (mine == CELL_FREE || cell < mine)
			before++;
	}
	if (inside + before < gate->slots) {
		gate->cells[member] = CELL_INSIDE;
		return true;
	}
	if (mine != CELL_FREE)
		return true;
	if (waiting >= gate->waiters)
		return false;
	gate->cells[member] = gate->next_ticket++;
	return true;
}

/* Until a cell is freed after `seen` was read, or for a nap. */
static void
gate_sleep(struct gate *gate, uint32_t seen, int64_t ms)
{
	struct timespec nap = {
		.tv_nsec = (ms < NAP_MS ? ms : NAP_MS) * 1000000,
	};

	syscall(SYS_futex, &gate->changes, FUTEX_WAIT, seen, &nap, NULL, 0);
}

/* Give back what the member holds, if anything, and wake who waits. */
static void
gate_clear(struct gate *gate, unsigned member)
{
	assert(member < gate->members);
	if (atomic_exchange(&gate->cells[member], CELL_FREE) == CELL_FREE)
		return;
	gate->changes++;
	syscall(SYS_futex, &gate->changes, FUTEX_WAKE, gate->members, NULL,
	    NULL, 0);
}

int
gate_enter(struct gate *gate, unsigned member, int64_t mono_ms_deadline)
{
	/* A member does one thing at a time: a cell still set is from a request
	 * that ended in a jump and never left. */
	gate_clear(gate, member);
	for (;;) {
		uint32_t seen = gate->changes;
		int64_t left;
		bool queued;

		if (!gate_lock(gate, mono_ms_deadline))
			break;
		queued = gate_try(gate, member);
		pthread_mutex_unlock(&gate->lock);
		if (gate->cells[member] == CELL_INSIDE)
			return 0;
		left = mono_ms_deadline - clock_mono_ms();
		if (!queued || left <= 0)
			break;
		gate_sleep(gate, seen, left);
	}
	gate_clear(gate, member);
	metrics_count(COUNT_HASH_REFUSED);
	return E_BUSY;
}

void
gate_leave(struct gate *gate, unsigned member)
{
	gate_clear(gate, member);
}

void
gate_look(const struct gate *gate, struct gate_seen *ret)
{
	*ret = (struct gate_seen){ .slots = gate->slots };
	for (unsigned i = 0; i < gate->members; i++) {
		uint64_t cell = gate->cells[i];

		ret->inside += cell == CELL_INSIDE;
		ret->waiting += cell >= TICKET_FIRST;
	}
}

void
gate_forget(struct gate *gate, unsigned member)
{
	gate_clear(gate, member);
}
