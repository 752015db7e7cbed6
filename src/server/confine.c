/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's limits: it dies with its parent, leaves no core, stays small,
 * and lets others finish their turn. */
#include "server/confine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

/* Descriptors beside the connections: sockets, epoll, libpq, files. */
#define CONFINE_FILES 64
/* A third of an equal's share when others want the core, all of it when not.
 * At 10 it would be a tenth, and a login would miss its deadline. */
#define CONFINE_NICE 5

static void
set_limit(__rlimit_resource_t what, rlim_t n)
{
	struct rlimit l;

	if (getrlimit(what, &l) < 0)
		return;
	if (l.rlim_max != RLIM_INFINITY && n > l.rlim_max)
		n = l.rlim_max;
	l.rlim_cur = n;
	if (what != RLIMIT_NOFILE)
		l.rlim_max = n;
	if (setrlimit(what, &l) < 0)
		log_event(LOG_WARN, "limit_kept", "which=%d errno=%d",
		    (int)what, errno);
}

/* A worker that is woken does not take the core from who runs: nginx and
 * PostgreSQL do more in a turn, and all three switch less often. */
static void
let_others_finish(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none) < 0)
		log_event(LOG_WARN, "scheduling_kept", "errno=%d", errno);
}

bool
confine_worker(pid_t parent, const struct settings *s)
{
	/* If the parent died before the call, its death is never told. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return false;
	/* The keys are in memory: no core, no ptrace by the same user. */
	prctl(PR_SET_DUMPABLE, 0);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NOFILE,
	    (rlim_t)s->server_connections + CONFINE_FILES);
	if (s->server_memory_mb > 0)
		set_limit(RLIMIT_AS, (rlim_t)s->server_memory_mb << 20);
	let_others_finish();
	return true;
}

void
confine_stand_back(void)
{
	errno = 0;
	if (nice(CONFINE_NICE) == -1 && errno != 0)
		log_event(LOG_WARN, "priority_kept", "errno=%d", errno);
}
