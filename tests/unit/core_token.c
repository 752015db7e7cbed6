/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Access and refresh tokens: what is issued is taken, nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "core/jose.h"
#include "core/token.h"

#define NOW INT64_C(1800000000)
#define SUB "\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
#define SID "\"sid\":\"01890a5d-ac96-774b-bcce-b302099a8058\","
#define FIT "\"iss\":\"docket\",\"aud\":\"docket\","
#define EXP "\"exp\":1800000600"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define CLAIMS "{" SUB SID FIT EXP "}"

static const char key1[] = "r9K3vQ0m1xZ7pL5tB8nD2sF6hJ4gW0yU";
static const char key2[] = "Q2wE4rT6yU8iO0pA1sD3fG5hJ7kL9zXc";
/* With a memo from setup on: whatever holds, holds with it as well. */
static struct token_policy policy = {
	TEXT_INIT("docket"), TEXT_INIT("docket"), 600, 30, NULL
};
static struct arena *mem;
static struct token_ring *ring;

static int
setup(void **state)
{
	char name[] = "/tmp/docket-ring-XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w");

	(void)state;
	if (fd < 0 || !f || crypto_init())
		return -1;
	mem = arena_new(65536);
	fprintf(f, "# ring\ncurrent k1 HS256 %s\nprevious k0 HS256 %s\n",
	    base64url_encode(mem, key1, 32).s,
	    base64url_encode(mem, key2, 32).s);
	fclose(f);
	ring = token_ring_load(NULL, name, stderr);
	unlink(name);
	policy.memo = token_memo_new();
	return ring && policy.memo ? 0 : -1;
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

/* A token over any header and claims, signed with either key. */
static struct text
forge(const char *header, const char *claims, const char *key)
{
	struct secret secret = { .n = 32 };
	uint8_t mac[CRYPTO_HASH];
	char *body;

	memcpy(secret.b, key, 32);
	body = arena_printf(mem, "%s.%s",
	    base64url_encode(mem, header, strlen(header)).s,
	    base64url_encode(mem, claims, strlen(claims)).s);
	assert_int_equal(crypto_hmac(&secret, body, strlen(body), mac), 0);
	return text_of(arena_printf(mem, "%s.%s", body,
	    base64url_encode(mem, mac, sizeof(mac)).s));
}

