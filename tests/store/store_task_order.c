/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: sequences and moves, also when many come at once. */
#include "lib/store_fixture.h"

#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "store/tasks.h"

/* A stand-in for core/rank: the digit in the middle, or one digit more. */
static const char digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int
value(struct text t, size_t i)
{
	return i < t.n ? (int)(strchr(digits, t.s[i]) - digits) : 0;
}

static int
between(struct arena *m, struct text lo, struct text hi, struct text *ret)
{
	size_t cap = (lo.n > hi.n ? lo.n : hi.n) + 2;
	char *key = arena_alloc(m, cap + 1);
	bool free = !hi.s;

	for (size_t i = 0; i < cap; i++) {
		int a = value(lo, i), b = free ? 62 : value(hi, i);

		if (b - a > 1) {
			key[i] = digits[a + (b - a) / 2];
			*ret = (struct text){ key, i + 1 };
			return 0;
		}
		key[i] = digits[a];
		if (b == a + 1)
			free = true;
		else if (b < a)
			return -EINVAL;
	}
	return -EINVAL;
}

/* Halving, which gives longer keys than core/rank's even spread. */
static int
spread(struct arena *m, struct text lo, struct text hi, size_t n,
    struct text *ret)
{
	size_t half = n / 2;
	int error;

	if (n == 0)
		return 0;
	error = between(m, lo, hi, &ret[half]);
	if (error == 0)
		error = spread(m, lo, ret[half], half, ret);
	if (error == 0)
		error = spread(m, ret[half], hi, n - half - 1, ret + half + 1);
	return error;
}

static const struct task_ranks ranks = { between, spread };

#define TASKS 8

struct board {
	struct principal who;
	struct uuid ids[TASKS];
};

static void
new_board(struct board *ret)
{
	ret->who = fixture_user("user");
	for (size_t i = 0; i < TASKS; i++) {
		struct new_task in = {
			.title = text_of(arena_printf(mem, "%c",
			    'a' + (int)i)),
			.due_at = TIME_NONE,
		};
		struct task out;

		assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
		ret->ids[i] = in.id;
		assert_int_equal(store_task_insert(db, mem, &ret->who, &in,
		    &out), 0);
	}
}

static struct text
board_order(const struct board *b)
{
	return fixture_text("SELECT string_agg(title, '' ORDER BY position)"
	    " AS v FROM docket.tasks WHERE user_id = '%s'",
	    fixture_uuid(&b->who.user_id));
}

