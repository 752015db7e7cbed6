/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keeps the logs of changes short: a task once, and nothing old. */
#include <stddef.h>

#include "base/error.h"
#include "store/changes.h"
#include "store/edges.h"
#include "store/sets.h"

/* Rows of the logs that one transaction looks at. */
#define TRIM_BATCH 10000

/* How far a batch came, and what it took away. */
struct trimmed {
	struct uuid user_id;
	int64_t change, seen, gone;
};

#define ROW(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct trimmed, member_) }

static const struct field trimmed_fields[] = {
	ROW(FIELD_UUID, user_id), ROW(FIELD_INT, change),
	ROW(FIELD_INT, seen), ROW(FIELD_INT, gone),
};

static const struct fields trimmed_row =
    FIELDS(NULL, trimmed_fields, struct trimmed);

static const struct stmt statements[] = {
	/*
	 * $1 user and $2 number to start behind, $3 seconds, $4 rows. From
	 * owner to owner along the key, so that every batch costs the same;
	 * what a later row of the same batch says again can go at any age.
	 * What is old goes only with a new floor in the owner's counter. Who
	 * is just writing is not waited for: the next sweep comes. Rows are
	 * found again by their place: nothing updates them, and as long as
	 * this sees them nothing else can take it.
	 */
	{
		"changes_trim",
		"WITH m AS MATERIALIZED ("
		" SELECT x.*, lead(x.change) OVER (PARTITION BY x.user_id,"
		" x.task_id ORDER BY x.change) IS NOT NULL AS again"
		" FROM (SELECT l.ctid AS place, l.user_id, l.change,"
		" l.task_id, l.at FROM docket.task_changes l"
		" WHERE (l.user_id, l.change) > ($1::uuid, $2::bigint)"
		" ORDER BY l.user_id, l.change LIMIT $4::bigint) x),"
		" old AS MATERIALIZED ("
		" SELECT m.user_id, max(m.change) AS floor FROM m"
		" WHERE m.at < now() - make_interval(secs => $3::bigint)"
		" GROUP BY m.user_id),"
		" held AS MATERIALIZED ("
		" SELECT c.user_id, o.floor FROM old o"
		" JOIN docket.counters c USING (user_id)"
		" ORDER BY c.user_id FOR NO KEY UPDATE OF c SKIP LOCKED),"
		" f AS ("
		" UPDATE docket.counters c SET"
		" change_floor = greatest(c.change_floor, h.floor)"
		" FROM held h WHERE c.user_id = h.user_id"
		" RETURNING c.user_id, h.floor),"
		" d AS ("
		" DELETE FROM docket.task_changes l"
		" WHERE l.ctid = ANY (ARRAY(SELECT m.place FROM m"
		" LEFT JOIN f USING (user_id)"
		" WHERE m.again OR m.change <= f.floor)) RETURNING 1)"
		" SELECT m.user_id, m.change,"
		" (SELECT count(*) FROM m) AS seen,"
		" (SELECT count(*) FROM d) AS gone"
		" FROM m ORDER BY m.user_id DESC, m.change DESC LIMIT 1",
		&trimmed_row, false, true
	},
};

const struct stmts changes_trim_statements = STMTS(statements);

int
store_changes_trim(struct db *db, struct arena *mem, int64_t keep,
    int64_t *ret_n)
{
	struct trimmed at = { .user_id = edge_low };
	struct db_result r;
	int error;

	*ret_n = 0;
	do {
		struct db_params p = { 0 };

		db_uuid(&p, &at.user_id);
		db_int(&p, at.change);
		db_int(&p, keep);
		db_int(&p, TRIM_BATCH);
		error = db_run(db, mem, &statements[0], &p, &r);
		if (error || r.rows == 0)
			return error;
		at = *(const struct trimmed *)r.v;
		*ret_n += at.gone;
	} while (at.seen == TRIM_BATCH);
	return 0;
}
