/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ES256: published vectors, both notations, and nothing but the lower s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/ecdsa.h"
#include "base/error.h"

/* RFC 6979 A.2.5: the key, and the signature of "sample" with SHA-256. */
#define KEY "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define X "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
#define Y "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
#define R "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
#define S "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
#define ORDER "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define HALF "7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8"
#define ABOVE "7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A9"
#define LAST "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define TOP "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"

static struct crypto_pair pair;

static void
bytes(const char *hex, uint8_t *out)
{
	for (; *hex; hex += 2)
		*out++ = (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1]));
}

static int
setup(void **state)
{
	struct secret d = { .n = 32 };

	(void)state;
	bytes(KEY, d.b);
	return crypto_init() || crypto_pair_load(&d, &pair);
}

static int
teardown(void **state)
{
	(void)state;
	crypto_pair_done(&pair);
	crypto_pair_done(&pair);
	crypto_done();
	return 0;
}

static void
the_public_point(void **state)
{
	uint8_t want[CRYPTO_POINT] = { 4 };

	(void)state;
	bytes(X Y, want + 1);
	assert_memory_equal(pair.point, want, sizeof(want));
}

/* The published s is the upper one: its mirror is taken, it is not. */
static void
a_published_signature(void **state)
{
	uint8_t raw[ECDSA_BYTES], der[ECDSA_DER] = { 0x30, 70, 2, 33, 0 };

	(void)state;
	bytes(R S, raw);
	assert_int_equal(ecdsa_verify(&pair, TEXT("sample"), raw), E_SEAL);
	bytes(R, der + 5);
	memcpy(der + 37, (uint8_t[]){ 2, 33, 0 }, 3);
	bytes(S, der + 40);
	assert_true(ecdsa_from_der(der, 72, raw));
	assert_int_equal(ecdsa_verify(&pair, TEXT("sample"), raw), 0);
	assert_int_equal(ecdsa_verify(&pair, TEXT("samplf"), raw), E_SEAL);
}

static void
what_is_signed_is_taken(void **state)
{
	uint8_t raw[ECDSA_BYTES], other[ECDSA_BYTES], half[32];
	struct crypto_pair stranger;
	struct secret d = { .n = 32 };

	(void)state;
	bytes(ONE, d.b);
	bytes(HALF, half);
	assert_int_equal(crypto_pair_load(&d, &stranger), 0);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(ecdsa_sign(&pair, TEXT("words"), raw), 0);
		assert_true(memcmp(raw + 32, half, 32) <= 0);
		assert_int_equal(ecdsa_verify(&pair, TEXT("words"), raw), 0);
		assert_int_equal(ecdsa_verify(&pair, TEXT("word"), raw),
		    E_SEAL);
		assert_int_equal(ecdsa_verify(&stranger, TEXT("words"), raw),
		    E_SEAL);
		memcpy(other, raw, sizeof(other));
		other[i] ^= 1;
		assert_int_equal(ecdsa_verify(&pair, TEXT("words"), other),
		    E_SEAL);
	}
	/* Each has a nonce of its own. */
	assert_int_equal(ecdsa_sign(&pair, TEXT("words"), other), 0);
	assert_memory_not_equal(raw, other, 32);
	crypto_pair_done(&stranger);
}

static void
scalars(void **state)
{
	static const struct {
		const char *hex;
		bool sane;
	} rows[] = {
		{ ZERO, false }, { ONE, true }, { LAST, true },
		{ ORDER, false }, { TOP, false }, { HALF, true },
	};
	uint8_t d[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes(rows[i].hex, d);
		assert_int_equal(ecdsa_scalar(d), rows[i].sane);
	}
}

static void
numbers_out_of_range(void **state)
{
	static const char *const rows[] = {
		ZERO ZERO, ONE ZERO, ZERO ONE, ORDER ONE, ONE ORDER, TOP TOP,
		ONE ABOVE, ONE LAST, TOP ONE, ONE TOP,
	};
	uint8_t raw[ECDSA_BYTES], der[ECDSA_DER];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes(rows[i], raw);
		assert_int_equal(ecdsa_to_der(raw, der), 0);
		assert_int_equal(ecdsa_verify(&pair, TEXT("sample"), raw),
		    E_SEAL);
	}
}

static void
back_and_forth(void **state)
{
	static const char *const rows[] = {
		ONE ONE, ONE HALF, LAST ONE, LAST HALF, R ONE,
		("0000000000000000000000000000000000000000000000000000000000000080"
		"00000000000000000000000000000000000000000000000000000000000000ff"),
	};
	uint8_t raw[ECDSA_BYTES], again[ECDSA_BYTES], der[ECDSA_DER];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n;

		bytes(rows[i], raw);
		n = ecdsa_to_der(raw, der);
		assert_true(n > 0 && n <= ECDSA_DER);
		assert_true(ecdsa_from_der(der, n, again));
		assert_memory_equal(raw, again, sizeof(raw));
		for (size_t k = 0; k < n; k++)
			assert_false(ecdsa_from_der(der, k, again));
	}
}

static void
no_der(void **state)
{
	static const struct {
		size_t n;
		uint8_t der[44];
	} rows[] = {
		{ 0, { 0 } }, { 1, { 0x30 } }, { 3, { 0x30, 1, 2 } },
		{ 5, { 0x30, 3, 2, 1, 1 } },
		{ 8, { 0x31, 6, 2, 1, 1, 2, 1, 1 } },
		{ 8, { 0x30, 7, 2, 1, 1, 2, 1, 1 } },
		{ 8, { 0x30, 6, 3, 1, 1, 2, 1, 1 } },
		{ 8, { 0x30, 6, 2, 1, 1, 3, 1, 1 } },
		{ 8, { 0x30, 6, 2, 0, 2, 2, 1, 1 } },
		{ 8, { 0x30, 6, 2, 1, 0, 2, 1, 1 } },
		{ 8, { 0x30, 6, 2, 1, 1, 2, 1, 0 } },
		{ 8, { 0x30, 6, 2, 1, 1, 2, 2, 1 } },
		{ 9, { 0x30, 7, 2, 1, 1, 2, 1, 1, 0 } },
		{ 42, { 0x30, 40, 2, 34, 1 } },
		{ 42, { 0x30, 40, 2, 33, 1 } },
	};
	uint8_t raw[ECDSA_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(ecdsa_from_der(rows[i].der, rows[i].n, raw));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_public_point),
		cmocka_unit_test(a_published_signature),
		cmocka_unit_test(what_is_signed_is_taken),
		cmocka_unit_test(scalars),
		cmocka_unit_test(numbers_out_of_range),
		cmocka_unit_test(back_and_forth),
		cmocka_unit_test(no_der),
	};

	return cmocka_run_group_tests_name("base_ecdsa", tests, setup,
	    teardown);
}
