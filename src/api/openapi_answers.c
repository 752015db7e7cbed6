/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which answers other than success an operation has, and with which codes. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/openapi_parts.h"
#include "api/tasks.h"
#include "base/error.h"

_Static_assert(E__MAX <= 128, "struct answer has a bit for each error");

/* The columns of a row that bring an error along. */
enum when {
	ALWAYS, ON_ACCESS, ON_ACCOUNT, ON_TASKS, ON_SCOPE, ON_ADMIN, ON_KEYS,
	ON_BODY, ON_JSON, ON_ACCEPT, ON_ONCE, ON_MATCH, ON_PAGES, ON_RATE,
	ON_WRITE, ON_STORE, ON_SAMPLE,
};

static const struct {
	int error;
	enum when when;
} rules[] = {
	{ E_BAD_REQUEST, ALWAYS },
	{ E_INVALID, ALWAYS },
	{ E_JSON, ON_JSON },
	{ E_CURSOR, ON_PAGES },
	{ E_TOKEN_MISSING, ON_ACCESS },
	{ E_TOKEN, ON_ACCESS },
	{ E_TOKEN_REVOKED, ON_ACCESS },
	{ E_USER_INACTIVE, ON_ACCESS },
	{ E_USER_DELETED, ON_ACCOUNT },
	{ E_USER, ON_TASKS },
	{ E_API_KEY, ON_KEYS },
	{ E_API_KEY_MISSING, ON_TASKS },
	{ E_ROLE, ON_ADMIN },
	{ E_SCOPE, ON_SCOPE },
	{ E_NOT_FOUND, ON_SAMPLE },
	{ E_ACCEPT, ON_ACCEPT },
	{ E_CONFLICT, ON_WRITE },
	{ E_IN_FLIGHT, ON_ONCE },
	{ E_VERSION, ON_MATCH },
	{ E_TOO_LARGE, ON_BODY },
	{ E_TYPE, ON_BODY },
	{ E_IDEMPOTENCY, ON_ONCE },
	{ E_MATCH_NEEDED, ON_MATCH },
	{ E_RATE, ON_RATE },
	{ E_INTERNAL, ALWAYS },
	{ E_DATABASE, ON_STORE },
	{ E_OUTCOME, ON_WRITE },
	{ E_BUSY, ALWAYS },
	{ E_TIMEOUT, ON_STORE },
	{ E_MEMORY, ALWAYS },
};

