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

static void
cookie_scheme(struct buf *out, const char *name)
{
	doc_open(out, "gateCookie", '{');
	doc_string(out, "type", "apiKey");
	doc_string(out, "in", "cookie");
	doc_string(out, "name", name);
	doc_close(out, '}');
}

void
openapi_schemes(struct buf *out, const struct routes *routes,
    const struct settings *settings)
{
	doc_raw(out, "bearer", "{\"type\":\"http\",\"scheme\":\"bearer\","
	    "\"bearerFormat\":\"JWT\"}");
	doc_raw(out, "apiKey", "{\"type\":\"apiKey\",\"in\":\"header\","
	    "\"name\":\"X-API-Key\"}");
	if (settings->auth_gate_cookie[0])
		cookie_scheme(out, settings->auth_gate_cookie);
	doc_open(out, "oauth2", '{');
	doc_string(out, "type", "oauth2");
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
