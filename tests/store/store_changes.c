/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: every write of a task logs itself; the feed reads no more than its
 * page, of however long a log. */
#include "lib/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "store/changes.h"
#include "store/tasks.h"

/* A user with 20,000 tasks and three changes of each, among others. */
static struct principal heavy;

static int
fill(void **state)
{
	if (fixture_start(state))
		return -1;
	for (int i = 0; i < 10; i++)
		fixture_user("user");
	heavy = fixture_user("user");
	fixture_sql("INSERT INTO docket.tasks (user_id, id, number, title,"
	    " position, version, created_at, updated_at)"
	    " SELECT u.id, gen_random_uuid(), g, 'title ' || g,"
	    " lpad(g::text, 10, '0'), 3, now(), now() FROM docket.users u,"
	    " generate_series(1, CASE WHEN u.id = '%s' THEN 20000 ELSE 1000"
	    " END) g", fixture_uuid(&heavy.user_id));
	fixture_sql("INSERT INTO docket.task_changes"
	    " SELECT t.user_id, t.number + (v - 1) * 20000, v, t.id, now()"
	    " FROM docket.tasks t, generate_series(1, 3) v;"
	    "UPDATE docket.counters SET task_number = 20000, change = 60000");
	fixture_sql("VACUUM ANALYZE");
	return 0;
}

/* ---- the texts ---- */

static const struct stmt *
stmt_of(const char *name)
{
	for (size_t i = 0; i < store_statements_n; i++)
		for (size_t k = 0; k < store_statements[i]->n; k++)
			if (!strcmp(store_statements[i]->v[k].name, name))
				return &store_statements[i]->v[k];
	fail_msg("no statement %s", name);
	return NULL;
}

/* Where the text first writes tasks, or NULL. */
static const char *
writes_tasks(const char *sql)
{
	static const char *const verbs[] = {
		"INSERT INTO docket.tasks ", "UPDATE docket.tasks ",
		"DELETE FROM docket.tasks ",
	};
	const char *at;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if ((at = strstr(sql, verbs[i])))
			return at;
	return NULL;
}

/* The counter before the task, in the text and by what the task is joined
 * with; the log after what was written. */
static bool
logs_itself(const char *sql, const char *write)
{
	const char *turn = strstr(sql, "UPDATE docket.counters c SET ");
	const char *number = strstr(sql, "change = c.change + ");

	if (!strstr(sql, "INSERT INTO docket.task_changes ("))
		return false;
	return turn && number && turn < number && number < write;
}

static void
every_write_of_a_task_logs_itself(void **state)
{
	int writes = 0, silent = 0;

	(void)state;
	for (size_t i = 0; i < store_statements_n; i++)
		for (size_t k = 0; k < store_statements[i]->n; k++) {
			const struct stmt *s = &store_statements[i]->v[k];
			const char *write = writes_tasks(s->sql);

			/* What went to the trash was told when it went. */
			if (!write || strcmp(s->name, "trash_sweep") == 0)
				continue;
			writes++;
			if (!logs_itself(s->sql, write)) {
				print_error("%s does not log\n", s->name);
				silent++;
			}
		}
	assert_int_equal(silent, 0);
	assert_true(writes >= 10);
	/* In the database only the end of an account writes tasks. */
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM pg_proc"
	    " WHERE pronamespace = 'docket'::regnamespace AND prosrc ~*"
	    " '(insert into|update|delete from) +docket.tasks'"
	    " AND proname <> 'users_deleted'"), 0);
}

/* ---- the plans ---- */

/* EXPLAIN ANALYZE of one statement as the API's role: the most rows that any
 * node of the plan has given. */
static long
most_rows(const char *name, const char *values)
{
	char script[160], plan[160], line[1024];
	long most = -1, n;
	const char *at;
	FILE *f;

	snprintf(script, sizeof(script), "/tmp/changes.%d.sql", (int)getpid());
	snprintf(plan, sizeof(plan), "/tmp/changes.%d.txt", (int)getpid());
	f = fopen(script, "we");
	assert_non_null(f);
	fprintf(f, "SET plan_cache_mode = force_generic_plan;\nBEGIN;\n"
	    "PREPARE x AS %s;\nEXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)"
	    " EXECUTE x (%s);\nROLLBACK;\n", stmt_of(name)->sql, values);
	fclose(f);
	assert_int_equal(fixture_shell("psql -X -q -v ON_ERROR_STOP=1"
	    " -d '%s' -f %s >%s", fixture_dsn("docket_api", "docket"), script,
	    plan), 0);
	f = fopen(plan, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "Seq Scan on task"))
			fail_msg("%s: %s", name, line);
		at = strstr(line, "(actual rows=");
		n = at ? atol(at + strlen("(actual rows=")) : 0;
		if (n > most)
			most = n;
	}
	fclose(f);
	unlink(script);
	unlink(plan);
	return most;
}

