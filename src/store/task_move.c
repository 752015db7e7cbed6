/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Moves one task beside another, and makes room where it is crowded. */
#include <errno.h>
#include <stddef.h>

#include "base/error.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

/* A key this long says that its neighbourhood is crowded: some 600 moves went
 * into one gap. It is then spread, the fewest rows that make keys short. */
#define KEY_CROWDED 120
#define KEY_SHORT 40
#define SPREAD_FIRST 32
#define SPREAD_LAST 2048

/* A gap in the order: the anchor on one side, its neighbour on the other. */
struct gap {
	struct uuid id, anchor;
	struct text near, far;	/* positions; far is none at an end */
};

static const struct field gap_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct gap, id) },
	{ .name = "anchor", .type = FIELD_UUID,
	  .offset = offsetof(struct gap, anchor) },
	{ .name = "near", .type = FIELD_TEXT,
	  .offset = offsetof(struct gap, near) },
	{ .name = "far", .type = FIELD_TEXT,
	  .offset = offsetof(struct gap, far) },
};

static const struct fields gap_row = FIELDS(NULL, gap_fields, struct gap);

/* $4, $5 the task, $6, $7 the anchor. The task itself is no neighbour; what
 * lies in the trash is, or a restored task could share its position. */
#define SQL_GAP(op, dir) \
	SQL_WHO "," \
	" t AS (SELECT t.id FROM who JOIN docket.tasks t" \
	" ON who.who_state = 0 AND t.user_id = $1" \
	" AND t.id = " SQL_REF("$4", "$5") " AND t.deleted_at IS NULL)," \
	" a AS (SELECT t.id, t.position FROM who JOIN docket.tasks t" \
	" ON who.who_state = 0 AND t.user_id = $1" \
	" AND t.id = " SQL_REF("$6", "$7") " AND t.deleted_at IS NULL)" \
	" SELECT who.who_state, t.id, a.id AS anchor, a.position AS near," \
	" (SELECT n.position FROM docket.tasks n WHERE n.user_id = $1" \
	" AND n.position " op " a.position AND n.id <> t.id" \
	" ORDER BY n.position " dir " LIMIT 1) AS far" \
	" FROM who LEFT JOIN (t CROSS JOIN a) ON true"

/* A row of a crowd. */
struct spot {
	struct uuid id;
	struct text position;
	bool low;		/* at or below the middle */
};

static const struct field spot_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct spot, id) },
	{ .name = "position", .type = FIELD_TEXT,
	  .offset = offsetof(struct spot, position) },
	{ .name = "low", .type = FIELD_BOOL,
	  .offset = offsetof(struct spot, low) },
};

static const struct fields spot_row = FIELDS(NULL, spot_fields, struct spot);

#define SQL_SIDE(op, low, dir) \
	"(SELECT n.id, n.position, " low " AS low FROM docket.tasks n" \
	" WHERE who.who_state = 0 AND n.user_id = $1" \
	" AND n.position " op " $4::text" \
	" ORDER BY n.position " dir ", n.id " dir " LIMIT $5::bigint)"

enum {
	MOVE_LOCK, MOVE_GAP_BEFORE, MOVE_GAP_AFTER, MOVE_CROWD, MOVE_SPREAD,
	MOVE_PUT
};

static const struct stmt statements[] = {
	/* Moves of one user take turns; the next statement's snapshot then
	 * has what the last one did. */
	[MOVE_LOCK] = {
		"task_move_lock",
		SQL_WHO ", c AS ("
		" SELECT FROM docket.counters"
		" WHERE user_id = $1 AND (SELECT who_state FROM who) = 0"
		" FOR UPDATE)"
		" SELECT who.who_state FROM who"
		" WHERE (SELECT count(*) FROM c) >= 0",
		NULL, true, false
	},
	[MOVE_GAP_AFTER] = {
		"task_gap_after", SQL_GAP(">", "ASC"), &gap_row, true, false
	},
	[MOVE_GAP_BEFORE] = {
		"task_gap_before", SQL_GAP("<", "DESC"), &gap_row, true, false
	},
	/* $4 the middle, $5 how many on either side. */
	[MOVE_CROWD] = {
		"task_crowd",
		SQL_WHO " SELECT who.who_state, x.* FROM who"
		" LEFT JOIN LATERAL ("
		" SELECT * FROM (" SQL_SIDE("<=", "true", "DESC")
		" UNION ALL " SQL_SIDE(">", "false", "ASC") ") u"
		" ORDER BY u.position, u.id) x ON true",
		&spot_row, true, false
	},
	[MOVE_SPREAD] = {
		"task_spread",
		SQL_WHO ","
		" " SQL_TURN("$1 AND (SELECT who_state FROM who) = 0",
		    "cardinality($4::uuid[])") ","
		" t AS ("
		" UPDATE docket.tasks t SET position = n.position,"
		" version = t.version + 1,"
		" updated_at = greatest(now(), t.updated_at)"
		" FROM c, unnest($4::uuid[], $5::text[]) AS n (id, position)"
		" WHERE t.user_id = c.user_id AND t.id = n.id"
		" RETURNING t.user_id, t.id, t.version), " SQL_LOG_MANY
		" SELECT who.who_state FROM who",
		NULL, true, true
	},
	[MOVE_PUT] = {
		"task_move",
		SQL_WHO ","
		" " SQL_TURN("$1 AND (SELECT who_state FROM who) = 0", "1") ","
		" t AS ("
		" UPDATE docket.tasks t SET position = $6::text,"
		" version = t.version + 1,"
		" updated_at = greatest(now(), t.updated_at)"
		" FROM c WHERE t.user_id = c.user_id AND " SQL_LIVE("t")
		" RETURNING t.*, c.change AS turn), " SQL_LOG_ONE("t.version")
		" SELECT who.who_state, " SQL_TASK
		" FROM who LEFT JOIN t ON true",
		&task_row, true, true
	},
};

