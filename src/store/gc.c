/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Takes away what no statement looks at any more. */
#include <stddef.h>

#include "base/error.h"
#include "store/gc.h"
#include "store/sets.h"
#include "store/trash.h"

#define COUNT(member_) \
	{ .name = #member_, .type = FIELD_INT, \
	  .offset = offsetof(struct gc_counts, member_) }

static const struct field count_fields[] = {
	COUNT(otps), COUNT(budgets), COUNT(attempts), COUNT(idempotency),
	COUNT(sessions),
};

static const struct fields count_row =
    FIELDS(NULL, count_fields, struct gc_counts);

static const struct field expired_fields[] = { COUNT(audit) };

static const struct fields expired_row =
    FIELDS(NULL, expired_fields, struct gc_counts);

/* Entries of the audit trail that go in one transaction. */
#define AUDIT_BATCH 10000

enum { GC, GC_AUDIT };

static const struct stmt statements[] = {
	/* A budget stays while it counts: its day, its window, its block. */
	[GC] = {
		"gc",
		"WITH o AS ("
		" DELETE FROM docket.otps"
		" WHERE updated_at < now() - interval '2 days'"
		" AND expires_at < now() RETURNING 1),"
		" b AS ("
		" DELETE FROM docket.otp_budgets"
		" WHERE last_at < now() - interval '2 days'"
		" AND (blocked_until IS NULL OR blocked_until < now())"
		" AND (guess_start IS NULL"
		" OR guess_start < now() - interval '2 days') RETURNING 1),"
		" a AS ("
		" DELETE FROM docket.attempts"
		" WHERE window_start < now() - interval '2 h' RETURNING 1),"
		" t AS ("
		" DELETE FROM docket.otp_traffic"
		" WHERE day < (now() - interval '2 days')::date RETURNING 1),"
		" l AS ("
		" DELETE FROM docket.lockouts"
		" WHERE greatest(since, locked_until)"
		" < now() - interval '2 days' RETURNING 1),"
		" i AS ("
		" DELETE FROM docket.idempotency"
		" WHERE created_at < now() - interval '24 h' RETURNING 1),"
		" s AS ("
		" DELETE FROM docket.sessions"
		" WHERE least(ended_at, idle_until, absolute_until)"
		" < now() - interval '30 days' AND kind = 'login'"
		" RETURNING 1)"
		" SELECT (SELECT count(*) FROM o) AS otps,"
		" (SELECT count(*) FROM b) + (SELECT count(*) FROM t)"
		" AS budgets,"
		" (SELECT count(*) FROM a) + (SELECT count(*) FROM l)"
		" AS attempts,"
		" (SELECT count(*) FROM i) AS idempotency,"
		" (SELECT count(*) FROM s) AS sessions",
		&count_row, false, true
	},
	[GC_AUDIT] = {
		"gc_audit",
		"SELECT docket.audit_expire(make_interval(secs => $1::bigint),"
		" $2::bigint) AS audit",
		&expired_row, false, true
	},
};

const struct stmts gc_statements = STMTS(statements);

/* The oldest, a batch at a time, until one of them is to stay. */
static int
gc_audit(struct db *db, struct arena *mem, int64_t keep, int64_t *ret)
{
	int64_t gone = AUDIT_BATCH;

	for (*ret = 0; gone == AUDIT_BATCH; *ret += gone) {
		struct db_params p = { 0 };
		struct db_result r;
		int error;

		db_int(&p, keep);
		db_int(&p, AUDIT_BATCH);
		error = db_run(db, mem, &statements[GC_AUDIT], &p, &r);
		if (error)
			return error;
		gone = r.rows ? ((const struct gc_counts *)r.v)->audit : 0;
	}
	return 0;
}

int
store_gc(struct db *db, struct arena *mem, int64_t audit_keep,
    int64_t trash_days, struct gc_counts *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &statements[GC], &p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct gc_counts *)r.v;
	error = gc_audit(db, mem, audit_keep, &ret->audit);
	return error ? error :
	    store_trash_empty(db, mem, trash_days, &ret->tasks);
}
