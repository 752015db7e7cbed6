/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/crypto: published vectors, tampering, one spelling of base64url. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/error.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(4096);
	return mem && crypto_init() == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	crypto_done();
	arena_free(mem);
	return 0;
}

/* "0bff" -> bytes, in mem. */
static struct text
unhex(const char *s)
{
	size_t n = strlen(s) / 2;
	char *out = arena_alloc(mem, n + 1);

	for (size_t i = 0; i < n; i++) {
		unsigned v;

		assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
		out[i] = (char)v;
	}
	return (struct text){ out, n };
}

static void
assert_hex(const void *got, const char *want)
{
	struct text t = unhex(want);

	assert_memory_equal(got, t.s, t.n);
}

static struct secret
key_of(const char *hex)
{
	struct text t = unhex(hex);
	struct secret key = { .n = t.n };

	memcpy(key.b, t.s, t.n);
	return key;
}

static void
hashes(void **state)
{
	uint8_t out[CRYPTO_HASH];

	(void)state;
	/* twice: the context is reused */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(crypto_sha256("abc", 3, out), 0);
		assert_hex(out, "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad");
		assert_int_equal(crypto_sha256("", 0, out), 0);
		assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855");
	}
}

static void
digests(void **state)
{
	uint8_t a[16], b[16];
	char text[64] = { 0 };

	(void)state;
	/* the GCM specification's case 13 */
	assert_int_equal(crypto_digest("", 0, a), 0);
	assert_hex(a, "530f8afbc74536b9a963b4f1c4cb738b");
	/* every byte and the length count, and no call changes the next */
	assert_int_equal(crypto_digest(text, sizeof(text), a), 0);
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = 1;
		assert_int_equal(crypto_digest(text, sizeof(text), b), 0);
		assert_memory_not_equal(a, b, 16);
		text[i] = 0;
		assert_int_equal(crypto_digest(text, i, b), 0);
		assert_memory_not_equal(a, b, 16);
	}
	assert_int_equal(crypto_digest(text, sizeof(text), b), 0);
	assert_memory_equal(a, b, 16);
}

/* RFC 4231, cases 1 and 2. */
static void
macs(void **state)
{
	static const char case2[] = "what do ya want for nothing?";
	struct secret one = key_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
	    two = key_of("4a656665"), none = { .n = 0 };
	uint8_t out[CRYPTO_HASH];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(crypto_hmac(&one, "Hi There", 8, out), 0);
		assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7");
		assert_int_equal(crypto_hmac(&two, case2, sizeof(case2) - 1,
		    out), 0);
		assert_hex(out, "5bdcc146bf60754e6a042426089575c7"
		    "5a003f089d2739839dec58b964ec3843");
		/* must not go on with the key before */
		assert_int_equal(crypto_hmac(&none, "x", 1, out), -EINVAL);
	}
}

/* RFC 5869 test case 3 (no salt, no info), and the same with an info. */
static void
derives(void **state)
{
	struct secret master =
	    key_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), key,
	    none = { .n = 0 };

	(void)state;
	assert_int_equal(crypto_derive(&master, "", &key), 0);
	assert_int_equal(key.n, 32);
	assert_hex(key.b, "8da4e775a563c18f715f802a063c5a31"
	    "b8a11f5c5ee1879ec3454e5f3c738d2d");
	assert_int_equal(crypto_derive(&master, "otp", &key), 0);
	assert_hex(key.b, "a46804c238664a37f7e7aa3083a028e2"
	    "915fbbaa88575cbeb4d7be849da54beb");
	assert_int_equal(crypto_derive(&none, "otp", &key), -EINVAL);
	secret_done(&key);
	assert_int_equal(key.n, 0);
	assert_int_equal(key.b[0], 0);
}