const struct stmts task_move_statements = STMTS(statements);

/* What a move asks for, and where it happens. */
struct move {
	struct db *db;
	struct arena *mem;
	const struct principal *who;
	const struct task_ref *ref, *anchor;
	bool after;
	const struct task_ranks *ranks;
};

static int
move_lock(const struct move *m)
{
	struct db_params p = { 0 };
	struct db_result r;

	who_params(&p, m->who);
	return who_run(m->db, m->mem, m->who, &statements[MOVE_LOCK], &p, &r);
}

static int
move_gap(const struct move *m, struct gap *ret)
{
	const struct stmt *stmt =
	    &statements[m->after ? MOVE_GAP_AFTER : MOVE_GAP_BEFORE];
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	task_params(&p, m->who, m->ref);
	db_uuid(&p, &m->anchor->id);
	db_int(&p, uuid_is_nil(&m->anchor->id) ? m->anchor->number : INT_NONE);
	error = who_run(m->db, m->mem, m->who, stmt, &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_TASK;
	*ret = *(const struct gap *)r.v;
	return 0;
}

static int
move_key(const struct move *m, const struct gap *gap, struct text *ret)
{
	return m->ranks->between(m->mem, m->after ? gap->near : gap->far,
	    m->after ? gap->far : gap->near, ret);
}

static size_t
longest(struct texts keys)
{
	size_t n = 0;

	for (size_t i = 0; i < keys.n; i++)
		if (keys.v[i].n > n)
			n = keys.v[i].n;
	return n;
}

/* The rows around `middle`, at most `side` below and above, without the
 * outermost of a full side, which is the bound there. */
struct crowd {
	const struct spot *v;
	size_t n;
	struct text lo, hi;
};

static int
crowd_read(const struct move *m, struct text middle, size_t side,
    struct crowd *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	size_t low = 0;
	int error;

	who_params(&p, m->who);
	db_text(&p, middle);
	db_int(&p, (int64_t)side);
	error = who_run(m->db, m->mem, m->who, &statements[MOVE_CROWD], &p, &r);
	if (error)
		return error;
	*ret = (struct crowd){ .v = r.v, .n = r.rows };
	while (low < ret->n && ret->v[low].low)
		low++;
	if (ret->n - low == side)
		ret->hi = ret->v[--ret->n].position;
	if (low == side) {
		ret->lo = ret->v[0].position;
		ret->v++;
		ret->n--;
	}
	return 0;
}

static int
crowd_write(const struct move *m, const struct crowd *crowd,
    struct texts keys)
{
	struct uuid *ids = arena_array(m->mem, crowd->n + 1, sizeof(*ids));
	struct db_params p = { 0 };
	struct db_result r;

	for (size_t i = 0; i < crowd->n; i++)
		ids[i] = crowd->v[i].id;
	who_params(&p, m->who);
	db_uuids(&p, m->mem, ids, crowd->n);
	db_texts(&p, m->mem, keys);
	return who_run(m->db, m->mem, m->who, &statements[MOVE_SPREAD], &p, &r);
}

/* Widen the neighbourhood until its keys come out short. */
static int
move_spread(const struct move *m, struct text middle)
{
	struct crowd crowd;
	struct texts keys;
	int error;

	for (size_t side = SPREAD_FIRST;; side *= 4) {
		error = crowd_read(m, middle, side, &crowd);
		if (error)
			return error;
		keys.n = crowd.n;
		keys.v = arena_array(m->mem, keys.n + 1, sizeof(*keys.v));
		error = m->ranks->spread(m->mem, crowd.lo, crowd.hi, keys.n,
		    keys.v);
		if (error && error != -EINVAL)
			return error;
		if (error == 0 && (longest(keys) <= KEY_SHORT ||
		    side >= SPREAD_LAST))
			return crowd_write(m, &crowd, keys);
		if (side >= SPREAD_LAST)
			return error;
	}
}

static int
move_put(const struct move *m, struct text position, struct task *ret)
{
	struct db_params p = { 0 };

	task_params(&p, m->who, m->ref);
	db_text(&p, position);
	return task_run(m->db, m->mem, m->who, &statements[MOVE_PUT], &p, ret);
}

static int
move_run(const struct move *m, struct task *ret)
{
	struct gap gap;
	struct text key = TEXT_NONE;
	int error = move_lock(m);

	if (error == 0)
		error = move_gap(m, &gap);
	if (error)
		return error;
	/* Beside itself is where it is. */
	if (uuid_equal(&gap.id, &gap.anchor))
		return store_task_get(m->db, m->mem, m->who, m->ref, ret);
	error = move_key(m, &gap, &key);
	if (error && error != -EINVAL)
		return error;
	if (error || key.n > KEY_CROWDED) {
		error = move_spread(m, gap.near);
		if (error == 0)
			error = move_gap(m, &gap);
		if (error == 0)
			error = move_key(m, &gap, &key);
	}
	return error ? error : move_put(m, key, ret);
}

int
store_task_move(struct db *db, struct arena *mem, const struct principal *who,
    const struct task_ref *ref, const struct task_ref *anchor, bool after,
    const struct task_ranks *ranks, struct task *ret)
{
	const struct move m = { db, mem, who, ref, anchor, after, ranks };
	bool own = !db_in_transaction(db);
	int error = own ? db_begin(db) : 0;

	if (error == 0)
		error = move_run(&m, ret);
	if (error == 0 && own)
		return db_commit(db);
	if (own)
		db_rollback(db);
	return error;
}
