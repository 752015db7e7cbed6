/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Words without a route, and routes without words, stop a start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "api/api.h"
#include "api/operations.h"

#define ROWS_MAX 256

/* The service's own table, to be spoilt. */
static struct route rows[ROWS_MAX];

static struct routes
copy(void)
{
	assert_true(api_routes.n < ROWS_MAX);
	memcpy(rows, api_routes.v, api_routes.n * sizeof(rows[0]));
	return (struct routes){ rows, api_routes.n };
}

static void
test_the_tables_fit(void **state)
{
	(void)state;
	assert_int_equal(operations_check(&api_routes), 0);
}

static void
test_a_route_without_words(void **state)
{
	struct routes routes = copy();

	(void)state;
	rows[routes.n] = rows[0];
	rows[routes.n++].operation = "nobodyWroteOfIt";
	assert_int_equal(operations_check(&routes), 1);
}

/* The first row has words, and examples: all of them are of no route now. */
static void
test_words_without_a_route(void **state)
{
	struct routes routes = copy();

	(void)state;
	routes.v++;
	routes.n--;
	assert_true(operations_check(&routes) >= 2);
}

static void
test_an_alias_has_its_canonical_rows_words(void **state)
{
	const struct operation *canonical = NULL, *alias = NULL;

	(void)state;
	for (size_t i = 0; i < api_routes.n; i++) {
		const struct route *r = &api_routes.v[i];

		if (strcmp(r->operation, "createTask") == 0)
			canonical = operation_of(&api_routes, r);
		if (strcmp(r->operation, "createTaskS0") == 0)
			alias = operation_of(&api_routes, r);
	}
	assert_non_null(canonical);
	assert_ptr_equal(alias, canonical);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_tables_fit),
		cmocka_unit_test(test_a_route_without_words),
		cmocka_unit_test(test_words_without_a_route),
		cmocka_unit_test(test_an_alias_has_its_canonical_rows_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
