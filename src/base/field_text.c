/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Text to struct member: queries, forms and path parts. */
#include <assert.h>

#include "base/field.h"

/* What a parser found wrong. */
struct wrong {
	const char *code, *why;
};

/* PostgreSQL takes neither, and would say so as an error of ours. */
static struct wrong
text_member(struct text value, struct text *member)
{
	if (text_chars(value) < 0 || memchr(value.s, '\0', value.n))
		return (struct wrong){ "format",
		    "must be UTF-8 text without NUL" };
	*member = value;
	return (struct wrong){ NULL, NULL };
}

/* -?[0-9]+ within int64; INT64_MIN means "absent" and is no value. */
static bool
int_parse(struct text t, int64_t *ret)
{
	bool minus = t.n > 0 && t.s[0] == '-';
	size_t i = minus;
	int64_t v = 0;

	if (i == t.n)
		return false;
	for (; i < t.n; i++) {
		if (t.s[i] < '0' || t.s[i] > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, t.s[i] - '0', &v))
			return false;
	}
	*ret = minus ? -v : v;
	return true;
}

/* "12x" gets the sentence that 300 gets: it names the bounds at once. */
static struct wrong
int_member(const struct field *field, struct arena *mem, struct text value,
    int64_t *member)
{
	if (int_parse(value, member))
		return (struct wrong){ NULL, NULL };
	if (field->max <= field->min)
		return (struct wrong){ "type", "must be a whole number" };
	return (struct wrong){ "type", arena_printf(mem,
	    "must be a whole number from %lld to %lld", (long long)field->min,
	    (long long)field->max) };
}

/* The spellings that query strings and HTML forms have. */
static struct wrong
bool_member(struct text t, bool *member)
{
	if (text_is(t, "true") || text_is(t, "1") || text_is(t, "on"))
		*member = true;
	else if (text_is(t, "false") || text_is(t, "0") || text_is(t, "off"))
		*member = false;
	else
		return (struct wrong){ "type", "must be true or false" };
	return (struct wrong){ NULL, NULL };
}

/* Cut the next item off at its comma. False when it is empty. */
static bool
next_item(struct text *rest, struct text *ret_item)
{
	const char *comma = memchr(rest->s, ',', rest->n);
	size_t n = comma ? (size_t)(comma - rest->s) : rest->n;

	*ret_item = (struct text){ rest->s, n };
	rest->s += n + (comma != NULL);
	rest->n -= n + (comma != NULL);
	/* A comma at the end leaves an empty item behind it. */
	return n > 0 && !(comma && rest->n == 0);
}

/* One more than there are commas; "" is one item, and an empty one. */
static size_t
count_items(struct text value)
{
	size_t n = 1;

	for (size_t i = 0; i < value.n; i++)
		n += value.s[i] == ',';
	return n;
}

/* The items point into the value: nothing is copied. */
static struct wrong
texts_member(struct arena *mem, struct text value, struct texts *member)
{
	struct text checked;
	struct wrong wrong = text_member(value, &checked);
	size_t n = count_items(value);

	if (wrong.why)
		return wrong;
	member->v = arena_array(mem, n, sizeof(*member->v));
	for (member->n = 0; member->n < n; member->n++)
		if (!next_item(&value, &member->v[member->n]))
			return (struct wrong){ "format",
			    "must be a list such as a,b without empty items" };
	return wrong;
}

/* The list is written only when every item is one. */
static struct wrong
uuids_member(struct arena *mem, struct text value, struct list *member)
{
	size_t n = count_items(value);
	struct uuid *ids = arena_array(mem, n, sizeof(*ids));
	struct text item;

	for (size_t i = 0; i < n; i++)
		if (!next_item(&value, &item) || !uuid_parse(item, &ids[i]))
			return (struct wrong){ "format",
			    "must be a list of UUIDs with commas between" };
	*member = (struct list){ .v = ids, .n = n };
	return (struct wrong){ NULL, NULL };
}

/* By the row's type alone; bounds and checks come after. */
static struct wrong
member_from_text(const struct field *field, struct arena *mem,
    struct text value, void *member)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		return text_member(value, member);
	case FIELD_INT:
		return int_member(field, mem, value, member);
	case FIELD_BOOL:
		return bool_member(value, member);
	case FIELD_UUID:
		/* The nil UUID means that there is none. */
		if (uuid_parse(value, member) && !uuid_is_nil(member))
			break;
		return (struct wrong){ "format", "must be a UUID" };
	case FIELD_TIME:
		if (time_parse(value, member))
			break;
		return (struct wrong){ "format", "must be an RFC 3339 date "
		    "and time such as 2026-01-31T09:30:00Z" };
	case FIELD_TEXTS:
		return texts_member(mem, value, member);
	case FIELD_UUIDS:
		return uuids_member(mem, value, member);
	default:
		return (struct wrong){ "type", "cannot be given as text" };
	}
	return (struct wrong){ NULL, NULL };
}

bool
field_from_text(const struct fields *fields, int row, struct arena *mem,
    struct text value, void *object, struct text parent, struct faults *faults)
{
	int target = field_target(fields, row);
	struct seen *seen = object;
	struct field field;
	struct wrong wrong;
	void *member;

	assert(row >= 0 && (size_t)row < fields->n);
	/* The target's rules under the name that the client used. */
	field = fields->v[target];
	field.name = fields->v[row].name;
	member = (char *)object + field.offset;
	if (!value.s)
		value = TEXT("");
	if (seen_has(seen, (unsigned)target)) {
		faults_add(faults, mem, parent, text_of(field.name),
		    "duplicate", "is given more than once");
		return false;
	}
	seen->set |= UINT64_C(1) << target;
	wrong = member_from_text(&field, mem, value, member);
	if (wrong.why) {
		faults_add(faults, mem, parent, text_of(field.name),
		    wrong.code, wrong.why);
		return false;
	}
	return field_validate(&field, mem, member, parent, faults);
}
