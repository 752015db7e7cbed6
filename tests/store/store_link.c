/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: whom the connection finds, and how it parts: hosts that are silent or
 * close at once, a server that is read-only, a COMMIT without an answer. */
#include "lib/store_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/hosts.h"

static const struct field number_fields[] = {
	{ .name = "v", .type = FIELD_INT, .offset = 0 },
};

static const struct fields number_row = FIELDS(NULL, number_fields, int64_t);

enum { PID, WRITE, SLEEP, RAISE };

static const struct stmt statements[] = {
	[PID] = {
		"pid", "SELECT pg_backend_pid() AS v", &number_row, false,
		false
	},
	[WRITE] = {
		"write", "INSERT INTO docket.attempts"
		" (kind, subject, window_start, n) VALUES ('login',"
		" sha256(random()::text::bytea), now(), 1)"
		" RETURNING n AS v", &number_row, false, true
	},
	[SLEEP] = {
		"sleep", "SELECT 1 AS v FROM pg_sleep(8)", &number_row, false,
		true
	},
	[RAISE] = {
		"raise", "SELECT public.raise($1::text) AS v", &number_row,
		false, false
	},
};

static const struct stmts set = {
	statements, sizeof(statements) / sizeof(statements[0])
};
static const struct stmts *const sets[] = { &set };

/* deadline 20 s: what ends sooner does so for another reason. */
static struct db *
make_with(const char *dsn, long statement_ms)
{
	const struct db_config config = {
		.dsn = arena_printf(mem, "%s", dsn), .application = "test",
		.sets = sets, .n_sets = 1, .prepared = true,
		.deadline_ms = 20000, .statement_ms = statement_ms,
	};
	struct db *made = db_new(&config);

	assert_non_null(made);
	return made;
}

