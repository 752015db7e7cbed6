/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Runs a program by its arguments and keeps what it says. */
#include "cli/tool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/files.h"

#ifndef DOCKET_SBINDIR
#define DOCKET_SBINDIR "/usr/sbin"
#endif

#define SAID_MAX ((off_t)4 << 20)
#define WORDS_MAX 64
#define TICK_MS 200

enum { IN, OUT, ERR, FILES };

static const char *const folders[] = {
	DOCKET_SBINDIR, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	"/usr/bin", "/sbin", "/bin",
};

const char *
tool_self(struct arena *mem)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? arena_copy(mem, path, (size_t)n) : "docket";
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

/* Ours are together where they were built; installed, in two folders. */
const char *
tool_find(struct arena *mem, const char *name)
{
	const char *self = tool_self(mem), *slash = strrchr(self, '/'), *path;

	if (strncmp(name, "docket", 6) == 0 && slash) {
		path = arena_printf(mem, "%.*s/%s", (int)(slash - self), self,
		    name);
		if (is_program(path))
			return path;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path = arena_printf(mem, "%s/%s", folders[i], name);
		if (is_program(path))
			return path;
	}
	return NULL;
}

/* ---- as whom ---- */

/* In front of the words, setpriv's, unless we are that user. NULL: there is no
 * such user. */
static const char **
words_of(struct arena *mem, const struct tool *tool)
{
	const char **words = arena_array(mem, WORDS_MAX + 6, sizeof(*words));
	const struct passwd *who = tool->user ? getpwnam(tool->user) : NULL;
	size_t n = 0;

	if (tool->user && !who)
		return NULL;
	if (who && geteuid() == 0 && who->pw_uid != 0) {
		words[n++] = "setpriv";
		words[n++] = arena_printf(mem, "--reuid=%u", who->pw_uid);
		words[n++] = arena_printf(mem, "--regid=%u", who->pw_gid);
		words[n++] = "--init-groups";
		words[n++] = "--";
	}
	assert(tool->argv[0]);
	for (size_t i = 0; i < WORDS_MAX && tool->argv[i]; i++)
		words[n++] = tool->argv[i];
	/* setpriv knows not where ours are. */
	if (words[0] != tool->argv[0] && tool->argv[0][0] != '/')
		words[5] = tool_find(mem, words[5]) ?: words[5];
	return words;
}

/* Not where PostgreSQL is, nor who we are to it: the arguments say that. */
static char **
environment(struct arena *mem)
{
	size_t n = 0, used = 0;
	char **ours;

	while (environ[n])
		n++;
	ours = arena_array(mem, n + 3, sizeof(*ours));
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "PG", 2) != 0 &&
		    strncmp(environ[i], "LC_", 3) != 0 &&
		    strncmp(environ[i], "PATH=", 5) != 0)
			ours[used++] = environ[i];
	ours[used++] = arena_printf(mem, "PATH=" DOCKET_SBINDIR ":"
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	ours[used] = arena_printf(mem, "LC_ALL=C.UTF-8");
	return ours;
}

/* ---- one run ---- */

/* Files in memory, not pipes: nobody waits for anybody to read. */
static bool
files_open(const struct tool *tool, int fds[FILES])
{
	for (int i = 0; i < FILES; i++) {
		fds[i] = memfd_create("docket", MFD_CLOEXEC);
		if (fds[i] < 0)
			return false;
	}
	return file_write(fds[IN], tool->input) &&
	    lseek(fds[IN], 0, SEEK_SET) == 0;
}

