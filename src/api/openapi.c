/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* GET /openapi.json: the OpenAPI 3.1 document, from the route rows alone. */
#include "api/openapi.h"

#include <ctype.h>

#include "api/openapi_parts.h"

#define JSON_TYPE "application/json"
#define FORM_TYPE "application/x-www-form-urlencoded"
#define MERGE_TYPE "application/merge-patch+json"

static void
path_parameters(struct buf *out, const struct route *route)
{
	const char *s = route->path;

	while ((s = strchr(s, '{')) != NULL) {
		const struct text name = { s + 1, strcspn(s + 1, "}") };

		doc_open(out, NULL, '{');
		doc_key(out, "name");
		buf_json(out, name);
		doc_string(out, "in", "path");
		doc_bool(out, "required", true);
		doc_string(out, "description",
		    "The resource's id: its UUID, or its number where it has "
		    "one");
		doc_raw(out, "schema",
		    "{\"type\":\"string\",\"minLength\":1}");
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

static void
header_parameter(struct buf *out, const char *name)
{
	doc_open(out, NULL, '{');
	doc_key(out, "$ref");
	buf_printf(out, "\"#/components/parameters/%s\"", name);
	doc_close(out, '}');
}

static void
parameters_print(struct buf *out, const struct schemas *schemas,
    const struct route *route)
{
	doc_open(out, "parameters", '[');
	path_parameters(out, route);
	for (size_t i = 0; i < route->query->n; i++)
		query_parameter(out, schemas, &route->query->v[i]);
	if (route->flags & ROUTE_IDEMPOTENT)
		header_parameter(out, "IdempotencyKey");
	if (route->flags & ROUTE_ETAG)
		header_parameter(out, "IfNoneMatch");
	if (route->flags & ROUTE_LANGUAGE)
		header_parameter(out, "AcceptLanguage");
	doc_close(out, ']');
}

static void
media_print(struct buf *out, const struct schemas *schemas,
    const struct fields *fields, const char *type)
{
	doc_open(out, type, '{');
	doc_key(out, "schema");
	schema_print(schemas, out, fields, true);
	doc_close(out, '}');
}

static void
body_print(struct buf *out, const struct schemas *schemas,
    const struct route *route)
{
	if (openapi_takes_file(route)) {
		doc_open(out, "requestBody", '{');
		doc_bool(out, "required", true);
		openapi_files(out, false);
		doc_close(out, '}');
	}
	if (route->body->n == 0)
		return;
	doc_open(out, "requestBody", '{');
	doc_bool(out, "required", !(route->flags & ROUTE_BODY_OPTIONAL));
	doc_open(out, "content", '{');
	media_print(out, schemas, route->body, JSON_TYPE);
	if (route->flags & ROUTE_OAUTH)
		media_print(out, schemas, route->body, FORM_TYPE);
	if (route->flags & ROUTE_MERGE)
		media_print(out, schemas, route->body, MERGE_TYPE);
	doc_close(out, '}');
	doc_close(out, '}');
}

/* One way in; with_key: beside an API key. Either scheme of a bearer carries
 * the same token; only OAuth has words for a scope. */
static void
bearer_print(struct buf *out, const struct route *route, bool with_key)
{
	const char *key = with_key ? ",\"apiKey\":[]" : "";

	doc_item(out);
	buf_printf(out, "{\"bearer\":[]%s},{\"oauth2\":[", key);
	if (route->scope)
		buf_json(out, text_of(route->scope));
	buf_printf(out, "]%s}", key);
}

/* What web/access.c lets in. */
static void
security_print(struct buf *out, const struct route *route,
    const struct settings *settings)
{
	const bool tasks = route->flags & ROUTE_TASKS && route->scope;
	const char *auth = tasks ? settings->auth_tasks_auth : route->scope ||
	    route->access == ACCESS_ADMIN_OR_KEY ? "either" : "jwt";

	doc_open(out, "security", '[');
	if (route->access != ACCESS_PUBLIC) {
		if (strcmp(auth, "apikey") != 0)
			bearer_print(out, route,
			    strcmp(auth, "jwt+apikey") == 0);
		if (strcmp(auth, "either") == 0 ||
		    strcmp(auth, "apikey") == 0) {
			doc_item(out);
			buf_puts(out, "{\"apiKey\":[]}");
		}
		if (strcmp(auth, "apikey") == 0)
			bearer_print(out, route, true);
		if (route->flags & ROUTE_GATE && settings->auth_gate_cookie[0]) {
			doc_item(out);
			buf_puts(out, "{\"gateCookie\":[]}");
		}
	}
	doc_close(out, ']');
}

static void
operation_print(struct buf *out, const struct schemas *schemas,
    const struct route *route, const struct settings *settings)
{
	char method[8] = "";

	for (size_t i = 0; method_names[route->method][i]; i++)
		method[i] = (char)tolower(method_names[route->method][i]);
	doc_open(out, method, '{');
	doc_string(out, "operationId", route->operation);
	doc_string(out, "summary", route->summary);
	doc_open(out, "tags", '[');
	buf_json(out, openapi_tag(route));
	doc_close(out, ']');
	if (route->canonical) {
		doc_bool(out, "deprecated", true);
		doc_key(out, "description");
		buf_printf(out, "\"Stands for `%s`, which new clients use.\"",
		    route->canonical);
	}
	security_print(out, route, settings);
	parameters_print(out, schemas, route);
	body_print(out, schemas, route);
	openapi_responses(out, schemas, route);
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
paths_print(struct buf *out, const struct schemas *schemas,
    const struct routes *routes, const struct settings *settings)
{
	for (size_t i = 0; i < routes->n; i++) {
		if (path_seen(routes, i))
			continue;
		doc_open(out, routes->v[i].path, '{');
		for (size_t k = i; k < routes->n; k++)
			if (strcmp(routes->v[k].path, routes->v[i].path) == 0)
				operation_print(out, schemas, &routes->v[k],
				    settings);
		doc_close(out, '}');
	}
}

void
openapi_print(struct buf *out, const struct routes *routes,
    const struct settings *settings)
{
	struct schemas schemas = { .n = 0 };

	schemas_collect(&schemas, routes);
	doc_open(out, NULL, '{');
	doc_string(out, "openapi", "3.1.0");
	openapi_info(out);
	doc_raw(out, "servers", "[{\"url\":\"/\"}]");
	openapi_tags(out, routes);
	doc_open(out, "paths", '{');
	paths_print(out, &schemas, routes, settings);
	doc_close(out, '}');
	openapi_components(out, &schemas, routes, settings);
	doc_close(out, '}');
	buf_putc(out, '\n');
}
