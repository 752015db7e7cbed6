/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Lists of tasks: eight sorts, two directions, filters, keyset pages. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/edges.h"
#include "store/sets.h"
#include "store/task_filter.h"
#include "store/task_sql.h"
#include "store/who.h"

const char *const task_sort_names[SORT__MAX] = {
	[SORT_POSITION] = "position", [SORT_NUMBER] = "number",
	[SORT_CREATED] = "created_at", [SORT_UPDATED] = "updated_at",
	[SORT_DUE] = "due_date", [SORT_PRIORITY] = "priority",
	[SORT_TITLE] = "title", [SORT_STATUS] = "status",
};

static const struct field list_fields[] = {
	TASK_FIELDS,
	{ .name = "total", .type = FIELD_INT,
	  .offset = offsetof(struct list_row, total) },
};

static const struct fields list_row =
    FIELDS(NULL, list_fields, struct list_row);

/* The same without a total. */
static const struct fields plain_row = { NULL, list_fields,
    sizeof(list_fields) / sizeof(list_fields[0]) - 1,
    sizeof(struct list_row), false };

/*
 * Each sort and direction has two statements. The plain one takes $1..$3 who,
 * $4 rows, $5 the key and $6 the id to start behind (sentinels for "from the
 * start", so that the comparison is plain and the index serves it); where one
 * of the two says it all, it is $5; $7 see SQL_BY_DUE. Most lists are plain,
 * and setting up expressions that are not needed is a third of what a page
 * costs PostgreSQL. The full one has $5 = LIST_* bits and $6..$16 = filters
 * before them.
 */
#define SQL_PLAIN " t.user_id = " SQL_LIVE_USER " AND t.deleted_at IS NULL"

/* The two kinds: filters, key, id, second id. */
#define PLAIN SQL_PLAIN, "$5", "$6", "$7"
#define FULL " who.who_state = 0 AND" SQL_FILTERED, "$17", "$18", "$19"

/* The full kind's row is there even when there is nothing to list. */
#define SQL_FULL(rows) \
	SQL_WHO " SELECT who.who_state, x.*," \
	" CASE WHEN $5::int & 1 <> 0 AND who.who_state = 0 THEN (SELECT" \
	" count(*) FROM docket.tasks t WHERE" SQL_FILTERED ") END AS total" \
	" FROM who LEFT JOIN LATERAL (" rows ") x ON true"

/* Rows of one scan: those past the key, in order. */
#define SQL_SCAN(where, past, order) \
	"SELECT " SQL_TASK " FROM docket.tasks t" \
	" WHERE" where " AND " past \
	" ORDER BY " order " LIMIT $4::bigint"

#define SQL_KEYED(where, k, i, col, type, op, dir) \
	SQL_SCAN(where, \
	    "(" col ", t.id) " op " (" k "::" type ", " i "::uuid)", \
	    col " " dir ", t.id " dir)

#define SQL_BY_POSITION(where, k, i, j, op, dir) \
	SQL_KEYED(where, k, i, "t.position", "text", op, dir)
#define SQL_BY_UPDATED(where, k, i, j, op, dir) \
	SQL_KEYED(where, k, i, "t.updated_at", "timestamptz", op, dir)
#define SQL_BY_PRIORITY(where, k, i, j, op, dir) \
	SQL_KEYED(where, k, i, "t.priority", "bigint", op, dir)
#define SQL_BY_STATUS(where, k, i, j, op, dir) \
	SQL_KEYED(where, k, i, "t.status COLLATE \"C\"", "text", op, dir)
#define SQL_BY_TITLE(where, k, i, j, op, dir) \
	SQL_SCAN(where, \
	    "(lower(t.title) COLLATE \"C\", t.id) " op \
	    " (lower(" k "::text) COLLATE \"C\", " i "::uuid)", \
	    "lower(t.title) COLLATE \"C\" " dir ", t.id " dir)
/* A user has every number once: no id is needed to tell two apart. */
#define SQL_BY_NUMBER(where, k, i, j, op, dir) \
	SQL_SCAN(where, "t.number " op " " k "::bigint", "t.number " dir)
/* created_at is inside the id: the primary key has the order. */
#define SQL_BY_CREATED(where, k, i, j, op, dir) \
	SQL_SCAN(where, "t.id " op " " k "::uuid", "t.id " dir)
/*
 * With a due date by the partial index, then without by the primary key. One
 * of the two keys is always a sentinel: a page that ends among the undated
 * tasks asks for no dated ones, one that ends before them for all of them.
 */
#define SQL_BY_DUE(where, k, i, j, op, dir) \
	"SELECT * FROM (" \
	    "(" SQL_SCAN(where, "t.due_at IS NOT NULL AND" \
	    " (t.due_at, t.id) " op " (" k "::timestamptz, " i "::uuid)", \
	    "t.due_at " dir ", t.id " dir) ")" \
	    " UNION ALL " \
	    "(" SQL_SCAN(where, "t.due_at IS NULL AND t.id " op " " j "::uuid", \
	    "t.id " dir) ")) u" \
	    " ORDER BY (u.due_at IS NULL), u.due_at " dir ", u.id " dir \
	    " LIMIT $4"

