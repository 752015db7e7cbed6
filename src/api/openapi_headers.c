/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document says of the headers of replies. */
#include "api/openapi_parts.h"

/* An answer's; the row's columns and its DOC_* flags bring a success's. */
static const struct {
	unsigned doc;		/* DOC_*, or 0 */
	unsigned route;		/* ROUTE_*, or 0 */
	const char *name;
} successes[] = {
	{ DOC_ETAG, ROUTE_ETAG, "ETag" },
	{ DOC_LOCATION, 0, "Location" },
	{ DOC_COOKIE, 0, "Set-Cookie" },
	{ DOC_IDENTITY, 0, "X-User-Id" },
	{ DOC_IDENTITY, 0, "X-User-Name" },
	{ DOC_IDENTITY, 0, "X-User-Role" },
	{ DOC_FILE, 0, "Content-Disposition" },
	{ 0, ROUTE_IDEMPOTENT, "Idempotency-Replayed" },
};

static void
refer(struct buf *out, const char *name)
{
	openapi_refer(out, name, "headers", name);
}

static void
limits_print(struct buf *out)
{
	refer(out, "RateLimit-Policy");
	refer(out, "RateLimit");
}

void
openapi_success_headers(struct document *doc, const struct route *route)
{
	const unsigned flags = operation_of(doc->routes, route)->flags;
	struct buf *out = doc->out;

	doc_open(out, "headers", '{');
	refer(out, "X-Request-Id");
	for (size_t i = 0; i < sizeof(successes) / sizeof(successes[0]); i++)
		if (flags & successes[i].doc ||
		    route->flags & successes[i].route)
			refer(out, successes[i].name);
	if (route->canonical) {
		refer(out, "Deprecation");
		openapi_refer(out, "Link", "headers", "Successor");
	} else if (flags & DOC_PAGES) {
		openapi_refer(out, "Link", "headers", "Next");
	}
	if (route->rate != RATE_NONE)
		limits_print(out);
	doc_close(out, '}');
}

static const char *
accept_name(enum method method)
{
	return method == POST ? "Accept-Post" : method == PATCH ?
	    "Accept-Patch" : "Accept";
}

void
openapi_answer_headers(struct buf *out, const struct answer *answer)
{
	const int status = answer->status;

	doc_open(out, "headers", '{');
	refer(out, "X-Request-Id");
	if (status == 401 || status == 403)
		refer(out, "WWW-Authenticate");
	if (status == 415)
		openapi_refer(out, accept_name(answer->method), "headers",
		    "Accept");
	if (status == 304)
		refer(out, "ETag");
	if (status == 412)
		openapi_refer(out, "ETag", "headers", "Current");
	if (status == 429 || status == 503)
		refer(out, "Retry-After");
	limits_print(out);
	doc_close(out, '}');
}

static const struct {
	const char *name;
	bool required;
	const char *words, *schema, *example;
} parts[] = {
	{ "X-Request-Id", true, "The client's, when it was sane, or ours", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"}", "0f5a3f1c2b4d7c1a9d6001936f5c7e4b" },
	{ "WWW-Authenticate", false, "RFC 6750 section 3: what would let the caller in, and what was wrong", "{\"type\":\"string\",\"pattern\":\"^Bearer realm=\"}", "Bearer realm=\\\"docket\\\", error=\\\"invalid_token\\\"" },
	{ "Retry-After", true, "Seconds", "{\"type\":\"integer\",\"minimum\":1}", NULL },
	{ "ETag", true, "Strong (RFC 9110): the version, or of the bytes", "{\"type\":\"string\",\"pattern\":\"^\\\"[^\\\"]+\\\"$\"}", "\\\"3\\\"" },
	{ "Current", false, "That of the task as it is now, when it is about one", "{\"type\":\"string\",\"pattern\":\"^\\\"[0-9]+\\\"$\"}", NULL },
	{ "Location", true, "The new task", "{\"type\":\"string\",\"format\":\"uri-reference\",\"pattern\":\"^/tasks/\"}", "/tasks/01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d" },
	{ "Next", false, "The next page (RFC 8288); none on the last", "{\"type\":\"string\",\"pattern\":\"; rel=\\\"next\\\"$\"}", "</tasks?cursor=Y3Vyc29y>; rel=\\\"next\\\"" },
	{ "Successor", true, "What new clients use (RFC 5829), behind the next page, if any", "{\"type\":\"string\",\"pattern\":\"; rel=\\\"successor-version\\\"\"}", "</tasks>; rel=\\\"successor-version\\\"" },
	{ "Deprecation", true, "Since when (RFC 9745)", "{\"type\":\"string\",\"pattern\":\"^@[0-9]+$\"}", NULL },
	{ "Set-Cookie", true, "The gate's cookie, or its end", "{\"type\":\"string\"}", NULL },
	{ "X-User-Id", true, "Whose credential it is", "{\"type\":\"string\",\"format\":\"uuid\"}", NULL },
	{ "X-User-Name", true, "Percent-encoded UTF-8", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._~%-]+$\"}", "exampleuser" },
	{ "X-User-Role", true, "The role now", "{\"type\":\"string\",\"enum\":[\"user\",\"admin\"]}", NULL },
	{ "Content-Disposition", true, "A name for the file", "{\"type\":\"string\",\"pattern\":\"^attachment; filename=\"}", "attachment; filename=\\\"tasks.csv\\\"" },
	{ "Idempotency-Replayed", false, "This is the stored reply to an earlier request with the same key", "{\"type\":\"string\",\"enum\":[\"true\"]}", NULL },
	{ "Accept", true, "The types that are taken here", "{\"type\":\"string\"}", "application/json" },
	{ "RateLimit-Policy", false, "The limits that this request counted against: q requests in w seconds (draft-ietf-httpapi-ratelimit-headers)", "{\"type\":\"string\",\"pattern\":\"^\\\"[a-z-]+\\\";q=[0-9]+;w=[0-9]+\"}", "\\\"user\\\";q=600;w=60" },
	{ "RateLimit", false, "What is left of each: r requests; all of it again after t seconds, or with r=0 the next one", "{\"type\":\"string\",\"pattern\":\"^\\\"[a-z-]+\\\";r=[0-9]+;t=[0-9]+\"}", "\\\"user\\\";r=598;t=1" },
};

void
openapi_header_parts(struct buf *out)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		doc_open(out, parts[i].name, '{');
		doc_string(out, "description", parts[i].words);
		if (parts[i].required)
			doc_bool(out, "required", true);
		doc_raw(out, "schema", parts[i].schema);
		if (parts[i].example) {
			doc_key(out, "example");
			buf_printf(out, "\"%s\"", parts[i].example);
		}
		doc_close(out, '}');
	}
}
