/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: one task at a time, and that it is its owner's alone. */
#include "lib/store_fixture.h"

#include "base/crypto.h"
#include "base/error.h"
#include "store/tasks.h"

static struct task
add(const struct principal *who, const char *title)
{
	struct new_task in = {
		.title = text_of(title), .due_at = TIME_NONE,
	};
	struct task out;

	assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
	assert_int_equal(store_task_insert(db, mem, who, &in, &out), 0);
	return out;
}

static struct task_ref
by_id(const struct uuid *id)
{
	return (struct task_ref){ *id, INT_NONE };
}

static struct task_ref
by_number(int64_t number)
{
	return (struct task_ref){ .number = number };
}

static void
a_task_comes_back_as_it_went_in(void **state)
{
	struct principal who = fixture_user("user");
	struct text tags[] = { TEXT("home"), TEXT(""), TEXT("b, \"c\"") };
	struct new_task in = {
		.title = TEXT("Title \xF0\x9F\x98\x80"),
		.description = TEXT("two\nlines"),
		.status = TEXT("in_progress"), .priority = 9,
		.due_date = TEXT("2020-01-31"),
		.due_at = INT64_C(1580515199999000),
		.tags = { tags, 3 },
	};
	struct task out, got;
	struct task_ref ref;

	(void)state;
	assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
	assert_int_equal(store_task_insert(db, mem, &who, &in, &out), 0);
	ref = by_id(&in.id);
	assert_int_equal(store_task_get(db, mem, &who, &ref, &got), 0);
	assert_true(uuid_equal(&got.id, &in.id));
	assert_true(uuid_equal(&got.user_id, &who.user_id));
	assert_true(text_equal(got.title, in.title));
	assert_true(text_equal(got.description, in.description));
	assert_true(text_equal(got.status, in.status));
	assert_int_equal(got.priority, 9);
	assert_true(text_equal(got.due_date, in.due_date));
	assert_null(got.due_timezone.s);
	assert_true(got.overdue);
	assert_int_equal(got.tags.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(text_equal(got.tags.v[i], tags[i]));
	assert_int_equal(got.number, 1);
	assert_true(text_is(got.position, "0000000001"));
	assert_int_equal(got.version, 1);
	assert_int_equal(got.created_at, in.created_at);
	assert_int_equal(got.updated_at, in.created_at);
	assert_true(got.completed_at == TIME_NONE);
	assert_int_equal(out.version, got.version);
}

static void
numbers_count_up_for_each_user(void **state)
{
	struct principal one = fixture_user("user"), two = fixture_user("user");
	struct task_ref ref = by_number(2);
	struct task t;

	(void)state;
	add(&one, "a");
	assert_int_equal(add(&one, "b").number, 2);
	assert_int_equal(add(&two, "c").number, 1);
	assert_int_equal(store_task_get(db, mem, &one, &ref, &t), 0);
	assert_true(text_is(t.title, "b"));
	assert_int_equal(store_task_get(db, mem, &two, &ref, &t), E_TASK);
}

static void
one_insert(struct caller *caller)
{
	struct new_task in = { .title = TEXT("x"), .due_at = TIME_NONE };
	struct task out;

	caller->result = crypto_uuid(&in.id, &in.created_at);
	if (caller->result == 0)
		caller->result = store_task_insert(caller->db, caller->mem,
		    caller->arg, &in, &out);
}

static void
parallel_inserts_have_distinct_numbers(void **state)
{
	struct principal who = fixture_user("user");
	struct caller *callers = fixture_callers(32);

	(void)state;
	fixture_parallel(callers, 32, one_insert, &who);
	assert_int_equal(fixture_count(callers, 32, 0), 32);
	assert_int_equal(fixture_int("SELECT count(DISTINCT number) AS v FROM"
	    " docket.tasks WHERE user_id = '%s' AND number <= 32",
	    fixture_uuid(&who.user_id)), 32);
	fixture_callers_free(callers, 32);
}

static void
an_update_touches_what_it_names(void **state)
{
	struct principal who = fixture_user("user");
	struct task before = add(&who, "old"), after;
	struct task_ref ref = by_id(&before.id);
	struct task_change change = {
		.set = TASK_TITLE,
		.to = { .title = TEXT("new"), .due_at = TIME_NONE },
		.if_version = INT_NONE,
	};

	(void)state;
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_true(text_is(after.title, "new"));
	assert_true(text_is(after.status, "pending"));
	assert_int_equal(after.version, 2);
	assert_true(after.updated_at >= before.updated_at);

	change.set = TASK_STATUS;
	change.to.status = TEXT("completed");
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_true(text_is(after.title, "new"));
	assert_true(after.completed_at != TIME_NONE);
	before = after;
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_int_equal(after.completed_at, before.completed_at);
	change.to.status = TEXT("pending");
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_true(after.completed_at == TIME_NONE);

	change.set = TASK_DUE | TASK_ZONE | TASK_PRIORITY | TASK_DESCRIPTION;
	change.to.due_date = TEXT("2031-07-01T09:30:00");
	change.to.due_timezone = TEXT("Asia/Tehran");
	change.to.due_local = TEXT("2031-07-01 09:30:00");
	change.to.priority = 3;
	change.to.description = TEXT("d");
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_int_equal(after.priority, 3);
	assert_int_equal(fixture_int("SELECT extract(epoch FROM due_at)::bigint"
	    " AS v FROM docket.tasks WHERE id = '%s'",
	    fixture_uuid(&after.id)), 1940652000);
	/* Another zone moves the local time. */
	change.set = TASK_ZONE;
	change.to.due_timezone = TEXT("UTC");
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_int_equal(fixture_int("SELECT extract(epoch FROM due_at)::bigint"
	    " AS v FROM docket.tasks WHERE id = '%s'",
	    fixture_uuid(&after.id)), 1940664600);
	change = (struct task_change){
		.set = TASK_DUE | TASK_DESCRIPTION,
		.to = { .due_at = TIME_NONE }, .if_version = INT_NONE,
	};
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change,
	    &after), 0);
	assert_null(after.due_date.s);
	assert_null(after.description.s);
	assert_int_equal(after.priority, 3);
}

