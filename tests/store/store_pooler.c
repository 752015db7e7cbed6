/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: what a connection does without once a pooler has shown itself. */
#include "lib/store_fixture.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/wire.h"

static const struct field row_fields[] = {
	{ .name = "v", .type = FIELD_INT, .offset = 0 },
};

static const struct fields row = FIELDS(NULL, row_fields, int64_t);

enum { KEPT, WRITE };

static const struct stmt statements[] = {
	[KEPT] = {
		"kept", "SELECT count(*) AS v FROM pg_prepared_statements",
		&row, false, false
	},
	[WRITE] = {
		"write", "INSERT INTO docket.attempts"
		" (kind, subject, window_start, n) VALUES ('login',"
		" sha256(random()::text::bytea), now(), 1) RETURNING n AS v",
		&row, false, true
	},
};

static const struct stmts set = {
	statements, sizeof(statements) / sizeof(statements[0])
};
static const struct stmts *const sets[] = { &set };

static struct db *
make(bool adapts)
{
	const struct db_config config = {
		.dsn = arena_printf(mem, "%s",
		    fixture_dsn("docket_api", "docket")),
		.application = "test", .sets = sets, .n_sets = 1,
		.prepared = true, .adapts = adapts, .deadline_ms = 5000,
	};
	struct db *made = db_new(&config);

	assert_non_null(made);
	assert_int_equal(db_connect(made, 60000), 0);
	return made;
}

static int
run(struct db *on, int which, int64_t *ret)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(on, mem, &statements[which], &none, &r);

	if (error == 0 && r.rows)
		*ret = *(const int64_t *)r.v;
	return error;
}

/* As if the next transaction went to another server. */
static void
forget(struct db *on)
{
	const char *why;

	assert_int_equal(db_script(on, "DEALLOCATE ALL", &why), 0);
}

static void
a_missing_statement_is_sent_as_text_and_done_once(void **state)
{
	const char *count = "SELECT count(*) FROM docket.attempts";
	struct db *on = make(true);
	int64_t n = -1, before;

	(void)state;
	assert_int_equal(run(on, KEPT, &n), 0);
	assert_int_equal(n, 2);
	forget(on);
	before = fixture_int("%s", count);
	assert_int_equal(run(on, WRITE, &n), 0);
	assert_int_equal(fixture_int("%s", count), before + 1);
	assert_int_equal(run(on, KEPT, &n), 0);
	assert_int_equal(n, 0);
	db_free(on);
}

static void
in_a_transaction_it_is_the_databases_state(void **state)
{
	struct db *on = make(true);
	int64_t n = -1;

	(void)state;
	forget(on);
	assert_int_equal(db_begin(on), 0);
	assert_int_equal(run(on, WRITE, &n), E_DATABASE);
	db_rollback(on);
	assert_true(db_ready(on));
	assert_int_equal(db_begin(on), 0);
	assert_int_equal(run(on, WRITE, &n), 0);
	assert_int_equal(db_commit(on), 0);
	db_free(on);
}

static void
who_wants_them_kept_is_told(void **state)
{
	struct db *on = make(false);
	int64_t n = -1;

	(void)state;
	forget(on);
	assert_int_equal(run(on, KEPT, &n), -EIO);
	db_free(on);
}

static const char *
options(bool bare, const char *theirs)
{
	const struct db on = { .config = {
		.deadline_ms = 1000, .statement_ms = 600, .lock_ms = 70,
		.bare = bare } };
	char *out = arena_alloc(mem, 512);

	pooler_options(&on, theirs, out, 512);
	return out;
}

static void
where_there_are_no_options_not_a_blank_is_sent(void **state)
{
	(void)state;
	assert_string_equal(options(true, NULL), "");
	assert_string_equal(options(true, "-c a=b"), "-c a=b");
	assert_non_null(strstr(options(false, NULL),
	    "-c statement_timeout=600 "));
	assert_non_null(strstr(options(false, NULL), "-c lock_timeout=70 "));
	assert_non_null(strstr(options(false, "-c a=b"), "=4000 -c a=b"));
}

static void
a_refusal_is_learnt_once(void **state)
{
	struct db on = { .config = { .application = "test", .prepared = true,
	    .adapts = true } };

	(void)state;
	assert_false(pooler_refuses_options(&on, "no such user"));
	assert_true(on.config.prepared && !on.config.bare);
	assert_true(pooler_refuses_options(&on,
	    "FATAL:  unsupported startup parameter: options"));
	assert_true(on.config.bare && !on.config.prepared);
	assert_false(pooler_refuses_options(&on,
	    "FATAL:  unsupported startup parameter: options"));
	/* `on` is believed: it goes without the options alone. */
	on.config = (struct db_config){ .application = "test",
	    .prepared = true };
	assert_true(pooler_refuses_options(&on,
	    "FATAL:  unsupported startup parameter in options: x"));
	assert_true(on.config.bare && on.config.prepared);
	assert_false(pooler_lost_statement(&on, "26000"));
	on.config.adapts = true;
	assert_false(pooler_lost_statement(&on, "42601"));
	assert_true(pooler_lost_statement(&on, "42P05"));
	assert_false(on.config.prepared);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_missing_statement_is_sent_as_text_and_done_once),
		CASE(in_a_transaction_it_is_the_databases_state),
		CASE(who_wants_them_kept_is_told),
		CASE(where_there_are_no_options_not_a_blank_is_sent),
		CASE(a_refusal_is_learnt_once),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
