/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: one Idempotency-Key, one effect, whatever happens around it. */
#include "lib/store_fixture.h"

#include <time.h>

#include "base/crypto.h"
#include "base/error.h"
#include "store/idempotency.h"
#include "store/tasks.h"

static const struct idem_key key = {
	.key = TEXT("k-1"), .operation = TEXT("POST /tasks"),
	.fingerprint = TEXT("0123456789abcdef0123456789abcdef"),
};

/* What the dispatcher does with a POST. *ret_fresh: the effect was made. */
static int
post(struct db *on, struct arena *m, const struct principal *who,
    const struct idem_key *k, struct idem_reply *ret, bool *ret_fresh)
{
	struct new_task in = { .title = TEXT("t"), .due_at = TIME_NONE };
	struct task out;
	int error = store_idem_begin(on, m, who, k, ret);

	*ret_fresh = false;
	if (error || ret->replay)
		return error;
	if (crypto_uuid(&in.id, &in.created_at))
		return -1;
	error = store_task_insert(on, m, who, &in, &out);
	*ret = (struct idem_reply){
		.status = 201, .headers = TEXT("Location: /tasks/1\n"),
		.body = TEXT("{\"task\":1}"),
	};
	if (error == 0)
		error = store_idem_commit(on, m, who, k, ret);
	*ret_fresh = error == 0;
	return error;
}

static int64_t
tasks_of(const struct principal *who)
{
	return fixture_int("SELECT count(*) AS v FROM docket.tasks"
	    " WHERE user_id = '%s'", fixture_uuid(&who->user_id));
}

