/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Programs that are run: what they get, what they say, when they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/tool.h"

static struct arena *mem;

static int
run(const char *const *argv, struct text input, struct tool_end *ret)
{
	const struct tool tool = { .argv = argv, .input = input };

	return tool_run(mem, &tool, ret);
}

static void
test_what_goes_in_comes_out(void **state)
{
	static const char *const argv[] = { "cat", NULL };
	struct tool_end end;

	(void)state;
	assert_int_equal(run(argv, TEXT("one\ntwo\n"), &end), 0);
	assert_string_equal(end.out.s, "one\ntwo");
	assert_int_equal(run(argv, TEXT_NONE, &end), 0);
	assert_int_equal(end.out.n, 0);
}

/* More than a pipe would hold: nobody reads while it writes. */
static void
test_much_of_it(void **state)
{
	static const char *const argv[] = {
		"head", "-c", "8000000", "/dev/zero", NULL,
	};
	struct tool_end end;

	(void)state;
	assert_int_equal(run(argv, TEXT_NONE, &end), 0);
	assert_int_equal(end.out.n, 4 << 20);
}

static void
test_how_it_ended_is_told(void **state)
{
	static const char *const fails[] = {
		"/bin/sh", "-c", "echo out; echo why >&2; exit 7", NULL,
	};
	static const char *const dies[] = {
		"/bin/sh", "-c", "kill -TERM $$", NULL,
	};
	static const char *const none[] = { "no-such-program", NULL };
	struct tool_end end;

	(void)state;
	assert_int_equal(run(fails, TEXT_NONE, &end), 7);
	assert_string_equal(end.out.s, "out");
	assert_string_equal(end.err.s, "why");
	assert_int_equal(run(dies, TEXT_NONE, &end), -1);
	assert_non_null(strstr(end.err.s, "signal 15"));
	assert_int_equal(run(none, TEXT_NONE, &end), -1);
	assert_non_null(strstr(end.err.s, "is not installed"));
}

static void
test_nobody_waits_longer_than_it_may_take(void **state)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	const struct tool tool = { .argv = argv, .seconds = 1 };
	const int64_t from = clock_mono_ms();
	struct tool_end end;

	(void)state;
	assert_int_equal(tool_run(mem, &tool, &end), -1);
	assert_non_null(strstr(end.err.s, "not done in 1 s"));
	assert_true(clock_mono_ms() - from < 300000);
}

static void
test_no_such_user_is_told(void **state)
{
	static const char *const argv[] = { "true", NULL };
	const struct tool tool = { .argv = argv, .user = "no-such-user" };
	struct tool_end end;

	(void)state;
	assert_int_equal(tool_run(mem, &tool, &end), -1);
	assert_string_equal(end.err.s, "there is no user no-such-user");
}

/* Neither what PostgreSQL's programs would listen to, nor an open file. */
static void
test_what_it_does_not_get(void **state)
{
	static const char *const env[] = { "env", NULL };
	static const char *const files[] = {
		"/bin/sh", "-c", "ls /proc/$$/fd; true", NULL,
	};
	const int open_here = open("/dev/null", O_RDONLY);
	struct tool_end end;

	(void)state;
	setenv("PGHOST", "elsewhere", 1);
	setenv("PGPASSWORD", "hunter22", 1);
	setenv("LC_MESSAGES", "fa_IR", 1);
	assert_int_equal(run(env, TEXT_NONE, &end), 0);
	assert_null(strstr(end.out.s, "PGHOST"));
	assert_null(strstr(end.out.s, "hunter22"));
	assert_null(strstr(end.out.s, "fa_IR"));
	assert_non_null(strstr(end.out.s, "LC_ALL=C.UTF-8"));
	assert_true(open_here > 2);
	assert_int_equal(run(files, TEXT_NONE, &end), 0);
	assert_string_equal(end.out.s, "0\n1\n2");
	close(open_here);
}

/* Held, a signal ends the program and not us. */
static void
test_a_signal_goes_to_the_program(void **state)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	const struct tool tool = { .argv = argv, .seconds = 300 };
	struct tool_end end;

	(void)state;
	/* As in the background of a shell. */
	signal(SIGINT, SIG_IGN);
	tool_hold(true);
	kill(getpid(), SIGTERM);
	assert_int_equal(tool_run(mem, &tool, &end), -1);
	tool_hold(false);
	signal(SIGINT, SIG_DFL);
	assert_non_null(strstr(end.err.s, "signal 2"));
}

static void
count_up(void *arg)
{
	++*(int *)arg;
}

static void
test_it_is_looked_at_while_it_runs(void **state)
{
	static const char *const argv[] = { "sleep", "1", NULL };
	int n = 0;
	const struct tool tool = {
		.argv = argv, .tick = count_up, .arg = &n,
	};
	struct tool_end end;

	(void)state;
	assert_int_equal(tool_run(mem, &tool, &end), 0);
	assert_true(n >= 2);
}

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(4096);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_much_of_it),
		cmocka_unit_test(test_how_it_ended_is_told),
		cmocka_unit_test(test_nobody_waits_longer_than_it_may_take),
		cmocka_unit_test(test_no_such_user_is_told),
		cmocka_unit_test(test_what_it_does_not_get),
		cmocka_unit_test(test_a_signal_goes_to_the_program),
		cmocka_unit_test(test_it_is_looked_at_while_it_runs),
	};

	return cmocka_run_group_tests_name("cli_tool", tests, setup, teardown);
}
