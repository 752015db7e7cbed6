/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How the OpenAPI document begins: what this is, and the groups it has. */
#include "api/openapi_parts.h"
#include "base/version.h"

#define WORDS \
    "Accounts, one-time codes and tasks, over JSON.\n\n" \
    "**To get in**\n" \
    "1. Register (`POST /auth/register`) or log in (`POST /auth`, or " \
    "`POST /auth/token` as OAuth 2.0 has it).\n" \
    "2. Send the `access_token` as `Authorization: Bearer ...`. It is good " \
    "for ten minutes, and not a moment after its session ended.\n" \
    "3. Trade the `refresh_token` for a new pair (`POST /auth/refresh`) " \
    "before that; each is good for one use.\n" \
    "4. Programs take an API key instead (`POST /auth/keys`), in " \
    "`X-API-Key`, where an operation names a scope.\n" \
    "5. No, or a dead credential is 401; one that may not is 403; what is " \
    "somebody else's is 404.\n\n" \
    "**Everywhere**\n" \
    "- Errors are problem documents (RFC 9457) with a stable `code` and a " \
    "pointer to each fault of the input, all at once; on the OAuth " \
    "endpoints they are those of RFC 6749.\n" \
    "- Instants are RFC 3339 in UTC. What an object lacks is `null`, never " \
    "left out, unless its description says so.\n" \
    "- Each GET has a HEAD, each address an OPTIONS; another method is 405 " \
    "with `Allow`.\n" \
    "- `X-Request-Id` names a request in its reply, in the problem document " \
    "and in the log; a sane one of the client's is kept.\n" \
    "- With an `Idempotency-Key` a write can be repeated without being done " \
    "twice; with `If-Match` it does not undo what somebody else did.\n" \
    "- Limits are told in `RateLimit-Policy` and `RateLimit`; beyond them " \
    "it is 429 with `Retry-After`.\n"

static void
info_print(struct buf *out)
{
	doc_open(out, "info", '{');
	doc_string(out, "title", "Docket");
	doc_string(out, "summary", "Accounts, one-time codes and tasks");
	doc_string(out, "description", WORDS);
	doc_string(out, "version", docket_version);
	doc_raw(out, "license",
	    "{\"name\":\"GNU Affero General Public License v3.0 or later\","
	    "\"identifier\":\"AGPL-3.0-or-later\"}");
	doc_close(out, '}');
}

const char *
openapi_tag(const struct document *doc, const struct route *route)
{
	return route->canonical ? "aliases" :
	    operation_of(doc->routes, route)->tag;
}

static bool
tag_used(const struct document *doc, const char *name)
{
	for (size_t i = 0; i < doc->routes->n; i++)
		if (strcmp(openapi_tag(doc, &doc->routes->v[i]), name) == 0)
			return true;
	return false;
}

static void
tags_print(struct document *doc)
{
	struct buf *out = doc->out;

	doc_open(out, "tags", '[');
	for (size_t i = 0; i < operation_tags_n; i++) {
		if (!tag_used(doc, operation_tags[i].name))
			continue;
		doc_open(out, NULL, '{');
		doc_string(out, "name", operation_tags[i].name);
		doc_string(out, "description", operation_tags[i].words);
		doc_close(out, '}');
	}
	doc_close(out, ']');
}

void
openapi_head(struct document *doc)
{
	info_print(doc->out);
	doc_raw(doc->out, "servers", "[{\"url\":\"/\",\"description\":"
	    "\"Where this document came from\"}]");
	doc_raw(doc->out, "externalDocs", "{\"url\":\"/docs\","
	    "\"description\":\"The same to read and to try\"}");
	tags_print(doc);
}
