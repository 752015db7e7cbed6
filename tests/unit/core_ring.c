/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Key files: good ones load, each kind of bad one is refused with its line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/ring.h"
#include "core/weak.h"

#define GOOD "cjlLM3ZRMG0xeFo3cEw1dEI4bkQyc0Y2aEo0Z1cweVU"
#define GOOD2 "UTJ3RTRyVDZ5VThpTzBwQTFzRDNmRzVoSjdrTDl6WGM"

/* 33 bytes, GOOD's and one more; n, the order of P-256; n - 1; 1. */
#define LONG "cjlLM3ZRMG0xeFo3cEw1dEI4bkQyc0Y2aEo0Z1cweVVz"
#define ORDER "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE"
#define LAST "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVA"

static char dir[] = "/tmp/docket-core-XXXXXX";
static char path[64];
static char *said;
static size_t said_n;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || crypto_init())
		return -1;
	snprintf(path, sizeof(path), "%s/keys", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(said);
	crypto_done();
	return rmdir(dir);
}

static void
write_file(const char *content, size_t n, mode_t mode)
{
	FILE *f;

	/* The last one may be closed to its own writer. */
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* Load and forget; true when it was taken. What it said is in `said`. */
static bool
ring_loads(void)
{
	FILE *err;
	struct token_ring *ring;

	free(said);
	err = open_memstream(&said, &said_n);
	ring = token_ring_load(NULL, path, err);
	fclose(err);
	token_ring_free(ring);
	return ring != NULL;
}

static bool
secret_loads(struct secret *ret)
{
	FILE *err;
	int r;

	free(said);
	err = open_memstream(&said, &said_n);
	r = secret_load(NULL, path, err, ret);
	fclose(err);
	assert_true(r == 0 || r == -EINVAL);
	return r == 0;
}

static void
good_rings(void **state)
{
	static const char *const rings[] = {
		"current a HS256 " GOOD,
		"current a HS256 " GOOD "\n",
		"# c\n\n  \t\r\ncurrent\ta\tHS256\t" GOOD " \r\n",
		"next n HS256 " GOOD2 "\ncurrent a.B_c-9 HS256 " GOOD "\n"
		"previous p HS256 " GOOD "\n",
		"current a ES256 " GOOD "\nnext b ES256 " GOOD2 "\n",
		"current a ES256 " GOOD "\nnext b HS256 " GOOD2 "\n",
		"previous p HS256 " LONG "\ncurrent a ES256 " GOOD "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		write_file(rings[i], strlen(rings[i]), 0400);
		if (!ring_loads())
			print_error("%s", said);
		assert_string_equal(said, "");
	}
	unlink(path);
}

static struct token_ring *
ring_of(const char *content)
{
	struct token_ring *ring;

	write_file(content, strlen(content), 0600);
	ring = token_ring_load(NULL, path, stderr);
	unlink(path);
	assert_non_null(ring);
	return ring;
}

static void
roles_and_algorithms(void **state)
{
	struct token_ring *ring = ring_of("previous a HS256 " GOOD "\n"
	    "current b ES256 " LAST "\nnext c HS256 " GOOD2 "\n");

	(void)state;
	assert_int_equal(ring->current, 1);
	assert_int_equal(ring->v[0].role, RING_PREVIOUS);
	assert_int_equal(ring->v[1].role, RING_CURRENT);
	assert_int_equal(ring->v[2].role, RING_NEXT);
	assert_null(ring->v[0].pair.key);
	assert_non_null(ring->v[1].pair.key);
	assert_int_equal(ring->v[1].pair.point[0], 4);
	assert_null(ring->v[2].pair.key);
	assert_null(ring_find(ring, TEXT("d")));
	token_ring_free(ring);
}

/* Only in the very line before, and only what is an instant. */
static void
instants(void **state)
{
	static const struct {
		const char *before;
		int64_t since;
	} rows[] = {
		{ "", 0 },
		{ "# since 2027-01-15T08:00:00Z\n", 1800000000 },
		{ " #  since\t2027-01-15T08:00:00.000Z later\r\n",
		    1800000000 },
		{ "# since 2027-01-15T10:00:00+02:00\n", 1800000000 },
		{ "# since 2027-01-15T08:00:00Z\n\n", 0 },
		{ "# since 2027-01-15T08:00:00Z\n# more\n", 0 },
		{ "# since 2027-01-15\n", 0 },
		{ "# since\n", 0 }, { "#since 2027-01-15T08:00:00Z\n", 0 },
		{ "# Since 2027-01-15T08:00:00Z\n", 0 },
		{ "# since 1960-01-01T00:00:00Z\n", 0 },
		{ "# since 1970-01-01T00:00:00.999Z\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		struct token_ring *ring;

		snprintf(text, sizeof(text), "%scurrent a HS256 " GOOD "\n"
		    "next b HS256 " GOOD2 "\n", rows[i].before);
		ring = ring_of(text);
		assert_int_equal(ring->v[0].since, rows[i].since);
		assert_int_equal(ring->v[1].since, 0);
		token_ring_free(ring);
	}
}

static void
bad_rings(void **state)
{
	static const struct {
		const char *ring, *says;
	} rows[] = {
		{ "", ": no current key" },
		{ "# only\n", ": no current key" },
		{ "next a HS256 " GOOD "\n", ": no current key" },
		{ "current a HS256 " GOOD "\ncurrent b HS256 " GOOD2 "\n",
		    ":2: a second current key" },
		{ "current a HS256 " GOOD "\nnext a HS256 " GOOD2 "\n",
		    ":2: this KID is there twice" },
		{ "current a ES256 " LONG "\n", ":1: no private key on P-256" },
		{ "current a ES256 " ORDER "\n", ":1: no private key on P" },
		{ "current a HS256 " ORDER "\nnext b ES256 " ORDER "\n",
		    ":2: this key is there with another ALG" },
		{ "current a ES256 " GOOD "\nprevious b HS256 " GOOD "\n",
		    ":2: this key is there with another ALG" },
		{ "current a es256 " GOOD "\n", ":1: unknown ALG" },
		{ "current a ES384 " GOOD "\n", ":1: unknown ALG" },
		{ "\ncurrent a HS512 " GOOD "\n", ":2: unknown ALG" },
		{ "current a none " GOOD "\n", ":1: unknown ALG" },
		{ "current a hs256 " GOOD "\n", ":1: unknown ALG" },
		{ "active a HS256 " GOOD "\n", ":1: a line begins" },
		{ "current a HS256\n", ":1: a line has four words" },
		{ "current a HS256 " GOOD " x\n", ":1: a line has four" },
		{ "current a/b HS256 " GOOD "\n", ":1: a KID is" },
		{ "current \"a\" HS256 " GOOD "\n", ":1: a KID is" },
		{ "current a@b HS256 " GOOD "\n", ":1: a KID is" },
		{ "current a[b HS256 " GOOD "\n", ":1: a KID is" },
		{ "current a{b HS256 " GOOD "\n", ":1: a KID is" },
		{ "current a:b HS256 " GOOD "\n", ":1: a KID is" },
		{ "current aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaa HS256 " GOOD "\n", ":1: a KID is" },
		{ "current a HS256 " GOOD "=\n", ":1: not base64url" },
		{ "current a HS256 cjlLM3ZRMG0xeFo3cEw1dEI4bkQyc0Y2aEo0Z1cweQ"
		    "\n", ":1: shorter than 32 bytes" },
		{ "current a HS256 c2VjcmV0\n", ":1: shorter than 32" },
		{ "current a HS256 secretsecretsecretsecretsecretsecretsecr"
		    "etsecret\n", ":1: a known default" },
		/* alphaalpha..., changeme + zeros, 32 times x, 1234... */
		{ "current a HS256 YWxwaGFhbHBoYWFscGhhYWxwaGFhbHBoYWFscGhh"
		    "YWxwaGE\n", ":1: a known default" },
		{ "current a HS256 Y2hhbmdlbWUwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
		    "MDAwMDA\n", ":1: a known default" },
		{ "current a HS256 eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
		    "eHh4eHg\n", ":1: a known default" },
		{ "current a HS256 MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
		    "MTIzNDU2Nzg5MDEy\n", ":1: a known default" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(rows[i].ring, strlen(rows[i].ring), 0600);
		assert_false(ring_loads());
		if (strncmp(said, path, strlen(path)) != 0 ||
		    !strstr(said, rows[i].says))
			print_error("%s:\n%s", rows[i].ring, said);
		assert_non_null(strstr(said, rows[i].says));
		/* No complaint ever quotes the key. */
		assert_null(strstr(said, "cjlLM"));
	}
	/* All complaints at once. */
	write_file("x\ny\n", 4, 0600);
	assert_false(ring_loads());
	assert_non_null(strstr(said, ":1:"));
	assert_non_null(strstr(said, ":2:"));
	unlink(path);
}

static void
too_many_keys(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	fprintf(f, "current a HS256 " GOOD "\n");
	for (int i = 1; i < 17; i++)
		fprintf(f, "next k%d HS256 " GOOD "\n", i);
	fclose(f);
	write_file(text, n, 0600);
	assert_false(ring_loads());
	assert_non_null(strstr(said, ":17: more than 16 keys"));
	free(text);
	unlink(path);
}

/* What the kernel may say of a file, which no file of ours does. */
static enum { AS_IT_IS, NO_STAT, NO_READ, INTERRUPTED, GROWS } odd;
static bool owned_by_root;

int
fstat(int fd, struct stat *ret)
{
	if (odd == NO_STAT) {
		errno = EIO;
		return -1;
	}
	if (syscall(SYS_newfstatat, fd, "", ret, AT_EMPTY_PATH) < 0)
		return -1;
	ret->st_uid = owned_by_root ? 0 : 1000;
	return 0;
}

ssize_t
read(int fd, void *out, size_t n)
{
	if (odd == NO_READ || odd == INTERRUPTED) {
		errno = odd == NO_READ ? EIO : EINTR;
		odd = AS_IT_IS;
		return -1;
	}
	if (odd == GROWS) {
		memset(out, '\n', n);
		return (ssize_t)n;
	}
	return syscall(SYS_read, fd, out, n);
}

static void
odd_files(void **state)
{
	static const char ring[] = "current a HS256 " GOOD "\n";

	(void)state;
	write_file(ring, sizeof(ring) - 1, 0600);
	odd = NO_STAT;
	assert_false(ring_loads());
	assert_non_null(strstr(said, "Input/output"));
	odd = NO_READ;
	assert_false(ring_loads());
	assert_non_null(strstr(said, "Input/output"));
	odd = INTERRUPTED;
	assert_true(ring_loads());
	assert_int_equal(odd, AS_IT_IS);
	odd = GROWS;
	assert_false(ring_loads());
	assert_non_null(strstr(said, "64 KiB"));
	odd = AS_IT_IS;
	unlink(path);
}

/* systemd's: 0440 of root, right in the directory that it names. */
static void
credentials_may_show_a_mask(void **state)
{
	static const char ring[] = "current a HS256 " GOOD "\n";
	char plain[64];

	(void)state;
	write_file(ring, sizeof(ring) - 1, 0440);
	owned_by_root = true;
	assert_false(ring_loads());
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	assert_false(ring_loads());
	setenv("CREDENTIALS_DIRECTORY", "/run/elsewhere", 1);
	assert_false(ring_loads());
	setenv("CREDENTIALS_DIRECTORY", "/tmp/docket-core", 1);
	assert_false(ring_loads());
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_true(ring_loads());
	owned_by_root = false;
	assert_false(ring_loads());
	owned_by_root = true;
	assert_int_equal(chmod(path, 0444), 0);
	assert_false(ring_loads());
	assert_int_equal(chmod(path, 0440), 0);
	memcpy(plain, path, sizeof(plain));
	snprintf(path, sizeof(path), "%s/../%s/keys", dir, dir + 5);
	assert_false(ring_loads());
	memcpy(path, plain, sizeof(plain));
	owned_by_root = false;
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(path);
}

static void
bad_files(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0620, 0602, 0644 };
	char *big = calloc(1, 65537);

	(void)state;
	assert_false(ring_loads());
	assert_non_null(strstr(said, "No such file"));
	for (size_t i = 0; i < 5; i++) {
		write_file("current a HS256 " GOOD "\n",
		    sizeof("current a HS256 " GOOD "\n") - 1, open_modes[i]);
		assert_false(ring_loads());
		assert_non_null(strstr(said, "others can"));
	}
	memset(big, '\n', 65537);
	write_file(big, 65537, 0600);
	assert_false(ring_loads());
	assert_non_null(strstr(said, "64 KiB"));
	free(big);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(ring_loads());
	assert_non_null(strstr(said, "regular file"));
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(ring_loads());
	assert_non_null(strstr(said, "regular file"));
	unlink(path);
}

static void
master_secret(void **state)
{
	static const char *const bad[] = {
		"", "\n", " \n" GOOD, "# x\n", GOOD " x", GOOD "\n" GOOD2,
		"short", "YWxwaGFhbHBoYWFscGhhYWxwaGFhbHBoYWFscGhhYWxwaGE",
		GOOD "\r" GOOD,
	};
	struct secret secret = { .n = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i], strlen(bad[i]), 0600);
		assert_false(secret_loads(&secret));
		assert_int_equal(secret.n, 7);
		assert_int_not_equal(said_n, 0);
	}
	write_file(GOOD "\n", sizeof(GOOD), 0644);
	assert_false(secret_loads(&secret));
	write_file(GOOD "\n", sizeof(GOOD), 0600);
	assert_true(secret_loads(&secret));
	assert_int_equal(secret.n, 32);
	write_file(GOOD "\n \n\n", sizeof(GOOD) + 3, 0600);
	assert_true(secret_loads(&secret));
	assert_memory_equal(secret.b, "r9K3vQ0m1xZ7pL5tB8nD2sF6hJ4gW0yU", 32);
	secret_done(&secret);
	unlink(path);
}

static bool
weak(const char *s)
{
	return secret_is_weak(s, strlen(s));
}

static void
weak_words(void **state)
{
	(void)state;
	assert_true(weak("alpha"));
	assert_true(weak("ALPHAalphaALPHAalphaALPHAalphaAL"));
	assert_true(weak("secretsecretsecretsecretsecretse"));
	assert_true(weak("changeme========================"));
	assert_true(weak("password                        "));
	assert_true(weak("123456789012345678901234567890123456"));
	assert_true(weak("your-256-bit-secret"));
	assert_true(weak("abcabcabcabcabcabcabcabcabcabcabcabc"));
	assert_true(secret_is_weak("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	assert_false(weak("alphabet soup is what this key is"));
	assert_false(weak("r9K3vQ0m1xZ7pL5tB8nD2sF6hJ4gW0yU"));
	assert_false(weak(GOOD));
	assert_false(weak(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_rings),
		cmocka_unit_test(roles_and_algorithms),
		cmocka_unit_test(instants),
		cmocka_unit_test(bad_rings),
		cmocka_unit_test(too_many_keys),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(odd_files),
		cmocka_unit_test(credentials_may_show_a_mask),
		cmocka_unit_test(master_secret),
		cmocka_unit_test(weak_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
