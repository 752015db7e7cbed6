/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The walk's rows fit the routes; one that would not is told and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "api/api.h"
#include "api/walk.h"

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

static struct route *
row(const struct routes *routes, const char *operation)
{
	for (size_t i = 0; i < routes->n; i++)
		if (strcmp(rows[i].operation, operation) == 0)
			return &rows[i];
	fail_msg("no route %s", operation);
	return NULL;
}

/* Both say the same of a table. */
static int
faults_of(const struct routes *routes)
{
	struct buf http = { 0 }, postman = { 0 };
	const int faults = walk_print_http(&http, routes);

	assert_int_equal(walk_print_postman(&postman, routes), faults);
	assert_false(http.failed || postman.failed);
	assert_true(http.n > 0 && postman.n > 0);
	buf_done(&http);
	buf_done(&postman);
	return faults;
}

static void
test_the_tables_fit(void **state)
{
	(void)state;
	assert_int_equal(faults_of(&api_routes), 0);
}

static void
test_an_operation_that_has_gone(void **state)
{
	const struct routes routes = copy();

	(void)state;
	row(&routes, "getProfile")->operation = "getSomethingElse";
	assert_int_equal(faults_of(&routes), 1);
}

/* title, description, status, priority, due_date, tags; then title alone. */
static void
test_members_that_the_body_has_not(void **state)
{
	const struct routes routes = copy();

	(void)state;
	row(&routes, "createTask")->body = &fields_none;
	assert_int_equal(faults_of(&routes), 7);
}

static void
test_a_member_without_an_example(void **state)
{
	static struct field spoilt[64];
	static struct fields body;
	const struct routes routes = copy();
	struct route *create = row(&routes, "createApiKey");

	(void)state;
	body = *create->body;
	memcpy(spoilt, body.v, body.n * sizeof(spoilt[0]));
	for (size_t i = 0; i < body.n; i++)
		spoilt[i].example = NULL;
	body.v = spoilt;
	create->body = &body;
	assert_int_equal(faults_of(&routes), 2);
}

/* The token of admins comes in the last section. */
static void
test_a_token_that_nobody_has_yet(void **state)
{
	const struct routes routes = copy();

	(void)state;
	row(&routes, "getProfile")->access = ACCESS_ADMIN;
	assert_int_equal(faults_of(&routes), 1);
}

static void
test_lists_are_read_apart(void **state)
{
	const char *list = "a=1|b|c=x=y|";
	struct text one, name, value;

	(void)state;
	assert_true(walk_next(&list, '|', &one));
	walk_apart(one, &name, &value);
	assert_true(text_is(name, "a") && text_is(value, "1"));
	assert_true(walk_next(&list, '|', &one));
	walk_apart(one, &name, &value);
	assert_true(text_is(name, "b") && !value.s);
	assert_true(walk_next(&list, '|', &one));
	walk_apart(one, &name, &value);
	assert_true(text_is(name, "c") && text_is(value, "x=y"));
	assert_false(walk_next(&list, '|', &one));
}

static void
test_variables_are_found(void **state)
{
	const struct text in = TEXT("/a/{{one}}/{{two}}b{{three");
	struct text before, name;
	size_t at = 0;

	(void)state;
	assert_true(walk_variable_next(in, &at, &before, &name));
	assert_true(text_is(before, "/a/") && text_is(name, "one"));
	assert_true(walk_variable_next(in, &at, &before, &name));
	assert_true(text_is(before, "/") && text_is(name, "two"));
	assert_false(walk_variable_next(in, &at, &before, &name));
	assert_true(text_is(before, "b{{three"));
}

/* A later log-in's token is that of what follows it. */
static void
test_the_latest_reply_counts(void **state)
{
	const struct walk_step *first = NULL, *last, *found;
	struct text path;

	(void)state;
	for (size_t at = 0; at <= walk_n_steps && !first; at++)
		first = walk_taker(TEXT("token"), at, &path);
	assert_non_null(first);
	assert_string_equal(first->name, "authenticateUser");
	assert_true(text_is(path, "access_token"));
	last = walk_taker(TEXT("token"), walk_n_steps, &path);
	assert_ptr_not_equal(first, last);
	found = walk_taker(TEXT("token"), (size_t)(last - walk_steps), &path);
	assert_ptr_not_equal(found, last);
	assert_null(walk_taker(TEXT("toke"), walk_n_steps, &path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_tables_fit),
		cmocka_unit_test(test_an_operation_that_has_gone),
		cmocka_unit_test(test_members_that_the_body_has_not),
		cmocka_unit_test(test_a_member_without_an_example),
		cmocka_unit_test(test_a_token_that_nobody_has_yet),
		cmocka_unit_test(test_lists_are_read_apart),
		cmocka_unit_test(test_variables_are_found),
		cmocka_unit_test(test_the_latest_reply_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
