/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Back-off: its bounds, its spread, what the other side asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "courier/retry.h"

#define ALL UINT32_MAX
#define LONG_LIFE INT64_C(600000)

static void
doubles_up_to_its_most(void **state)
{
	static const int64_t most[] = {
		1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
	};

	(void)state;
	for (int i = 0; i < 8; i++) {
		assert_int_equal(retry_ms(i + 1, 0, LONG_LIFE, ALL),
		    most[i] - 1);
		assert_int_equal(retry_ms(i + 1, 0, LONG_LIFE, ALL / 2 + 1),
		    most[i] / 2);
		assert_int_equal(retry_ms(i + 1, 0, LONG_LIFE, 0),
		    RETRY_LEAST_MS);
	}
	assert_int_equal(retry_ms(1000000, 0, LONG_LIFE, ALL), 29999);
	assert_int_equal(retry_ms(0, 0, LONG_LIFE, ALL), 999);
}

/* Any instant of the span is as good as another. */
static void
spreads_over_the_whole_span(void **state)
{
	int tenths[10] = { 0 };
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		random = random * 1664525u + 1013904223u;
		tenths[retry_ms(5, 0, LONG_LIFE, random) / 1600]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 850, 1150);
}

static void
never_after_the_code(void **state)
{
	(void)state;
	for (uint32_t r = 0; r < ALL - 1000003; r += 1000003) {
		int64_t ms = retry_ms(6, 0, 700, r);

		assert_in_range(ms, RETRY_LEAST_MS, 699);
	}
	assert_int_equal(retry_ms(1, 0, RETRY_LEAST_MS, ALL), RETRY_NEVER);
	assert_int_equal(retry_ms(1, 0, 0, ALL), RETRY_NEVER);
	assert_int_equal(retry_ms(1, 0, -5000, ALL), RETRY_NEVER);
}

static void
waits_as_long_as_it_is_asked(void **state)
{
	(void)state;
	assert_int_equal(retry_ms(1, 20, 60000, 0), 20000);
	assert_int_equal(retry_ms(9, 20, 60000, ALL), 21999);
	assert_int_equal(retry_ms(1, 60, 60000, 0), RETRY_NEVER);
	assert_int_equal(retry_ms(1, 59, 60000, ALL), RETRY_NEVER);
	assert_int_equal(retry_ms(1, 86400, 60000, 0), RETRY_NEVER);
	assert_int_equal(retry_ms(1, INT32_MAX, 60000, ALL), RETRY_NEVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_its_most),
		cmocka_unit_test(spreads_over_the_whole_span),
		cmocka_unit_test(never_after_the_code),
		cmocka_unit_test(waits_as_long_as_it_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
