/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document says of paths, queries and request headers. */
#include <string.h>

#include "api/openapi_parts.h"

/* A {part} of a path: its last row here that fits says what it is. */
static const struct {
	const char *name;
	unsigned doc;		/* DOC_* that it goes with; 0: any */
	const char *words, *schema, *example;
} path_parts[] = {
	{ "id", DOC_UUID, "A UUID", "{\"type\":\"string\",\"format\":\"uuid\"}", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\"" },
	{ "id", 0, "A UUID, or the number", "{\"type\":\"string\",\"minLength\":1}", "\"42\"" },
	{ "code", 0, "The `code` of a problem document", "{\"type\":\"string\",\"minLength\":1}", "\"task_not_found\"" },
};

static void
path_part(struct buf *out, struct text name, unsigned flags)
{
	for (size_t i = 0; i < sizeof(path_parts) / sizeof(path_parts[0]);
	    i++) {
		if (!text_is(name, path_parts[i].name) ||
		    (path_parts[i].doc && !(flags & path_parts[i].doc)))
			continue;
		doc_string(out, "description", path_parts[i].words);
		doc_raw(out, "schema", path_parts[i].schema);
		doc_raw(out, "example", path_parts[i].example);
		return;
	}
	doc_raw(out, "schema", "{\"type\":\"string\",\"minLength\":1}");
}

static void
path_parameters(struct buf *out, const struct route *route, unsigned flags)
{
	const char *s = route->path;

	while ((s = strchr(s, '{')) != NULL) {
		const struct text name = { s + 1, strcspn(s + 1, "}") };

		doc_open(out, NULL, '{');
		doc_key(out, "name");
		buf_json(out, name);
		doc_string(out, "in", "path");
		doc_bool(out, "required", true);
		path_part(out, name, flags);
		doc_close(out, '}');
		s += name.n;
	}
}

static void
query_parameter(struct buf *out, const struct schemas *schemas,
    const struct field *field)
{
	if (field->flags & (FIELD_ALIAS | FIELD_HIDDEN))
		return;
	doc_open(out, NULL, '{');
	doc_string(out, "name", field->name);
	doc_string(out, "in", "query");
	doc_bool(out, "required", field->flags & FIELD_REQUIRED);
	if (field->doc && field->doc[0])
		doc_string(out, "description", field->doc);
	if (field->type == FIELD_TEXTS || field->type == FIELD_UUIDS) {
		doc_string(out, "style", "form");
		doc_bool(out, "explode", false);
	}
	doc_key(out, "schema");
	schema_field(schemas, out, field, true);
	doc_close(out, '}');
}

/* Headers that a row's columns or its DOC_* flags bring. */
static const struct {
	unsigned route, doc;	/* ROUTE_*, DOC_* */
	const char *name;	/* of the component */
	const char *header, *words, *schema, *example;
} headers[] = {
	{ ROUTE_IDEMPOTENT, 0, "IdempotencyKey", "Idempotency-Key", "A repeated request with the same key gets the stored reply, for a day; another one with it is 422, one that is still in progress 409", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"}", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"" },
	{ 0, DOC_IF_MATCH, "IfMatch", "If-Match", "The ETag of what the client changes, or *: another one now is 412, with the task as it is", "{\"type\":\"string\"}", "\"\\\"3\\\"\"" },
	{ ROUTE_ETAG, 0, "IfNoneMatch", "If-None-Match", "An ETag: 304 when it still holds", "{\"type\":\"string\"}", "\"\\\"3\\\"\"" },
	{ ROUTE_LANGUAGE, 0, "AcceptLanguage", "Accept-Language", "What to word the message in; the reply is the same", "{\"type\":\"string\"}", "\"fa-IR, en;q=0.5\"" },
	{ ~0u, ~0u, "RequestId", "X-Request-Id", "A name for this request in the reply and in the log; anything but 1 to 64 of these characters is replaced", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"}", "\"import-7.3\"" },
};
#define HEADERS (sizeof(headers) / sizeof(headers[0]))

void
openapi_parameters(struct document *doc, const struct route *route)
{
	const unsigned flags = operation_of(doc->routes, route)->flags;
	struct buf *out = doc->out;

	doc_open(out, "parameters", '[');
	path_parameters(out, route, flags);
	for (size_t i = 0; i < route->query->n; i++)
		query_parameter(out, &doc->schemas, &route->query->v[i]);
	for (size_t i = 0; i < HEADERS; i++)
		if (headers[i].route == ~0u ||
		    route->flags & headers[i].route ||
		    flags & headers[i].doc)
			openapi_refer(out, NULL, "parameters",
			    headers[i].name);
	doc_close(out, ']');
}

void
openapi_parameter_parts(struct buf *out)
{
	for (size_t i = 0; i < HEADERS; i++) {
		doc_open(out, headers[i].name, '{');
		doc_string(out, "name", headers[i].header);
		doc_string(out, "in", "header");
		doc_bool(out, "required", false);
		doc_string(out, "description", headers[i].words);
		doc_raw(out, "schema", headers[i].schema);
		doc_raw(out, "example", headers[i].example);
		doc_close(out, '}');
	}
}
