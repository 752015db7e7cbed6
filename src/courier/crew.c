/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The parent of the senders: fork, watch, bury, and end with them. */
#include "courier/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 1000
/* Who was itself stopped for so long lets the senders go on first, before it
 * calls them hung. */
#define LENIENT_MS 3000
/* Restart intensity: so many senders, and as many again as there are, may die
 * within so long before a message of theirs has ended. */
#define MAX_R 10
#define MAX_T_MS 10000
/* What a sender needs to finish beside the sending itself. */
#define PATIENCE_MS 10000

/* Where the life of the crew stands. */
enum stage {
	STAGE_SERVING,		/* the dead are replaced */
	STAGE_ENDING,		/* they were told to stop, or do so by
				 * themselves (--once) */
	STAGE_KILLING,		/* they took too long */
};

struct crew {
	const struct courier *courier;
	struct board *board;
	pid_t pids[BOARD_SEATS];	/* 0: nobody */
	enum stage stage;
	int n;			/* seats in use */
	int code;
	int64_t late_ms;	/* STAGE_ENDING: when patience ends */
	int64_t look_ms, lenient_ms;
	int64_t window_ms;	/* of the deaths that count */
	int deaths;
};

/* Only exit() ends it: sanitizers and coverage report there. */
static _Noreturn void
become_sender(const struct crew *crew, int seat, pid_t parent)
{
	const struct claim_seat at = { crew->board, seat, parent };

	exit(claim_run(crew->courier, &at));
}

static void
fill(struct crew *crew)
{
	pid_t parent = getpid();

	for (int i = 0; i < crew->n; i++) {
		if (crew->pids[i] != 0)
			continue;
		board_promise(crew->board, i, clock_mono_ms(), PATIENCE_MS);
		crew->pids[i] = fork();
		if (crew->pids[i] == 0)
			become_sender(crew, i, parent);
		if (crew->pids[i] > 0)
			continue;
		log_event(LOG_ERROR_, "fork_failed", "seat=%d errno=%d", i,
		    errno);
		crew->pids[i] = 0;
	}
}

static void
signal_all(const struct crew *crew, int signo)
{
	for (int i = 0; i < crew->n; i++)
		if (crew->pids[i] != 0)
			kill(crew->pids[i], signo);
}

static bool
anybody(const struct crew *crew)
{
	for (int i = 0; i < crew->n; i++)
		if (crew->pids[i] != 0)
			return true;
	return false;
}

static void
end(struct crew *crew)
{
	const struct settings *s = crew->courier->settings;

	if (crew->stage != STAGE_SERVING)
		return;
	crew->stage = STAGE_ENDING;
	crew->late_ms = clock_mono_ms() + PATIENCE_MS +
	    s->courier_send_seconds * 1000;
	signal_all(crew, SIGTERM);
}

/* Is this one death too many? */
static bool
too_many(struct crew *crew)
{
	int64_t now = clock_mono_ms();

	if (now - crew->window_ms > MAX_T_MS) {
		crew->window_ms = now;
		crew->deaths = 0;
	}
	return ++crew->deaths > MAX_R + crew->n;
}

/* Whoever brought a message to its end is simply replaced, and so is who was
 * killed from outside. */
static void
judge(struct crew *crew, int seat, int status)
{
	bool ended = atomic_load(&crew->board->seats[seat].ended) > 0;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;

	/* EX_SOFTWARE says more than EX_TEMPFAIL, and both than nothing. */
	if (crew->courier->once) {
		if (code != EX_OK && crew->code != EX_SOFTWARE)
			crew->code = code;
		return;
	}
	if (crew->stage != STAGE_SERVING || ended || code == EX_OK ||
	    (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	    !too_many(crew))
		return;
	crew->code = code;
	log_event(LOG_ERROR_, "giving_up", "exit=%d "
	    "why=\"senders die before they have sent anything\"", code);
	end(crew);
}

static void
bury(struct crew *crew, pid_t pid, int status)
{
	bool fine = WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;

	for (int i = 0; i < crew->n; i++) {
		if (crew->pids[i] != pid)
			continue;
		if (!fine && !crew->courier->once)
			log_event(LOG_WARN, "sender_died",
			    "seat=%s.%d pid=%d exit=%d signal=%d",
			    crew->courier->lanes[i % BOARD_LANES].channel,
			    i / BOARD_LANES, (int)pid,
			    WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		crew->pids[i] = 0;
		judge(crew, i, status);
		board_forget(crew->board, i);
	}
}

/* A lease that has run out is somebody else's: who hangs in it must not come
 * back and send the message again. */
static void
kill_late(const struct crew *crew, int64_t now)
{
	for (int i = 0; i < crew->n; i++) {
		if (crew->pids[i] == 0 || !board_is_late(crew->board, i, now))
			continue;
		log_event(LOG_ERROR_, "sender_hung", "seat=%s.%d pid=%d",
		    crew->courier->lanes[i % BOARD_LANES].channel,
		    i / BOARD_LANES, (int)crew->pids[i]);
		kill(crew->pids[i], SIGKILL);
	}
}

static void
look(struct crew *crew)
{
	int64_t now = clock_mono_ms();
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(crew, pid, status);
	if (now - crew->look_ms > LENIENT_MS)
		crew->lenient_ms = now + LENIENT_MS;
	crew->look_ms = now;
	if (now >= crew->lenient_ms)
		kill_late(crew, now);
	if (crew->stage == STAGE_SERVING && !crew->courier->once)
		fill(crew);
	if (crew->stage == STAGE_ENDING && now >= crew->late_ms)
		crew->stage = STAGE_KILLING;
	if (crew->stage == STAGE_KILLING)
		signal_all(crew, SIGKILL);
}

static void
serve(struct crew *crew, const sigset_t *ours)
{
	const struct timespec tick = { TICK_MS / 1000, 0 };
	int signo;

	crew->look_ms = clock_mono_ms();
	fill(crew);
	do {
		signo = sigtimedwait(ours, NULL, &tick);
		if (signo == SIGTERM || signo == SIGINT)
			end(crew);
		if (signo == SIGHUP)
			log_event(LOG_WARN, "courier_hangup", "why=\"settings "
			    "are read at the start: restart it\"");
		look(crew);
	} while (anybody(crew));
}

int
courier_run(const struct courier *courier)
{
	const struct settings *s = courier->settings;
	struct crew crew = { .courier = courier, .board = board_new(),
		.n = BOARD_LANES * (int)s->courier_senders, .code = EX_OK };
	sigset_t ours, before;

	if (!crew.board)
		return EX_OSERR;
	/* Blocked before the first fork, or a death could be missed. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	log_event(LOG_INFO, "courier_started",
	    "sms=%s email=%s senders=%d poll_ms=%ld",
	    courier->lanes[0].kind->name, courier->lanes[1].kind->name,
	    crew.n, s->courier_poll_ms);
	serve(&crew, &ours);
	log_event(LOG_INFO, "courier_stopped", "code=%d", crew.code);
	sigprocmask(SIG_SETMASK, &before, NULL);
	board_free(crew.board);
	return crew.code;
}
