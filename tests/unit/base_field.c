/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/field: text in, faults, JSON out, all from one set of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/field.h"

struct inner {
	struct text name;
	int64_t size;
};

struct thing {
	struct seen seen;
	struct text title, status, word, blob;
	int64_t limit, any, due;
	bool done;
	struct uuid id;
	struct texts tags;
	struct list ids, inners;
	struct inner inner;
};

static const char *const statuses[] = { "pending", "in_progress", NULL };
static const char *const single[] = { "S256", NULL };

/* Doubles the text; refuses "bad", and "mute" without a word. */
static int
check_word(struct arena *mem, void *member, const char **ret_why)
{
	struct text *t = member;

	if (text_is(*t, "bad")) {
		*ret_why = "must not be bad";
		return 1;
	}
	if (text_is(*t, "mute"))
		return 1;
	*t = text_of(arena_printf(mem, "%.*s%.*s", TEXT_FMT(*t),
	    TEXT_FMT(*t)));
	return 0;
}

static void
print_shout(struct buf *out, const void *object)
{
	const struct thing *thing = object;

	buf_printf(out, "\"%.*s!\"", TEXT_FMT(thing->title));
}

static const struct field inner_rows[] = {
	{ .name = "name", .type = FIELD_TEXT,
	  .offset = offsetof(struct inner, name) },
	{ .name = "size", .type = FIELD_INT,
	  .offset = offsetof(struct inner, size) },
};
static const struct fields inner_fields =
    FIELDS("Inner", inner_rows, struct inner);

#define AT(m) .offset = offsetof(struct thing, m)
enum { TITLE, TITLE2, TITLE3, STATUS, CHALLENGE, LIMIT, ANY, DUE, DONE, ID,
	TAGS, IDS, WORD, ENUMCHECK, INNER, INNERS, FIXED, SHOUT, BLOB };
static const struct field rows[] = {
	[TITLE] = { .name = "title", .type = FIELD_TEXT, AT(title),
	    .flags = FIELD_REQUIRED, .min = 1, .max = 5 },
	[TITLE2] = { .name = "name", .flags = FIELD_ALIAS },
	[TITLE3] = { .name = "label", .flags = FIELD_ALIAS | FIELD_REQUIRED },
	[STATUS] = { .name = "status", .type = FIELD_ENUM, AT(status),
	    .choices = statuses },
	[CHALLENGE] = { .name = "challenge", .type = FIELD_ENUM, AT(status),
	    .choices = single },
	[LIMIT] = { .name = "limit", .type = FIELD_INT, AT(limit), .min = 1,
	    .max = 200 },
	[ANY] = { .name = "any", .type = FIELD_INT, AT(any),
	    .flags = FIELD_OMIT_NONE },
	[DUE] = { .name = "due", .type = FIELD_TIME, AT(due) },
	[DONE] = { .name = "done", .type = FIELD_BOOL, AT(done),
	    .flags = FIELD_REQUIRED },
	[ID] = { .name = "id", .type = FIELD_UUID, AT(id) },
	[TAGS] = { .name = "tags", .type = FIELD_TEXTS, AT(tags), .max = 3 },
	[IDS] = { .name = "ids", .type = FIELD_UUIDS, AT(ids), .min = 1,
	    .max = 2 },
	[WORD] = { .name = "word", .type = FIELD_TEXT, AT(word),
	    .check = check_word, .flags = FIELD_OMIT_NONE },
	[ENUMCHECK] = { .name = "kind", .type = FIELD_ENUM, AT(word),
	    .check = check_word, .choices = statuses },
	[INNER] = { .name = "inner", .type = FIELD_OBJECT, AT(inner),
	    .sub = &inner_fields },
	[INNERS] = { .name = "inners", .type = FIELD_LIST, AT(inners),
	    .sub = &inner_fields },
	[FIXED] = { .name = "fixed", .type = FIELD_FIXED,
	    .example = "{\"a\":1}" },
	[SHOUT] = { .name = "shout", .type = FIELD_TEXT, AT(title),
	    .print = print_shout },
	[BLOB] = { .name = "blob", .type = FIELD_BYTES, AT(blob) },
};
static const struct fields fields = FIELDS("Thing", rows, struct thing);

