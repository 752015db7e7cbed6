/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Exports and imports of tasks: whose turn it is, and the rows of an import. */
#include "store/transfer.h"

#include "base/buf.h"
#include "base/error.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

struct claim {
	bool mine, place;
};

struct zone {
	struct text name;
};

struct added {
	int64_t n;
};

#define ROW(S, type_, member_) \
	{ .name = #member_, .type = (type_), .offset = offsetof(S, member_) }

static const struct field claim_fields[] = {
	ROW(struct claim, FIELD_BOOL, mine),
	ROW(struct claim, FIELD_BOOL, place),
};
static const struct field zone_fields[] = {
	ROW(struct zone, FIELD_TEXT, name),
};
static const struct field added_fields[] = {
	ROW(struct added, FIELD_INT, n),
};

static const struct fields claim_row =
    FIELDS(NULL, claim_fields, struct claim);
static const struct fields zone_row = FIELDS(NULL, zone_fields, struct zone);
static const struct fields added_row =
    FIELDS(NULL, added_fields, struct added);

enum {
	TRANSFER_CLAIM, TRANSFER_ZONES, TASK_IMPORT, CONSOLE_IMPORT
};

/*
 * $4 ids, $5 ids of the file, $6 to $18 a text[] a column, '' for none but in
 * title and description. Tags are JSON: arrays of arrays do not unnest by row.
 * The counter's row is locked before numbers are given; a twin that imported
 * the same ids meanwhile loses to the primary key and leaves gaps.
 */
#define SQL_IMPORT(owner) \
	"WITH given AS MATERIALIZED (" \
	" SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::text[]," \
	" $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]," \
	" $12::text[], $13::text[], $14::text[], $15::text[], $16::text[]," \
	" $17::text[], $18::text[]) WITH ORDINALITY AS g(id, given, title," \
	" description, status, priority, due_date, due_timezone, due_at," \
	" due_local, tags, version, created_at, updated_at, completed_at," \
	" n))," \
	" fresh AS MATERIALIZED (" \
	" SELECT g.*, row_number() OVER (ORDER BY g.n) AS k FROM given g" \
	" WHERE NOT EXISTS (SELECT FROM docket.tasks t WHERE" \
	" t.user_id = $1::uuid AND t.id IN (g.id, g.given)))," \
	" c AS (" \
	" UPDATE docket.counters c SET task_number = c.task_number" \
	" + (SELECT count(*) FROM fresh), change = c.change" \
	" + (SELECT count(*) FROM fresh) WHERE c.user_id = " owner \
	" RETURNING c.user_id, c.change," \
	" c.task_number - (SELECT count(*) FROM fresh) AS base)," \
	" t AS (" \
	" INSERT INTO docket.tasks (user_id, id, number, title," \
	" description, status, priority, due_date, due_timezone, due_at," \
	" tags, position, version, created_at, updated_at, completed_at)" \
	" SELECT $1, f.id, c.base + f.k, f.title, f.description, f.status," \
	" f.priority::smallint, NULLIF(f.due_date, '')," \
	" NULLIF(f.due_timezone, '')," \
	" COALESCE(timestamptz 'epoch' + NULLIF(f.due_at, '')::bigint" \
	" * interval '1 us', NULLIF(f.due_local, '')::timestamp" \
	" AT TIME ZONE NULLIF(f.due_timezone, ''))," \
	" ARRAY(SELECT jsonb_array_elements_text(f.tags::jsonb))," \
	" lpad((c.base + f.k)::text, 10, '0'), f.version::bigint," \
	" timestamptz 'epoch' + f.created_at::bigint * interval '1 us'," \
	" timestamptz 'epoch' + f.updated_at::bigint * interval '1 us'," \
	" timestamptz 'epoch' + NULLIF(f.completed_at, '')::bigint" \
	" * interval '1 us'" \
	" FROM fresh f, c ORDER BY f.k" \
	" ON CONFLICT (user_id, id) DO NOTHING" \
	" RETURNING user_id, id, version), " SQL_LOG_MANY \
	" SELECT (SELECT count(*) FROM t) AS n FROM c" \
	" WHERE $2::uuid IS NOT NULL AND NOT $3::bool"

static const struct stmt statements[] = {
	/* Locks, not rows: they go with the transaction, however it ends, and
	 * hold over all workers and hosts. */
	[TRANSFER_CLAIM] = {
		"transfer_claim",
		SQL_WHO " SELECT who.who_state, CASE WHEN who.who_state = 0"
		" THEN pg_try_advisory_xact_lock(hashtextextended("
		"'transfer ' || $1::text, 0)) END AS mine,"
		" CASE WHEN who.who_state = 0 THEN EXISTS (SELECT"
		" FROM generate_series(1, $4::bigint::int) s"
		" WHERE pg_try_advisory_xact_lock(1953653094, s)) END AS place"
		" FROM who",
		&claim_row, true, false
	},
	[TRANSFER_ZONES] = {
		"transfer_zones",
		"SELECT g.name FROM unnest($1::text[]) AS g(name)"
		" WHERE lower(g.name) NOT IN (SELECT lower(z.name)"
		" FROM pg_timezone_names z)",
		&zone_row, false, false
	},
	[TASK_IMPORT] = {
		"task_import", SQL_IMPORT(SQL_LIVE_USER), &added_row, false,
		true
	},
	[CONSOLE_IMPORT] = {
		"console_task_import", SQL_IMPORT("$1"), &added_row, false,
		true
	},
};

const struct stmts transfer_statements = STMTS(statements);

int
store_transfer_claim(struct db *db, struct arena *mem,
    const struct principal *who, long places)
{
	const struct claim *claim;
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_int(&p, places);
	error = who_run(db, mem, who, &statements[TRANSFER_CLAIM], &p, &r);
	if (error)
		return error;
	claim = r.v;
	if (r.rows == 0 || !claim->mine)
		return E_TRANSFER;
	return claim->place ? 0 : E_BUSY;
}

int
store_zones_check(struct db *db, struct arena *mem, struct texts zones,
    bool *ret_unknown)
{
	struct db_params p = { 0 };
	const struct zone *v;
	struct db_result r;
	int error;

	db_texts(&p, mem, zones);
	error = db_run(db, mem, &statements[TRANSFER_ZONES], &p, &r);
	if (error)
		return error;
	v = r.v;
	for (size_t i = 0; i < zones.n; i++) {
		ret_unknown[i] = false;
		for (size_t k = 0; k < r.rows; k++)
			ret_unknown[i] |= text_equal(v[k].name, zones.v[i]);
	}
	return 0;
}

/* ---- import ---- */

/* A column as text; none is ''. */

static struct text
number(struct arena *mem, int64_t v)
{
	return v == INT_NONE ? TEXT("") :
	    text_of(arena_printf(mem, "%lld", (long long)v));
}

#define TEXT_COLUMN(m) \
	static struct text \
	put_##m(struct arena *mem, const struct import_task *t) \
	{ \
		(void)mem; \
		return t->m.s ? t->m : TEXT(""); \
	}
#define INT_COLUMN(m) \
	static struct text \
	put_##m(struct arena *mem, const struct import_task *t) \
	{ \
		return number(mem, t->m); \
	}

TEXT_COLUMN(title)
TEXT_COLUMN(description)
TEXT_COLUMN(status)
INT_COLUMN(priority)
TEXT_COLUMN(due_date)
TEXT_COLUMN(due_timezone)
INT_COLUMN(due_at)
TEXT_COLUMN(due_local)
INT_COLUMN(version)
INT_COLUMN(created_at)
INT_COLUMN(updated_at)
INT_COLUMN(completed_at)

static struct text
put_tags(struct arena *mem, const struct import_task *t)
{
	struct buf b = { 0 };
	struct text all;

	for (size_t i = 0; i < t->tags.n; i++) {
		buf_putc(&b, i ? ',' : '[');
		buf_json(&b, t->tags.v[i]);
	}
	buf_puts(&b, t->tags.n ? "]" : "[]");
	if (b.failed) {
		buf_done(&b);
		arena_oom(mem);
	}
	all = arena_text(mem, buf_view(&b));
	buf_done(&b);
	return all;
}

/* $6 to $18. */
static struct text (*const columns[])(struct arena *mem,
    const struct import_task *t) = {
	put_title, put_description, put_status, put_priority, put_due_date,
	put_due_timezone, put_due_at, put_due_local, put_tags, put_version,
	put_created_at, put_updated_at, put_completed_at,
};

static void
push_columns(struct db_params *p, struct arena *mem,
    const struct import_task *v, size_t n)
{
	struct uuid *ids = arena_array(mem, 2 * n, sizeof(*ids));

	for (size_t i = 0; i < n; i++) {
		ids[i] = v[i].id;
		ids[n + i] = uuid_is_nil(&v[i].given) ? v[i].id : v[i].given;
	}
	db_uuids(p, mem, ids, n);
	db_uuids(p, mem, ids + n, n);
	for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
		struct texts all = { arena_array(mem, n, sizeof(*all.v)), n };

		for (size_t i = 0; i < n; i++)
			all.v[i] = columns[c](mem, &v[i]);
		db_texts(p, mem, all);
	}
}

int
store_task_import(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *owner,
    const struct import_task *v, size_t n, size_t *ret_added)
{
	const struct stmt *stmt = &statements[who ? TASK_IMPORT :
	    CONSOLE_IMPORT];
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	if (who) {
		who_params(&p, who);
	} else {
		db_uuid(&p, owner);
		db_uuid(&p, owner);
		db_bool(&p, false);
	}
	push_columns(&p, mem, v, n);
	error = who ? who_run(db, mem, who, stmt, &p, &r) :
	    db_run(db, mem, stmt, &p, &r);
	if (error)
		return error;
	*ret_added = r.rows ? (size_t)((const struct added *)r.v)->n : 0;
	return 0;
}
