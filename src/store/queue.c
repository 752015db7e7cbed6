/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The queue for an administrator: list, retry, hold, drop. */
#include "store/queue.h"

#include <stddef.h>

#include "store/sets.h"

#define LANE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct queue_lane, member_) }

static const struct field lane_fields[] = {
	LANE(FIELD_TEXT, channel),
	LANE(FIELD_TEXT, state),
	LANE(FIELD_INT, letters),
	LANE(FIELD_INT, sent),
	LANE(FIELD_INT, failed),
	LANE(FIELD_INT, failures),
	LANE(FIELD_TIME, opened_at),
	LANE(FIELD_TIME, open_until),
	LANE(FIELD_TIME, held_at),
	LANE(FIELD_TIME, failed_at),
	LANE(FIELD_TEXT, last_error),
};

const struct fields queue_lane_fields =
    FIELDS(NULL, lane_fields, struct queue_lane);

#define LETTER(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct queue_letter, member_) }

static const struct field letter_fields[] = {
	LETTER(FIELD_UUID, id),
	LETTER(FIELD_TEXT, channel),
	LETTER(FIELD_TEXT, address),
	LETTER(FIELD_TEXT, purpose),
	LETTER(FIELD_TEXT, state),
	LETTER(FIELD_INT, tries),
	LETTER(FIELD_TIME, created_at),
	LETTER(FIELD_TIME, next_at),
	LETTER(FIELD_TIME, expires_at),
	LETTER(FIELD_TIME, dead_at),
	LETTER(FIELD_TEXT, last_error),
};

const struct fields queue_letter_fields =
    FIELDS(NULL, letter_fields, struct queue_letter);

/* $1 ids, $2 channel, $3 state; and what the verb concerns. */
#define SQL_PICKED(such) \
	"letters AS (" \
	" SELECT id, channel, address, purpose," \
	" CASE WHEN next_at = 'infinity' THEN 'held'" \
	" WHEN next_at <= now() THEN 'due'" \
	" WHEN leased THEN 'leased' ELSE 'waiting' END AS state," \
	" tries, created_at, CASE WHEN next_at > now() THEN next_at END" \
	" AS next_at, expires_at, NULL::timestamptz AS dead_at, last_error" \
	" FROM docket.outbox WHERE wanted" \
	" UNION ALL SELECT id, channel, address, purpose, 'dead'," \
	" tries, created_at, NULL, expires_at, dead_at, last_error" \
	" FROM docket.dead_letters)," \
	" picked AS MATERIALIZED (" \
	" SELECT * FROM letters" \
	" WHERE ($1::uuid[] IS NULL OR id = ANY ($1))" \
	" AND ($2::text IS NULL OR channel = $2)" \
	" AND ($3::text IS NULL OR state = $3)" such ")"

#define SQL_SHOWN \
	" SELECT id, channel, address, purpose, state, tries, created_at," \
	" next_at, expires_at, dead_at, last_error" \
	" FROM picked ORDER BY created_at, id"

enum {
	LETTERS_LIST, LETTERS_RETRY, LETTERS_HOLD, LETTERS_DROP, LANES_LIST,
	LANES_HOLD
};

static const struct stmt statements[] = {
	/* $4: do it. Here there is nothing to do. */
	[LETTERS_LIST] = {
		"queue_list",
		"WITH " SQL_PICKED(" AND NOT $4::bool") SQL_SHOWN,
		&queue_letter_fields, false, false
	},
	/* $5: a lease. What was held in a sender's hand may still be there. */
	[LETTERS_RETRY] = {
		"queue_retry",
		"WITH " SQL_PICKED(" AND state IN ('waiting', 'held')") ","
		" done AS ("
		" UPDATE docket.outbox o SET next_at = now() +"
		" CASE WHEN o.leased THEN $5::bigint ELSE 0 END"
		" * interval '1 ms' FROM picked p"
		" WHERE $4::bool AND o.id = p.id)" SQL_SHOWN,
		&queue_letter_fields, false, true
	},
	[LETTERS_HOLD] = {
		"queue_hold",
		"WITH " SQL_PICKED(
		    " AND state IN ('due', 'waiting', 'leased')") ","
		" done AS ("
		" UPDATE docket.outbox o SET next_at = 'infinity'"
		" FROM picked p WHERE $4::bool AND o.id = p.id)" SQL_SHOWN,
		&queue_letter_fields, false, true
	},
	[LETTERS_DROP] = {
		"queue_drop",
		"WITH " SQL_PICKED("") ","
		" live AS ("
		" DELETE FROM docket.outbox o USING picked p"
		" WHERE $4::bool AND o.id = p.id),"
		" dead AS ("
		" DELETE FROM docket.dead_letters d USING picked p"
		" WHERE $4 AND d.id = p.id)" SQL_SHOWN,
		&queue_letter_fields, false, true
	},
	[LANES_LIST] = {
		"queue_lanes",
		"SELECT l.channel,"
		" CASE WHEN l.held_at IS NOT NULL THEN 'held'"
		" WHEN l.opened_at IS NULL THEN 'ready'"
		" WHEN l.open_until > now() THEN 'open'"
		" ELSE 'half-open' END AS state,"
		" (SELECT count(*) FROM docket.outbox o"
		" WHERE o.channel = l.channel AND o.wanted) AS letters,"
		" l.sent, l.failed, l.failures, l.opened_at, l.open_until,"
		" l.held_at, l.failed_at, l.last_error"
		" FROM docket.courier_lanes l ORDER BY l.channel DESC",
		&queue_lane_fields, false, false
	},
	[LANES_HOLD] = {
		"queue_hold_lane",
		"UPDATE docket.courier_lanes SET"
		" held_at = CASE WHEN $2::bool THEN coalesce(held_at, now())"
		" END,"
		" open_until = CASE WHEN $2 THEN open_until"
		" ELSE least(open_until, CASE WHEN opened_at IS NOT NULL"
		" THEN now() END) END"
		" WHERE $1::text IS NULL OR channel = $1",
		NULL, false, true
	},
};

const struct stmts queue_statements = STMTS(statements);

static const int of_verb[] = {
	[QUEUE_LIST] = LETTERS_LIST,
	[QUEUE_RETRY] = LETTERS_RETRY,
	[QUEUE_HOLD] = LETTERS_HOLD,
	[QUEUE_DROP] = LETTERS_DROP,
};

int
store_queue_lanes(struct db *db, struct arena *mem, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &statements[LANES_LIST], &p, &r);

	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_queue_letters(struct db *db, struct arena *mem, enum queue_verb verb,
    const struct queue_pick *pick, bool dry, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuids(&p, mem, pick->ids, pick->n_ids);
	db_text(&p, pick->channel);
	db_text(&p, pick->state);
	db_bool(&p, !dry && verb != QUEUE_LIST);
	if (verb == QUEUE_RETRY)
		db_int(&p, pick->lease_ms);
	error = db_run(db, mem, &statements[of_verb[verb]], &p, &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_queue_hold_lane(struct db *db, struct arena *mem, struct text channel,
    bool hold)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_text(&p, channel);
	db_bool(&p, hold);
	return db_run(db, mem, &statements[LANES_HOLD], &p, &r);
}
