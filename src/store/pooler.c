/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A pooler before the database: what it takes, and what to go without. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/wire.h"

/*
 * PgBouncer refuses start-up options (unless told to swallow them), and where
 * a server connection is shared by transactions, the statements that were kept
 * in one are missing in another, or are there already. Newer ones keep them:
 * `prepared = on` says so.
 */
static void
tell(const struct db *db, const char *sign)
{
	if (db->is_spare)
		return;
	log_event(LOG_INFO, "db_pooler",
	    "application=%s prepared=%s sign=\"%s\"", db->config.application,
	    db->config.prepared ? "on" : "off", sign);
}

void
pooler_options(const struct db *db, const char *theirs, char *out,
    size_t size)
{
	char timeouts[192] = "";

	/* Where a pooler refuses them, our own deadline is there still. */
	if (db->config.deadline_ms > 0 && !db->config.bare)
		snprintf(timeouts, sizeof(timeouts),
		    "-c client_min_messages=warning"
		    " -c lock_timeout=%ld"
		    " -c statement_timeout=%ld"
		    " -c idle_in_transaction_session_timeout=%ld",
		    db->config.lock_ms, db->config.statement_ms ? db->config.statement_ms :
		    db->config.deadline_ms, 4 * db->config.deadline_ms);
	/* Not even a blank, where there are none. */
	snprintf(out, size, "%s%s%s", timeouts, *timeouts && theirs ? " " : "",
	    theirs ? theirs : "");
}

bool
pooler_refuses_options(struct db *db, const char *message)
{
	if (db->config.bare || !strstr(message, "unsupported startup param"))
		return false;
	db->config.bare = true;
	if (db->config.adapts)
		db->config.prepared = false;
	tell(db, "no start-up options");
	return true;
}

/* 26000: no such statement; 42P05: there is one of that name. */
bool
pooler_lost_statement(struct db *db, const char *state)
{
	if (!db->config.adapts || !db->config.prepared ||
	    (strcmp(state, "26000") != 0 && strcmp(state, "42P05") != 0))
		return false;
	db->config.prepared = false;
	tell(db, "no statement is kept");
	return true;
}
