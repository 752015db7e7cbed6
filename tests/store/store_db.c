/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: the connection: values, drift, deadlines, death, and coming back. */
#include "lib/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/outbox.h"

struct all {
	struct text text, bytes;
	int64_t number, small, when;
	bool flag;
	struct uuid id;
	struct texts texts;
	struct list ids;
};

#define ALL(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct all, member_) }

static const struct field all_fields[] = {
	ALL(FIELD_TEXT, text), ALL(FIELD_BYTES, bytes),
	ALL(FIELD_INT, number), ALL(FIELD_INT, small), ALL(FIELD_TIME, when),
	ALL(FIELD_BOOL, flag), ALL(FIELD_UUID, id), ALL(FIELD_TEXTS, texts),
	ALL(FIELD_UUIDS, ids),
};

static const struct fields all_row = FIELDS(NULL, all_fields, struct all);

static const struct field number_fields[] = {
	{ .name = "v", .type = FIELD_INT, .offset = 0 },
};

static const struct fields number_row = FIELDS(NULL, number_fields, int64_t);

enum { ECHO, PID, SLEEP, SLEEP_WRITE, FAIL, INFINITE };

static const struct stmt statements[] = {
	[ECHO] = {
		"echo",
		"SELECT $1::text AS text, $2::bytea AS bytes,"
		" $3::bigint AS number, $4::int AS small,"
		" $5::timestamptz AS when, $6::bool AS flag, $7::uuid AS id,"
		" $8::text[] AS texts, $9::uuid[] AS ids",
		&all_row, false, false
	},
	[PID] = {
		"pid", "SELECT pg_backend_pid() AS v", &number_row, false,
		false
	},
	[SLEEP] = {
		"sleep", "SELECT 1 AS v FROM pg_sleep(3)", &number_row, false,
		false
	},
	[SLEEP_WRITE] = {
		"sleep_write", "SELECT 1 AS v FROM pg_sleep(3)", &number_row,
		false, true
	},
	[FAIL] = { "fail", "SELECT 1 / 0 AS v", &number_row, false, false },
	[INFINITE] = {
		"infinite",
		"SELECT NULL::text AS text, NULL::bytea AS bytes,"
		" NULL::bigint AS number, (-7)::smallint AS small,"
		" 'infinity'::timestamptz AS when, NULL::bool AS flag,"
		" NULL::uuid AS id, NULL::text[] AS texts,"
		" NULL::uuid[] AS ids",
		&all_row, false, false
	},
};

static const struct stmts set = {
	statements, sizeof(statements) / sizeof(statements[0])
};
static const struct stmts *const sets[] = { &set };

static struct db *
make(long deadline_ms, bool prepared)
{
	const struct db_config config = {
		.dsn = strdup(fixture_dsn("docket_api", "docket")),
		.application = "test", .sets = sets, .n_sets = 1,
		.prepared = prepared, .deadline_ms = deadline_ms,
	};
	struct db *made = db_new(&config);

	arena_defer(mem, free, (char *)(uintptr_t)config.dsn);
	assert_non_null(made);
	assert_int_equal(db_connect(made, 60000), 0);
	return made;
}

static int
run(struct db *on, int which, struct db_result *ret)
{
	const struct db_params none = { 0 };

	return db_run(on, mem, &statements[which], &none, ret);
}

static int64_t
pid_of(struct db *on)
{
	struct db_result r;

	assert_int_equal(run(on, PID, &r), 0);
	return *(const int64_t *)r.v;
}

static void
kill_backend(struct db *on)
{
	fixture_sql("SELECT pg_terminate_backend(%lld, 2000)",
	    (long long)pid_of(on));
}

static void
echo(struct db *on, const struct all *in, struct all *ret)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_text(&p, in->text);
	db_bytes(&p, in->bytes);
	db_int(&p, in->number);
	db_int4(&p, (int32_t)in->small);
	db_time(&p, in->when);
	db_bool(&p, in->flag);
	db_uuid(&p, &in->id);
	db_texts(&p, mem, in->texts);
	db_uuids(&p, mem, in->ids.v, in->ids.n);
	assert_int_equal(db_run(on, mem, &statements[ECHO], &p, &r), 0);
	assert_int_equal(r.rows, 1);
	*ret = *(const struct all *)r.v;
}

