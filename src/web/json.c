/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The json-c door: a scanned JSON object, member by member, into a struct. */
#include "web/json.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "web/json_scan.h"
#include "web/utf8.h"

/* An unknown name is told back no longer than this. */
#define NAME_MAX_ECHO 64

struct decode {
	struct arena *mem;
	struct faults *faults;
};

/* What each type wants to see, in words; NULL: not an input type. */
static const char *const wants[FIELD__MAX] = {
	[FIELD_TEXT] = "must be a string",
	[FIELD_ENUM] = "must be a string",
	[FIELD_INT] = "must be an integer",
	[FIELD_BOOL] = "must be true or false",
	[FIELD_UUID] = "must be a string",
	[FIELD_TIME] = "must be a string",
	[FIELD_TEXTS] = "must be an array of strings",
	[FIELD_UUIDS] = "must be an array of strings",
	[FIELD_OBJECT] = "must be an object",
	[FIELD_LIST] = "must be an array of objects",
};

static void decode_object(struct decode *decode, struct json_object *json,
    const struct fields *fields, void *object, struct text at);

static void
release_tokener(void *tokener)
{
	json_tokener_free(tokener);
}

static void
release_object(void *json)
{
	json_object_put(json);
}

/* Always false. */
static bool
refuse(struct decode *decode, struct text at, struct text name,
    const char *code, const char *detail)
{
	faults_add(decode->faults, decode->mem, at, name, code, detail);
	return false;
}

static struct text
pointer_index(struct decode *decode, struct text at, size_t index)
{
	return text_of(arena_printf(decode->mem, "%.*s/%zu", TEXT_FMT(at),
	    index));
}

/* Member names of the rows need no RFC 6901 escapes: they are ours. */
static struct text
pointer_name(struct decode *decode, struct text at, const char *name)
{
	return text_of(arena_printf(decode->mem, "%.*s/%s", TEXT_FMT(at),
	    name));
}

static struct text
copy_string(struct decode *decode, struct json_object *json)
{
	/* Of an integer, its digits: json-c spells them on demand. */
	const char *s = json_object_get_string(json);
	size_t n;

	if (!s)
		arena_oom(decode->mem);
	n = json_object_is_type(json, json_type_string) ?
	    (size_t)json_object_get_string_len(json) : strlen(s);
	return (struct text){ arena_copy(decode->mem, s, n), n };
}

/* A string, or an integer where the row takes numerals. */
static bool
is_wordy(struct json_object *json, const struct field *field)
{
	return json_object_is_type(json, json_type_string) ||
	    (field->flags & FIELD_NUMERAL &&
	    json_object_is_type(json, json_type_int));
}

static bool
decode_uuid(struct json_object *json, struct uuid *ret)
{
	return uuid_parse((struct text){ json_object_get_string(json),
	    (size_t)json_object_get_string_len(json) }, ret);
}

static bool
decode_texts(struct decode *decode, struct json_object *json,
    const struct field *field, struct texts *ret, struct text at)
{
	const size_t n = json_object_array_length(json);
	bool ok = true;

	ret->v = arena_array(decode->mem, n, sizeof(*ret->v));
	ret->n = n;
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(json, i);

		if (is_wordy(item, field))
			ret->v[i] = copy_string(decode, item);
		else
			ok = refuse(decode, pointer_index(decode, at, i),
			    TEXT_NONE, "type", "must be a string");
	}
	return ok;
}

static bool
decode_uuids(struct decode *decode, struct json_object *json,
    struct list *ret, struct text at)
{
	const size_t n = json_object_array_length(json);
	struct uuid *v = arena_array(decode->mem, n, sizeof(*v));
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(json, i);

		if (!json_object_is_type(item, json_type_string))
			ok = refuse(decode, pointer_index(decode, at, i),
			    TEXT_NONE, "type", "must be a string");
		else if (!decode_uuid(item, &v[i]))
			ok = refuse(decode, pointer_index(decode, at, i),
			    TEXT_NONE, "format", "must be a UUID");
	}
	ret->v = v;
	ret->n = n;
	return ok;
}