static void
some_tasks_take_the_sequence_in_their_places(void **state)
{
	struct board b;
	struct uuid ids[3];
	size_t n;

	(void)state;
	new_board(&b);
	ids[0] = b.ids[6];
	ids[1] = b.ids[1];
	ids[2] = b.ids[3];
	assert_int_equal(order_ids(db, mem, &b.who, ids, 3, &n), 0);
	assert_int_equal(n, 3);
	assert_true(text_is(board_order(&b), "agcbefdh"));
	/* By number too; again: nothing to do, nothing done. */
	assert_int_equal(store_task_order(db, mem, &b.who, (struct texts){
	    (struct text[]){ TEXT("7"), TEXT("2"), TEXT("4") }, 3 }, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(order_ids(db, mem, &b.who, ids, 3, &n), 0);
	assert_int_equal(fixture_int("SELECT max(version) AS v FROM"
	    " docket.tasks WHERE user_id = '%s'",
	    fixture_uuid(&b.who.user_id)), 2);
}

static void
one_stranger_among_them_moves_nothing(void **state)
{
	struct board b, other;
	struct uuid ids[3];
	size_t n;

	(void)state;
	new_board(&b);
	new_board(&other);
	ids[0] = b.ids[2];
	ids[1] = other.ids[0];
	ids[2] = b.ids[0];
	assert_int_equal(order_ids(db, mem, &b.who, ids, 3, &n),
	    E_TASK);
	ids[1] = b.ids[2];
	assert_int_equal(order_ids(db, mem, &b.who, ids, 3, &n),
	    E_INVALID);
	assert_true(text_is(board_order(&b), "abcdefgh"));
	assert_true(text_is(board_order(&other), "abcdefgh"));
}

/* Each caller its own permutation, overlapping the others'. */
static void
one_order(struct caller *caller)
{
	const struct board *b = caller->arg;
	struct uuid ids[TASKS];
	size_t n, count = 3 + caller->i % (TASKS - 2);

	for (int round = 0; round < 20 && caller->result == 0; round++) {
		for (size_t k = 0; k < count; k++)
			ids[k] = b->ids[(k * (caller->i % 2 ? 3 : 5) +
			    caller->i + (size_t)round) % TASKS];
		caller->result = order_ids(caller->db, caller->mem,
		    &b->who, ids, count, &n);
		arena_reset(caller->mem);
	}
}

static void
parallel_sequences_leave_a_permutation(void **state)
{
	struct caller *callers = fixture_callers(16);
	struct board b;

	(void)state;
	new_board(&b);
	fixture_parallel(callers, 16, one_order, &b);
	assert_int_equal(fixture_count(callers, 16, 0), 16);
	assert_true(text_is(fixture_text("SELECT string_agg(position, ' '"
	    " ORDER BY position) AS v FROM docket.tasks WHERE user_id = '%s'",
	    fixture_uuid(&b.who.user_id)),
	    "0000000001 0000000002 0000000003 0000000004 0000000005"
	    " 0000000006 0000000007 0000000008"));
	fixture_callers_free(callers, 16);
}

static int
move(const struct board *b, size_t from, size_t anchor, bool after)
{
	const struct task_ref ref = { b->ids[from], INT_NONE };
	const struct task_ref to = { .number = (int64_t)anchor + 1 };
	struct task t;
	int error = store_task_move(db, mem, &b->who, &ref, &to, after,
	    &ranks, &t);

	assert_false(db_in_transaction(db));
	if (error == 0)
		assert_true(uuid_equal(&t.id, &b->ids[from]));
	return error;
}

static void
a_task_moves_before_or_after_another(void **state)
{
	struct board b;

	(void)state;
	new_board(&b);
	assert_int_equal(move(&b, 7, 0, false), 0);
	assert_true(text_is(board_order(&b), "habcdefg"));
	assert_int_equal(move(&b, 0, 6, true), 0);
	assert_true(text_is(board_order(&b), "hbcdefga"));
	assert_int_equal(move(&b, 3, 2, true), 0);
	assert_true(text_is(board_order(&b), "hbcdefga"));
	assert_int_equal(move(&b, 3, 3, false), 0);
	assert_int_equal(move(&b, 5, 2, false), 0);
	assert_true(text_is(board_order(&b), "hbfcdega"));
	assert_int_equal(move(&b, 5, TASKS, false), E_TASK);
}

static void
one_move(struct caller *caller)
{
	const struct board *b = caller->arg;
	struct task t;

	for (size_t round = 0; round < 20 && caller->result == 0; round++) {
		const struct task_ref ref = {
			b->ids[(caller->i + round) % TASKS], INT_NONE
		};
		const struct task_ref to = {
			b->ids[(caller->i * 3 + round * 5) % TASKS], INT_NONE
		};

		caller->result = store_task_move(caller->db, caller->mem,
		    &b->who, &ref, &to, round % 2, &ranks, &t);
		arena_reset(caller->mem);
	}
}

static void
parallel_moves_never_share_a_place(void **state)
{
	struct caller *callers = fixture_callers(16);
	struct board b;

	(void)state;
	new_board(&b);
	fixture_parallel(callers, 16, one_move, &b);
	assert_int_equal(fixture_count(callers, 16, 0), 16);
	assert_int_equal(fixture_int("SELECT count(DISTINCT position) AS v"
	    " FROM docket.tasks WHERE user_id = '%s'",
	    fixture_uuid(&b.who.user_id)), TASKS);
	fixture_callers_free(callers, 16);
}

static void
thousands_of_moves_into_one_gap_stay_right(void **state)
{
	struct board b;

	(void)state;
	new_board(&b);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(move(&b, i % 2 ? 5 : 6, 0, true), 0);
		if (i % 100 == 0)
			arena_reset(mem);
	}
	assert_true(text_is(board_order(&b), "afgbcdeh"));
	assert_true(fixture_int("SELECT max(length(position))::bigint AS v"
	    " FROM docket.tasks WHERE user_id = '%s'",
	    fixture_uuid(&b.who.user_id)) <= 120);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(some_tasks_take_the_sequence_in_their_places),
		CASE(one_stranger_among_them_moves_nothing),
		CASE(parallel_sequences_leave_a_permutation),
		CASE(a_task_moves_before_or_after_another),
		CASE(parallel_moves_never_share_a_place),
		CASE(thousands_of_moves_into_one_gap_stay_right),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
