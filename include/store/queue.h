/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox as an administrator sees it, by the courier's role. */
#ifndef DOCKET_STORE_QUEUE_H
#define DOCKET_STORE_QUEUE_H

#include "store/db.h"

struct queue_lane {
	struct text channel;
	struct text state;	/* ready, open, half-open, held */
	int64_t letters;	/* that are not dead */
	int64_t sent, failed;
	int64_t failures;	/* in a row */
	int64_t opened_at, open_until, held_at;	/* or TIME_NONE */
	int64_t failed_at;
	struct text last_error;
};

struct queue_letter {
	struct uuid id;
	struct text channel;
	struct text address;	/* whole: mask it before anybody sees it */
	struct text purpose;
	struct text state;	/* due, leased, waiting, held, dead */
	int64_t tries;
	int64_t created_at;
	int64_t next_at;	/* waiting, leased; else TIME_NONE */
	int64_t expires_at;
	int64_t dead_at;	/* or TIME_NONE */
	struct text last_error;
};

extern const struct stmts queue_statements;
extern const struct fields queue_lane_fields, queue_letter_fields;

/* What is meant; whatever is absent excludes nothing. */
struct queue_pick {
	const struct uuid *ids;		/* NULL: all */
	size_t n_ids;
	struct text channel;
	struct text state;
	int64_t lease_ms;		/* how long a sender may have one in
					 * hand that was held meanwhile */
};

enum queue_verb { QUEUE_LIST, QUEUE_RETRY, QUEUE_HOLD, QUEUE_DROP };

/* struct list of queue_lane; _of queue_letter, oldest first. */
int store_queue_lanes(struct db *db, struct arena *mem, struct list *ret);
/*
 * The picked letters that the verb concerns, as they were before, and do it:
 * retry makes due what waits or is held, once no sender has it in hand; hold
 * keeps what is not dead from
 * being leased, drop takes any away. `dry`: only say which. Letters that are
 * for nobody's account are not shown, nor touched.
 */
int store_queue_letters(struct db *db, struct arena *mem,
    enum queue_verb verb, const struct queue_pick *pick, bool dry,
    struct list *ret);
/* Hold a channel (TEXT_NONE: all of them) or let it go on, with a probe at
 * once when its breaker is open. */
int store_queue_hold_lane(struct db *db, struct arena *mem,
    struct text channel, bool hold);

#endif
