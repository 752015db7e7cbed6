/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The order of tasks: some of them take a sequence in the places they hold. */
#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

struct ordered {
	int64_t n;		/* none: not all of them are there */
	bool repeated;		/* a task under both of its names */
};

static const struct field ordered_fields[] = {
	{ .name = "n", .type = FIELD_INT,
	  .offset = offsetof(struct ordered, n) },
	{ .name = "repeated", .type = FIELD_BOOL,
	  .offset = offsetof(struct ordered, repeated) },
};

static const struct fields ordered_row =
    FIELDS(NULL, ordered_fields, struct ordered);

static const struct stmt statements[] = {
	/*
	 * Rows are locked behind the counter: once they are, the positions
	 * are the newest. A row that is where it should be is not written: by
	 * the locked position (was), for the UPDATE itself first looks at the
	 * version of its snapshot.
	 */
	{
		"task_order",
		SQL_WHO ","
		" wanted AS MATERIALIZED ("
		" SELECT CASE WHEN length(w.ref) = 36 THEN w.ref::uuid ELSE"
		" (SELECT t.id FROM docket.tasks t"
		" WHERE t.user_id = $1 AND t.number = w.ref::bigint)"
		" END AS id, w.place"
		" FROM unnest($4::text[]) WITH ORDINALITY w (ref, place)),"
		" " SQL_TURN("$1 AND (SELECT who_state FROM who) = 0"
		    " AND (SELECT count(*) FROM docket.tasks f"
		    " WHERE f.user_id = $1"
		    " AND f.id = ANY (ARRAY(SELECT w.id FROM wanted w))"
		    " AND f.deleted_at IS NULL) = cardinality($4)",
		    "cardinality($4)") ","
		" locked AS MATERIALIZED ("
		" SELECT t.id, t.position FROM c, docket.tasks t"
		" WHERE t.user_id = c.user_id"
		" AND t.id = ANY (ARRAY(SELECT w.id FROM wanted w))"
		" AND t.deleted_at IS NULL"
		" ORDER BY t.id FOR NO KEY UPDATE OF t),"
		" whole AS MATERIALIZED ("
		" SELECT l.n FROM (SELECT count(*) AS n FROM locked) l"
		" WHERE l.n = (SELECT count(*) FROM wanted)),"
		" slots AS MATERIALIZED ("
		" SELECT w.id, s.position, l.position AS was FROM wanted w"
		" JOIN locked l USING (id)"
		" JOIN (SELECT position, row_number()"
		" OVER (ORDER BY position, id) AS place FROM locked) s"
		" USING (place)),"
		" t AS ("
		" UPDATE docket.tasks t SET position = s.position,"
		" version = t.version + 1,"
		" updated_at = greatest(now(), t.updated_at)"
		" FROM whole, slots s WHERE t.user_id = $1 AND t.id = s.id"
		" AND s.was <> s.position"
		" RETURNING t.user_id, t.id, t.version), " SQL_LOG_MANY
		" SELECT who.who_state, whole.n,"
		" (SELECT count(id) > count(DISTINCT id) FROM wanted)"
		" AS repeated"
		" FROM who LEFT JOIN whole ON true",
		&ordered_row, true, true
	},
};

const struct stmts task_order_statements = STMTS(statements);

int
store_task_order(struct db *db, struct arena *mem,
    const struct principal *who, struct texts refs, size_t *ret_n)
{
	struct db_params p = { 0 };
	const struct ordered *ordered;
	struct db_result r;
	int error;

	who_params(&p, who);
	db_texts(&p, mem, refs);
	error = who_run(db, mem, who, &statements[0], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	ordered = r.v;
	if (ordered->n == INT_NONE)
		return ordered->repeated ? E_INVALID : E_TASK;
	*ret_n = (size_t)ordered->n;
	return 0;
}
