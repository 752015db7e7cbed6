/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A lane's counts, and the end of what waited too long in it. */
#include "store/lanes.h"

#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"

struct swept {
	int64_t expired;
};

static const struct field swept_fields[] = {
	{ .name = "expired", .type = FIELD_INT,
	  .offset = offsetof(struct swept, expired) },
};

static const struct fields swept_row =
    FIELDS(NULL, swept_fields, struct swept);

enum { LANE_COUNT, LANE_SWEEP };

static const struct stmt statements[] = {
	[LANE_COUNT] = {
		"lane_count",
		"UPDATE docket.courier_lanes SET sent = sent + $2::bigint,"
		" failed = failed + $3::bigint WHERE channel = $1::text",
		NULL, false, true
	},
	/* What is leased is its sender's as long as the lease lasts; what is
	 * locked is somebody's this very moment. */
	[LANE_SWEEP] = {
		"lane_sweep",
		"WITH late AS MATERIALIZED ("
		" SELECT id FROM docket.outbox"
		" WHERE channel = $1::text AND expires_at <= now()"
		" AND (NOT leased OR next_at <= now())"
		" FOR UPDATE SKIP LOCKED),"
		" gone AS ("
		" DELETE FROM docket.outbox o USING late"
		" WHERE o.id = late.id RETURNING o.*),"
		" buried AS ("
		" INSERT INTO docket.dead_letters (id, channel, address,"
		" purpose, tries, created_at, expires_at, last_error)"
		" SELECT id, channel, address, purpose, tries, created_at,"
		" expires_at, coalesce(last_error, 'expired')"
		" FROM gone WHERE wanted RETURNING 1),"
		" old AS ("
		" DELETE FROM docket.dead_letters WHERE channel = $1"
		" AND dead_at < now() - make_interval(secs => $2::bigint))"
		" SELECT count(*) AS expired FROM buried",
		&swept_row, false, true
	},
};

const struct stmts lane_statements = STMTS(statements);

int
store_lane_count(struct db *db, struct arena *mem, struct text channel,
    int64_t sent, int64_t failed)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_text(&p, channel);
	db_int(&p, sent);
	db_int(&p, failed);
	return db_run(db, mem, &statements[LANE_COUNT], &p, &r);
}

int
store_lane_sweep(struct db *db, struct arena *mem, struct text channel,
    int64_t keep_seconds, int64_t *ret_expired)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, channel);
	db_int(&p, keep_seconds);
	error = db_run(db, mem, &statements[LANE_SWEEP], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret_expired = ((const struct swept *)r.v)->expired;
	return 0;
}
