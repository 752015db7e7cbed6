/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: filters of lists, and what their two ways to rows share. */
#ifndef DOCKET_STORE_TASK_FILTER_H
#define DOCKET_STORE_TASK_FILTER_H

#include "store/task_sql.h"
#include "store/tasks.h"

/* What a list hands out. */
struct list_row {
	struct task task;	/* first: TASK_FIELDS' offsets hold */
	int64_t total;
	bool many;		/* task_find.c alone */
};

/* $5: what is asked for. */
enum { LIST_COUNT = 1, LIST_FILTER = 2 };

/* What the index tasks_text has, as migration 0015 writes it: the words, and
 * the owner as one of them. */
#define SQL_TEXT \
	"(to_tsvector('simple', t.title || ' '" \
	" || COALESCE(t.description, ''))" \
	" || array_to_tsvector(ARRAY['@' || t.user_id::text]))"
#define SQL_QUERY "websearch_to_tsquery('simple', $9)"

/* The filters $6..$16 but $9, the words. */
#define SQL_FILTERS \
	" ($6::text[] IS NULL OR t.status = ANY ($6))" \
	" AND ($7::bigint IS NULL OR t.priority = $7)" \
	" AND ($8::text IS NULL OR t.tags @> ARRAY[$8])" \
	" AND ($10::timestamptz IS NULL OR t.due_at < $10)" \
	" AND ($11::timestamptz IS NULL OR t.due_at > $11)" \
	" AND ($12::timestamptz IS NULL OR t.created_at < $12)" \
	" AND ($13::timestamptz IS NULL OR t.created_at > $13)" \
	" AND ($14::timestamptz IS NULL OR t.updated_at < $14)" \
	" AND ($15::timestamptz IS NULL OR t.updated_at > $15)" \
	" AND (NOT $16::bool OR " SQL_OVERDUE ")"

/*
 * All of them. The CASE hides the filters from the planner, which would take
 * eleven of them to leave next to nothing and sort a user's whole heap instead
 * of walking the index to the limit.
 */
#define SQL_FILTERED \
	" t.user_id = $1 AND t.deleted_at IS NULL" \
	" AND CASE WHEN $5::int & 2 = 0 THEN true ELSE" SQL_FILTERS \
	" AND ($9::text IS NULL OR " SQL_TEXT " @@ (SELECT " SQL_QUERY ")) END"

/* Push $5..$16. */
void task_list_filters(struct db_params *p, struct arena *mem,
    const struct task_filter *f);
/* The key of a row: what a cursor has. task_key_int takes a number or an
 * instant back: 0 or E_CURSOR. */
struct text task_list_key(struct arena *mem, enum task_sort sort,
    const struct list_row *row);
int task_key_int(struct text t, int64_t *ret);
/* Rows of struct list_row as the caller gets them. */
void task_list_hand_out(struct arena *mem, const struct principal *who,
    const struct task_filter *f, const struct db_result *r,
    struct task_list *ret);

/* With words to look for: by the index of words, unless *ret_many. Then too
 * many have them to be sorted: some are found sooner in the order itself.
 * *ret has the total alone. */
int store_task_find(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    struct task_list *ret, bool *ret_many);

#endif
