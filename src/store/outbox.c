/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A sender's statements: the next message, and how the last one ended. */
#include <stddef.h>

#include "base/error.h"
#include "store/outbox.h"
#include "store/sets.h"

#define MESSAGE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct message, member_) }

static const struct field message_fields[] = {
	MESSAGE(FIELD_BOOL, probe),
	MESSAGE(FIELD_BOOL, blocked),
	MESSAGE(FIELD_UUID, id),
	MESSAGE(FIELD_TEXT, address),
	MESSAGE(FIELD_TEXT, purpose),
	MESSAGE(FIELD_TEXT, language),
	MESSAGE(FIELD_BYTES, sealed),
	MESSAGE(FIELD_INT, tries),
	MESSAGE(FIELD_INT, left_ms),
	MESSAGE(FIELD_BOOL, wanted),
	MESSAGE(FIELD_TIME, created_at),
};

static const struct fields message_row =
    FIELDS(NULL, message_fields, struct message);

#define BREAKER(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct breaker, member_) }

static const struct field breaker_fields[] = {
	BREAKER(FIELD_BOOL, opened),
	BREAKER(FIELD_BOOL, closed),
	BREAKER(FIELD_INT, open_seconds),
};

static const struct fields breaker_row =
    FIELDS(NULL, breaker_fields, struct breaker);

enum { OUTBOX_NEXT, OUTBOX_END };

/* How long the breaker opens for at first, and at most. */
#define SQL_OPEN_FIRST "5"
#define SQL_OPEN_MOST "60"

static const struct stmt statements[] = {
	/*
	 * $1 channel, $2 lease in ms; $3 id of the last message, if it ended
	 * plainly, and $4 whether it was sent.
	 *
	 * A lease is next_at moved ahead: a sender that dies lets go of its
	 * message by doing nothing. So does a probe: who moves open_until has
	 * it, and the others see it moved.
	 */
	[OUTBOX_NEXT] = {
		"outbox_next",
		"WITH gone AS ("
		" DELETE FROM docket.outbox WHERE id = $3::uuid),"
		" calm AS ("
		" UPDATE docket.courier_lanes SET failures = 0"
		" WHERE channel = $1::text AND $4::bool"
		" AND failures > 0 AND opened_at IS NULL),"
		" lane AS MATERIALIZED ("
		" SELECT opened_at IS NULL AND held_at IS NULL AS free"
		" FROM docket.courier_lanes WHERE channel = $1),"
		" probe AS ("
		" UPDATE docket.courier_lanes SET"
		" open_until = now() + $2::bigint * interval '1 ms'"
		" WHERE channel = $1 AND held_at IS NULL"
		" AND opened_at IS NOT NULL AND open_until <= now()"
		" AND EXISTS (SELECT FROM docket.outbox"
		" WHERE channel = $1 AND next_at <= now())"
		" RETURNING 1),"
		" due AS MATERIALIZED ("
		" SELECT id FROM docket.outbox"
		" WHERE channel = $1 AND next_at <= now()"
		" AND id IS DISTINCT FROM $3"
		" AND ((SELECT free FROM lane) OR EXISTS (SELECT FROM probe))"
		" ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED),"
		" leased AS ("
		" UPDATE docket.outbox o SET tries = o.tries + 1, leased = true,"
		" next_at = now() + $2 * interval '1 ms'"
		" FROM due WHERE o.id = due.id"
		" RETURNING o.id, o.address, o.purpose, o.language,"
		" o.sealed, o.tries,"
		" o.expires_at, o.wanted, o.created_at)"
		" SELECT EXISTS (SELECT FROM probe) AS probe,"
		" NOT l.free AND NOT EXISTS (SELECT FROM probe)"
		" AND EXISTS (SELECT FROM docket.outbox"
		" WHERE channel = $1 AND next_at <= now()) AS blocked,"
		" m.id, m.address, m.purpose, m.language, m.sealed, m.tries,"
		" (extract(epoch FROM m.expires_at - now()) * 1000)::bigint"
		" AS left_ms, m.wanted, m.created_at"
		" FROM lane l LEFT JOIN leased m ON true",
		&message_row, false, true
	},
	/*
	 * $1 channel, $2 id, $3 its tries, $4 ending, $5 delay in ms, $6 why,
	 * $7 news, $8 probe, $9 failures that open. While the breaker is open
	 * only a probe prolongs it: the others had left before. An opening
	 * that is this statement's own bears its time.
	 */
	[OUTBOX_END] = {
		"outbox_end",
		"WITH gone AS ("
		" DELETE FROM docket.outbox WHERE id = $2::uuid"
		" AND ($4::text = 'sent' OR"
		" ($4 IN ('dropped', 'dead') AND tries = $3::bigint))"
		" RETURNING *),"
		" buried AS ("
		" INSERT INTO docket.dead_letters (id, channel, address,"
		" purpose, tries, created_at, expires_at, last_error)"
		" SELECT id, channel, address, purpose, tries, created_at,"
		" expires_at, coalesce($6::text, last_error, 'expired')"
		" FROM gone WHERE $4 = 'dead'),"
		" moved AS ("
		" UPDATE docket.outbox SET leased = false,"
		" tries = tries - ($4 = 'back')::int,"
		" last_error = coalesce($6, last_error),"
		" next_at = CASE WHEN next_at = 'infinity' THEN next_at"
		" ELSE now() + $5::bigint * interval '1 ms' END"
		" WHERE id = $2 AND tries = $3 AND $4 IN ('later', 'back')),"
		" struck AS ("
		" UPDATE docket.courier_lanes l SET failures = failures + 1,"
		" last_error = $6, failed_at = now(),"
		" opened_at = CASE WHEN opens THEN coalesce(opened_at, now())"
		" ELSE opened_at END,"
		" open_seconds = CASE WHEN opens THEN seconds"
		" ELSE open_seconds END,"
		" open_until = CASE WHEN opens"
		" THEN now() + seconds * interval '1 s' ELSE open_until END"
		" FROM (SELECT channel,"
		" CASE WHEN opened_at IS NULL THEN failures + 1 >= $9::bigint"
		" ELSE $8::bool END AS opens,"
		" CASE WHEN opened_at IS NULL THEN " SQL_OPEN_FIRST
		" ELSE least(open_seconds * 2, " SQL_OPEN_MOST ") END"
		" AS seconds"
		" FROM docket.courier_lanes"
		" WHERE channel = $1::text AND $7::text = 'down'"
		" FOR NO KEY UPDATE) n"
		" WHERE l.channel = n.channel"
		" RETURNING coalesce(opened_at = now(), false) AS opened,"
		" open_seconds),"
		" shut AS ("
		" UPDATE docket.courier_lanes SET failures = 0,"
		" opened_at = NULL, open_until = NULL, open_seconds = 0"
		" WHERE channel = $1 AND $7 = 'up' AND opened_at IS NOT NULL"
		" RETURNING 1),"
		" calm AS ("
		" UPDATE docket.courier_lanes SET failures = 0"
		" WHERE channel = $1 AND $7 = 'up' AND opened_at IS NULL"
		" AND failures > 0),"
		" unasked AS ("
		" UPDATE docket.courier_lanes SET open_until = now()"
		" WHERE channel = $1 AND $7 = 'unknown' AND $8"
		" AND opened_at IS NOT NULL)"
		" SELECT EXISTS (SELECT FROM struck WHERE opened) AS opened,"
		" EXISTS (SELECT FROM shut) AS closed,"
		" (SELECT open_seconds FROM struck) AS open_seconds",
		&breaker_row, false, true
	},
};