static struct db *
make(void)
{
	struct db *made = make_with(fixture_dsn("docket_api", "docket"), 0);

	assert_int_equal(db_connect(made, 10000), 0);
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
lists_begin_at_any_host(void **state)
{
	static const struct {
		struct hosts in;
		unsigned from, n;
		struct hosts out;
	} cases[] = {
		{ { NULL, NULL, NULL }, 3, 1, { NULL, NULL, NULL } },
		{ { "a", NULL, "1" }, 2, 1, { "a", NULL, "1" } },
		{ { "a,b", NULL, NULL }, 0, 2, { "a,b", NULL, NULL } },
		{ { "a,b", NULL, "7" }, 1, 2, { "b,a", NULL, "7" } },
		{ { "a,bb,c", NULL, "1,2,3" }, 1, 3,
		    { "bb,c,a", NULL, "2,3,1" } },
		{ { "a,bb,c", "1.1,2.2,", "1,,3" }, 5, 3,
		    { "c,a,bb", ",1.1,2.2", "3,1," } },
		{ { NULL, "::1,::2", NULL }, 1, 2, { NULL, "::2,::1", NULL } },
		{ { ",b", NULL, "," }, 1, 2, { "b,", NULL, "," } },
		{ { "", NULL, "" }, 1, 1, { "", NULL, "" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hosts got;
		char *text;

		assert_int_equal(hosts_count(&cases[i].in), cases[i].n);
		assert_true(hosts_from(&cases[i].in, cases[i].from, &got,
		    &text));
		for (size_t k = 0; k < 3; k++) {
			/* cppcheck-suppress objectIndex ; three in a row */
			const char *want = (&cases[i].out.host)[k];
			/* cppcheck-suppress objectIndex ; likewise */
			const char *is = (&got.host)[k];

			assert_true(!want == !is);
			if (want)
				assert_string_equal(is, want);
		}
		free(text);
	}
}

/* A directory with a server's socket in it that nobody serves. */
static int
deaf_socket(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	const char *path = arena_printf(mem, "%s/%s", fixture_dir(), name);

	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

/* How many came since; they are let down, or stay waiting with `keep`. */
static int
take_all(int fd, bool keep)
{
	int n = 0, one;

	while ((one = accept(fd, NULL, NULL)) >= 0) {
		n++;
		if (!keep)
			close(one);
	}
	return n;
}

static const char *
two_hosts(const char *first, const char *ports)
{
	return arena_printf(mem, "host=%s,%s port=%s user=docket_api "
	    "dbname=docket", first, fixture_dir(), ports);
}

/* Ready within a minute, while the deaf one does what it does. */
static int
connect_past(struct db *on, int deaf, bool keep)
{
	int64_t start = clock_mono_ms();
	int n = 0;

	while (!db_ready(on) && clock_mono_ms() - start < 60000) {
		turn(on, 20);
		n += take_all(deaf, keep);
	}
	assert_true(db_ready(on));
	return n;
}

static void
a_first_host_that_does_not_answer_is_passed_by(void **state)
{
	static const char *const names[] = { "closes", "silent" };

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		int deaf = deaf_socket(names[keep]);
		struct db *on = make_with(two_hosts(arena_printf(mem, "%s/%s",
		    fixture_dir(), names[keep]), "5432"), 0);

		assert_true(connect_past(on, deaf, keep) >= 1);
		/* The way that was found is the first to be gone again. */
		fixture_sql("SELECT pg_terminate_backend(%lld, 2000)",
		    (long long)pid_of(on));
		turn(on, 1000);
		assert_false(db_ready(on));
		assert_int_equal(connect_past(on, deaf, keep), 0);
		pid_of(on);
		db_free(on);
		close(deaf);
	}
}

/* A door whose queue is full drops what knocks: a host in a black hole. */
static void
a_first_host_in_a_black_hole_is_passed_by(void **state)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(at);
	int door = socket(AF_INET, SOCK_STREAM, 0), knock[8];
	struct pollfd p;
	struct db *on;

	(void)state;
	assert_int_equal(bind(door, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(door, 0), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&at, &size), 0);
	for (size_t i = 0; i < 8; i++) {
		knock[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(knock[i], (struct sockaddr *)&at, size);
	}
	p = (struct pollfd){ .fd = knock[7], .events = POLLOUT };
	assert_int_equal(poll(&p, 1, 200), 0);
	on = make_with(two_hosts("127.0.0.1", arena_printf(mem, "%d,5432",
	    ntohs(at.sin_port))), 0);
	assert_int_equal(db_connect(on, 10000), 0);
	pid_of(on);
	db_free(on);
	for (size_t i = 0; i < 8; i++)
		close(knock[i]);
	close(door);
}

static void
all_hosts_dead_is_no_busy_loop(void **state)
{
	int deaf = deaf_socket("first"), other = deaf_socket("second");
	const char *dsn = arena_printf(mem, "host=%s/first,%s/second "
	    "user=docket_api dbname=docket", fixture_dir(), fixture_dir());
	struct db *on = make_with(dsn, 0);
	int64_t start = clock_mono_ms(), most;
	int first = 0, second = 0;

	(void)state;
	while (clock_mono_ms() - start < 2500 ||
	    ((!first || !second) && clock_mono_ms() - start < 60000)) {
		turn(on, 100);
		first += take_all(deaf, true);
		second += take_all(other, true);
	}
	most = 2 + (clock_mono_ms() - start) / 1000;
	assert_in_range(first, 1, most);
	assert_in_range(second, 1, most);
	db_free(on);
	close(deaf);
	close(other);
}

/* As behind a virtual address that moved: what is connected stays read-only,
 * who comes anew may write. */
static struct db *
make_read_only(void)
{
	struct db *on;

	fixture_sql("ALTER ROLE docket_api SET default_transaction_read_only"
	    " = on");
	on = make();
	fixture_sql("ALTER ROLE docket_api RESET"
	    " default_transaction_read_only");
	return on;
}

static void
a_read_only_connection_reads_until_there_is_a_better_one(void **state)
{
	struct db *on = make_read_only();
	int64_t old = pid_of(on), start = clock_mono_ms();
	struct db_result r;

	(void)state;
	assert_int_equal(run(on, WRITE, &r), E_DATABASE);
	assert_int_equal(pid_of(on), old);
	while (pid_of(on) == old && clock_mono_ms() - start < 60000)
		turn(on, 20);
	assert_true(pid_of(on) != old);
	assert_int_equal(run(on, WRITE, &r), 0);
	assert_int_equal(db_tick_ms(on), -1);
	while (fixture_int("SELECT count(*) FROM pg_stat_activity"
	    " WHERE pid = %lld", (long long)old) != 0)
		assert_true(clock_mono_ms() - start < 90000);
	db_free(on);
}

static void
a_better_one_is_sought_at_the_next_host(void **state)
{
	int deaf = deaf_socket("next");
	const char *dsn = arena_printf(mem, "host=%s,%s/next user=docket_api"
	    " dbname=docket", fixture_dir(), fixture_dir());
	struct db *on = make_with(dsn, 0);
	int64_t start = clock_mono_ms(), pid;
	struct db_result r;

	(void)state;
	fixture_sql("ALTER ROLE docket_api SET default_transaction_read_only"
	    " = on");
	assert_int_equal(db_connect(on, 10000), 0);
	fixture_sql("ALTER ROLE docket_api RESET"
	    " default_transaction_read_only");
	pid = pid_of(on);
	assert_int_equal(run(on, WRITE, &r), E_DATABASE);
	while (take_all(deaf, false) == 0) {
		assert_true(clock_mono_ms() - start < 60000);
		turn(on, 20);
	}
	assert_int_equal(pid_of(on), pid);
	db_free(on);
	close(deaf);
}

static void
without_a_better_one_the_reads_go_on(void **state)
{
	struct db *on = make_read_only();
	int64_t old = pid_of(on), start = clock_mono_ms();
	struct db_result r;

	(void)state;
	/* The one that it has is all that it gets. */
	fixture_sql("ALTER ROLE docket_api CONNECTION LIMIT 1");
	while (clock_mono_ms() - start < 1500) {
		assert_int_equal(run(on, WRITE, &r), E_DATABASE);
		assert_int_equal(pid_of(on), old);
		turn(on, 10);
	}
	fixture_sql("ALTER ROLE docket_api CONNECTION LIMIT -1");
	while (pid_of(on) == old && clock_mono_ms() - start < 60000)
		turn(on, 20);
	assert_int_equal(run(on, WRITE, &r), 0);
	db_free(on);
}

static void
while_all_is_read_only_few_are_tried(void **state)
{
	int64_t start = clock_mono_ms(), pid, n = 0;
	struct db_result r;
	struct db *on;

	(void)state;
	fixture_sql("ALTER ROLE docket_api SET default_transaction_read_only"
	    " = on");
	on = make();
	pid = pid_of(on);
	while (clock_mono_ms() - start < 2000 ||
	    (!n && clock_mono_ms() - start < 60000)) {
		assert_int_equal(run(on, WRITE, &r), E_DATABASE);
		n += pid_of(on) != pid;
		pid = pid_of(on);
		turn(on, 5);
	}
	assert_in_range(n, 1, 2 + (clock_mono_ms() - start) / 3000);
	fixture_sql("ALTER ROLE docket_api RESET"
	    " default_transaction_read_only");
	db_free(on);
}

static void
one_that_dies_meanwhile_is_lost_as_ever(void **state)
{
	struct db *on = make_read_only();
	struct db_result r;

	(void)state;
	assert_int_equal(run(on, WRITE, &r), E_DATABASE);
	db_step(on);	/* the better one is on its way */
	fixture_sql("SELECT pg_terminate_backend(%lld, 2000)",
	    (long long)pid_of(on));
	turn(on, 1000);
	assert_false(db_ready(on));
	assert_int_equal(db_connect(on, 10000), 0);
	assert_int_equal(run(on, WRITE, &r), 0);
	db_free(on);
}

/* The request's time is up for COMMIT and ROLLBACK too: a little is left. */
static void
a_transaction_ends_within_the_requests_time(void **state)
{
	(void)state;
	for (int commit = 0; commit < 2; commit++) {
		struct db *on = make();
		pid_t pid = (pid_t)pid_of(on);
		int64_t start;
		struct db_result r;

		assert_int_equal(db_begin(on), 0);
		assert_int_equal(run(on, WRITE, &r), 0);
		if (kill(pid, SIGSTOP)) {
			db_free(on);
			skip();
		}
		start = clock_mono_ms();
		db_deadline(on, start + 100);
		if (commit)
			assert_int_equal(db_commit(on), E_OUTCOME);
		else
			db_rollback(on);
		assert_in_range(clock_mono_ms() - start, 190, 60000);
		assert_false(db_ready(on));
		assert_false(db_in_transaction(on));
		kill(pid, SIGCONT);
		db_free(on);
	}
}

static void
the_server_ends_a_slow_statement_first(void **state)
{
	struct db *on = make_with(fixture_dsn("docket_api", "docket"), 300);
	int64_t start, pid;
	struct db_result r;

	(void)state;
	assert_int_equal(db_connect(on, 10000), 0);
	pid = pid_of(on);
	start = clock_mono_ms();
	assert_int_equal(run(on, SLEEP, &r), E_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 290, 60000);
	assert_int_equal(pid_of(on), pid);
	db_free(on);
}

static void
what_the_server_lacks_is_no_fault_of_the_statement(void **state)
{
	static const struct {
		const char *state;
		int error;
	} cases[] = {
		{ "53100", E_DATABASE },	/* disk full */
		{ "53200", E_DATABASE },	/* out of memory */
		{ "53300", E_DATABASE },	/* too many connections */
		{ "57P03", E_DATABASE },	/* cannot connect now */
		{ "58030", E_DATABASE },	/* input/output error */
		{ "25006", E_DATABASE },	/* read-only */
		{ "57014", E_TIMEOUT }, { "40001", E_BUSY },
		{ "55P03", E_BUSY }, { "XX001", -EIO }, { "42703", -EIO },
	};
	struct db *on = make();
	int64_t pid = pid_of(on);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db_params p = { 0 };
		struct db_result r;

		db_text(&p, text_of(cases[i].state));
		assert_int_equal(db_run(on, mem, &statements[RAISE], &p, &r),
		    cases[i].error);
		assert_int_equal(pid_of(on), pid);
	}
	db_free(on);
}

static int
start(void **state)
{
	int r = fixture_start(state);

	if (r == 0)
		fixture_sql("CREATE FUNCTION public.raise(state text) RETURNS"
		    " bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'"
		    " USING ERRCODE = state; END $$");
	return r;
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lists_begin_at_any_host),
		CASE(a_first_host_that_does_not_answer_is_passed_by),
		CASE(a_first_host_in_a_black_hole_is_passed_by),
		CASE(all_hosts_dead_is_no_busy_loop),
		CASE(a_read_only_connection_reads_until_there_is_a_better_one),
		CASE(a_better_one_is_sought_at_the_next_host),
		CASE(without_a_better_one_the_reads_go_on),
		CASE(while_all_is_read_only_few_are_tried),
		CASE(one_that_dies_meanwhile_is_lost_as_ever),
		CASE(a_transaction_ends_within_the_requests_time),
		CASE(the_server_ends_a_slow_statement_first),
		CASE(what_the_server_lacks_is_no_fault_of_the_statement),
	};

	return cmocka_run_group_tests(tests, start, fixture_stop);
}