static struct arena *mem;
static struct faults faults;
static struct thing thing;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(4096);
	faults.n = 0;
	memset(&thing, 0x5a, sizeof(thing));
	field_begin(&fields, &thing);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static bool
from(int row, const char *value)
{
	return field_from_text(&fields, row, mem, text_of(value), &thing,
	    TEXT("?"), &faults);
}

/* The value is refused with exactly this one fault. */
static void
assert_refused(int row, const char *value, const char *code,
    const char *detail)
{
	char pointer[64] = "?";

	field_begin(&fields, &thing);
	faults.n = 0;
	if (from(row, value))
		fail_msg("%s took \"%s\"", rows[row].name, value);
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].code, code);
	assert_string_equal(faults.v[0].detail, detail);
	strcat(pointer, rows[row].name);
	assert_true(text_is(faults.v[0].pointer, pointer));
	faults.n = 0;
	field_begin(&fields, &thing);
}

static void
clears_to_absent(void **state)
{
	(void)state;
	assert_int_equal(thing.seen.set, 0);
	assert_int_equal(thing.seen.null, 0);
	assert_null(thing.title.s);
	assert_null(thing.blob.s);
	assert_true(thing.limit == INT_NONE);
	assert_true(thing.due == TIME_NONE);
	assert_false(thing.done);
	assert_true(uuid_is_nil(&thing.id));
	assert_null(thing.tags.v);
	assert_int_equal(thing.tags.n, 0);
	assert_null(thing.ids.v);
	assert_int_equal(thing.ids.n, 0);
	assert_int_equal(thing.ids.only, 0);
	assert_null(thing.inner.name.s);
	assert_true(thing.inner.size == INT_NONE);
	/* field_clear leaves what is not in the rows, such as seen */
	thing.seen.set = 5;
	field_clear(&fields, &thing);
	assert_int_equal(thing.seen.set, 5);
}

static void
finds_rows(void **state)
{
	(void)state;
	assert_int_equal(field_find(&fields, TEXT("title")), TITLE);
	assert_int_equal(field_find(&fields, TEXT("blob")), BLOB);
	assert_int_equal(field_find(&fields, TEXT("titl")), -1);
	assert_int_equal(field_find(&fields, TEXT("titles")), -1);
	assert_int_equal(field_find(&fields, TEXT("title\0x")), -1);
	assert_int_equal(field_find(&fields, TEXT("")), -1);
	assert_int_equal(field_find(&fields_none, TEXT("x")), -1);
	assert_int_equal(field_target(&fields, TITLE), TITLE);
	assert_int_equal(field_target(&fields, TITLE2), TITLE);
	assert_int_equal(field_target(&fields, TITLE3), TITLE);
	assert_int_equal(field_target(&fields, STATUS), STATUS);
}

