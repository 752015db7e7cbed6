/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The hash gate: at most so many password hashes at once over all workers. */
#ifndef DOCKET_BASE_GATE_H
#define DOCKET_BASE_GATE_H

#include <stdint.h>

/*
 * Lives in shared memory made before the workers are forked. A member is a
 * worker's number, 0 .. members-1; what a member holds is in a cell of its
 * own, so the supervisor can clear a dead worker's cell and nothing leaks.
 */
struct gate;

/* slots: members inside at once; waiters: members waiting at once. */
struct gate *gate_new(unsigned slots, unsigned waiters, unsigned members);
void gate_free(struct gate *gate);

/* 0; E_BUSY when too many wait already or mono_ms_deadline passes. Who waits
 * longest goes in first. A member that is still inside has left by this. */
int gate_enter(struct gate *gate, unsigned member, int64_t mono_ms_deadline);
void gate_leave(struct gate *gate, unsigned member);
/* Who is where, counted cell by cell: a moment's picture. */
struct gate_seen {
	unsigned slots, inside, waiting;
};
void gate_look(const struct gate *gate, struct gate_seen *ret);
/* The supervisor, when a worker has died. */
void gate_forget(struct gate *gate, unsigned member);

#endif
