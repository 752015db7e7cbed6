/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Crews: fork the workers of one set of settings, watch them, bury them. */
#include "server/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/worker.h"
#include "web/router.h"

/* The least is above what a silent peer or a start without database costs. */
#define HUNG_DEADLINES 4
#define HUNG_LEAST_MS 5000

static const char *const group_names[SERVER_GROUPS] = {
	[GROUP_MAIN] = "main",
	[GROUP_HASH] = "hash",
};

bool
crew_share(struct crew_shared *shared, const struct server_config *config,
    const struct listener *listeners)
{
	shared->config = config;
	shared->listeners = listeners;
	shared->limiter = limiter_new();
	shared->metrics = metrics_new(2 * config->routes.n + ROUTER_METHODS);
	metrics_use(shared->metrics, 0);
	metrics_set(GAUGE_STARTED, clock_real_us() / TIME_SECOND);
	metrics_set(GAUGE_RELOADED, clock_real_us() / TIME_SECOND);
	if (shared->limiter && shared->metrics &&
	    handovers_open(shared->handovers, SERVER_GROUPS) == 0)
		return true;
	limiter_free(shared->limiter);
	metrics_free(shared->metrics);
	return false;
}

void
crew_unshare(struct crew_shared *shared)
{
	handovers_close(shared->handovers, SERVER_GROUPS);
	limiter_free(shared->limiter);
	metrics_free(shared->metrics);
}

/* What can run now, not what is built in. */
static long
count_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n;
}

/* `auto` stays within what the setting itself allows. */
#define WORKERS_MAX 256

unsigned
crew_size(const struct settings *s, int group, long cores)
{
	long set = group == GROUP_MAIN ? s->server_workers :
	    s->server_auth_workers;
	long n = group == GROUP_MAIN ? 4 * cores : 2 * cores;

	if (set > 0)
		n = set;
	else if (n < 2)
		n = 2;
	return (unsigned)(n > WORKERS_MAX ? WORKERS_MAX : n);
}

/* Slots by cores: a hash keeps one busy, so more at once only make each
 * slower. Waiters by workers: they hold one each while they wait. */
static struct gate *
make_gate(const struct settings *s, unsigned members, long cores)
{
	long slots = s->auth_hash_slots;
	unsigned waiters = members / 4;

	if (slots == 0)
		slots = cores / 2;
	if (slots < 1)
		slots = 1;
	return gate_new((unsigned)slots, waiters < 1 ? 1 : waiters, members);
}

/* main first, then hash: the index says the group. */
static void
name_members(struct crew *crew, unsigned n_main)
{
	for (unsigned i = 0; i < crew->n; i++) {
		struct crew_member *m = &crew->members[i];

		m->group = i < n_main ? GROUP_MAIN : GROUP_HASH;
		snprintf(m->name, sizeof(m->name), "%s.%u",
		    group_names[m->group], i < n_main ? i : i - n_main);
	}
}

struct crew *
crew_new(struct settings *settings)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	long cores = count_cores();
	unsigned n_main;

	if (!crew)
		return NULL;
	n_main = crew_size(settings, GROUP_MAIN, cores);
	crew->n = n_main + crew_size(settings, GROUP_HASH, cores);
	crew->members = calloc(crew->n, sizeof(*crew->members));
	crew->gate = make_gate(settings, crew->n, cores);
	if (!crew->members || !crew->gate ||
	    scoreboard_init(&crew->board, crew->n) < 0) {
		crew_free(crew);
		return NULL;
	}
	name_members(crew, n_main);
	crew->settings = *settings;
	*settings = (struct settings){ 0 };
	return crew;
}

void
crew_free(struct crew *crew)
{
	if (!crew)
		return;
	scoreboard_done(&crew->board);
	if (crew->gate)
		gate_free(crew->gate);
	free(crew->members);
	settings_done(&crew->settings);
	free(crew);
}

/* In the child. Only exit() ends it: sanitizers and coverage report there. */
static _Noreturn void
become_worker(struct crew *crew, unsigned i, pid_t parent,
    const struct crew_shared *shared)
{
	const struct crew_member *m = &crew->members[i];
	struct worker_config config = {
		.web = {
			.settings = &crew->settings,
			.routes = shared->config->routes,
			.gate = crew->gate,
			.limiter = shared->limiter,
			.metrics = shared->metrics,
			.member = i,
			.group = m->group,
			.openapi = shared->config->openapi,
		},
		.name = m->name,
		.group = m->group,
		.listen_fd = shared->listeners[m->group].fd,
		.handover = &shared->handovers[m->group],
		.ready_fd = shared->ready_fd,
		.parent = parent,
		.board = &crew->board,
	};

	/* What the child has no business with. */
	close(shared->close_fd);
	for (int g = 0; g < SERVER_GROUPS; g++)
		if (g != m->group)
			close(shared->listeners[g].fd);
	exit(worker_run(&config));
}

