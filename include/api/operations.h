/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document says of a route beyond its row. */
#ifndef DOCKET_API_OPERATIONS_H
#define DOCKET_API_OPERATIONS_H

#include <stddef.h>

#include "web/route.h"

enum {
	DOC_IF_MATCH	= 1 << 0, /* takes If-Match: 412, 428 */
	DOC_ETAG	= 1 << 1, /* its reply has a version's ETag */
	DOC_LOCATION	= 1 << 2, /* names what it made */
	DOC_PAGES	= 1 << 3, /* Link rel=next; a cursor may be wrong */
	DOC_COOKIE	= 1 << 4, /* Set-Cookie */
	DOC_IDENTITY	= 1 << 5, /* X-User-Id, X-User-Name, X-User-Role */
	DOC_FILE	= 1 << 6, /* Content-Disposition */
	DOC_UUID	= 1 << 7, /* its {id} is a UUID, never a number */
	DOC_REPORT	= 1 << 8, /* 400 may bring an import's report */
};

struct operation {
	const char *id;		/* of the route's row */
	const char *tag;
	unsigned flags;		/* DOC_* */
	const int *errors;	/* E_*, up to E_OK */
	const char *words;	/* Markdown */
};

/* What a route is documented by: its own row, or its canonical row's. Never
 * NULL for routes that operations_check has passed. */
const struct operation *operation_of(const struct routes *routes,
    const struct route *route);

struct tag {
	const char *name, *words;
};
extern const struct tag operation_tags[];
extern const size_t operation_tags_n;

struct example {
	const char *id;		/* of the route's row */
	bool request;		/* its body; else its reply */
	const char *name;	/* unique among the operation's */
	const char *summary;
	const char *json;
};
extern const struct example operation_examples[];
extern const size_t operation_examples_n;

/* Does an example follow after `last` for a route's body or reply? NULL begins,
 * and ends. */
const struct example *example_next(const struct route *route, bool request,
    const struct example *last);

/* Every route has words, every row of the tables a route. Tells on standard
 * error; the number of faults. */
int operations_check(const struct routes *routes);

#endif
