/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: uniform digits, a hash that binds all three parts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/otp.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return crypto_init();
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	crypto_done();
	return 0;
}

static void
codes_are_digits(void **state)
{
	struct text code;

	(void)state;
	for (long n = 6; n <= 10; n++) {
		assert_int_equal(otp_make(mem, n, &code), 0);
		assert_int_equal(code.n, n);
		assert_int_equal(strspn(code.s, "0123456789"), n);
	}
	assert_int_equal(otp_make(mem, 0, &code), -EINVAL);
	assert_int_equal(otp_make(mem, 33, &code), -EINVAL);
}

/* Chi-squared over 60,000 digits, 9 degrees: 40 is beyond one in 10^5. */
static void
digits_are_uniform(void **state)
{
	const int codes = 10000;
	double seen[10] = { 0 }, chi = 0, want = codes * 6 / 10.0;
	struct text code;

	(void)state;
	for (int i = 0; i < codes; i++) {
		assert_int_equal(otp_make(mem, 6, &code), 0);
		for (size_t j = 0; j < code.n; j++)
			seen[code.s[j] - '0']++;
		arena_reset(mem);
	}
	for (int i = 0; i < 10; i++)
		chi += (seen[i] - want) * (seen[i] - want) / want;
	assert_true(chi < 40);
}

static void
hash_binds_everything(void **state)
{
	struct secret key = { .n = 32 }, other = { .n = 32, .b = { 1 } };
	uint8_t a[CRYPTO_HASH], b[CRYPTO_HASH];
	char big[1024];

	(void)state;
#define HASH(k, p, ad, c, out) \
	assert_int_equal(otp_hash(k, TEXT(p), TEXT(ad), TEXT(c), out), 0)
	HASH(&key, "login", "+989121234567", "123456", a);
	HASH(&key, "login", "+989121234567", "123456", b);
	assert_memory_equal(a, b, sizeof(a));
	HASH(&other, "login", "+989121234567", "123456", b);
	assert_memory_not_equal(a, b, sizeof(a));
	HASH(&key, "reset", "+989121234567", "123456", b);
	assert_memory_not_equal(a, b, sizeof(a));
	HASH(&key, "login", "+989121234568", "123456", b);
	assert_memory_not_equal(a, b, sizeof(a));
	HASH(&key, "login", "+98912123456", "7123456", b);
	assert_memory_not_equal(a, b, sizeof(a));
	HASH(&key, "login", "+989121234567", "123457", b);
	assert_memory_not_equal(a, b, sizeof(a));
#undef HASH
	memset(big, 'x', sizeof(big));
	assert_int_equal(otp_hash(&key, TEXT("login"), TEXT("a"),
	    (struct text){ big, sizeof(big) }, b), -EINVAL);
	assert_int_equal(otp_hash(&key, (struct text){ big, sizeof(big) },
	    TEXT("a"), TEXT("1"), b), -EINVAL);
	assert_int_equal(otp_hash(&key, TEXT("login"), (struct text){ big,
	    sizeof(big) }, TEXT("1"), b), -EINVAL);
	/* An empty code has a hash, which is nobody else's. */
	assert_int_equal(otp_hash(&key, TEXT("login"), TEXT("+989121234567"),
	    TEXT_NONE, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_digits),
		cmocka_unit_test(digits_are_uniform),
		cmocka_unit_test(hash_binds_everything),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
