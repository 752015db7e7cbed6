/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Hashes of other programs: theirs are right, RFC vectors fit, and nothing
 * else is read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/argon2.h"
#include "core/bcrypt.h"
#include "core/hash.h"
#include "core/password.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return crypto_init() ? crypto_init() : password_init();
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	crypto_done();
	return 0;
}

static bool
is_right(struct text hash, struct text password)
{
	bool right = false;

	assert_int_equal(password_verify(mem, hash, password, &right), 0);
	return right;
}

/* "correct horse", by bcrypt, passlib, Werkzeug, argon2-cffi and in Django's
 * formats; tests/api/33_passwords.py asks those programs themselves. */
static const struct text theirs[] = {
	TEXT_INIT("$2b$04$miNMioPsB3PJ7LtJ1.svxu7UV0sKyVF5PTaKD5gSRYry7kLuHcl"
	    "3C"),
	TEXT_INIT("$2a$04$p0tNweiw7xNn4qKe1AzQV.9rcXnzJaVsVZcnJqgZmHuvkXr0KNf"
	    "2C"),
	TEXT_INIT("$2y$04$7OCRNt5oGJFy4BWrk9zFgu5TzytXPsHoTbagi0VBlFPaKRFffVe"
	    "iC"),
	TEXT_INIT("$2b$04$uBjlbmI6ZzVmlAI2HrVaEuUZxURKzBIO5r2adhzTYYOG0ggkieT"
	    "tO"),
	TEXT_INIT("$pbkdf2$10$rfWek3Ku1RoDYOx9rxXCmA$lJauygKEGNqcXJxQk4cbZ7lG"
	    "fCc"),
	TEXT_INIT("$pbkdf2-sha256$10$ZaxVijGmdA5hrFWKEcKYUw$8GxS7YvrEfj3l.bKA"
	    "0.dK1VD6Jrl3LKcmmRapITJPdA"),
	TEXT_INIT("$pbkdf2-sha512$10$.T9n7D3HGIPwHoMQIkRICQ$y87r9Xcg2VeelwFoS"
	    "nnsx6bFF6ygWH.J2D4zRG5IjkVnfKJT1477Z28Y1NPjpeXcFYzqpS1/Ycw"
	    "kNrZB29M/9g"),
	TEXT_INIT("pbkdf2_sha256$10$AaRtgX3Sy0F8$MzwbwuG35aR42NbLOQxuvdptsBvc"
	    "DesZZ0HXem9joBs="),
	TEXT_INIT("pbkdf2_sha1$10$uY4gL9n8JNe5$8W4qOP9XZnbGTUUIJoXQqp06hXg="),
	TEXT_INIT("bcrypt$$2b$04$hWbl31KyM1l0g.lrrD3YHu2unkkiVC497CoIUkUkiurT"
	    "7lFKY60iG"),
	TEXT_INIT("bcrypt_sha256$$2b$04$DXS7QW30MrWmFWhrrgPH2uvuallbECC54kJ27"
	    "yRqeYYlypK8CDcH6"),
	TEXT_INIT("argon2$argon2i$v=19$m=64,t=1,p=2$XEtJaa11DuEcY6xVqnUOAQ$YL"
	    "zUgoJr1MuVSUiqHnZwNw"),
	TEXT_INIT("pbkdf2:sha256:10$L4QQlQpgliXcsMzU$b6c4da65804b479159f175d0"
	    "bbf56e23b4b037aa9578a2959ba6e491f2694ed8"),
	TEXT_INIT("pbkdf2:sha1:10$a8Oc14noNCtw3WeL$3c3db5996d284c165c5d847a98"
	    "17093a55c8eaa1"),
	TEXT_INIT("pbkdf2:sha512:10$f4IUCkUeKq4oKlw7$b0b5f71e453e35edc2ab8ef8"
	    "316f3879f14262552b6e724c18be7ee7427abcae32070a8c0d56e5bcdc"
	    "ab70b0d4dd9884377807bd839a96b436273db78da12a46"),
	TEXT_INIT("$scrypt$ln=4,r=8,p=1$3JvzPifE2FtrzRnjvPfeWw$rMkoNbHiWWkFks"
	    "BeUPjELpeDhDu3J38akaidfobSHVM"),
	TEXT_INIT("$argon2d$v=19$m=64,t=1,p=4$Jb/zODYaQ1jH29L+OoxzTA$RGm/d3O6"
	    "EBJWahhiy8i9bw"),
	TEXT_INIT("$argon2i$v=19$m=64,t=1,p=4$xJQIZ6XSvO/D49j2hduAhQ$AhANRtXe"
	    "6LOpyY2UTyYIOw"),
	TEXT_INIT("$argon2id$v=19$m=64,t=1,p=4$MtRJ4SWhCcnEhKNoll6STw$awGEGPZ"
	    "XK4LMUXSLddiPoA"),
	TEXT_INIT("$argon2id$v=19$m=64,t=2,p=1$M2YMoVQKYWyNUao1$jPhEetykgOaSr"
	    "w9/LnZToA"),
	TEXT_INIT("scrypt:16:8:1$saltsalt$e5e247cfeaf45a518856d6ecceab02522ab"
	    "a08cc499c1d58243a5a72cd2349949716be15c574aed5be862207e18a4"
	    "4597886f4fc74ad6fb196f1f595c31fd9d2"),
	TEXT_INIT("scrypt$16$saltsalt$8$1$5eJHz+r0WlGIVtbszqsCUiq6CMxJnB1YJDp"
	    "acs0jSZSXFr4VxXSu1b6GIgfhikRZeIb0/HStb7GW8fWVwx/Z0g=="),
	TEXT_INIT("$argon2i$v=16$m=64,t=1,p=1$c29tZXNhbHQ$Zwh9HkB9sVC2AdHAuhN"
	    "PEPZWQ7k3Tgek4nbdKX8mAXA"),
	TEXT_INIT("$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$qlDRLWd"
	    "aWXC3qOQ1YJVNXPIdJG4u7A9jWgNWRhA5J0w"),
};

