/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: register, log in, refresh, log out; what revocation does at once. */
#include "lib/store_fixture.h"

#include "base/crypto.h"
#include "base/error.h"
#include "store/users.h"
#include "store/who.h"

static void
register_gives_the_account_and_its_rows(void **state)
{
	struct new_user in;
	struct new_session session;
	struct user out;
	const char *id;

	(void)state;
	fixture_new_user(&in, "user");
	in.email = TEXT("A@example.org");
	in.email_key = TEXT("a@example.org");
	fixture_new_session(&session);
	assert_int_equal(store_user_register(db, mem, &in, &session, &out), 0);
	id = fixture_uuid(&in.id);
	assert_true(uuid_equal(&out.id, &in.id));
	assert_true(text_equal(out.username, in.username));
	assert_true(text_is(out.email, "A@example.org"));
	assert_null(out.phone.s);
	assert_true(text_is(out.role, "user"));
	assert_true(text_is(out.status, "Y"));
	assert_true(out.number > 0);
	assert_int_equal(out.created_at, in.created_at);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.sessions"
	    " WHERE user_id = '%s' AND refresh_counter = %d", id,
	    SESSION_COUNTER), 1);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.counters WHERE user_id = '%s'", id), 1);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.audit"
	    " WHERE user_id = '%s' AND event = 'register'", id), 1);
}

static void
what_is_taken_is_named(void **state)
{
	struct new_user first, in;
	struct new_session session;
	struct user out;

	(void)state;
	fixture_new_user(&first, "user");
	first.email = first.email_key = TEXT("taken@example.org");
	first.phone = TEXT("+4915100000001");
	fixture_new_session(&session);
	assert_int_equal(store_user_register(db, mem, &first, &session, &out),
	    0);
	fixture_new_session(&session);
	fixture_new_user(&in, "user");
	in.username_key = first.username_key;
	assert_int_equal(store_user_register(db, mem, &in, &session, &out),
	    E_USERNAME_TAKEN);
	fixture_new_user(&in, "user");
	in.email = in.email_key = first.email_key;
	assert_int_equal(store_user_register(db, mem, &in, &session, &out),
	    E_EMAIL_TAKEN);
	fixture_new_user(&in, "user");
	in.phone = first.phone;
	assert_int_equal(store_user_register(db, mem, &in, &session, &out),
	    E_PHONE_TAKEN);
	/* Nothing of them is left. */
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.sessions"
	    " WHERE id = '%s'", fixture_uuid(&session.id)), 0);
}

/* With the password that fixture_user gives. */
static int
log_in(const struct principal *who, struct text rehash,
    const struct new_session *session)
{
	const struct login_found found = {
		.id = who->user_id, .subject = TEXT("x"), .hash = TEXT("phc"),
	};
	struct user out;

	return store_login_done(db, mem, &found, rehash, session, &out);
}

static void
a_stronger_hash_is_stored(void **state)
{
	struct principal who = fixture_user("user");
	struct new_session session;

	(void)state;
	fixture_new_session(&session);
	assert_int_equal(log_in(&who, TEXT("better"), &session), 0);
	assert_true(text_is(fixture_text("SELECT password_hash AS v FROM"
	    " docket.users WHERE id = '%s'", fixture_uuid(&who.user_id)),
	    "better"));
	/* The one that was compared is another's by now: nobody comes in, and
	 * nothing is written over the new one. */
	fixture_new_session(&session);
	assert_int_equal(log_in(&who, TEXT("worse"), &session), E_NONE);
	assert_true(text_is(fixture_text("SELECT password_hash AS v FROM"
	    " docket.users WHERE id = '%s'", fixture_uuid(&who.user_id)),
	    "better"));
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.sessions"
	    " WHERE id = '%s'", fixture_uuid(&session.id)), 0);
}