const struct stmts outbox_statements = STMTS(statements);

/* As the statement has them. */
static const char *const kinds[ENDING__MAX] = {
	[ENDING_SENT] = "sent",
	[ENDING_DROPPED] = "dropped",
	[ENDING_LATER] = "later",
	[ENDING_BACK] = "back",
	[ENDING_DEAD] = "dead",
};

static const char *const news[LANE__MAX] = {
	[LANE_UNKNOWN] = "unknown",
	[LANE_UP] = "up",
	[LANE_DOWN] = "down",
};

bool
ending_is_plain(const struct ending *last)
{
	return !last->probe && (last->kind == ENDING_NONE ||
	    last->kind == ENDING_SENT || last->kind == ENDING_DROPPED);
}

int
store_outbox_next(struct db *db, struct arena *mem, struct text channel,
    int64_t lease_ms, const struct ending *last, struct message *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, channel);
	db_int(&p, lease_ms);
	db_uuid(&p, &last->id);
	db_bool(&p, last->kind == ENDING_SENT);
	error = db_run(db, mem, &statements[OUTBOX_NEXT], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct message *)r.v;
	return 0;
}

int
store_outbox_end(struct db *db, struct arena *mem, struct text channel,
    const struct ending *ending, int64_t most, struct breaker *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, channel);
	db_uuid(&p, &ending->id);
	db_int(&p, ending->tries);
	db_text(&p, text_of(kinds[ending->kind]));
	db_int(&p, ending->delay_ms);
	db_text(&p, ending->why[0] ? text_of(ending->why) : TEXT_NONE);
	db_text(&p, text_of(news[ending->news]));
	db_bool(&p, ending->probe);
	db_int(&p, most);
	error = db_run(db, mem, &statements[OUTBOX_END], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	*ret = *(const struct breaker *)r.v;
	return 0;
}
