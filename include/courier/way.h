/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How a letter leaves: the ways there are, and what became of it. */
#ifndef DOCKET_COURIER_WAY_H
#define DOCKET_COURIER_WAY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/settings.h"
#include "courier/letter.h"

enum outcome_kind {
	OUTCOME_LATER,		/* not known to have gone: try again */
	OUTCOME_SENT,		/* the other side has taken it */
	OUTCOME_NEVER,		/* refused for what it is: no retry helps */
};

#define OUTCOME_WHY 160
#define OUTCOME_REF 64

struct outcome {
	enum outcome_kind kind;
	bool down;		/* the way failed, not the letter: for the
				 * breaker */
	long retry_after;	/* seconds that the other side asks for; 0: it
				 * says nothing */
	char why[OUTCOME_WHY];	/* printable ASCII, no address and no code */
	char ref[OUTCOME_REF];	/* the other side's id, printable ASCII */
};

/* What is a way's own between two letters, such as a kept connection. */
struct way;

struct way_kind {
	const char *name;	/* a word of courier.sms and courier.email */
	/* Read what the settings point at; faults to `errors`, all of them.
	 * 0 with *ret, or a negative errno. */
	int (*open)(const struct settings *settings, FILE *errors,
	    struct way **ret);
	/* Hand a letter over and wait for what is said to it, no longer than
	 * courier.send_seconds or the letter's until_ms. *ret is zeroed
	 * before. */
	void (*send)(struct way *way, struct arena *mem,
	    const struct letter *letter, struct outcome *ret);
	void (*close)(struct way *way);		/* NULL-safe */
};

/* One row a way; the name is in tbl/settings.h too. */
extern const struct way_kind way_spool;
extern const struct way_kind way_gateway;
extern const struct way_kind way_hook;
extern const struct way_kind way_smtp;
extern const struct way_kind way_sendmail;
extern const struct way_kind way_exec;

/* By the name that a setting gives, or NULL. */
const struct way_kind *way_find(const char *name);

/* Fill *ret in one go; `why` is a format and is made printable ASCII. */
void outcome_set(struct outcome *ret, enum outcome_kind kind, bool down,
    const char *why, ...) __attribute__((format(printf, 4, 5)));
/* The other side's id, made printable ASCII without blanks and cut. */
void outcome_ref(struct outcome *ret, struct text ref);

#endif
