/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/router: the most literal path, its methods, and what a table must be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "web/router.h"

static int
handle(struct call *call)
{
	(void)call;
	return 0;
}

#define ROW(m, p, alias, op) \
	{ m, p, alias, ACCESS_USER, NULL, TX_READ, GROUP_MAIN, 0, \
	  &fields_none, &fields_none, 200, &fields_none, RATE_API, handle, \
	  op, "words" }

static const struct route rows[] = {
	ROW(GET, "/tasks", NULL, "list"),
	ROW(POST, "/tasks", NULL, "create"),
	ROW(GET, "/tasks/{id}", NULL, "get"),
	ROW(PUT, "/tasks/{id}", NULL, "put"),
	ROW(PATCH, "/tasks/{id}", NULL, "patch"),
	ROW(DELETE, "/tasks/{task}", NULL, "delete"),
	ROW(POST, "/tasks/order", NULL, "order"),
	ROW(PATCH, "/tasks/{id}/status", NULL, "status"),
	ROW(GET, "/tasks/{id}/{part}", NULL, "part"),
	ROW(GET, "/task_list", "GET /tasks", "alias"),
};
static const struct routes table = { rows, sizeof(rows) / sizeof(rows[0]) };

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
finds_rows(void **state)
{
	static const struct {
		const char *method, *path, *operation, *params[2];
	} want[] = {
		{ "GET", "/tasks", "list", { NULL, NULL } },
		{ "HEAD", "/tasks", "list", { NULL, NULL } },
		{ "POST", "/tasks", "create", { NULL, NULL } },
		{ "GET", "/tasks/7", "get", { "7", NULL } },
		{ "DELETE", "/tasks/a b", "delete", { "a b", NULL } },
		{ "POST", "/tasks/order", "order", { NULL, NULL } },
		{ "GET", "/tasks/orders", "get", { "orders", NULL } },
		{ "PATCH", "/tasks/7/status", "status", { "7", NULL } },
		{ "GET", "/tasks/7/8", "part", { "7", "8" } },
		{ "GET", "/task_list", "alias", { NULL, NULL } },
	};
	struct match match;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(router_match(&table, text_of(want[i].method),
		    text_of(want[i].path), *state, &match), 0);
		assert_string_equal(match.route->operation, want[i].operation);
		assert_int_equal(match.head,
		    strcmp(want[i].method, "HEAD") == 0);
		for (int k = 0; k < 2 && want[i].params[k]; k++)
			assert_true(text_is(match.params[k],
			    want[i].params[k]));
	}
}

static void
finds_nothing(void **state)
{
	static const char *const paths[] = {
		"/", "", "tasks", "/task", "/taskss", "/tasks/", "//tasks",
		"/tasks//", "/tasks/7/", "/Tasks", "/tasks/7/8/9", "/tasks//8",
		"/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7/8/9/1/2/3/4",
	};
	struct match match;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(router_match(&table, TEXT("GET"),
		    text_of(paths[i]), *state, &match), E_NOT_FOUND);
}

static void
tells_the_methods(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} want[] = {
		{ "DELETE", "/tasks", "GET, HEAD, OPTIONS, POST" },
		{ "GET", "/tasks/order", "OPTIONS, POST" },
		{ "HEAD", "/tasks/order", "OPTIONS, POST" },
		{ "POST", "/tasks/7", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT" },
		{ "get", "/tasks", "GET, HEAD, OPTIONS, POST" },
		{ "", "/task_list", "GET, HEAD, OPTIONS" },
	};
	struct match match;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(router_match(&table, text_of(want[i].method),
		    text_of(want[i].path), *state, &match), E_METHOD);
		assert_true(text_is(match.allow, want[i].allow));
		assert_null(match.route);
		assert_int_equal(router_match(&table, TEXT("OPTIONS"),
		    text_of(want[i].path), *state, &match), 0);
		assert_true(match.options);
		assert_null(match.route);
		assert_true(text_is(match.allow, want[i].allow));
	}
	assert_int_equal(router_match(&table, TEXT("OPTIONS"),
	    TEXT("/nowhere"), *state, &match), E_NOT_FOUND);
}

/* How many complaints one more row brings; they are printed, too. */
static int
check_with(struct route extra)
{
	struct route v[sizeof(rows) / sizeof(rows[0]) + 1];
	const struct routes routes = { v, table.n + 1 };

	memcpy(v, rows, sizeof(rows));
	v[table.n] = extra;
	return router_check(&routes);
}

static void
checks_a_table(void **state)
{
	static const struct field odd_rows[] = {
		{ .name = "x", .type = FIELD_ENUM },
	};
	static const struct fields odd = FIELDS("X", odd_rows, struct seen);
	const struct route good = ROW(GET, "/good", NULL, "good");
	struct route bad;

	(void)state;
	assert_int_equal(router_check(&table), 0);
	assert_int_equal(check_with(good), 0);
#define BAD(n, member, value) \
	bad = good, bad.member = (value), assert_int_equal(check_with(bad), n)
	BAD(1, path, NULL);
	BAD(1, path, "good");
	BAD(1, path, "/good/");
	BAD(1, path, "//good");
	BAD(1, path, "/go od");
	BAD(1, path, "/{}");
	BAD(1, path, "/{a");
	BAD(1, path, "/{a}/{b}/{c}");
	BAD(1, path, "/tasks/{other}");
	BAD(1, path, "/tasks");
	BAD(1, operation, "list");
	BAD(1, operation, NULL);
	BAD(1, summary, "");
	BAD(1, handler, NULL);
	BAD(1, body, NULL);
	BAD(1, reply, NULL);
	BAD(1, status, 0);
	BAD(1, flags, ROUTE_MERGE);
	BAD(1, canonical, "GET /nowhere");
	BAD(1, canonical, "PUT /tasks");
	BAD(1, canonical, "/tasks");
	BAD(1, canonical, "GET /task_list");
	BAD(1, query, &odd);
	BAD(1, method, METHOD__MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_the_methods, setup,
		    teardown),
		cmocka_unit_test(checks_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
