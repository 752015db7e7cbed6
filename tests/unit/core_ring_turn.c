/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Turning the ring: whose turn it is, who leaves when, and the file of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ecdsa.h"
#include "core/ring.h"

#define NOW INT64_C(1800000000)
#define KEEP 640
#define HS "HS256"
#define ES ring_algorithm(TEXT("ES256"))

static struct token_ring *ring;
static struct arena *mem;

/* What getrandom gives: the kernel's; zeros once; nothing from the n-th on. */
static enum { KERNEL, ZEROS_ONCE, SAME_ONCE } odd;
static int fail_at;

ssize_t
getrandom(void *out, size_t n, unsigned flags)
{
	static uint8_t kid[4];
	ssize_t got = syscall(SYS_getrandom, out, n, flags);

	if (fail_at > 0 && --fail_at == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (odd == ZEROS_ONCE && n == 32) {
		memset(out, 0, n);
		odd = KERNEL;
	}
	/* The KID of the call before. */
	if (odd == SAME_ONCE && n == 4) {
		memcpy(out, kid, 4);
		odd = KERNEL;
	} else if (n == 4) {
		memcpy(kid, out, 4);
	}
	return got;
}

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return crypto_init() || !mem;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	crypto_done();
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	ring = token_ring_new();
	return !ring;
}

static int
gone(void **state)
{
	(void)state;
	token_ring_free(ring);
	return 0;
}

static int
rotate(int64_t now, const char *alg, bool at_once, bool *ret)
{
	const struct ring_turn turn = {
		.alg = alg, .now = now, .keep = KEEP, .at_once = at_once,
	};

	return ring_rotate(ring, &turn, ret);
}

/* "pcn": the roles in their order. */
static void
roles_are(const char *want)
{
	size_t currents = 0;

	assert_int_equal(ring->n, strlen(want));
	for (size_t i = 0; i < ring->n; i++) {
		assert_int_equal(ring_role_name(ring->v[i].role)[0], want[i]);
		if (ring->v[i].role == RING_CURRENT) {
			assert_int_equal(ring->current, i);
			currents++;
		}
	}
	assert_int_equal(currents, 1);
}

/* The file gives the very same ring. */
static void
survives_its_file(void)
{
	char name[] = "/tmp/docket-turn-XXXXXX";
	const int fd = mkstemp(name);
	struct token_ring *again;
	struct buf out = { 0 };

	ring_print(ring, mem, &out);
	assert_int_equal(write(fd, out.p, out.n), out.n);
	again = token_ring_load(NULL, name, stderr);
	assert_non_null(again);
	assert_int_equal(again->n, ring->n);
	assert_int_equal(again->current, ring->current);
	for (size_t i = 0; i < ring->n; i++) {
		assert_string_equal(again->v[i].kid, ring->v[i].kid);
		assert_ptr_equal(again->v[i].alg,
		    ring_algorithm(text_of(ring->v[i].alg)));
		assert_int_equal(again->v[i].role, ring->v[i].role);
		assert_int_equal(again->v[i].since, ring->v[i].since);
		assert_memory_equal(again->v[i].secret.b,
		    ring->v[i].secret.b, 32);
	}
	token_ring_free(again);
	buf_done(&out);
	close(fd);
	unlink(name);
}

static void
the_first_key_signs(void **state)
{
	(void)state;
	assert_int_equal(ring_generate(ring, ES, NOW), 0);
	roles_are("c");
	assert_non_null(ring->v[0].pair.key);
	assert_int_equal(strncmp(ring->v[0].kid, "20270115-", 9), 0);
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	roles_are("cn");
	assert_null(ring->v[1].pair.key);
	assert_int_equal(ring->v[1].secret.n, 32);
	survives_its_file();
}

static void
nobody_signs_unknown(void **state)
{
	bool turned = true;

	(void)state;
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	assert_int_equal(rotate(NOW, HS, false, &turned), 0);
	assert_false(turned);
	roles_are("cn");
	assert_int_equal(rotate(NOW, HS, false, &turned), 0);
	assert_true(turned);
	roles_are("pcn");
	survives_its_file();
}

static void
but_when_told_to(void **state)
{
	bool turned = false;

	(void)state;
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	assert_int_equal(rotate(NOW + 1, ES, true, &turned), 0);
	assert_true(turned);
	roles_are("pcn");
	assert_int_equal(ring->v[0].since, NOW + 1);
	assert_string_equal(ring->v[1].alg, "ES256");
	/* What waits goes first all the same. */
	assert_int_equal(rotate(NOW + 2, HS, true, &turned), 0);
	roles_are("ppcn");
	survives_its_file();
}

