/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docketd --postman: the walk as a Postman collection, v2.1. */
#include <string.h>

#include "api/schema.h"
#include "api/walk.h"

#define SCHEMA \
	"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

static void
text_member(struct buf *out, const char *name, struct text value)
{
	doc_key(out, name);
	buf_json(out, value);
}

static void
head_print(struct buf *out)
{
	doc_open(out, "info", '{');
	doc_string(out, "name", "Docket");
	doc_string(out, "description", "Docket's interface, one request after "
	    "the other: from the first to the last, or as needed after the "
	    "log-in, which keeps the token.");
	doc_string(out, "schema", SCHEMA);
	doc_close(out, '}');
}

static void
variable_print(struct buf *out, struct text name, const char *value,
    const char *words)
{
	doc_open(out, NULL, '{');
	text_member(out, "key", name);
	doc_string(out, "value", value);
	if (words)
		doc_string(out, "description", words);
	doc_close(out, '}');
}

/* Is this the first of the steps that takes it? */
static bool
is_new(struct text variable, size_t at)
{
	struct text path;

	return !walk_taker(variable, at, &path);
}

/* Those of replies too, so that a reader sees what there is. */
static void
variables_print(struct buf *out)
{
	struct text one, name, path;

	doc_open(out, "variable", '[');
	for (size_t i = 0; i < walk_n_variables; i++)
		variable_print(out, text_of(walk_variables[i].name),
		    walk_variables[i].value, walk_variables[i].words);
	for (size_t at = 0; at < walk_n_steps; at++) {
		const char *takes = walk_steps[at].takes;

		while (walk_next(&takes, '|', &one)) {
			walk_apart(one, &name, &path);
			if (is_new(name, at))
				variable_print(out, name, "", NULL);
		}
	}
	doc_close(out, ']');
}

static void
auth_print(struct buf *out, const char *bearer)
{
	doc_open(out, "auth", '{');
	doc_string(out, "type", bearer ? "bearer" : "noauth");
	if (bearer) {
		doc_open(out, "bearer", '[');
		doc_open(out, NULL, '{');
		doc_string(out, "key", "token");
		doc_key(out, "value");
		buf_printf(out, "\"{{%s}}\"", bearer);
		doc_string(out, "type", "string");
		doc_close(out, '}');
		doc_close(out, ']');
	}
	doc_close(out, '}');
}

static void
query_print(struct buf *out, const char *query)
{
	struct text one, name, value;

	doc_open(out, "query", '[');
	while (walk_next(&query, '&', &one)) {
		walk_apart(one, &name, &value);
		doc_open(out, NULL, '{');
		text_member(out, "key", name);
		text_member(out, "value", value);
		doc_close(out, '}');
	}
	doc_close(out, ']');
}

static void
url_print(struct buf *out, const struct walk *walk)
{
	const struct text path = buf_view(&walk->path);
	const char *parts = path.s + (path.n > 0), *query = walk->step->query;
	struct text part;

	doc_open(out, "url", '{');
	doc_key(out, "raw");
	buf_printf(out, "\"{{baseUrl}}%.*s%s%s\"", TEXT_FMT(path),
	    *query ? "?" : "", query);
	doc_raw(out, "host", "[\"{{baseUrl}}\"]");
	doc_open(out, "path", '[');
	while (walk_next(&parts, '/', &part)) {
		doc_item(out);
		buf_json(out, part);
	}
	doc_close(out, ']');
	if (*query)
		query_print(out, query);
	doc_close(out, '}');
}

static void
body_print(struct buf *out, const struct walk *walk)
{
	doc_open(out, "body", '{');
	doc_string(out, "mode", "raw");
	text_member(out, "raw", buf_view(&walk->body));
	doc_raw(out, "options", "{\"raw\":{\"language\":\"json\"}}");
	doc_close(out, '}');
}

static void
request_print(struct buf *out, const struct walk *walk)
{
	doc_open(out, "request", '{');
	doc_string(out, "method", method_names[walk->route->method]);
	auth_print(out, walk->bearer);
	doc_open(out, "header", '[');
	if (walk->type) {
		doc_open(out, NULL, '{');
		doc_string(out, "key", "Content-Type");
		doc_string(out, "value", walk->type);
		doc_close(out, '}');
	}
	doc_close(out, ']');
	url_print(out, walk);
	if (walk->type)
		body_print(out, walk);
	doc_string(out, "description", walk->route->summary);
	doc_close(out, '}');
}

/* One line of a script, which is ours alone: nothing in it needs care but the
 * JSON around it. */
static void
line_print(struct buf *out, struct buf *line)
{
	doc_item(out);
	buf_json(out, buf_view(line));
	buf_reset(line, 0);
}

static void
takes_print(struct buf *out, struct buf *line, const char *takes)
{
	struct text one, name, path;

	while (walk_next(&takes, '|', &one)) {
		walk_apart(one, &name, &path);
		buf_printf(line, "if (pm.response.code < 300 && "
		    "pm.response.json().%.*s)", TEXT_FMT(path));
		line_print(out, line);
		buf_printf(line, "\tpm.collectionVariables.set(\"%.*s\", "
		    "pm.response.json().%.*s);", TEXT_FMT(name),
		    TEXT_FMT(path));
		line_print(out, line);
	}
}

/* What it answers, and what later requests need of that. */
static void
script_print(struct buf *out, const struct walk *walk)
{
	struct buf line = { 0 };

	doc_open(out, "event", '[');
	doc_open(out, NULL, '{');
	doc_string(out, "listen", "test");
	doc_open(out, "script", '{');
	doc_string(out, "type", "text/javascript");
	doc_open(out, "exec", '[');
	buf_printf(&line, "pm.test(\"%s answers %d\", () => "
	    "pm.response.to.have.status(%d));", walk->step->name,
	    walk->route->status, walk->route->status);
	line_print(out, &line);
	takes_print(out, &line, walk->step->takes);
	doc_close(out, ']');
	doc_close(out, '}');
	doc_close(out, '}');
	doc_close(out, ']');
	out->failed = out->failed || line.failed;
	buf_done(&line);
}

static void
item_print(struct buf *out, const struct walk *walk)
{
	doc_open(out, NULL, '{');
	doc_string(out, "name", walk->step->name);
	request_print(out, walk);
	script_print(out, walk);
	doc_close(out, '}');
}

static void
section_print(struct buf *out, const struct walk_step *section, bool first)
{
	if (!first) {
		doc_close(out, ']');
		doc_close(out, '}');
	}
	doc_open(out, NULL, '{');
	doc_string(out, "name", section->name);
	doc_string(out, "description", section->body);
	doc_open(out, "item", '[');
}

int
walk_print_postman(struct buf *out, const struct routes *routes)
{
	int faults = 0;

	doc_open(out, NULL, '{');
	head_print(out);
	variables_print(out);
	doc_open(out, "item", '[');
	for (size_t at = 0; at < walk_n_steps; at++) {
		struct walk walk;

		faults += walk_begin(routes, at, &walk);
		if (walk.route)
			item_print(out, &walk);
		else if (!walk.step->operation)
			section_print(out, walk.step, at == 0);
		walk_done(&walk);
	}
	for (int i = 0; i < 2; i++) {
		doc_close(out, ']');
		doc_close(out, '}');
	}
	buf_putc(out, '\n');
	return faults;
}
