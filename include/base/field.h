/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Field descriptors: one row ties a struct member to its JSON, text, database
 * column, validation and documentation. */
#ifndef DOCKET_BASE_FIELD_H
#define DOCKET_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/uuid.h"

#define INT_NONE INT64_MIN	/* an absent int64_t: JSON null */

struct list {
	const void *v;		/* n structs of sub->size bytes */
	size_t n;
	uint64_t only;		/* output: rows of each item to print; 0 = all */
};

enum field_type {
	FIELD_TEXT,	/* struct text */
	FIELD_ENUM,	/* struct text, one of `choices`, compared exactly */
	FIELD_INT,	/* int64_t */
	FIELD_BOOL,	/* bool */
	FIELD_UUID,	/* struct uuid */
	FIELD_TIME,	/* int64_t µs; RFC 3339 in JSON, timestamptz in a row */
	FIELD_TEXTS,	/* struct texts; array of strings; a,b in a query */
	FIELD_UUIDS,	/* struct list of struct uuid; array of strings */
	FIELD_BYTES,	/* struct text; rows only (bytea) */
	FIELD_OBJECT,	/* struct inside, described by `sub` */
	FIELD_LIST,	/* struct list of `sub` structs */
	FIELD_FIXED,	/* output only: `example` verbatim as JSON; no member */
	FIELD__MAX
};

enum {
	FIELD_REQUIRED	= 1 << 0, /* input: absent or null is a fault */
	FIELD_NULLABLE	= 1 << 1, /* input: null is legal and sets seen.null */
	FIELD_SECRET	= 1 << 2, /* never logged; OpenAPI format: password */
	FIELD_ALIAS	= 1 << 3, /* input: another name of the row before it;
				   * OpenAPI: deprecated */
	FIELD_OMIT_NONE	= 1 << 4, /* output: leave the member out when absent;
				   * an object is when its first member is */
	FIELD_HIDDEN	= 1 << 5, /* legal, not advertised in OpenAPI */
	FIELD_NUMERAL	= 1 << 6, /* input: TEXT and TEXTS take a JSON
				   * integer too, as its digits */
	FIELD_PARTIAL	= 1 << 7, /* OpenAPI: a reply may leave it out, with
				   * struct reply's `only` */
};

/* Which members an input had; bit i is row i (an alias counts as its row). The
 * first member of every struct that is decoded. */
struct seen {
	uint64_t set;		/* present, null or not */
	uint64_t null;		/* present and null */
};

struct faults;

/*
 * check: input only, after the type and bounds have passed. May replace
 * *member (a canonical phone number, say), allocating in mem. 0, or 1 with
 * *ret_why set to a sentence for the client.
 */
typedef int (*field_check)(struct arena *mem, void *member,
    const char **ret_why);
/* print: output only, instead of the type's own encoding; gets the struct. */
typedef void (*field_print)(struct buf *out, const void *object);

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;		/* of the member in its struct */
	int64_t min, max;	/* TEXT: characters; INT: value; lists: items;
				 * 0,0 = unbounded */
	const struct fields *sub;
	const char *const *choices;	/* NULL-terminated; with a check they
				 * are only what the document lists */
	field_check check;
	field_print print;
	const char *doc;
	const char *example;	/* JSON text */
};

struct fields {
	const char *name;	/* schema name in OpenAPI; NULL = inline */
	const struct field *v;
	size_t n;		/* at most 64 */
	size_t size;		/* sizeof the struct */
	bool lenient;		/* input: unknown members are ignored
				 * (RFC 6749 §3.2), not faults */
};

#define FIELDS(name_, array_, struct_) \
	{ name_, array_, sizeof(array_) / sizeof((array_)[0]), \
	  sizeof(struct_), false }

/* The empty list: a route without body, query or reply object. */
extern const struct fields fields_none;

/* One thing wrong with an input. */
struct fault {
	struct text pointer;	/* RFC 6901, "/title"; "?limit" for a query */
	const char *code;	/* required, type, range, length, choice,
				 * unknown, duplicate, format, null, syntax */
	const char *detail;
};

#define FAULTS_MAX 32

struct faults {
	struct fault v[FAULTS_MAX];
	size_t n;		/* stops at FAULTS_MAX */
};

/* Note a fault at parent/name (name TEXT_NONE: at parent itself; an empty name
 * is a member of that name; it gets RFC 6901 escaping). No slash is put behind
 * a parent that ends in "?" or is "/". The detail is kept as is: static or in
 * mem. */
void faults_add(struct faults *f, struct arena *mem, struct text parent,
    struct text name, const char *code, const char *detail);

/* Set every member to its "absent" value, following the rows. Does not touch
 * a struct seen, which only decoded structs have. */
void field_clear(const struct fields *fields, void *object);
/* For decoders: zero the struct seen in front, then field_clear. Also for each
 * FIELD_OBJECT and list item that is decoded, when its turn comes. */
void field_begin(const struct fields *fields, void *object);

/* The row of that name, or -1. An alias gives the row it stands for through
 * field_target; of an alias row only name, flags and doc are read. */
int field_find(const struct fields *fields, struct text name);
int field_target(const struct fields *fields, int row);

/* Bounds, choices and check for one decoded member; faults_add on failure, with
 * the codes length, range, choice, format. */
bool field_validate(const struct field *field, struct arena *mem, void *member,
    struct text parent, struct faults *faults);

/* text -> member, for queries, forms and path parts; faults_add on failure.
 * seen is set (the target's bit for an alias; a bit already set is the fault
 * "duplicate"). The prefix of the pointer is given by `parent`. */
bool field_from_text(const struct fields *fields, int row, struct arena *mem,
    struct text value, void *object, struct text parent, struct faults *faults);
/* Required members that are absent, given what was seen. A null in a member
 * that is not FIELD_NULLABLE is the decoder's fault "null", not this one's. */
void field_required(const struct fields *fields, struct arena *mem,
    const struct seen *seen, struct text parent, struct faults *faults);

/* object -> JSON, members in row order, absent ones as null, absent lists as
 * []. `only` has a bit for each row to print (all: FIELD_ALL). Alias rows and
 * FIELD_BYTES are not printed. */
#define FIELD_ALL UINT64_MAX
void field_print_json(struct buf *out, const struct fields *fields,
    const void *object, uint64_t only);

static inline bool
seen_has(const struct seen *seen, unsigned row)
{
	return seen->set >> row & 1;
}

#endif
