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
	const char *user;	/* as given; filter.user_id is found later */
	struct audit_filter filter;
	audit_format format;
	int64_t n;		/* tail */
	bool follow, tail;
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

/* ---- the command ---- */

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
count_parse(const char *s, int64_t *ret)
{
	char *end;

	*ret = strtol(s, &end, 10);
	return *s && !*end && *ret >= 0 && *ret <= TAIL_MOST;
}

static bool
format_parse(const char *s, audit_format *ret)
{
	*ret = strcmp(s, "csv") == 0 ? audit_as_csv :
	    strcmp(s, "ndjson") == 0 ? audit_as_json : NULL;
	return *ret;
}

static bool
event_parse(const char *s, struct text *ret)
{
	*ret = text_of(s);
	if (event_find(*ret) < EVENT__MAX)
		return true;
	fprintf(stderr, "docket: %s: there is no such event\n", s);
	return false;
}

/* An option that both verbs take, or one of them; false: it is wrong. */
static bool
option_take(struct cli *cli, int c, struct audit_job *job)
{
	switch (c) {
	case 'n':
		return job->tail && count_parse(optarg, &job->n);
	case 'f':
		return job->follow = job->tail;
	case 'j':
		job->format = audit_as_json;
		return job->tail;
	case 'u':
		job->user = optarg;
		return true;
	case 'e':
		return event_parse(optarg, &job->filter.event);
	case 'S':
		return when_parse(optarg, &job->filter.since);
	case 'U':
		return !job->tail && when_parse(optarg, &job->filter.until);
	case 'F':
		return !job->tail && format_parse(optarg, &job->format);
	default:
		return cli_option(cli, c);
	}
}

static bool
job_parse(struct cli *cli, int argc, char **argv, struct audit_job *job)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "follow", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "user", required_argument, NULL, 'u' },
		{ "event", required_argument, NULL, 'e' },
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		{ "format", required_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	job->tail = argc > 1 && strcmp(argv[1], "tail") == 0;
	if (!job->tail && (argc < 2 || strcmp(argv[1], "export") != 0))
		return argc > 1 && strcmp(argv[1], "--help") == 0 &&
		    cli_option(cli, 'h');
	job->format = job->tail ? audit_as_text : audit_as_json;
	while ((c = getopt_long(argc - 1, argv + 1, "c:hn:f", options,
	    NULL)) != -1)
		if (!option_take(cli, c, job))
			return false;
	return optind == argc - 1;
}

static int
job_user(struct cli *cli, struct audit_job *job)
{
	struct text name;

	if (!job->user ||
	    uuid_parse(text_of(job->user), &job->filter.user_id))
		return 0;
	if (name_key(cli->mem, text_of(job->user), &name))
		return E_USER;
	return store_audit_user(job->db, cli->mem, name,
	    &job->filter.user_id);
}

static int
job_run(struct cli *cli, struct audit_job *job)
{
	int error = job_user(cli, job);

	if (error)
		return cli_fail(job->user, error);
	error = job->tail ? audit_tail(job) : audit_export(job);
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

int
cli_audit(struct cli *cli, int argc, char **argv)
{
	static const struct stmts *const sets[] = { &audit_statements };
	struct audit_job job = {
		.filter = { .since = TIME_NONE, .until = TIME_NONE },
		.n = TAIL, .mem = arena_new(65536),
	};
	struct settings settings;
	int status = EX_OSERR;

	if (!job.mem)
		fputs("docket: out of memory\n", stderr);
	else if (!job_parse(cli, argc, argv, &job))
		status = cli_usage();
	else if ((status = cli_settings(cli, &settings)) == 0) {
		job.db = cli_connect(&settings, settings.database_owner_dsn,
		    sets, 1, &status);
		if (job.db)
			status = job_run(cli, &job);
		db_free(job.db);
		settings_done(&settings);
	}
	buf_done(&job.out);
	arena_free(job.mem);
	return status;
}