static void
values_come_back_as_they_went(void **state)
{
	struct text texts[] = { TEXT("a"), TEXT(""), TEXT("{\"\\,NULL") };
	struct uuid ids[] = { { { 1 } }, { { 2 } } };
	const struct all in = {
		.text = TEXT("\xC3\xA4 'x'"),
		.bytes = { "\0\xFF\\", 3 }, .number = INT64_MAX,
		.small = -5, .when = -INT64_C(62135596800000000),
		.flag = true, .id = { { 9 } }, .texts = { texts, 3 },
		.ids = { .v = ids, .n = 2 },
	};
	struct all none = {
		.number = INT_NONE, .when = TIME_NONE, .texts = { texts, 0 },
	};
	struct all out;

	(void)state;
	for (int prepared = 0; prepared < 2; prepared++) {
		struct db *on = make(2000, prepared);

		echo(on, &in, &out);
		assert_true(text_equal(out.text, in.text));
		assert_true(text_equal(out.bytes, in.bytes));
		assert_true(out.number == INT64_MAX && out.small == -5);
		assert_true(out.when == in.when && out.flag);
		assert_true(uuid_equal(&out.id, &in.id));
		assert_int_equal(out.texts.n, 3);
		for (size_t i = 0; i < 3; i++)
			assert_true(text_equal(out.texts.v[i], texts[i]));
		assert_int_equal(out.ids.n, 2);
		assert_memory_equal(out.ids.v, ids, sizeof(ids));
		echo(on, &none, &out);
		assert_null(out.text.s);
		assert_null(out.bytes.s);
		assert_true(out.number == INT_NONE && out.when == TIME_NONE);
		assert_true(uuid_is_nil(&out.id) && !out.flag);
		assert_true(out.texts.v && out.texts.n == 0);
		db_free(on);
	}
}

static void
nulls_and_infinity_are_none(void **state)
{
	struct db *on = make(2000, true);
	struct db_result r;
	const struct all *out;

	(void)state;
	assert_int_equal(run(on, INFINITE, &r), 0);
	out = r.v;
	assert_true(out->when == TIME_NONE && out->number == INT_NONE);
	assert_int_equal(out->small, -7);
	assert_null(out->texts.v);
	db_free(on);
}

static void
every_statement_fits_the_schema(void **state)
{
	static const struct stmts *const courier[] = { &outbox_statements };
	const struct db_config config = {
		.dsn = fixture_dsn("docket_courier", "docket"),
		.application = "test", .sets = courier, .n_sets = 1,
		.prepared = true,
	};
	struct db *api = fixture_connect(), *other = db_new(&config);

	(void)state;
	assert_true(db_ready(api));
	assert_int_equal(db_connect(other, 60000), 0);
	db_free(api);
	db_free(other);
}

static void
a_statement_that_does_not_fit_keeps_it_from_serving(void **state)
{
	static const char *const drifts[] = {
		"SELECT 1::bigint AS w", "SELECT 'x'::text AS v",
		"SELECT 1::bigint AS v, 2 AS w", "SELECT v FROM docket.nothing",
		"DELETE FROM docket.attempts WHERE n < 0", "SELEC",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(drifts) / sizeof(drifts[0]); i++) {
		const struct stmt bad[] = {
			statements[PID],
			{ "bad", drifts[i], &number_row, false, false },
		};
		const struct stmts bads = { bad, 2 };
		const struct stmts *const in[] = { &set, &bads };
		const struct db_config config = {
			.dsn = fixture_dsn("docket_api", "docket"),
			.application = "test", .sets = in + 1, .n_sets = 1,
			.prepared = i % 2,
		};
		struct db *on = db_new(&config);
		struct db_result r;

		assert_int_equal(db_connect(on, 60000), -EPROTO);
		assert_false(db_ready(on));
		assert_int_equal(run(on, PID, &r), E_DATABASE);
		db_free(on);
	}
}

static void
without_a_server_the_answer_comes_at_once(void **state)
{
	const struct db_config config = {
		.dsn = "host=/nonexistent dbname=docket", .sets = sets,
		.n_sets = 1, .application = "test", .prepared = true,
	};
	struct db *on = db_new(&config);
	struct db_result r;
	int64_t start;

	(void)state;
	assert_int_equal(db_connect(on, 300), E_DATABASE);
	start = clock_mono_ms();
	for (int i = 0; i < 100; i++)
		assert_int_equal(run(on, PID, &r), E_DATABASE);
	assert_true(clock_mono_ms() - start < 5000);
	assert_true(db_tick_ms(on) >= 0 && db_tick_ms(on) <= 250);
	assert_int_equal(db_begin(on), E_DATABASE);
	db_free(on);
}