#define THEIRS (sizeof(theirs) / sizeof(theirs[0]))

static void
theirs_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < THEIRS; i++) {
		print_message("%.*s\n", TEXT_FMT(theirs[i]));
		assert_null(password_refusal(theirs[i]));
		assert_true(is_right(theirs[i], TEXT("correct horse")));
		assert_false(is_right(theirs[i], TEXT("correct horsf")));
		assert_false(is_right(theirs[i], TEXT("correct hors")));
		assert_false(is_right(theirs[i], TEXT_NONE));
		assert_true(password_stale(theirs[i], TEXT("correct horse")));
	}
}

/* RFC 7914 §12 and §11, RFC 6070; Argon2's own reference vector (those of RFC
 * 9106 use a secret and data, for which no format has room). */
static void
published_vectors(void **state)
{
	(void)state;
	assert_true(is_right(TEXT("scrypt:1024:8:16$NaCl$"
	    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
	    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
	    TEXT("password")));
	assert_true(is_right(TEXT("pbkdf2:sha256:1$salt$"
	    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
	    "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"),
	    TEXT("passwd")));
	assert_true(is_right(TEXT("pbkdf2:sha1:4096$salt$"
	    "4b007901b765489abead49d926f721d065a429c1"), TEXT("password")));
	assert_true(is_right(TEXT("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
	    "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
	    TEXT("password")));
}

/* 72 letters a and a b. */
static const struct text long_bcrypt = TEXT_INIT(
    "$2b$04$heez4SjqGAXZtAq/Y1qWEOQ1HGX/iXibTkysF6LfRY/XhV4XPvdKu");

/* What follows byte 72 was never looked at. It is not: its hash is not made
 * anew either, or a typing error there would become the password. */
static void
bcrypt_stops_at_72(void **state)
{
	char a[80];

	(void)state;
	memset(a, 'a', sizeof(a));
	assert_true(is_right(long_bcrypt, (struct text){ a, 72 }));
	assert_true(is_right(long_bcrypt, (struct text){ a, 80 }));
	assert_false(is_right(long_bcrypt, (struct text){ a, 71 }));
	assert_true(password_stale(long_bcrypt, (struct text){ a, 72 }));
	assert_false(password_stale(long_bcrypt, (struct text){ a, 73 }));
}

/* What is hashed first has no such end. */
static void
django_bcrypt_does_not_stop(void **state)
{
	const struct text hash = theirs[10];
	char a[80];

	(void)state;
	memset(a, 'a', sizeof(a));
	assert_memory_equal(hash.s, "bcrypt_sha256$$2b$", 18);
	assert_true(password_stale(hash, (struct text){ a, 80 }));
}

/* A NUL would end the password for bcrypt, and let anything follow. */
static void
bcrypt_takes_no_nul(void **state)
{
	struct text hash = theirs[0];

	(void)state;
	assert_false(is_right(hash, TEXT("correct horse\0")));
	assert_false(is_right(hash, TEXT("correct horse\0battery")));
}

/* What hash_parse lets through never gets this far. */
static void
broken_parameters_are_faults(void **state)
{
	struct hash h;
	uint8_t out[HASH_TAG_MAX];

	(void)state;
	assert_null(hash_parse(long_bcrypt, &h));
	h.bcrypt[4] = '9';
	assert_int_equal(bcrypt_tag(&h, TEXT("x"), out), -EIO);
	assert_null(hash_parse(theirs[16], &h));
	assert_int_equal(argon2_tag(&h, TEXT("x"), out), 0);
	h.n_tag = 2;
	assert_int_equal(argon2_tag(&h, TEXT("x"), out), -EINVAL);
}

#define SALT22 "AAAAAAAAAAAAAAAAAAAAAA"
#define TAG43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ENDS SALT22 "$" TAG43
#define HEX32 "00112233445566778899aabbccddeeff"
#define BCRYPT53 "abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *why;	/* its first words; NULL: it is taken */
	struct text hash;
} rows[] = {
#define ROW(why, text) { why, TEXT_INIT(text) }
	ROW("is of no", ""),
	ROW("is of no", "plain"),
	ROW("is of no", "$1$salt$hash"),
	ROW("is of no", "sha256$salt$hash"),
	ROW("is of no", "pbkdf2_sha256$10$salt\0$" HEX32),
	ROW("is of no", LONG LONG LONG LONG LONG LONG LONG LONG "x"),
	/* Argon2 */
	ROW(NULL, "$argon2id$v=19$m=19456,t=2,p=1$" ENDS),
	ROW(NULL, "$argon2i$m=64,t=2,p=8$" ENDS),
	ROW("is mal", "$argon2x$v=19$m=19456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=17$m=19456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=x$m=19456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19,m=19456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$x=19456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=x,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=019456,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=99999999999,t=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,x=2,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=x,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,x=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=x$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1,keyid=a$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=0,p=1$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=0$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=15,t=2,p=2$" ENDS),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$" TAG43),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$$" TAG43),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$A!AA$" TAG43),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$A-AA$" TAG43),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$A_AA$" TAG43),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$" SALT22),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$" SALT22 "$AAAA"),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$" ENDS "$"),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$" ENDS "$x"),
	ROW("is mal", "$argon2id$v=19$m=19456,t=2,p=1$" SALT22 "$" LONG LONG
	    LONG),
	ROW("would", "$argon2id$v=19$m=262145,t=1,p=1$" ENDS),
	ROW("would", "$argon2id$v=19$m=262144,t=5,p=1$" ENDS),
	ROW("would", "$argon2id$v=19$m=262144,t=1,p=65$" ENDS),
	ROW(NULL, "$argon2id$v=19$m=262144,t=4,p=64$" ENDS),
	/* bcrypt */
	ROW(NULL, "$2b$14$" BCRYPT53),
	ROW("would", "$2b$15$" BCRYPT53),
	ROW("would", "$2b$31$" BCRYPT53),
	ROW("is mal", "$2b$32$" BCRYPT53),
	ROW("is mal", "$2b$03$" BCRYPT53),
	ROW("is mal", "$2b$10$abc"),
	ROW("is mal", "$2"),
	ROW("is mal", "$2x$10$" BCRYPT53),
	ROW("is mal", "$2b_10$" BCRYPT53),
	ROW("is mal", "$2b$x0$" BCRYPT53),
	ROW("is mal", "$2b$1x$" BCRYPT53),
	ROW("is mal", "$2b$10_" BCRYPT53),
	ROW("is mal", "$2b$10$abcdefghijklmnopqrstuv"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123*"),
	ROW("is mal", "$2b$10$abcdefghijklmnopqrstuv"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123["),
	ROW("is mal", "$2b$10$abcdefghijklmnopqrstuv"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123{"),
	ROW(NULL, "bcrypt$$2b$10$" BCRYPT53),
	ROW("is mal", "bcrypt_sha256$$2b$10$abc"),
	/* PBKDF2 */
	ROW(NULL, "pbkdf2:sha256:2000000$salt$" HEX32),
	ROW(NULL, "pbkdf2:sha256:1$salt$" HEX32),
	ROW("would", "pbkdf2:sha256:2000001$salt$" HEX32),
	ROW("would", "pbkdf2:sha256:1000001$salt$" HEX32 HEX32 "00"),
	ROW(NULL, "pbkdf2:sha256:1000000$salt$" HEX32 HEX32 "00"),
	ROW("would", "pbkdf2:sha1:1000001$salt$" HEX32 "0011223344"),
	ROW(NULL, "pbkdf2:sha512:2000000$salt$" HEX32 HEX32 HEX32 HEX32),
	ROW("would", "pbkdf2:sha512:1000001$salt$" LONG LONG "00"),
	ROW("is mal", "pbkdf2:sha256:0$salt$" HEX32),
	ROW("is of no", "pbkdf2:sha256$salt$" HEX32 "x"),
	ROW("is mal", "pbkdf2:sha256:$salt$" HEX32),
	ROW("is mal", "pbkdf2:sha256:10:salt$" HEX32),
	ROW("is mal", "pbkdf2:sha256:10$$" HEX32),
	ROW("is mal", "pbkdf2:sha256:10$salt$" HEX32 "0"),
	ROW("is mal", "pbkdf2:sha256:10$salt$x0" HEX32),
	ROW("is mal", "pbkdf2:sha256:10$salt$0x" HEX32),
	ROW("is mal", "pbkdf2:sha256:10$salt$0011"),
	ROW("is mal", "pbkdf2:sha256:10$salt$" LONG LONG LONG LONG "00"),
	ROW("is mal", "pbkdf2:sha256:10$" LONG LONG "x$" HEX32),
	ROW("is mal", "pbkdf2_sha256$10$salt$==="),
	ROW("is mal", "pbkdf2_sha256$10$salt$="),
	ROW("is mal", "$pbkdf2-sha256$10$salt"),
	/* scrypt */
	ROW(NULL, "scrypt:262144:8:1$salt$" HEX32),
	ROW(NULL, "scrypt:32768:1:64$salt$" HEX32),
	ROW("would", "scrypt:262144:8:2$salt$" HEX32),
	ROW("would", "scrypt:4194304:8:1$salt$" HEX32),
	ROW("would", "scrypt:16:4194304:1$salt$" HEX32),
	ROW("would", "scrypt:16:8:4194304$salt$" HEX32),
	ROW("would", "scrypt:2147483648:2:2147483648$salt$" HEX32),
	ROW("is mal", "scrypt:65536:1:1$salt$" HEX32),
	ROW("is mal", "scrypt:1:8:1$salt$" HEX32),
	ROW("is mal", "scrypt:17:8:1$salt$" HEX32),
	ROW("is mal", "scrypt:16:0:1$salt$" HEX32),
	ROW("is mal", "scrypt:16:8:0$salt$" HEX32),
	ROW("is mal", "scrypt:x:8:1$salt$" HEX32),
	ROW("is mal", "scrypt:16$8:1$salt$" HEX32),
	ROW("is mal", "scrypt:16:x:1$salt$" HEX32),
	ROW("is mal", "scrypt:16:8$1$salt$" HEX32),
	ROW("is mal", "scrypt:16:8:x$salt$" HEX32),
	ROW("is mal", "scrypt:16:8:1:salt$" HEX32),
	ROW("is mal", "scrypt:16:8:1$salt$" HEX32 "$"),
	ROW(NULL, "scrypt$16$salt$8$1$" TAG43 "="),
	ROW("is mal", "scrypt$x$salt$8$1$" TAG43),
	ROW("is mal", "scrypt$16:salt$8$1$" TAG43),
	ROW("is mal", "scrypt$16$$8$1$" TAG43),
	ROW("is mal", "scrypt$16$" LONG LONG "x$8$1$" TAG43),
	ROW("is mal", "scrypt$16$salt$x$1$" TAG43),
	ROW("is mal", "scrypt$16$salt$8:1$" TAG43),
	ROW("is mal", "scrypt$16$salt$8$x$" TAG43),
	ROW("is mal", "scrypt$16$salt$8$1:" TAG43),
	ROW("is mal", "scrypt$16$salt$8$1$" TAG43 "!"),
	ROW("is mal", "scrypt$16$salt$8$1$" TAG43 "$x"),
	ROW("is mal", "scrypt$16$salt$8$1$AAAA"),
	ROW(NULL, "$scrypt$ln=4,r=8,p=1$" ENDS),
	ROW("is mal", "$scrypt$xx=4,r=8,p=1$" ENDS),
	ROW("is mal", "$scrypt$ln=x,r=8,p=1$" ENDS),
	ROW("is mal", "$scrypt$ln=4,x=8,p=1$" ENDS),
	ROW("is mal", "$scrypt$ln=4,r=x,p=1$" ENDS),
	ROW("is mal", "$scrypt$ln=4,r=8,x=1$" ENDS),
	ROW("is mal", "$scrypt$ln=4,r=8,p=x$" ENDS),
	ROW("is mal", "$scrypt$ln=4,r=8,p=1x" ENDS),
	ROW("is mal", "$scrypt$ln=4,r=8,p=1$" SALT22),
	ROW("is mal", "$scrypt$ln=0,r=8,p=1$" ENDS),
	ROW("would", "$scrypt$ln=32,r=8,p=1$" ENDS),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
what_is_refused_says_why(void **state)
{
	struct hash h;

	(void)state;
	assert_string_equal(hash_parse(TEXT_NONE, &h),
	    "is of no format that is known");
	for (size_t i = 0; i < ROWS; i++) {
		const char *why = hash_parse(rows[i].hash, &h);

		print_message("%.*s\n", TEXT_FMT(rows[i].hash));
		assert_int_equal(!why, !rows[i].why);
		if (why)
			assert_memory_equal(why, rows[i].why,
			    strlen(rows[i].why));
		if (why)
			assert_false(is_right(rows[i].hash, TEXT("x")));
	}
}

/* Every beginning of a hash is refused, and every byte of it matters. */
static void
no_part_is_a_hash(void **state)
{
	char changed[HASH_TEXT];
	struct hash h;

	(void)state;
	for (size_t i = 0; i < THEIRS; i++) {
		const char *tag = memrchr(theirs[i].s, '$', theirs[i].n);
		const size_t least = (size_t)(tag - theirs[i].s) + 21;

		for (size_t n = 0; n < least && n < theirs[i].n; n++)
			assert_non_null(hash_parse(
			    (struct text){ theirs[i].s, n }, &h));
		memcpy(changed, theirs[i].s, theirs[i].n);
		changed[theirs[i].n - 8] ^= 1;
		assert_false(is_right(
		    (struct text){ changed, theirs[i].n },
		    TEXT("correct horse")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(theirs_are_right),
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(bcrypt_stops_at_72),
		cmocka_unit_test(django_bcrypt_does_not_stop),
		cmocka_unit_test(bcrypt_takes_no_nul),
		cmocka_unit_test(broken_parameters_are_faults),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(no_part_is_a_hash),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
