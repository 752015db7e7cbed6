/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket export: all tasks of an account as one file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/bar.h"
#include "cli/task_user.h"
#include "store/export.h"

#define PART_MEMORY ((size_t)1024 * 1024)
#define OUT_KEEP ((size_t)1024 * 1024)

struct job {
	const char *file;		/* NULL: standard output */
	enum task_format format;
	struct arena *mem;		/* of a part */
	struct buf out;
	FILE *f;
	size_t n;			/* tasks so far */
};

static int
write_out(struct job *job)
{
	if (job->out.failed)
		return -ENOMEM;
	if (fwrite(job->out.p, 1, job->out.n, job->f) != job->out.n)
		return errno ? -errno : -EIO;
	buf_reset(&job->out, OUT_KEEP);
	return 0;
}

static int
export_part(struct job *job, struct db *db, bool *ret_more)
{
	const struct task *tasks;
	struct list part;
	int r = store_export_next(db, job->mem, &part, ret_more);

	if (r)
		return r;
	tasks = part.v;
	for (size_t i = 0; i < part.n; i++)
		task_file_put(job->format, &job->out, &tasks[i],
		    job->n++ == 0);
	arena_reset(job->mem);
	if (job->file)
		bar_show(0, 0, "%zu tasks", job->n);
	return write_out(job);
}

static int
export_all(struct job *job, struct db *db, const struct uuid *owner)
{
	bool more = true;
	int r = store_console_export_begin(db, job->mem, owner);

	task_file_begin(job->format, &job->out);
	while (r == 0 && more)
		r = export_part(job, db, &more);
	db_rollback(db);
	if (r)
		return r;
	task_file_end(job->format, &job->out);
	r = write_out(job);
	if (r == 0 && fflush(job->f))
		r = -errno;
	return r;
}

/* On the disk before it has the name, and the name too: what was said to be
 * there is there after a crash. */
static int
publish(struct job *job, const char *part, struct arena *mem)
{
	char *path = arena_copy(mem, job->file, strlen(job->file));
	int dir = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (dir < 0 || fsync(fileno(job->f)) || rename(part, job->file) ||
	    fsync(dir))
		r = -errno;
	if (dir >= 0)
		close(dir);
	return r;
}

/* Written beside it, so that half a file never has the name. */
static int
export_file(struct job *job, struct db *db, const struct uuid *owner,
    struct arena *mem)
{
	const char *part = job->file ? arena_printf(mem, "%s.part",
	    job->file) : "standard output";
	int r;

	job->f = job->file ? fopen(part, "we") : stdout;
	if (!job->f) {
		fprintf(stderr, "docket: %s: %s\n", part, strerror(errno));
		return EX_CANTCREAT;
	}
	r = export_all(job, db, owner);
	if (job->file && r == 0)
		r = publish(job, part, mem);
	if (job->file && fclose(job->f) && r == 0)
		r = -errno;
	if (job->file)
		bar_end();
	if (r == 0)
		return EX_OK;
	if (job->file)
		unlink(part);
	return r < 0 ? (cli_fail(job->file ? job->file : part, r),
	    EX_IOERR) : cli_fail("export", r);
}

int
cli_export(struct cli *cli)
{
	struct job job = { .file = cli_value(cli, OPT_output) };
	struct uuid owner;
	int status;

	job.format = task_user_format(cli_value(cli, OPT_format),
	    job.file ? job.file : ".json");
	if (job.format == TASKS__MAX)
		return EX_USAGE;
	job.mem = arena_new(PART_MEMORY);
	if (!job.mem)
		return cli_fail("memory", -ENOMEM);
	status = task_user_find(cli, &owner);
	if (status == 0)
		status = export_file(&job, cli->db, &owner, cli->mem);
	arena_free(job.mem);
	buf_done(&job.out);
	return status;
}