/* The GCM specification's cases 14 and 16. */
static void
opens_published_vectors(void **state)
{
	struct secret zero = key_of("00000000000000000000000000000000"
	    "00000000000000000000000000000000");
	struct secret key = key_of("feffe9928665731c6d6a8f9467308308"
	    "feffe9928665731c6d6a8f9467308308");
	struct text out;

	(void)state;
	assert_int_equal(crypto_open(mem, &zero, TEXT(""),
	    unhex("000000000000000000000000"
	    "cea7403d4d606b6e074ec5d3baf39d18"
	    "d0d1c8a799996bf0265b98b5d48ab919"), &out), 0);
	assert_int_equal(out.n, 16);
	assert_hex(out.s, "00000000000000000000000000000000");
	assert_int_equal(crypto_open(mem, &key,
	    unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
	    unhex("cafebabefacedbaddecaf888"
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b"), &out), 0);
	assert_int_equal(out.n, 60);
	assert_hex(out.s,
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

static void
seals_and_opens(void **state)
{
	struct secret key = { .n = 32, .b = { 1, 2, 3 } };
	struct text aad = TEXT("row 1"), plain = TEXT("123456"), a, b, out;

	(void)state;
	assert_int_equal(crypto_seal(mem, &key, aad, plain, &a), 0);
	assert_int_equal(crypto_seal(mem, &key, aad, plain, &b), 0);
	assert_int_equal(a.n, plain.n + 28);
	assert_memory_not_equal(a.s, b.s, a.n);
	assert_int_equal(crypto_open(mem, &key, aad, a, &out), 0);
	assert_true(text_equal(out, plain));
	/* nothing at all can be sealed too */
	assert_int_equal(crypto_seal(mem, &key, TEXT(""), TEXT(""), &a), 0);
	assert_int_equal(crypto_open(mem, &key, TEXT(""), a, &out), 0);
	assert_int_equal(out.n, 0);
	key.n = 16;
	assert_int_equal(crypto_seal(mem, &key, aad, plain, &a), -EINVAL);
	assert_int_equal(crypto_open(mem, &key, aad, b, &out), -EINVAL);
}

static void
refuses_what_was_changed(void **state)
{
	struct secret key = { .n = 32, .b = { 1 } }, other = { .n = 32 };
	struct text sealed, out = TEXT_NONE;

	(void)state;
	assert_int_equal(crypto_seal(mem, &key, TEXT("aad"), TEXT("secret"),
	    &sealed), 0);
	for (size_t i = 0; i < sealed.n * 8; i++) {
		char *bad = arena_copy(mem, sealed.s, sealed.n);

		bad[i / 8] = (char)(bad[i / 8] ^ 1 << i % 8);
		assert_int_equal(crypto_open(mem, &key, TEXT("aad"),
		    (struct text){ bad, sealed.n }, &out), E_SEAL);
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_equal(crypto_open(mem, &key, TEXT("aad"),
		    (struct text){ sealed.s, n }, &out), E_SEAL);
	assert_int_equal(crypto_open(mem, &key, TEXT("aae"), sealed, &out),
	    E_SEAL);
	assert_int_equal(crypto_open(mem, &other, TEXT("aad"), sealed, &out),
	    E_SEAL);
	assert_null(out.s);
}

/* RFC 4648 §10, without the padding. */
static void
base64url_vectors(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xef\xbe", "_---" },
		{ "\xfb\xff\xfe", "-__-" },
	};
	uint8_t out[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text in = text_of(rows[i][0]);
		struct text t = base64url_encode(mem, in.s, in.n);

		assert_string_equal(t.s, rows[i][1]);
		assert_true(base64url_decode(t, out, sizeof(out), &n));
		assert_int_equal(n, in.n);
		assert_memory_equal(out, in.s, n);
	}
}

static void
base64url_is_strict(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg=", "Zg==", "Zh", "Zv", "Zm9", "Zm-", "Zm9vY",
		"Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm.v", "=", "Zm9v====",
	};
	uint8_t out[8];
	size_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (base64url_decode(text_of(bad[i]), out, sizeof(out), &n))
			fail_msg("took \"%s\"", bad[i]);
	assert_false(base64url_decode(TEXT("Zm9vYmFyZm9v"), out, 8, &n));
	assert_false(base64url_decode(TEXT_NONE, out, sizeof(out), &n));
	assert_int_equal(n, 42);
	assert_true(base64url_decode(TEXT("Zm9vYmFyZm8"), out, 8, &n));
}

/* Of all texts of two and three characters, each value has exactly one. */
static void
base64url_has_one_spelling(void **state)
{
	unsigned two = 0, three = 0;
	uint8_t out[4];
	size_t n;

	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char t[3] = { (char)a, (char)b, 'A' };

			two += base64url_decode((struct text){ t, 2 }, out, 4,
			    &n);
			three += base64url_decode((struct text){ t, 3 }, out,
			    4, &n);
		}
	}
	assert_int_equal(two, 256);
	assert_int_equal(three, 64 * 64);
}

static void
uuids_carry_their_instant(void **state)
{
	int64_t before = clock_real_us() / 1000, us;
	struct uuid a, b;

	(void)state;
	assert_int_equal(crypto_uuid(&a, &us), 0);
	assert_int_equal(crypto_uuid(&b, NULL), 0);
	assert_false(uuid_equal(&a, &b));
	assert_int_equal(us % 1000, 0);
	assert_int_equal(uuid_ms(&a), us / 1000);
	assert_true(us / 1000 >= before);
	assert_true(us <= clock_real_us());
}

static void
compares(void **state)
{
	(void)state;
	assert_true(crypto_equal("abc", "abc", 3));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_true(crypto_equal("abc", "abd", 2));
}

/* A forked child draws other bytes and can use what the parent fetched. */
static void
survives_a_fork(void **state)
{
	uint8_t ours[32], theirs[32], hash[CRYPTO_HASH];
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (crypto_random(theirs, 32) != 0 ||
		    crypto_sha256("abc", 3, hash) != 0 ||
		    write(fds[1], theirs, 32) != 32)
			_exit(1);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(crypto_random(ours, 32), 0);
	assert_int_equal(read(fds[0], theirs, 32), 32);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_memory_not_equal(ours, theirs, 32);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(digests),
		cmocka_unit_test(macs),
		cmocka_unit_test(derives),
		cmocka_unit_test(opens_published_vectors),
		cmocka_unit_test(seals_and_opens),
		cmocka_unit_test(refuses_what_was_changed),
		cmocka_unit_test(base64url_vectors),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(base64url_has_one_spelling),
		cmocka_unit_test(uuids_carry_their_instant),
		cmocka_unit_test(compares),
		cmocka_unit_test(survives_a_fork),
	};

	return cmocka_run_group_tests_name("base_crypto", tests, setup,
	    teardown);
}
