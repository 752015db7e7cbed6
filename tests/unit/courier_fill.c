/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Values in their places: what escapes, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "courier/fill.h"

static struct buf out;

static bool
filled(const char *template, enum fill_place place, struct text value,
    const char *expect)
{
	const struct fill_value v[] = { { "a", value },
	    { "bb", TEXT_INIT("2") } };
	const struct fill_values values = { v, 2 };
	bool good;

	buf_reset(&out, 0);
	good = fill(&out, template, place, &values);
	buf_putc(&out, '\0');
	if (good && strcmp(out.p, expect) != 0)
		fail_msg("%s -> %s, not %s", template, out.p, expect);
	return good;
}

static void
places(void **state)
{
	static const struct {
		enum fill_place place;
		const char *value, *expect;	/* NULL: refused */
	} rows[] = {
		{ FILL_FORM, "aZ09-._~", "aZ09-._~" },
		{ FILL_FORM, "+98 &=%?#/", "%2B98%20%26%3D%25%3F%23%2F" },
		{ FILL_FORM, "\r\n\033\x7f", "%0D%0A%1B%7F" },
		{ FILL_FORM, "\xd9\x83", "%D9%83" },
		{ FILL_FORM, "\xff", "%FF" },
		{ FILL_JSON, "a\"b\\c\r\n\t\033", "a\\\"b\\\\c\\r\\n\\t\\u001b" },
		{ FILL_JSON, "\xd9\x83", "\xd9\x83" },
		{ FILL_JSON, "\xff", NULL },
		{ FILL_XML, "<&'\">", "&lt;&amp;&#39;&quot;&gt;" },
		{ FILL_XML, "a\r\n\tb", "a&#13;&#10;&#9;b" },
		{ FILL_XML, "\033", NULL }, { FILL_XML, "\x7f", NULL },
		{ FILL_XML, "\xc3", NULL },
		{ FILL_HEADER, "a: \"b\" \xd9\x83", "a: \"b\" \xd9\x83" },
		{ FILL_HEADER, "a\rb", NULL }, { FILL_HEADER, "a\nb", NULL },
		{ FILL_HEADER, "\t", NULL }, { FILL_HEADER, "\033", NULL },
		{ FILL_HEADER, "\x7f", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (filled("{{a}}", rows[i].place, text_of(rows[i].value),
		    rows[i].expect ? rows[i].expect : "") !=
		    (rows[i].expect != NULL))
			fail_msg("row %zu: %s", i, rows[i].value);
	for (int place = FILL_FORM; place <= FILL_HEADER; place++)
		assert_false(filled("{{a}}", (enum fill_place)place,
		    TEXT("a\0b"), ""));
}

static void
names(void **state)
{
	(void)state;
	assert_true(filled("", FILL_FORM, TEXT("1"), ""));
	assert_true(filled("x{{a}}y{{bb}}{{a}}", FILL_FORM, TEXT("1"),
	    "x1y21"));
	assert_true(filled("{a}}{b}", FILL_FORM, TEXT("1"), "{a}}{b}"));
	/* What a value holds is no template. */
	assert_true(filled("{{a}}", FILL_HEADER, TEXT("{{bb}}"), "{{bb}}"));
	assert_false(filled("{{c}}", FILL_FORM, TEXT("1"), ""));
	assert_false(filled("{{ a }}", FILL_FORM, TEXT("1"), ""));
	assert_false(filled("{{}}", FILL_FORM, TEXT("1"), ""));
	assert_false(filled("{{a}", FILL_FORM, TEXT("1"), ""));
	assert_false(filled("{{{a}}", FILL_FORM, TEXT("1"), ""));
}

static void
checked(void **state)
{
	static const struct {
		const char *template, *faults;
	} rows[] = {
		{ "{{a}}{{bb}}", "" },
		{ "{{x}}{{a}}{{y}}", "s: {{x}} is not known\n"
		    "s: {{y}} is not known\n" },
		{ "{{a}}{{", "s: \"{{\" without \"}}\"\n" },
		{ "{{0123456789012345678901234567890123456789}}",
		  "s: {{01234567890123456789012345678901}} is not known\n" },
	};
	const struct fill_value v[] = { { "a", TEXT_INIT("1") },
	    { "bb", TEXT_INIT("2") } };
	const struct fill_values values = { v, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *said = NULL;
		size_t n = 0;
		FILE *errors = open_memstream(&said, &n);

		assert_int_equal(fill_check(rows[i].template, "s", &values,
		    errors), rows[i].faults[0] == '\0');
		fclose(errors);
		assert_string_equal(said, rows[i].faults);
		free(said);
	}
}

static int
teardown(void **state)
{
	(void)state;
	buf_done(&out);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(names),
		cmocka_unit_test(checked),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