static void
an_unknown_time_zone_is_told(void **state)
{
	struct principal who = fixture_user("user");
	struct task t = add(&who, "t");
	struct task_ref ref = by_id(&t.id);
	const struct task_change change = {
		.set = TASK_DUE | TASK_ZONE,
		.to = {
			.due_at = TIME_NONE,
			.due_date = TEXT("2031-07-01T09:30:00"),
			.due_local = TEXT("2031-07-01 09:30:00"),
			.due_timezone = TEXT("Mars/Olympus"),
		},
		.if_version = INT_NONE,
	};

	(void)state;
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change, &t),
	    E_TIMEZONE);
	assert_int_equal(store_task_get(db, mem, &who, &ref, &t), 0);
	assert_int_equal(t.version, 1);
}

static void
a_version_that_has_passed_is_refused_with_the_task(void **state)
{
	struct principal who = fixture_user("user");
	struct task t = add(&who, "t"), now;
	struct task_ref ref = by_id(&t.id);
	struct task_change change = {
		.set = TASK_TITLE,
		.to = { .title = TEXT("u"), .due_at = TIME_NONE },
		.if_version = 1,
	};

	(void)state;
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change, &now),
	    0);
	change.to.title = TEXT("v");
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change, &now),
	    E_VERSION);
	assert_int_equal(now.version, 2);
	assert_true(text_is(now.title, "u"));
	assert_int_equal(store_task_delete(db, mem, &who, &ref, 1, false,
	    &now), E_VERSION);
	assert_int_equal(store_task_delete(db, mem, &who, &ref, 2, false,
	    &now), 0);
	assert_int_equal(store_task_update(db, mem, &who, &ref, &change, &now),
	    E_TASK);
}

struct race {
	struct principal who;
	struct task_ref ref;
};

static void
one_update(struct caller *caller)
{
	const struct race *race = caller->arg;
	const struct task_change change = {
		.set = TASK_TITLE,
		.to = { .title = TEXT("mine"), .due_at = TIME_NONE },
		.if_version = 1,
	};
	struct task now;

	caller->result = store_task_update(caller->db, caller->mem,
	    &race->who, &race->ref, &change, &now);
}

