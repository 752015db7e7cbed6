/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signatures of Standard Webhooks: the published vector, secrets, the body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "courier/hook.h"
#include "courier/webhook.h"
#include "web/json_point.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return mem && crypto_init() == 0 ? 0 : -1;
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
vector(void **state)
{
	struct secret secrets[2];
	struct text signature;

	(void)state;
	assert_null(webhook_secret(
	    TEXT("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &secrets[0]));
	assert_null(webhook_secret(
	    TEXT("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &secrets[1]));
	assert_int_equal(secrets[0].n, 24);
	assert_memory_equal(secrets[0].b, secrets[1].b, 24);
	assert_int_equal(webhook_sign(mem, secrets, 1,
	    TEXT("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
	    TEXT("{\"test\": 2432232314}"), &signature), 0);
	assert_true(text_is(signature,
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
	assert_int_equal(webhook_sign(mem, secrets, 2,
	    TEXT("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
	    TEXT("{\"test\": 2432232314}"), &signature), 0);
	assert_true(text_is(signature,
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

static void
secrets(void **state)
{
	static const struct {
		const char *word;
		size_t n;	/* bytes; 0: refused */
	} rows[] = {
		/* 24, 25, 26 bytes: no, two, one sign of padding */
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 24 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 25 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 25 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 26 },
		{ "whsec_++++////++++////++++////++++////", 24 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 64 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
		{ "whsec_----____----____----____----____", 0 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
		{ "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA===", 0 },
		{ "whsec_AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
		{ "whsec_", 0 }, { "", 0 }, { "v1,", 0 },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
		{ "v1a,whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secret secret = { .n = 0 };
		const char *why = webhook_secret(text_of(rows[i].word),
		    &secret);

		if (secret.n != rows[i].n || !why != (rows[i].n > 0))
			fail_msg("%s: %zu bytes, %s", rows[i].word, secret.n,
			    why ? why : "taken");
	}
}

/* Whatever a text holds, it stays in its string. */
static void
body(void **state)
{
	const struct settings settings = { .otp_ttl = 120,
	    .server_public_url = "https://x.example" };
	struct letter letter = { .id = TEXT("1"), .channel = TEXT("email"),
	    .to = TEXT("a\"b@x.example"), .purpose = TEXT("change"),
	    .code = TEXT("123456"), .text = TEXT("a\r\n\"b\"\033"),
	    .created_at = INT64_C(1800000000123456) };
	static const struct {
		const char *pointer, *value;
	} rows[] = {
		{ "/user/id", "00000000-0000-0000-0000-000000000000" },
		{ "/user/email", "a\"b@x.example" }, { "/user/phone", "" },
		{ "/email_data/token", "123456" },
		{ "/email_data/token_hash", "" },
		{ "/email_data/email_action_type", "email_change" },
		{ "/email_data/site_url", "https://x.example" },
		{ "/message/text", "a\r\n\"b\"\033" },
		{ "/message/created_at", "2027-01-15T08:00:00.123Z" },
		{ "/message/expires_at", "2027-01-15T08:02:00.123Z" },
	};
	struct buf out = { 0 };
	struct text found;

	(void)state;
	hook_body(&out, &settings, &letter);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!json_point(buf_view(&out), rows[i].pointer, mem,
		    &found) || !text_is(found, rows[i].value))
			fail_msg("%s", rows[i].pointer);
	assert_false(json_point(buf_view(&out), "/sms/otp", mem, &found));
	buf_reset(&out, 0);
	letter.channel = TEXT("sms");
	letter.purpose = TEXT("other");
	hook_body(&out, &settings, &letter);
	assert_true(json_point(buf_view(&out), "/sms/otp", mem, &found));
	assert_true(text_is(found, "123456"));
	assert_false(json_point(buf_view(&out), "/email_data/token", mem,
	    &found));
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector),
		cmocka_unit_test(secrets),
		cmocka_unit_test(body),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
