/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Records and their lines, the same through windows of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/split.h"

/* "line:record|line:record|end" or "...|bad line". */
static void
cut(enum split_form form, const char *in, size_t step, char out[512])
{
	struct split s = { .form = form };
	struct split_record record;
	size_t at = 0, seen = 0, n = strlen(in), used;
	const char *why;
	char *o = out;

	*o = '\0';
	for (;;) {
		const bool last = seen == n;
		enum split_found found = split_next(&s, (struct text){
		    in + at, seen - at }, last, &record, &used, &why);

		at += used;
		assert_true(at <= seen);
		if (found == SPLIT_RECORD) {
			o += sprintf(o, "%zu:%.*s|", record.line,
			    TEXT_FMT(record.bytes));
			continue;
		}
		if (found == SPLIT_MORE) {
			assert_false(last);
			seen = seen + step < n ? seen + step : n;
			continue;
		}
		if (found == SPLIT_BAD)
			assert_non_null(why);
		sprintf(o, found == SPLIT_END ? "end" : "bad %zu",
		    record.line);
		return;
	}
}

static const struct {
	enum split_form form;
	const char *in, *out;
} rows[] = {
	{ SPLIT_LINES, "", "end" },
	{ SPLIT_LINES, "a\n\n b \r\nc", "1:a|3: b |4:c|end" },
	{ SPLIT_LINES, "\xef\xbb\xbf" "a\n", "1:a|end" },
	{ SPLIT_CSV, "a,\"b\nc\"\r\nd\n", "1:a,\"b\nc\"|3:d|end" },
	{ SPLIT_CSV, "\"a\"\"\n\"\nb", "1:\"a\"\"\n\"|3:b|end" },
	{ SPLIT_CSV, "5\" x\ny\"\n", "1:5\" x|2:y\"|end" },
	{ SPLIT_CSV, "a\"\"b\nc\n", "1:a\"\"b|2:c|end" },
	{ SPLIT_CSV, "\"\",a\"\"b\nc\n", "1:\"\",a\"\"b|2:c|end" },
	{ SPLIT_JSON, "", "end" },
	{ SPLIT_JSON, "[]", "end" },
	{ SPLIT_JSON, " [ {\"a\":\"]\\\"}\"}\n, 5,\"x\" ]\n",
	    "1:{\"a\":\"]\\\"}\"}|2:5|2:\"x\"|end" },
	{ SPLIT_JSON, "{\"a\":1}\n{\"b\":[{}]}{}",
	    "1:{\"a\":1}|2:{\"b\":[{}]}|2:{}|end" },
	{ SPLIT_JSON, "{ \"tasks\" :\n[{}, {\"x\":{}}],\"n\":null,\"m\":[1]}",
	    "2:{}|2:{\"x\":{}}|end" },
	{ SPLIT_JSON, "{\"tasks\":5}", "1:{\"tasks\":5}|end" },
	{ SPLIT_JSON, "[{}", "1:{}|bad 1" },
	{ SPLIT_JSON, "[{},]", "1:{}|bad 1" },
	{ SPLIT_JSON, "[,{}]", "bad 1" },
	{ SPLIT_JSON, "[{}\n{}]", "1:{}|bad 2" },
	{ SPLIT_JSON, "[{}]\n\n[]", "1:{}|bad 3" },
	{ SPLIT_JSON, "{\"tasks\":[{}]", "1:{}|bad 1" },
	{ SPLIT_JSON, "{\"tasks\":[{}]]", "1:{}|bad 1" },
	{ SPLIT_JSON, "{\"a\":", "1:{\"a\":|end" },
	{ SPLIT_JSON, "nonsense", "bad 1" },
	{ SPLIT_ICAL, "BEGIN:VCALENDAR\r\nx\r\nbegin:vtodo\r\na\r\nEND:VTODO"
	    "\r\nEND:VCALENDAR\r\n",
	    "3:begin:vtodo\r\na\r\nEND:VTODO\r\n|end" },
	{ SPLIT_ICAL, "BEGIN:VCALENDAR\nEND:VCALENDAR", "end" },
	{ SPLIT_ICAL, "BEGIN:VCALENDAR\nBEGIN:VTODO\n", "bad 2" },
	{ SPLIT_ICAL, "BEGIN:VCALENDAR\n", "bad 2" },
	{ SPLIT_ICAL, "BEGIN:VTODO\nEND:VTODO\n", "bad 1" },
	{ SPLIT_ICAL, "", "bad 1" },
};

static void
every_window(void **state)
{
	char out[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 80; step++) {
			cut(rows[i].form, rows[i].in, step, out);
			assert_string_equal(out, rows[i].out);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