static void
of_parallel_updates_of_a_version_one_wins(void **state)
{
	struct race race = { .who = fixture_user("user") };
	struct caller *callers = fixture_callers(32);
	struct task t = add(&race.who, "t");

	(void)state;
	race.ref = by_id(&t.id);
	fixture_parallel(callers, 32, one_update, &race);
	assert_int_equal(fixture_count(callers, 32, 0), 1);
	assert_int_equal(fixture_count(callers, 32, E_VERSION), 31);
	fixture_callers_free(callers, 32);
}

static void
the_trash_hides_and_purging_ends(void **state)
{
	struct principal who = fixture_user("user");
	struct task t = add(&who, "t"), out;
	struct task_ref ref = by_number(t.number);

	(void)state;
	assert_int_equal(store_task_delete(db, mem, &who, &ref, INT_NONE,
	    false, &out), 0);
	assert_true(uuid_equal(&out.id, &t.id));
	assert_int_equal(store_task_get(db, mem, &who, &ref, &out), E_TASK);
	assert_int_equal(store_task_delete(db, mem, &who, &ref, INT_NONE,
	    false, &out), E_TASK);
	assert_int_equal(store_task_delete(db, mem, &who, &ref, INT_NONE,
	    true, &out), 0);
	assert_int_equal(store_task_delete(db, mem, &who, &ref, INT_NONE,
	    true, &out), E_TASK);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.tasks"
	    " WHERE user_id = '%s'", fixture_uuid(&who.user_id)), 0);
}

/* Nobody comes so far that a key is asked for. */
static const struct task_ranks no_ranks = { NULL, NULL };

/* Every statement on a task, by a stranger and by a revoked session. */
static int
try_all(const struct principal *who, const struct task_ref *ref, int want)
{
	const struct task_change change = {
		.set = TASK_TITLE,
		.to = { .title = TEXT("stolen"), .due_at = TIME_NONE },
		.if_version = INT_NONE,
	};
	struct task t;
	size_t n;

	return store_task_get(db, mem, who, ref, &t) == want &&
	    store_task_update(db, mem, who, ref, &change, &t) == want &&
	    store_task_delete(db, mem, who, ref, 1, false, &t) == want &&
	    store_task_delete(db, mem, who, ref, INT_NONE, true, &t) == want &&
	    order_ids(db, mem, who, &ref->id, 1, &n) == want &&
	    store_task_move(db, mem, who, ref, ref, true, &no_ranks, &t) ==
	    want && !db_in_transaction(db);
}

static void
nobody_else_can_see_or_touch_it(void **state)
{
	struct principal owner = fixture_user("user");
	struct principal stranger = fixture_user("admin"), revoked = owner;
	struct task t = add(&owner, "mine"), now;
	struct task_ref ref = by_id(&t.id);
	struct new_task in = { .title = TEXT("x"), .due_at = TIME_NONE };

	(void)state;
	assert_true(try_all(&stranger, &ref, E_TASK));
	revoked.session_id = stranger.session_id;
	assert_true(try_all(&revoked, &ref, E_TOKEN_REVOKED));
	assert_int_equal(crypto_uuid(&in.id, &in.created_at), 0);
	assert_int_equal(store_task_insert(db, mem, &revoked, &in, &now),
	    E_TOKEN_REVOKED);
	assert_int_equal(store_task_get(db, mem, &owner, &ref, &now), 0);
	assert_true(text_is(now.title, "mine"));
	assert_int_equal(now.version, 1);
	assert_int_equal(add(&owner, "next").number, 2);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_task_comes_back_as_it_went_in),
		CASE(numbers_count_up_for_each_user),
		CASE(parallel_inserts_have_distinct_numbers),
		CASE(an_update_touches_what_it_names),
		CASE(an_unknown_time_zone_is_told),
		CASE(a_version_that_has_passed_is_refused_with_the_task),
		CASE(of_parallel_updates_of_a_version_one_wins),
		CASE(the_trash_hides_and_purging_ends),
		CASE(nobody_else_can_see_or_touch_it),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
