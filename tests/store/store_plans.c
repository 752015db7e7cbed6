/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: status updates stay HOT; no statement reads all the tasks. */
#include "lib/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto.h"
#include "store/gc.h"
#include "store/tasks.h"

/* 100 users with 100 tasks each. */
static int
fill(void **state)
{
	if (fixture_start(state))
		return -1;
	for (int i = 0; i < 100; i++)
		fixture_user("user");
	fixture_sql("INSERT INTO docket.tasks (user_id, id, number, title,"
	    " status, due_date, due_at, position, created_at, updated_at)"
	    " SELECT u.id, gen_random_uuid(), g, 'title ' || g, 'pending',"
	    " 'd', CASE WHEN g %% 2 = 0 THEN now() END,"
	    " lpad(g::text, 10, '0'), now(), now()"
	    " FROM docket.users u, generate_series(1, 100) g;"
	    "UPDATE docket.counters SET task_number = 100;");
	fixture_sql("VACUUM ANALYZE");
	return 0;
}

static void
status_updates_are_hot(void **state)
{
	struct db *own = fixture_connect();
	struct principal who = fixture_user("user");
	struct task_change change = {
		.set = TASK_STATUS, .to = { .due_at = TIME_NONE },
		.if_version = INT_NONE,
	};
	struct task_ref ref = { .number = 1 };
	struct new_task in = { .title = TEXT("t"), .due_at = TIME_NONE };
	struct task t;

	(void)state;
	fixture_sql("SELECT pg_stat_reset()");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
		assert_int_equal(store_task_insert(own, mem, &who, &in, &t),
		    0);
	}
	for (int i = 0; i < 1000; i++) {
		ref.number = 1 + i % 20;
		change.to.status = i % 2 ? TEXT("pending") :
		    TEXT("in_progress");
		assert_int_equal(store_task_update(own, mem, &who, &ref,
		    &change, &t), 0);
	}
	/* A backend hands in its statistics when it goes. */
	db_free(own);
	for (int i = 0; i < 100 && fixture_int("SELECT n_tup_upd AS v FROM"
	    " pg_stat_user_tables WHERE relname = 'tasks'") < 1000; i++)
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	assert_in_range(fixture_int("SELECT n_tup_hot_upd * 100 / n_tup_upd"
	    " AS v FROM pg_stat_user_tables WHERE relname = 'tasks'"),
	    95, 100);
}

static int
params_of(const char *sql)
{
	int most = 0;

	while ((sql = strchr(sql, '$')))
		if (atoi(++sql) > most)
			most = atoi(sql);
	return most;
}

/* One PREPARE and EXPLAIN EXECUTE a statement, as the API's role, which has
 * generic plans. */
static void
write_script(FILE *f)
{
	for (size_t i = 0; i < store_statements_n; i++)
		for (size_t k = 0; k < store_statements[i]->n; k++) {
			const struct stmt *s = &store_statements[i]->v[k];
			int n = params_of(s->sql);

			fprintf(f, "\\echo == %s\nPREPARE %s AS %s;\n"
			    "EXPLAIN (COSTS OFF) EXECUTE %s", s->name, s->name,
			    s->sql, s->name);
			for (int p = 0; p < n; p++)
				fprintf(f, "%sNULL", p ? ", " : " (");
			fprintf(f, "%s;\n", n ? ")" : "");
		}
}

/* These walk an index to the limit, whatever the planner thinks of filters. */
static bool
walks(const char *name)
{
	static const char *const sorts[] = { "position", "number", "created" };

	for (size_t i = 0; i < 3; i++)
		if (strncmp(name, "task_list_", 10) == 0 &&
		    strncmp(name + 10, sorts[i], strlen(sorts[i])) == 0)
			return true;
	return false;
}

static void
no_statement_reads_all_the_tasks(void **state)
{
	char script[160], plans[160], line[512], name[64] = "";
	int scans = 0, statements = 0;
	FILE *f;

	(void)state;
	snprintf(script, sizeof(script), "/tmp/plans.%d.sql", (int)getpid());
	snprintf(plans, sizeof(plans), "/tmp/plans.%d.txt", (int)getpid());
	f = fopen(script, "we");
	assert_non_null(f);
	write_script(f);
	fclose(f);
	assert_int_equal(fixture_shell("psql -X -q -v ON_ERROR_STOP=1"
	    " -d '%s' -f %s >%s", fixture_dsn("docket_api", "docket"), script,
	    plans), 0);
	f = fopen(plans, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		statements += sscanf(line, "== %63s", name) == 1;
		if (strstr(line, "Seq Scan on tasks") ||
		    (walks(name) && strstr(line, "Sort"))) {
			print_error("%s: %s", name, line);
			scans++;
		}
	}
	fclose(f);
	unlink(script);
	unlink(plans);
	assert_int_equal(scans, 0);
	assert_true(statements > 40);
}

static void
the_sweep_takes_what_has_served(void **state)
{
	struct principal who = fixture_user("user");
	const char *id = fixture_uuid(&who.user_id);
	struct gc_counts n;

	(void)state;
	fixture_sql("INSERT INTO docket.attempts VALUES"
	    " ('login', 'old', now() - interval '3 h', 1),"
	    " ('login', 'new', now(), 1);"
	    "INSERT INTO docket.lockouts VALUES"
	    " ('old', NULL, now() - interval '3 days', 1, NULL),"
	    " ('lock', NULL, now() - interval '3 days', 6, now()),"
	    " ('new', NULL, now(), 1, NULL);"
	    "INSERT INTO docket.idempotency VALUES"
	    " ('%s', 'old', '', '', 200, '', '', now() - interval '25 h'),"
	    " ('%s', 'new', '', '', 200, '', '', now());"
	    "UPDATE docket.sessions SET ended_at = now() - interval '31 days'"
	    " WHERE user_id = '%s';", id, id, id);
	assert_int_equal(store_gc(db, mem, 15552000, 30, &n), 0);
	assert_int_equal(n.attempts, 2);
	assert_int_equal(n.idempotency, 1);
	assert_int_equal(n.sessions, 1);
	assert_int_equal(n.otps + n.budgets, 0);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(status_updates_are_hot),
		CASE(no_statement_reads_all_the_tasks),
		CASE(the_sweep_takes_what_has_served),
	};

	return cmocka_run_group_tests(tests, fill, fixture_stop);
}
