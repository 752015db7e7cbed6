/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/bucket: how many pass, when the next does, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bucket.h"

#define SECOND INT64_C(1000000)

static const struct bucket_rule rule = { 600, 60 * SECOND };

static void
the_quota_passes_at_once_and_no_more(void **state)
{
	static const struct bucket_rule rules[] = {
		{ 1, SECOND }, { 1, 60 * SECOND }, { 7, 60 * SECOND },
		{ 600, 60 * SECOND }, { 10000000, 60 * SECOND },
		{ 999983, 60 * SECOND }, { SECOND, SECOND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct bucket b = { 0 };

		for (int64_t n = 1; n <= rules[i].quota; n++) {
			b = bucket_take(&rules[i], b.debt_us);
			if (!b.taken || b.left != rules[i].quota - n)
				fail_msg("rule %zu, request %lld: left %lld",
				    i, (long long)n, (long long)b.left);
		}
		b = bucket_take(&rules[i], b.debt_us);
		assert_false(b.taken);
		assert_int_equal(b.left, 0);
		assert_true(b.reset >= 1);
	}
}

static void
it_fills_evenly(void **state)
{
	struct bucket b = { 0 };

	(void)state;
	for (int i = 0; i < 600; i++)
		b = bucket_take(&rule, b.debt_us);
	/* One more each 100 ms, and not a microsecond before. */
	assert_false(bucket_take(&rule, b.debt_us - 99999).taken);
	assert_true(bucket_take(&rule, b.debt_us - 100000).taken);
	b = bucket_take(&rule, b.debt_us - 30 * SECOND);
	assert_int_equal(b.left, 299);
	/* A refusal costs nothing. */
	b = bucket_take(&rule, 60 * SECOND);
	assert_false(b.taken);
	assert_int_equal(b.debt_us, 60 * SECOND);
}

static void
what_is_told_holds(void **state)
{
	(void)state;
	for (int64_t debt = 0; debt <= 60 * SECOND; debt += 7919) {
		const struct bucket b = bucket_take(&rule, debt);
		const int64_t later = b.debt_us - b.reset * SECOND;

		assert_true(b.left >= 0 && b.left < 600);
		assert_true(b.reset >= 1 && b.reset <= 60);
		if (b.left == 0) {
			assert_true(bucket_take(&rule,
			    later > 0 ? later : 0).taken);
			assert_false(bucket_take(&rule, b.debt_us).taken);
			continue;
		}
		/* Full by then, and a second sooner it is not. */
		assert_true(later <= 0 && later > -SECOND);
		assert_true(b.taken);
	}
}

static void
the_window_is_told_in_seconds(void **state)
{
	const struct bucket_rule odd = { 3, 1500000 };

	(void)state;
	assert_int_equal(bucket_take(&rule, 0).window, 60);
	assert_int_equal(bucket_take(&odd, 0).window, 2);
	assert_int_equal(bucket_take(&odd, 0).quota, 3);
}

static void
what_is_no_debt_is_none(void **state)
{
	static const int64_t debts[] = {
		-1, INT64_MIN, INT64_MAX, 60 * SECOND + 1,
		(INT64_C(1) << 31), (INT64_C(1) << 32), INT64_C(1) << 40,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(debts) / sizeof(debts[0]); i++) {
		const struct bucket b = bucket_take(&rule, debts[i]);

		assert_true(b.taken);
		assert_int_equal(b.left, 599);
		assert_int_equal(b.debt_us, 100000);
	}
}

/* A rule that does not divide its window, and one that was tightened. */
static void
a_changed_rule_is_kept_to(void **state)
{
	const struct bucket_rule wide = { 10, 60 * SECOND };
	const struct bucket_rule narrow = { 7, 60 * SECOND };
	struct bucket b = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		b = bucket_take(&wide, b.debt_us);
	b = bucket_take(&narrow, b.debt_us);
	assert_false(b.taken);
	assert_int_equal(b.left, 0);
	assert_int_equal(b.reset, 9);
	assert_true(bucket_take(&narrow, b.debt_us - 9 * SECOND).taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quota_passes_at_once_and_no_more),
		cmocka_unit_test(it_fills_evenly),
		cmocka_unit_test(what_is_told_holds),
		cmocka_unit_test(the_window_is_told_in_seconds),
		cmocka_unit_test(what_is_no_debt_is_none),
		cmocka_unit_test(a_changed_rule_is_kept_to),
	};

	return cmocka_run_group_tests_name("base_bucket", tests, NULL, NULL);
}
