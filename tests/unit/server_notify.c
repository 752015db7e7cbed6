/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* server/notify: what arrives at a real datagram socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/notify.h"

static char folder[] = "/tmp/docket-notify-XXXXXX";

/* Bind like systemd; '@' in front is the abstract namespace. */
static int
listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(a.sun_path, name, n);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)(
	    offsetof(struct sockaddr_un, sun_path) + n +
	    (name[0] != '@'))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *
heard(int fd)
{
	static char line[1024];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

	line[n < 0 ? 0 : n] = '\0';
	return line;
}

static void
says_all(int fd)
{
	long long usec = 0;

	notify_init();
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_ready("Serving");
	assert_string_equal(heard(fd), "READY=1\nSTATUS=Serving");
	notify_reloading();
	assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    &usec), 1);
	assert_true(usec > 0);
	notify_watchdog();
	assert_string_equal(heard(fd), "WATCHDOG=1");
	notify_stopping();
	assert_non_null(strstr(heard(fd), "STOPPING=1\n"));
	close(fd);
}

static void
over_a_path(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/n", folder);
	says_all(listen_at(path));
	unlink(path);
}

static void
over_an_abstract_name(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@docket-notify-%d", (int)getpid());
	says_all(listen_at(name));
}

static void
the_watchdog_is_fed_at_half_its_time(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", "@docket-nobody", 1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init();
	assert_int_equal(notify_watchdog_ms(), 1500);
	assert_null(getenv("WATCHDOG_USEC"));
	/* meant for another process */
	setenv("NOTIFY_SOCKET", "@docket-nobody", 1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init();
	assert_int_equal(notify_watchdog_ms(), -1);
}

static void
without_systemd_nothing_happens(void **state)
{
	static const char *const bad[] = { "", "/", "relative", "@" };

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_init();
	notify_ready("Serving");
	assert_int_equal(notify_watchdog_ms(), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		notify_init();
		notify_ready("Serving");
	}
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_a_path),
		cmocka_unit_test(over_an_abstract_name),
		cmocka_unit_test(the_watchdog_is_fed_at_half_its_time),
		cmocka_unit_test(without_systemd_nothing_happens),
	};

	return cmocka_run_group_tests_name("server_notify", tests, set_up,
	    tear_down);
}
