/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Bump allocation with one reset, and the releases that wait for it. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Under AddressSanitizer everything that is not handed out is poisoned, with a
 * gap behind each piece, so a use after the reset or past the end is caught
 * although malloc never hears of it.
 */
#ifdef __has_feature
#define ARENA_HAS(x) __has_feature(x)
#else
#define ARENA_HAS(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || ARENA_HAS(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16

/* Not inlined: gcc takes poisoning fresh memory for reading it. */
__attribute__((noinline)) static void
arena_hide(void *p, size_t n)
{
	__asan_poison_memory_region(p, n);
}

__attribute__((noinline)) static void
arena_show(void *p, size_t n)
{
	__asan_unpoison_memory_region(p, n);
}
#else
#define ARENA_GAP 0

static void
arena_hide(void *p, size_t n)
{
	(void)p, (void)n;
}

static void
arena_show(void *p, size_t n)
{
	(void)p, (void)n;
}
#endif

#define ARENA_ALIGN 16
/* Later blocks are at least this large: few calls of malloc, little waste. */
#define ARENA_BLOCK ((size_t)16 * 1024)

/* A piece of malloc's memory that pieces of ours are cut from. */
struct block {
	struct block *next;
	size_t size;		/* of bytes */
	_Alignas(ARENA_ALIGN) uint8_t bytes[];
};

/* Lives in the arena itself, so a release costs no allocation of its own. */
struct deferred {
	struct deferred *next;
	void (*release)(void *);
	void *arg;
};

struct arena {
	struct block *first;
	struct block *more;	/* newest first; bump goes on in `block` */
	struct block *block;
	size_t used;		/* of block->bytes */
	struct deferred *deferred;
	jmp_buf *place;
};

/* A block of its own from malloc; NULL when there is no memory. */
static struct block *
block_new(size_t size)
{
	struct block *block;

	if (size > SIZE_MAX / 2)
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->next = NULL;
	block->size = size;
	arena_hide(block->bytes, size);
	return block;
}

static void
block_free(struct block *block)
{
	if (!block)
		return;
	arena_show(block->bytes, block->size);
	free(block);
}

struct arena *
arena_new(size_t first)
{
	struct arena *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return NULL;
	mem->first = block_new(first ? first : ARENA_BLOCK);
	if (!mem->first) {
		free(mem);
		return NULL;
	}
	mem->block = mem->first;
	return mem;
}

/* The releases run here too: what was deferred is never lost. */
void
arena_free(struct arena *mem)
{
	if (!mem)
		return;
	arena_reset(mem);
	block_free(mem->first);
	free(mem);
}

void
arena_reset(struct arena *mem)
{
	/* A release may defer again: take them one by one from the front. */
	while (mem->deferred) {
		struct deferred *d = mem->deferred;

		mem->deferred = d->next;
		d->release(d->arg);
	}
	while (mem->more) {
		struct block *next = mem->more->next;

		block_free(mem->more);
		mem->more = next;
	}
	mem->block = mem->first;
	mem->used = 0;
	arena_hide(mem->first->bytes, mem->first->size);
}

/* The place is the dispatcher's, set once before each request. */
void
arena_on_oom(struct arena *mem, jmp_buf *place)
{
	mem->place = place;
}

/* Without a place to jump to nothing can be answered: better a core at the
 * culprit than a NULL that travels. */
void
arena_oom(struct arena *mem)
{
	if (!mem->place)
		abort();
	longjmp(*mem->place, 1);
}

/* Room for n bytes, or NULL; nothing is cleared yet. */
static void *
arena_take(struct arena *mem, size_t n)
{
	struct block *block;
	size_t step;
	void *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	step = (n + ARENA_GAP + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (step > mem->block->size - mem->used) {
		block = block_new(step > ARENA_BLOCK ? step : ARENA_BLOCK);
		if (!block)
			return NULL;
		block->next = mem->more;
		mem->more = block;
		/* A piece that fills its own block must not end the old one. */
		if (step >= ARENA_BLOCK) {
			arena_show(block->bytes, n);
			return block->bytes;
		}
		mem->block = block;
		mem->used = 0;
	}
	p = mem->block->bytes + mem->used;
	mem->used += step;
	arena_show(p, n);
	return p;
}

/* Zeroed here and not at the reset: only what is used is paid for. */
void *
arena_alloc(struct arena *mem, size_t n)
{
	void *p = arena_take(mem, n);

	if (!p)
		arena_oom(mem);
	return memset(p, 0, n);
}

void *
arena_array(struct arena *mem, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		arena_oom(mem);
	return arena_alloc(mem, bytes);
}

/* n may be 0 with s NULL: the copy is then the empty string. */
char *
arena_copy(struct arena *mem, const char *s, size_t n)
{
	char *p;

	if (n == SIZE_MAX || !(p = arena_take(mem, n + 1)))
		arena_oom(mem);
	if (n > 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

struct text
arena_text(struct arena *mem, struct text t)
{
	if (!t.s)
		return TEXT_NONE;
	return (struct text){ arena_copy(mem, t.s, t.n), t.n };
}

/* Formatted twice: to measure, then into a piece of just that size. */
char *
arena_printf(struct arena *mem, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		arena_oom(mem);
	p = arena_take(mem, (size_t)n + 1);
	if (!p)
		arena_oom(mem);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_defer(struct arena *mem, void (*release)(void *), void *arg)
{
	struct deferred *d = arena_take(mem, sizeof(*d));

	/* What is released at once must not be used any more: jump. */
	if (!d) {
		release(arg);
		arena_oom(mem);
	}
	d->release = release;
	d->arg = arg;
	d->next = mem->deferred;
	mem->deferred = d;
}

static void
free_part(void *mem)
{
	arena_free(mem);
}

struct arena *
arena_part(struct arena *mem, size_t first)
{
	struct arena *part = arena_new(first);

	if (!part)
		arena_oom(mem);
	arena_on_oom(part, mem->place);
	arena_defer(mem, free_part, part);
	return part;
}
