/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Password hashes: parameters, no truncation, equal cost for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <time.h>

#include "core/password.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return password_init();
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static double
cpu_ms(void)
{
	return (double)clock() * 1000.0 / CLOCKS_PER_SEC;
}

static bool
is_right(struct text hash, struct text password)
{
	bool right = false;

	assert_int_equal(password_verify(mem, hash, password, &right), 0);
	return right;
}

static void
hash_and_verify(void **state)
{
	struct text hash, again;

	(void)state;
	assert_int_equal(password_hash(mem, TEXT("correct horse"), &hash), 0);
	assert_int_equal(password_hash(mem, TEXT("correct horse"), &again), 0);
	assert_memory_equal(hash.s, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
	assert_false(text_equal(hash, again));
	assert_true(is_right(hash, TEXT("correct horse")));
	assert_false(is_right(hash, TEXT("correct horsf")));
	assert_false(is_right(hash, TEXT("correct hors")));
	assert_false(is_right(hash, TEXT("")));
	assert_false(password_stale(hash, TEXT("x")));
}

static void
nul_does_not_cut(void **state)
{
	struct text hash;

	(void)state;
	assert_int_equal(password_hash(mem, TEXT("pass\0word"), &hash), 0);
	assert_true(is_right(hash, TEXT("pass\0word")));
	assert_false(is_right(hash, TEXT("pass")));
	assert_false(is_right(hash, TEXT("pass\0wore")));
}

/* 256 bytes count to the last: bcrypt would stop at 72. */
static void
long_ones_count_whole(void **state)
{
	char a[PASSWORD_MAX], b[PASSWORD_MAX];
	struct text hash;

	(void)state;
	memset(a, 'a', sizeof(a));
	memcpy(b, a, sizeof(b));
	b[sizeof(b) - 1] = 'b';
	assert_int_equal(password_hash(mem, (struct text){ a, sizeof(a) },
	    &hash), 0);
	assert_true(is_right(hash, (struct text){ a, sizeof(a) }));
	assert_false(is_right(hash, (struct text){ b, sizeof(b) }));
}

static void
foreign_hashes(void **state)
{
	(void)state;
	/* m=4096,t=1, as an older installation may hold it. */
	assert_true(password_stale(TEXT("$argon2id$v=19$m=4096,t=1,p=1$"
	    "AAAAAAAAAAAAAAAAAAAAAA$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), TEXT("x")));
	assert_true(password_stale(TEXT_NONE, TEXT("x")));
	assert_true(password_stale(TEXT(""), TEXT("x")));
	assert_true(password_stale(TEXT("$2b$10$abc"), TEXT("x")));
	assert_false(is_right(TEXT("$2b$10$abc"), TEXT("x")));
	assert_false(is_right(TEXT("$argon2id$v=19$m=19456"), TEXT("")));
}

#define SALT22 "AAAAAAAAAAAAAAAAAAAAAA"
#define TAG43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ARGON "$argon2id$v=19$"

/* What is nearly a PHC string of ours is nobody's password. */
static void
broken_hashes(void **state)
{
	static const struct text rows[] = {
		TEXT_INIT(ARGON "m=19456,t=2,p=1$" SALT22 "$" TAG43 "x"),
		TEXT_INIT(ARGON "m=19456,t=0,p=1$" SALT22 "$" TAG43),
		TEXT_INIT(ARGON "m=7,t=2,p=1$" SALT22 "$" TAG43),
		TEXT_INIT(ARGON "m=19456,t=2,p=1$AAAA$" TAG43),
		TEXT_INIT(ARGON "m=19456,t=2,p=1$!AAAAAAAAAAAAAAAAAAAAA$" TAG43),
		TEXT_INIT(ARGON "m=19456,t=2,p=1$" SALT22 "$AAAA"),
		TEXT_INIT(ARGON "m=19456,t=2,p=1$" SALT22 "$!AAA"),
		TEXT_INIT(ARGON "m=19456,t=2,p=2$" SALT22 "$" TAG43),
		TEXT_INIT("a\0b"),
		TEXT_INIT(TAG43 TAG43 TAG43),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(is_right(rows[i], TEXT("x")));
	assert_true(password_stale(TEXT("a\0b"), TEXT("x")));
	assert_true(password_stale(TEXT(TAG43 TAG43 TAG43), TEXT("x")));
}

/* Whoever checks for emptiness, it is not this one. */
static void
the_empty_password_is_one_too(void **state)
{
	struct text hash;

	(void)state;
	assert_int_equal(password_hash(mem, TEXT_NONE, &hash), 0);
	assert_true(is_right(hash, TEXT_NONE));
	assert_true(is_right(hash, TEXT("")));
	assert_false(is_right(hash, TEXT("x")));
}

/* However a keyboard spells it: one password. What was hashed elsewhere as it
 * was typed is right as it is. */
static void
spellings_are_one(void **state)
{
	struct text composed = TEXT("p\u00e1ssphrase");
	struct text apart = TEXT("pa\u0301ssphrase");
	/* by passlib, of the bytes of the second */
	struct text as_typed = TEXT("$pbkdf2-sha256$10$c2FsdHNhbHQ$"
	    "9nutnpS5Nj8aglvBTmIPRYRiAnt62ScOxrDBVIjB4oI");
	struct text hash;

	(void)state;
	assert_int_equal(password_hash(mem, apart, &hash), 0);
	assert_true(is_right(hash, composed));
	assert_true(is_right(hash, apart));
	assert_false(is_right(hash, TEXT("passphrase")));
	assert_int_equal(password_hash(mem, composed, &hash), 0);
	assert_true(is_right(hash, apart));
	assert_true(is_right(as_typed, apart));
	assert_false(is_right(as_typed, composed));
}

/* Bytes that are no UTF-8 are a password too, from a file or a form. */
static void
other_bytes_count(void **state)
{
	struct text hash;

	(void)state;
	assert_int_equal(password_hash(mem, TEXT("\xff\xfepassword"), &hash),
	    0);
	assert_true(is_right(hash, TEXT("\xff\xfepassword")));
	assert_false(is_right(hash, TEXT("\xff\xffpassword")));
}

static void
the_length_is_that_of_nfkc(void **state)
{
	char a[PASSWORD_MAX + 1];

	(void)state;
	memset(a, 'a', sizeof(a));
	assert_true(password_fits(mem, (struct text){ a, 8 }));
	assert_true(password_fits(mem, (struct text){ a, 256 }));
	assert_false(password_fits(mem, (struct text){ a, 7 }));
	assert_false(password_fits(mem, (struct text){ a, 257 }));
	assert_false(password_fits(mem, TEXT_NONE));
	/* Three letters, of three bytes each. */
	assert_false(password_fits(mem, TEXT("\uff41\uff42\uff43")));
}

static void
parameters_that_rose_make_it_stale(void **state)
{
	(void)state;
	assert_true(password_stale(TEXT(ARGON "m=19455,t=2,p=1$" SALT22 "$"
	    TAG43), TEXT("x")));
	assert_true(password_stale(TEXT(ARGON "m=19456,t=1,p=1$" SALT22 "$"
	    TAG43), TEXT("x")));
	assert_true(password_stale(TEXT("$argon2id$v=16$m=19456,t=2,p=1$" SALT22
	    "$" TAG43), TEXT("x")));
	assert_true(password_stale(TEXT(ARGON "m=19456,t=2,p=1$" SALT22 "$"
	    SALT22), TEXT("x")));
	assert_false(password_stale(TEXT(ARGON "m=19456,t=2,p=1$" SALT22 "$"
	    TAG43), TEXT("x")));
	assert_null(password_refusal(TEXT(ARGON "m=19456,t=2,p=1$" SALT22 "$"
	    TAG43)));
	assert_non_null(password_refusal(TEXT_NONE));
}

static void
nobody_costs_as_much(void **state)
{
	struct text hash;
	double t0, t1, t2, t3;

	(void)state;
	assert_int_equal(password_hash(mem, TEXT("correct horse"), &hash), 0);
	t0 = cpu_ms();
	for (int i = 0; i < 5; i++)
		assert_false(is_right(hash, TEXT("wrong")));
	t1 = cpu_ms();
	for (int i = 0; i < 5; i++)
		assert_false(is_right(TEXT_NONE, TEXT("wrong")));
	t2 = cpu_ms();
	for (int i = 0; i < 5; i++)
		assert_false(is_right(TEXT("broken"), TEXT("wrong")));
	t3 = cpu_ms();
	print_message("password: wrong %.1f ms, nobody %.1f ms, broken %.1f "
	    "ms\n", (t1 - t0) / 5, (t2 - t1) / 5, (t3 - t2) / 5);
	assert_true(t2 - t1 > (t1 - t0) / 3);
	assert_true(t3 - t2 > (t1 - t0) / 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_and_verify),
		cmocka_unit_test(nul_does_not_cut),
		cmocka_unit_test(long_ones_count_whole),
		cmocka_unit_test(foreign_hashes),
		cmocka_unit_test(broken_hashes),
		cmocka_unit_test(the_empty_password_is_one_too),
		cmocka_unit_test(spellings_are_one),
		cmocka_unit_test(other_bytes_count),
		cmocka_unit_test(the_length_is_that_of_nfkc),
		cmocka_unit_test(parameters_that_rose_make_it_stale),
		cmocka_unit_test(nobody_costs_as_much),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
