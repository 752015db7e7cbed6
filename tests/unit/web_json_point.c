/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Scalars by pointer, with the examples of RFC 6901 §5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "web/json_point.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static void
points(void **state)
{
	static const char rfc[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,"
	    "\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
	    "\"k\\\"l\":6,\" \":7,\"m~n\":8}";
	static const char reply[] = " { \"x\" : { \"y\" : [ 1 , {\"s\":"
	    "\"\\u0041\\n\"} , [] , {} , null , true , \"]\" ] , "
	    "\"z\" : -1.5e3 } , \"last\" : false } ";
	static const struct {
		const char *in, *pointer, *value;	/* NULL: none */
	} rows[] = {
		{ rfc, "/foo/0", "bar" }, { rfc, "/foo/1", "baz" },
		{ rfc, "/", "0" }, { rfc, "/a~1b", "1" },
		{ rfc, "/c%d", "2" }, { rfc, "/e^f", "3" },
		{ rfc, "/g|h", "4" }, { rfc, "/i\\j", "5" },
		{ rfc, "/k\"l", "6" }, { rfc, "/ ", "7" },
		{ rfc, "/m~0n", "8" }, { rfc, "/foo", NULL },
		{ rfc, "/foo/2", NULL }, { rfc, "/foo/-", NULL },
		{ rfc, "/foo/00", NULL }, { rfc, "/foo/01", NULL },
		{ rfc, "/foo/x", NULL }, { rfc, "/foo/", NULL },
		{ rfc, "/foo/0/x", NULL }, { rfc, "/nothing", NULL },
		{ rfc, "/foo/99999999999999999999", NULL },
		{ reply, "/x/y/0", "1" }, { reply, "/x/y/1/s", "A\n" },
		{ reply, "/x/y/2", NULL }, { reply, "/x/y/2/0", NULL },
		{ reply, "/x/y/3/a", NULL }, { reply, "/x/y/4", NULL },
		{ reply, "/x/y/5", "true" }, { reply, "/x/y/6", "]" },
		{ reply, "/x/y/7", NULL }, { reply, "/x/z", "-1.5e3" },
		{ reply, "/last", "false" },
		{ "\"s\"", "/x", NULL }, { "7", "/0", NULL },
		{ "[[0,1],[2,[3,\"[\",4]]]", "/1/1/2", "4" },
		{ "[[0,1],[2,[3,\"[\",4]]]", "/1/1/1", "[" },
		/* No JSON, or not what is passed on: nothing is found. */
		{ "", "/a", NULL }, { "{\"a\":1", "/a", NULL },
		{ "{\"a\":1}x", "/a", NULL },
		{ "{\"a\":1,\"a\":2}", "/a", NULL },
		{ "{\"a\":01}", "/a", NULL }, { "{'a':1}", "/a", NULL },
		{ "{\"a\":\"\xff\"}", "/a", NULL },
		{ "{\"a\":\"\\u0000\"}", "/a", NULL },
		{ "{\"a\":123456789012345678901234567890}", "/a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text found;
		bool any = json_point(text_of(rows[i].in), rows[i].pointer,
		    mem, &found);

		if (any != (rows[i].value != NULL) ||
		    (any && !text_is(found, rows[i].value)))
			fail_msg("%s of %s", rows[i].pointer, rows[i].in);
	}
}

static void
valid(void **state)
{
	static const char *const good[] = { "/", "/a", "/a/0", "/~0~1", "//" };
	static const char *const bad[] = { "", "a", "/~", "/~2", "/a~", "#/a" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(json_point_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(json_point_valid(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points),
		cmocka_unit_test(valid),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
