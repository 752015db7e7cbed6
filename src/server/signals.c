/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signals arrive through signalfd, between two steps of the loops. */
#include "server/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
ignore(const int *v, size_t n)
{
	struct sigaction act = { .sa_handler = SIG_IGN };

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < n; i++)
		sigaction(v[i], &act, NULL);
}

/* Block exactly these and have them from a descriptor. */
static int
open_fd(const int *v, size_t n)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < n; i++) {
		/* libfcgi and whoever started us may have left others. */
		sigaction(v[i], &act, NULL);
		sigaddset(&set, v[i]);
	}
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
signals_supervisor(void)
{
	static const int ours[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGCHLD };
	static const int others[] = { SIGPIPE, SIGUSR1, SIGUSR2 };

	ignore(others, sizeof(others) / sizeof(*others));
	return open_fd(ours, sizeof(ours) / sizeof(*ours));
}

int
signals_worker(void)
{
	static const int ours[] = { SIGTERM, SIGQUIT, SIGUSR2 };
	static const int others[] = { SIGHUP, SIGINT, SIGPIPE, SIGUSR1,
	    SIGCHLD };

	/* Ignored before unblocked, or a Ctrl-C in between would kill. */
	ignore(others, sizeof(others) / sizeof(*others));
	return open_fd(ours, sizeof(ours) / sizeof(*ours));
}

/* signalfd(2): equal signals that come together are read as one. */
int
signals_read(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}