static void
a_slow_statement_ends_at_the_deadline(void **state)
{
	int64_t start, pid;
	struct db_result r;
	struct db *on;
	int error;

	(void)state;
	/* The server has a tenth of a second to say so, which a busy machine
	 * may need for itself; not each time. */
	for (int i = 0; i < 20; i++) {
		on = make(1000, true);
		pid = pid_of(on);
		start = clock_mono_ms();
		error = run(on, SLEEP_WRITE, &r);
		assert_true(clock_mono_ms() - start >= 990);
		if (error == E_TIMEOUT)
			break;
		assert_int_equal(error, E_OUTCOME);
		db_free(on);
	}
	assert_int_equal(error, E_TIMEOUT);
	/* The server did it, and the connection stands. */
	assert_int_equal(pid_of(on), pid);
	db_free(on);
}

static void
a_silent_server_is_given_up_on(void **state)
{
	(void)state;
	for (int write = 0; write < 2; write++) {
		struct db *on = make(1000, true);
		pid_t pid = (pid_t)pid_of(on);
		int64_t start = clock_mono_ms();
		struct db_result r;

		if (kill(pid, SIGSTOP)) {
			db_free(on);
			skip();
		}
		assert_int_equal(run(on, write ? SLEEP_WRITE : SLEEP, &r),
		    write ? E_OUTCOME : E_TIMEOUT);
		assert_in_range(clock_mono_ms() - start, 1090, 60000);
		assert_false(db_ready(on));
		assert_int_equal(db_fd(on), -1);
		kill(pid, SIGCONT);
		assert_int_equal(db_connect(on, 60000), 0);
		db_free(on);
	}
}

static void *
terminate_soon(void *pid)
{
	struct db_result r;
	struct arena *own = arena_new(4096);
	const struct stmt stmt = {
		"kill", "SELECT pg_terminate_backend($1::bigint::int)::int"
		" AS v", &number_row, false, false
	};
	const struct db_config config = {
		.dsn = fixture_dsn("postgres", "docket"),
		.application = "killer",
	};
	struct db *killer = db_new(&config);
	struct db_params p = { 0 };

	if (db_connect(killer, 60000) == 0) {
		nanosleep(&(struct timespec){ 0, 150000000 }, NULL);
		db_int(&p, *(const int64_t *)pid);
		(void)db_run(killer, own, &stmt, &p, &r);
	}
	db_free(killer);
	arena_free(own);
	return NULL;
}

static void
death_in_a_statement_depends_on_what_it_was(void **state)
{
	static const struct {
		int which;
		bool in_tx;
		int error;
	} cases[] = {
		{ SLEEP, false, E_DATABASE },
		{ SLEEP_WRITE, false, E_OUTCOME },
		{ SLEEP_WRITE, true, E_DATABASE },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct db *on = make(5000, true);
		int64_t pid = pid_of(on);
		struct db_result r;
		pthread_t killer;

		if (cases[i].in_tx)
			assert_int_equal(db_begin(on), 0);
		pthread_create(&killer, NULL, terminate_soon, &pid);
		assert_int_equal(run(on, cases[i].which, &r), cases[i].error);
		pthread_join(killer, NULL);
		assert_false(db_in_transaction(on));
		assert_false(db_ready(on));
		db_free(on);
	}
}

static void
death_before_a_statement_is_no_doubt(void **state)
{
	struct db *on = make(2000, true);
	struct db_result r;

	(void)state;
	kill_backend(on);
	assert_int_equal(run(on, SLEEP_WRITE, &r), E_DATABASE);
	assert_int_equal(db_connect(on, 60000), 0);
	assert_int_equal(db_begin(on), 0);
	kill_backend(on);
	assert_int_equal(db_commit(on), E_DATABASE);
	db_rollback(on);
	assert_int_equal(db_connect(on, 60000), 0);
	pid_of(on);
	db_free(on);
}

