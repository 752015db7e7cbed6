/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: tries counted before they are compared, locks, what lifts them. */
#include "lib/store_fixture.h"

#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "store/unlock.h"
#include "store/users.h"

/* Six in ten minutes, then a minute, 15 at most; two a client when asked. */
static struct login_try
a_try(struct text name)
{
	return (struct login_try){
		.by = USER_BY_NAME, .ident = name, .subject = name,
		.network = TEXT("net"), .client = TEXT("client"),
		.limit = 6, .window = 600, .lock = 60, .lock_most = 900,
	};
}

static int
try_login(struct text name, struct login_found *ret)
{
	const struct login_try t = a_try(name);

	return store_login_try(db, mem, &t, ret);
}

static void
new_account(struct new_user *in)
{
	struct new_session session;
	struct user out;

	fixture_new_user(in, "user");
	fixture_new_session(&session);
	assert_int_equal(store_user_register(db, mem, in, &session, &out), 0);
}

/* As if all of it had happened so much earlier. */
static void
age(const struct login_found *found, const char *by)
{
	fixture_sql("UPDATE docket.lockouts SET since = since - interval '%s',"
	    " locked_until = locked_until - interval '%s'"
	    " WHERE subject = '\\x%s'", by, by,
	    fixture_text("SELECT encode(sha256('net' || uuid_send("
	    "'%s'::uuid)), 'hex') AS v", fixture_uuid(&found->id)).s);
}

static void
six_are_evaluated_then_it_is_locked(void **state)
{
	struct login_found found;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 1; i <= 6; i++) {
		assert_int_equal(try_login(in.username_key, &found), 0);
		assert_int_equal(found.failures, i);
		assert_true(text_is(found.hash, "phc"));
		assert_true(uuid_equal(&found.id, &in.id));
		assert_int_equal(found.locked, i < 6 ? 0 : 60);
		assert_true(found.reset > 590 && found.reset <= 600);
	}
	for (int i = 0; i < 20; i++) {
		assert_int_equal(try_login(in.username_key, &found), E_RATE);
		assert_true(found.retry_account > 50 &&
		    found.retry_account <= 60);
		assert_int_equal(found.retry_client, 0);
	}
	/* Refused tries do not pile up. */
	assert_int_equal(fixture_int("SELECT n AS v FROM docket.lockouts"
	    " WHERE user_id = '%s'", fixture_uuid(&in.id)), 6);
}

static void
each_lock_is_twice_the_one_before(void **state)
{
	static const int64_t locks[] = { 120, 240, 480, 900, 900, 900 };
	struct login_found found;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 0; i < 6; i++)
		assert_int_equal(try_login(in.username_key, &found), 0);
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		/* Two seconds sooner it is locked. */
		age(&found, i == 0 ? "58 s" : i == 1 ? "118 s" :
		    i == 2 ? "238 s" : i == 3 ? "478 s" : "898 s");
		assert_int_equal(try_login(in.username_key, &found), E_RATE);
		assert_true(found.retry_account <= 2);
		age(&found, "2 s");
		assert_int_equal(try_login(in.username_key, &found), 0);
		assert_int_equal(found.locked, locks[i]);
		assert_int_equal(try_login(in.username_key, &found), E_RATE);
	}
	/* Peace is a window after the end of the lock, and no sooner. */
	age(&found, "1499 s");
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.locked, 900);
	age(&found, "1500 s");
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.failures, 1);
	assert_int_equal(found.locked, 0);
}

static void
what_is_older_than_the_window_counts_no_more(void **state)
{
	struct login_found found;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 0; i < 5; i++)
		assert_int_equal(try_login(in.username_key, &found), 0);
	age(&found, "599 s");
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.failures, 6);
	assert_int_equal(store_login_back(db, mem, &found), 0);
	age(&found, "601 s");
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.failures, 1);
}

