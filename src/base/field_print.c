/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Struct to JSON by field rows: the hot path of every reply. */
#include "base/field.h"

/* A bool is always there; a struct inside is as absent as its first member. */
static bool
is_absent(const struct field *field, const void *member)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_BYTES:
		return !((const struct text *)member)->s;
	case FIELD_INT:
	case FIELD_TIME:	/* TIME_NONE is the same number */
		return *(const int64_t *)member == INT_NONE;
	case FIELD_UUID:
		return uuid_is_nil(member);
	case FIELD_TEXTS:
		return !((const struct texts *)member)->v;
	case FIELD_UUIDS:
	case FIELD_LIST:
		return !((const struct list *)member)->v;
	case FIELD_OBJECT:
		return is_absent(&field->sub->v[0],
		    (const char *)member + field->sub->v[0].offset);
	default:
		return false;
	}
}

static void
print_texts(struct buf *out, const struct texts *texts)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < texts->n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		buf_json(out, texts->v[i]);
	}
	buf_putc(out, ']');
}

/* Between quotes; the 36 characters need no escapes. */
static void
print_uuid(struct buf *out, const struct uuid *id)
{
	buf_putc(out, '"');
	buf_uuid(out, id);
	buf_putc(out, '"');
}

/* The nil UUID in a list is a value like the others. */
static void
print_uuids(struct buf *out, const struct list *list)
{
	const struct uuid *ids = list->v;

	buf_putc(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		print_uuid(out, &ids[i]);
	}
	buf_putc(out, ']');
}

/* `only` travels in the list: fields= chooses the members of its items. */
static void
print_list(struct buf *out, const struct fields *sub, const struct list *list)
{
	const char *item = list->v;
	uint64_t only = list->only ? list->only : FIELD_ALL;

	buf_putc(out, '[');
	for (size_t i = 0; i < list->n; i++, item += sub->size) {
		if (i > 0)
			buf_putc(out, ',');
		field_print_json(out, sub, item, only);
	}
	buf_putc(out, ']');
}

static void
print_bool(struct buf *out, bool v)
{
	if (v)
		buf_put(out, "true", 4);
	else
		buf_put(out, "false", 5);
}

/* A member's value by its own type. */
static void
print_member(struct buf *out, const struct field *field, const void *member)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		buf_json(out, *(const struct text *)member);
		return;
	case FIELD_BOOL:
		print_bool(out, *(const bool *)member);
		return;
	case FIELD_TEXTS:
		print_texts(out, member);
		return;
	case FIELD_UUIDS:
		print_uuids(out, member);
		return;
	case FIELD_LIST:
		print_list(out, field->sub, member);
		return;
	case FIELD_OBJECT:
		field_print_json(out, field->sub, member, FIELD_ALL);
		return;
	case FIELD_FIXED:
		buf_puts(out, field->example ? field->example : "null");
		return;
	default:
		break;
	}
	if (is_absent(field, member)) {
		buf_put(out, "null", 4);
	} else if (field->type == FIELD_INT) {
		buf_int(out, *(const int64_t *)member);
	} else if (field->type == FIELD_UUID) {
		print_uuid(out, member);
	} else {
		buf_putc(out, '"');
		buf_time(out, *(const int64_t *)member);
		buf_putc(out, '"');
	}
}

/* An object without a member to print is still an object: {}. */
void
field_print_json(struct buf *out, const struct fields *fields,
    const void *object, uint64_t only)
{
	char before = '{';

	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->v[i];
		const void *member = (const char *)object + f->offset;

		if (!(only >> i & 1) || f->flags & FIELD_ALIAS ||
		    f->type == FIELD_BYTES)
			continue;
		if (f->flags & FIELD_OMIT_NONE && is_absent(f, member))
			continue;
		buf_name(out, before, f->name);
		before = ',';
		if (f->print)
			f->print(out, object);
		else
			print_member(out, f, member);
	}
	if (before == '{')
		buf_putc(out, '{');
	buf_putc(out, '}');
}
