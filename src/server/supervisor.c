/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The supervisor: turns signals, deaths and time into events of states.c. */
#include "server/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/notify.h"
#include "server/reload.h"
#include "server/signals.h"
#include "server/states.h"

#define TICK_MS 1000
#define QUIT_AGAIN_MS 1000
/* Who was itself stopped for so long, as all are when a machine is paused,
 * lets the workers go on first, before it calls them hung. */
#define LENIENT_MS 3000

/* Restart intensity: so many workers may die within so long before they have
 * served anything; as many again as there are workers, or one bad minute of
 * the machine would end a large crew. */
#define MAX_R 10
#define MAX_T_MS 10000

struct supervisor {
	const struct server_config *config;
	struct crew_shared shared;
	enum state state;
	bool done;
	bool hup_later;
	int exit_code;
	int worker_code;	/* of the last death before service */
	struct crew *now;	/* serves, or gets ready at the start */
	struct crew *next;	/* gets ready during a reload */
	struct crew *old;	/* drains after a reload, group by group */
	int old_group;
	int64_t late_ms;	/* DRAINING, RELOADING: when the time is up */
	int64_t old_late_ms;
	int64_t quit_ms;	/* when QUIT was said last */
	int64_t watchdog_ms;	/* when systemd was told last */
	int64_t look_ms, lenient_ms;
	struct intensity intensity;
	int signal_fd, ready_fd;
};

static void happen(struct supervisor *sv, enum event event);

/* What requests in hand are given before KILL. */
static int64_t
patience_ms(const struct crew *crew)
{
	return 1000 * (int64_t)crew->settings.server_drain_seconds;
}

static void
announce(struct supervisor *sv, const char *how)
{
	char status[256];

	snprintf(status, sizeof(status), "%s, %u + %u workers", how,
	    crew_alive(sv->now, GROUP_MAIN), crew_alive(sv->now, GROUP_HASH));
	notify_ready(status);
	log_event(LOG_INFO, "ready", "main=%u hash=%u how=\"%s\"",
	    crew_alive(sv->now, GROUP_MAIN), crew_alive(sv->now, GROUP_HASH),
	    how);
}

static void
begin_reload(struct supervisor *sv)
{
	log_event(LOG_INFO, "reload", "pid=%d", (int)getpid());
	notify_reloading();
	sv->hup_later = false;
	sv->next = reload_crew(sv->config);
	if (!sv->next) {
		happen(sv, EVENT_REFUSED);
		return;
	}
	sv->late_ms = clock_mono_ms() + patience_ms(sv->next);
	crew_fill(sv->next, &sv->shared);
}

/* Said again and again: one may be lost on a worker that just starts. When
 * nobody is to stay, those of the old crew go first: what they still hand over
 * must find somebody. */
static void
say_quit(struct supervisor *sv, int64_t now)
{
	bool stop = sv->state == STATE_DRAINING;

	sv->quit_ms = now;
	if (sv->old)
		crew_signal(sv->old, stop ? -1 : sv->old_group,
		    stop ? SIGQUIT : SIGUSR2);
	else if (stop)
		crew_signal(sv->now, -1, SIGQUIT);
}

/* Others serve: it hands its connections over and leaves. */
static void
dismiss(struct supervisor *sv, struct crew *crew)
{
	int64_t now = clock_mono_ms();

	sv->old = crew;
	sv->old_group = 0;
	sv->old_late_ms = now + patience_ms(crew);
	say_quit(sv, now);
}

static void
commit_reload(struct supervisor *sv)
{
	struct crew *before = sv->now;

	sv->now = sv->next;
	sv->next = NULL;
	dismiss(sv, before);
	metrics_count(COUNT_RELOAD_OK);
	metrics_set(GAUGE_RELOADED, clock_real_us() / TIME_SECOND);
	announce(sv, "Serving with the new settings");
}

/* Those who were ready have taken connections already: no KILL. */
static void
drop_next(struct supervisor *sv)
{
	struct crew *next = sv->next;

	sv->next = NULL;
	if (next)
		dismiss(sv, next);
}

