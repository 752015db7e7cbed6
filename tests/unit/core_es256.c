/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tokens of a ring with both algorithms: the key decides, and a memo stands in
 * for nothing but the very same token. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ecdsa.h"
#include "base/error.h"
#include "core/ring.h"

#define NOW INT64_C(1800000000)
#define CLAIMS "{\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057\"," \
    "\"sid\":\"01890a5d-ac96-774b-bcce-b302099a8058\",\"iss\":\"docket\"," \
    "\"aud\":\"docket\",\"exp\":1800000600%s}"
#define HEADER "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}"

static struct token_policy policy = {
	TEXT_INIT("docket"), TEXT_INIT("docket"), 600, 30, NULL
};
static struct arena *mem;
static struct token_ring *ring;
static const struct ring_key *es, *hs;

/* The n-th allocation from now on fails, once; 0: none does. */
static unsigned long fail_at;
static bool failed;

void *
malloc(size_t n)
{
	static void *(*next)(size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "malloc");
	if (fail_at == 0 || --fail_at > 0)
		return next(n);
	failed = true;
	errno = ENOMEM;
	return NULL;
}

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	ring = token_ring_new();
	if (crypto_init() || !mem || !ring ||
	    ring_generate(ring, ring_algorithm(TEXT("ES256")), NOW) ||
	    ring_generate(ring, ring_algorithm(TEXT("HS256")), NOW))
		return -1;
	es = &ring->v[0];
	hs = &ring->v[1];
	policy.memo = token_memo_new();
	return !policy.memo;
}

static int
teardown(void **state)
{
	(void)state;
	token_ring_free(ring);
	token_memo_free(policy.memo);
	arena_free(mem);
	crypto_done();
	return 0;
}

static int
check(struct text token)
{
	struct token_policy none = policy;
	struct principal read = { .need_admin = true }, known = read;
	int r;

	none.memo = NULL;
	r = token_check(mem, ring, &none, NOW, token, &read);
	for (int i = 0; i < 2; i++)
		assert_int_equal(token_check(mem, ring, &policy, NOW, token,
		    &known), r);
	assert_memory_equal(&read, &known, sizeof(read));
	return r;
}

static struct text
issue(void)
{
	struct principal who = { .need_admin = false };
	struct text token;

	memset(&who.user_id, 0x11, sizeof(who.user_id));
	memset(&who.session_id, 0x22, sizeof(who.session_id));
	assert_int_equal(token_issue(mem, ring, &policy, NOW, &who,
	    TEXT("user"), &token), 0);
	return token;
}

/* What is signed: a header of that alg and kid, and claims. */
static struct text
part_of(const char *alg, const char *kid, const char *c)
{
	const char *h = arena_printf(mem, HEADER, alg, kid);

	return text_of(arena_printf(mem, "%s.%s",
	    base64url_encode(mem, h, strlen(h)).s,
	    base64url_encode(mem, c, strlen(c)).s));
}

static struct text
body(const char *alg, const char *kid)
{
	return part_of(alg, kid, arena_printf(mem, CLAIMS, ""));
}

static struct text
with(struct text part, const void *signature, size_t n)
{
	return text_of(arena_printf(mem, "%s.%s", part.s,
	    base64url_encode(mem, signature, n).s));
}

static struct text
mac_by(struct text part, const void *key, size_t n)
{
	struct secret secret = { .n = n };
	uint8_t mac[CRYPTO_HASH];

	memcpy(secret.b, key, n);
	assert_int_equal(crypto_hmac(&secret, part.s, part.n, mac), 0);
	return with(part, mac, sizeof(mac));
}

static struct text
signed_by(struct text part, const struct secret *d)
{
	struct crypto_pair pair;
	uint8_t raw[ECDSA_BYTES];

	assert_int_equal(crypto_pair_load(d, &pair), 0);
	assert_int_equal(ecdsa_sign(&pair, part, raw), 0);
	crypto_pair_done(&pair);
	return with(part, raw, sizeof(raw));
}

static void
both_are_taken_as_what_they_are(void **state)
{
	struct text token = issue();

	(void)state;
	assert_int_equal(check(token), 0);
	assert_int_equal(check(signed_by(body("ES256", es->kid),
	    &es->secret)), 0);
	assert_int_equal(check(mac_by(body("HS256", hs->kid), hs->secret.b,
	    32)), 0);
	arena_reset(mem);
}

