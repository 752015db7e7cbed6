/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket.migrations: what has been applied, what is to be, under one lock. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/scripts.h"

/* The key of the advisory lock: "docket" in ASCII. */
#define SQL_LOCK_KEY "110429572130164"
#define CONNECT_MS 5000

#define APPLIED(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct applied, member_) }

struct applied {
	int64_t number;
	struct text name, checksum;
	int64_t applied_at;
};

static const struct field applied_fields[] = {
	APPLIED(FIELD_INT, number),
	APPLIED(FIELD_TEXT, name),
	APPLIED(FIELD_TEXT, checksum),
	APPLIED(FIELD_TIME, applied_at),
};

static const struct fields applied_row =
    FIELDS(NULL, applied_fields, struct applied);

struct exists {
	bool yes;
};

static const struct field exists_fields[] = {
	{ .name = "yes", .type = FIELD_BOOL,
	  .offset = offsetof(struct exists, yes) },
};

static const struct fields exists_row =
    FIELDS(NULL, exists_fields, struct exists);

enum { MIGRATE_EXISTS, MIGRATE_APPLIED, MIGRATE_NOTE };

static const struct stmt statements[] = {
	[MIGRATE_EXISTS] = {
		"migrate_exists",
		"SELECT to_regclass('docket.migrations') IS NOT NULL AS yes",
		&exists_row, false, false
	},
	[MIGRATE_APPLIED] = {
		"migrate_applied",
		"SELECT number, name, checksum, applied_at"
		" FROM docket.migrations ORDER BY number",
		&applied_row, false, false
	},
	[MIGRATE_NOTE] = {
		"migrate_note",
		"INSERT INTO docket.migrations (number, name, checksum)"
		" VALUES ($1::bigint, $2::text, $3::text)",
		NULL, false, true
	},
};

static const char bootstrap[] =
    "CREATE SCHEMA IF NOT EXISTS docket;"
    "CREATE TABLE IF NOT EXISTS docket.migrations ("
    " number bigint PRIMARY KEY,"
    " name text NOT NULL,"
    " checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

/* One run of the command. */
struct run {
	const struct migrate_options *options;
	FILE *out, *err;
	struct db *db;
	struct arena *mem;
	struct scripts scripts;
	const struct applied *applied;
	size_t n_applied;
};

/* An error of the store as an exit status, told; why begins with its
 * SQLSTATE. */
static int
tell(const struct run *run, const char *what, int error, const char *why)
{
	const bool right = why && strncmp(why, "42501", 5) == 0;
	const bool busy = why && error == E_BUSY;

	if (error == 0)
		return 0;
	if (!why)
		why = error < 0 ? strerror(-error) : error_row(error)->detail;
	fprintf(run->err, "docket: %s: %s%s\n", what, why, right ?
	    "; database.owner_dsn must be its owner's" : busy ? "; somebody "
	    "else migrates, or a table is in use: run this again" : "");
	if (right)
		return EX_NOPERM;
	return error == -EPROTO ? EX_SOFTWARE : EX_TEMPFAIL;
}

static int
script(const struct run *run, const char *what, const char *sql)
{
	const char *why;
	int error = db_script(run->db, sql, &why);

	/* lock_timeout: somebody else migrates, or a table is in use. */
	if (error == -EPROTO && strncmp(why, "55P03", 5) == 0)
		error = E_BUSY;
	return tell(run, what, error, why);
}

static int
connect_and_lock(struct run *run)
{
	char sql[256];
	int error = db_connect(run->db, CONNECT_MS);

	if (error)
		return tell(run, "database", error, *db_why(run->db) ?
		    db_why(run->db) : NULL);
	snprintf(sql, sizeof(sql), "SET client_min_messages = warning;"
	    "SET lock_timeout = %ld", run->options->lock_timeout_ms);
	error = script(run, "settings", sql);
	if (error || run->options->status)
		return error;
	return script(run, "migration lock",
	    "SELECT pg_advisory_lock(" SQL_LOCK_KEY ")");
}

