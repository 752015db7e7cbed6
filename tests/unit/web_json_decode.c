/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/json and web/pairs: members into a struct, every fault at its pointer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "web/json.h"
#include "web/request.h"
#include "web/utf8.h"

struct item {
	struct seen seen;
	struct text name;
	int64_t n;
};

struct thing {
	struct seen seen;
	struct text title, status;
	int64_t number, due;
	bool flag;
	struct uuid id;
	struct texts tags;
	struct list ids, items;
	struct item inner;
};

static const char *const statuses[] = { "open", "closed", NULL };

#define ROW(S, m, type, flags, min, max, sub, choices) \
	{ #m, FIELD_##type, flags, offsetof(S, m), min, max, sub, choices, \
	  NULL, NULL, "", NULL }

static const struct field item_rows[] = {
	ROW(struct item, name, TEXT, FIELD_REQUIRED, 1, 5, NULL, NULL),
	ROW(struct item, n, INT, 0, 0, 9, NULL, NULL),
};
static const struct fields item_fields =
    FIELDS(NULL, item_rows, struct item);

static const struct field thing_rows[] = {
	ROW(struct thing, title, TEXT, FIELD_REQUIRED, 1, 5, NULL, NULL),
	ROW(struct thing, status, ENUM, FIELD_NULLABLE, 0, 0, NULL, statuses),
	ROW(struct thing, number, INT, 0, 1, 100, NULL, NULL),
	ROW(struct thing, due, TIME, FIELD_NULLABLE, 0, 0, NULL, NULL),
	{ "deadline", FIELD_TIME, FIELD_ALIAS, offsetof(struct thing, due),
	  0, 0, NULL, NULL, NULL, NULL, "", NULL },
	ROW(struct thing, flag, BOOL, 0, 0, 0, NULL, NULL),
	ROW(struct thing, id, UUID, 0, 0, 0, NULL, NULL),
	ROW(struct thing, tags, TEXTS, 0, 0, 3, NULL, NULL),
	ROW(struct thing, ids, UUIDS, 0, 0, 2, NULL, NULL),
	ROW(struct thing, items, LIST, 0, 0, 2, &item_fields, NULL),
	ROW(struct thing, inner, OBJECT, 0, 0, 0, &item_fields, NULL),
	{ "fixed", FIELD_FIXED, 0, 0, 0, 0, NULL, NULL, NULL, NULL, "", "1" },
};
static const struct fields thing_fields =
    FIELDS(NULL, thing_rows, struct thing);

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define ID "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d"

static void
decodes_every_type(void **state)
{
	static const char in[] = "{\"title\":\"h\\u00e9\",\"status\":\"open\","
	    "\"number\":7,\"deadline\":\"1970-01-01T00:00:01Z\",\"flag\":true,"
	    "\"id\":\"" ID "\",\"tags\":[\"a\",\"\"],\"ids\":[\"" ID "\"],"
	    "\"items\":[{\"name\":\"x\"},{\"name\":\"y\",\"n\":2}],"
	    "\"inner\":{\"name\":\"z\"}}";
	struct thing t;
	struct faults faults = { 0 };
	const struct item *items;

	memset(&t, 0xa5, sizeof(t));
	assert_true(json_decode(text_of(in), &thing_fields, *state, &t,
	    &faults));
	assert_true(text_is(t.title, "h\xc3\xa9"));
	assert_true(text_is(t.status, "open"));
	assert_int_equal(t.number, 7);
	assert_int_equal(t.due, TIME_SECOND);
	assert_true(t.flag);
	assert_int_equal(t.id.b[0], 0x01);
	assert_int_equal(t.tags.n, 2);
	assert_true(text_is(t.tags.v[1], ""));
	assert_int_equal(t.ids.n, 1);
	assert_int_equal(t.items.n, 2);
	items = t.items.v;
	assert_true(text_is(items[0].name, "x"));
	assert_true(items[0].n == INT_NONE);
	assert_int_equal(items[1].n, 2);
	assert_true(text_is(t.inner.name, "z"));
	assert_true(seen_has(&t.seen, 3));	/* the alias counts as due */
	assert_false(seen_has(&t.seen, 4));
	assert_int_equal(t.seen.null, 0);
}