static int
check(struct text token)
{
	struct token_policy forgetful = policy;
	struct principal read = { .need_admin = true }, known = read;
	int r;

	forgetful.memo = NULL;
	r = token_check(mem, ring, &forgetful, NOW, token, &read);
	/* The first may read it, the second finds what was read. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(token_check(mem, ring, &policy, NOW, token,
		    &known), r);
	assert_memory_equal(&read, &known, sizeof(read));
	return r;
}

static struct text
issue(const char *role)
{
	struct principal who = { .need_admin = false };
	struct text token;

	memset(&who.user_id, 0x11, sizeof(who.user_id));
	memset(&who.session_id, 0x22, sizeof(who.session_id));
	assert_int_equal(token_issue(mem, ring, &policy, NOW, &who,
	    text_of(role), &token), 0);
	return token;
}

static const char *
decoded(struct text part)
{
	char *out = arena_alloc(mem, part.n + 1);
	size_t n;

	assert_true(base64url_decode(part, out, part.n, &n));
	return out;
}

static void
issued_is_taken(void **state)
{
	struct text token = issue("admin"), claims;
	struct principal who = { .need_admin = true };
	const char *json, *dot = memchr(token.s, '.', token.n);

	(void)state;
	assert_string_equal(
	    decoded((struct text){ token.s, (size_t)(dot - token.s) }),
	    "{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}");
	claims = (struct text){ dot + 1, strcspn(dot + 1, ".") };
	json = decoded(claims);
	assert_non_null(strstr(json, "\"iss\":\"docket\""));
	assert_non_null(strstr(json, "\"aud\":\"docket\""));
	assert_non_null(strstr(json, "\"role\":\"admin\""));
	assert_non_null(strstr(json,
	    "\"scope\":\"tasks:read tasks:write account admin\""));
	assert_non_null(strstr(json, "\"client_id\":\"docket\""));
	assert_non_null(strstr(json, "\"iat\":1800000000"));
	assert_non_null(strstr(json, "\"exp\":1800000600"));
	assert_non_null(strstr(json, "\"jti\":\"0"));
	dot = strchr(issue("user").s, '.');
	assert_null(strstr(decoded((struct text){ dot + 1,
	    strcspn(dot + 1, ".") }), "admin"));

	assert_int_equal(token_check(mem, ring, &policy, NOW, token, &who), 0);
	assert_int_equal(who.user_id.b[5], 0x11);
	assert_int_equal(who.session_id.b[5], 0x22);
	assert_true(who.need_admin);
	arena_reset(mem);
}

static void
lifetime_has_skew(void **state)
{
	struct text token = issue("user");
	struct principal who;

	(void)state;
	assert_int_equal(token_check(mem, ring, &policy, NOW + 629, token,
	    &who), 0);
	assert_int_equal(token_check(mem, ring, &policy, NOW + 630, token,
	    &who), E_TOKEN);
	assert_int_equal(token_check(mem, ring, &policy, NOW - 30, token,
	    &who), 0);
	assert_int_equal(token_check(mem, ring, &policy, NOW - 31, token,
	    &who), E_TOKEN);
	arena_reset(mem);
}

static void
other_header_order_and_key(void **state)
{
	(void)state;
	assert_int_equal(check(forge(HEADER, CLAIMS, key1)), 0);
	assert_int_equal(check(forge("{\"kid\":\"k0\",\"alg\":\"HS256\","
	    "\"typ\":\"at+jwt\"}", CLAIMS, key2)), 0);
	assert_int_equal(check(forge(" { \"typ\" : \"at+jwt\" ,\n\"kid\":"
	    "\"k1\",\t\"alg\":\"HS256\" } ", CLAIMS, key1)), 0);
	arena_reset(mem);
}

static void
bad_headers(void **state)
{
#define H(rest) "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"" rest
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"None\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS512\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"hs256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"AT+JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\"}",
		H("}"), H(",\"kid\":\"\"}"), H(",\"kid\":\"k2\"}"),
		H(",\"kid\":\"k0\"}"), H(",\"kid\":\"../../dev/null\"}"),
		H(",\"kid\":\"k1' OR 1=1\"}"), H(",\"kid\":1}"),
		H(",\"kid\":null}"), H(",\"kid\":\"\\u006b1\"}"),
		H(",\"kid\":\"k1\",\"kid\":\"k1\"}"),
		H(",\"kid\":\"k1\",\"alg\":\"none\"}"),
		H(",\"kid\":\"k1\",\"crit\":[\"exp\"]}"),
		H(",\"kid\":\"k1\",\"jku\":\"https://x.example\"}"),
		H(",\"kid\":\"k1\",\"x5u\":\"https://x.example\"}"),
		H(",\"kid\":\"k1\",\"jwk\":{}}"),
		H(",\"kid\":\"k1\",\"b64\":\"\"}"),
		H(",\"kid\":\"k1\",}"), H(",\"kid\":\"k1\""),
		H(",\"kid\":\"k1\"} x"), H(",\"kid\":\"k1\"}{}"),
		H(" \"kid\":\"k1\"}"), H(",\"kid\" \"k1\"}"),
		"[\"alg\",\"HS256\"]", "\"x\"", "{", "{}", "",
	};
#undef H
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		int r = check(forge(headers[i], CLAIMS, key1));

		if (r != E_TOKEN)
			print_error("taken: %s\n", headers[i]);
		assert_int_equal(r, E_TOKEN);
	}
	arena_reset(mem);
}

static void
bad_claims(void **state)
{
	static const char *const claims[] = {
		"{" SUB SID FIT "\"x\":1}",
		"{" SUB SID FIT "\"exp\":1799999970}",
		"{" SUB SID FIT "\"exp\":\"1800000600\"}",
		"{" SUB SID FIT "\"exp\":1800000600.5}",
		"{" SUB SID FIT "\"exp\":null}",
		"{" SUB SID FIT "\"exp\":-1}",
		"{" SUB SID FIT "\"exp\":99999999999999999999}",
		"{" SUB SID FIT EXP ",\"nbf\":1800000031}",
		"{" SUB SID FIT EXP ",\"nbf\":\"x\"}",
		"{" SUB SID FIT EXP ",\"iat\":1800000031}",
		"{" SUB SID FIT EXP ",\"iat\":1.5}",
		"{" SUB SID FIT EXP "," EXP "}",
		"{" SUB SID FIT EXP ",\"e\\u0078p\":1}",
		"{" SUB SID "\"iss\":\"other\",\"aud\":\"docket\"," EXP "}",
		"{" SUB SID "\"iss\":\"Docket\",\"aud\":\"docket\"," EXP "}",
		"{" SUB SID "\"aud\":\"docket\"," EXP "}",
		"{" SUB SID "\"iss\":\"docket\",\"aud\":\"other\"," EXP "}",
		"{" SUB SID "\"iss\":\"docket\",\"aud\":[\"docket\"]," EXP "}",
		"{" SUB SID "\"iss\":\"docket\"," EXP "}",
		"{" SID FIT EXP "}", "{" SUB FIT EXP "}",
		"{\"sub\":\"1\"," SID FIT EXP "}",
		"{\"sub\":null," SID FIT EXP "}",
		"{\"sub\":\"00000000-0000-0000-0000-000000000000\","
		    SID FIT EXP "}",
		"{\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057 \","
		    SID FIT EXP "}",
		"[]", "\"x\"", "", "null", CLAIMS "x", CLAIMS CLAIMS,
		"{" SUB SID FIT EXP, "{" SUB SID FIT EXP ",\"x\":\"\xff\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		int r = check(forge(HEADER, claims[i], key1));

		if (r != E_TOKEN)
			print_error("taken: %s\n", claims[i]);
		assert_int_equal(r, E_TOKEN);
	}
	arena_reset(mem);
}

/* Nothing but the exact characters that were issued. */
static void
every_flip_is_refused(void **state)
{
	struct text token = issue("user");
	char *copy = arena_copy(mem, token.s, token.n);
	struct text changed = { copy, token.n };
	static const char other[] = "AZaz09-_.=+/ \n";

	(void)state;
	for (size_t i = 0; i < token.n; i++) {
		for (size_t j = 0; j < sizeof(other); j++) {
			if (other[j] == token.s[i])
				continue;
			copy[i] = other[j];
			assert_int_equal(check(changed), E_TOKEN);
			copy[i] = token.s[i];
		}
	}
	assert_int_equal(check(changed), 0);
	for (size_t n = 0; n < token.n; n++)
		assert_int_equal(check((struct text){ copy, n }), E_TOKEN);
	arena_reset(mem);
}

static void
bad_shapes(void **state)
{
	struct text token = issue("user");
	const char *dot = memchr(token.s, '.', token.n);
	char *big = arena_alloc(mem, 9000);

	(void)state;
	memset(big, 'A', 8999);
	big[100] = big[200] = '.';
	assert_int_equal(check(TEXT_NONE), E_TOKEN);
	assert_int_equal(check(TEXT("")), E_TOKEN);
	assert_int_equal(check(TEXT("garbage")), E_TOKEN);
	assert_int_equal(check(TEXT("..")), E_TOKEN);
	assert_int_equal(check(TEXT("...")), E_TOKEN);
	assert_int_equal(check(TEXT("a.b.c")), E_TOKEN);
	assert_int_equal(check(text_of(big)), E_TOKEN);
	assert_int_equal(check(text_of(arena_printf(mem, "%s.", token.s))),
	    E_TOKEN);
	assert_int_equal(check(text_of(arena_printf(mem, "%s=", token.s))),
	    E_TOKEN);
	assert_int_equal(check(text_of(arena_printf(mem, "x%s", dot))),
	    E_TOKEN);
	/* The last character but the canonical spelling: same 32 bytes. */
	big = arena_copy(mem, token.s, token.n);
	big[token.n - 1]++;
	assert_int_equal(check(text_of(big)), E_TOKEN);
	/* Another key of the ring than the kid's. */
	assert_int_equal(check(forge(HEADER, CLAIMS, key2)), E_TOKEN);
	arena_reset(mem);
}

/* A NUL hides what follows from a C parser. */
static void
nul_in_claims(void **state)
{
	static const char claims[] = CLAIMS "\0,\"exp\":9}";
	struct secret secret = { .n = 32 };
	uint8_t mac[CRYPTO_HASH];
	char *body = arena_printf(mem, "%s.%s",
	    base64url_encode(mem, HEADER, sizeof(HEADER) - 1).s,
	    base64url_encode(mem, claims, sizeof(claims) - 1).s);

	(void)state;
	memcpy(secret.b, key1, 32);
	assert_int_equal(crypto_hmac(&secret, body, strlen(body), mac), 0);
	assert_int_equal(check(text_of(arena_printf(mem, "%s.%s", body,
	    base64url_encode(mem, mac, sizeof(mac)).s))), E_TOKEN);
	arena_reset(mem);
}

/* Under our own MAC claims that are no base64url, or no object. */
static void
odd_claims_under_a_good_mac(void **state)
{
	static const char *const parts[] = { "!!!", "eyJ", "bnVsbA", "W10" };
	struct secret secret = { .n = 32 };
	uint8_t mac[CRYPTO_HASH];

	(void)state;
	memcpy(secret.b, key1, 32);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *body = arena_printf(mem, "%s.%s", base64url_encode(mem,
		    HEADER, sizeof(HEADER) - 1).s, parts[i]);

		assert_int_equal(crypto_hmac(&secret, body, strlen(body),
		    mac), 0);
		assert_int_equal(check(text_of(arena_printf(mem, "%s.%s", body,
		    base64url_encode(mem, mac, sizeof(mac)).s))), E_TOKEN);
	}
	arena_reset(mem);
}

