/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The two shapes of an error, and an example of each error. */
#include "api/openapi_parts.h"
#include "base/error.h"

/* What never leaves a room's callers is no client's to know. */
static bool
is_told(int error)
{
	return error != E_SEAL && error != E_NONE;
}

/* Is it a row of tbl/errors.h already? */
static bool
is_error(const char *code)
{
	for (int e = E_OK + 1; e < E__MAX; e++)
		if (strcmp(error_row(e)->code, code) == 0)
			return true;
	return false;
}

/* Every code that a client can meet, once: the service's, then nginx's. */
static void
codes_print(struct buf *out)
{
	static const char *const others[] = {
#define NGINX_ERROR(status, code, oauth, title, detail) code,
#include "tbl/nginx_errors.h"
#undef NGINX_ERROR
	};

	doc_open(out, "code", '{');
	doc_string(out, "type", "string");
	doc_string(out, "description", "Stable: clients decide by it");
	doc_open(out, "enum", '[');
	for (int e = E_OK + 1; e < E__MAX; e++) {
		if (!is_told(e))
			continue;
		doc_item(out);
		buf_json(out, text_of(error_row(e)->code));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (is_error(others[i]))
			continue;
		doc_item(out);
		buf_json(out, text_of(others[i]));
	}
	doc_close(out, ']');
	doc_close(out, '}');
}

void
openapi_error_schemas(struct document *doc)
{
	struct buf *out = doc->out;

	doc_open(out, "Problem", '{');
	doc_string(out, "type", "object");
	doc_string(out, "description", "RFC 9457");
	doc_open(out, "properties", '{');
	doc_raw(out, "type", "{\"type\":\"string\",\"format\":"
	    "\"uri-reference\",\"description\":\"Leads to what the code "
	    "means\"}");
	doc_raw(out, "title", "{\"type\":\"string\"}");
	doc_raw(out, "status", "{\"type\":\"integer\",\"minimum\":400,"
	    "\"maximum\":599}");
	doc_raw(out, "detail", "{\"type\":\"string\"}");
	doc_raw(out, "instance", "{\"type\":[\"string\",\"null\"],"
	    "\"format\":\"uri-reference\"}");
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
	doc_raw(out, "OAuthError", "{\"type\":\"object\",\"description\":"
	    "\"RFC 6749 section 5.2\",\"properties\":{"
	    "\"error\":{\"type\":\"string\"},"
	    "\"error_description\":{\"type\":\"string\"}},"
	    "\"required\":[\"error\",\"error_description\"]}");
	doc_raw(out, "OAuthProblem", "{\"description\":\"From nginx, which "
	    "says it both ways\",\"allOf\":[{\"$ref\":"
	    "\"#/components/schemas/Problem\"},{\"$ref\":"
	    "\"#/components/schemas/OAuthError\"}]}");
}

static void
problem_print(struct buf *out, const struct error_row *row, bool fault)
{
	doc_open(out, "value", '{');
	doc_key(out, "type");
	buf_printf(out, "\"/problems/%s\"", row->code);
	doc_string(out, "title", row->title);
	doc_key(out, "status");
	buf_int(out, row->status);
	doc_string(out, "detail", row->detail);
	doc_raw(out, "instance", "null");
	doc_string(out, "code", row->code);
	doc_string(out, "message", row->detail);
	doc_raw(out, "errors", fault ? "[{\"pointer\":\"/title\",\"code\":"
	    "\"length\",\"detail\":\"must have 1 to 200 characters\"}]" :
	    "[]");
	doc_string(out, "request_id", "0f5a3f1c2b4d7c1a9d6001936f5c7e4b");
	doc_close(out, '}');
}

static void
oauth_print(struct buf *out, const struct error_row *row)
{
	doc_open(out, "value", '{');
	doc_string(out, "error", row->oauth);
	doc_string(out, "error_description", row->detail);
	doc_close(out, '}');
}

static bool
is_used(const struct document *doc, int error, bool oauth)
{
	for (size_t i = 0; i < doc->n_answers; i++) {
		const struct answer *a = &doc->answers[i];

		if (a->oauth == oauth && a->status != 412 &&
		    a->errors[error / 64] >> error % 64 & 1)
			return true;
	}
	return false;
}

void
openapi_error_examples(struct document *doc, bool oauth)
{
	struct buf *out = doc->out;

	for (int e = E_OK + 1; e < E__MAX; e++) {
		const struct error_row *row = error_row(e);

		if (!is_used(doc, e, oauth))
			continue;
		doc_item(out);
		buf_printf(out, "\"%s.%s\":{", oauth ? "oauth" : "problem",
		    row->code);
		doc_string(out, "summary", row->title);
		if (oauth)
			oauth_print(out, row);
		else
			problem_print(out, row, e == E_INVALID);
		doc_close(out, '}');
	}
}