static const struct {
	int status;
	const char *name;	/* of the component */
	const char *words;
} statuses[] = {
	{ 400, "BadRequest", "The request is malformed, or what it says cannot be; `errors` points to each fault" },
	{ 401, "Unauthorized", "No credential, or one that is wrong, expired or revoked" },
	{ 403, "Forbidden", "The caller lacks the role or the scope" },
	{ 404, "NotFound", "Unknown, or somebody else's" },
	{ 406, "NotAcceptable", "Accept rules JSON out" },
	{ 409, "Conflict", "It clashes with what is stored or in progress" },
	{ 410, "Gone", "The token is too old to say what changed since; begin again without it" },
	{ 412, "PreconditionFailed", "It has changed: the ETag is not that of If-Match. `task` is what it is now" },
	{ 413, "ContentTooLarge", "The body is larger than this address takes" },
	{ 415, "UnsupportedMediaType", "The body is of a type that is not taken here; the header says which are" },
	{ 422, "KeyReused", "The Idempotency-Key came with another request" },
	{ 428, "PreconditionRequired", "`tasks.require_if_match` is on and there is no If-Match" },
	{ 429, "TooManyRequests", "Over a limit; when to come again is told" },
	{ 500, "InternalError", "Our fault; the request id names it in the log" },
	{ 503, "Unavailable", "The database is away, or there is too much to do; come again" },
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static bool
takes_body(const struct route *route)
{
	return route->body->n > 0 || openapi_takes_file(route);
}

static bool
on_access(const struct route *route, enum when when)
{
	const bool closed = route->access != ACCESS_PUBLIC;
	const bool tasks = route->flags & ROUTE_TASKS;

	switch (when) {
	case ON_ACCESS:
		return closed;
	case ON_ACCOUNT:
		return closed && !tasks;
	case ON_TASKS:
		return closed && tasks;
	case ON_SCOPE:
		return route->scope;
	case ON_ADMIN:
		return route->access == ACCESS_ADMIN ||
		    route->access == ACCESS_ADMIN_OR_KEY;
	default:
		return route->scope || route->access == ACCESS_ADMIN_OR_KEY;
	}
}

static bool
applies(const struct route *route, const struct operation *op, enum when when)
{
	switch (when) {
	case ALWAYS:
		return true;
	case ON_BODY:
		return takes_body(route);
	case ON_JSON:
		return route->body->n > 0;
	case ON_ACCEPT:
		return !(route->flags & (ROUTE_FILE | ROUTE_PLAIN));
	case ON_ONCE:
		return route->flags & ROUTE_IDEMPOTENT;
	case ON_MATCH:
		return op->flags & DOC_IF_MATCH;
	case ON_PAGES:
		return op->flags & DOC_PAGES;
	case ON_RATE:
		return route->rate != RATE_NONE;
	case ON_WRITE:
		return route->tx == TX_WRITE;
	case ON_STORE:
		return route->tx != TX_NONE;
	case ON_SAMPLE:
		return route->flags & ROUTE_SAMPLE;
	default:
		return on_access(route, when);
	}
}

static void
error_set(struct answer *answer, int error)
{
	answer->errors[error / 64] |= UINT64_C(1) << error % 64;
}

static bool
error_is_set(const struct answer *answer, int error)
{
	return answer->errors[error / 64] >> error % 64 & 1;
}

/* All errors of a route, whatever their status. */
static struct answer
errors_of(const struct document *doc, const struct route *route)
{
	const struct operation *op = operation_of(doc->routes, route);
	struct answer all = {
		.oauth = route->flags & ROUTE_OAUTH,
		.report = op->flags & DOC_REPORT,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (applies(route, op, rules[i].when))
			error_set(&all, rules[i].error);
	for (const int *e = op->errors; *e != E_OK; e++)
		error_set(&all, *e);
	return all;
}

static bool
answer_same(const struct answer *a, const struct answer *b)
{
	return a->status == b->status && a->errors[0] == b->errors[0] &&
	    a->errors[1] == b->errors[1] && a->oauth == b->oauth &&
	    a->report == b->report && a->method == b->method;
}

/* The document's own, added when it is new; named by its status, and numbered
 * when there are several of it. */
static const struct answer *
answer_keep(struct document *doc, const struct answer *answer, const char *name)
{
	struct answer *new = &doc->answers[doc->n_answers];
	unsigned n = 1;

	for (size_t i = 0; i < doc->n_answers; i++) {
		const struct answer *a = &doc->answers[i];

		if (answer_same(a, answer))
			return a;
		n += a->status == answer->status && a->oauth == answer->oauth;
	}
	if (doc->n_answers == ANSWERS_MAX)
		return NULL;
	*new = *answer;
	if (n == 1)
		snprintf(new->name, sizeof(new->name), "%s%s",
		    answer->oauth ? "OAuth" : "", name);
	else
		snprintf(new->name, sizeof(new->name), "%s%s%u",
		    answer->oauth ? "OAuth" : "", name, n);
	doc->n_answers++;
	return new;
}

/* Those of all the errors that have this status. */
static bool
answer_pick(const struct answer *all, int status, const struct route *route,
    struct answer *ret)
{
	bool any = false;

	*ret = (struct answer){
		.status = status,
		.oauth = all->oauth,
		.report = all->report && status == 400,
		.method = status == 415 ? route->method : GET,
	};
	for (int e = E_OK + 1; e < E__MAX; e++) {
		if (!error_is_set(all, e) || error_row(e)->status != status)
			continue;
		error_set(ret, e);
		any = true;
	}
	return any;
}

void
openapi_answers(struct document *doc, const struct route *route)
{
	const struct answer all = errors_of(doc, route);
	const struct answer *kept;
	struct answer one;
	char status[12];

	for (size_t i = 0; i < STATUSES; i++) {
		if (!answer_pick(&all, statuses[i].status, route, &one))
			continue;
		kept = answer_keep(doc, &one, statuses[i].name);
		if (!kept) {
			doc->out->failed = true;
			return;
		}
		snprintf(status, sizeof(status), "%d", one.status);
		openapi_refer(doc->out, status, "responses", kept->name);
	}
}

/* ---- components ---- */

/* Every member of a list of errors in turn: the code, or RFC 6749's. Two of
 * the latter may be one word. */
static bool
word_seen(const struct answer *answer, int at)
{
	for (int e = E_OK + 1; answer->oauth && e < at; e++)
		if (error_is_set(answer, e) && strcmp(error_row(e)->oauth,
		    error_row(at)->oauth) == 0)
			return true;
	return false;
}

static void
codes_print(struct buf *out, const struct answer *answer)
{
	doc_open(out, answer->oauth ? "error" : "code", '{');
	doc_open(out, "enum", '[');
	for (int e = E_OK + 1; e < E__MAX; e++) {
		if (!error_is_set(answer, e) || word_seen(answer, e))
			continue;
		doc_item(out);
		buf_json(out, text_of(answer->oauth ? error_row(e)->oauth :
		    error_row(e)->code));
	}
	doc_close(out, ']');
	doc_close(out, '}');
}

/* What an error brings beside a problem's members. */
static void
extra_print(struct document *doc, const struct answer *answer)
{
	if (error_is_set(answer, E_VERSION) && !answer->oauth) {
		doc_key(doc->out, "task");
		schema_print(&doc->schemas, doc->out, &task_object, false);
	}
	if (answer->report) {
		doc_key(doc->out, "report");
		schema_print(&doc->schemas, doc->out, &import_reply, false);
	}
}

static void
answer_schema(struct document *doc, const struct answer *answer)
{
	struct buf *out = doc->out;

	doc_open(out, "schema", '{');
	doc_open(out, "allOf", '[');
	openapi_refer(out, NULL, "schemas",
	    answer->oauth ? "OAuthError" : "Problem");
	doc_open(out, NULL, '{');
	doc_string(out, "type", "object");
	doc_open(out, "properties", '{');
	codes_print(out, answer);
	extra_print(doc, answer);
	doc_close(out, '}');
	if (error_is_set(answer, E_VERSION) && !answer->oauth)
		doc_raw(out, "required", "[\"task\"]");
	doc_close(out, '}');
	doc_close(out, ']');
	doc_close(out, '}');
}

static void
answer_examples(struct buf *out, const struct answer *answer)
{
	char name[80];

	/* What brings more than the members of a problem has no example. */
	if (answer->status == 412)
		return;
	doc_open(out, "examples", '{');
	for (int e = E_OK + 1; e < E__MAX; e++) {
		if (!error_is_set(answer, e))
			continue;
		snprintf(name, sizeof(name), "%s.%s",
		    answer->oauth ? "oauth" : "problem", error_row(e)->code);
		openapi_refer(out, error_row(e)->code, "examples", name);
	}
	doc_close(out, '}');
}

static const char *
answer_words(int status)
{
	for (size_t i = 0; i < STATUSES; i++)
		if (statuses[i].status == status)
			return statuses[i].words;
	return "";
}

#define OAUTH_PROBLEM "{\"schema\":{\"$ref\":" \
    "\"#/components/schemas/OAuthProblem\"}}"
#define REQUEST_ID "\"headers\":{\"X-Request-Id\":{\"$ref\":" \
    "\"#/components/headers/X-Request-Id\"}}"
#define TRANSPORT "What HTTP itself refuses, mostly before the service " \
    "sees it: 408, 414, 421, 431, 502, 504"

/* What nginx, too, answers by itself at these addresses. */
static bool
nginx_says(int status)
{
	return status == 400 || status == 413 || status == 429 || status == 503;
}

/* Responses that no errors are behind. */
static void
others_print(struct buf *out)
{
	static const struct answer not_modified = { .status = 304 };

	doc_open(out, "NotModified", '{');
	doc_string(out, "description", "Not modified since that ETag");
	openapi_answer_headers(out, &not_modified);
	doc_close(out, '}');
	doc_raw(out, "Problem", "{\"description\":\"" TRANSPORT "\","
	    REQUEST_ID ",\"content\":{\"application/problem+json\":{"
	    "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}");
	doc_raw(out, "OAuthProblem", "{\"description\":\"" TRANSPORT "\","
	    REQUEST_ID ",\"content\":{\"application/problem+json\":"
	    OAUTH_PROBLEM "}}");
}

void
openapi_answer_parts(struct document *doc)
{
	struct buf *out = doc->out;

	for (size_t i = 0; i < doc->n_answers; i++) {
		const struct answer *a = &doc->answers[i];

		doc_open(out, a->name, '{');
		doc_string(out, "description", answer_words(a->status));
		openapi_answer_headers(out, a);
		doc_open(out, "content", '{');
		doc_open(out, a->oauth ? "application/json" :
		    "application/problem+json", '{');
		answer_schema(doc, a);
		answer_examples(out, a);
		doc_close(out, '}');
		if (a->oauth && nginx_says(a->status))
			doc_raw(out, "application/problem+json", OAUTH_PROBLEM);
		doc_close(out, '}');
		doc_close(out, '}');
	}
	others_print(out);
}
