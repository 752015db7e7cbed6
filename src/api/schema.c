/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON Schema (2020-12, as OpenAPI 3.1 has it) from field rows. */
#include "api/schema.h"

#include "core/names.h"

void
doc_item(struct buf *out)
{
	const char last = out->n ? out->p[out->n - 1] : '{';

	/* A string ends in a quote, whatever is in it. */
	if (last != '{' && last != '[' && last != ':' && last != ',')
		buf_putc(out, ',');
}

void
doc_key(struct buf *out, const char *name)
{
	doc_item(out);
	buf_json(out, text_of(name));
	buf_putc(out, ':');
}

void
doc_string(struct buf *out, const char *name, const char *value)
{
	doc_key(out, name);
	buf_json(out, text_of(value));
}

void
doc_bool(struct buf *out, const char *name, bool value)
{
	doc_raw(out, name, value ? "true" : "false");
}

void
doc_raw(struct buf *out, const char *name, const char *json)
{
	doc_key(out, name);
	buf_puts(out, json);
}

void
doc_open(struct buf *out, const char *name, char brace)
{
	if (name)
		doc_key(out, name);
	else
		doc_item(out);
	buf_putc(out, brace);
}

void
doc_close(struct buf *out, char brace)
{
	buf_putc(out, brace);
}

static void
doc_int(struct buf *out, const char *name, int64_t value)
{
	doc_key(out, name);
	buf_int(out, value);
}

/* ---- which schemas there are ---- */

static bool
same_rows(const struct fields *a, const struct fields *b)
{
	return a == b || (a->v == b->v && a->n == b->n);
}

/* The entry of that name, whatever its rows. */
static const struct schema *
schema_named(const struct schemas *schemas, const char *name)
{
	for (size_t i = 0; i < schemas->n; i++)
		if (strcmp(schemas->v[i].fields->name, name) == 0)
			return &schemas->v[i];
	return NULL;
}

static void
collect(struct schemas *schemas, const struct fields *fields, bool input)
{
	if (!fields)
		return;
	if (fields->name) {
		if (schema_named(schemas, fields->name) ||
		    schemas->n == SCHEMAS_MAX)
			return;
		schemas->v[schemas->n++] = (struct schema){ fields, input };
	}
	for (size_t i = 0; i < fields->n; i++)
		collect(schemas, fields->v[i].sub, input);
}

void
schemas_collect(struct schemas *schemas, const struct routes *routes)
{
	for (size_t i = 0; i < routes->n; i++) {
		collect(schemas, routes->v[i].body, true);
		collect(schemas, routes->v[i].reply, false);
	}
}

/* ---- one member ---- */

static const struct shape {
	const char *type;
	const char *format;	/* of it, or of its items */
	const char *items;	/* type of an array's items */
	const char *least, *most;	/* keywords of min and max */
} shapes[FIELD__MAX] = {
	[FIELD_TEXT] = { "string", NULL, NULL, "minLength", "maxLength" },
	[FIELD_ENUM] = { "string", NULL, NULL, NULL, NULL },
	[FIELD_INT] = { "integer", "int64", NULL, "minimum", "maximum" },
	[FIELD_BOOL] = { "boolean", NULL, NULL, NULL, NULL },
	[FIELD_UUID] = { "string", "uuid", NULL, NULL, NULL },
	[FIELD_TIME] = { "string", "date-time", NULL, NULL, NULL },
	[FIELD_TEXTS] = { "array", NULL, "string", "minItems", "maxItems" },
	[FIELD_UUIDS] = { "array", "uuid", "string", "minItems", "maxItems" },
	[FIELD_BYTES] = { NULL, NULL, NULL, NULL, NULL },
	[FIELD_OBJECT] = { "object", NULL, NULL, NULL, NULL },
	[FIELD_LIST] = { "array", NULL, NULL, "minItems", "maxItems" },
	[FIELD_FIXED] = { NULL, NULL, NULL, NULL, NULL },
};

/* 0,0 is unbounded; a max below min bounds from below alone. */
static void
bounds_print(struct buf *out, const struct field *field,
    const struct shape *shape)
{
	if (!shape->least || (field->min == 0 && field->max == 0))
		return;
	if (field->min != 0 || field->type == FIELD_INT)
		doc_int(out, shape->least, field->min);
	if (field->max >= field->min)
		doc_int(out, shape->most, field->max);
}

static void
choices_print(struct buf *out, const char *key, const struct field *field,
    bool nullable)
{
	doc_open(out, key, '[');
	for (size_t i = 0; field->choices[i]; i++) {
		doc_item(out);
		buf_json(out, text_of(field->choices[i]));
	}
	if (nullable) {
		doc_item(out);
		buf_puts(out, "null");
	}
	doc_close(out, ']');
}

static void
words_print(struct buf *out, const struct field *field, bool open)
{
	if (field->doc && field->doc[0])
		doc_string(out, "description", field->doc);
	if (open) {
		choices_print(out, "examples", field, false);
	} else if (field->example && field->type != FIELD_FIXED) {
		doc_open(out, "examples", '[');
		buf_puts(out, field->example);
		doc_close(out, ']');
	}
}

static void
type_print(struct buf *out, const char *type, bool numeral, bool nullable)
{
	if (!type)
		return;
	if (!numeral && !nullable) {
		doc_string(out, "type", type);
		return;
	}
	doc_open(out, "type", '[');
	buf_json(out, text_of(type));
	if (numeral)
		buf_puts(out, ",\"integer\"");
	if (nullable)
		buf_puts(out, ",\"null\"");
	doc_close(out, ']');
}

