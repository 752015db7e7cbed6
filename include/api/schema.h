/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON Schema (2020-12, as OpenAPI 3.1 has it) from field rows. */
#ifndef DOCKET_API_SCHEMA_H
#define DOCKET_API_SCHEMA_H

#include "base/buf.h"
#include "base/field.h"
#include "web/route.h"

/*
 * A writer that needs no memory of where it is: the last byte tells whether a
 * comma is due. doc_key: "name": of an object; doc_item: before an array's
 * item; doc_open and doc_close take a brace or bracket.
 */
void doc_item(struct buf *out);
void doc_key(struct buf *out, const char *name);
void doc_string(struct buf *out, const char *name, const char *value);
void doc_bool(struct buf *out, const char *name, bool value);
void doc_raw(struct buf *out, const char *name, const char *json);
void doc_open(struct buf *out, const char *name, char brace);
void doc_close(struct buf *out, char brace);

#define SCHEMAS_MAX 256

/* The lists of rows that have a name, each once, in the order of the routes;
 * a name that stands for other rows already is written out inline. */
struct schemas {
	struct schema {
		const struct fields *fields;
		bool input;	/* refuses unknown members */
	} v[SCHEMAS_MAX];
	size_t n;
};

void schemas_collect(struct schemas *schemas, const struct routes *routes);
/* The members of components/schemas. */
void schemas_print(const struct schemas *schemas, struct buf *out);
/* A reference, or the schema itself; behind a key or as an item. */
void schema_print(const struct schemas *schemas, struct buf *out,
    const struct fields *fields, bool input);
/* The schema of one member alone. */
void schema_field(const struct schemas *schemas, struct buf *out,
    const struct field *field, bool input);

#endif