static void
begin_drain(struct supervisor *sv)
{
	int64_t now = clock_mono_ms();

	notify_stopping();
	drop_next(sv);
	sv->late_ms = now + patience_ms(sv->now);
	say_quit(sv, now);
}

/* Even SIGKILL may have to wait for a process inside the kernel. */
static void
kill_all(struct supervisor *sv)
{
	crew_signal(sv->now, -1, SIGKILL);
	crew_signal(sv->old, -1, SIGKILL);
	/* Repeated by the tick until they are gone. */
	sv->late_ms = clock_mono_ms() + TICK_MS;
}

static void
do_fail(struct supervisor *sv)
{
	sv->exit_code = sv->worker_code > 0 ? sv->worker_code : EX_SOFTWARE;
	log_event(LOG_ERROR_, "giving_up", "exit=%d "
	    "why=\"workers die before they serve\"", sv->exit_code);
	begin_drain(sv);
}

static void
do_act(struct supervisor *sv, enum act act)
{
	switch (act) {
	case ACT_ANNOUNCE:
		announce(sv, "Serving");
		break;
	case ACT_RELOAD:
		begin_reload(sv);
		break;
	case ACT_LATER:
		sv->hup_later = true;
		break;
	case ACT_COMMIT:
		commit_reload(sv);
		break;
	case ACT_KEEP:
		drop_next(sv);
		metrics_count(COUNT_RELOAD_REFUSED);
		announce(sv, "Reload refused, serving with the old settings");
		break;
	case ACT_DRAIN:
		begin_drain(sv);
		break;
	case ACT_FAIL:
		do_fail(sv);
		break;
	case ACT_KILL:
		kill_all(sv);
		break;
	case ACT_EXIT:
		sv->done = true;
		break;
	case ACT_NONE:
	case ACT__MAX:
		break;
	}
}

static void
happen(struct supervisor *sv, enum event event)
{
	struct step step = state_step(sv->state, event);

	if (step.next != sv->state)
		log_event(LOG_INFO, "state", "from=%s to=%s",
		    state_name(sv->state), state_name(step.next));
	sv->state = step.next;
	do_act(sv, step.act);
}

/* One that served is simply replaced; one that did not counts. A KILL to one
 * that was ready comes from outside and says nothing of the start. */
static void
judge(struct supervisor *sv, const struct crew_death *d)
{
	if (d->served > 0 || d->code == EX_OK ||
	    (d->ready && d->signo == SIGKILL))
		return;
	sv->worker_code = d->code;
	if (intensity_hit(&sv->intensity, sv->now->n + MAX_R < INTENSITY_MAX ?
	    sv->now->n + MAX_R : INTENSITY_MAX - 1, MAX_T_MS, clock_mono_ms()))
		happen(sv, EVENT_BROKEN);
}

static void
bury(struct supervisor *sv, pid_t pid, int status)
{
	struct crew_death d;

	if (crew_buried(sv->now, pid, status, &d)) {
		judge(sv, &d);
	} else if (crew_buried(sv->next, pid, status, &d)) {
		if (!d.ready)
			happen(sv, EVENT_REFUSED);
	} else {
		crew_buried(sv->old, pid, status, &d);
	}
}

static void
read_signals(struct supervisor *sv)
{
	int signo, status;
	pid_t pid;

	while ((signo = signals_read(sv->signal_fd)) != 0)
		if (signo == SIGHUP && sv->old)
			/* One crew leaves at a time. */
			sv->hup_later = true;
		else if (signo == SIGHUP)
			happen(sv, EVENT_HUP);
		else if (signo != SIGCHLD)
			happen(sv, EVENT_TERM);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(sv, pid, status);
}

/* The old crew leaves group by group; KILL when it takes too long. */
static void
tend_old(struct supervisor *sv, int64_t now)
{
	if (!sv->old)
		return;
	if (now >= sv->old_late_ms)
		crew_signal(sv->old, -1, SIGKILL);
	/* Told to stop, all of them may have gone by now. */
	while (crew_alive(sv->old, sv->old_group) == 0) {
		sv->old_late_ms = now + patience_ms(sv->old);
		if (++sv->old_group == SERVER_GROUPS) {
			crew_free(sv->old);
			sv->old = NULL;
		}
		say_quit(sv, now);
		if (!sv->old)
			return;
	}
}

