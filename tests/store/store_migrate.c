/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: migrations apply once, in order, or not at all. */
#include "lib/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/migrate.h"

static char dir[64];
static char said[4096];

/* A fresh database and a copy of the migrations for each case. */
static int
fresh(void **state)
{
	static int n;
	static char name[16];

	snprintf(name, sizeof(name), "m%d", ++n);
	*state = name;
	fixture_sql("CREATE DATABASE %s OWNER docket_owner", name);
	snprintf(dir, sizeof(dir), "/tmp/dkm.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	return fixture_shell("cp %s/000[1-3]_*.sql %s",
	    fixture_source("sql/migrations"), dir);
}

static int
clear(void **state)
{
	fixture_shell("rm -rf %s", dir);
	return fixture_reset(state);
}

static int
run(const char *name, struct migrate_options options)
{
	FILE *f = fmemopen(said, sizeof(said), "w");
	int status;

	assert_non_null(f);
	options.dsn = fixture_dsn("docket_owner", name);
	options.dir = dir;
	options.lock_timeout_ms = 300;
	memset(said, 0, sizeof(said));
	status = migrate_run(&options, f, f);
	fclose(f);
	return status;
}

static const struct migrate_options apply = { .dir = "" };
static const struct migrate_options status = { .status = true };
static const struct migrate_options dry = { .dry_run = true };

static int
psql(const char *name, const char *sql)
{
	return fixture_shell("psql -X -q -t -v ON_ERROR_STOP=1 -d '%s'"
	    " -c \"%s\" >/dev/null 2>&1", fixture_dsn("docket_owner", name),
	    sql);
}

static void
they_apply_once(void **state)
{
	assert_int_equal(run(*state, status), 1);
	assert_non_null(strstr(said, "missing"));
	assert_int_equal(run(*state, apply), 0);
	assert_non_null(strstr(said, "applied 0001_"));
	assert_int_equal(run(*state, status), 0);
	assert_null(strstr(said, "missing"));
	assert_int_equal(run(*state, apply), 0);
	assert_non_null(strstr(said, "nothing to apply"));
}

static void
a_dry_run_leaves_nothing(void **state)
{
	assert_int_equal(run(*state, dry), 0);
	assert_non_null(strstr(said, "would apply 0003_"));
	assert_int_equal(psql(*state, "SELECT FROM docket.migrations"), 1);
	assert_int_equal(psql(*state, "CREATE SCHEMA docket"), 0);
}

static void
a_changed_file_is_refused(void **state)
{
	assert_int_equal(run(*state, apply), 0);
	assert_int_equal(fixture_shell("echo '-- x' >>%s/0002_tasks.sql", dir),
	    0);
	assert_int_equal(run(*state, apply), EX_DATAERR);
	assert_non_null(strstr(said, "0002_tasks.sql: changed"));
	assert_int_equal(run(*state, status), EX_DATAERR);
}

static void
gaps_and_strange_names_are_refused_before_anything_runs(void **state)
{
	assert_int_equal(fixture_shell("mv %s/0002_tasks.sql %s/0004_x.sql",
	    dir, dir), 0);
	assert_int_equal(run(*state, apply), EX_DATAERR);
	assert_non_null(strstr(said, "expected 0002_"));
	assert_int_equal(fixture_shell("mv %s/0004_x.sql %s/x.sql", dir, dir),
	    0);
	assert_int_equal(run(*state, apply), EX_DATAERR);
	assert_int_equal(fixture_shell("cp %s/x.sql %s/0001_b.sql; rm %s/x.sql",
	    dir, dir, dir), 0);
	assert_int_equal(run(*state, apply), EX_DATAERR);
	assert_int_equal(psql(*state, "SELECT FROM docket.migrations"), 1);
	assert_int_equal(fixture_shell("rm %s/*", dir), 0);
	assert_int_equal(run(*state, apply), EX_NOINPUT);
}

static void
an_applied_file_that_is_gone_is_refused(void **state)
{
	assert_int_equal(run(*state, apply), 0);
	assert_int_equal(fixture_shell("rm %s/0003_*", dir), 0);
	assert_int_equal(run(*state, apply), EX_DATAERR);
	assert_non_null(strstr(said, "0003"));
}

static void
one_that_fails_is_rolled_back_alone(void **state)
{
	assert_int_equal(fixture_shell("echo 'CREATE TABLE docket.x (i int);"
	    " SELECT 1/0;' >%s/0004_bad.sql", dir), 0);
	assert_int_equal(run(*state, apply), EX_SOFTWARE);
	assert_non_null(strstr(said, "0004_bad.sql: 22012: division by zero"));
	assert_int_equal(psql(*state, "SELECT FROM docket.users"), 0);
	assert_int_equal(psql(*state, "SELECT FROM docket.x"), 1);
	assert_int_equal(run(*state, status), 1);
	assert_int_equal(fixture_shell("echo 'CREATE TABLE docket.x (i int);'"
	    " >%s/0004_bad.sql", dir), 0);
	assert_int_equal(run(*state, apply), 0);
	assert_int_equal(psql(*state, "SELECT FROM docket.x"), 0);
}

static void
two_at_once_take_turns_or_give_up(void **state)
{
	const struct db_config config = {
		.dsn = fixture_dsn("docket_owner", *state),
		.application = "other",
	};
	struct db *other = db_new(&config);
	const char *why;

	assert_int_equal(db_connect(other, 60000), 0);
	assert_int_equal(db_script(other,
	    "SELECT pg_advisory_lock(110429572130164)", &why), 0);
	assert_int_equal(run(*state, apply), EX_TEMPFAIL);
	assert_non_null(strstr(said, "migration lock"));
	db_free(other);
}

static void
a_database_that_is_away_is_a_temporary_failure(void **state)
{
	(void)state;
	assert_int_equal(run("nowhere", apply), EX_TEMPFAIL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(they_apply_once),
		CASE(a_dry_run_leaves_nothing),
		CASE(a_changed_file_is_refused),
		CASE(gaps_and_strange_names_are_refused_before_anything_runs),
		CASE(an_applied_file_that_is_gone_is_refused),
		CASE(one_that_fails_is_rolled_back_alone),
		CASE(two_at_once_take_turns_or_give_up),
		CASE(a_database_that_is_away_is_a_temporary_failure),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
