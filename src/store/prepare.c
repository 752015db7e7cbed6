/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whose Parse and Describe are answered next, and whether the answer fits. */
#include <stdio.h>

#include "store/wire.h"

/* The statement whose answer comes next; NULL after the last. */
static const struct stmt *
current(struct db *db)
{
	while (db->set < db->config.n_sets &&
	    db->stmt == db->config.sets[db->set]->n) {
		db->set++;
		db->stmt = 0;
	}
	if (db->set == db->config.n_sets)
		return NULL;
	return &db->config.sets[db->set]->v[db->stmt];
}

bool
prepare_next(struct db *db)
{
	if (!current(db))
		return false;
	if (db->parsed)
		db->stmt++;
	db->parsed = !db->parsed;
	return true;
}

/* Only the answer to a Describe has columns to check. */
enum wire
prepare_answer(struct db *db, const struct pg_result *res, bool failed)
{
	const struct stmt *stmt = current(db);
	char why[160];

	if (!stmt)
		return WIRE_LOST;
	if (failed && pooler_lost_statement(db, wire_error(res, WIRE_SQLSTATE)))
		db->adapted = true;
	if (failed)
		snprintf(why, sizeof(why), "%s", wire_error(res, WIRE_MESSAGE));
	else if (!db->parsed || row_check(stmt, res, why, sizeof(why)))
		return WIRE_OK;
	snprintf(db->why, sizeof(db->why), "statement %s: %s", stmt->name, why);
	return db->adapted ||
	    (failed && sqlstate_passes(wire_error(res, WIRE_SQLSTATE))) ?
	    WIRE_LOST : WIRE_DRIFT;
}