static bool
decode_list(struct decode *decode, struct json_object *json,
    const struct field *field, struct list *ret, struct text at)
{
	const size_t n = json_object_array_length(json);
	const size_t size = field->sub->size;
	bool ok = true;
	char *v;

	/* Too many are left undecoded; field_validate says so by the count. */
	ret->n = n;
	if (field->max > 0 && field->max >= field->min &&
	    n > (size_t)field->max)
		return true;
	v = arena_array(decode->mem, n, size);
	ret->v = v;
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(json, i);
		const struct text here = pointer_index(decode, at, i);

		if (json_object_is_type(item, json_type_object))
			decode_object(decode, item, field->sub, v + i * size,
			    here);
		else
			ok = refuse(decode, here, TEXT_NONE, "type",
			    "must be an object");
	}
	return ok;
}

static bool
decode_time(struct decode *decode, struct json_object *json,
    const struct field *field, void *member, struct text at)
{
	if (time_parse(copy_string(decode, json), member))
		return true;
	return refuse(decode, at, text_of(field->name), "format",
	    "must be an RFC 3339 instant such as 2026-01-31T09:30:00Z");
}

static enum json_type
type_wanted(enum field_type type)
{
	switch (type) {
	case FIELD_INT:
		return json_type_int;
	case FIELD_BOOL:
		return json_type_boolean;
	case FIELD_TEXTS: case FIELD_UUIDS: case FIELD_LIST:
		return json_type_array;
	case FIELD_OBJECT:
		return json_type_object;
	default:
		return json_type_string;
	}
}

/* One value of the right JSON type into its member. */
static bool
decode_value(struct decode *decode, struct json_object *json,
    const struct field *field, void *member, struct text at)
{
	switch (field->type) {
	case FIELD_TEXT: case FIELD_ENUM:
		*(struct text *)member = copy_string(decode, json);
		return true;
	case FIELD_INT:
		*(int64_t *)member = json_object_get_int64(json);
		if (*(int64_t *)member != INT_NONE)
			return true;
		return refuse(decode, at, text_of(field->name), "range",
		    "is too small");
	case FIELD_BOOL:
		*(bool *)member = json_object_get_boolean(json);
		return true;
	case FIELD_UUID:
		/* The nil UUID means that there is none. */
		if (decode_uuid(json, member) && !uuid_is_nil(member))
			return true;
		return refuse(decode, at, text_of(field->name), "format",
		    "must be a UUID");
	case FIELD_TIME:
		return decode_time(decode, json, field, member, at);
	case FIELD_TEXTS:
		return decode_texts(decode, json, field, member,
		    pointer_name(decode, at, field->name));
	case FIELD_UUIDS:
		return decode_uuids(decode, json, member,
		    pointer_name(decode, at, field->name));
	case FIELD_LIST:
		return decode_list(decode, json, field, member,
		    pointer_name(decode, at, field->name));
	case FIELD_OBJECT:
		decode_object(decode, json, field->sub, member,
		    pointer_name(decode, at, field->name));
		return true;
	default:
		return false;
	}
}

static void
decode_member(struct decode *decode, struct json_object *json,
    const struct field *field, void *object, struct text at)
{
	void *member = (char *)object + field->offset;

	if (!json_object_is_type(json, type_wanted(field->type)) &&
	    !(field->type == FIELD_TEXT && is_wordy(json, field))) {
		refuse(decode, at, text_of(field->name), "type",
		    wants[field->type]);
		return;
	}
	if (decode_value(decode, json, field, member, at))
		field_validate(field, decode->mem, member, at, decode->faults);
}

static void
decode_null(struct decode *decode, const struct field *field,
    struct seen *seen, uint64_t bit, struct text at)
{
	if (field->flags & FIELD_REQUIRED)
		refuse(decode, at, text_of(field->name), "required",
		    "must be given");
	else if (!(field->flags & FIELD_NULLABLE))
		refuse(decode, at, text_of(field->name), "null",
		    "must not be null");
	else
		seen->null |= bit;
}