/* In every plane: json-c alone takes thousands of them for lone surrogates. */
static void
every_escaped_pair_is_its_character(void **state)
{
	static const unsigned lows[] = { 0xdc00, 0xdd1e, 0xdfff };
	struct faults faults = { 0 };
	struct thing t;
	char in[64], want[8];

	for (unsigned i = 0; i < 3 * 0x400; i++) {
		const unsigned hi = 0xd800 + i / 3, lo = lows[i % 3];
		const uint32_t code = 0x10000 + ((hi - 0xd800) << 10) +
		    (lo - 0xdc00);
		const size_t n = utf8_put(want + 1, code);

		want[0] = '\\';
		want[n + 1] = 'x';
		snprintf(in, sizeof(in), "{\"title\":\"\\\\\\u%x\\u%xx\"}",
		    hi, lo);
		assert_true(json_decode(text_of(in), &thing_fields, *state,
		    &t, &faults));
		assert_true(text_equal(t.title, (struct text){ want, n + 2 }));
		arena_reset(*state);
	}
}

/* It would be stored as an absent id. */
static void
the_nil_uuid_is_none(void **state)
{
#define NIL "00000000-0000-0000-0000-000000000000"
	struct faults faults = { 0 };
	struct thing t;

	assert_false(json_decode(TEXT("{\"title\":\"a\",\"id\":\"" NIL
	    "\"}"), &thing_fields, *state, &t, &faults));
	request_decode_pairs(TEXT("title=a&id=" NIL), &thing_fields, *state,
	    "?", &t, &faults);
	assert_int_equal(faults.n, 2);
	assert_true(text_is(faults.v[0].pointer, "/id"));
	assert_true(text_is(faults.v[1].pointer, "?id"));
	assert_string_equal(faults.v[1].detail, "must be a UUID");
}

static void
tells_absent_from_null(void **state)
{
	struct thing t;
	struct faults faults = { 0 };

	assert_true(json_decode(TEXT("{\"title\":\"a\",\"due\":null}"),
	    &thing_fields, *state, &t, &faults));
	assert_int_equal(t.seen.set, 1 << 0 | 1 << 3);
	assert_int_equal(t.seen.null, 1 << 3);
	assert_true(t.due == TIME_NONE);
	assert_null(t.status.s);
	assert_null(t.tags.v);
}

struct want {
	const char *in;
	const char *faults;	/* "pointer code, pointer code" */
};

static void
assert_faults(const struct faults *faults, const struct want *want)
{
	char got[1024] = "";
	size_t n = 0;

	for (size_t i = 0; i < faults->n; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%.*s %s",
		    i ? ", " : "", TEXT_FMT(faults->v[i].pointer),
		    faults->v[i].code);
	if (strcmp(got, want->faults) != 0)
		fail_msg("%s: %s, not %s", want->in, got, want->faults);
}

