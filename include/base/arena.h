/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One request's memory: bump allocation, deferred releases, one reset. */
#ifndef DOCKET_BASE_ARENA_H
#define DOCKET_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

#include "base/text.h"

struct arena;

/* first: bytes of the block that is kept over resets. NULL: out of memory. */
struct arena *arena_new(size_t first);
/* One more for a part of `mem`'s work that is reset on its own: it takes the
 * same jump and goes when `mem` is reset. Never NULL. */
struct arena *arena_part(struct arena *mem, size_t first);
void arena_free(struct arena *mem);

/*
 * Run the deferred releases, newest first, and forget every allocation. The
 * first block stays, the others go back to malloc, so one large request does
 * not make a worker large for good.
 */
void arena_reset(struct arena *mem);

/*
 * Where an allocation that fails jumps to (longjmp with 1), so that callers
 * need no checks. Everything a request owns hangs on the arena, so nothing is
 * lost by the jump. With no place set (NULL), the process aborts.
 */
void arena_on_oom(struct arena *mem, jmp_buf *place);
/* For third-party allocations that returned NULL: take the same jump. */
_Noreturn void arena_oom(struct arena *mem);

/* Never NULL. Aligned to 16, zeroed. */
void *arena_alloc(struct arena *mem, size_t n);
/* n items of size each; a product that overflows counts as out of memory. */
void *arena_array(struct arena *mem, size_t n, size_t size);
/* Copies; NUL-terminated. */
char *arena_copy(struct arena *mem, const char *s, size_t n);
struct text arena_text(struct arena *mem, struct text t);
char *arena_printf(struct arena *mem, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Call release(arg) at the next reset. When there is no memory to note it, it
 * is called at once and the jump of arena_on_oom taken. */
void arena_defer(struct arena *mem, void (*release)(void *), void *arg);

#endif
