/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Ranks: strictly between, for any sequence of moves, and short. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/rank.h"

#define MOVES 10000

static struct arena *mem;
static uint64_t seed = 88172645463325252u;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(1 << 20);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

/* xorshift64: the same run every time. */
static size_t
below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static int
order(struct text a, struct text b)
{
	int r = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static struct text
number(unsigned n)
{
	return text_of(arena_printf(mem, "%010u", n));
}

/* A key between, with everything that a key must be. */
static struct text
between(struct text lo, struct text hi)
{
	struct text key;
	int r = rank_between(mem, lo, hi, &key);

	if (r)
		fail_msg("no key between %.*s and %.*s", TEXT_FMT(lo),
		    TEXT_FMT(hi));
	if ((lo.s && order(lo, key) >= 0) || (hi.s && order(key, hi) >= 0))
		fail_msg("%.*s is not between %.*s and %.*s", TEXT_FMT(key),
		    TEXT_FMT(lo), TEXT_FMT(hi));
	assert_true(key.n > RANK_DIGITS);
	assert_int_not_equal(key.s[key.n - 1], '0');
	assert_int_equal(key.s[key.n], '\0');
	return key;
}

static void
ends(void **state)
{
	struct text key, next;

	(void)state;
	key = between(TEXT_NONE, TEXT("0000000001"));
	between(TEXT_NONE, key);
	between(key, TEXT("0000000001"));
	/* Behind the last, yet in front of the task that comes next. */
	key = between(TEXT("0000000042"), TEXT_NONE);
	next = TEXT("0000000043");
	for (int i = 0; i < MOVES; i++) {
		assert_true(order(key, next) < 0);
		key = between(key, TEXT_NONE);
	}
	assert_true(key.n <= RANK_DIGITS + 8);
	between(TEXT("9999999999"), TEXT_NONE);
	between(TEXT_NONE, TEXT_NONE);
	arena_reset(mem);
}

static void
refusals(void **state)
{
	static const char *const rows[][2] = {
		{ "0000000001", "0000000001" }, { "0000000002", "0000000001" },
		{ "0000000001V", "0000000001" },
		{ "0000000001V", "0000000001V" },
		{ "0000000001V", "0000000001U" },
		{ "0000000001V", "0000000001V0" },
		{ "0000000001", "0000000001000" },
		{ "000000001", "0000000002" }, { "0000000001", "1" },
		{ "00000000-1", "0000000002" },
		{ "0000000001", "0000000001\xc3" }, { "", "0000000001" },
		{ NULL, "0000000000" },
	};
	struct text key, keys[2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text lo = text_of(rows[i][0]), hi = text_of(rows[i][1]);

		assert_int_equal(rank_between(mem, lo, hi, &key), -EINVAL);
		assert_int_equal(rank_spread(mem, lo, hi, 2, keys), -EINVAL);
	}
	arena_reset(mem);
}

/* Every move lands directly in front of the same task, or behind it. */
static size_t
one_place(struct text lo, struct text hi, bool right)
{
	size_t longest = 0;

	for (int i = 0; i < MOVES; i++) {
		struct text key = between(lo, hi);

		if (right)
			lo = key;
		else
			hi = key;
		if (key.n > longest)
			longest = key.n;
	}
	return longest;
}

static void
ten_thousand_into_one_gap(void **state)
{
	static const char *const gaps[][2] = {
		{ "0000000001", "0000000002" }, { NULL, "0000000001" },
		{ "0000000007", "0000000007V" },
		{ "0000000007V", "0000000007W" },
		{ "0000000007V", "0000000007V1" },
		{ "0000000007Vzz", "0000000007W" },
		{ "0000000007V35", "0000000007V36Q" },
		{ "0000000007zzzz", "0000000009" },
		{ "0000000007", "000000000700001" },
		{ "0000000007V", "0000000007V000Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		struct text lo = text_of(gaps[i][0]), hi = text_of(gaps[i][1]);
		size_t left = one_place(lo, hi, false);
		size_t right = one_place(lo, hi, true);

		print_message("rank: %s..%s left %zu, right %zu characters\n",
		    lo.s ? lo.s : "", hi.s, left, right);
		assert_true(left <= 24 && right <= 24);
		arena_reset(mem);
	}
}

/* The worst case: each move into the gap the last one made, either side. */
static void
zigzag(void **state)
{
	struct text lo = number(1), hi = number(2);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct text key = between(lo, hi);

		if (i % 2)
			lo = key;
		else
			hi = key;
	}
	print_message("rank: zigzag of 3000: %zu characters\n", lo.n);
	assert_true(lo.n < 600);
	arena_reset(mem);
}

/* Tasks 1..20 and 10,000 moves of random tasks to random places. */
static void
random_moves(void **state)
{
	enum { TASKS = 20 };
	struct text list[TASKS];
	size_t longest = 0;

	(void)state;
	for (unsigned i = 0; i < TASKS; i++)
		list[i] = number(i + 1);
	for (int i = 0; i < MOVES; i++) {
		size_t from = below(TASKS), to = below(TASKS);
		struct text key;

		memmove(list + from, list + from + 1,
		    (TASKS - 1 - from) * sizeof(*list));
		key = between(to > 0 ? list[to - 1] : TEXT_NONE,
		    to < TASKS - 1 ? list[to] : TEXT_NONE);
		memmove(list + to + 1, list + to,
		    (TASKS - 1 - to) * sizeof(*list));
		list[to] = key;
		for (size_t j = 1; j < TASKS; j++)
			assert_true(order(list[j - 1], list[j]) < 0);
		if (key.n > longest)
			longest = key.n;
	}
	print_message("rank: random moves: %zu characters at most\n", longest);
	arena_reset(mem);
}

/* A growing list, every new one at a random place. */
static void
random_insertions(void **state)
{
	enum { TASKS = 5000 };
	struct text *list = arena_array(mem, TASKS + 2, sizeof(*list));
	size_t n = 2, longest = 0;

	(void)state;
	list[0] = number(1);
	list[1] = number(2);
	while (n < TASKS) {
		size_t at = 1 + below(n - 1);
		struct text key = between(list[at - 1], list[at]);

		memmove(list + at + 1, list + at, (n - at) * sizeof(*list));
		list[at] = key;
		n++;
		if (key.n > longest)
			longest = key.n;
	}
	for (size_t i = 1; i < n; i++)
		assert_true(order(list[i - 1], list[i]) < 0);
	print_message("rank: random insertions: %zu characters at most\n",
	    longest);
	assert_true(longest < 40);
	arena_reset(mem);
}

static void
spread(void **state)
{
	static const char *const gaps[][2] = {
		{ "0000000001", "0000000002" }, { NULL, "0000000001" },
		{ "0000000005", NULL }, { "0000000007V", "0000000007W" },
		{ "0000000007V35", "0000000007V36Q" },
		{ "0000000007zzzzzzzzzzzzzzzzzz", "0000000008" },
		{ "0000000007azzzzzzzzzzzzzzzz", "0000000007b" },
		{ "0000000007", "00000000070000000000000001" },
		{ "0000000007V", "0000000007V0000000000000001" },
		{ "0000000007Vabcdefghijklmnop", "0000000007Vabcdefghijklmnoq" },
	};
	static const size_t sizes[] = { 0, 1, 2, 29, 30, 31, 61, 62, 1000,
		20000 };
	struct text *keys = calloc(20000, sizeof(*keys));

	(void)state;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		for (size_t j = 0; j < 10; j++) {
			struct text lo = text_of(gaps[i][0]);
			struct text hi = text_of(gaps[i][1]);
			size_t n = sizes[j];

			assert_int_equal(rank_spread(mem, lo, hi, n, keys), 0);
			for (size_t k = 0; k < n; k++) {
				struct text key = keys[k];

				assert_true(key.n > RANK_DIGITS);
				assert_int_not_equal(key.s[key.n - 1], '0');
				if (k > 0)
					lo = keys[k - 1];
				if (lo.s)
					assert_true(order(lo, key) < 0);
				if (hi.s)
					assert_true(order(key, hi) < 0);
			}
			arena_reset(mem);
		}
	}
	assert_int_equal(rank_spread(mem, number(1), number(2), 30, keys), 0);
	assert_int_equal(keys[29].n, RANK_DIGITS + 1);
	assert_int_equal(rank_spread(mem, number(1), number(2), 1000, keys),
	    0);
	assert_int_equal(keys[999].n, RANK_DIGITS + 2);
	free(keys);
	arena_reset(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(refusals),
		cmocka_unit_test(ten_thousand_into_one_gap),
		cmocka_unit_test(zigzag),
		cmocka_unit_test(random_moves),
		cmocka_unit_test(random_insertions),
		cmocka_unit_test(spread),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
