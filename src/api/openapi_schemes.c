/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How the OpenAPI document says that a client proves who it is. */
#include <string.h>

#include "api/openapi_parts.h"

static const struct {
	const char *name, *words;
} scopes[] = {
	{ "tasks:read", "Read the caller's tasks" },
	{ "tasks:write", "Create, change, order and delete the caller's tasks" },
	{ "account", "Read and change the caller's account" },
	{ "admin", "What only admins may do" },
};

static const char *
scope_words(const char *name)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (strcmp(scopes[i].name, name) == 0)
			return scopes[i].words;
	return "The routes that name it";
}

static bool
scope_seen(const struct routes *routes, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (routes->v[i].scope && strcmp(routes->v[i].scope,
		    routes->v[at].scope) == 0)
			return true;
	return false;
}

/* ---- what an operation lets in ---- */

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

static void
ways_print(struct document *doc, const struct route *route, const char *auth)
{
	struct buf *out = doc->out;
	const bool alone = strcmp(auth, "apikey") == 0;

	if (!alone)
		bearer_print(out, route, strcmp(auth, "jwt+apikey") == 0);
	if (alone || strcmp(auth, "either") == 0) {
		doc_item(out);
		buf_puts(out, "{\"apiKey\":[]}");
	}
	if (alone)
		bearer_print(out, route, true);
	if (route->flags & ROUTE_GATE && doc->settings->auth_gate_cookie[0]) {
		doc_item(out);
		buf_puts(out, "{\"gateCookie\":[]}");
	}
}

void
openapi_security(struct document *doc, const struct route *route)
{
	const bool tasks = route->flags & ROUTE_TASKS && route->scope;
	const char *auth = tasks ? doc->settings->auth_tasks_auth : route->scope ||
	    route->access == ACCESS_ADMIN_OR_KEY ? "either" : "jwt";

	doc_open(doc->out, "security", '[');
	if (route->access != ACCESS_PUBLIC)
		ways_print(doc, route, auth);
	doc_close(doc->out, ']');
}

/* ---- components ---- */

static void
cookie_print(struct buf *out, const char *name)
{
	doc_open(out, "gateCookie", '{');
	doc_string(out, "type", "apiKey");
	doc_string(out, "in", "cookie");
	doc_string(out, "name", name);
	doc_string(out, "description", "For browsers at the gate");
	doc_close(out, '}');
}

void
openapi_schemes(struct document *doc)
{
	const struct routes *routes = doc->routes;
	struct buf *out = doc->out;

	doc_raw(out, "bearer", "{\"type\":\"http\",\"scheme\":\"bearer\","
	    "\"bearerFormat\":\"JWT\",\"description\":\"An access token: what "
	    "log-in gave as access_token\"}");
	doc_raw(out, "apiKey", "{\"type\":\"apiKey\",\"in\":\"header\","
	    "\"name\":\"X-API-Key\",\"description\":\"For programs; where a "
	    "bearer is there too, both have to be good for it\"}");
	if (doc->settings->auth_gate_cookie[0])
		cookie_print(out, doc->settings->auth_gate_cookie);
	doc_open(out, "oauth2", '{');
	doc_string(out, "type", "oauth2");
	doc_string(out, "description", "Name and password for the same tokens");
	doc_open(out, "flows", '{');
	doc_open(out, "password", '{');
	doc_string(out, "tokenUrl", "/auth/token");
	doc_string(out, "refreshUrl", "/auth/token");
	doc_open(out, "scopes", '{');
	for (size_t i = 0; i < routes->n; i++)
		if (routes->v[i].scope && !scope_seen(routes, i))
			doc_string(out, routes->v[i].scope,
			    scope_words(routes->v[i].scope));
	for (int depth = 0; depth < 4; depth++)
		doc_close(out, '}');
}