static void
neither_is_taken_for_the_other(void **state)
{
	const char *const algs[] = { "HS256", "ES256", "none", "es256" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct text by_es = body(algs[i], es->kid);
		struct text by_hs = body(algs[i], hs->kid);

		/* The right key, but another name for what it does. */
		assert_int_equal(check(signed_by(by_es, &es->secret)),
		    i == 1 ? 0 : E_TOKEN);
		assert_int_equal(check(mac_by(by_hs, hs->secret.b, 32)),
		    i == 0 ? 0 : E_TOKEN);
		/* What is public of the one as the other's key. */
		assert_int_equal(check(mac_by(by_es, es->pair.point + 1, 64)),
		    E_TOKEN);
		assert_int_equal(check(mac_by(by_es, es->pair.point + 1, 32)),
		    E_TOKEN);
		/* Each one's secret by the other algorithm. */
		assert_int_equal(check(mac_by(by_es, es->secret.b, 32)),
		    E_TOKEN);
		assert_int_equal(check(signed_by(by_hs, &hs->secret)),
		    E_TOKEN);
		/* Each one's secret under the other's name. */
		assert_int_equal(check(mac_by(by_es, hs->secret.b, 32)),
		    E_TOKEN);
		assert_int_equal(check(signed_by(by_hs, &es->secret)),
		    E_TOKEN);
	}
	arena_reset(mem);
}

static void
other_lengths_and_der(void **state)
{
	struct text part = body("ES256", es->kid);
	uint8_t raw[80] = { 0 }, der[ECDSA_DER];
	size_t n;

	(void)state;
	assert_int_equal(ecdsa_sign(&es->pair, part, raw), 0);
	n = ecdsa_to_der(raw, der);
	assert_int_equal(check(with(part, der, n)), E_TOKEN);
	for (size_t i = 1; i <= 80; i++)
		assert_int_equal(check(with(part, raw, i)),
		    i == ECDSA_BYTES ? 0 : E_TOKEN);
	memset(raw, 0, 80);
	assert_int_equal(check(with(part, raw, 64)), E_TOKEN);
	memset(raw, 0xff, 80);
	assert_int_equal(check(with(part, raw, 64)), E_TOKEN);
	arena_reset(mem);
}

static void
every_flip_is_refused(void **state)
{
	struct text token = issue();
	char *copy = arena_copy(mem, token.s, token.n);
	struct text changed = { copy, token.n };
	static const char other[] = "AZz9-.";

	(void)state;
	for (size_t i = 0; i < token.n; i++) {
		for (size_t j = 0; j < sizeof(other) - 1; j++) {
			if (other[j] == token.s[i])
				continue;
			copy[i] = other[j];
			assert_int_equal(check(changed), E_TOKEN);
			copy[i] = token.s[i];
		}
	}
	assert_int_equal(check(changed), 0);
	for (size_t n = 0; n < token.n; n += 7)
		assert_int_equal(check((struct text){ copy, n }), E_TOKEN);
	arena_reset(mem);
}

/* Time is looked at anew, and the memo of another worker knows nothing. */
static void
what_is_remembered(void **state)
{
	struct text token = issue();
	struct token_memo *other = token_memo_new();
	uint8_t id[CRYPTO_HASH], again[CRYPTO_HASH], zero[CRYPTO_HASH] = { 0 };
	struct principal who;

	(void)state;
	assert_int_equal(check(token), 0);
	assert_int_equal(token_check(mem, ring, &policy, NOW + 630, token,
	    &who), E_TOKEN);
	assert_int_equal(token_memo_id(policy.memo, token, id), 0);
	assert_non_null(token_memo_find(policy.memo, id));
	assert_int_equal(token_memo_id(other, token, again), 0);
	assert_memory_not_equal(id, again, CRYPTO_HASH);
	assert_int_equal(token_memo_id(NULL, token, id), 0);
	assert_memory_equal(id, zero, CRYPTO_HASH);
	token_memo_free(other);
	arena_reset(mem);
}

