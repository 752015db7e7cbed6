/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tell systemd how we are: sd_notify(3) by hand, a documented protocol. */
#include "server/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* Where to; a length of 0 is nobody. */
static struct sockaddr_un address;
static socklen_t address_len;
static int watchdog_ms = -1;

static void
take_address(const char *path)
{
	size_t n = strlen(path);

	/* A path or, with '@', a name in the abstract namespace. */
	if ((path[0] != '/' && path[0] != '@') || n < 2 ||
	    n >= sizeof(address.sun_path)) {
		log_event(LOG_WARN, "notify_socket", "refused=\"%s\"", path);
		return;
	}
	/* An abstract name is as long as it is; a path ends with its NUL. */
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, n + 1);
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		address_len++;
}

/* sd_watchdog_enabled(3): without a pid, or with ours, it is for us. */
static int
read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long half;

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return -1;
	half = strtoll(usec, NULL, 10) / 2000;
	if (half <= 0)
		return -1;
	return half > 60000 ? 60000 : (int)half;
}

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	address_len = 0;
	if (path)
		take_address(path);
	watchdog_ms = address_len > 0 ? read_watchdog() : -1;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* A socket a message: they are rare, and none is held open over a reload. Who
 * does not listen costs us nothing but a line. */
static void
notify_send(const char *message)
{
	int fd;

	if (address_len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, message, strlen(message), MSG_NOSIGNAL,
	    (const struct sockaddr *)&address, address_len) < 0)
		log_event(LOG_WARN, "notify_lost", "errno=%d", errno);
	if (fd >= 0)
		close(fd);
}

void
notify_ready(const char *status)
{
	char line[512];

	snprintf(line, sizeof(line), "READY=1\nSTATUS=%s", status);
	notify_send(line);
}

void
notify_reloading(void)
{
	struct timespec t;
	char line[96];

	/* systemd 253 tells an old READY from the one to come by this. */
	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(line, sizeof(line), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	notify_send(line);
}

void
notify_stopping(void)
{
	notify_send("STOPPING=1\nSTATUS=Finishing the requests in hand");
}

void
notify_watchdog(void)
{
	notify_send("WATCHDOG=1");
}

int
notify_watchdog_ms(void)
{
	return watchdog_ms;
}
