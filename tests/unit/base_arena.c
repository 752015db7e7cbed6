/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/arena: alignment, zeroes, releases, the jump when memory ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void
pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *mem = *state;
	unsigned char *p[200];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 200; i++) {
			size_t n = i * 7 % 97 + 1;

			p[i] = arena_alloc(mem, n);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			for (size_t j = 0; j < n; j++)
				assert_int_equal(p[i][j], 0);
			memset(p[i], (int)(i + 1) & 0xff, n);
		}
		for (size_t i = 0; i < 200; i++)
			for (size_t j = 0; j < i * 7 % 97 + 1; j++)
				assert_int_equal(p[i][j], (i + 1) & 0xff);
		arena_reset(mem);
	}
}

static void
large_pieces_do_not_end_the_block(void **state)
{
	struct arena *mem = *state;
	char *before = arena_alloc(mem, 16), *large, *after;

	large = arena_alloc(mem, 1 << 20);
	large[(1 << 20) - 1] = 1;
	after = arena_alloc(mem, 16);
	assert_true(after > before && after < before + 1024);
}

static void
the_first_block_is_kept(void **state)
{
	struct arena *mem = *state;
	char *first = arena_alloc(mem, 100), *more;

	for (int i = 0; i < 100; i++)
		more = arena_alloc(mem, 1000);
	assert_ptr_not_equal(first, more);
	arena_reset(mem);
	assert_ptr_equal(arena_alloc(mem, 100), first);
}

static void
copies_end_with_nul(void **state)
{
	struct arena *mem = *state;
	struct text t;

	assert_string_equal(arena_copy(mem, "abcdef", 3), "abc");
	assert_string_equal(arena_copy(mem, NULL, 0), "");
	t = arena_text(mem, (struct text){ "xyz", 2 });
	assert_int_equal(t.n, 2);
	assert_string_equal(t.s, "xy");
	assert_null(arena_text(mem, TEXT_NONE).s);
	assert_non_null(arena_text(mem, TEXT("")).s);
	assert_string_equal(arena_printf(mem, "%d-%s", 42, "x"), "42-x");
	assert_int_equal(strlen(arena_printf(mem, "%5000d", 1)), 5000);
}

static int calls[8], n_calls;

static void
note(void *arg)
{
	calls[n_calls++] = (int)(intptr_t)arg;
}

static void
releases_run_newest_first_and_once(void **state)
{
	struct arena *mem = *state;

	n_calls = 0;
	for (intptr_t i = 1; i <= 3; i++)
		arena_defer(mem, note, (void *)i);
	assert_int_equal(n_calls, 0);
	arena_reset(mem);
	assert_int_equal(n_calls, 3);
	assert_int_equal(calls[0], 3);
	assert_int_equal(calls[1], 2);
	assert_int_equal(calls[2], 1);
	arena_reset(mem);
	assert_int_equal(n_calls, 3);
}

static void
free_runs_releases(void **state)
{
	struct arena *mem = arena_new(64);

	(void)state;
	n_calls = 0;
	arena_defer(mem, note, (void *)(intptr_t)7);
	arena_free(mem);
	assert_int_equal(n_calls, 1);
	arena_free(NULL);
}

static void
a_failed_allocation_jumps(void **state)
{
	struct arena *mem = *state;
	volatile int jumps = 0;
	jmp_buf place;

	arena_on_oom(mem, &place);
	if (setjmp(place) == 0)
		arena_alloc(mem, SIZE_MAX / 2);
	else
		jumps++;
	if (setjmp(place) == 0)
		arena_array(mem, SIZE_MAX / 8, 16);
	else
		jumps++;
	if (setjmp(place) == 0)
		arena_copy(mem, "", SIZE_MAX);
	else
		jumps++;
	if (setjmp(place) == 0)
		arena_oom(mem);
	else
		jumps++;
	assert_int_equal(jumps, 4);
	/* and goes on working */
	assert_non_null(arena_alloc(mem, 10));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(pieces_are_zeroed_aligned_and_apart),
		CASE(large_pieces_do_not_end_the_block),
		CASE(the_first_block_is_kept),
		CASE(copies_end_with_nul),
		CASE(releases_run_newest_first_and_once),
		CASE(free_runs_releases),
		CASE(a_failed_allocation_jumps),
	};

	return cmocka_run_group_tests_name("base_arena", tests, NULL, NULL);
}
