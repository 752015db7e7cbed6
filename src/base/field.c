/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Field rows at work on input: clear, find, note faults, validate. */
#include "base/field.h"

#include <stdlib.h>

const struct fields fields_none = { .name = NULL };

/* Where the row's member is in that struct. */
static void *
member_of(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

/* parent + separator + name, the name escaped as RFC 6901 §3 says. Bytes that
 * are no UTF-8 become "?": the pointer goes into a JSON reply. */
static struct text
pointer_join(struct arena *mem, struct text parent, struct text name)
{
	bool utf8 = text_chars(name) >= 0;
	char *out, *p;

	if (!name.s)
		return parent.s ? parent : TEXT("");
	out = arena_array(mem, 1, parent.n + 1 + 2 * name.n + 1);
	p = out;
	if (parent.n > 0)
		p = (char *)memcpy(p, parent.s, parent.n) + parent.n;
	if (!text_is(parent, "/") && (parent.n == 0 || p[-1] != '?'))
		*p++ = '/';
	for (size_t i = 0; i < name.n; i++) {
		char c = name.s[i];

		if (c == '~' || c == '/') {
			*p++ = '~';
			*p++ = c == '~' ? '0' : '1';
		} else {
			*p++ = utf8 || (unsigned char)c < 0x80 ? c : '?';
		}
	}
	return (struct text){ out, (size_t)(p - out) };
}

/* Over FAULTS_MAX they are dropped: the client has enough to read. */
void
faults_add(struct faults *f, struct arena *mem, struct text parent,
    struct text name, const char *code, const char *detail)
{
	if (f->n == FAULTS_MAX)
		return;
	f->v[f->n++] = (struct fault){
		.pointer = pointer_join(mem, parent, name),
		.code = code,
		.detail = detail,
	};
}

/* The value that prints as null: none of them is a value a client can send. */
static void
member_clear(const struct field *field, void *member)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_BYTES:
		*(struct text *)member = TEXT_NONE;
		break;
	/* NOLINTNEXTLINE(bugprone-branch-clone): two names of one value */
	case FIELD_INT:
		*(int64_t *)member = INT_NONE;
		break;
	case FIELD_TIME:
		*(int64_t *)member = TIME_NONE;
		break;
	case FIELD_BOOL:
		*(bool *)member = false;
		break;
	case FIELD_UUID:
		*(struct uuid *)member = (struct uuid){ { 0 } };
		break;
	case FIELD_TEXTS:
		*(struct texts *)member = (struct texts){ NULL, 0 };
		break;
	case FIELD_UUIDS:
	case FIELD_LIST:
		*(struct list *)member = (struct list){ .v = NULL };
		break;
	case FIELD_OBJECT:
		field_clear(field->sub, member);
		break;
	case FIELD_FIXED:
	case FIELD__MAX:
		break;
	}
}

/* Aliases have no member of their own. */
void
field_clear(const struct fields *fields, void *object)
{
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *field = &fields->v[i];

		if (!(field->flags & FIELD_ALIAS))
			member_clear(field, member_of(field, object));
	}
}

void
field_begin(const struct fields *fields, void *object)
{
	if (fields->n == 0)
		return;
	*(struct seen *)object = (struct seen){ 0, 0 };
	field_clear(fields, object);
}

/* Linear: lists are short, and most names differ in their length. */
int
field_find(const struct fields *fields, struct text name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (text_is(name, fields->v[i].name))
			return (int)i;
	return -1;
}

/* Several aliases may stand behind one row; the first row is none. */
int
field_target(const struct fields *fields, int row)
{
	while (row > 0 && fields->v[row].flags & FIELD_ALIAS)
		row--;
	return row;
}

/* "must have 1 to 200 characters" and its kin; 0,0 never comes here. */
static const char *
say_length(struct arena *mem, const struct field *f, const char *unit)
{
	bool many = f->max != 1;

	if (f->max < f->min)
		return arena_printf(mem, "must have at least %lld %s%s",
		    (long long)f->min, unit, f->min == 1 ? "" : "s");
	if (f->min == f->max)
		return arena_printf(mem, "must have exactly %lld %s%s",
		    (long long)f->max, unit, many ? "s" : "");
	if (f->min <= 0)
		return arena_printf(mem, "must have at most %lld %s%s",
		    (long long)f->max, unit, many ? "s" : "");
	return arena_printf(mem, "must have %lld to %lld %ss",
	    (long long)f->min, (long long)f->max, unit);
}

