/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The audit trail, read by its owner: the newest, pages, what has come. */
#include "store/audit.h"

#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"

/* By how much `at`, the beginning of a statement, may lag behind its id. */
#define SLACK (INT64_C(3600) * TIME_SECOND)

#define ENTRY(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct audit_entry, member_) }

static const struct field entry_fields[] = {
	ENTRY(FIELD_INT, id),
	ENTRY(FIELD_TIME, at),
	ENTRY(FIELD_TEXT, event),
	ENTRY(FIELD_UUID, user_id),
	ENTRY(FIELD_UUID, actor_id),
	ENTRY(FIELD_UUID, session_id),
	ENTRY(FIELD_TEXT, ip),
	ENTRY(FIELD_TEXT, request_id),
	ENTRY(FIELD_TEXT, address),
	ENTRY(FIELD_TEXT, detail),
};

const struct fields audit_row =
    FIELDS(NULL, entry_fields, struct audit_entry);

static const struct field bounds_fields[] = {
	{ .name = "first", .type = FIELD_INT,
	  .offset = offsetof(struct audit_bounds, first) },
	{ .name = "last", .type = FIELD_INT,
	  .offset = offsetof(struct audit_bounds, last) },
};

static const struct fields bounds_row =
    FIELDS(NULL, bounds_fields, struct audit_bounds);

struct audit_place {
	int64_t id, at;
};

static const struct field place_fields[] = {
	{ .name = "id", .type = FIELD_INT,
	  .offset = offsetof(struct audit_place, id) },
	{ .name = "at", .type = FIELD_TIME,
	  .offset = offsetof(struct audit_place, at) },
};

static const struct fields place_row =
    FIELDS(NULL, place_fields, struct audit_place);

static const struct field user_fields[] = {
	{ .name = "id", .type = FIELD_UUID, .offset = 0 },
};

static const struct fields whose_row =
    FIELDS(NULL, user_fields, struct uuid);

#define SQL_ENTRY \
	"a.id, a.at, a.event, a.user_id, a.actor_id, a.session_id, a.ip," \
	" a.request_id, a.address, a.detail"

/* $1 event, $2 user, $3 since, $4 until. */
#define SQL_FILTER \
	" ($1::text IS NULL OR a.event = $1)" \
	" AND ($2::uuid IS NULL OR a.user_id = $2 OR a.actor_id = $2)" \
	" AND ($3::timestamptz IS NULL OR a.at >= $3)" \
	" AND ($4::timestamptz IS NULL OR a.at < $4)"

enum { AUDIT_BOUNDS, AUDIT_PLACE, AUDIT_LAST, AUDIT_PAGE, AUDIT_NEW,
	AUDIT_USER };

static const struct stmt statements[] = {
	[AUDIT_BOUNDS] = {
		"audit_bounds",
		"SELECT min(id) AS first, max(id) AS last FROM docket.audit",
		&bounds_row, false, false
	},
	[AUDIT_PLACE] = {
		"audit_place",
		"SELECT id, at FROM docket.audit WHERE id >= $1::bigint"
		" ORDER BY id LIMIT 1",
		&place_row, false, false
	},
	/* $5 and $6 the first and last id, $7 how many. */
	[AUDIT_LAST] = {
		"audit_last",
		"SELECT * FROM (SELECT " SQL_ENTRY " FROM docket.audit a"
		" WHERE" SQL_FILTER " AND a.id BETWEEN $5::bigint AND"
		" $6::bigint ORDER BY a.id DESC LIMIT $7::bigint) a"
		" ORDER BY a.id",
		&audit_row, false, false
	},
	[AUDIT_PAGE] = {
		"audit_page",
		"SELECT " SQL_ENTRY " FROM docket.audit a WHERE" SQL_FILTER
		" AND a.id >= $5::bigint ORDER BY a.id LIMIT $6::bigint",
		&audit_row, false, false
	},
	[AUDIT_NEW] = {
		"audit_new",
		"SELECT * FROM (SELECT " SQL_ENTRY " FROM docket.audit a"
		" WHERE a.id = ANY ($2::text[]::bigint[])"
		" UNION ALL (SELECT " SQL_ENTRY " FROM docket.audit a"
		" WHERE a.id > $1::bigint ORDER BY a.id LIMIT $3::bigint)) a"
		" ORDER BY a.id",
		&audit_row, false, false
	},
	[AUDIT_USER] = {
		"audit_user",
		"SELECT id FROM docket.users WHERE username_key = $1::text",
		&whose_row, false, false
	},
};

