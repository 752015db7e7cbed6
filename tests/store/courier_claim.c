/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The courier against a real outbox: once each, nothing lost, nothing told. */
#include "lib/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "courier/crew.h"

static char spool[] = "/tmp/docket-claim-XXXXXX";
static char logfile[64];
static struct secret seal = { .n = 32, .b = "r9K3vQ0m1xZ7pL5tB8nD2sF6hJ4gW0yU" };
static struct settings settings;
static struct templates *templates;
static struct courier courier = {
	.lanes = { { "sms", &way_spool }, { "email", &way_spool } },
	.settings = &settings, .seal = &seal, .once = true,
};

static int
setup(void **state)
{
	if (crypto_init() || fixture_start(state) || !mkdtemp(spool))
		return -1;
	snprintf(logfile, sizeof(logfile), "%s.log", spool);
	settings.database_courier_dsn =
	    strdup(fixture_dsn("docket_courier", "docket"));
	settings.database_prepared = "auto";
	settings.server_public_url = "";
	settings.otp_ttl = 120;
	settings.courier_spool_dir = spool;
	settings.courier_poll_ms = 50;
	settings.otp_length = 6;
	settings.courier_service_name = "Docket";
	settings.courier_language = "en";
	settings.courier_template_dir = "";
	settings.courier_sms_segments = 2;
	courier.templates = templates = templates_load(&settings, stderr);
	if (!templates)
		return -1;
	settings.courier_senders = 2;
	settings.courier_send_seconds = 10;
	settings.courier_breaker_failures = 5;
	settings.courier_keep_dead = 3600;
	return 0;
}

static int
teardown(void **state)
{
	templates_free(templates);
	free((char *)settings.database_courier_dsn);
	unlink(logfile);
	rmdir(spool);
	return fixture_stop(state);
}

/* An outbox row with a sealed code; seconds until it expires. */
static struct uuid
put(const char *code, int seconds)
{
	struct uuid id;
	struct text sealed;
	char hex[512] = "";

	assert_int_equal(crypto_uuid(&id, NULL), 0);
	assert_int_equal(crypto_seal(mem, &seal, text_of(fixture_uuid(&id)),
	    text_of(code), &sealed), 0);
	for (size_t i = 0; i < sealed.n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (uint8_t)sealed.s[i]);
	fixture_sql("INSERT INTO docket.outbox (id, channel, address, purpose,"
	    " sealed, expires_at) VALUES ('%s', 'sms', '+989121234567',"
	    " 'login', '\\x%s', now() + interval '%d s')", fixture_uuid(&id),
	    hex, seconds);
	return id;
}

static int64_t
left(void)
{
	return fixture_int("SELECT count(*)::bigint FROM docket.outbox");
}

/* Whole files in the spool; they are taken away. */
static size_t
collect(void)
{
	DIR *d = opendir(spool);
	size_t n = 0;

	for (struct dirent *e; (e = readdir(d)); ) {
		if (e->d_name[0] == '.' && strlen(e->d_name) < 3)
			continue;
		assert_int_not_equal(e->d_name[0], '.');
		assert_non_null(strstr(e->d_name, ".json"));
		unlinkat(dirfd(d), e->d_name, 0);
		n++;
	}
	closedir(d);
	return n;
}

static int
reset(void **state)
{
	fixture_sql("DELETE FROM docket.outbox;"
	    " DELETE FROM docket.dead_letters;"
	    " UPDATE docket.courier_lanes SET failures = 0, held_at = NULL,"
	    " opened_at = NULL, open_until = NULL");
	collect();
	courier.once = true;
	settings.courier_spool_dir = spool;
	return fixture_reset(state);
}

static bool
spooled(const struct uuid *id)
{
	return fixture_shell("grep -q 'code is 123456' %s/*-%s.json", spool,
	    fixture_uuid(id)) == 0;
}

static void
delivers_everything(void **state)
{
	struct uuid id = { .b = { 0 } };

	(void)state;
	for (int i = 0; i < 40; i++)
		id = put("123456", 120);
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(left(), 0);
	assert_true(spooled(&id));
	assert_int_equal(collect(), 40);
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(collect(), 0);
}

/* Killed between the file and the row's end: the lease runs out, and the
 * same file is written again. */
static void
a_crash_gives_the_same_file(void **state)
{
	struct uuid id = put("123456", 120);

	(void)state;
	fixture_sql("CREATE TABLE public.copy AS TABLE docket.outbox");
	assert_int_equal(courier_run(&courier), EX_OK);
	fixture_sql("INSERT INTO docket.outbox TABLE public.copy;"
	    " DROP TABLE public.copy");
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_true(spooled(&id));
	assert_int_equal(collect(), 1);
}

static void
expired_is_a_dead_letter(void **state)
{
	(void)state;
	put("123456", -1);
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(collect(), 0);
	assert_int_equal(left(), 0);
	assert_int_equal(fixture_int("SELECT count(*) FROM"
	    " docket.dead_letters WHERE last_error = 'expired'"
	    " AND tries = 1"), 1);
}

static void
unwanted_leaves_no_trace(void **state)
{
	(void)state;
	put("123456", 120);
	put("123456", -1);
	fixture_sql("UPDATE docket.outbox SET wanted = false");
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(collect(), 0);
	assert_int_equal(left(), 0);
	assert_int_equal(fixture_int("SELECT count(*) FROM"
	    " docket.dead_letters"), 0);
}

static void
leased_is_left_alone(void **state)
{
	(void)state;
	put("123456", 120);
	fixture_sql("UPDATE docket.outbox SET"
	    " next_at = now() + interval '30 s'");
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(collect(), 0);
	assert_int_equal(left(), 1);
}

