/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Core without memory or entropy: a fault each, never a wrong answer. */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "core/otp.h"
#include "core/password.h"
#include "core/ring.h"
#include "core/token.h"

#define GOOD "cjlLM3ZRMG0xeFo3cEw1dEI4bkQyc0Y2aEo0Z1cweVU"
#define NOW INT64_C(1800000000)

/* The n-th allocation from now on fails, once; 0: none does. */
static unsigned long fail_at;
static bool failed;

/* What getrandom gives: 0 the kernel's, 1 nothing, 2 first a pool of bytes
 * that no digit is made of. */
static int entropy;

static struct arena *mem;
static struct token_ring *ring;
static char path[] = "/tmp/docket-scarce-XXXXXX";
static const struct token_policy policy = {
	TEXT_INIT("docket"), TEXT_INIT("docket"), 600, 30, NULL
};
static struct principal who;
static struct text token, hash;

static bool
is_scarce(void)
{
	if (fail_at == 0 || --fail_at > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	static void *(*next)(size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "malloc");
	return is_scarce() ? NULL : next(n);
}

/* dlsym may ask for some itself, and does without. */
void *
calloc(size_t n, size_t size)
{
	static void *(*next)(size_t, size_t);
	static bool asking;

	if (!next && asking)
		return NULL;
	asking = true;
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "calloc");
	return is_scarce() ? NULL : next(n, size);
}

void *
realloc(void *p, size_t n)
{
	static void *(*next)(void *, size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "realloc");
	return is_scarce() ? NULL : next(p, n);
}

void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "mmap");
	if (is_scarce())
		return MAP_FAILED;
	return next(at, n, protection, flags, fd, offset);
}

ssize_t
getrandom(void *out, size_t n, unsigned flags)
{
	if (entropy == 1) {
		errno = ENOSYS;
		return -1;
	}
	if (entropy == 2) {
		entropy = 0;
		memset(out, 0xff, n);
		return (ssize_t)n;
	}
	return syscall(SYS_getrandom, out, n, flags);
}

static int
setup(void **state)
{
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	if (!f || crypto_init() || password_init())
		return -1;
	mem = arena_new(65536);
	fprintf(f, "current k HS256 " GOOD "\n");
	fclose(f);
	ring = token_ring_load(NULL, path, stderr);
	memset(&who.user_id, 0x11, sizeof(who.user_id));
	memset(&who.session_id, 0x22, sizeof(who.session_id));
	return token_issue(mem, ring, &policy, NOW, &who, TEXT("user"),
	    &token) || password_hash(mem, TEXT("pass word"), &hash);
}

static int
teardown(void **state)
{
	(void)state;
	token_ring_free(ring);
	arena_free(mem);
	crypto_done();
	return unlink(path);
}

/* Each allocation of `call` in turn: -ENOMEM as often as there are some. */
static void
each_fails(int (*call)(void))
{
	unsigned long n = 0;
	int r;

	do {
		failed = false;
		fail_at = ++n;
		r = call();
		fail_at = 0;
		if (failed && r != -ENOMEM)
			print_error("allocation %lu: %d\n", n, r);
		assert_int_equal(r, failed ? -ENOMEM : 0);
	} while (failed);
	assert_true(n > 1);
	print_message("%lu allocations\n", n - 1);
}

static int
issue_one(void)
{
	struct text out;

	return token_issue(mem, ring, &policy, NOW, &who, TEXT("user"), &out);
}

static int
check_one(void)
{
	struct principal out;

	return token_check(mem, ring, &policy, NOW, token, &out);
}

static int
hash_one(void)
{
	struct text out;

	return password_hash(mem, TEXT("pass word"), &out);
}

static int
verify_one(void)
{
	bool right = false;
	int r = password_verify(mem, hash, TEXT("pass word"), &right);

	assert_int_equal(right, r == 0);
	return r;
}

/* Nobody's password costs the same, and is no wrong one either. */
static int
verify_nobody(void)
{
	bool right = false;

	return password_verify(mem, TEXT_NONE, TEXT("pass word"), &right);
}