static void
words_are_told(void **state)
{
	static const struct {
		const char *more, *client, *jti;
	} rows[] = {
		{ "", "", "" },
		{ ",\"client_id\":\"c\",\"jti\":\"j\"", "c", "j" },
		{ ",\"client_id\":5,\"jti\":null", "", "" },
	};
	struct token_words words;
	struct claims claims;
	char big[TOKEN_WORD + 1] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text part = part_of("ES256", es->kid,
		    arena_printf(mem, CLAIMS, rows[i].more));
		struct text token = signed_by(part, &es->secret);

		assert_int_equal(token_inspect(mem, ring, &policy, NOW, token,
		    &claims, &words), 0);
		assert_string_equal(words.client_id, rows[i].client);
		assert_string_equal(words.jti, rows[i].jti);
		assert_int_equal(claims.exp, 1800000600);
		assert_int_equal(token_inspect(mem, ring, &policy, NOW + 630,
		    token, &claims, &words), E_TOKEN);
		assert_int_equal(token_inspect(mem, ring, &policy, NOW,
		    part, &claims, &words), E_TOKEN);
	}
	/* What is told has an end. */
	for (size_t n = TOKEN_WORD - 1; n <= TOKEN_WORD; n++) {
		struct text part = part_of("ES256", es->kid, arena_printf(mem,
		    CLAIMS, arena_printf(mem, ",\"jti\":\"%s\"",
		    (char *)memset(big, 'j', n))));

		assert_int_equal(token_inspect(mem, ring, &policy, NOW,
		    signed_by(part, &es->secret), &claims, &words), 0);
		assert_int_equal(strlen(words.jti), n % TOKEN_WORD);
	}
	/* Well signed is not enough. */
	assert_int_equal(token_inspect(mem, ring, &policy, NOW,
	    signed_by(part_of("ES256", es->kid, "{}"), &es->secret), &claims,
	    &words), E_TOKEN);
	arena_reset(mem);
}

static struct token_policy forgetful;
static struct text one;

static int
check_anew(void)
{
	struct principal who;

	return token_check(mem, ring, &forgetful, NOW, one, &who);
}

static int
check_known(void)
{
	struct principal who;

	return token_check(mem, ring, &policy, NOW, one, &who);
}

static int
issue_one(void)
{
	struct principal who = { .user_id = { .b = { 1 } },
		.session_id = { .b = { 2 } } };
	struct text out;

	return token_issue(mem, ring, &policy, NOW, &who, TEXT("user"), &out);
}

static int
generate_one(void)
{
	const size_t n = ring->n;
	const int r = ring_generate(ring, es->alg, NOW);

	if (r == 0)	/* not to fill it */
		crypto_pair_done(&ring->v[--ring->n].pair);
	assert_int_equal(ring->n, n);
	return r;
}

/* A signature that cannot be looked at for want of memory is no bad one. */
static void
without_memory(void **state)
{
	int (*const calls[])(void) = {
		check_anew, check_known, issue_one, generate_one,
	};

	(void)state;
	forgetful = policy;
	forgetful.memo = NULL;
	one = issue();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		unsigned long n = 0;
		int r;

		do {
			failed = false;
			fail_at = ++n;
			r = calls[i]();
			fail_at = 0;
			if (r != 0 && r != -ENOMEM)
				print_error("%zu, allocation %lu: %d\n", i, n,
				    r);
			assert_true(r == 0 || (failed && r == -ENOMEM));
		} while (failed);
		print_message("%lu allocations\n", n - 1);
	}
	arena_reset(mem);
}

/* Not a test of speed: prints what to put into the books. */
static void
costs(void **state)
{
	struct text token = issue();
	const int n = 300;
	struct principal who;
	int64_t at[4];

	(void)state;
	forgetful = policy;
	forgetful.memo = NULL;
	at[0] = clock_real_us();
	for (int i = 0; i < n; i++)
		token = issue();
	at[1] = clock_real_us();
	for (int i = 0; i < n; i++)
		assert_int_equal(token_check(mem, ring, &forgetful, NOW,
		    token, &who), 0);
	at[2] = clock_real_us();
	for (int i = 0; i < n; i++)
		assert_int_equal(token_check(mem, ring, &policy, NOW, token,
		    &who), 0);
	at[3] = clock_real_us();
	print_message("ES256: issue %.1f us, check %.1f us, known %.1f us\n",
	    (double)(at[1] - at[0]) / n, (double)(at[2] - at[1]) / n,
	    (double)(at[3] - at[2]) / n);
	arena_reset(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_taken_as_what_they_are),
		cmocka_unit_test(neither_is_taken_for_the_other),
		cmocka_unit_test(other_lengths_and_der),
		cmocka_unit_test(every_flip_is_refused),
		cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(words_are_told),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(costs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