static const char *
values_of(const struct principal *who, const char *rest)
{
	static char values[320];

	snprintf(values, sizeof(values), "'%s', '%s', false, %s",
	    fixture_uuid(&who->user_id), fixture_uuid(&who->session_id),
	    rest);
	return values;
}

static void
a_page_reads_a_page(void **state)
{
	(void)state;
	assert_in_range(most_rows("changes_log",
	    values_of(&heavy, "1000, 50")), 50, 51);
	assert_in_range(most_rows("changes_log",
	    values_of(&heavy, "59990, 50")), 10, 11);
	assert_in_range(most_rows("changes_whole",
	    values_of(&heavy, "'80000000-0000-0000-0000-000000000000', 51")),
	    51, 52);
	assert_in_range(most_rows("changes_trim",
	    "'00000000-0000-0000-0000-000000000001', 0, 2592000, 1000"),
	    1000, 1001);
}

/* By id and by number: the counter, the task, the log, a row each. */
static void
a_write_touches_its_own_rows(void **state)
{
	char rest[200];

	(void)state;
	snprintf(rest, sizeof(rest), "'%s', 'completed', NULL",
	    fixture_text("SELECT id::text AS v FROM docket.tasks WHERE user_id"
	    " = '%s' AND number = 77", fixture_uuid(&heavy.user_id)).s);
	assert_int_equal(most_rows("task_mark", values_of(&heavy, rest)), 1);
	assert_int_equal(most_rows("task_update", values_of(&heavy,
	    "NULL, 78, 4, NULL, NULL, NULL, 'completed', NULL, NULL, NULL,"
	    " NULL, NULL, NULL")), 1);
}

/* ---- the feed ---- */

static struct changes
page_of(const struct principal *who, struct changes_at at, int64_t limit)
{
	struct changes page;

	assert_int_equal(store_changes(db, mem, who, &at, limit, &page), 0);
	return page;
}

static void
a_log_says_a_task_once_a_page(void **state)
{
	const struct changes_at at = { .change = 0 };
	struct changes page = page_of(&heavy, at, 200);
	const struct task_changed *v = page.changes.v;

	(void)state;
	assert_int_equal(page.changes.n, 200);
	assert_true(page.more);
	assert_int_equal(page.next.change, 200);
	assert_int_equal(v[0].version, 3);
	assert_false(v[0].deleted);
}

/* Numbers that are nobody's row are passed, or a reader would stand still. */
static void
gaps_are_passed(void **state)
{
	struct principal who = fixture_user("user");
	struct changes_at at = { .whole = true, .change = INT_NONE };
	struct changes page = page_of(&who, at, 10);

	(void)state;
	fixture_sql("UPDATE docket.counters SET change = change + 5"
	    " WHERE user_id = '%s'", fixture_uuid(&who.user_id));
	page = page_of(&who, page.next, 10);
	assert_int_equal(page.changes.n, 0);
	assert_int_equal(page.next.change, 5);
	assert_false(page.more);
}

static void
whoever_may_not_is_told_nothing(void **state)
{
	const struct changes_at at = { .whole = true, .change = INT_NONE };
	struct principal gone = fixture_user("user"), thief = heavy;
	struct changes page;

	(void)state;
	fixture_sql("UPDATE docket.sessions SET ended_at = now(),"
	    " ended_why = 'revoked' WHERE user_id = '%s'",
	    fixture_uuid(&gone.user_id));
	assert_int_equal(store_changes(db, mem, &gone, &at, 10, &page),
	    E_TOKEN_REVOKED);
	thief.session_id = gone.session_id;
	assert_int_equal(store_changes(db, mem, &thief, &at, 10, &page),
	    E_TOKEN_REVOKED);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_write_of_a_task_logs_itself),
		CASE(a_page_reads_a_page),
		CASE(a_write_touches_its_own_rows),
		CASE(a_log_says_a_task_once_a_page),
		CASE(gaps_are_passed),
		CASE(whoever_may_not_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, fill, fixture_stop);
}
