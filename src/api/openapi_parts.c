/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document's operations refer to: tags, errors, schemes. */
#include "api/openapi_parts.h"

#include <stdio.h>

#include "api/api.h"
#include "base/error.h"

#ifndef DOCKET_VERSION
#define DOCKET_VERSION "0"
#endif

#define CHALLENGE "WWW-Authenticate"

/* ---- tags ---- */

static const struct {
	const char *name, *words;
} tags[] = {
	{ "auth", "Accounts, log-in, tokens and sessions" },
	{ "otp", "One-time codes sent to a phone or an e-mail address" },
	{ "tasks", "The caller's tasks" },
	{ "service", "The service itself: health and this document" },
	{ "aliases", "Older addresses of the same routes" },
};

struct text
openapi_tag(const struct route *route)
{
	if (route->canonical)
		return TEXT("aliases");
	if (route->tx == TX_NONE)
		return TEXT("service");
	return (struct text){ route->path + 1, strcspn(route->path + 1, "/") };
}

static bool
tag_seen(const struct routes *routes, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (text_equal(openapi_tag(&routes->v[i]),
		    openapi_tag(&routes->v[at])))
			return true;
	return false;
}

void
openapi_tags(struct buf *out, const struct routes *routes)
{
	doc_open(out, "tags", '[');
	for (size_t i = 0; i < routes->n; i++) {
		const struct text tag = openapi_tag(&routes->v[i]);
		const char *words = "Everything under this path";

		if (tag_seen(routes, i))
			continue;
		for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++)
			if (text_is(tag, tags[k].name))
				words = tags[k].words;
		doc_open(out, NULL, '{');
		doc_key(out, "name");
		buf_json(out, tag);
		doc_string(out, "description", words);
		doc_close(out, '}');
	}
	doc_close(out, ']');
}

void
openapi_info(struct buf *out)
{
	doc_open(out, "info", '{');
	doc_string(out, "title", "Docket");
	doc_string(out, "summary", "Accounts, one-time codes and tasks");
	doc_string(out, "description",
	    "Errors are problem documents (RFC 9457) with a stable `code` and "
	    "a pointer to each fault of the input; on the OAuth endpoints "
	    "they are those of RFC 6749. Instants are RFC 3339 in UTC. What "
	    "an object lacks is `null`, never left out, unless its "
	    "description says so.");
	doc_string(out, "version", DOCKET_VERSION);
	doc_raw(out, "license",
	    "{\"name\":\"GNU Affero General Public License v3.0 or later\","
	    "\"identifier\":\"AGPL-3.0-or-later\"}");
	doc_close(out, '}');
}

/* ---- responses ---- */

/* When a row may answer with this status; 0: always. */
enum when {
	ALWAYS, WITH_ACCESS, WITH_ROLE, WITH_PART, WITH_BODY, WITH_KEY,
	WITH_RATE, WITH_LOG,
};

static const struct answer {
	int status;
	const char *name;	/* of the component */
	enum when when;
	const char *header;	/* that comes along, or NULL */
	const char *words;
} answers[] = {
	{ 400, "BadRequest", ALWAYS, NULL, "The request is malformed; `errors` points to each fault" },
	{ 401, "Unauthorized", WITH_ACCESS, CHALLENGE, "No token, or one that is bad, expired or revoked" },
	{ 403, "Forbidden", WITH_ROLE, CHALLENGE, "The caller lacks the role or the scope" },
	{ 404, "NotFound", WITH_PART, NULL, "Unknown, or somebody else's" },
	{ 406, "NotAcceptable", ALWAYS, NULL, "Accept rules JSON out" },
	{ 409, "Conflict", WITH_KEY, NULL, "It clashes with what is stored or in progress" },
	{ 410, "Expired", WITH_LOG, NULL, "The token is too old to say what changed since; begin again without it" },
	{ 413, "ContentTooLarge", WITH_BODY, NULL, "The body is larger than this address takes" },
	{ 415, "UnsupportedMediaType", WITH_BODY, NULL, "The body is of a type that is not taken here" },
	{ 422, "KeyReused", WITH_KEY, NULL, "The key came with another request" },
	{ 429, "TooManyRequests", WITH_RATE, "Retry-After", "Over a limit; when and how many again is told" },
	{ 500, "InternalError", ALWAYS, NULL, "Our fault; the request id names it in the log" },
	{ 503, "Unavailable", ALWAYS, "Retry-After", "The database is away, or there is too much to do" },
};

#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