bool
crew_fill(struct crew *crew, const struct crew_shared *shared)
{
	/* For the child: getppid() there may already be somebody else. */
	pid_t parent = getpid();

	for (unsigned i = 0; i < crew->n; i++) {
		struct crew_member *m = &crew->members[i];

		if (m->pid != 0)
			continue;
		/* Before the fork, or a look in between sees the dead one. */
		score_start(&crew->board.v[i], m->group, clock_mono_ms());
		m->pid = fork();
		if (m->pid == 0)
			become_worker(crew, i, parent, shared);
		if (m->pid < 0) {
			log_event(LOG_ERROR_, "fork_failed",
			    "worker=%s errno=%d", m->name, errno);
			m->pid = 0;
			score_clear(&crew->board.v[i]);
			return false;
		}
	}
	return true;
}

bool
crew_is_ready(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->n; i++)
		if (crew->members[i].pid == 0 ||
		    !score_is_ready(&crew->board.v[i]))
			return false;
	return true;
}

unsigned
crew_alive(const struct crew *crew, int group)
{
	unsigned n = 0;

	for (unsigned i = 0; crew && i < crew->n; i++)
		n += crew->members[i].pid != 0 &&
		    (group < 0 || crew->members[i].group == group);
	return n;
}

void
crew_tell_leaving(const struct crew *crew)
{
	for (int g = 0; g < SERVER_GROUPS; g++)
		metrics_set((enum metrics_gauge)(GAUGE_LEAVING + g),
		    crew_alive(crew, g));
}

void
crew_signal(const struct crew *crew, int group, int signo)
{
	for (unsigned i = 0; crew && i < crew->n; i++) {
		const struct crew_member *m = &crew->members[i];

		if (m->pid != 0 && (group < 0 || m->group == group))
			kill(m->pid, signo);
	}
}

void
crew_kill_hung(struct crew *crew, int64_t now_ms)
{
	int64_t limit;

	if (!crew)
		return;
	limit = HUNG_DEADLINES * crew->settings.server_deadline_ms;
	if (limit < HUNG_LEAST_MS)
		limit = HUNG_LEAST_MS;
	for (unsigned i = 0; i < crew->n; i++) {
		struct crew_member *m = &crew->members[i];

		/* One that the kernel does not let die yet was told of. */
		if (m->pid == 0 || m->killed ||
		    !score_hung(&crew->board.v[i], limit, now_ms))
			continue;
		log_event(LOG_ERROR_, "worker_hung", "worker=%s pid=%d ms=%ld",
		    m->name, (int)m->pid, (long)limit);
		m->killed = true;
		kill(m->pid, SIGKILL);
	}
}

static void
log_death(const struct crew_death *d, pid_t pid, bool killed)
{
	bool fine = d->code == EX_OK;

	metrics_count(fine ? COUNT_END_LEFT : killed ? COUNT_END_HUNG :
	    COUNT_END_DIED);
	log_event(fine ? LOG_INFO : LOG_WARN, fine ? "worker_left" :
	    "worker_died", "worker=%s pid=%d exit=%d signal=%d served=%llu",
	    d->name, (int)pid, d->code, d->signo,
	    (unsigned long long)d->served);
}

bool
crew_buried(struct crew *crew, pid_t pid, int status, struct crew_death *ret)
{
	unsigned i;

	for (i = 0; crew && i < crew->n; i++)
		if (crew->members[i].pid == pid)
			break;
	if (!crew || i == crew->n)
		return false;
	*ret = (struct crew_death){
		.name = crew->members[i].name,
		.served = atomic_load(&crew->board.v[i].served),
		.ready = score_is_ready(&crew->board.v[i]),
		.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	};
	log_death(ret, pid, crew->members[i].killed);
	/* What it held in shared memory would stay held. */
	crew->members[i].pid = 0;
	crew->members[i].killed = false;
	gate_forget(crew->gate, i);
	score_clear(&crew->board.v[i]);
	return true;
}