static void
a_right_password_forgives(void **state)
{
	struct login_found found;
	struct new_session session;
	struct new_user in;
	struct user out;

	(void)state;
	new_account(&in);
	for (int round = 0; round < 3; round++) {
		for (int i = 1; i <= 6; i++) {
			assert_int_equal(try_login(in.username_key, &found),
			    0);
			assert_int_equal(found.failures, i);
		}
		/* The sixth was right: the lock it brought goes with it. */
		fixture_new_session(&session);
		assert_int_equal(store_login_done(db, mem, &found, TEXT_NONE,
		    &session, &out), 0);
		assert_true(text_equal(out.username, in.username));
		assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
		    " docket.lockouts WHERE user_id = '%s'",
		    fixture_uuid(&in.id)), 0);
	}
}

static void
what_was_not_evaluated_is_given_back(void **state)
{
	struct login_found found;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(try_login(in.username_key, &found), 0);
		assert_int_equal(found.failures, 1);
		assert_int_equal(store_login_back(db, mem, &found), 0);
	}
	for (int i = 0; i < 6; i++)
		assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(store_login_back(db, mem, &found), 0);
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.locked, 60);
	/* A level that was reached is not lost by being too busy. */
	age(&found, "60 s");
	assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(found.locked, 120);
	age(&found, "120 s");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(try_login(in.username_key, &found), 0);
		assert_int_equal(found.locked, 240);
		assert_int_equal(store_login_back(db, mem, &found), 0);
		fixture_sql("UPDATE docket.lockouts SET"
		    " since = since - interval '1 h' WHERE user_id = '%s'",
		    fixture_uuid(&in.id));
	}
}

static void
nobodys_name_is_locked_alike(void **state)
{
	struct login_found found;
	struct text name = fixture_name("nobody");

	(void)state;
	for (int i = 1; i <= 6; i++) {
		assert_int_equal(try_login(name, &found), 0);
		assert_true(uuid_is_nil(&found.id));
		assert_int_equal(found.locked, i < 6 ? 0 : 60);
	}
	assert_int_equal(try_login(name, &found), E_RATE);
	assert_true(found.retry_account > 50);
}

static void
another_network_is_not_locked(void **state)
{
	struct login_found found;
	struct login_try t;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 0; i < 6; i++)
		assert_int_equal(try_login(in.username_key, &found), 0);
	assert_int_equal(try_login(in.username_key, &found), E_RATE);
	t = a_try(in.username_key);
	t.network = TEXT("other");
	t.subject = TEXT("elsewhere");
	assert_int_equal(store_login_try(db, mem, &t, &found), 0);
	assert_int_equal(found.failures, 1);
}

static void
a_client_has_so_many_over_all_accounts(void **state)
{
	struct login_found found;
	struct new_session session;
	struct new_user in;
	struct login_try t;
	struct user out;

	(void)state;
	for (int i = 0; i < 10; i++) {
		t = a_try(fixture_name("spread"));
		t.client = TEXT("sprayer");
		t.client_limit = 10;
		assert_int_equal(store_login_try(db, mem, &t, &found), 0);
	}
	new_account(&in);
	t.ident = t.subject = in.username_key;
	assert_int_equal(store_login_try(db, mem, &t, &found), E_RATE);
	assert_int_equal(found.retry_account, 0);
	assert_true(found.retry_client > 50 && found.retry_client <= 60);
	/* Not even counted for the account: it is the client's fault. */
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.lockouts WHERE user_id = '%s'", fixture_uuid(&in.id)),
	    0);
	t.client = TEXT("other client");
	/* Right ones do not count. */
	for (int i = 0; i < 30; i++) {
		assert_int_equal(store_login_try(db, mem, &t, &found), 0);
		fixture_new_session(&session);
		assert_int_equal(store_login_done(db, mem, &found, TEXT_NONE,
		    &session, &out), 0);
	}
	t.client = TEXT("sprayer");
	fixture_sql("UPDATE docket.attempts SET window_start ="
	    " window_start - interval '60 s' WHERE kind = 'login_client'");
	assert_int_equal(store_login_try(db, mem, &t, &found), 0);
}