static bool
may_answer(const struct route *route, enum when when)
{
	switch (when) {
	case WITH_ACCESS:
		return route->access != ACCESS_PUBLIC;
	case WITH_ROLE:
		return route->access == ACCESS_ADMIN ||
		    route->access == ACCESS_ADMIN_OR_KEY || route->scope;
	case WITH_PART:
		return strchr(route->path, '{') || route->flags & ROUTE_TASKS;
	case WITH_BODY:
		return route->body->n > 0 || openapi_takes_file(route);
	case WITH_KEY:
		return route->flags & ROUTE_IDEMPOTENT;
	case WITH_RATE:
		return route->rate != RATE_NONE;
	case WITH_LOG:
		return route->handler == api_task_changes;
	default:
		return true;
	}
}

static void
refer(struct buf *out, const char *kind, const char *name)
{
	doc_item(out);
	buf_printf(out, "{\"$ref\":\"#/components/%s/%s\"}", kind, name);
}

static void
success_print(struct buf *out, const struct schemas *schemas,
    const struct route *route)
{
	char status[12];

	snprintf(status, sizeof(status), "%d", route->status);
	doc_open(out, status, '{');
	doc_string(out, "description",
	    route->status == 201 ? "Created" : "Done");
	openapi_headers(out, route);
	if (route->flags & ROUTE_FILE && route->method == GET) {
		openapi_files(out, true);
	} else if (route->flags & ROUTE_PLAIN) {
		doc_raw(out, "content",
		    "{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}");
	} else if (route->status != 204) {
		doc_open(out, "content", '{');
		doc_open(out, "application/json", '{');
		doc_key(out, "schema");
		if (route->reply->n)
			schema_print(schemas, out, route->reply, false);
		else
			buf_puts(out, "{\"type\":\"object\"}");
		doc_close(out, '}');
		doc_close(out, '}');
	}
	doc_close(out, '}');
	if (route->flags & ROUTE_ETAG)
		doc_raw(out, "304",
		    "{\"description\":\"Not modified since that ETag\"}");
}

void
openapi_responses(struct buf *out, const struct schemas *schemas,
    const struct route *route)
{
	const bool oauth = route->flags & ROUTE_OAUTH;
	char status[12];

	doc_open(out, "responses", '{');
	success_print(out, schemas, route);
	for (size_t i = 0; i < ANSWERS; i++) {
		if (!may_answer(route, answers[i].when))
			continue;
		snprintf(status, sizeof(status), "%d", answers[i].status);
		doc_key(out, status);
		refer(out, "responses", oauth ? "OAuthError" :
		    answers[i].name);
	}
	doc_key(out, "default");
	refer(out, "responses", oauth ? "OAuthError" : "Problem");
	doc_close(out, '}');
}

/* ---- components ---- */

static void
response_print(struct buf *out, const struct answer *answer, bool oauth)
{
	const char *header = answer->header;

	doc_open(out, answer->name, '{');
	doc_string(out, "description", answer->words);
	doc_open(out, "headers", '{');
	doc_key(out, "X-Request-Id");
	refer(out, "headers", "X-Request-Id");
	if (header) {
		doc_key(out, header);
		refer(out, "headers", header);
	}
	if (answer->when == WITH_RATE)
		openapi_limits(out);
	doc_close(out, '}');
	doc_open(out, "content", '{');
	doc_open(out, oauth ? "application/json" : "application/problem+json",
	    '{');
	doc_key(out, "schema");
	refer(out, "schemas", oauth ? "OAuthError" : "Problem");
	doc_close(out, '}');
	doc_close(out, '}');
	doc_close(out, '}');
}

static void
responses_print(struct buf *out)
{
	static const struct answer other = {
		0, "Problem", ALWAYS, NULL, "Any other answer"
	}, oauth = {
		0, "OAuthError", ALWAYS, NULL, "RFC 6749 section 5.2"
	};

	for (size_t i = 0; i < ANSWERS; i++)
		response_print(out, &answers[i], false);
	response_print(out, &other, false);
	response_print(out, &oauth, true);
}

/* Every code of tbl/errors.h that a client can meet, once. */
static void
codes_print(struct buf *out)
{
	doc_open(out, "code", '{');
	doc_string(out, "type", "string");
	doc_string(out, "description", "Stable: clients decide by it");
	doc_open(out, "enum", '[');
	for (int e = E_OK + 1; e < E__MAX; e++) {
		if (e == E_SEAL || e == E_NONE)
			continue;
		doc_item(out);
		buf_json(out, text_of(error_row(e)->code));
	}
	doc_close(out, ']');
	doc_close(out, '}');
}

