/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/limit: who is counted, what is told, and which limit refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "lib/fcgi_fake.h"
#include "web/limit.h"

static struct settings settings;
static struct app app = { .settings = &settings };
static struct route route;
static struct call call;
static struct buf out;

static int
setup(void **state)
{
	(void)state;
	if (crypto_init() != 0)
		return -1;
	settings = (struct settings){
		.limits_requests_user = 3, .limits_requests_anonymous = 2,
		.limits_refreshes_session = 1, .limits_otp_sends_hour = 5,
		.limits_otp_recipient_guesses = 15,
		.limits_otp_sends_client = 10,
	};
	app.limiter = limiter_new();
	route = (struct route){ .access = ACCESS_USER, .rate = RATE_API };
	call = (struct call){
		.app = &app, .route = &route,
		.client = { .ip = TEXT("192.0.2.1"),
		    .network = TEXT("192.0.2.0/24") },
		.who = { .user_id = { { 1 } } },
	};
	return app.limiter ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	limiter_free(app.limiter);
	buf_done(&out);
	crypto_done();
	return 0;
}

/* As a new request would. */
static int
check(int access)
{
	call.n_limits = 0;
	call.reply.retry_after = 0;
	return limit_check(&call, access);
}

static const char *
headers(enum error error)
{
	buf_reset(&out, 0);
	limit_headers(&call, error, &out);
	buf_putc(&out, '\0');
	return out.p;
}

static void
a_token_is_counted_by_its_user(void **state)
{
	(void)state;
	for (int left = 2; left >= 0; left--) {
		assert_int_equal(check(0), 0);
		assert_int_equal(call.limits[0].left, left);
	}
	assert_int_equal(check(0), E_RATE);
	assert_true(call.reply.retry_after >= 19 &&
	    call.reply.retry_after <= 20);
	assert_int_equal(call.limits[0].reset, call.reply.retry_after);
	call.who.user_id.b[0] = 2;
	assert_int_equal(check(0), 0);
	/* From wherever. */
	call.client.ip = TEXT("192.0.2.2");
	assert_int_equal(check(0), 0);
	assert_int_equal(call.limits[0].left, 1);
}

static void
nobodys_are_counted_by_client(void **state)
{
	(void)state;
	call.who.user_id = (struct uuid){ 0 };
	assert_int_equal(check(E_TOKEN), E_TOKEN);
	route.access = ACCESS_PUBLIC;
	assert_int_equal(check(0), 0);
	assert_string_equal(call.limits[0].name, "anonymous");
	assert_int_equal(check(0), E_RATE);
	/* Over the limit, what was wrong with the token is not told. */
	assert_int_equal(check(E_TOKEN_MISSING), E_RATE);
	/* A fault is a fault. */
	assert_int_equal(check(-EIO), -EIO);
	assert_int_equal(call.n_limits, 0);
}

static void
a_token_that_is_not_right_is_nobodys(void **state)
{
	(void)state;
	/* Whatever was written into call->who before it was refused. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(check(E_TOKEN), E_TOKEN);
	assert_int_equal(check(E_TOKEN), E_RATE);
	assert_int_equal(check(0), 0);
	assert_string_equal(call.limits[0].name, "user");
}

static void
what_has_no_rate_has_no_limit(void **state)
{
	(void)state;
	route.rate = RATE_NONE;
	for (int i = 0; i < 9; i++)
		assert_int_equal(check(0), 0);
	assert_string_equal(headers(E_OK), "");
	route.rate = RATE_API;
	/* Checks are counted for themselves, by user too. */
	settings.limits_checks_user = 4;
	route.rate = RATE_CHECK;
	for (int i = 0; i < 4; i++)
		assert_int_equal(check(0), 0);
	assert_int_equal(check(0), E_RATE);
	assert_string_equal(headers(E_RATE),
	    "RateLimit-Policy: \"check\";q=4;w=60\r\n"
	    "RateLimit: \"check\";r=0;t=15\r\n");
	route.rate = RATE_API;
	assert_int_equal(check(0), 0);
	settings.limits_requests_user = 0;
	for (int i = 0; i < 9; i++)
		assert_int_equal(check(0), 0);
	assert_string_equal(headers(E_OK), "");
}