/* One member of the input: find its row, see that it came once, decode. An
 * alias goes by its target's rules, under the name that the client used. */
static void
decode_named(struct decode *decode, const char *name,
    struct json_object *json, const struct fields *fields, void *object,
    struct text at)
{
	struct seen *seen = object;
	const struct text text = text_of(name);
	const int row = field_find(fields, text);
	struct field field;
	uint64_t bit;
	int target;

	if (row < 0 || !wants[fields->v[row].type]) {
		if (!fields->lenient)
			refuse(decode, at, utf8_cut(text, NAME_MAX_ECHO),
			    "unknown", "is not known here");
		return;
	}
	target = field_target(fields, row);
	field = fields->v[target];
	field.name = fields->v[row].name;
	bit = UINT64_C(1) << target;
	if (seen->set & bit) {
		refuse(decode, at, text, "duplicate",
		    "is given under another name too");
		return;
	}
	seen->set |= bit;
	if (json)
		decode_member(decode, json, &field, object, at);
	else
		decode_null(decode, &field, seen, bit, at);
}

static void
decode_object(struct decode *decode, struct json_object *json,
    const struct fields *fields, void *object, struct text at)
{
	field_begin(fields, object);
	json_object_object_foreach(json, name, value)
		decode_named(decode, name, value, fields, object, at);
	field_required(fields, decode->mem, object, at, decode->faults);
}

/* Itself and all that is in it, as json_values counts them. */
static size_t
values_of(struct json_object *json)
{
	size_t n = 1;

	if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach(json, name, value) {
			(void)name;
			n += values_of(value);
		}
	} else if (json_object_is_type(json, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(json); i++)
			n += values_of(json_object_array_get_idx(json, i));
	}
	return n;
}

/* What the scan has passed json-c takes, unless it finds no memory. That it
 * does not always say: a string's buffer must have its size before. */
static struct json_object *
json_read(struct text in, struct arena *mem)
{
	/* Its depth counts scalars too; the scan has checked ours. */
	struct json_tokener *tokener =
	    json_tokener_new_ex(2 * JSON_DEPTH_MAX);
	struct json_object *json;

	if (!tokener)
		arena_oom(mem);
	arena_defer(mem, release_tokener, tokener);
	in = scan_unpaired(in, mem);
	/* cppcheck-suppress nullPointerRedundantCheck ; arena_oom leaves */
	if (printbuf_memset(tokener->pb, 0, 0, (int)in.n + 1) < 0)
		arena_oom(mem);
	printbuf_reset(tokener->pb);
	json = json_tokener_parse_ex(tokener, in.s, (int)in.n);
	if (!json)
		arena_oom(mem);
	arena_defer(mem, release_object, json);
	return json;
}

/* Then the text can be read all the same, to tell what else is wrong. */
static bool
only_repeats(const struct faults *faults, size_t from)
{
	for (size_t i = from; i < faults->n; i++)
		if (strcmp(faults->v[i].code, "duplicate") != 0)
			return false;
	return faults->n > from && faults->n < FAULTS_MAX;
}

bool
json_decode(struct text in, const struct fields *fields, struct arena *mem,
    void *object, struct faults *faults)
{
	struct decode decode = { .mem = mem, .faults = faults };
	const size_t before = faults->n;
	struct json_object *json;

	field_begin(fields, object);
	if (!json_scan(in, mem, faults) && !only_repeats(faults, before))
		return false;
	if (in.s[strspn(in.s, " \t\r\n")] != '{')
		return refuse(&decode, TEXT(""), TEXT_NONE, "type",
		    "the body must be a JSON object");
	json = json_read(in, mem);
	/* Nor does it say that it lost a member. */
	if (faults->n == before && values_of(json) != json_values(in))
		arena_oom(mem);
	decode_object(&decode, json, fields, object, TEXT(""));
	return faults->n == before;
}