static void
takes_good_text(void **state)
{
	(void)state;
	assert_true(from(TITLE, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"));
	assert_int_equal(thing.title.n, 10);
	assert_true(from(STATUS, "in_progress"));
	assert_true(from(LIMIT, "200"));
	assert_int_equal(thing.limit, 200);
	assert_true(from(ANY, "-9223372036854775807"));
	assert_true(thing.any == -INT64_MAX);
	assert_true(from(DUE, "1970-01-01T00:00:01Z"));
	assert_int_equal(thing.due, 1000000);
	assert_true(from(ID, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
	assert_int_equal(thing.id.b[0], 1);
	assert_true(from(TAGS, "a,b c,\xc3\xa9"));
	assert_int_equal(thing.tags.n, 3);
	assert_true(text_is(thing.tags.v[0], "a"));
	assert_true(text_is(thing.tags.v[1], "b c"));
	assert_true(text_is(thing.tags.v[2], "\xc3\xa9"));
	assert_true(from(IDS, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f,"
	    "017f22e2-79b0-7cc3-98c4-dc0c0c073990"));
	assert_int_equal(thing.ids.n, 2);
	assert_int_equal(((const struct uuid *)thing.ids.v)[1].b[15], 0x90);
	assert_int_equal(faults.n, 0);
	assert_int_equal(thing.seen.set, 1u << TITLE | 1u << STATUS |
	    1u << LIMIT | 1u << ANY | 1u << DUE | 1u << ID | 1u << TAGS |
	    1u << IDS);
	assert_true(seen_has(&thing.seen, TITLE));
	assert_false(seen_has(&thing.seen, DONE));
}

static void
takes_booleans(void **state)
{
	static const char *const yes[] = { "true", "1", "on" },
	    *const no[] = { "false", "0", "off" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		field_begin(&fields, &thing);
		assert_true(from(DONE, yes[i]));
		assert_true(thing.done);
		field_begin(&fields, &thing);
		thing.done = true;
		assert_true(from(DONE, no[i]));
		assert_false(thing.done);
	}
	assert_refused(DONE, "yes", "type", "must be true or false");
	assert_refused(DONE, "TRUE", "type", "must be true or false");
	assert_refused(DONE, "", "type", "must be true or false");
}

static void
refuses_with_precise_words(void **state)
{
	static const char number[] = "must be a whole number from 1 to 200";
	static const char uuids[] =
	    "must be a list of UUIDs with commas between";
	static const char list[] =
	    "must be a list such as a,b without empty items";
	static const char text[] = "must be UTF-8 text without NUL";
	static const char when[] = "must be an RFC 3339 date and time such as "
	    "2026-01-31T09:30:00Z";

	(void)state;
	assert_refused(TITLE, "", "length", "must have 1 to 5 characters");
	assert_refused(TITLE, "abcdef", "length",
	    "must have 1 to 5 characters");
	assert_refused(TITLE, "\xc3(", "format", text);
	assert_refused(STATUS, "Pending", "choice",
	    "must be one of pending, in_progress");
	assert_refused(STATUS, "", "choice",
	    "must be one of pending, in_progress");
	assert_refused(CHALLENGE, "plain", "choice", "must be S256");
	assert_refused(LIMIT, "0", "range", number);
	assert_refused(LIMIT, "201", "range", number);
	assert_refused(LIMIT, "-1", "range", number);
	assert_refused(LIMIT, "", "type", number);
	assert_refused(LIMIT, "1.0", "type", number);
	assert_refused(LIMIT, " 1", "type", number);
	assert_refused(LIMIT, "+1", "type", number);
	assert_refused(LIMIT, "-", "type", number);
	assert_refused(LIMIT, "0x10", "type", number);
	assert_refused(ANY, "9223372036854775808", "type",
	    "must be a whole number");
	assert_refused(ANY, "-9223372036854775808", "type",
	    "must be a whole number");
	assert_refused(DUE, "2026-01-31", "format", when);
	assert_refused(ID, "017f22e2", "format", "must be a UUID");
	assert_refused(TAGS, "a,b,c,d", "length", "must have at most 3 items");
	assert_refused(TAGS, "a,,b", "format", list);
	assert_refused(TAGS, "a,", "format", list);
	assert_refused(TAGS, ",a", "format", list);
	assert_refused(TAGS, "", "format", list);
	assert_refused(TAGS, "\xff", "format", text);
	assert_refused(IDS, "x", "format", uuids);
	assert_refused(IDS, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f,", "format",
	    uuids);
	assert_refused(INNER, "x", "type", "cannot be given as text");
	assert_refused(BLOB, "x", "type", "cannot be given as text");
	assert_false(field_from_text(&fields, TITLE, mem, TEXT("a\0b"),
	    &thing, TEXT("/"), &faults));
	assert_string_equal(faults.v[0].code, "format");
	assert_true(text_is(faults.v[0].pointer, "/title"));
}

static void
aliases_stand_for_their_row(void **state)
{
	(void)state;
	assert_true(from(TITLE3, "abc"));
	assert_true(text_is(thing.title, "abc"));
	assert_int_equal(thing.seen.set, 1u << TITLE);
	assert_false(from(TITLE, "def"));
	assert_false(from(TITLE2, "ghi"));
	assert_true(text_is(thing.title, "abc"));
	assert_int_equal(faults.n, 2);
	assert_string_equal(faults.v[0].code, "duplicate");
	assert_true(text_is(faults.v[0].pointer, "?title"));
	assert_true(text_is(faults.v[1].pointer, "?name"));
	/* the bounds are the target's, the name is the client's */
	assert_refused(TITLE2, "abcdef", "length",
	    "must have 1 to 5 characters");
}

static void
checks_canonicalise(void **state)
{
	(void)state;
	assert_true(from(WORD, "ab"));
	assert_true(text_is(thing.word, "abab"));
	assert_refused(WORD, "bad", "format", "must not be bad");
	assert_refused(WORD, "mute", "format", "is not valid");
	/* with a check the choices are documentation only */
	assert_true(from(ENUMCHECK, "cd"));
	assert_true(text_is(thing.word, "cdcd"));
	assert_refused(ENUMCHECK, "bad", "choice", "must not be bad");
}

static void
wants_required_members(void **state)
{
	(void)state;
	field_required(&fields, mem, &thing.seen, TEXT("/a"), &faults);
	assert_int_equal(faults.n, 2);
	assert_true(text_is(faults.v[0].pointer, "/a/title"));
	assert_string_equal(faults.v[0].code, "required");
	assert_true(text_is(faults.v[1].pointer, "/a/done"));
	faults.n = 0;
	assert_true(from(TITLE2, "x"));
	/* given but wrong is not missing as well */
	assert_false(from(DONE, "x"));
	faults.n = 0;
	field_required(&fields, mem, &thing.seen, TEXT(""), &faults);
	assert_int_equal(faults.n, 0);
}

static void
says_bounds_in_english(void **state)
{
	static const struct { int64_t min, max; const char *want; } cases[] = {
		{ 6, 6, "must have exactly 6 characters" },
		{ 1, 1, "must have exactly 1 character" },
		{ 0, 1, "must have at most 1 character" },
		{ 9, 0, "must have at least 9 characters" },
		{ 2, 3, "must have 2 to 3 characters" },
	};
	struct text value = TEXT("12345");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct field field = rows[TITLE];

		field.min = cases[i].min;
		field.max = cases[i].max;
		faults.n = 0;
		assert_false(field_validate(&field, mem, &value, TEXT(""),
		    &faults));
		assert_string_equal(faults.v[0].detail, cases[i].want);
		assert_true(text_is(faults.v[0].pointer, "/title"));
	}
	faults.n = 0;
	assert_true(field_validate(&rows[SHOUT], mem, &value, TEXT(""),
	    &faults));
	assert_int_equal(faults.n, 0);
}

static void
pointers_are_escaped(void **state)
{
	static const struct { const char *parent, *name, *want; } cases[] = {
		{ "", "a", "/a" }, { "/a", "b", "/a/b" }, { "?", "b", "?b" },
		{ "/", "b", "/b" }, { "/a", NULL, "/a" },
		{ "", NULL, "" }, { NULL, NULL, "" },
		/* a member whose name is empty */
		{ "", "", "/" }, { "/a", "", "/a/" },
		{ "", "a/b~c", "/a~1b~0c" },
		{ "/x", "\xc3\xa9", "/x/\xc3\xa9" },
		{ "?", "a\xff\xfe", "?a??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		faults.n = 0;
		faults_add(&faults, mem, text_of(cases[i].parent),
		    text_of(cases[i].name), "c", "d");
		if (!text_is(faults.v[0].pointer, cases[i].want))
			fail_msg("%.*s, not %s",
			    TEXT_FMT(faults.v[0].pointer), cases[i].want);
	}
	for (int i = 0; i < 2 * FAULTS_MAX; i++)
		faults_add(&faults, mem, TEXT(""), TEXT("x"), "c", "d");
	assert_int_equal(faults.n, FAULTS_MAX);
}

static void
assert_prints(uint64_t only, const char *want)
{
	struct buf out = { 0 };

	field_print_json(&out, &fields, &thing, only);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.p, want);
	buf_done(&out);
}

static void
prints_absent_members(void **state)
{
	(void)state;
	thing.title = TEXT("t");
	assert_prints(FIELD_ALL, "{\"title\":\"t\",\"status\":null,"
	    "\"challenge\":null,\"limit\":null,\"due\":null,\"done\":false,"
	    "\"id\":null,\"tags\":[],\"ids\":[],\"kind\":null,"
	    "\"inner\":{\"name\":null,\"size\":null},\"inners\":[],"
	    "\"fixed\":{\"a\":1},\"shout\":\"t!\"}");
}

/* An object that may be left out is there when its first member is. */
static void
leaves_out_an_absent_object(void **state)
{
	static const struct field row = { .name = "inner",
		.type = FIELD_OBJECT, .flags = FIELD_OMIT_NONE,
		.sub = &inner_fields };
	static const struct fields outer =
	    { NULL, &row, 1, sizeof(struct inner), false };
	struct inner inner = { .size = INT_NONE };
	struct buf out = { 0 };

	(void)state;
	field_print_json(&out, &outer, &inner, FIELD_ALL);
	inner.name = TEXT("n");
	field_print_json(&out, &outer, &inner, FIELD_ALL);
	buf_putc(&out, '\0');
	assert_string_equal(out.p,
	    "{}{\"inner\":{\"name\":\"n\",\"size\":null}}");
	buf_done(&out);
}

static void
prints_present_members(void **state)
{
	struct text tags[] = { TEXT("a\"b"), TEXT("") };
	struct uuid ids[2] = { { { 1 } }, { { 2 } } };
	struct inner inners[2] = {
		{ TEXT("one"), 1 }, { TEXT_NONE, INT_NONE },
	};

	(void)state;
	thing.title = TEXT("\xc3\xa9\n");
	thing.status = TEXT("pending");
	thing.limit = -5;
	thing.any = 0;
	thing.due = 0;
	thing.done = true;
	thing.id = ids[0];
	thing.tags = (struct texts){ tags, 2 };
	thing.ids = (struct list){ .v = ids, .n = 2 };
	thing.word = TEXT("w");
	thing.inners = (struct list){ .v = inners, .n = 2 };
	assert_prints(1u << TITLE | 1u << STATUS | 1u << LIMIT | 1u << ANY |
	    1u << DUE | 1u << DONE, "{\"title\":\"\xc3\xa9\\n\","
	    "\"status\":\"pending\",\"limit\":-5,\"any\":0,"
	    "\"due\":\"1970-01-01T00:00:00.000Z\",\"done\":true}");
	assert_prints(1u << ID | 1u << TAGS | 1u << IDS,
	    "{\"id\":\"01000000-0000-0000-0000-000000000000\","
	    "\"tags\":[\"a\\\"b\",\"\"],"
	    "\"ids\":[\"01000000-0000-0000-0000-000000000000\","
	    "\"02000000-0000-0000-0000-000000000000\"]}");
	assert_prints(1u << WORD | 1u << INNERS, "{\"word\":\"w\","
	    "\"inners\":[{\"name\":\"one\",\"size\":1},"
	    "{\"name\":null,\"size\":null}]}");
	thing.inners.only = 2;
	assert_prints(1u << INNERS,
	    "{\"inners\":[{\"size\":1},{\"size\":null}]}");
	/* aliases and bytes are no output */
	assert_prints(1u << TITLE2 | 1u << BLOB, "{}");
	assert_prints(0, "{}");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(clears_to_absent),
		CASE(finds_rows),
		CASE(takes_good_text),
		CASE(takes_booleans),
		CASE(refuses_with_precise_words),
		CASE(aliases_stand_for_their_row),
		CASE(checks_canonicalise),
		CASE(wants_required_members),
		CASE(says_bounds_in_english),
		CASE(pointers_are_escaped),
		CASE(prints_absent_members),
		CASE(leaves_out_an_absent_object),
		CASE(prints_present_members),
	};

	return cmocka_run_group_tests_name("base_field", tests, NULL, NULL);
}
