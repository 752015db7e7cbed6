/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket audit: the trail's newest entries, those to come, or all of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "core/names.h"

#define TAIL 20
#define TAIL_MOST 10000
#define PAGE 1000
#define POLL_MS 500

struct audit_job {
	struct audit_filter filter;
	audit_format format;
	long n;			/* tail */
	bool follow;
	struct db *db;
	struct arena *mem;	/* of a page */
	struct buf out;
};

/* ---- writing ---- */

static int
out_flush(struct buf *out)
{
	const struct text all = buf_view(out);
	const bool failed = out->failed ||
	    fwrite(all.s, 1, all.n, stdout) != all.n || fflush(stdout) != 0;

	buf_reset(out, SIZE_MAX);
	return failed ? -EIO : 0;
}

static int
list_print(struct audit_job *job, const struct list *list)
{
	const struct audit_entry *v = list->v;

	for (size_t i = 0; i < list->n; i++)
		job->format(&job->out, &v[i]);
	return out_flush(&job->out);
}

/* ---- export ---- */

/* Only to whoever is looking, and not into what they look at. */
static void
progress(int64_t n, bool last)
{
	if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
		fprintf(stderr, "\r%" PRId64 " events%s", n,
		    last ? "\n" : "");
}

static int
audit_export(struct audit_job *job)
{
	struct list page = { .n = PAGE };
	int64_t from, n = 0;
	int error;

	error = store_audit_seek(job->db, job->mem, job->filter.since, &from);
	if (job->format == audit_as_csv)
		audit_csv_head(&job->out);
	while (error == 0 && page.n == PAGE) {
		error = store_audit_page(job->db, job->mem, &job->filter, from,
		    PAGE, &page);
		if (error == 0)
			error = list_print(job, &page);
		if (error == 0 && page.n)
			from = ((const struct audit_entry *)
			    page.v)[page.n - 1].id + 1;
		arena_reset(job->mem);
		n += (int64_t)page.n;
		progress(n, error || page.n < PAGE);
	}
	return error;
}

/* ---- tail ---- */

static bool
is_wanted(const struct audit_filter *filter, const struct audit_entry *e)
{
	return (!filter->event.s || text_equal(filter->event, e->event)) &&
	    (uuid_is_nil(&filter->user_id) ||
	    uuid_equal(&filter->user_id, &e->user_id) ||
	    uuid_equal(&filter->user_id, &e->actor_id)) &&
	    (filter->since == TIME_NONE || e->at >= filter->since);
}

/* Whatever is new, of which the wanted is printed if it is to be seen. */
static int
follow_once(struct audit_job *job, struct audit_gaps *gaps, bool seen,
    size_t *ret_n)
{
	const int64_t now = clock_mono_ms();
	const struct audit_entry *v;
	struct list fresh;
	int error = store_audit_new(job->db, job->mem, gaps->last,
	    audit_gaps_ids(gaps, job->mem, now), PAGE, &fresh);

	if (error)
		return error;
	v = fresh.v;
	for (size_t i = 0; i < fresh.n; i++) {
		audit_gaps_seen(gaps, v[i].id, now);
		if (seen && is_wanted(&job->filter, &v[i]))
			job->format(&job->out, &v[i]);
	}
	*ret_n = fresh.n;
	error = out_flush(&job->out);
	arena_reset(job->mem);
	return error;
}

static int
follow(struct audit_job *job, struct audit_gaps *gaps)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	size_t n = 0;
	int error;

	while ((error = follow_once(job, gaps, true, &n)) == 0)
		if (n < PAGE)
			nanosleep(&pause, NULL);
	return error;
}

/* Which of the newest ids are there before anything is printed. */
static int
gaps_begin(struct audit_job *job, const struct audit_bounds *b,
    struct audit_gaps *gaps)
{
	size_t n;

	*gaps = (struct audit_gaps){ .last = b->last - PAGE / 2 };
	if (gaps->last < b->first)
		gaps->last = b->first - 1;
	return follow_once(job, gaps, false, &n);
}

