/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/uuid: text, version 7 layout, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/uuid.h"

/* The example of RFC 9562, appendix A.6. */
#define RFC_TEXT "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
#define RFC_MS UINT64_C(0x017f22e279b0)

static const uint8_t rfc_random[10] = {
	0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f
};

static void
makes_version_7(void **state)
{
	struct uuid id = uuid_v7(RFC_MS, rfc_random), want;

	(void)state;
	assert_true(uuid_parse(TEXT(RFC_TEXT), &want));
	assert_memory_equal(&id, &want, sizeof(id));
	assert_int_equal(uuid_ms(&id), RFC_MS);
}

static void
sets_version_and_variant_whatever_the_bytes(void **state)
{
	uint8_t ones[10], zeros[10] = { 0 };
	struct uuid a, b;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	a = uuid_v7(UINT64_C(0xffffffffffff), ones);
	b = uuid_v7(0, zeros);
	assert_int_equal(a.b[6] >> 4, 7);
	assert_int_equal(b.b[6] >> 4, 7);
	assert_int_equal(a.b[8] >> 6, 2);
	assert_int_equal(b.b[8] >> 6, 2);
	assert_int_equal(uuid_ms(&a), UINT64_C(0xffffffffffff));
	assert_int_equal(uuid_ms(&b), 0);
}

static void
sorts_by_time(void **state)
{
	uint8_t ones[10], zeros[10] = { 0 };
	struct uuid early, late;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	early = uuid_v7(1700000000000, ones);
	late = uuid_v7(1700000000001, zeros);
	assert_true(memcmp(&early, &late, sizeof(early)) < 0);
}

static void
prints_what_it_reads(void **state)
{
	char out[UUID_CHARS];
	struct uuid id;

	(void)state;
	assert_true(uuid_parse(TEXT("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"),
	    &id));
	uuid_format(&id, out);
	assert_memory_equal(out, RFC_TEXT, UUID_CHARS);
}

static void
refuses_other_shapes(void **state)
{
	static const char *const bad[] = {
		"", "0", "017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"{17f22e2-79b0-7cc3-98c4-dc0c0c073980}",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
		" 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c0739 f",
		"-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
	};
	struct uuid id = { { 42 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (uuid_parse(text_of(bad[i]), &id))
			fail_msg("took \"%s\"", bad[i]);
	assert_false(uuid_parse(TEXT_NONE, &id));
	/* untouched */
	assert_int_equal(id.b[0], 42);
}

static void
nil_is_absent(void **state)
{
	struct uuid id = { { 0 } };

	(void)state;
	assert_true(uuid_is_nil(&id));
	id.b[15] = 1;
	assert_false(uuid_is_nil(&id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_version_7),
		cmocka_unit_test(sets_version_and_variant_whatever_the_bytes),
		cmocka_unit_test(sorts_by_time),
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(refuses_other_shapes),
		cmocka_unit_test(nil_is_absent),
	};

	return cmocka_run_group_tests_name("base_uuid", tests, NULL, NULL);
}
