/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/user: root is given up for good, or the start is refused. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/user.h"

static char *said;
static size_t said_n;

static int
drop(const char *user)
{
	FILE *err;
	int r;

	free(said);
	err = open_memstream(&said, &said_n);
	r = user_drop(user, err);
	fclose(err);
	return r;
}

static void
nobody_needs_nothing(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	assert_int_equal(drop(""), 0);
	assert_int_equal(drop("no-such-user"), 0);
	assert_int_equal(said_n, 0);
}

static void
root_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(drop(""), -EPERM);
	assert_non_null(strstr(said, "server.user"));
	assert_int_equal(drop("root"), -EPERM);
	assert_int_equal(drop("no-such-user"), -ENOENT);
	assert_non_null(strstr(said, "no-such-user"));
	assert_int_equal(geteuid(), 0);
}

/* In a child: it cannot come back. */
static void
root_is_given_up(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		const struct passwd *pw = getpwnam("nobody");
		bool good = pw && user_drop("nobody", stderr) == 0 &&
		    getuid() == pw->pw_uid && getgid() == pw->pw_gid &&
		    setuid(0) < 0 && getgroups(0, NULL) <= 1;

		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_needs_nothing),
		cmocka_unit_test(root_is_refused),
		cmocka_unit_test(root_is_given_up),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(said);
	return r;
}
