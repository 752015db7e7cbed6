/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/event: every event has its row, and rows keep the table's promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "base/event.h"

static void
names_find_their_rows(void **state)
{
	(void)state;
	for (enum event i = 0; i < EVENT__MAX; i++)
		assert_int_equal(event_find(text_of(event_row(i)->name)), i);
	assert_string_equal(event_row(EVENT_login_failed)->name,
	    "login_failed");
}

static void
other_words_are_none(void **state)
{
	static const char *const words[] = {
		"", "log", "login_", "LOGIN", "login_failed ", "logout\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(event_find(text_of(words[i])), EVENT__MAX);
	assert_int_equal(event_find(TEXT_NONE), EVENT__MAX);
	assert_int_equal(event_find((struct text){ "login\0x", 7 }),
	    EVENT__MAX);
}

/* What fail2ban counts is in the log, and loud enough for any setting. */
static void
rows_are_well_formed(void **state)
{
	(void)state;
	for (enum event i = 0; i < EVENT__MAX; i++) {
		const struct event_row *row = event_row(i);

		assert_true(row->trail || row->line);
		assert_true(row->line || !row->ban);
		assert_int_equal(row->level,
		    row->line ? LOG_WARN : LOG_INFO);
		assert_true(strlen(row->doc) > 10);
		for (const char *p = row->name; *p; p++)
			assert_true(islower(*p) || *p == '_');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_find_their_rows),
		cmocka_unit_test(other_words_are_none),
		cmocka_unit_test(rows_are_well_formed),
	};

	return cmocka_run_group_tests_name("base_event", tests, NULL, NULL);
}
