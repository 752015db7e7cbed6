/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The parts of the OpenAPI document; each writes to doc->out. */
#ifndef DOCKET_API_OPENAPI_PARTS_H
#define DOCKET_API_OPENAPI_PARTS_H

#include "api/operations.h"
#include "api/schema.h"
#include "base/settings.h"

#define ANSWERS_MAX 192

/* A response that operations refer to: a status with the errors that may be
 * behind it there. */
struct answer {
	int status;
	uint64_t errors[2];	/* a bit for each E_* */
	bool oauth;		/* RFC 6749's members instead of RFC 9457's */
	bool report;		/* it may bring an import's report */
	enum method method;	/* of 415: which header says what is taken */
	char name[48];		/* of the component */
};

struct document {
	struct buf *out;
	const struct routes *routes;
	const struct settings *settings;
	struct schemas schemas;
	struct answer answers[ANSWERS_MAX];
	size_t n_answers;
};

/* info, servers, externalDocs, tags. */
void openapi_head(struct document *doc);
/* The tag of a row: that of its words, but for aliases. */
const char *openapi_tag(const struct document *doc,
    const struct route *route);

/* The value of `securitySchemes`, within its braces. */
void openapi_schemes(struct document *doc);
/* `security` of an operation: what web/access.c lets in. */
void openapi_security(struct document *doc, const struct route *route);

/* `parameters` of an operation; the members of components/parameters. */
void openapi_parameters(struct document *doc, const struct route *route);
void openapi_parameter_parts(struct buf *out);

/* `headers` of a success, and of an answer with that status; the members of
 * components/headers. */
void openapi_success_headers(struct document *doc, const struct route *route);
void openapi_answer_headers(struct buf *out, const struct answer *answer);
void openapi_header_parts(struct buf *out);

/* The answers other than success of a route, which they are added to the
 * document for; the members of components/responses; of the two schemas. */
void openapi_answers(struct document *doc, const struct route *route);
void openapi_answer_parts(struct document *doc);
void openapi_error_schemas(struct document *doc);

/* Of the members of components/examples those of errors. */
void openapi_error_examples(struct document *doc, bool oauth);
/* `examples` of a body or reply; the members of components/examples. */
void openapi_examples(struct document *doc, const struct route *route,
    bool request);
void openapi_example_parts(struct document *doc);

/* A body that is a file of tasks; `content` with a media type each. */
bool openapi_takes_file(const struct route *route);
void openapi_files(struct document *doc, const struct route *route,
    bool reply);

/* {"$ref": "#/components/kind/name"} behind a key of that name, or as an item
 * when key is NULL. */
void openapi_refer(struct buf *out, const char *key, const char *kind,
    const char *name);

#endif