/* 0,0 is what a row has that says nothing of bounds. */
static bool
bounded(const struct field *f)
{
	return f->min != 0 || f->max != 0;
}

/* max below min means that there is no upper bound. */
static bool
in_bounds(const struct field *f, int64_t v)
{
	return v >= f->min && (v <= f->max || f->max < f->min);
}

/* The same sentence for the wrong type and the wrong value. */
static const char *
say_int(struct arena *mem, const struct field *f)
{
	if (!bounded(f))
		return "must be a whole number";
	if (f->max < f->min)
		return arena_printf(mem, "must be a whole number from %lld",
		    (long long)f->min);
	return arena_printf(mem, "must be a whole number from %lld to %lld",
	    (long long)f->min, (long long)f->max);
}

/* "must be one of pending, in_progress" */
static const char *
say_choices(struct arena *mem, const char *const *choices)
{
	size_t n = 0;
	char *out, *p;

	for (size_t i = 0; choices[i]; i++)
		n += strlen(choices[i]) + 2;
	p = out = arena_array(mem, 1, sizeof("must be one of ") + n);
	p = stpcpy(p, choices[0] && !choices[1] ? "must be " :
	    "must be one of ");
	for (size_t i = 0; choices[i]; i++)
		p = stpcpy(stpcpy(p, i ? ", " : ""), choices[i]);
	return out;
}

/* Exactly, by case too; who wants it lenient gives the row a check. */
static bool
is_choice(const char *const *choices, struct text t)
{
	for (size_t i = 0; choices[i]; i++)
		if (text_is(t, choices[i]))
			return true;
	return false;
}

/* What is wrong with the member's size, value or choice; NULL = nothing. */
static const char *
member_limits(const struct field *f, struct arena *mem, const void *member,
    const char **ret_code)
{
	bool ok = true;

	switch (f->type) {
	case FIELD_TEXT:
		*ret_code = "length";
		if (bounded(f))
			ok = in_bounds(f, text_chars(*(struct text *)member));
		return ok ? NULL : say_length(mem, f, "character");
	case FIELD_ENUM:
		*ret_code = "choice";
		if (f->choices && !f->check)
			ok = is_choice(f->choices, *(struct text *)member);
		return ok ? NULL : say_choices(mem, f->choices);
	case FIELD_INT:
		*ret_code = "range";
		if (bounded(f))
			ok = in_bounds(f, *(int64_t *)member);
		return ok ? NULL : say_int(mem, f);
	case FIELD_TEXTS:
		*ret_code = "length";
		if (bounded(f))
			ok = in_bounds(f,
			    (int64_t)((struct texts *)member)->n);
		return ok ? NULL : say_length(mem, f, "item");
	case FIELD_UUIDS:
	case FIELD_LIST:
		*ret_code = "length";
		if (bounded(f))
			ok = in_bounds(f, (int64_t)((struct list *)member)->n);
		return ok ? NULL : say_length(mem, f, "item");
	default:
		return NULL;
	}
}

/* Limits first: a check may rely on them, and may replace the member. */
bool
field_validate(const struct field *field, struct arena *mem, void *member,
    struct text parent, struct faults *faults)
{
	const char *code, *why = member_limits(field, mem, member, &code);

	if (!why && field->check) {
		code = field->type == FIELD_ENUM ? "choice" : "format";
		if (field->check(mem, member, &why) == 0)
			return true;
		if (!why)
			why = "is not valid";
	}
	if (!why)
		return true;
	faults_add(faults, mem, parent, text_of(field->name), code, why);
	return false;
}

/* By what was seen, not by the value: wrong is not missing. */
void
field_required(const struct fields *fields, struct arena *mem,
    const struct seen *seen, struct text parent, struct faults *faults)
{
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *field = &fields->v[i];

		if (!(field->flags & FIELD_REQUIRED) ||
		    field->flags & FIELD_ALIAS ||
		    seen_has(seen, (unsigned)i))
			continue;
		faults_add(faults, mem, parent, text_of(field->name),
		    "required", "is required");
	}
}