static void
tend_living(struct supervisor *sv, int64_t now)
{
	if (now - sv->look_ms > LENIENT_MS)
		sv->lenient_ms = now + LENIENT_MS;
	sv->look_ms = now;
	if (now >= sv->lenient_ms) {
		crew_kill_hung(sv->now, now);
		crew_kill_hung(sv->old, now);
	}
	if (sv->state < STATE_DRAINING)
		crew_fill(sv->now, &sv->shared);
	if (sv->next)
		crew_fill(sv->next, &sv->shared);
	if ((sv->state == STATE_DRAINING || sv->old) &&
	    now - sv->quit_ms >= QUIT_AGAIN_MS)
		say_quit(sv, now);
}

/* What has become true since the last look. */
static void
look(struct supervisor *sv)
{
	int64_t now = clock_mono_ms();

	tend_old(sv, now);
	crew_tell_leaving(sv->old);
	tend_living(sv, now);
	if (sv->state == STATE_STARTING && crew_is_ready(sv->now))
		/* NOLINTNEXTLINE(bugprone-branch-clone): another crew's */
		happen(sv, EVENT_READY);
	else if (sv->state == STATE_RELOADING && crew_is_ready(sv->next))
		happen(sv, EVENT_READY);
	if (sv->state >= STATE_RELOADING && now >= sv->late_ms)
		happen(sv, EVENT_LATE);
	if (sv->state >= STATE_DRAINING && crew_alive(sv->now, -1) == 0 &&
	    crew_alive(sv->old, -1) == 0)
		happen(sv, EVENT_GONE);
	if (sv->hup_later && !sv->old && sv->state == STATE_RUNNING)
		happen(sv, EVENT_HUP);
}

/* Returns how long the loop may sleep: it is the loop that is watched. */
static int
feed_watchdog(struct supervisor *sv)
{
	int every = notify_watchdog_ms();
	int64_t now = clock_mono_ms();

	if (every < 0)
		return TICK_MS;
	if (now - sv->watchdog_ms >= every) {
		notify_watchdog();
		sv->watchdog_ms = now;
	}
	now = sv->watchdog_ms + every - now;
	return now < TICK_MS ? (int)now : TICK_MS;
}

static void
turn(struct supervisor *sv)
{
	struct pollfd fds[] = {
		{ .fd = sv->signal_fd, .events = POLLIN },
		{ .fd = sv->ready_fd, .events = POLLIN },
	};
	uint64_t n;
	int wait = feed_watchdog(sv);

	if (poll(fds, 2, wait) > 0) {
		if (fds[1].revents && read(sv->ready_fd, &n, sizeof(n)) < 0)
			log_event(LOG_WARN, "ready_unread", "errno=%d", errno);
		read_signals(sv);
	}
	look(sv);
}

int
supervisor_run(const struct server_config *config,
    const struct listener *listeners, struct crew *crew)
{
	struct supervisor sv = {
		.config = config,
		.state = STATE_STARTING,
		.exit_code = EX_OK,
		.now = crew,
		.signal_fd = signals_supervisor(),
		.ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};

	if (sv.signal_fd < 0 || sv.ready_fd < 0 ||
	    !crew_share(&sv.shared, config, listeners)) {
		crew_free(crew);
		return EX_OSERR;
	}
	sv.shared.ready_fd = sv.ready_fd;
	sv.shared.close_fd = sv.signal_fd;
	crew_fill(sv.now, &sv.shared);
	while (!sv.done)
		turn(&sv);
	log_event(LOG_INFO, "stopped", "exit=%d", sv.exit_code);
	crew_free(sv.now);
	crew_free(sv.old);
	crew_unshare(&sv.shared);
	close(sv.signal_fd);
	close(sv.ready_fd);
	return sv.exit_code;
}
