/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox in figures, the schema's number, the last sweep. */
#include "store/observe.h"

#include <stddef.h>

#include "store/sets.h"

#define FIGURE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct outbox_figures, member_) }

static const struct field figure_fields[] = {
	FIGURE(FIELD_TEXT, channel),
	FIGURE(FIELD_INT, waiting),
	FIGURE(FIELD_INT, dead),
	FIGURE(FIELD_INT, due_seconds),
	FIGURE(FIELD_BOOL, open),
	FIGURE(FIELD_BOOL, held),
	FIGURE(FIELD_INT, sent),
	FIGURE(FIELD_INT, failed),
	FIGURE(FIELD_INT, schema),
	FIGURE(FIELD_INT, gc_ended),
};

static const struct fields figure_row =
    FIELDS(NULL, figure_fields, struct outbox_figures);

enum { OBSERVE, OBSERVE_GC };

static const struct stmt statements[] = {
	[OBSERVE] = {
		"observe",
		"SELECT f.channel, f.waiting, f.dead, f.due_seconds, f.open,"
		" f.held, f.sent, f.failed,"
		" (SELECT max(number)::bigint FROM docket.migrations)"
		" AS schema,"
		" (SELECT coalesce(extract(epoch FROM max(ended_at))::bigint,"
		" 0) FROM docket.gc_last) AS gc_ended"
		" FROM docket.outbox_figures() f",
		&figure_row, false, false
	},
	[OBSERVE_GC] = {
		"observe_gc",
		"UPDATE docket.gc_last SET ended_at = now()",
		NULL, false, true
	},
};

const struct stmts observe_statements = STMTS(statements);

int
store_observe(struct db *db, struct arena *mem, struct list *ret)
{
	const struct db_params none = { 0 };
	struct db_result r;
	int error = db_run(db, mem, &statements[OBSERVE], &none, &r);

	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_observe_gc(struct db *db, struct arena *mem)
{
	const struct db_params none = { 0 };
	struct db_result r;

	return db_run(db, mem, &statements[OBSERVE_GC], &none, &r);
}
