/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whose a phone number is, and whether a list of prefixes has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/country.h"

static void
the_longest_prefix_decides(void **state)
{
	static const struct {
		const char *phone, *prefix, *name;
	} rows[] = {
		{ "+989121234567", "+98", "IR" },
		{ "+4930123456", "+49", "DE" },
		{ "+12025550123", "+1", "US" },
		{ "+14165550123", "+1", "US" },
		{ "+18765550123", "+1876", "JM" },
		{ "+74951234567", "+7", "RU" },
		{ "+77011234567", "+77", "KZ" },
		{ "+447700900123", "+44", "GB" },
		{ "+441534123456", "+441534", "JE" },
		{ "+262692123456", "+262", "RE" },
		{ "+262639123456", "+262639", "YT" },
		{ "+8816123456", "+881", "ZZ" },
		{ "+99912345678", "+", "ZZ" },
		{ "+2101234567", "+", "ZZ" },
		{ "+35", "+", "ZZ" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct country c = country_of(text_of(rows[i].phone));

		assert_true(text_is(c.prefix, rows[i].prefix));
		assert_true(text_is(c.name, rows[i].name));
	}
}

/* Every prefix of the table is its own country's, whatever follows. */
static void
no_row_hides_another(void **state)
{
	static const char *const rows[][2] = {
#define COUNTRY(prefix, name) { "+" prefix "0000000", name },
#include "tbl/countries.h"
#undef COUNTRY
	};

	(void)state;
	assert_true(sizeof(rows) / sizeof(rows[0]) > 230);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(text_is(country_of(text_of(rows[i][0])).name,
		    rows[i][1]));
}

static void
a_list_has_prefixes(void **state)
{
	static const struct {
		const char *phone, *list;
		bool allowed;
	} rows[] = {
		{ "+989121234567", "", true },
		{ "+989121234567", " ,", true },
		{ "+989121234567", "+98", true },
		{ "+989121234567", "+49, +98", true },
		{ "+989121234567", "+49,+98912", true },
		{ "+989121234567", "+49,+98913", false },
		{ "+989121234567", "+49", false },
		{ "+989121234567", "+9", false },
		{ "+12025550123", "+1", true },
		{ "+18765550123", "+1", false },
		{ "+18765550123", "+1,+1876", true },
		{ "+77011234567", "+7", false },
		{ "+4930123", "+4930123456", false },
		{ "+8816123456", "+98,+881", true },
		{ "+99912345678", "+98,+999", false },
		{ "+99912345678", "", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(country_allowed(text_of(rows[i].phone),
		    rows[i].list), rows[i].allowed);
}

static void
a_block_is_all_but_four_digits(void **state)
{
	(void)state;
	assert_true(text_is(country_block(TEXT("+989121234567")),
	    "+98912123"));
	assert_true(text_is(country_block(TEXT("+2901234")), "+290"));
	assert_true(text_is(country_block(TEXT("+290")), "+290"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_decides),
		cmocka_unit_test(no_row_hides_another),
		cmocka_unit_test(a_list_has_prefixes),
		cmocka_unit_test(a_block_is_all_but_four_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
