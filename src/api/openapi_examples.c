/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Examples of bodies and replies: those of the table, else of field rows. */
#include "api/openapi_parts.h"

/* What a row without an example looks like. */
static const char *const plain[FIELD__MAX] = {
	[FIELD_TEXT] = "\"text\"",
	[FIELD_ENUM] = "\"text\"",
	[FIELD_INT] = "1",
	[FIELD_BOOL] = "true",
	[FIELD_UUID] = "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\"",
	[FIELD_TIME] = "\"2026-01-31T09:30:00.000Z\"",
	[FIELD_TEXTS] = "[]",
	[FIELD_UUIDS] = "[]",
	[FIELD_BYTES] = "\"\"",
	[FIELD_OBJECT] = "{}",
	[FIELD_LIST] = "[]",
	[FIELD_FIXED] = "null",
};

/* Members that may be left out are, but in a reply's `task`. */
static bool
is_shown(const struct field *field)
{
	return !(field->flags & (FIELD_ALIAS | FIELD_HIDDEN)) &&
	    field->type != FIELD_BYTES &&
	    !(field->flags & FIELD_OMIT_NONE && field->type != FIELD_OBJECT);
}

static void object_print(struct buf *out, const struct fields *fields);

static void
value_print(struct buf *out, const struct field *field)
{
	if (field->sub && field->type == FIELD_LIST) {
		doc_open(out, NULL, '[');
		object_print(out, field->sub);
		doc_close(out, ']');
	} else if (field->sub && !(field->flags & FIELD_NULLABLE)) {
		object_print(out, field->sub);
	} else if (field->example) {
		buf_puts(out, field->example);
	} else if (field->flags & FIELD_NULLABLE) {
		buf_puts(out, "null");
	} else if (field->choices) {
		buf_json(out, text_of(field->choices[0]));
	} else {
		buf_puts(out, plain[field->type]);
	}
}

static void
object_print(struct buf *out, const struct fields *fields)
{
	doc_open(out, NULL, '{');
	for (size_t i = 0; i < fields->n; i++) {
		if (!is_shown(&fields->v[i]))
			continue;
		doc_key(out, fields->v[i].name);
		value_print(out, &fields->v[i]);
	}
	doc_close(out, '}');
}

static void
name_print(struct buf *out, const struct example *e)
{
	buf_printf(out, "%s.%s%s", e->id, e->name, e->request ? "" : ".reply");
}

void
openapi_examples(struct document *doc, const struct route *route,
    bool request)
{
	const struct fields *fields = request ? route->body : route->reply;
	const struct example *e = example_next(route, request, NULL);
	struct buf *out = doc->out;

	if (!e && (!fields->name || !fields->n))
		return;
	doc_open(out, "examples", '{');
	if (!e)
		openapi_refer(out, "whole", "examples", fields->name);
	for (; e; e = example_next(route, request, e)) {
		doc_key(out, e->name);
		buf_puts(out, "{\"$ref\":\"#/components/examples/");
		name_print(out, e);
		buf_puts(out, "\"}");
	}
	doc_close(out, '}');
}

/* Does any route show the example of these rows? */
static bool
is_used(const struct document *doc, const struct schema *schema)
{
	for (size_t i = 0; i < doc->routes->n; i++) {
		const struct route *r = &doc->routes->v[i];
		const struct fields *f = schema->input ? r->body : r->reply;

		if (f->name && strcmp(f->name, schema->fields->name) == 0 &&
		    !example_next(r, schema->input, NULL))
			return true;
	}
	return false;
}

void
openapi_example_parts(struct document *doc)
{
	struct buf *out = doc->out;

	for (size_t i = 0; i < operation_examples_n; i++) {
		const struct example *e = &operation_examples[i];

		doc_item(out);
		buf_putc(out, '"');
		name_print(out, e);
		buf_puts(out, "\":{");
		doc_string(out, "summary", e->summary);
		doc_raw(out, "value", e->json);
		doc_close(out, '}');
	}
	for (size_t i = 0; i < doc->schemas.n; i++) {
		const struct schema *schema = &doc->schemas.v[i];

		if (!is_used(doc, schema))
			continue;
		doc_open(out, schema->fields->name, '{');
		doc_string(out, "summary", "Every member");
		doc_key(out, "value");
		object_print(out, schema->fields);
		doc_close(out, '}');
	}
	openapi_error_examples(doc, false);
	openapi_error_examples(doc, true);
}