/* All four kinds, between all tokens; a NUL is none of them. */
static void
white_space_in_a_header(void **state)
{
	struct jose_header header;

	(void)state;
	assert_true(jose_header(TEXT(" {\t\"alg\"\n:\r\"a\" , \"typ\":\"b\",\n"
	    "\"kid\":\"c\"\r}\t\n\r "), &header));
	assert_true(text_is(header.kid, "c"));
	assert_false(jose_header(TEXT("{\"alg\":\"a\",\"typ\":\"b\","
	    "\"kid\":\"c\"}\0"), &header));
	assert_false(jose_header(TEXT("{\"alg\":\"a\",\"typ\":\"b\"}"),
	    &header));
	assert_false(jose_header(TEXT("{\"alg\":\"a\",\"kid\":\"c\"}"),
	    &header));
	assert_false(jose_header(TEXT("{\"typ\":\"b\",\"kid\":\"c\"}"),
	    &header));
	assert_false(jose_header(TEXT("{\"alg\":\"a\",\v\"typ\":\"b\","
	    "\"kid\":\"c\"}"), &header));
}

static void
refresh_round_trip(void **state)
{
	static const int64_t counters[] = { 0, 1, 255, 256, INT64_MAX };
	struct secret key = { .n = 32 }, other = { .n = 32 };
	struct uuid id = { .b = { 1, 2, 3 } }, got;
	struct text one, two;
	int64_t counter;

	(void)state;
	memcpy(key.b, key1, 32);
	memcpy(other.b, key2, 32);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(refresh_make(mem, &key, &id, counters[i],
		    &one), 0);
		assert_int_equal(refresh_make(mem, &key, &id, counters[i],
		    &two), 0);
		assert_true(text_equal(one, two));
		assert_int_equal(refresh_parse(&key, one, &got, &counter), 0);
		assert_true(uuid_equal(&id, &got));
		assert_int_equal(counter, counters[i]);
		assert_int_equal(refresh_parse(&other, one, &got, &counter),
		    E_REFRESH);
	}
	assert_int_equal(refresh_make(mem, &key, &id, -1, &two), -EINVAL);
	for (size_t i = 0; i < one.n; i++) {
		char *copy = arena_copy(mem, one.s, one.n);

		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(refresh_parse(&key,
		    (struct text){ copy, one.n }, &got, &counter), E_REFRESH);
		assert_int_equal(refresh_parse(&key,
		    (struct text){ one.s, i }, &got, &counter), E_REFRESH);
	}
	assert_int_equal(refresh_parse(&key, TEXT_NONE, &got, &counter),
	    E_REFRESH);
	arena_reset(mem);
}