static void
who_is_past_its_time_leaves(void **state)
{
	bool turned;

	(void)state;
	assert_int_equal(ring_generate(ring, ES, NOW), 0);
	assert_int_equal(ring_generate(ring, ES, NOW), 0);
	assert_int_equal(rotate(NOW, ES, false, &turned), 0);
	roles_are("pcn");
	assert_int_equal(rotate(NOW + KEEP, ES, false, &turned), 0);
	roles_are("ppcn");
	assert_int_equal(rotate(NOW + KEEP + 1, ES, false, &turned), 0);
	roles_are("ppcn");
	survives_its_file();
	assert_int_equal(rotate(NOW + 9 * KEEP, ES, false, &turned), 0);
	roles_are("pcn");
	survives_its_file();
}

static void
an_unknown_instant_is_now(void **state)
{
	bool turned;

	(void)state;
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	assert_int_equal(rotate(NOW, HS, false, &turned), 0);
	for (size_t i = 0; i < ring->n; i++)
		ring->v[i].since = 0;
	survives_its_file();
	assert_int_equal(rotate(NOW + 9 * KEEP, HS, false, &turned), 0);
	roles_are("ppcn");
	assert_int_equal(ring->v[0].since, NOW + 9 * KEEP);
}

static void
full(void **state)
{
	bool turned = false;

	(void)state;
	for (int i = 0; i < RING_KEYS; i++)
		assert_int_equal(ring_generate(ring, HS, NOW), 0);
	assert_int_equal(ring_generate(ring, HS, NOW), -ENOSPC);
	assert_int_equal(rotate(NOW, HS, false, &turned), -ENOSPC);
	assert_int_equal(ring->v[0].role, RING_CURRENT);
	assert_false(turned);
	/* One who may leave makes room. */
	ring->v[5].role = RING_PREVIOUS;
	assert_int_equal(rotate(NOW + KEEP + 1, HS, false, &turned), 0);
	assert_true(turned);
	assert_int_equal(ring->n, RING_KEYS - 1);
	survives_its_file();
}

/* At once, without a next key, takes room for two. */
static void
nearly_full(void **state)
{
	bool turned = false;

	(void)state;
	for (int i = 0; i < RING_KEYS - 1; i++) {
		assert_int_equal(ring_generate(ring, HS, NOW), 0);
		if (i > 0)
			ring->v[i].role = RING_PREVIOUS;
	}
	assert_int_equal(rotate(NOW, HS, true, &turned), -ENOSPC);
	assert_int_equal(ring->n, RING_KEYS - 1);
	assert_int_equal(rotate(NOW, HS, false, &turned), 0);
	assert_int_equal(rotate(NOW, HS, true, &turned), -ENOSPC);
}

static void
what_does_not_fit_is_drawn_again(void **state)
{
	(void)state;
	odd = ZEROS_ONCE;
	assert_int_equal(ring_generate(ring, ES, NOW), 0);
	assert_int_equal(odd, KERNEL);
	assert_true(ecdsa_scalar(ring->v[0].secret.b));
	odd = SAME_ONCE;
	assert_int_equal(ring_generate(ring, ES, NOW), 0);
	assert_int_equal(odd, KERNEL);
	assert_string_not_equal(ring->v[0].kid, ring->v[1].kid);
}

/* Of every draw: the ring keeps what it had. */
static void
without_entropy(void **state)
{
	bool turned;

	(void)state;
	for (int i = 1; i <= 2; i++) {
		fail_at = i;
		assert_int_equal(ring_generate(ring, HS, NOW), -EIO);
		assert_int_equal(ring->n, 0);
	}
	assert_int_equal(ring_generate(ring, HS, NOW), 0);
	fail_at = 1;
	assert_int_equal(rotate(NOW, HS, false, &turned), -EIO);
	fail_at = 3;
	assert_int_equal(rotate(NOW, HS, true, &turned), -EIO);
	fail_at = 1;
	assert_null(token_memo_new());
	fail_at = 0;
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		CASE(the_first_key_signs),
		CASE(nobody_signs_unknown),
		CASE(but_when_told_to),
		CASE(who_is_past_its_time_leaves),
		CASE(an_unknown_instant_is_now),
		CASE(full),
		CASE(nearly_full),
		CASE(what_does_not_fit_is_drawn_again),
		CASE(without_entropy),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
