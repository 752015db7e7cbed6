/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Settings read by a child: the same as read by ourselves, or a report. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/settings.h"

static char path[] = "/tmp/docket-apart-XXXXXX";
static char *said;
static size_t said_n;

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	free(said);
	return unlink(path);
}

/* Load a file of this content, with these sets; the report is in `said`. */
static int
load(const char *content, const char *const *sets, size_t n,
    struct settings *ret)
{
	const struct settings_source source = {
		.file = path, .sets = sets, .n_sets = n,
	};
	FILE *f = fopen(path, "w"), *err;
	int r;

	fputs(content, f);
	fclose(f);
	free(said);
	err = open_memstream(&said, &said_n);
	r = settings_load_apart(&source, err, ret);
	fclose(err);
	print_message("%s", said);
	return r;
}

static void
every_value_and_its_origin_comes_back(void **state)
{
	static const char *const sets[] = { "server.workers=7" };
	const struct settings_source source = {
		.file = path, .sets = sets, .n_sets = 1,
	};
	struct settings ours, theirs;
	char *a = NULL, *b = NULL;
	size_t n;
	FILE *f;

	(void)state;
	assert_int_equal(load("auth { issuer = \"two words\" }\n"
	    "limits { login_failures = 3 }\n", sets, 1, &theirs), 0);
	assert_string_equal(said, "");
	assert_int_equal(settings_load(&source, stderr, &ours), 0);
	f = open_memstream(&a, &n);
	settings_print(&ours, f);
	fclose(f);
	f = open_memstream(&b, &n);
	settings_print(&theirs, f);
	fclose(f);
	assert_string_equal(a, b);
	assert_int_equal(theirs.server_workers, 7);
	assert_int_equal(theirs.limits_login_failures, 3);
	free(a);
	free(b);
	settings_done(&ours);
	settings_done(&theirs);
}

static void
faults_are_told_and_nothing_changes(void **state)
{
	struct settings s = { .server_workers = 9 };

	(void)state;
	assert_int_equal(load("colour = red\nserver { workers = many }\n", NULL,
	    0, &s), -EINVAL);
	assert_non_null(strstr(said, ":1: unknown setting"));
	assert_non_null(strstr(said, ":2: server.workers must be"));
	assert_int_equal(s.server_workers, 9);
	assert_null(s.store);
}

/* The child's end, by a signal of its own: what came is not enough. */
static pid_t child;
static bool doomed;

pid_t
fork(void)
{
	child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0 && doomed)
		kill(getpid(), SIGKILL);
	return child;
}

static void
a_reader_that_dies_is_a_fault(void **state)
{
	struct settings s = { .server_workers = 9 };

	(void)state;
	doomed = true;
	assert_int_equal(load("", NULL, 0, &s), -EINVAL);
	doomed = false;
	assert_non_null(strstr(said, "signal 9"));
	assert_int_equal(s.server_workers, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_and_its_origin_comes_back),
		cmocka_unit_test(faults_are_told_and_nothing_changes),
		cmocka_unit_test(a_reader_that_dies_is_a_fault),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
