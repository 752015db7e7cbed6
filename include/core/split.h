/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where a file's records begin and end, seen through a window; pure. */
#ifndef DOCKET_CORE_SPLIT_H
#define DOCKET_CORE_SPLIT_H

#include <stdbool.h>

#include "base/text.h"

enum split_form {
	SPLIT_JSON,	/* [{…},…], {"tasks":[…],…}, or objects one after the
			 * other, on however many lines */
	SPLIT_LINES,	/* a record a line; blank lines are none */
	SPLIT_CSV,	/* the same, but a line end may stand in quotes */
	SPLIT_ICAL,	/* BEGIN:VTODO to END:VTODO */
};

/* Zero but for the form at first. */
struct split {
	enum split_form form;
	int phase;
	size_t line;		/* lines ended so far */
	size_t others;		/* iCalendar: components of other kinds */
	bool begun;
};

enum split_found {
	SPLIT_RECORD,	/* ret is one */
	SPLIT_MORE,	/* none yet: come back with a longer window */
	SPLIT_END,
	SPLIT_BAD,	/* ret_why: what is wrong with the file, at ret's line */
};

struct split_record {
	struct text bytes;	/* in the window */
	size_t line;		/* where it begins, from 1 */
};

/*
 * The next record. The window begins behind what the calls before have used;
 * last: the file ends with it. ret_used: bytes that are done with, the record
 * too; the caller takes them off the window, whatever is returned.
 */
enum split_found split_next(struct split *s, struct text window, bool last,
    struct split_record *ret, size_t *ret_used, const char **ret_why);

#endif
