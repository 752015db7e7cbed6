/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket import: a file of tasks, of any length, into an account. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/bar.h"
#include "cli/task_user.h"
#include "core/task.h"
#include "web/task_import.h"

/* What is looked at at once; a record is never larger. */
#define WINDOW ((size_t)4 * TASK_RECORD_MAX)

struct job {
	const char *name;	/* for messages */
	FILE *f;
	char *window;
	size_t n;		/* bytes in it */
	off_t size, done;	/* of the file; 0: nobody knows */
	bool dry;
	struct task_import im;
};

static void
tell(void *arg, size_t line, const struct fault *f)
{
	const struct job *job = arg;

	bar_clear();
	fprintf(stderr, "%s:%zu: %.*s%s%s\n", job->name, line,
	    TEXT_FMT(f->pointer), f->pointer.n ? " " : "", f->detail);
}

static void
show(const struct job *job)
{
	const struct task_import *im = &job->im;

	bar_show(job->done, job->size, "%zu tasks",
	    im->added + im->skipped + im->refused);
}

/* Fill the window; true: the file ends with it. */
static bool
fill(struct job *job)
{
	job->n += fread(job->window + job->n, 1, WINDOW - job->n, job->f);
	return feof(job->f) != 0;
}

static int
step(struct job *job, bool last, size_t *used)
{
	const struct text window = { job->window, job->n };
	int r = job->dry ? db_begin(job->im.db) : 0;

	if (r) {
		job->im.error = r;
		return -1;
	}
	r = task_import_step(&job->im, window, last, used);
	if (job->dry)
		db_rollback(job->im.db);
	return r;
}

/* 0, or what stopped it. */
static int
import_all(struct job *job)
{
	size_t used = 0;
	int r = 1;

	while (r > 0) {
		const bool last = fill(job);

		if (ferror(job->f))
			return -EIO;
		r = step(job, last, &used);
		job->n -= used;
		job->done += (off_t)used;
		memmove(job->window, job->window + used, job->n);
		show(job);
		if (r > 0 && used == 0 && job->n == WINDOW)
			return -EMSGSIZE;
	}
	return r < 0 ? job->im.error : 0;
}

static int
conclude(const struct job *job, int r)
{
	const struct task_reader *reader = &job->im.reader;

	bar_end();
	for (size_t i = 0; i < reader->n_ignored; i++)
		fprintf(stderr, "%s: not taken, tasks have none: %.*s\n",
		    job->name, TEXT_FMT(reader->ignored[i]));
	printf("%zu imported, %zu there already, %zu refused%s\n",
	    job->im.added, job->im.skipped, job->im.refused,
	    job->dry ? "; nothing was changed (--dry-run)" : "");
	if (r == -EMSGSIZE) {
		fprintf(stderr, "%s:%zu: the record that begins here has no "
		    "end within 1 MiB\n", job->name, reader->split.line + 1);
		return EX_DATAERR;
	}
	if (r) {
		fprintf(stderr, "%s:%zu: stopped near here; what was imported "
		    "stays\n", job->name, reader->split.line + 1);
		return cli_fail(job->name, r);
	}
	return job->im.refused ? EX_DATAERR : EX_OK;
}

static int
open_file(struct job *job, const char *file)
{
	const bool is_stdin = strcmp(file, "-") == 0;
	struct stat st;

	job->name = is_stdin ? "stdin" : file;
	job->f = is_stdin ? stdin : fopen(file, "re");
	if (!job->f) {
		fprintf(stderr, "docket: %s: %s\n", file, strerror(errno));
		return EX_NOINPUT;
	}
	if (fstat(fileno(job->f), &st) == 0 && S_ISREG(st.st_mode))
		job->size = st.st_size;
	return 0;
}

static int
run(struct cli *cli, struct job *job)
{
	int status = open_file(job, cli->words[0]);

	if (status == 0)
		status = task_user_find(cli, &job->im.reader.owner);
	if (status == 0)
		status = conclude(job, import_all(job));
	if (job->f && job->f != stdin)
		fclose(job->f);
	return status;
}

static int
start(struct cli *cli, struct job *job)
{
	int status;

	job->im.db = cli->db;
	job->im.mem = arena_new(TASK_IMPORT_MEMORY);
	job->window = malloc(WINDOW);
	job->im.partial = true;
	job->im.tell = tell;
	job->im.tell_arg = job;
	job->im.reader.stays = cli->mem;
	status = job->im.mem && job->window ? run(cli, job) :
	    cli_fail("memory", -ENOMEM);
	free(job->window);
	arena_free(job->im.mem);
	return status;
}

/* The zone of local times that name none. */
static bool
take_zone(const struct cli *cli, struct text *ret)
{
	struct text zone = text_of(cli_value(cli, OPT_timezone));
	const char *why;

	if (zone.s && task_check_timezone(NULL, &zone, &why)) {
		fprintf(stderr, "docket: --timezone %s\n", why);
		return false;
	}
	*ret = zone;
	return true;
}

int
cli_import(struct cli *cli)
{
	struct job *job = arena_alloc(cli->mem, sizeof(*job));

	job->dry = cli_dry(cli);
	job->im.reader.format = task_user_format(cli_value(cli, OPT_format),
	    cli->words[0]);
	if (job->im.reader.format == TASKS__MAX ||
	    !take_zone(cli, &job->im.reader.zone))
		return EX_USAGE;
	return start(cli, job);
}