static void
notes_all_faults_of_json(void **state)
{
	static const struct want rows[] = {
		{ "[]", " type" },
		{ "1", " type" },
		{ "{", " syntax" },
		{ "{}", "/title required" },
		{ "{\"title\":null}", "/title required" },
		{ "{\"title\":1}", "/title type" },
		{ "{\"title\":\"\"}", "/title length" },
		{ "{\"title\":\"abcdef\"}", "/title length" },
		{ "{\"title\":\"a\",\"number\":null}", "/number null" },
		{ "{\"title\":\"a\",\"number\":\"7\"}", "/number type" },
		{ "{\"title\":\"a\",\"number\":7.0}", "/number type" },
		{ "{\"title\":\"a\",\"number\":101}", "/number range" },
		{ "{\"title\":\"a\",\"number\":-9223372036854775808}", "/number range" },
		{ "{\"title\":\"a\",\"flag\":1}", "/flag type" },
		{ "{\"title\":\"a\",\"status\":\"x\"}", "/status choice" },
		{ "{\"title\":\"a\",\"due\":\"soon\"}", "/due format" },
		{ "{\"title\":\"a\",\"deadline\":\"soon\"}", "/deadline format" },
		{ "{\"title\":\"a\",\"due\":null,\"deadline\":null}", "/deadline duplicate" },
		{ "{\"title\":\"a\",\"id\":\"1\"}", "/id format" },
		{ "{\"title\":\"a\",\"tags\":\"x\"}", "/tags type" },
		{ "{\"title\":\"a\",\"tags\":[\"x\",1,null]}", "/tags/1 type, /tags/2 type" },
		{ "{\"title\":\"a\",\"tags\":[\"\",\"\",\"\",\"\"]}", "/tags length" },
		{ "{\"title\":\"a\",\"ids\":[\"x\",7]}", "/ids/0 format, /ids/1 type" },
		{ "{\"title\":\"a\",\"items\":[{},7]}", "/items/0/name required, /items/1 type" },
		{ "{\"title\":\"a\",\"items\":[{},{},{}]}", "/items length" },
		{ "{\"title\":\"a\",\"items\":[{\"name\":\"x\",\"n\":10,\"o\":1}]}",
		    "/items/0/n range, /items/0/o unknown" },
		{ "{\"title\":\"a\",\"inner\":{\"n\":\"\"}}", "/inner/n type, /inner/name required" },
		{ "{\"title\":\"a\",\"a/b~c\":1}", "/a~1b~0c unknown" },
		{ "{\"title\":\"a\",\"fixed\":1}", "/fixed unknown" },
		{ "{\"x\":1,\"flag\":0}", "/x unknown, /flag type, /title required" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct thing t;
		struct faults faults = { 0 };

		assert_false(json_decode(text_of(rows[i].in), &thing_fields,
		    *state, &t, &faults));
		assert_faults(&faults, &rows[i]);
		arena_reset(*state);
	}
}

static void
stops_at_so_many_faults(void **state)
{
	char in[2048] = "{";
	size_t n = 1;
	struct thing t;
	struct faults faults = { 0 };

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(in + n, sizeof(in) - n, "%s\"k%d\":1",
		    i ? "," : "", i);
	in[n++] = '}';
	assert_false(json_decode((struct text){ in, n }, &thing_fields,
	    *state, &t, &faults));
	assert_int_equal(faults.n, FAULTS_MAX);
}

static void
decodes_pairs(void **state)
{
	struct thing t;
	struct faults faults = { 0 };

	request_decode_pairs(TEXT("title=a+b%2B&&tags=x,y&number=7&flag=true"
	    "&due=1970-01-01T00:00:01%2b00:00"), &thing_fields, *state, "?",
	    &t, &faults);
	assert_int_equal(faults.n, 0);
	assert_true(text_is(t.title, "a b+"));
	assert_int_equal(t.tags.n, 2);
	assert_int_equal(t.number, 7);
	assert_true(t.flag);
	assert_int_equal(t.due, TIME_SECOND);
}

static void
notes_all_faults_of_pairs(void **state)
{
	static const struct want rows[] = {
		{ "", "?title required" },
		{ "title=a&title=a", "?title duplicate" },
		{ "title=a&due=1970-01-01&deadline=x", "?due format, ?deadline duplicate" },
		{ "title=a&x=1&%79=2", "?x unknown, ?y unknown" },
		{ "title=%zz", "? syntax, ?title required" },
		{ "title=%4", "? syntax, ?title required" },
		{ "title=%00", "? syntax, ?title required" },
		{ "title=%ff", "? syntax, ?title required" },
		{ "title=%c0%af", "? syntax, ?title required" },
		{ "title=a&number=x", "?number type" },
		{ "title=a&number", "?number type" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct thing t;
		struct faults faults = { 0 };

		request_decode_pairs(text_of(rows[i].in), &thing_fields,
		    *state, "?", &t, &faults);
		assert_faults(&faults, &rows[i]);
	}
}

/* RFC 6749 §3.2: unknown ones are ignored, empty ones count as left out,
 * repeated ones are still refused. */
static void
a_form_may_be_lenient(void **state)
{
	static const struct want twice = { "twice", "/title duplicate" };
	struct fields lenient = thing_fields;
	struct thing t;
	struct faults faults = { 0 };

	lenient.lenient = true;
	request_decode_pairs(TEXT("title=a&x=1&x=2&number="), &lenient,
	    *state, "/", &t, &faults);
	assert_int_equal(faults.n, 0);
	assert_false(seen_has(&t.seen, 2));
	request_decode_pairs(TEXT("title=a&title=b"), &lenient, *state, "/",
	    &t, &faults);
	assert_faults(&faults, &twice);
	faults.n = 0;
	assert_true(json_decode(TEXT("{\"title\":\"a\",\"x\":{}}"), &lenient,
	    *state, &t, &faults));
}

static void
nothing_is_known_to_a_route_without_query(void **state)
{
	static const struct want want = { "?a", "?a unknown" };
	struct faults faults = { 0 };

	request_decode_pairs(TEXT("a=1"), &fields_none, *state, "?", NULL,
	    &faults);
	assert_faults(&faults, &want);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(decodes_every_type), T(every_escaped_pair_is_its_character),
		T(the_nil_uuid_is_none), T(tells_absent_from_null),
		T(notes_all_faults_of_json), T(stops_at_so_many_faults),
		T(decodes_pairs), T(notes_all_faults_of_pairs),
		T(a_form_may_be_lenient),
		T(nothing_is_known_to_a_route_without_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
