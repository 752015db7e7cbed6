/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* GET /openapi.json: the OpenAPI 3.1 document, from the tables alone. */
#include "api/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/openapi_parts.h"

#define JSON_TYPE "application/json"
#define FORM_TYPE "application/x-www-form-urlencoded"
#define MERGE_TYPE "application/merge-patch+json"

void
openapi_refer(struct buf *out, const char *key, const char *kind,
    const char *name)
{
	if (key)
		doc_key(out, key);
	else
		doc_item(out);
	buf_printf(out, "{\"$ref\":\"#/components/%s/%s\"}", kind, name);
}

static void
media_print(struct document *doc, const struct route *route, const char *type,
    bool request)
{
	const struct fields *fields = request ? route->body : route->reply;

	doc_open(doc->out, type, '{');
	doc_key(doc->out, "schema");
	if (fields->n)
		schema_print(&doc->schemas, doc->out, fields, request);
	else
		buf_puts(doc->out, "{\"type\":\"object\"}");
	openapi_examples(doc, route, request);
	doc_close(doc->out, '}');
}

static void
body_print(struct document *doc, const struct route *route)
{
	struct buf *out = doc->out;
	const bool file = openapi_takes_file(route);

	if (route->body->n == 0 && !file)
		return;
	doc_open(out, "requestBody", '{');
	doc_bool(out, "required", !(route->flags & ROUTE_BODY_OPTIONAL));
	if (file) {
		openapi_files(doc, route, false);
		doc_close(out, '}');
		return;
	}
	doc_open(out, "content", '{');
	media_print(doc, route, JSON_TYPE, true);
	if (route->flags & ROUTE_OAUTH)
		media_print(doc, route, FORM_TYPE, true);
	if (route->flags & ROUTE_MERGE)
		media_print(doc, route, MERGE_TYPE, true);
	doc_close(out, '}');
	doc_close(out, '}');
}

static const char *
success_words(int status)
{
	return status == 201 ? "Created" : status == 204 ? "Yes" : "Done";
}

static void
success_print(struct document *doc, const struct route *route)
{
	struct buf *out = doc->out;
	char status[12];

	snprintf(status, sizeof(status), "%d", route->status);
	doc_open(out, status, '{');
	doc_string(out, "description", success_words(route->status));
	openapi_success_headers(doc, route);
	if (route->flags & ROUTE_FILE && route->method == GET) {
		openapi_files(doc, route, true);
	} else if (route->flags & ROUTE_PLAIN) {
		doc_raw(out, "content",
		    "{\"text/plain\":{\"schema\":{\"type\":\"string\"}},"
		    "\"application/openmetrics-text\":"
		    "{\"schema\":{\"type\":\"string\"}}}");
	} else if (route->status != 204) {
		doc_open(out, "content", '{');
		media_print(doc, route, JSON_TYPE, false);
		doc_close(out, '}');
	}
	doc_close(out, '}');
}

static void
responses_print(struct document *doc, const struct route *route)
{
	const struct operation *op = operation_of(doc->routes, route);

	doc_open(doc->out, "responses", '{');
	success_print(doc, route);
	if (route->method == GET && (route->flags & ROUTE_ETAG ||
	    op->flags & DOC_ETAG))
		openapi_refer(doc->out, "304", "responses", "NotModified");
	openapi_answers(doc, route);
	openapi_refer(doc->out, "default", "responses",
	    route->flags & ROUTE_OAUTH ? "OAuthProblem" : "Problem");
	doc_close(doc->out, '}');
}

static void
words_print(struct document *doc, const struct route *route)
{
	const struct operation *op = operation_of(doc->routes, route);
	struct buf *out = doc->out, words = { 0 };

	doc_string(out, "summary", route->summary);
	if (route->canonical) {
		doc_bool(out, "deprecated", true);
		buf_printf(&words, "Stands for `%s`, which new clients use. ",
		    route->canonical);
	}
	buf_puts(&words, op->words);
	doc_key(out, "description");
	buf_json(out, buf_view(&words));
	if (words.failed)
		out->failed = true;
	buf_done(&words);
	doc_open(out, "tags", '[');
	buf_json(out, text_of(openapi_tag(doc, route)));
	doc_close(out, ']');
}

static void
operation_print(struct document *doc, const struct route *route)
{
	struct buf *out = doc->out;
	char method[8] = "";

	for (size_t i = 0; method_names[route->method][i]; i++)
		method[i] = (char)tolower(method_names[route->method][i]);
	doc_open(out, method, '{');
	doc_string(out, "operationId", route->operation);
	words_print(doc, route);
	openapi_security(doc, route);
	openapi_parameters(doc, route);
	body_print(doc, route);
	responses_print(doc, route);
	doc_close(out, '}');
}

static bool
path_seen(const struct routes *routes, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(routes->v[i].path, routes->v[at].path) == 0)
			return true;
	return false;
}

/* One object a path, at its first row, with the methods of all its rows. */
static void
paths_print(struct document *doc)
{
	const struct routes *routes = doc->routes;

	doc_open(doc->out, "paths", '{');
	for (size_t i = 0; i < routes->n; i++) {
		if (path_seen(routes, i))
			continue;
		doc_open(doc->out, routes->v[i].path, '{');
		for (size_t k = i; k < routes->n; k++)
			if (strcmp(routes->v[k].path, routes->v[i].path) == 0)
				operation_print(doc, &routes->v[k]);
		doc_close(doc->out, '}');
	}
	doc_close(doc->out, '}');
}

static void
components_print(struct document *doc)
{
	struct buf *out = doc->out;

	doc_open(out, "components", '{');
	doc_open(out, "schemas", '{');
	schemas_print(&doc->schemas, out);
	openapi_error_schemas(doc);
	doc_close(out, '}');
	doc_open(out, "responses", '{');
	openapi_answer_parts(doc);
	doc_close(out, '}');
	doc_open(out, "parameters", '{');
	openapi_parameter_parts(out);
	doc_close(out, '}');
	doc_open(out, "headers", '{');
	openapi_header_parts(out);
	doc_close(out, '}');
	doc_open(out, "examples", '{');
	openapi_example_parts(doc);
	doc_close(out, '}');
	doc_open(out, "securitySchemes", '{');
	openapi_schemes(doc);
	doc_close(out, '}');
	doc_close(out, '}');
}

void
openapi_print(struct buf *out, const struct routes *routes,
    const struct settings *settings)
{
	struct document *doc = calloc(1, sizeof(*doc));

	if (!doc) {
		out->failed = true;
		return;
	}
	doc->out = out;
	doc->routes = routes;
	doc->settings = settings;
	schemas_collect(&doc->schemas, routes);
	doc_open(out, NULL, '{');
	doc_string(out, "openapi", "3.1.0");
	openapi_head(doc);
	paths_print(doc);
	components_print(doc);
	doc_close(out, '}');
	buf_putc(out, '\n');
	free(doc);
}