static void
the_state_of_the_account_is_seen_at_once(void **state)
{
	struct principal who = fixture_user("user");
	struct principal admin = who, stranger = fixture_user("user");
	const char *id = fixture_uuid(&who.user_id);
	struct new_session session;
	struct client client = { 0 };
	struct user out;

	(void)state;
	assert_int_equal(store_user_me(db, mem, &who, &out), 0);
	assert_int_equal(store_session_check(db, mem, &who), 0);
	admin.need_admin = true;
	assert_int_equal(store_session_check(db, mem, &admin), E_ROLE);
	/* Somebody else's session is no session. */
	stranger.session_id = who.session_id;
	assert_int_equal(store_session_check(db, mem, &stranger),
	    E_TOKEN_REVOKED);

	fixture_sql("UPDATE docket.users SET active = false"
	    " WHERE id = '%s'", id);
	fixture_new_session(&session);
	assert_int_equal(store_user_me(db, mem, &who, &out), E_USER_INACTIVE);
	assert_int_equal(log_in(&who, TEXT_NONE, &session), E_USER_INACTIVE);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.sessions"
	    " WHERE id = '%s'", fixture_uuid(&session.id)), 0);
	fixture_sql("UPDATE docket.users SET active = true"
	    " WHERE id = '%s'", id);
	/* What the deactivation ended stays ended. */
	assert_int_equal(store_user_me(db, mem, &who, &out), E_TOKEN_REVOKED);
	assert_int_equal(log_in(&who, TEXT_NONE, &session), 0);
	who.session_id = session.id;
	assert_int_equal(store_session_end(db, mem, &who, false, &client), 0);
	assert_int_equal(store_user_me(db, mem, &who, &out), E_TOKEN_REVOKED);
	assert_int_equal(store_session_end(db, mem, &who, false, &client),
	    E_TOKEN_REVOKED);
	fixture_sql("DELETE FROM docket.users WHERE id = '%s'", id);
	assert_int_equal(store_user_me(db, mem, &who, &out), E_USER_DELETED);
	assert_int_equal(log_in(&who, TEXT_NONE, &session), E_USER_DELETED);
}

static void
logging_out_of_all_ends_all(void **state)
{
	struct principal who = fixture_user("user"), other = who;
	struct client client = { .ip = TEXT("192.0.2.9") };
	struct new_session session;

	(void)state;
	fixture_new_session(&session);
	other.session_id = session.id;
	assert_int_equal(log_in(&who, TEXT_NONE, &session), 0);
	assert_int_equal(store_session_check(db, mem, &other), 0);
	assert_int_equal(store_session_end(db, mem, &who, true, &client), 0);
	assert_int_equal(store_session_check(db, mem, &who), E_TOKEN_REVOKED);
	assert_int_equal(store_session_check(db, mem, &other),
	    E_TOKEN_REVOKED);
}

static int
refresh(const struct principal *who, int64_t counter, struct refreshed *ret)
{
	const struct client client = { .ip = TEXT("192.0.2.2") };

	return store_session_refresh(db, mem, &who->session_id, counter, 3600,
	    &client, ret);
}

static void
the_last_refresh_may_be_repeated_an_older_one_ends_it(void **state)
{
	struct principal who = fixture_user("user");
	struct refreshed r;

	(void)state;
	for (int64_t n = SESSION_COUNTER; n < SESSION_COUNTER + 3; n++)
		for (int i = 0; i < 3; i++) {
			assert_int_equal(refresh(&who, n, &r), 0);
			assert_int_equal(r.counter, n + 1);
			assert_true(uuid_equal(&r.user_id, &who.user_id));
			assert_true(text_is(r.role, "user"));
		}
	assert_int_equal(refresh(&who, SESSION_COUNTER + 4, &r), E_REFRESH);
	assert_int_equal(store_session_check(db, mem, &who), 0);
	assert_int_equal(refresh(&who, SESSION_COUNTER + 1, &r), E_REFRESH);
	assert_int_equal(store_session_check(db, mem, &who), E_TOKEN_REVOKED);
	assert_int_equal(refresh(&who, SESSION_COUNTER + 3, &r), E_REFRESH);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.audit"
	    " WHERE session_id = '%s' AND event = 'refresh_reuse'",
	    fixture_uuid(&who.session_id)), 1);
}

static void
an_idle_session_cannot_be_refreshed(void **state)
{
	struct principal who = fixture_user("user");
	struct refreshed r;

	(void)state;
	fixture_sql("UPDATE docket.sessions SET idle_until = now()"
	    " WHERE id = '%s'", fixture_uuid(&who.session_id));
	assert_int_equal(refresh(&who, SESSION_COUNTER, &r), E_REFRESH);
	assert_int_equal(store_session_check(db, mem, &who), E_TOKEN_REVOKED);
}

static void
one_refresh(struct caller *caller)
{
	const struct principal *who = caller->arg;
	const struct client client = { 0 };
	struct refreshed r = { .counter = -1 };

	caller->result = store_session_refresh(caller->db, caller->mem,
	    &who->session_id, SESSION_COUNTER, 3600, &client, &r);
	if (caller->result == 0 && r.counter != SESSION_COUNTER + 1)
		caller->result = -1;
}

static void
a_hundred_parallel_refreshes_agree(void **state)
{
	struct principal who = fixture_user("user");
	struct caller *callers = fixture_callers(100);

	(void)state;
	fixture_parallel(callers, 100, one_refresh, &who);
	assert_int_equal(fixture_count(callers, 100, 0), 100);
	assert_int_equal(store_session_check(db, mem, &who), 0);
	fixture_callers_free(callers, 100);
}

