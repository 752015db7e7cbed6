/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The wrappers of Extended JSON, and what only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/mongo.h"

static void
wrappers(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"a\":{\"$oid\":\"65\"}}", "{\"a\":\"65\"}" },
		{ "{ \"$oid\" : \"65\" }", "\"65\"" },
		{ "{\"$date\":\"2026-01-31T09:30:00Z\"}",
		    "\"2026-01-31T09:30:00Z\"" },
		{ "{\"$date\":{\"$numberLong\":\"1000\"}}",
		    "\"1970-01-01T00:00:01.000Z\"" },
		{ "{\"$date\":-1000}", "\"1969-12-31T23:59:59.000Z\"" },
		{ "{\"$date\":1}", "\"1970-01-01T00:00:00.001Z\"" },
		{ "[{\"$numberInt\":\"-5\"},{\"$numberLong\":\"7\"}]",
		    "[-5,7]" },
		{ "{\"$numberLong\":\"x\"}", NULL },
		{ "{\"$oid\":\"a\",\"b\":1}", NULL },
		{ "{\"$oid\":\"a\\n\"}", NULL },
		{ "\"{\\\"$oid\\\":\\\"a\\\"}\"", NULL },
		{ "{\"t\":\"\\\\\",\"$x\":{\"$oid\":5}}", NULL },
		{ "{\"$date\":", NULL }, { "{\"$oid\":\"", NULL },
		{ "{\"$date\":99999999999999999999}",
		    "\"out of range\"" },
		{ "\"$\\", NULL }, { "{", NULL },
	};
	struct arena *mem = arena_new(65536);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *want = rows[i][1] ? rows[i][1] : rows[i][0];
		struct text t = mongo_plain(text_of(rows[i][0]), mem);

		if (!text_is(t, want))
			fail_msg("%s became %.*s", rows[i][0], TEXT_FMT(t));
	}
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrappers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