static void
items_print(const struct schemas *schemas, struct buf *out,
    const struct field *field, const struct shape *shape, bool input)
{
	doc_key(out, "items");
	if (field->type == FIELD_LIST) {
		schema_print(schemas, out, field->sub, input);
		return;
	}
	doc_open(out, NULL, '{');
	type_print(out, shape->items, field->flags & FIELD_NUMERAL, false);
	if (shape->format)
		doc_string(out, "format", shape->format);
	doc_close(out, '}');
}

/* An object inside: a reference with the row's own words beside it. */
static void
object_print(const struct schemas *schemas, struct buf *out,
    const struct field *field, bool input)
{
	if (!(field->flags & FIELD_NULLABLE) && !(field->doc && *field->doc)) {
		schema_print(schemas, out, field->sub, input);
		return;
	}
	doc_open(out, NULL, '{');
	doc_open(out, field->flags & FIELD_NULLABLE ? "anyOf" : "allOf", '[');
	schema_print(schemas, out, field->sub, input);
	if (field->flags & FIELD_NULLABLE)
		buf_puts(out, ",{\"type\":\"null\"}");
	doc_close(out, ']');
	if (field->doc && *field->doc)
		doc_string(out, "description", field->doc);
	doc_close(out, '}');
}

void
schema_field(const struct schemas *schemas, struct buf *out,
    const struct field *field, bool input)
{
	const struct shape *shape = &shapes[field->type];
	const bool nullable = field->flags & FIELD_NULLABLE;
	const bool choice = field->type == FIELD_ENUM && field->choices;
	/* A choice with a check takes other spellings too. */
	const bool open = choice && input && field->check;

	if (field->type == FIELD_OBJECT) {
		object_print(schemas, out, field, input);
		return;
	}
	doc_open(out, NULL, '{');
	type_print(out, shape->type, !shape->items &&
	    field->flags & FIELD_NUMERAL, nullable);
	if (shape->format && !shape->items)
		doc_string(out, "format", shape->format);
	else if (field->flags & FIELD_SECRET && field->type == FIELD_TEXT)
		doc_string(out, "format", "password");
	else if (field->check == name_check_email)
		doc_string(out, "format", "email");
	bounds_print(out, field, shape);
	if (choice && !open)
		choices_print(out, "enum", field, nullable);
	if (field->type == FIELD_FIXED)
		doc_raw(out, "const", field->example);
	if (shape->type && strcmp(shape->type, "array") == 0)
		items_print(schemas, out, field, shape, input);
	words_print(out, field, open);
	if (field->flags & FIELD_ALIAS)
		doc_bool(out, "deprecated", true);
	doc_close(out, '}');
}

/* ---- one object ---- */

/* Another name that is taken is shown as one that nobody should choose. */
static bool
is_shown(const struct field *field, bool input)
{
	if (field->flags & FIELD_ALIAS)
		return input;
	return !(field->flags & FIELD_HIDDEN) && field->type != FIELD_BYTES;
}

/* A reply always has every member, but for what it leaves out when absent. */
static bool
is_required(const struct field *field, bool input)
{
	if (!is_shown(field, input) || field->flags & FIELD_ALIAS)
		return false;
	return input ? field->flags & FIELD_REQUIRED :
	    !(field->flags & (FIELD_OMIT_NONE | FIELD_PARTIAL));
}

static void
required_print(struct buf *out, const struct fields *fields, bool input)
{
	bool any = false;

	for (size_t i = 0; i < fields->n; i++)
		any = any || is_required(&fields->v[i], input);
	if (!any)	/* an empty list is legal, but nobody's habit */
		return;
	doc_open(out, "required", '[');
	for (size_t i = 0; i < fields->n; i++) {
		if (!is_required(&fields->v[i], input))
			continue;
		doc_item(out);
		buf_json(out, text_of(fields->v[i].name));
	}
	doc_close(out, ']');
}

static void
rows_print(const struct schemas *schemas, struct buf *out,
    const struct fields *fields, bool input)
{
	bool hidden = false;

	doc_open(out, NULL, '{');
	doc_string(out, "type", "object");
	doc_open(out, "properties", '{');
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *field = &fields->v[i];

		hidden = hidden || !is_shown(field, input);
		if (!is_shown(field, input))
			continue;
		doc_key(out, field->name);
		schema_field(schemas, out, field, input);
	}
	doc_close(out, '}');
	required_print(out, fields, input);
	/* Closed, unless it takes names that are not advertised. */
	if (input && !fields->lenient && !hidden)
		doc_bool(out, "additionalProperties", false);
	doc_close(out, '}');
}

void
schema_print(const struct schemas *schemas, struct buf *out,
    const struct fields *fields, bool input)
{
	const struct schema *known = fields->name ?
	    schema_named(schemas, fields->name) : NULL;

	doc_item(out);
	if (known && same_rows(known->fields, fields) &&
	    known->input == input) {
		buf_printf(out, "{\"$ref\":\"#/components/schemas/%s\"}",
		    fields->name);
		return;
	}
	rows_print(schemas, out, fields, input);
}

void
schemas_print(const struct schemas *schemas, struct buf *out)
{
	for (size_t i = 0; i < schemas->n; i++) {
		const struct schema *schema = &schemas->v[i];

		doc_key(out, schema->fields->name);
		rows_print(schemas, out, schema->fields, schema->input);
	}
}