static void
users_are_listed_for_admins_in_pages(void **state)
{
	struct principal admin = fixture_user("admin");
	struct user_filter filter = { .limit = 3 };
	struct list page;
	int64_t seen = 0, last = 0;

	(void)state;
	for (int i = 0; i < 7; i++)
		fixture_user("user");
	admin.need_admin = true;
	do {
		const struct user *users;

		filter.after_number = last;
		assert_int_equal(store_user_list(db, mem, &admin, &filter,
		    &page), 0);
		users = page.v;
		for (size_t i = 0; i < page.n; i++) {
			assert_true(users[i].number > last);
			last = users[i].number;
			seen++;
		}
	} while (page.n == 3);
	assert_int_equal(seen,
	    fixture_int("SELECT count(*) AS v FROM docket.users"));
	filter = (struct user_filter){ .limit = 100, .role = TEXT("admin") };
	assert_int_equal(store_user_list(db, mem, &admin, &filter, &page), 0);
	assert_int_equal(page.n, fixture_int("SELECT count(*) AS v FROM"
	    " docket.users WHERE role = 'admin'"));
	filter = (struct user_filter){ .limit = 100, .status = TEXT("N") };
	assert_int_equal(store_user_list(db, mem, &admin, &filter, &page), 0);
	assert_int_equal(page.n, 0);
}

static void
the_command_line_adds_and_promotes(void **state)
{
	struct new_user in;

	(void)state;
	fixture_new_user(&in, "user");
	assert_int_equal(store_user_put(db, mem, &in, false), 0);
	assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
	in.role = TEXT("admin");
	assert_int_equal(store_user_put(db, mem, &in, false),
	    E_USERNAME_TAKEN);
	assert_int_equal(store_user_put(db, mem, &in, true), 0);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.users"
	    " WHERE username_key = '%s' AND role = 'admin'",
	    in.username_key.s), 1);
	/* It never demotes. */
	in.role = TEXT("user");
	assert_int_equal(store_user_put(db, mem, &in, true), 0);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.users"
	    " WHERE username_key = '%s' AND role = 'admin'",
	    in.username_key.s), 1);
}

static void
setting_a_password_ends_the_sessions(void **state)
{
	struct principal who = fixture_user("user");
	struct new_user in;

	(void)state;
	fixture_new_user(&in, "user");
	in.username_key = fixture_text("SELECT username_key AS v FROM"
	    " docket.users WHERE id = '%s'", fixture_uuid(&who.user_id));
	assert_int_equal(store_user_put(db, mem, &in, true), 0);
	assert_int_equal(store_session_check(db, mem, &who), E_TOKEN_REVOKED);
}

/* Who cannot be looked up is not let in. */
static void
without_a_database_nobody_is_anybody(void **state)
{
	struct principal who = fixture_user("user");
	struct client client = { 0 };
	const struct db_config config = { .dsn = "host=/nowhere",
	    .application = "test", .sets = store_statements,
	    .n_sets = store_statements_n, .prepared = true };
	struct db *away = db_new(&config);
	struct refreshed out;

	(void)state;
	assert_int_equal(store_session_check(away, mem, &who), E_DATABASE);
	assert_int_equal(store_session_end(away, mem, &who, true, &client),
	    E_DATABASE);
	assert_int_equal(store_session_refresh(away, mem, &who.session_id, 0,
	    60, &client, &out), E_DATABASE);
	db_free(away);
}

/* A number that the statement cannot give is a fault, not a yes. */
static void
a_state_that_is_unknown_is_no_yes(void **state)
{
	(void)state;
	assert_int_equal(who_error(0), 0);
	assert_int_equal(who_error(4), E_ROLE);
	assert_true(who_error(5) < 0);
	assert_true(who_error(-1) < 0);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(register_gives_the_account_and_its_rows),
		CASE(what_is_taken_is_named),
		CASE(a_stronger_hash_is_stored),
		CASE(the_state_of_the_account_is_seen_at_once),
		CASE(logging_out_of_all_ends_all),
		CASE(the_last_refresh_may_be_repeated_an_older_one_ends_it),
		CASE(an_idle_session_cannot_be_refreshed),
		CASE(a_hundred_parallel_refreshes_agree),
		CASE(users_are_listed_for_admins_in_pages),
		CASE(the_command_line_adds_and_promotes),
		CASE(setting_a_password_ends_the_sessions),
		CASE(without_a_database_nobody_is_anybody),
		CASE(a_state_that_is_unknown_is_no_yes),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