/* Of "pass word", by other programs; bcrypt allocates nothing. */
static const struct text foreign[] = {
	TEXT_INIT("pbkdf2:sha256:10$salt$f410ad36f59d643363d0e870c4aee50b4f6e54"
	    "86b3060454182cc273c11c093c"),
	TEXT_INIT("scrypt:16:8:1$salt$4bc147464b936d53d6be7eea6d2eb6efa9b02ab27"
	    "94deb25a7cbb81b6f712d1f"),
	TEXT_INIT("$argon2id$v=19$m=64,t=1,p=4$N9+IuydyJnA$/QVIVHVhCXkfcEjw2VzX"
	    "lQ"),
};

/* OpenSSL can do without some of what it asks for; then the answer is right
 * (verify_one looks). */
static void
foreign_without_memory(void **state)
{
	const struct text ours = hash;

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		unsigned long n = 0, faults = 0;

		hash = foreign[i];
		do {
			int r;

			failed = false;
			fail_at = ++n;
			r = verify_one();
			fail_at = 0;
			assert_true(r == 0 || (failed && r == -ENOMEM));
			faults += r != 0;
		} while (failed);
		assert_true(faults > 0);
		print_message("%lu allocations, %lu faults\n", n - 1, faults);
	}
	hash = ours;
}

static void
tokens_without_memory(void **state)
{
	(void)state;
	each_fails(issue_one);
	each_fails(check_one);
}

static void
passwords_without_memory(void **state)
{
	(void)state;
	each_fails(hash_one);
	each_fails(verify_one);
	each_fails(verify_nobody);
}

/* The ring, then the file's bytes; the rest is stdio's own. */
static void
key_files_without_memory(void **state)
{
	char *said = NULL;
	size_t n = 0;
	FILE *err = open_memstream(&said, &n);
	struct secret secret = { .n = 7 };

	(void)state;
	for (unsigned long nth = 1; nth <= 2; nth++) {
		fail_at = nth;
		assert_null(token_ring_load(NULL, path, err));
		assert_int_equal(fail_at, 0);
	}
	fail_at = 1;
	assert_int_equal(secret_load(NULL, path, err, &secret), -EINVAL);
	assert_int_equal(fail_at, 0);
	assert_int_equal(secret.n, 7);
	fail_at = 1;
	assert_null(token_memo_new());
	assert_int_equal(fail_at, 0);
	fclose(err);
	assert_non_null(strstr(said, "out of memory"));
	free(said);
}

static void
nothing_is_made_without_entropy(void **state)
{
	struct text out = TEXT_NONE;

	(void)state;
	entropy = 1;
	assert_int_equal(issue_one(), -EIO);
	assert_int_equal(otp_make(mem, 6, &out), -EIO);
	assert_null(out.s);
	entropy = 0;
}

/* Bytes that would not be uniform are left, even if that is all of them. */
static void
a_pool_without_a_digit_is_drawn_again(void **state)
{
	struct text out;

	(void)state;
	entropy = 2;
	assert_int_equal(otp_make(mem, 6, &out), 0);
	assert_int_equal(entropy, 0);
	assert_int_equal(strspn(out.s, "0123456789"), 6);
}

/* No key at all must not mean the key of the call before. */
static void
no_key_is_a_fault(void **state)
{
	struct secret none = { .n = 0 };
	struct uuid id = { .b = { 1 } };
	uint8_t out[CRYPTO_HASH];
	struct text text;
	int64_t counter;
	struct secret key = { .n = 32 };

	(void)state;
	assert_int_equal(refresh_make(mem, &none, &id, 1, &text), -EINVAL);
	assert_int_equal(refresh_make(mem, &key, &id, 1, &text), 0);
	assert_int_equal(refresh_parse(&none, text, &id, &counter), -EINVAL);
	assert_int_equal(otp_hash(&none, TEXT("login"), TEXT("a"), TEXT("1"),
	    out), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_without_memory),
		cmocka_unit_test(passwords_without_memory),
		cmocka_unit_test(foreign_without_memory),
		cmocka_unit_test(key_files_without_memory),
		cmocka_unit_test(nothing_is_made_without_entropy),
		cmocka_unit_test(a_pool_without_a_digit_is_drawn_again),
		cmocka_unit_test(no_key_is_a_fault),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