/* What no row has: the two shapes of an error. */
static void
errors_schema(struct buf *out)
{
	doc_open(out, "Problem", '{');
	doc_string(out, "type", "object");
	doc_string(out, "description", "RFC 9457");
	doc_open(out, "properties", '{');
	doc_raw(out, "type",
	    "{\"type\":\"string\",\"format\":\"uri-reference\"}");
	doc_raw(out, "title", "{\"type\":\"string\"}");
	doc_raw(out, "status", "{\"type\":\"integer\"}");
	doc_raw(out, "detail", "{\"type\":\"string\"}");
	doc_raw(out, "instance", "{\"type\":[\"string\",\"null\"]}");
	codes_print(out);
	doc_raw(out, "message", "{\"type\":\"string\","
	    "\"description\":\"The same as detail\"}");
	doc_raw(out, "errors", "{\"type\":\"array\",\"items\":{"
	    "\"$ref\":\"#/components/schemas/Fault\"}}");
	doc_raw(out, "request_id", "{\"type\":[\"string\",\"null\"]}");
	doc_close(out, '}');
	doc_raw(out, "required", "[\"type\",\"title\",\"status\",\"detail\","
	    "\"instance\",\"code\",\"message\",\"errors\",\"request_id\"]");
	doc_close(out, '}');
	doc_raw(out, "Fault", "{\"type\":\"object\",\"properties\":{"
	    "\"pointer\":{\"type\":\"string\",\"description\":"
	    "\"RFC 6901 into the body, or ?name for a query parameter\"},"
	    "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}},"
	    "\"required\":[\"pointer\",\"code\",\"detail\"]}");
	doc_raw(out, "OAuthError", "{\"type\":\"object\",\"properties\":{"
	    "\"error\":{\"type\":\"string\"},"
	    "\"error_description\":{\"type\":\"string\"}},"
	    "\"required\":[\"error\",\"error_description\"]}");
}

static void
parameters_print(struct buf *out)
{
	doc_raw(out, "IdempotencyKey", "{\"name\":\"Idempotency-Key\","
	    "\"in\":\"header\",\"required\":false,\"description\":"
	    "\"A repeated request with the same key gets the stored reply\","
	    "\"schema\":{\"type\":\"string\",\"minLength\":1,"
	    "\"maxLength\":255}}");
	doc_raw(out, "AcceptLanguage", "{\"name\":\"Accept-Language\","
	    "\"in\":\"header\",\"required\":false,\"description\":"
	    "\"What to word the message in; the reply is the same\","
	    "\"schema\":{\"type\":\"string\"},"
	    "\"example\":\"fa-IR, en;q=0.5\"}");
	doc_raw(out, "IfNoneMatch", "{\"name\":\"If-None-Match\","
	    "\"in\":\"header\",\"required\":false,\"description\":"
	    "\"An ETag: 304 when it still holds\","
	    "\"schema\":{\"type\":\"string\"}}");
}

static void
headers_print(struct buf *out)
{
	doc_raw(out, "X-Request-Id", "{\"description\":\"The client's, when "
	    "it was sane, or ours\",\"schema\":{\"type\":\"string\"}}");
	doc_raw(out, CHALLENGE, "{\"description\":\"RFC 6750 "
	    "section 3\",\"schema\":{\"type\":\"string\"}}");
	doc_raw(out, "Retry-After", "{\"description\":\"Seconds\","
	    "\"schema\":{\"type\":\"integer\",\"minimum\":1}}");
	doc_raw(out, "ETag", "{\"description\":\"Strong (RFC 9110)\","
	    "\"schema\":{\"type\":\"string\"}}");
	openapi_limit_headers(out);
}

void
openapi_components(struct buf *out, const struct schemas *schemas,
    const struct routes *routes, const struct settings *settings)
{
	doc_open(out, "components", '{');
	doc_open(out, "schemas", '{');
	schemas_print(schemas, out);
	errors_schema(out);
	doc_close(out, '}');
	doc_open(out, "responses", '{');
	responses_print(out);
	doc_close(out, '}');
	doc_open(out, "parameters", '{');
	parameters_print(out);
	doc_close(out, '}');
	doc_open(out, "headers", '{');
	headers_print(out);
	doc_close(out, '}');
	doc_open(out, "securitySchemes", '{');
	openapi_schemes(out, routes, settings);
	doc_close(out, '}');
	doc_close(out, '}');
}