/* Half of them from another address of the same network. */
static void
one_of_a_herd(struct caller *caller)
{
	struct login_try t = a_try(TEXT("herd"));
	struct login_found found;

	t.client = caller->i % 2 ? TEXT("odd") : TEXT("even");
	t.client_limit = *(const int64_t *)caller->arg;
	caller->result = store_login_try(caller->db, caller->mem, &t, &found);
}

/* Somebody holds the row for a moment, so all of the herd have looked at it
 * before the first of them changes it. */
static void
hold(const char *table, const char *subject)
{
	const char *dsn = fixture_dsn("postgres", "docket");

	assert_int_equal(fixture_shell("psql -qAtX -d '%s' -c \"BEGIN;"
	    " SELECT FROM docket.%s WHERE subject = '%s' FOR UPDATE;"
	    " SELECT pg_sleep(1.5); COMMIT\" >%s/hold.log 2>&1 &", dsn, table,
	    subject, fixture_dir()), 0);
	for (int i = 0; i < 1000; i++) {
		if (fixture_int("SELECT count(*) AS v FROM pg_stat_activity"
		    " WHERE wait_event = 'PgSleep'") == 1)
			return;
		usleep(10000);
	}
	fail_msg("nobody holds docket.%s", table);
}

static void
parallel_tries_never_exceed_the_limit(void **state)
{
	struct caller *callers = fixture_callers(64);
	struct caller first = { .db = db, .mem = mem };
	int64_t client_limit = 0;

	(void)state;
	first.arg = &client_limit;
	one_of_a_herd(&first);
	assert_int_equal(first.result, 0);
	hold("lockouts", "herd");
	fixture_parallel(callers, 64, one_of_a_herd, &client_limit);
	assert_int_equal(fixture_count(callers, 64, 0), 5);
	assert_int_equal(fixture_count(callers, 64, E_RATE), 59);
	/* Nor when nobody has been there yet. */
	fixture_sql("DELETE FROM docket.lockouts WHERE subject = 'herd'");
	fixture_parallel(callers, 64, one_of_a_herd, &client_limit);
	assert_int_equal(fixture_count(callers, 64, 0), 6);
	fixture_callers_free(callers, 64);
}

/* Two clients have two each. */
static void
nor_do_those_of_a_client(void **state)
{
	struct caller *callers = fixture_callers(64);
	struct caller first = { .db = db, .mem = mem };
	int64_t client_limit = 2;

	(void)state;
	fixture_sql("DELETE FROM docket.lockouts WHERE subject = 'herd'");
	first.arg = &client_limit;
	one_of_a_herd(&first);
	assert_int_equal(first.result, 0);
	hold("attempts", "even");
	fixture_parallel(callers, 64, one_of_a_herd, &client_limit);
	assert_int_equal(fixture_count(callers, 64, 0), 3);
	assert_int_equal(fixture_count(callers, 64, E_RATE), 61);
	fixture_callers_free(callers, 64);
}

static void
a_lock_is_in_the_trail(void **state)
{
	const struct client client = { .ip = TEXT("192.0.2.7"),
		.request_id = TEXT("rid") };
	struct login_found found;
	struct new_user in;

	(void)state;
	new_account(&in);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(try_login(in.username_key, &found), 0);
		assert_int_equal(store_login_failed(db, mem, &found, &client),
		    0);
	}
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.audit"
	    " WHERE user_id = '%s' AND event = 'login_failed'",
	    fixture_uuid(&in.id)), 6);
	assert_true(text_is(fixture_text("SELECT string_agg(detail, ',') AS v"
	    " FROM docket.audit WHERE user_id = '%s' AND"
	    " event = 'login_locked'", fixture_uuid(&in.id)), "60 s"));
}

/* ---- unlocking ---- */

static void
lock(const struct new_user *in)
{
	struct login_found found;
	struct login_try t = a_try(in->username_key);

	for (int i = 0; i < 6; i++)
		assert_int_equal(store_login_try(db, mem, &t, &found), 0);
	t.network = TEXT("another");
	for (int i = 0; i < 6; i++)
		assert_int_equal(store_login_try(db, mem, &t, &found), 0);
	fixture_sql("INSERT INTO docket.otp_budgets"
	    " (address, guess_start, guess_n, blocked_until) VALUES"
	    " ('%s', now(), 15, now() + interval '1 day')", in->email_key.s);
}