static void
another_key_delays(void **state)
{
	struct secret right = seal;

	(void)state;
	put("123456", 120);
	seal.b[0] ^= 1;
	assert_int_equal(courier_run(&courier), EX_TEMPFAIL);
	seal = right;
	assert_int_equal(collect(), 0);
	assert_true(text_is(fixture_text("SELECT last_error FROM"
	    " docket.outbox"), "sealed under another key"));
	fixture_sql("UPDATE docket.outbox SET next_at = now()");
	assert_int_equal(courier_run(&courier), EX_OK);
	assert_int_equal(collect(), 1);
}

/* A sealed message moved to another row does not open there. */
static void
a_seal_is_bound_to_its_row(void **state)
{
	(void)state;
	put("123456", 120);
	fixture_sql("UPDATE docket.outbox SET id = gen_random_uuid()");
	assert_int_equal(courier_run(&courier), EX_TEMPFAIL);
	assert_int_equal(collect(), 0);
}

/* A way that was there at the start: it fails, and says so. */
static void
say_no(struct way *way, struct arena *m, const struct letter *letter,
    struct outcome *ret)
{
	(void)way;
	(void)m;
	(void)letter;
	outcome_set(ret, OUTCOME_LATER, true, "No such \"thing\"");
}

static int
no_open(const struct settings *s, FILE *errors, struct way **ret)
{
	(void)s;
	(void)errors;
	*ret = (struct way *)spool;
	return 0;
}

static void
no_close(struct way *way)
{
	(void)way;
}

static const struct way_kind failing = { "failing", no_open, say_no, no_close
};

static void
failure_delays(void **state)
{
	(void)state;
	put("123456", 120);
	courier.lanes[0].kind = &failing;
	assert_int_equal(courier_run(&courier), EX_TEMPFAIL);
	courier.lanes[0].kind = &way_spool;
	assert_true(text_is(fixture_text("SELECT last_error FROM"
	    " docket.outbox"), "No such ?thing?"));
	assert_true(fixture_int("SELECT tries::bigint FROM"
	    " docket.outbox") >= 1);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.outbox"
	    " WHERE next_at > now() + interval '31 s'"), 0);
}

static void
no_database(void **state)
{
	const char *dsn = settings.database_courier_dsn;

	(void)state;
	settings.database_courier_dsn = "host=/nonexistent";
	put("123456", 120);
	assert_int_equal(courier_run(&courier), EX_TEMPFAIL);
	settings.database_courier_dsn = dsn;
}

static pid_t
start(bool once)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		sigset_t stop;
		int fd = open(logfile, O_WRONLY | O_CREAT | O_APPEND, 0600);

		sigemptyset(&stop);
		sigaddset(&stop, SIGTERM);
		sigprocmask(SIG_BLOCK, &stop, NULL);
		dup2(fd, STDERR_FILENO);
		log_init("test", LOG_INFO);
		courier.once = once;
		_exit(courier_run(&courier));
	}
	return pid;
}

static int
finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
four_couriers_deliver_once_each(void **state)
{
	pid_t pids[4];

	(void)state;
	for (int i = 0; i < 200; i++)
		put("123456", 120);
	for (int i = 0; i < 4; i++)
		pids[i] = start(true);
	for (int i = 0; i < 4; i++)
		assert_int_equal(finish(pids[i]), EX_OK);
	assert_int_equal(left(), 0);
	assert_int_equal(collect(), 200);
	assert_int_equal(fixture_shell("test $(grep -c message_sent %s) = 200",
	    logfile), 0);
	/* Neither the code nor the whole address is in the log. */
	assert_int_equal(fixture_shell("grep -qE '123456|9121234567' %s",
	    logfile), 1);
	assert_int_equal(fixture_shell("grep -qF '+98912***567' %s", logfile),
	    0);
	unlink(logfile);
}

/* Stopped with messages in hand: each one is in the spool or in the outbox,
 * and those in the outbox can be had at once. */
static void
sigterm_gives_back(void **state)
{
	int64_t waiting = 200;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 200; i++)
		put("123456", 120);
	pid = start(false);
	while (waiting > 190)
		waiting = left();
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid), EX_OK);
	waiting = left();
	assert_int_equal(collect() + (size_t)waiting, 200);
	assert_int_equal(fixture_int("SELECT count(*)::bigint FROM"
	    " docket.outbox WHERE next_at > now()"), 0);
	unlink(logfile);
}

/* It polls: what comes later is delivered; and it stops while waiting. */
static void
waits_for_more(void **state)
{
	struct uuid id;
	pid_t pid = start(false);

	(void)state;
	id = put("123456", 120);
	for (int i = 0; i < 500 && left() > 0; i++)
		usleep(10000);
	assert_true(spooled(&id));
	/* Its connection is cut: it comes back by itself. */
	fixture_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	    " WHERE application_name = 'docket-courier'");
	id = put("123456", 120);
	for (int i = 0; i < 500 && left() > 0; i++)
		usleep(10000);
	assert_true(spooled(&id));
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid), EX_OK);
	unlink(logfile);
}

#define CASE(f) cmocka_unit_test_teardown(f, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(delivers_everything),
		CASE(a_crash_gives_the_same_file),
		CASE(expired_is_a_dead_letter),
		CASE(unwanted_leaves_no_trace),
		CASE(leased_is_left_alone),
		CASE(another_key_delays),
		CASE(a_seal_is_bound_to_its_row),
		CASE(failure_delays),
		CASE(no_database),
		CASE(four_couriers_deliver_once_each),
		CASE(sigterm_gives_back),
		CASE(waits_for_more),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