const struct stmts audit_statements = STMTS(statements);

int
store_audit_bounds(struct db *db, struct arena *mem, struct audit_bounds *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &statements[AUDIT_BOUNDS], &p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct audit_bounds *)r.v;
	return 0;
}

/* Whether the entry at or behind `id` is too old, and its id. */
static int
seek_probe(struct db *db, struct arena *mem, int64_t id, int64_t since,
    bool *ret_old, int64_t *ret_id)
{
	const struct audit_place *place;
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_int(&p, id);
	error = db_run(db, mem, &statements[AUDIT_PLACE], &p, &r);
	if (error)
		return error;
	place = r.v;
	*ret_old = r.rows > 0 && place->at < since - SLACK;
	*ret_id = r.rows > 0 ? place->id : id;
	return 0;
}

int
store_audit_seek(struct db *db, struct arena *mem, int64_t since,
    int64_t *ret_id)
{
	struct audit_bounds b;
	int error = store_audit_bounds(db, mem, &b);
	int64_t middle, id;
	bool old;

	if (error)
		return error;
	*ret_id = b.first == INT_NONE ? 0 : b.first;
	if (since == TIME_NONE || b.first == INT_NONE)
		return 0;
	/* From here on what is before b.first is too old, and what is behind
	 * b.last may not be. */
	while (b.first <= b.last) {
		middle = b.first + (b.last - b.first) / 2;
		error = seek_probe(db, mem, middle, since, &old, &id);
		if (error)
			return error;
		if (old)
			b.first = id + 1;
		else
			b.last = middle - 1;
	}
	*ret_id = b.first;
	return 0;
}

static int
entries(struct db *db, struct arena *mem, int which,
    const struct db_params *p, struct list *ret)
{
	struct db_result r;
	int error = db_run(db, mem, &statements[which], p, &r);

	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

static void
push_filter(struct db_params *p, const struct audit_filter *filter)
{
	db_text(p, filter->event);
	db_uuid(p, &filter->user_id);
	db_time(p, filter->since);
	db_time(p, filter->until);
}

int
store_audit_last(struct db *db, struct arena *mem,
    const struct audit_filter *filter, int64_t from, int64_t to, int64_t n,
    struct list *ret)
{
	struct db_params p = { 0 };

	push_filter(&p, filter);
	db_int(&p, from);
	db_int(&p, to);
	db_int(&p, n);
	return entries(db, mem, AUDIT_LAST, &p, ret);
}

int
store_audit_page(struct db *db, struct arena *mem,
    const struct audit_filter *filter, int64_t from, int64_t n,
    struct list *ret)
{
	struct db_params p = { 0 };

	push_filter(&p, filter);
	db_int(&p, from);
	db_int(&p, n);
	return entries(db, mem, AUDIT_PAGE, &p, ret);
}

int
store_audit_new(struct db *db, struct arena *mem, int64_t after,
    struct texts missing, int64_t n, struct list *ret)
{
	struct db_params p = { 0 };

	db_int(&p, after);
	db_texts(&p, mem, missing);
	db_int(&p, n);
	return entries(db, mem, AUDIT_NEW, &p, ret);
}

int
store_audit_user(struct db *db, struct arena *mem, struct text name_key,
    struct uuid *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, name_key);
	error = db_run(db, mem, &statements[AUDIT_USER], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_USER;
	*ret = *(const struct uuid *)r.v;
	return 0;
}
