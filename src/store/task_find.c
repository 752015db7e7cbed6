/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Lists of the tasks that have some words: by the index of words, then sorted. */
#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"
#include "store/task_filter.h"
#include "store/who.h"

/*
 * $1..$3 who, $4 rows, $5..$16 as in task_list.c, $17 the sort, $18..$21 the
 * key of the last row: text, number or instant, does it come last, id; $22 is
 * there one.
 *
 * Whatever the sort, what is found is at most FIND_MAX short rows to sort. The
 * owner stands in the query, for the index, and as a plain comparison that no
 * other index can serve: IS TRUE. Without it the planner, which knows no
 * user's size, would read all the tasks of somebody with a million of them.
 * A query without a word finds nothing, nor does a session that has ended.
 */
#define FIND_MAX "20000"

#define SQL_MATCHES \
	" (t.user_id = $1) IS TRUE AND t.deleted_at IS NULL" \
	" AND " SQL_TEXT " @@ (SELECT asked.query FROM asked)" \
	" AND" SQL_FILTERS

/* The sorts' own numbers; nothing due comes last. */
_Static_assert(SORT_POSITION == 0 && SORT_NUMBER == 1 && SORT_CREATED == 2 &&
    SORT_UPDATED == 3 && SORT_DUE == 4 && SORT_PRIORITY == 5 &&
    SORT_TITLE == 6 && SORT_STATUS == 7, "as in SQL_KEYS");
#define SQL_KEYS \
	"COALESCE(CASE $17::int WHEN 0 THEN t.position" \
	" WHEN 6 THEN lower(t.title) WHEN 7 THEN t.status::text END, '')" \
	" COLLATE \"C\" AS words," \
	" COALESCE(CASE $17 WHEN 1 THEN t.number WHEN 5 THEN t.priority" \
	" WHEN 3 THEN (extract(epoch FROM t.updated_at) * 1000000)::bigint" \
	" WHEN 4 THEN (extract(epoch FROM t.due_at) * 1000000)::bigint" \
	" END, 0) AS n, $17 = 4 AND t.due_at IS NULL AS at_end"

#define SQL_FIND(op, dir) \
	SQL_WHO "," \
	" asked AS MATERIALIZED (SELECT w.query" \
	" && ('''@' || $1::text || '''')::tsquery AS query" \
	" FROM who, (SELECT " SQL_QUERY " AS query) w" \
	" WHERE who.who_state = 0 AND numnode(w.query) > 0)," \
	" found AS MATERIALIZED (SELECT t.id, " SQL_KEYS \
	" FROM docket.tasks t WHERE" SQL_MATCHES \
	" LIMIT " FIND_MAX " + 1)," \
	" size AS MATERIALIZED (SELECT count(*) AS n FROM found)," \
	" page AS MATERIALIZED (SELECT f.* FROM found f" \
	" WHERE (SELECT size.n FROM size) <= " FIND_MAX \
	" AND (NOT $22::bool OR f.at_end > $20::bool OR f.at_end = $20 AND" \
	" (f.words, f.n, f.id) " op " (CASE $17 WHEN 6 THEN lower($18::text)" \
	" ELSE $18 END, $19::bigint, $21::uuid))" \
	" ORDER BY f.at_end, f.words " dir ", f.n " dir ", f.id " dir \
	" LIMIT $4::bigint)" \
	" SELECT who.who_state, x.*, CASE WHEN $5::int & 1 <> 0 THEN" \
	" CASE WHEN size.n <= " FIND_MAX " THEN size.n ELSE" \
	" (SELECT count(*) FROM docket.tasks t WHERE" SQL_MATCHES ") END END" \
	" AS total, size.n > " FIND_MAX " AS many" \
	" FROM who CROSS JOIN size LEFT JOIN (page LEFT JOIN LATERAL" \
	" (SELECT " SQL_TASK " FROM docket.tasks t WHERE t.user_id = $1" \
	" AND t.id = page.id LIMIT 1) x ON true) ON true" \
	" ORDER BY page.at_end, page.words " dir ", page.n " dir "," \
	" page.id " dir

static const struct field find_fields[] = {
	TASK_FIELDS,
	{ .name = "total", .type = FIELD_INT,
	  .offset = offsetof(struct list_row, total) },
	{ .name = "many", .type = FIELD_BOOL,
	  .offset = offsetof(struct list_row, many) },
};

static const struct fields find_row =
    FIELDS(NULL, find_fields, struct list_row);

static const struct stmt statements[] = {
	{ "task_find", SQL_FIND(">", "ASC"), &find_row, true, false },
	{ "task_find_desc", SQL_FIND("<", "DESC"), &find_row, true, false },
};

const struct stmts task_find_statements = STMTS(statements);

/* $17..$22. */
static int
push_key(struct db_params *p, const struct task_filter *f)
{
	const bool words = f->sort == SORT_POSITION ||
	    f->sort == SORT_TITLE || f->sort == SORT_STATUS;
	const bool last = f->sort == SORT_DUE && f->after && f->key.n == 0;
	const bool none = !f->after || words || last ||
	    f->sort == SORT_CREATED;
	int64_t n = 0;

	if (f->after && (!f->key.s || uuid_is_nil(&f->id)))
		return E_CURSOR;
	if (!none && task_key_int(f->key, &n))
		return E_CURSOR;
	db_int4(p, (int32_t)f->sort);
	db_text(p, f->after && words ? f->key : TEXT(""));
	db_int(p, n);
	db_bool(p, last);
	db_uuid(p, &f->id);
	db_bool(p, f->after);
	return 0;
}

int
store_task_find(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    struct task_list *ret, bool *ret_many)
{
	const struct list_row *first;
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_int(&p, filter->limit + 1);
	task_list_filters(&p, mem, filter);
	error = push_key(&p, filter);
	if (error == 0)
		error = who_run(db, mem, who, &statements[filter->descending],
		    &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	first = r.v;
	*ret_many = first->many;
	task_list_hand_out(mem, who, filter, &r, ret);
	return 0;
}