static void
files_close(int fds[FILES])
{
	for (int i = 0; i < FILES; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static struct text
file_said(struct arena *mem, int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *bytes;
	ssize_t got;

	if (n > SAID_MAX)
		n = SAID_MAX;
	bytes = arena_alloc(mem, (size_t)(n < 0 ? 0 : n) + 1);
	got = n > 0 ? pread(fd, bytes, (size_t)n, 0) : 0;
	if (got > 0 && bytes[got - 1] == '\n')
		bytes[--got] = '\0';
	return (struct text){ bytes, got > 0 ? (size_t)got : 0 };
}

/* Signals are held here, not there; and what a shell put us into the background
 * with, deaf to SIGINT, is not for those whom it is to end. */
static int
attr_set(posix_spawnattr_t *attr)
{
	sigset_t none, interrupt;
	int r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF);

	sigemptyset(&none);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	r = r ? r : posix_spawnattr_setsigdefault(attr, &interrupt);
	return r ? r : posix_spawnattr_setsigmask(attr, &none);
}

static int
actions_set(posix_spawn_file_actions_t *actions, const int from[FILES])
{
	int r = 0;

	/* From above: standard input may itself be one that is given. */
	for (int i = FILES - 1; i >= 0 && r == 0; i--)
		r = posix_spawn_file_actions_adddup2(actions, from[i], i);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(actions, FILES);
	return r ? r : posix_spawn_file_actions_addchdir_np(actions, "/");
}

/* 0 or an errno. */
static int
start(struct arena *mem, const struct tool *tool, const int fds[FILES],
    pid_t *ret)
{
	const char **words = words_of(mem, tool);
	const char *path = words && *words[0] != '/' ?
	    tool_find(mem, words[0]) : words ? words[0] : NULL;
	const int from[FILES] = {
		tool->in ? tool->in : fds[IN], tool->out ? tool->out : fds[OUT],
		fds[ERR],
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	if (!words)
		return ESRCH;
	if (!path)
		return ENOENT;
	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = actions_set(&actions, from);
		r = r ? r : attr_set(&attr);
		r = r ? r : posix_spawn(ret, path, &actions, &attr,
		    (char *const *)words, environment(mem));
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* ---- while it runs ---- */

static bool held;

static void
held_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

void
tool_hold(bool hold)
{
	sigset_t set;

	held_set(&set);
	fflush(NULL);
	held = hold;
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* What is meant for us ends what we wait for. PostgreSQL's programs take
 * SIGINT for: give the statement up, and let go of what it holds. */
static void
pass_on(pid_t pid)
{
	const struct timespec at_once = { .tv_sec = 0 };
	sigset_t set;

	held_set(&set);
	while (held && sigtimedwait(&set, NULL, &at_once) > 0)
		kill(pid, SIGINT);
}

/* Until it has ended; false: its time was over before. */
static bool
watch(const struct tool *tool, pid_t pid)
{
	const int64_t until = tool->seconds ?
	    clock_mono_ms() + tool->seconds * 1000 : INT64_MAX;
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool ended = end.fd < 0;

	while (!ended && clock_mono_ms() < until) {
		const int64_t left = until - clock_mono_ms();

		ended = poll(&end, 1, left < TICK_MS ? (int)left : TICK_MS) > 0;
		pass_on(pid);
		if (tool->tick)
			tool->tick(tool->arg);
	}
	if (end.fd >= 0)
		close(end.fd);
	return ended;
}

/* True: it was ended, because its time was over. */
static bool
wait_for(const struct tool *tool, pid_t pid, int *ret_status)
{
	const bool late = !watch(tool, pid);

	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return late;
}

static struct text
why_not(struct arena *mem, const struct tool *tool, int error)
{
	if (error == ESRCH)
		return text_of(arena_printf(mem, "there is no user %s",
		    tool->user));
	return text_of(arena_printf(mem, "%s: %s", tool->argv[0],
	    error == ENOENT ? "is not installed" : strerror(error)));
}

int
tool_run(struct arena *mem, const struct tool *tool, struct tool_end *ret)
{
	int fds[FILES] = { -1, -1, -1 }, status = 0, error;
	pid_t pid = -1;

	*ret = (struct tool_end){ .code = -1, .out = TEXT(""),
		.err = TEXT("") };
	error = files_open(tool, fds) ? start(mem, tool, fds, &pid) : errno;
	if (error) {
		ret->err = why_not(mem, tool, error);
	} else if (wait_for(tool, pid, &status)) {
		ret->err = text_of(arena_printf(mem, "%s: not done in %ld s",
		    tool->argv[0], tool->seconds));
	} else {
		ret->out = file_said(mem, fds[OUT]);
		ret->err = file_said(mem, fds[ERR]);
		if (WIFEXITED(status))
			ret->code = WEXITSTATUS(status);
		else
			ret->err = text_of(arena_printf(mem,
			    "%s: ended by signal %d", tool->argv[0],
			    WTERMSIG(status)));
	}
	files_close(fds);
	return ret->code;
}
