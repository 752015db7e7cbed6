/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One template file: a wording a purpose, with variables. */
#ifndef DOCKET_COURIER_TEMPLATE_H
#define DOCKET_COURIER_TEMPLATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/text.h"

#define TEMPLATE_FILE_MAX 16384		/* bytes */

enum template_var {
	TEMPLATE_CODE,
	TEMPLATE_TTL,		/* "2 minutes", as the language words it */
	TEMPLATE_MINUTES,
	TEMPLATE_SECONDS,
	TEMPLATE_SERVICE,
	TEMPLATE_HOST,
	TEMPLATE_VARS
};

#define TEMPLATE_PURPOSES 4	/* register, login, reset, change */

struct template_part {
	struct text subject;	/* of a mail */
	struct text text;
};

struct template {
	struct template_part parts[TEMPLATE_PURPOSES];
};

/* What a file may use. */
struct template_rules {
	bool mail;		/* each wording begins with "Subject: ..." */
	unsigned missing;	/* bits of template_var that cannot be told */
};

/*
 * A file is lines of UTF-8. Those at its head that begin with "#" are not
 * read. A line "[login]" begins the wording of that purpose; what is before
 * the first such line is that of the purposes without their own, so a file
 * without headings is one wording for all. {{code}} must be in each.
 * Every fault goes to `errors` as "name:line: what"; their number is returned,
 * and *ret points into `file` when there are none.
 */
unsigned template_parse(struct text file, const char *name,
    const struct template_rules *rules, FILE *errors, struct template *ret);

/* The index of a purpose; that of register for a word that is none. */
size_t template_purpose(struct text purpose);
const char *template_purpose_name(size_t i);

/* A wording that was parsed with its variables filled in. */
struct text template_fill(struct arena *mem, struct text wording,
    const struct text values[TEMPLATE_VARS]);

/* Nothing but UTF-8 without control characters (C0, DEL, C1). */
bool template_is_line(struct text t);

#endif