/* Not a test of speed: prints what to put into the books. */
static void
costs(void **state)
{
	const int n = 5000;
	struct text token = issue("user");
	int64_t t0 = clock_real_us(), t1, t2;
	struct principal who;

	(void)state;
	for (int i = 0; i < n; i++)
		token = issue("user");
	t1 = clock_real_us();
	for (int i = 0; i < n; i++)
		assert_int_equal(token_check(mem, ring, &policy, NOW, token,
		    &who), 0);
	t2 = clock_real_us();
	print_message("token: issue %.1f us, check %.1f us\n",
	    (double)(t1 - t0) / n, (double)(t2 - t1) / n);
	arena_reset(mem);
}

static void
a_memo_has_one_place_for_each_mac(void **state)
{
	struct token_memo *memo = token_memo_new();
	const struct claims one = { .exp = 1 }, two = { .exp = 2 };
	uint8_t a[CRYPTO_HASH] = { 7, 7, 1 }, b[CRYPTO_HASH] = { 7, 7, 2 };
	uint8_t none[CRYPTO_HASH] = { 0 };

	(void)state;
	assert_non_null(memo);
	assert_null(token_memo_find(memo, none));
	token_memo_keep(memo, a, &one);
	assert_int_equal(token_memo_find(memo, a)->exp, 1);
	assert_null(token_memo_find(memo, b));
	token_memo_keep(memo, b, &two);
	assert_null(token_memo_find(memo, a));
	assert_int_equal(token_memo_find(memo, b)->exp, 2);
	token_memo_keep(NULL, a, &one);
	assert_null(token_memo_find(NULL, a));
	token_memo_free(memo);
	token_memo_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issued_is_taken),
		cmocka_unit_test(lifetime_has_skew),
		cmocka_unit_test(other_header_order_and_key),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(bad_claims),
		cmocka_unit_test(every_flip_is_refused),
		cmocka_unit_test(bad_shapes),
		cmocka_unit_test(nul_in_claims),
		cmocka_unit_test(odd_claims_under_a_good_mac),
		cmocka_unit_test(white_space_in_a_header),
		cmocka_unit_test(refresh_round_trip),
		cmocka_unit_test(a_memo_has_one_place_for_each_mac),
		cmocka_unit_test(costs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
