/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the two halves of the JSON scan share: the cursor and its place. */
#ifndef DOCKET_WEB_JSON_SCAN_H
#define DOCKET_WEB_JSON_SCAN_H

#include "web/json.h"

struct member {
	struct text name;	/* decoded */
	size_t at;		/* byte offset of the name's quote */
};

/* An object or array that is still open. */
struct frame {
	bool object;
	size_t index;		/* of the array's current item */
	struct text name;	/* of the object's current member, or none */
	size_t members;		/* where its names start in scan.members */
};

struct scan {
	const char *s;
	size_t n, at;
	struct arena *mem;
	struct faults *faults;
	struct frame frames[JSON_DEPTH_MAX];
	size_t depth;
	/* Names of all open objects: a nested object's lie behind its parent's
	 * and are dropped when it closes. */
	struct member *members;
	size_t n_members, cap_members;
};

/* json_lex.c: all return false after a syntax error, which they noted. */

/* Note a fault at the current place. Always false. */
bool scan_fault(struct scan *scan, const char *code, const char *what,
    size_t at);
/* The same for the cursor and a syntax error. */
bool scan_syntax(struct scan *scan, const char *what);
void scan_space(struct scan *scan);
/* The byte at the cursor, or -1 at the end. */
int scan_peek(const struct scan *scan);
/* A string; the cursor is at its quote. ret may be NULL, else it gets the
 * decoded value: the very bytes when nothing in it was escaped. */
bool scan_string(struct scan *scan, struct text *ret);
/* A string, number, true, false or null. */
bool scan_scalar(struct scan *scan);

/*
 * A text whose grammar has passed, each pair of surrogate escapes replaced by
 * the character that it means: of those, json-c 0.16 takes every one of
 * U+1D800 to U+1DFFF, and likewise in each plane above, for a lone surrogate
 * and puts U+FFFD in its place. `in` itself when nothing is escaped.
 */
struct text scan_unpaired(struct text in, struct arena *mem);

/* json_scan.c: how many values a text that was scanned holds: itself, and all
 * members and items at any depth. */
size_t json_values(struct text in);

#endif
