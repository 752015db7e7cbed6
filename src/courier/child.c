/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Runs a program over pipes, no longer than it may take. */
#include "courier/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "courier/said.h"

/* A child that has closed its outputs is looked after this often. */
#define TICK_MS 20

enum { IN, OUT, ERR, PIPES };

struct run {
	const struct child *child;
	struct child_end *end;
	int ours[PIPES], its[PIPES];
	pid_t pid;
	size_t given, taken[PIPES];
};

const char *const child_env[5] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8",
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_all(int fds[PIPES])
{
	for (int i = 0; i < PIPES; i++)
		close_fd(&fds[i]);
}

/* Ours never block; the child's are as any program expects them. */
static int
pipes_open(struct run *run)
{
	int ends[2];

	for (int i = 0; i < PIPES; i++) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return errno;
		run->ours[i] = i == IN ? ends[1] : ends[0];
		run->its[i] = i == IN ? ends[0] : ends[1];
		if (fcntl(run->ours[i], F_SETFL, O_NONBLOCK) < 0)
			return errno;
	}
	return 0;
}

static int
actions_set(posix_spawn_file_actions_t *actions, const struct run *run)
{
	int r = 0;

	for (int i = 0; i < PIPES && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(actions, run->its[i], i);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(actions, PIPES);
	return r ? r : posix_spawn_file_actions_addchdir_np(actions, "/");
}

static int
attr_set(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	sigemptyset(&none);
	sigfillset(&all);
	r = r ? r : posix_spawnattr_setpgroup(attr, 0);
	r = r ? r : posix_spawnattr_setsigmask(attr, &none);
	return r ? r : posix_spawnattr_setsigdefault(attr, &all);
}

/* 0 or an errno, as posix_spawn has it. */
static int
start(struct run *run)
{
	const struct child *child = run->child;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = actions_set(&actions, run);
		r = r ? r : attr_set(&attr);
		r = r ? r : posix_spawn(&run->pid, child->argv[0], &actions,
		    &attr, (char *const *)child->argv,
		    (char *const *)child->env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* As much as it takes; a child that does not read is no fault by itself. */
static void
give(struct run *run)
{
	struct text input = run->child->input;
	ssize_t n = write(run->ours[IN], input.s + run->given,
	    input.n - run->given);

	if (n > 0)
		run->given += (size_t)n;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    run->given == input.n)
		close_fd(&run->ours[IN]);
}

/* The first bytes are kept, the others read all the same. */
static void
take(struct run *run, int i)
{
	char bytes[4096], *to = i == OUT ? run->end->out : run->end->err;
	ssize_t n = read(run->ours[i], bytes, sizeof(bytes));
	size_t room = CHILD_SAID - 1 - run->taken[i];

	if (n > 0) {
		if (room > (size_t)n)
			room = (size_t)n;
		memcpy(to + run->taken[i], bytes, room);
		run->taken[i] += room;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&run->ours[i]);
}

static void
pump(struct run *run, int wait_ms)
{
	struct pollfd fds[PIPES] = {
		{ run->ours[IN], POLLOUT, 0 }, { run->ours[OUT], POLLIN, 0 },
		{ run->ours[ERR], POLLIN, 0 },
	};

	if (poll(fds, PIPES, wait_ms) <= 0)
		return;
	if (fds[IN].revents)
		give(run);
	if (fds[OUT].revents)
		take(run, OUT);
	if (fds[ERR].revents)
		take(run, ERR);
}

/* Not reaped: until then the group cannot be another's. */
static bool
has_ended(const struct run *run)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)run->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == run->pid;
}

static void
finish(struct run *run)
{
	int tick = 1;

	while (!has_ended(run)) {
		if (clock_mono_ms() >= run->child->until_ms) {
			run->end->killed = true;
			kill(-run->pid, SIGKILL);
			break;
		}
		pump(run, tick);
		tick = tick < TICK_MS ? 2 * tick : TICK_MS;
	}
	/* What it wrote last. */
	pump(run, 0);
	pump(run, 0);
	while (waitpid(run->pid, &run->end->status, 0) < 0 && errno == EINTR)
		;
}

void
child_run(const struct child *child, struct child_end *ret)
{
	struct run run = {
		.child = child, .end = ret, .ours = { -1, -1, -1 },
		.its = { -1, -1, -1 },
	};

	*ret = (struct child_end){ .error = 0 };
	ret->error = pipes_open(&run);
	if (ret->error == 0)
		ret->error = start(&run);
	close_all(run.its);
	if (ret->error == 0)
		finish(&run);
	close_all(run.ours);
}

static const struct verdict {
	int code;
	enum outcome_kind kind;
	bool down;
} verdicts[] = {
	{ EX_OK, OUTCOME_SENT, false },
	{ EX_DATAERR, OUTCOME_NEVER, false },
	{ EX_NOUSER, OUTCOME_NEVER, false },
	{ EX_NOHOST, OUTCOME_NEVER, false },
	{ EX_NOPERM, OUTCOME_NEVER, false },
	{ EX_TEMPFAIL, OUTCOME_LATER, false },
	{ -1, OUTCOME_LATER, true },
};

static const struct verdict *
verdict_of(int code)
{
	const struct verdict *v = verdicts;

	while (v->code >= 0 && v->code != code)
		v++;
	return v;
}

void
child_outcome(const struct child_end *end, struct arena *mem,
    const struct letter *letter, const char *what, struct outcome *ret)
{
	struct text said = said_line(mem, text_of(end->err), letter);
	const struct verdict *v;

	if (end->error) {
		outcome_set(ret, OUTCOME_LATER, true, "%s: %s", what,
		    strerror(end->error));
		return;
	}
	if (end->killed || WIFSIGNALED(end->status)) {
		outcome_set(ret, OUTCOME_LATER, true, "%s: %s%s%.*s", what,
		    end->killed ? "not done in its time" : "ended by a signal",
		    said.n ? ": " : "", TEXT_FMT(said));
		return;
	}
	v = verdict_of(WEXITSTATUS(end->status));
	if (v->kind == OUTCOME_SENT)
		ret->kind = OUTCOME_SENT;
	else
		outcome_set(ret, v->kind, v->down, "%s: exit %d%s%.*s", what,
		    WEXITSTATUS(end->status), said.n ? ": " : "",
		    TEXT_FMT(said));
}

int64_t
child_until(const struct letter *letter, long send_seconds)
{
	int64_t until = clock_mono_ms() + send_seconds * 1000;

	return letter->until_ms && letter->until_ms < until ?
	    letter->until_ms : until;
}

bool
child_check(const char *setting, const char *path, FILE *errors)
{
	const char *why = NULL;
	struct stat st;

	if (path[0] != '/')
		why = "must begin with an absolute path";
	else if (stat(path, &st) < 0 || access(path, X_OK) < 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is no program";
	if (why)
		fprintf(errors, "%s: \"%s\": %s\n", setting, path, why);
	return !why;
}
