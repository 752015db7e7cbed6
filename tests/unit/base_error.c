/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/error: every answer has its row, and rows keep the table's promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

static void
numbers_find_their_rows(void **state)
{
	(void)state;
	assert_string_equal(error_row(E_TASK)->name, "E_TASK");
	assert_string_equal(error_row(E_TASK)->code, "task_not_found");
	assert_int_equal(error_row(E_TASK)->status, 404);
	assert_string_equal(error_row(E_BUSY)->name, "E_BUSY");
	assert_string_equal(error_row(E__MAX - 1)->name, "E_NONE");
	assert_string_equal(error_row(1)->name, "E_BAD_REQUEST");
}

static void
faults_are_internal(void **state)
{
	(void)state;
	assert_int_equal(error_row(-EIO)->status, 500);
	assert_string_equal(error_row(-EIO)->name, "E_INTERNAL");
	assert_string_equal(error_row(E__MAX)->name, "E_INTERNAL");
	assert_string_equal(error_row(0)->name, "E_INTERNAL");
	assert_string_equal(error_row(-ENOMEM)->name, "E_MEMORY");
	assert_int_equal(error_row(-ENOMEM)->status, 503);
}

static void
rows_are_well_formed(void **state)
{
	(void)state;
	for (int i = 1; i < E__MAX; i++) {
		const struct error_row *row = error_row(i);

		assert_true(row->status >= 400 && row->status < 600);
		assert_true(row->title[0] && row->oauth[0]);
		assert_int_equal(row->detail[strlen(row->detail) - 1], '.');
		for (const char *p = row->code; *p; p++)
			assert_true(islower(*p) || *p == '_' || isdigit(*p));
	}
}

static void
codes_are_unique(void **state)
{
	(void)state;
	for (int i = 1; i < E__MAX; i++)
		for (int j = i + 1; j < E__MAX; j++)
			assert_string_not_equal(error_row(i)->code,
			    error_row(j)->code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_find_their_rows),
		cmocka_unit_test(faults_are_internal),
		cmocka_unit_test(rows_are_well_formed),
		cmocka_unit_test(codes_are_unique),
	};

	return cmocka_run_group_tests_name("base_error", tests, NULL, NULL);
}