/* PLAIN and FULL are several arguments: this lets them become so. */
#define SPREAD(sql, ...) sql(__VA_ARGS__)

#define LIST_AT(sort, descending, full) \
	(4 * (size_t)(sort) + 2 * (size_t)(descending) + (size_t)(full))
#define PLAIN_LIST(name, ...) \
	{ name, SPREAD(__VA_ARGS__), &plain_row, false, false }
#define FULL_LIST(name, ...) \
	{ name, SQL_FULL(SPREAD(__VA_ARGS__)), &list_row, true, false }
#define LISTS(sort, name, sql) \
	[LIST_AT(sort, 0, 0)] = PLAIN_LIST("task_list_" name, \
	    sql, PLAIN, ">", "ASC"), \
	[LIST_AT(sort, 0, 1)] = FULL_LIST("task_list_" name "_full", \
	    sql, FULL, ">", "ASC"), \
	[LIST_AT(sort, 1, 0)] = PLAIN_LIST("task_list_" name "_desc", \
	    sql, PLAIN, "<", "DESC"), \
	[LIST_AT(sort, 1, 1)] = FULL_LIST("task_list_" name "_desc_full", \
	    sql, FULL, "<", "DESC")

static const struct stmt statements[] = {
	LISTS(SORT_POSITION, "position", SQL_BY_POSITION),
	LISTS(SORT_NUMBER, "number", SQL_BY_NUMBER),
	LISTS(SORT_CREATED, "created", SQL_BY_CREATED),
	LISTS(SORT_UPDATED, "updated", SQL_BY_UPDATED),
	LISTS(SORT_DUE, "due", SQL_BY_DUE),
	LISTS(SORT_PRIORITY, "priority", SQL_BY_PRIORITY),
	LISTS(SORT_TITLE, "title", SQL_BY_TITLE),
	LISTS(SORT_STATUS, "status", SQL_BY_STATUS),
};

const struct stmts task_list_statements = STMTS(statements);

/* KEY_NUMBER goes without an id, KEY_ID is nothing else. */
enum key_type { KEY_TEXT, KEY_INT, KEY_TIME, KEY_NUMBER, KEY_ID, KEY_DUE };

static const enum key_type key_types[SORT__MAX] = {
	[SORT_POSITION] = KEY_TEXT, [SORT_NUMBER] = KEY_NUMBER,
	[SORT_CREATED] = KEY_ID, [SORT_UPDATED] = KEY_TIME,
	[SORT_DUE] = KEY_DUE, [SORT_PRIORITY] = KEY_INT,
	[SORT_TITLE] = KEY_TEXT, [SORT_STATUS] = KEY_TEXT,
};

/* Above every title of 200 characters: U+10FFFF is the last code point. */
#define TITLE_CHARS 201

static struct text
text_high(struct arena *mem)
{
	char *s = arena_alloc(mem, (size_t)TITLE_CHARS * 4);

	for (size_t i = 0; i < TITLE_CHARS; i++)
		memcpy(s + i * 4, "\xF4\x8F\xBF\xBF", 4);
	return (struct text){ s, (size_t)TITLE_CHARS * 4 };
}

/* The start of the list as a key. */
static void
push_start(struct db_params *p, struct arena *mem, const struct task_filter *f)
{
	bool down = f->descending;
	const struct uuid *edge = down ? &edge_high : &edge_low;

	switch (key_types[f->sort]) {
	case KEY_TEXT:
		db_text(p, down ? text_high(mem) : TEXT(""));
		break;
	case KEY_INT:
	case KEY_NUMBER:
		db_int(p, down ? INT64_MAX : -1);
		break;
	case KEY_TIME:
	case KEY_DUE:
		db_time(p, down ? EDGE_TIME_HIGH : EDGE_TIME_LOW);
		break;
	case KEY_ID:
		break;
	}
	if (key_types[f->sort] != KEY_NUMBER)
		db_uuid(p, edge);
	if (f->sort == SORT_DUE)
		db_uuid(p, edge);
}

int
task_key_int(struct text t, int64_t *ret)
{
	char digits[24], *end;

	if (t.n == 0 || t.n >= sizeof(digits))
		return E_CURSOR;
	memcpy(digits, t.s, t.n);
	digits[t.n] = '\0';
	errno = 0;
	*ret = strtoll(digits, &end, 10);
	if (errno || *end || digits[0] == '+' || digits[0] == ' ')
		return E_CURSOR;
	return *ret > EDGE_TIME_LOW && *ret < EDGE_TIME_HIGH ? 0 : E_CURSOR;
}

/* A due key is the instant in µs, or empty among the undated tasks. */
static int
push_due(struct db_params *p, const struct task_filter *f)
{
	const struct uuid *edge = f->descending ? &edge_high : &edge_low;
	int64_t us = f->descending ? EDGE_TIME_LOW : EDGE_TIME_HIGH;
	bool dated = f->key.n > 0;

	if (dated && task_key_int(f->key, &us))
		return E_CURSOR;
	db_time(p, us);
	db_uuid(p, dated ? &f->id : edge);
	db_uuid(p, dated ? edge : &f->id);
	return 0;
}

