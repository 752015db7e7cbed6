/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Token buckets in shared memory: one a subject, over all workers. */
#ifndef DOCKET_BASE_LIMITER_H
#define DOCKET_BASE_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bucket.h"

/*
 * Of fixed size (1 MiB, 131,072 buckets), made before the workers are forked,
 * so a worker that is replaced and a reload lose nothing; a restart forgets
 * all. Nobody waits for anybody: no locks, no system calls, and a process that
 * dies anywhere leaves nothing that is in the way.
 *
 * A subject's bucket is found by a hash under a key of this start's own. When
 * the eight places that it may take are all owed something, the one that owes
 * least makes room: a flood of strangers frees whoever is nearly free anyway.
 */
struct limiter;

struct limiter *limiter_new(void);
void limiter_free(struct limiter *limiter);

/* Whose subjects these are: the same bytes under two kinds are two. */
enum limiter_kind {
	LIMITER_USER, LIMITER_CLIENT, LIMITER_SESSION, LIMITER_CHECK,
	LIMITER_HELD, LIMITER_PROBE
};

#define LIMITER_SUBJECT 63	/* bytes that count */

/* One request of a subject's bucket. mono_us: CLOCK_MONOTONIC. */
struct bucket limiter_take(struct limiter *limiter,
    const struct bucket_rule *rule, enum limiter_kind kind,
    const void *subject, size_t n, int64_t mono_us);
/* Is anything of it used up? Nothing is taken. */
bool limiter_owes(struct limiter *limiter, enum limiter_kind kind,
    const void *subject, size_t n, int64_t mono_us);
/* Nothing is, from now on. */
void limiter_forget(struct limiter *limiter, enum limiter_kind kind,
    const void *subject, size_t n);

#endif
