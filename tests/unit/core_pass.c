/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate's pass: what was made is taken until its end, nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "core/pass.h"

static struct arena *mem;
static struct secret key = { .n = 32 };
static const struct pass pass = {
	{ { 1, 2, 3 } }, { { 4, 5, 6 } }, 1700000000
};

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	memset(key.b, 7, 32);
	return mem ? crypto_init() : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	crypto_done();
	return 0;
}

static struct text
made(void)
{
	struct text text = TEXT_NONE;

	assert_int_equal(pass_make(mem, &key, &pass, &text), 0);
	assert_int_equal(text.n, 76);
	return text;
}

static void
what_was_made_is_taken_until_its_end(void **state)
{
	struct pass got = { .until = 0 };

	(void)state;
	assert_int_equal(pass_parse(&key, made(), pass.until - 1, &got), 0);
	assert_true(uuid_equal(&got.user_id, &pass.user_id));
	assert_true(uuid_equal(&got.session_id, &pass.session_id));
	assert_int_equal(got.until, pass.until);
	assert_int_equal(pass_parse(&key, made(), pass.until, &got), E_TOKEN);
	assert_int_equal(pass_parse(&key, made(), INT64_MAX, &got), E_TOKEN);
}

static void
nothing_else_is(void **state)
{
	const struct text text = made();
	struct secret other = key;
	struct pass got;
	uint8_t bytes[64 + CRYPTO_HASH];
	size_t n;

	(void)state;
	other.b[0] ^= 1;
	assert_int_equal(pass_parse(&other, text, 0, &got), E_TOKEN);
	assert_int_equal(pass_parse(&key, TEXT_NONE, 0, &got), E_TOKEN);
	for (size_t i = 0; i < text.n; i++) {
		char *copy = arena_copy(mem, text.s, text.n);

		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(pass_parse(&key,
		    (struct text){ copy, text.n }, 0, &got), E_TOKEN);
		assert_int_equal(pass_parse(&key,
		    (struct text){ text.s, i }, 0, &got), E_TOKEN);
	}
	/* Signed by the right key, but of another kind. */
	assert_true(base64url_decode(text, bytes, sizeof(bytes), &n));
	bytes[0] = 2;
	assert_int_equal(crypto_hmac(&key, bytes, n - 16, bytes + n - 16), 0);
	assert_int_equal(pass_parse(&key, base64url_encode(mem, bytes, n), 0,
	    &got), E_TOKEN);
}

static void
without_a_key_there_is_none(void **state)
{
	struct secret none = { .n = 0 };
	struct pass got;
	struct text text;

	(void)state;
	assert_true(pass_make(mem, &none, &pass, &text) < 0);
	assert_true(pass_parse(&none, made(), 0, &got) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_taken_until_its_end),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(without_a_key_there_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
