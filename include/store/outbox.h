/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox as a sender sees it: one message at a time, and what became of
 * the last one. */
#ifndef DOCKET_STORE_OUTBOX_H
#define DOCKET_STORE_OUTBOX_H

#include "store/db.h"

/* What a lane gives at one look. */
struct message {
	bool probe;		/* the breaker is open, and this one tries
				 * whether it may close */
	bool blocked;		/* something is due, but the lane is held or
				 * its breaker open */
	struct uuid id;		/* nil: there is none; stable over retries */
	struct text address;
	struct text purpose;
	struct text language;	/* core/language.h's list, or absent */
	struct text sealed;	/* crypto_seal, aad = the id's 36 characters */
	int64_t tries;		/* this one counted */
	int64_t left_ms;	/* until it expires, by the database's clock */
	bool wanted;		/* false: not to be sent at all */
	int64_t created_at;
};

/* How a message ended, and what its lane learns of it. */
enum ending_kind {
	ENDING_NONE,		/* there was no message */
	ENDING_SENT,
	ENDING_DROPPED,		/* not wanted: no trace is left */
	ENDING_LATER,		/* try again after delay_ms */
	ENDING_BACK,		/* not even tried: whoever comes next may */
	ENDING_DEAD,		/* never: a dead letter */
	ENDING__MAX
};

enum lane_news {
	LANE_UNKNOWN,		/* the way was not tried */
	LANE_UP,
	LANE_DOWN,
	LANE__MAX
};

#define ENDING_WHY 160

struct ending {
	enum ending_kind kind;
	enum lane_news news;
	bool probe;
	struct uuid id;
	int64_t tries;
	int64_t delay_ms;
	char why[ENDING_WHY];	/* printable ASCII, or empty */
};

/* What the lane's breaker did because of it. */
struct breaker {
	bool opened, closed;
	int64_t open_seconds;
};

/* A lease is what one sending may take (courier.send_seconds), and this for the
 * ending's own statement. */
#define OUTBOX_SPARE_MS 5000

extern const struct stmts outbox_statements;

/* Can the ending ride in store_outbox_next? */
bool ending_is_plain(const struct ending *last);

/*
 * Lease the channel's next message for lease_ms (FOR UPDATE SKIP LOCKED), or
 * none. A plain ending of the last message goes in the same statement. An
 * expired message is leased like any other: whoever has it ends it.
 */
int store_outbox_next(struct db *db, struct arena *mem, struct text channel,
    int64_t lease_ms, const struct ending *last, struct message *ret);
/* Any ending. Who has lost the lease meanwhile changes nothing, except that
 * what was sent is gone. most: failures in a row that open the breaker. */
int store_outbox_end(struct db *db, struct arena *mem, struct text channel,
    const struct ending *ending, int64_t most, struct breaker *ret);

#endif