static void
transactions_end_one_way_or_the_other(void **state)
{
	struct db *on = make(2000, true);
	struct db_result r;

	(void)state;
	db_rollback(on);
	assert_int_equal(db_begin(on), 0);
	assert_true(db_in_transaction(on));
	assert_int_equal(db_commit(on), 0);
	assert_false(db_in_transaction(on));
	assert_int_equal(db_begin(on), 0);
	assert_int_equal(run(on, FAIL, &r), -EIO);
	/* What failed cannot be committed. */
	assert_int_equal(db_commit(on), -EIO);
	assert_int_equal(db_begin(on), 0);
	db_rollback(on);
	assert_false(db_in_transaction(on));
	pid_of(on);
	db_free(on);
}

/* One turn of an event loop. */
static void
turn(struct db *on, int ms)
{
	struct pollfd p = { .fd = db_fd(on) };
	int tick = db_tick_ms(on);

	p.events = (short)((db_events(on) & EPOLLIN ? POLLIN : 0) |
	    (db_events(on) & EPOLLOUT ? POLLOUT : 0));
	poll(&p, 1, tick >= 0 && tick < ms ? tick : ms);
	db_step(on);
}

static void
an_idle_connection_notices_its_end_and_returns(void **state)
{
	struct db *on = make(2000, true);
	int64_t start;

	(void)state;
	kill_backend(on);
	turn(on, 60000);
	assert_false(db_ready(on));
	assert_int_equal(db_fd(on), -1);
	start = clock_mono_ms();
	while (!db_ready(on) && clock_mono_ms() - start < 60000)
		turn(on, 100);
	assert_true(db_ready(on));
	db_free(on);
}

static void *
restart(void *arg)
{
	const char *as = getuid() == 0 ? "runuser -u postgres --" : "";

	(void)arg;
	/* The settings' log_min_messages keep this quiet. */
	fixture_shell("cd / && %s $(ls -d /usr/lib/postgresql/*/bin | tail -1)"
	    "/pg_ctl -D %s/data -m immediate -w -l %s/log restart >/dev/null",
	    as, fixture_dir(), fixture_dir());
	*(int64_t *)arg = clock_mono_ms();
	return NULL;
}

static void
after_a_restart_it_serves_again(void **state)
{
	const struct db_config config = {
		.dsn = fixture_dsn("docket_api", "docket"),
		.application = "test", .sets = store_statements,
		.n_sets = store_statements_n, .prepared = true,
		.deadline_ms = 2000,
	};
	struct db *on = db_new(&config);
	int64_t up = 0, ready = 0, start;
	pthread_t thread;
	bool lost = false;

	(void)state;
	assert_int_equal(db_connect(on, 60000), 0);
	start = clock_mono_ms();
	pthread_create(&thread, NULL, restart, &up);
	while (!ready && clock_mono_ms() - start < 60000) {
		turn(on, 50);
		lost = lost || !db_ready(on);
		if (lost && db_ready(on))
			ready = clock_mono_ms();
	}
	pthread_join(thread, NULL);
	print_message("ready %lld ms after pg_ctl said so\n",
	    (long long)(ready - up));
	assert_true(ready > 0);
	db_free(on);
}

static void
a_script_says_what_failed(void **state)
{
	struct db *on = make(2000, true);
	const char *why;

	(void)state;
	assert_int_equal(db_script(on, "SELECT 1; SELECT 2", &why), 0);
	assert_int_equal(db_script(on, "SELECT 1; SELECT 1/0; SELECT 2", &why),
	    -EPROTO);
	assert_string_equal(why, "22012: division by zero");
	db_free(on);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(values_come_back_as_they_went),
		CASE(nulls_and_infinity_are_none),
		CASE(every_statement_fits_the_schema),
		CASE(a_statement_that_does_not_fit_keeps_it_from_serving),
		CASE(without_a_server_the_answer_comes_at_once),
		CASE(a_slow_statement_ends_at_the_deadline),
		CASE(a_silent_server_is_given_up_on),
		CASE(death_in_a_statement_depends_on_what_it_was),
		CASE(death_before_a_statement_is_no_doubt),
		CASE(transactions_end_one_way_or_the_other),
		CASE(an_idle_connection_notices_its_end_and_returns),
		CASE(a_script_says_what_failed),
		CASE(after_a_restart_it_serves_again),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