static int
audit_tail(struct audit_job *job)
{
	struct audit_bounds b;
	struct audit_gaps gaps;
	const struct audit_entry *v;
	struct list newest;
	int64_t from;
	int error;

	if ((error = store_audit_seek(job->db, job->mem, job->filter.since,
	    &from)) ||
	    (error = store_audit_bounds(job->db, job->mem, &b)))
		return error;
	if (b.last == INT_NONE)
		b = (struct audit_bounds){ 1, 0 };
	if ((error = gaps_begin(job, &b, &gaps)) ||
	    (error = store_audit_last(job->db, job->mem, &job->filter, from,
	    gaps.last, job->n, &newest)) ||
	    (error = list_print(job, &newest)))
		return error;
	v = newest.v;
	for (size_t i = 0; i < newest.n; i++)
		audit_gaps_seen(&gaps, v[i].id, 0);
	arena_reset(job->mem);
	return job->follow ? follow(job, &gaps) : 0;
}

/* ---- the commands ---- */

/* An instant, a day's beginning, or so long ago: "90m", "12h", "7d". */
static bool
when_parse(const char *s, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	const long n = strtol(s, &end, 10);
	int32_t day;

	if (time_parse(text_of(s), ret))
		return true;
	if (date_parse(text_of(s), &day)) {
		*ret = day * TIME_DAY;
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end > s && *end == units[i].unit && !end[1] && n >= 0 &&
		    n <= 1000000) {
			*ret = clock_real_us() -
			    n * units[i].seconds * TIME_SECOND;
			return true;
		}
	return false;
}

static bool
time_take(struct cli *cli, enum cli_option option, int64_t *ret)
{
	const char *s = cli_value(cli, option);

	*ret = TIME_NONE;
	if (!s || when_parse(s, ret))
		return true;
	fprintf(stderr, "docket: --%s: \"%s\" is no time\n",
	    cli_options[option].word, s);
	return false;
}

static bool
event_take(struct cli *cli, struct text *ret)
{
	const char *s = cli_value(cli, OPT_event);

	*ret = text_of(s);
	if (!s || event_find(*ret) < EVENT__MAX)
		return true;
	fprintf(stderr, "docket: %s: there is no such event\n", s);
	return false;
}

/* What both commands take. */
static bool
filter_take(struct cli *cli, struct audit_filter *ret)
{
	return event_take(cli, &ret->event) &&
	    time_take(cli, OPT_since, &ret->since) &&
	    time_take(cli, OPT_until, &ret->until);
}

static int
job_user(struct cli *cli, struct audit_filter *filter)
{
	const char *user = cli_value(cli, OPT_user);
	struct text name;

	if (!user || uuid_parse(text_of(user), &filter->user_id))
		return 0;
	if (name_key(cli->mem, text_of(user), &name))
		return E_USER;
	return store_audit_user(cli->db, cli->mem, name, &filter->user_id);
}

static int
job_end(int error)
{
	if (error == -EIO && ferror(stdout)) {
		fputs("docket: cannot write the audit trail out\n", stderr);
		return EX_IOERR;
	}
	if (error == -EIO) {
		fputs("docket: the database does not let us read the trail: "
		    "database.owner_dsn must be its owner's\n", stderr);
		return EX_NOPERM;
	}
	return error ? cli_fail("audit", error) : EX_OK;
}

static int
job_run(struct cli *cli, struct audit_job *job,
    int (*run)(struct audit_job *))
{
	int status = EX_OSERR, error = job_user(cli, &job->filter);

	if (error)
		return cli_fail(cli_value(cli, OPT_user), error);
	job->db = cli->db;
	job->mem = arena_new(65536);
	if (job->mem)
		status = job_end(run(job));
	else
		fputs("docket: out of memory\n", stderr);
	buf_done(&job->out);
	arena_free(job->mem);
	return status;
}

int
cli_audit_tail(struct cli *cli)
{
	struct audit_job job = {
		.format = cli_has(cli, OPT_json) ? audit_as_json :
		    audit_as_text,
		.follow = cli_has(cli, OPT_follow), .n = TAIL,
	};

	if (!cli_number(cli, OPT_lines, 0, TAIL_MOST, &job.n) ||
	    !filter_take(cli, &job.filter))
		return cli_usage(cli);
	return job_run(cli, &job, audit_tail);
}

int
cli_audit_export(struct cli *cli)
{
	const char *format = cli_value(cli, OPT_format);
	struct audit_job job = {
		.format = format && *format == 'c' ? audit_as_csv :
		    audit_as_json,
	};

	if (!filter_take(cli, &job.filter))
		return cli_usage(cli);
	return job_run(cli, &job, audit_export);
}