static int
push_key(struct db_params *p, const struct task_filter *f)
{
	enum key_type type = key_types[f->sort];
	int64_t v = 0;

	if (!f->key.s || uuid_is_nil(&f->id))
		return E_CURSOR;
	if (type == KEY_DUE)
		return push_due(p, f);
	if (type == KEY_ID ? f->key.n > 0 :
	    type != KEY_TEXT && task_key_int(f->key, &v))
		return E_CURSOR;
	if (type == KEY_TEXT)
		db_text(p, f->key);
	else if (type == KEY_TIME)
		db_time(p, v);
	else if (type != KEY_ID)
		db_int(p, v);
	if (type != KEY_NUMBER)
		db_uuid(p, &f->id);
	return 0;
}

/* What push_key takes back. */
struct text
task_list_key(struct arena *mem, enum task_sort sort, const struct list_row *row)
{
	const struct task *t = &row->task;
	int64_t v = 0;

	switch (sort) {
	case SORT_POSITION:
		return t->position;
	case SORT_TITLE:
		return t->title;
	case SORT_STATUS:
		return t->status;
	case SORT_NUMBER:
		v = t->number;
		break;
	case SORT_PRIORITY:
		v = t->priority;
		break;
	case SORT_UPDATED:
		v = t->updated_at;
		break;
	case SORT_DUE:
		if (t->due_at == TIME_NONE)
			return TEXT("");
		v = t->due_at;
		break;
	default:
		return TEXT("");
	}
	return text_of(arena_printf(mem, "%" PRId64, v));
}

static bool
is_filtered(const struct task_filter *f)
{
	return f->status.v || f->priority != INT_NONE || f->tag.s || f->q.s ||
	    f->due_before != TIME_NONE || f->due_after != TIME_NONE ||
	    f->created_before != TIME_NONE || f->created_after != TIME_NONE ||
	    f->updated_before != TIME_NONE || f->updated_after != TIME_NONE ||
	    f->overdue;
}

void
task_list_filters(struct db_params *p, struct arena *mem,
    const struct task_filter *f)
{
	db_int4(p, (f->count ? LIST_COUNT : 0) |
	    (is_filtered(f) ? LIST_FILTER : 0));
	db_texts(p, mem, f->status);
	db_int(p, f->priority);
	db_text(p, f->tag);
	db_text(p, f->q);
	db_time(p, f->due_before);
	db_time(p, f->due_after);
	db_time(p, f->created_before);
	db_time(p, f->created_after);
	db_time(p, f->updated_before);
	db_time(p, f->updated_after);
	db_bool(p, f->overdue);
}

/* A row that carries only the total has no id. */
void
task_list_hand_out(struct arena *mem, const struct principal *who,
    const struct task_filter *f, const struct db_result *r,
    struct task_list *ret)
{
	const struct list_row *rows = r->v;
	size_t n = r->rows;
	struct task *tasks;

	*ret = (struct task_list){ .total = INT_NONE };
	if (n > 0 && f->count)
		ret->total = rows[0].total;
	while (n > 0 && uuid_is_nil(&rows[n - 1].task.id))
		n--;
	ret->more = n > (size_t)f->limit;
	if (ret->more)
		n = (size_t)f->limit;
	tasks = arena_array(mem, n + 1, sizeof(*tasks));
	for (size_t i = 0; i < n; i++) {
		tasks[i] = rows[i].task;
		task_complete(&tasks[i], who);
	}
	ret->tasks = (struct list){ .v = tasks, .n = n };
	if (n > 0) {
		ret->last_key = task_list_key(mem, f->sort, &rows[n - 1]);
		ret->last_id = tasks[n - 1].id;
	}
}

/* By the order of the list itself. */
static int
list_walk(struct db *db, struct arena *mem, const struct principal *who,
    const struct task_filter *filter, struct task_list *ret)
{
	const bool full = filter->count || is_filtered(filter);
	const struct stmt *stmt =
	    &statements[LIST_AT(filter->sort, filter->descending, full)];
	struct db_params p = { 0 };
	struct db_result r;
	int error = 0;

	who_params(&p, who);
	db_int(&p, filter->limit + 1);
	if (full)
		task_list_filters(&p, mem, filter);
	if (filter->after)
		error = push_key(&p, filter);
	else
		push_start(&p, mem, filter);
	if (error == 0)
		error = who_run(db, mem, who, stmt, &p, &r);
	if (error)
		return error;
	task_list_hand_out(mem, who, filter, &r, ret);
	return 0;
}

int
store_task_list(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    struct task_list *ret)
{
	struct task_filter walk = *filter;
	struct task_list found;
	bool many = true;
	int error;

	if (!filter->q.s)
		return list_walk(db, mem, who, filter, ret);
	error = store_task_find(db, mem, who, filter, &found, &many);
	if (error == 0 && many) {
		walk.count = false;
		error = list_walk(db, mem, who, &walk, ret);
		ret->total = found.total;
	} else if (error == 0) {
		*ret = found;
	}
	return error;
}