static int
read_applied(struct run *run)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(run->db, run->mem, &statements[MIGRATE_EXISTS],
	    &none, &r);

	if (error || !((const struct exists *)r.v)->yes)
		return tell(run, "migrations", error, NULL);
	error = db_run(run->db, run->mem, &statements[MIGRATE_APPLIED], &none,
	    &r);
	if (error)
		return tell(run, "migrations", error, NULL);
	run->applied = r.v;
	run->n_applied = r.rows;
	return 0;
}

/* Everything that was applied must still be here, unchanged. The numbers of
 * the files have no gap (scripts_read), so the two lists go in step. */
static int
compare(const struct run *run)
{
	int status = 0;

	for (size_t i = 0; i < run->n_applied; i++) {
		const struct applied *a = &run->applied[i];
		const struct script *s = &run->scripts.v[i];

		if (i >= run->scripts.n || a->number != s->number)
			fprintf(run->err, "docket: migration %04lld is applied"
			    " but has no file\n", (long long)a->number);
		else if (!text_is(a->checksum, s->checksum))
			fprintf(run->err, "docket: %s: changed after it was"
			    " applied\n", s->name);
		else
			continue;
		status = EX_DATAERR;
	}
	return status;
}

static int
tell_status(const struct run *run)
{
	for (size_t i = 0; i < run->scripts.n; i++) {
		char at[TIME_CHARS + 1] = "missing";

		if (i < run->n_applied) {
			time_format(run->applied[i].applied_at, at);
			at[TIME_CHARS] = '\0';
		}
		fprintf(run->out, "%-24s %s\n", at, run->scripts.v[i].name);
	}
	return run->scripts.n > run->n_applied;
}

static int
apply_one(const struct run *run, const struct script *s)
{
	struct db_params p = { 0 };
	struct db_result r;
	int status = script(run, s->name, s->sql);

	if (status)
		return status;
	db_int(&p, s->number);
	db_text(&p, text_of(s->name));
	db_text(&p, text_of(s->checksum));
	status = tell(run, s->name, db_run(run->db, run->mem,
	    &statements[MIGRATE_NOTE], &p, &r), NULL);
	if (status == 0)
		fprintf(run->out, "%s %s\n",
		    run->options->dry_run ? "would apply" : "applied", s->name);
	return status;
}

/* Each in a transaction of its own; a dry run has one around them all, which
 * is never committed. */
static int
apply_missing(struct run *run)
{
	bool dry = run->options->dry_run;
	int status = 0;

	if (dry)
		status = tell(run, "begin", db_begin(run->db), NULL);
	if (status == 0)
		status = script(run, "bootstrap", bootstrap);
	for (size_t i = run->n_applied; status == 0 && i < run->scripts.n;
	    i++) {
		if (!dry)
			status = tell(run, "begin", db_begin(run->db), NULL);
		if (status == 0)
			status = apply_one(run, &run->scripts.v[i]);
		if (status == 0 && !dry)
			status = tell(run, "commit", db_commit(run->db), NULL);
	}
	db_rollback(run->db);
	if (status == 0 && run->n_applied == run->scripts.n)
		fprintf(run->out, "nothing to apply\n");
	return status;
}

static int
migrate(struct run *run)
{
	int status = scripts_read(run->options->dir, run->mem, run->err,
	    &run->scripts);

	if (status == 0)
		status = connect_and_lock(run);
	if (status == 0)
		status = read_applied(run);
	if (status == 0)
		status = compare(run);
	if (status)
		return status;
	return run->options->status ? tell_status(run) : apply_missing(run);
}

int
migrate_run(const struct migrate_options *options, FILE *out, FILE *err)
{
	/* No deadline: a migration takes what it takes. Nothing is kept
	 * prepared, because the schema changes underneath. */
	const struct db_config config = {
		.dsn = options->dsn, .application = "docket-migrate",
	};
	struct run run = { .options = options, .out = out, .err = err };
	int status = EX_TEMPFAIL;

	run.db = db_new(&config);
	run.mem = arena_new(65536);
	if (run.db && run.mem)
		status = migrate(&run);
	db_free(run.db);
	arena_free(run.mem);
	return status;
}
