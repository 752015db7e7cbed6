/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cli/audit: ids that are missing are waited for, not for ever, and not more
 * of them than there is room for; entries are printable whatever they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/audit.h"

static struct arena *mem;

static int
start(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return mem ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

/* "3,4,7": whom the gaps wait for. */
static const char *
missing(struct audit_gaps *gaps, int64_t now)
{
	const struct texts ids = audit_gaps_ids(gaps, mem, now);
	const char *said = "";

	for (size_t i = 0; i < ids.n; i++)
		said = arena_printf(mem, "%s%s%.*s", said, i ? "," : "",
		    TEXT_FMT(ids.v[i]));
	return said;
}

static void
what_is_skipped_is_waited_for(void **state)
{
	struct audit_gaps gaps = { .last = 2 };

	(void)state;
	audit_gaps_seen(&gaps, 3, 0);
	assert_string_equal(missing(&gaps, 0), "");
	audit_gaps_seen(&gaps, 7, 0);
	audit_gaps_seen(&gaps, 9, 10);
	assert_string_equal(missing(&gaps, 10), "4,5,6,8");
	audit_gaps_seen(&gaps, 5, 20);
	assert_string_equal(missing(&gaps, 20), "4,6,8");
	/* Seen before, or never missed: nothing changes. */
	audit_gaps_seen(&gaps, 5, 20);
	audit_gaps_seen(&gaps, 1, 20);
	assert_string_equal(missing(&gaps, 20), "4,6,8");
	assert_int_equal(gaps.last, 9);
}

static void
for_a_minute(void **state)
{
	struct audit_gaps gaps = { .last = 0 };

	(void)state;
	audit_gaps_seen(&gaps, 2, 1000);
	audit_gaps_seen(&gaps, 4, 2000);
	assert_string_equal(missing(&gaps, 1000 + GAP_MS - 1), "1,3");
	assert_string_equal(missing(&gaps, 1000 + GAP_MS), "3");
	assert_string_equal(missing(&gaps, 2000 + GAP_MS), "");
}

static void
the_oldest_give_way(void **state)
{
	struct audit_gaps gaps = { .last = 0 };
	struct texts ids;

	(void)state;
	for (int64_t i = 1; i <= 2 * GAPS_MAX; i++)
		audit_gaps_seen(&gaps, 2 * i, 0);
	ids = audit_gaps_ids(&gaps, mem, 0);
	assert_int_equal(ids.n, GAPS_MAX);
	assert_true(text_is(ids.v[0], "2049"));
	/* A jump fills it at once, by what is nearest. */
	audit_gaps_seen(&gaps, INT64_C(1) << 60, 0);
	ids = audit_gaps_ids(&gaps, mem, 0);
	assert_int_equal(ids.n, GAPS_MAX);
	assert_true(text_is(ids.v[GAPS_MAX - 1], "1152921504606846975"));
	assert_true(text_is(ids.v[0], "1152921504606845952"));
}

/* Every character there is, in every member that is a text. */
static void
each_character_is_printable(void **state)
{
	static const audit_format formats[] = {
		audit_as_text, audit_as_json, audit_as_csv
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t f = 0; f < 3; f++)
		for (unsigned c = 0; c < 0x800; c++) {
			char s[2] = { (char)(0xc0 | c >> 6),
				(char)(0x80 | (c & 0x3f)) };
			const struct text t = c < 0x80 ?
			    (struct text){ &(char){ (char)c }, 1 } :
			    (struct text){ s, 2 };
			const struct audit_entry e = { .at = TIME_SECOND,
				.event = t, .ip = t, .request_id = t,
				.address = t, .detail = t };
			const char *end = f == 2 ? "\r\n" : "\n";
			struct text said;

			buf_reset(&out, SIZE_MAX);
			formats[f](&out, &e);
			said = buf_view(&out);
			assert_false(out.failed);
			assert_memory_equal(said.s + said.n - strlen(end),
			    end, strlen(end));
			for (size_t i = 0; i < said.n - strlen(end); i++)
				assert_in_range(said.s[i], ' ', '~');
		}
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_skipped_is_waited_for),
		cmocka_unit_test(for_a_minute),
		cmocka_unit_test(the_oldest_give_way),
		cmocka_unit_test(each_character_is_printable),
	};

	return cmocka_run_group_tests_name("cli_audit", tests, start, stop);
}