static void
a_repeat_replays_and_another_body_is_refused(void **state)
{
	struct principal who = fixture_user("user");
	struct principal other = fixture_user("user");
	struct idem_key k = key;
	struct idem_reply reply;
	bool fresh;

	(void)state;
	assert_int_equal(post(db, mem, &who, &k, &reply, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(post(db, mem, &who, &k, &reply, &fresh), 0);
	assert_true(reply.replay && !fresh);
	assert_int_equal(reply.status, 201);
	assert_true(text_is(reply.headers, "Location: /tasks/1\n"));
	assert_true(text_is(reply.body, "{\"task\":1}"));
	assert_false(db_in_transaction(db));
	/* Another user's key is another key. */
	assert_int_equal(post(db, mem, &other, &k, &reply, &fresh), 0);
	assert_true(fresh);
	k.fingerprint = TEXT("another body, 32 bytes long .....");
	assert_int_equal(post(db, mem, &who, &k, &reply, &fresh),
	    E_IDEMPOTENCY);
	k = key;
	k.operation = TEXT("POST /tasks/order");
	assert_int_equal(post(db, mem, &who, &k, &reply, &fresh),
	    E_IDEMPOTENCY);
	assert_false(db_in_transaction(db));
	assert_int_equal(tasks_of(&who), 1);
}

static void
after_a_day_the_key_is_free(void **state)
{
	struct principal who = fixture_user("user");
	struct idem_reply reply;
	bool fresh;

	(void)state;
	assert_int_equal(post(db, mem, &who, &key, &reply, &fresh), 0);
	fixture_sql("UPDATE docket.idempotency SET"
	    " created_at = created_at - interval '25 h' WHERE user_id = '%s'",
	    fixture_uuid(&who.user_id));
	assert_int_equal(post(db, mem, &who, &key, &reply, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(post(db, mem, &who, &key, &reply, &fresh), 0);
	assert_true(reply.replay);
	assert_int_equal(tasks_of(&who), 2);
}

static void
a_twin_in_flight_is_told_so_at_once(void **state)
{
	struct principal who = fixture_user("user"), revoked = who;
	struct db *twin = fixture_connect();
	struct idem_reply reply;
	bool fresh;

	(void)state;
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	assert_int_equal(post(twin, mem, &who, &key, &reply, &fresh),
	    E_IN_FLIGHT);
	assert_false(db_in_transaction(twin));
	revoked.session_id.b[3] ^= 1;
	assert_int_equal(post(twin, mem, &revoked, &key, &reply, &fresh),
	    E_TOKEN_REVOKED);
	/* The first one fails: nothing is stored, the key is free. */
	db_rollback(db);
	assert_int_equal(post(twin, mem, &who, &key, &reply, &fresh), 0);
	assert_true(fresh);
	db_free(twin);
}

static void
a_connection_that_dies_frees_the_key(void **state)
{
	struct principal who = fixture_user("user");
	struct db *first = fixture_connect();
	struct idem_reply reply;
	bool fresh;
	int error;

	(void)state;
	assert_int_equal(store_idem_begin(first, mem, &who, &key, &reply), 0);
	db_free(first);
	/* The server notices on its own time. */
	for (int i = 0; i < 3000; i++) {
		error = post(db, mem, &who, &key, &reply, &fresh);
		if (error != E_IN_FLIGHT)
			break;
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	}
	assert_int_equal(error, 0);
	assert_true(fresh);
	assert_int_equal(tasks_of(&who), 1);
}

/* Whatever statement fails, the transaction is over and nothing is stored. */
static void
a_failure_in_between_leaves_nothing(void **state)
{
	struct principal who = fixture_user("user");
	struct idem_reply reply, bad = { .status = 201,
	    .headers = TEXT("\xff"), .body = TEXT("{}") };
	struct db *away = NULL;
	const struct db_config config = { .dsn = "host=/nowhere",
	    .application = "test", .sets = store_statements,
	    .n_sets = store_statements_n, .prepared = true };

	(void)state;
	away = db_new(&config);
	assert_int_equal(store_idem_begin(away, mem, &who, &key, &reply),
	    E_DATABASE);
	db_free(away);
	fixture_sql("ALTER TABLE docket.sessions RENAME TO elsewhere");
	assert_true(store_idem_begin(db, mem, &who, &key, &reply) < 0);
	fixture_sql("ALTER TABLE docket.elsewhere RENAME TO sessions");
	assert_false(db_in_transaction(db));
	fixture_sql("ALTER TABLE docket.idempotency RENAME TO elsewhere");
	assert_true(store_idem_begin(db, mem, &who, &key, &reply) < 0);
	fixture_sql("ALTER TABLE docket.elsewhere RENAME TO idempotency");
	assert_false(db_in_transaction(db));
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	assert_int_not_equal(store_idem_commit(db, mem, &who, &key, &bad), 0);
	assert_false(db_in_transaction(db));
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.idempotency WHERE user_id = '%s'",
	    fixture_uuid(&who.user_id)), 0);
}

/* A reply without a header or a body is stored as one. */
static void
an_empty_reply_is_replayed_too(void **state)
{
	struct principal who = fixture_user("user");
	struct idem_reply reply = { .status = 204 };

	(void)state;
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	reply = (struct idem_reply){ .status = 204 };
	assert_int_equal(store_idem_commit(db, mem, &who, &key, &reply), 0);
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	assert_true(reply.replay);
	assert_int_equal(reply.status, 204);
	assert_int_equal(reply.headers.n + reply.body.n, 0);
}

/* Who stores without the lock is seen when we store. */
static void
a_key_that_was_stored_meanwhile_is_not_overwritten(void **state)
{
	struct principal who = fixture_user("user");
	struct idem_reply reply;

	(void)state;
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	fixture_sql("INSERT INTO docket.idempotency (user_id, key, operation,"
	    " fingerprint, status, headers, body) VALUES ('%s', 'k-1',"
	    " 'POST /tasks', '0123456789abcdef0123456789abcdef', 200, '',"
	    " 'theirs')", fixture_uuid(&who.user_id));
	reply = (struct idem_reply){ .status = 201, .body = TEXT("ours") };
	assert_int_equal(store_idem_commit(db, mem, &who, &key, &reply),
	    E_IN_FLIGHT);
	assert_false(db_in_transaction(db));
	assert_int_equal(store_idem_begin(db, mem, &who, &key, &reply), 0);
	assert_true(text_is(reply.body, "theirs"));
}

static void
one_post(struct caller *caller)
{
	struct idem_reply reply;
	bool fresh;

	/* Until it is answered, as a client does. 1: made; 2: replayed. */
	do {
		caller->result = post(caller->db, caller->mem, caller->arg,
		    &key, &reply, &fresh);
	} while (caller->result == E_IN_FLIGHT);
	if (caller->result == 0)
		caller->result = fresh ? -1 : -2;
}

static void
sixty_four_parallel_posts_have_one_effect(void **state)
{
	struct principal who = fixture_user("user");
	struct caller *callers = fixture_callers(64);

	(void)state;
	fixture_parallel(callers, 64, one_post, &who);
	assert_int_equal(fixture_count(callers, 64, -1), 1);
	assert_int_equal(fixture_count(callers, 64, -2), 63);
	assert_int_equal(tasks_of(&who), 1);
	fixture_callers_free(callers, 64);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_repeat_replays_and_another_body_is_refused),
		CASE(after_a_day_the_key_is_free),
		CASE(a_twin_in_flight_is_told_so_at_once),
		CASE(a_connection_that_dies_frees_the_key),
		CASE(a_failure_in_between_leaves_nothing),
		CASE(an_empty_reply_is_replayed_too),
		CASE(a_key_that_was_stored_meanwhile_is_not_overwritten),
		CASE(sixty_four_parallel_posts_have_one_effect),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
