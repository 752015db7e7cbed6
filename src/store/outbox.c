/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The courier's statements: lease messages, be done with them, try later. */
#include <stddef.h>

#include "store/outbox.h"
#include "store/sets.h"

#define MESSAGE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct message, member_) }

static const struct field message_fields[] = {
	MESSAGE(FIELD_UUID, id),
	MESSAGE(FIELD_TEXT, channel),
	MESSAGE(FIELD_TEXT, address),
	MESSAGE(FIELD_TEXT, purpose),
	MESSAGE(FIELD_BYTES, sealed),
	MESSAGE(FIELD_INT, tries),
	MESSAGE(FIELD_TIME, expires_at),
	MESSAGE(FIELD_TIME, created_at),
};

static const struct fields message_row =
    FIELDS(NULL, message_fields, struct message);

enum { OUTBOX_LEASE, OUTBOX_DONE, OUTBOX_LATER };

static const struct stmt statements[] = {
	/* A lease is next_at moved ahead: a courier that dies lets go of its
	 * messages by doing nothing. */
	[OUTBOX_LEASE] = {
		"outbox_lease",
		"WITH expired AS ("
		" DELETE FROM docket.outbox"
		" WHERE next_at <= now()"
		" AND (expires_at <= now() OR NOT wanted)),"
		" due AS ("
		" SELECT id FROM docket.outbox"
		" WHERE next_at <= now() AND expires_at > now() AND wanted"
		" ORDER BY next_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED)"
		" UPDATE docket.outbox o SET tries = o.tries + 1,"
		" next_at = now() + make_interval(secs => $2::bigint)"
		" FROM due WHERE o.id = due.id"
		" RETURNING o.id, o.channel, o.address, o.purpose, o.sealed,"
		" o.tries, o.expires_at, o.created_at",
		&message_row, false, true
	},
	[OUTBOX_DONE] = {
		"outbox_done",
		"DELETE FROM docket.outbox WHERE id = $1::uuid",
		NULL, false, true
	},
	[OUTBOX_LATER] = {
		"outbox_later",
		"UPDATE docket.outbox SET last_error = $3::text,"
		" next_at = now() + make_interval(secs => $2::bigint)"
		" WHERE id = $1::uuid",
		NULL, false, true
	},
};

const struct stmts outbox_statements = STMTS(statements);

int
store_outbox_lease(struct db *db, struct arena *mem, int64_t n,
    int64_t lease_seconds, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_int(&p, n);
	db_int(&p, lease_seconds);
	error = db_run(db, mem, &statements[OUTBOX_LEASE], &p, &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_outbox_done(struct db *db, struct arena *mem, const struct uuid *id)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, id);
	return db_run(db, mem, &statements[OUTBOX_DONE], &p, &r);
}

int
store_outbox_later(struct db *db, struct arena *mem, const struct uuid *id,
    int64_t seconds, struct text why)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, id);
	db_int(&p, seconds);
	db_text(&p, why);
	return db_run(db, mem, &statements[OUTBOX_LATER], &p, &r);
}
