/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: an export is one pass in order, whatever the planner knows. */
#include "lib/store_fixture.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/export.h"

#define TASKS 30000
#define PART 500

static struct principal owner, other;

/* One user has half of the tasks, here and there in the table: whoever wants
 * all of them in order does best to read the table and sort. */
static int
fill(void **state)
{
	if (fixture_start(state))
		return -1;
	owner = fixture_user("user");
	other = fixture_user("user");
	fixture_sql("ALTER TABLE docket.tasks SET (autovacuum_enabled = off);"
	    "INSERT INTO docket.tasks (user_id, id, number, title, priority,"
	    " position, created_at, updated_at) SELECT u.id::uuid,"
	    " gen_random_uuid(), g, CASE WHEN g = 1 THEN 'needle' ELSE 'hay'"
	    " END, 0, lpad((g * 7919 %% %d)::text, 10, '0'), now(), now()"
	    " FROM generate_series(1, %d) g, (VALUES ('%s'), ('%s')) u(id)"
	    " ORDER BY md5(g || u.id)", TASKS, TASKS,
	    fixture_uuid(&owner.user_id), fixture_uuid(&other.user_id));
	return 0;
}

static struct task_filter
any(void)
{
	return (struct task_filter){
		.priority = INT_NONE,
		.due_before = TIME_NONE, .due_after = TIME_NONE,
		.created_before = TIME_NONE, .created_after = TIME_NONE,
		.updated_before = TIME_NONE, .updated_after = TIME_NONE,
	};
}

static int
begin(struct db *on, bool console, const struct task_filter *filter)
{
	return console ? store_console_export_begin(on, mem, &owner.user_id) :
	    store_export_begin(on, mem, &owner, filter, 1);
}

#define READ_ROWS "SELECT (seq_tup_read + COALESCE(idx_tup_fetch, 0))" \
	"::bigint AS v FROM pg_stat_user_tables WHERE relname = 'tasks'"

/* Rows of tasks that the first part reads. */
static int64_t
cost(bool console, const struct task_filter *filter)
{
	struct db *own = fixture_connect();
	int64_t before = fixture_int(READ_ROWS);
	struct list part;
	bool more;

	assert_int_equal(begin(own, console, filter), 0);
	assert_int_equal(store_export_next(own, mem, &part, &more), 0);
	assert_true(more);
	db_rollback(own);
	/* A backend hands in its statistics when it goes. */
	db_free(own);
	for (int i = 0; i < 200 && fixture_int(READ_ROWS) == before; i++)
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	return fixture_int(READ_ROWS) - before;
}

static void
a_part_reads_what_it_hands_out(void **state)
{
	struct task_filter f = any(), rare = any();

	(void)state;
	rare.q = TEXT("needle");
	for (int analyzed = 0; analyzed < 2; analyzed++) {
		for (int console = 0; console < 2; console++)
			assert_in_range(cost(console, &f), PART, PART + 1);
		assert_in_range(cost(false, &rare), PART, PART + 1);
		fixture_sql("ANALYZE docket.tasks");
	}
}

/* How many tasks come, each behind the one before. */
static size_t
all(bool console, const struct task_filter *filter)
{
	char last[64] = "";
	size_t n = 0;
	bool more = true;

	assert_int_equal(begin(db, console, filter), 0);
	while (more) {
		const struct task *t;
		struct list part;

		assert_int_equal(store_export_next(db, mem, &part, &more), 0);
		t = part.v;
		for (size_t i = 0; i < part.n; i++, n++) {
			char at[64] = "";

			memcpy(at, t[i].position.s, t[i].position.n);
			assert_true(strcmp(last, at) < 0);
			memcpy(last, at, sizeof(last));
		}
	}
	db_rollback(db);
	return n;
}

static void
all_of_them_in_order(void **state)
{
	struct task_filter f = any(), rare = any();

	(void)state;
	rare.q = TEXT("needle");
	assert_int_equal(all(false, &f), TASKS);
	assert_int_equal(all(true, &f), TASKS);
	assert_int_equal(all(false, &rare), 1);
}

/* As behind PgBouncer in transaction mode. */
static void
nothing_need_be_prepared(void **state)
{
	const struct db_config config = {
		.dsn = fixture_dsn("docket_api", "docket"),
		.application = "test", .sets = store_statements,
		.n_sets = store_statements_n, .prepared = false,
		.deadline_ms = 5000,
	};
	struct task_filter f = any();
	struct db *kept = db, *own = db_new(&config);

	(void)state;
	assert_non_null(own);
	assert_int_equal(db_connect(own, 60000), 0);
	db = own;
	assert_int_equal(all(false, &f), TASKS);
	assert_int_equal(all(true, &f), TASKS);
	db = kept;
	db_free(own);
}

/* The transaction's end is the cursor's, so the next may have its name. */
static void
one_after_the_other(void **state)
{
	struct task_filter f = any();
	struct list part;
	bool more;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(begin(db, i % 2, &f), 0);
		assert_int_equal(store_export_next(db, mem, &part, &more), 0);
		assert_int_equal(part.n, PART);
		db_rollback(db);
	}
	assert_int_not_equal(store_export_next(db, mem, &part, &more), 0);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_part_reads_what_it_hands_out),
		CASE(all_of_them_in_order),
		CASE(nothing_need_be_prepared),
		CASE(one_after_the_other),
	};

	return cmocka_run_group_tests(tests, fill, fixture_stop);
}