static void
several_are_told_in_one_line(void **state)
{
	const struct uuid session = { { 9 } };

	(void)state;
	route.access = ACCESS_PUBLIC;
	call.who.user_id = (struct uuid){ 0 };
	assert_int_equal(check(0), 0);
	assert_int_equal(limit_session(&call, &session), 0);
	assert_string_equal(headers(E_OK),
	    "RateLimit-Policy: \"anonymous\";q=2;w=60, \"session\";q=1;w=60"
	    "\r\nRateLimit: \"anonymous\";r=1;t=30, \"session\";r=0;t=60\r\n");
	assert_int_equal(limit_session(&call, &session), E_RATE);
	assert_int_equal(call.reply.retry_after, 60);
}

static void
what_the_store_refused_is_told_by_the_error(void **state)
{
	(void)state;
	route.rate = RATE_OTP;
	call.reply.retry_after = 42;
	assert_string_equal(headers(E_OTP_WAIT),
	    "RateLimit-Policy: \"otp\";q=5;w=3600\r\n"
	    "RateLimit: \"otp\";r=0;t=42\r\n");
	assert_string_equal(headers(E_OTP_BLOCKED),
	    "RateLimit-Policy: \"otp-guesses\";q=15;w=86400\r\n"
	    "RateLimit: \"otp-guesses\";r=0;t=42\r\n");
	assert_string_equal(headers(E_RATE),
	    "RateLimit-Policy: \"otp-client\";q=10;w=3600\r\n"
	    "RateLimit: \"otp-client\";r=0;t=42\r\n");
	assert_string_equal(headers(E_OTP), "");
	/* Beside what was counted here, and not when that refused. */
	limit_tell(&call, &(struct limit){ "anonymous", 2, 60, 1, 30 });
	assert_non_null(strstr(headers(E_OTP_WAIT),
	    "\"anonymous\";r=1;t=30, \"otp\";r=0;t=42"));
	call.limits[0].left = 0;
	call.limits[0].reset = 42;
	assert_null(strstr(headers(E_RATE), "otp"));
	/* Elsewhere an error says nothing of codes; nor does a limit of 0. */
	call.n_limits = 0;
	settings.limits_otp_sends_client = 0;
	assert_string_equal(headers(E_RATE), "");
	route.rate = RATE_AUTH;
	assert_string_equal(headers(E_OTP_WAIT), "");
	call.route = NULL;
	assert_string_equal(headers(E_OTP_WAIT), "");
	call.app = NULL;
	assert_string_equal(headers(E_OTP_WAIT), "");
}

static void
no_more_are_told_than_there_is_room_for(void **state)
{
	const struct limit one = { "one", 1, 1, 0, 1 };

	(void)state;
	route.rate = RATE_OTP;
	for (int i = 0; i < LIMITS_MAX + 3; i++)
		limit_tell(&call, &one);
	assert_int_equal(call.n_limits, LIMITS_MAX);
	assert_null(strstr(headers(E_OTP_WAIT), "otp"));
}

static void
a_client_is_an_address_or_a_64(void **state)
{
	struct client v6 = { .ip = TEXT("2001:db8::1"),
		.network = TEXT("2001:db8::/64") };

	(void)state;
	assert_true(text_is(limit_client(&call.client), "192.0.2.1"));
	assert_true(text_is(limit_client(&v6), "2001:db8::/64"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_token_is_counted_by_its_user),
		CASE(nobodys_are_counted_by_client),
		CASE(a_token_that_is_not_right_is_nobodys),
		CASE(what_has_no_rate_has_no_limit),
		CASE(several_are_told_in_one_line),
		CASE(what_the_store_refused_is_told_by_the_error),
		CASE(no_more_are_told_than_there_is_room_for),
		CASE(a_client_is_an_address_or_a_64),
	};

	return cmocka_run_group_tests_name("web_limit", tests, NULL, NULL);
}
