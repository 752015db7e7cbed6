/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The Authorization header: RFC 6750's credential and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "web/access.h"

#define GOOD "cjlLM3ZRMG0xeFo3cEw1dEI4bkQyc0Y2aEo0Z1cweVU"

static struct settings settings = {
	.auth_issuer = "docket", .auth_audience = "docket",
	.auth_access_ttl = 600, .auth_clock_skew = 30,
};
static struct app app = { .settings = &settings };
static struct request request;
static struct route route = { .access = ACCESS_USER };
static struct call call = {
	.app = &app, .req = &request, .route = &route,
};
static struct principal who;
static struct text token;

static int
setup(void **state)
{
	static const struct token_policy policy = {
		TEXT_INIT("docket"), TEXT_INIT("docket"), 600, 30, NULL
	};
	char path[] = "/tmp/docket-access-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	if (!f || crypto_init())
		return -1;
	fprintf(f, "current k HS256 " GOOD "\n");
	fclose(f);
	app.ring = token_ring_load(NULL, path, stderr);
	unlink(path);
	call.mem = arena_new(65536);
	memset(&who.user_id, 0x11, sizeof(who.user_id));
	memset(&who.session_id, 0x22, sizeof(who.session_id));
	return !app.ring || token_issue(call.mem, app.ring, &policy,
	    clock_real_us() / TIME_SECOND, &who, TEXT("user"), &token);
}

static int
teardown(void **state)
{
	(void)state;
	token_ring_free(app.ring);
	arena_free(call.mem);
	crypto_done();
	return 0;
}

/* What the route says to this header. */
static int
ask(enum access access, struct text header)
{
	route.access = access;
	request.authorization = header;
	call.who = (struct principal){ 0 };
	return access_check(&call);
}

static void
the_header_is_read_strictly(void **state)
{
	static const struct {
		struct text header;
		bool other;
		const char *token;	/* NULL: none */
	} rows[] = {
		{ TEXT_INIT("Bearer abc"), false, "abc" },
		{ TEXT_INIT("bEARER abc"), false, "abc" },
		{ TEXT_INIT("Bearer   a-._~+/9=="), false, "a-._~+/9==" },
		{ TEXT_INIT("Bearer"), false, NULL },
		{ TEXT_INIT("Bearer "), false, NULL },
		{ TEXT_INIT("Bearer =="), false, NULL },
		{ TEXT_INIT("Bearer a=b"), false, NULL },
		{ TEXT_INIT("Bearer a b"), false, NULL },
		{ TEXT_INIT("Bearer a,b"), false, NULL },
		{ TEXT_INIT("Bearer a\0b"), false, NULL },
		{ TEXT_INIT("Bearer a\xff"), false, NULL },
		{ TEXT_INIT("Bearer\tabc"), true, NULL },
		{ TEXT_INIT("Bearerabc"), true, NULL },
		{ TEXT_INIT("Basic YTpi"), true, NULL },
		{ TEXT_INIT("Bear"), true, NULL },
		{ TEXT_INIT(""), true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool other = !rows[i].other;
		struct text got = access_token(rows[i].header, &other);

		assert_int_equal(other, rows[i].other);
		assert_int_equal(got.s != NULL, rows[i].token != NULL);
		if (rows[i].token)
			assert_true(text_is(got, rows[i].token));
	}
}

static void
a_token_may_have_8_KiB(void **state)
{
	static char header[7 + 8 * 1024 + 1] = "Bearer ";
	bool other;

	(void)state;
	memset(header + 7, 'a', sizeof(header) - 7);
	assert_non_null(access_token((struct text){ header,
	    sizeof(header) - 1 }, &other).s);
	assert_null(access_token((struct text){ header, sizeof(header) },
	    &other).s);
}

static void
a_route_lets_in_whom_its_row_says(void **state)
{
	struct text good = text_of(arena_printf(call.mem, "Bearer %.*s",
	    TEXT_FMT(token)));

	(void)state;
	assert_int_equal(ask(ACCESS_PUBLIC, TEXT_NONE), 0);
	assert_true(uuid_is_nil(&call.who.user_id));
	assert_int_equal(ask(ACCESS_USER, TEXT_NONE), E_TOKEN_MISSING);
	assert_int_equal(ask(ACCESS_USER, TEXT("Basic YTpi")),
	    E_TOKEN_MISSING);
	assert_int_equal(ask(ACCESS_USER, TEXT("Bearer ")), E_TOKEN);
	assert_int_equal(ask(ACCESS_USER, TEXT("Bearer abc")), E_TOKEN);
	assert_int_equal(ask(ACCESS_USER, good), 0);
	assert_false(call.who.need_admin);
	assert_true(uuid_equal(&call.who.user_id, &who.user_id));
	assert_int_equal(ask(ACCESS_ADMIN, good), 0);
	assert_true(call.who.need_admin);
	/* Without an API key it takes the role. */
	assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, good), 0);
	assert_true(call.who.need_admin);
	assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, TEXT_NONE),
	    E_TOKEN_MISSING);
	request.two_authorizations = true;
	assert_int_equal(ask(ACCESS_USER, good), E_TOKEN);
	request.two_authorizations = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_is_read_strictly),
		cmocka_unit_test(a_token_may_have_8_KiB),
		cmocka_unit_test(a_route_lets_in_whom_its_row_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