static void
assert_unlocked(const struct new_user *in)
{
	struct login_found found;

	assert_int_equal(try_login(in->username_key, &found), 0);
	assert_int_equal(found.failures, 1);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.otp_budgets WHERE address = '%s' AND guess_n = 0"
	    " AND blocked_until IS NULL", in->email_key.s), 1);
}

static void
locked_account(struct new_user *in)
{
	struct new_session session;
	struct user out;

	fixture_new_user(in, "user");
	in->email = in->email_key = text_of(arena_printf(mem,
	    "%s@example.org", fixture_name("locked").s));
	fixture_new_session(&session);
	assert_int_equal(store_user_register(db, mem, in, &session, &out), 0);
	lock(in);
}

static void
an_admin_unlocks_every_network(void **state)
{
	struct principal admin = fixture_user("admin");
	const struct client client = { .ip = TEXT("192.0.2.7") };
	struct unlock_target who = { .number = INT_NONE };
	struct new_user in;

	(void)state;
	admin.need_admin = true;
	locked_account(&in);
	who.id = in.id;
	assert_int_equal(store_unlock(db, mem, &admin, &who, &client), 0);
	assert_unlocked(&in);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.audit"
	    " WHERE user_id = '%s' AND event = 'unlock'",
	    fixture_uuid(&in.id)), 1);
	/* By number, and when nothing is locked. */
	who = (struct unlock_target){ .number = fixture_int("SELECT number"
	    " AS v FROM docket.users WHERE id = '%s'",
	    fixture_uuid(&in.id)) };
	assert_int_equal(store_unlock(db, mem, &admin, &who, &client), 0);
	who.number = INT64_MAX;
	assert_int_equal(store_unlock(db, mem, &admin, &who, &client), E_USER);
}

static void
nobody_else_does(void **state)
{
	struct principal user = fixture_user("user");
	const struct client client = { 0 };
	struct unlock_target who = { .number = INT_NONE };
	struct login_found found;
	struct new_user in;

	(void)state;
	user.need_admin = true;
	locked_account(&in);
	who.id = in.id;
	assert_int_equal(store_unlock(db, mem, &user, &who, &client), E_ROLE);
	assert_int_equal(try_login(in.username_key, &found), E_RATE);
}

static void
the_command_line_unlocks_by_name(void **state)
{
	struct new_user in;

	(void)state;
	locked_account(&in);
	assert_int_equal(store_unlock_name(db, mem, in.username_key), 0);
	assert_unlocked(&in);
	assert_int_equal(store_unlock_name(db, mem, TEXT("no such name")),
	    E_USER);
}

static void
a_deleted_account_leaves_none(void **state)
{
	struct new_user in;

	(void)state;
	locked_account(&in);
	fixture_sql("DELETE FROM docket.users WHERE id = '%s'",
	    fixture_uuid(&in.id));
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.lockouts WHERE user_id = '%s'", fixture_uuid(&in.id)),
	    0);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(six_are_evaluated_then_it_is_locked),
		CASE(each_lock_is_twice_the_one_before),
		CASE(what_is_older_than_the_window_counts_no_more),
		CASE(a_right_password_forgives),
		CASE(what_was_not_evaluated_is_given_back),
		CASE(nobodys_name_is_locked_alike),
		CASE(another_network_is_not_locked),
		CASE(a_client_has_so_many_over_all_accounts),
		CASE(parallel_tries_never_exceed_the_limit),
		CASE(nor_do_those_of_a_client),
		CASE(a_lock_is_in_the_trail),
		CASE(an_admin_unlocks_every_network),
		CASE(nobody_else_does),
		CASE(the_command_line_unlocks_by_name),
		CASE(a_deleted_account_leaves_none),
	};

	return cmocka_run_group_tests_name("store_lockouts", tests,
	    fixture_start, fixture_stop);
}
