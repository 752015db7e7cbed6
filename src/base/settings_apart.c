/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Settings read by a child, so that what the parser does to its process it
 * does not do to ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/settings_row.h"

/* What the child writes: this byte, then every row's text and origin, each
 * ended by a NUL; or, for a fault, the report alone. */
#define APART_GOOD '\1'

static _Noreturn void
child(const struct settings_source *source, int fd)
{
	struct settings settings = { 0 };
	const struct settings_store *store;
	FILE *out = fdopen(fd, "w");
	int r;

	if (!out)
		exit(EXIT_FAILURE);
	r = settings_load(source, out, &settings);
	store = settings.store;
	if (r == 0)
		putc(APART_GOOD, out);
	else if (r == -ENOMEM)
		fputs("no memory to read the settings\n", out);
	for (size_t i = 0; r == 0 && i < SETTINGS_N; i++)
		fprintf(out, "%s%c%s%c", store->text[i], '\0',
		    store->origin[i], '\0');
	settings_done(&settings);
	exit(fclose(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* One NUL-ended text into *at, which is getdelim's. */
static int
take(FILE *in, char **at, size_t *size)
{
	errno = 0;
	if (getdelim(at, size, '\0', in) >= 0)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -EPIPE;
}

static int
take_rows(FILE *in, struct settings *to)
{
	char *text = NULL, *origin = NULL, why[SETTING_WHY];
	size_t n_text = 0, n_origin = 0;
	int r = 0;

	for (size_t i = 0; i < SETTINGS_N && r == 0; i++) {
		r = take(in, &text, &n_text);
		if (r == 0)
			r = take(in, &origin, &n_origin);
		if (r == 0)
			r = setting_assign(to, &setting_rows[i], text, origin,
			    why);
	}
	free(text);
	free(origin);
	return r;
}

static int
take_all(FILE *in, FILE *err, struct settings *ret)
{
	struct settings next;
	int c = getc(in), r;

	if (c != APART_GOOD) {
		for (; c != EOF; c = getc(in))
			putc(c, err);
		return -EINVAL;
	}
	r = settings_defaults(&next);
	if (r == 0)
		r = take_rows(in, &next);
	if (r < 0)
		settings_done(&next);
	else
		*ret = next;
	return r;
}

/* How it ended, when that was not by itself. */
static void
bury(pid_t pid, FILE *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		fprintf(err, "the reader of the settings ended: exit %d, "
		    "signal %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int
settings_load_apart(const struct settings_source *source, FILE *err,
    struct settings *ret)
{
	int ends[2], r = -ENOMEM;
	FILE *in;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	in = fdopen(ends[0], "r");
	pid = in ? fork() : -1;
	if (pid == 0)
		child(source, ends[1]);
	close(ends[1]);
	if (pid > 0) {
		r = take_all(in, err, ret);
		bury(pid, err);
	}
	if (in)
		fclose(in);
	else
		close(ends[0]);
	return r;
}
