/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate's cookie: found by its name among others, alone or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "core/scope.h"
#include "web/access.h"
#include "web/cookie.h"

static struct settings settings = {
	.auth_gate_cookie = "gate", .auth_gate_domain = "",
	.auth_gate_ttl = 3600,
};
static struct app app = { .settings = &settings };
static struct request request;
static struct route route = { .access = ACCESS_USER, .flags = ROUTE_GATE };
static struct call call = {
	.app = &app, .req = &request, .route = &route,
};
static const struct principal who = {
	.user_id = { { 1 } }, .session_id = { { 2 } },
};
static struct text value;	/* of a good one */

static int
setup(void **state)
{
	(void)state;
	app.key_pass.n = 32;
	call.mem = arena_new(65536);
	return call.mem ? crypto_init() : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(call.mem);
	crypto_done();
	return 0;
}

/* The header that the reply sets. */
static const char *
set(void)
{
	int64_t seconds = 0;

	call.reply.n_headers = 0;
	assert_int_equal(cookie_set(&call, &who, &seconds), 0);
	assert_int_equal(seconds, 3600);
	assert_int_equal(call.reply.n_headers, 1);
	assert_string_equal(call.reply.headers[0].name, "Set-Cookie");
	return arena_copy(call.mem, call.reply.headers[0].value.s,
	    call.reply.headers[0].value.n);
}

static void
what_is_set_no_script_and_no_other_site_gets(void **state)
{
	const char *said = set();
	const char *end = strchr(said, ';');

	(void)state;
	assert_int_equal(strncmp(said, "gate=", 5), 0);
	assert_string_equal(end, "; Path=/; Max-Age=3600; Secure; HttpOnly; "
	    "SameSite=Strict");
	value = (struct text){ said + 5, (size_t)(end - said) - 5 };
	settings.auth_gate_domain = "example.org";
	assert_non_null(strstr(set(), "SameSite=Strict; Domain=example.org"));
	settings.auth_gate_domain = "";
	call.reply.n_headers = 0;
	cookie_clear(&call);
	assert_string_equal(call.reply.headers[0].value.s,
	    "gate=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
}

/* @ stands for the good value. */
static int
ask(const char *header)
{
	const char *at = header ? strchr(header, '@') : NULL;

	request.cookie = at ? text_of(arena_printf(call.mem, "%.*s%.*s%s",
	    (int)(at - header), header, TEXT_FMT(value), at + 1)) :
	    text_of(header);
	call.who = (struct principal){ 0 };
	return access_check(&call);
}

static void
it_is_found_by_its_name_alone(void **state)
{
	static const struct {
		const char *header;
		int r;
	} rows[] = {
		{ NULL, E_TOKEN_MISSING },
		{ "", E_TOKEN_MISSING },
		{ ";", E_TOKEN_MISSING },
		{ "gate", E_TOKEN_MISSING },
		{ "gates=@", E_TOKEN_MISSING },
		{ "Gate=@", E_TOKEN_MISSING },
		{ "xgate=@", E_TOKEN_MISSING },
		{ "x=gate=@", E_TOKEN_MISSING },
		{ "gate=@", E_OK },
		{ "  gate=@  ", E_OK },
		{ "a=1; gate=@", E_OK },
		{ "a=1;gate=@;b=2;", E_OK },
		{ "gate=", E_TOKEN },
		{ "gate=x", E_TOKEN },
		{ "gate==@", E_TOKEN },
		{ "gate=\"@\"", E_TOKEN },
		{ "gate=@; gate=x", E_TOKEN },
		{ "gate=x; a=1; gate=@", E_TOKEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ask(rows[i].header), rows[i].r);
	assert_int_equal(ask("gate=@"), 0);
	assert_true(uuid_equal(&call.who.user_id, &who.user_id));
	assert_true(uuid_equal(&call.who.session_id, &who.session_id));
	assert_int_equal(call.who.scopes, MAY_ALL);
	assert_int_equal(ask("gate=@; gate=@"), E_TOKEN);
	request.two_cookies = true;
	assert_int_equal(ask("gate=@"), E_TOKEN);
	request.two_cookies = false;
}

static void
it_opens_the_gate_and_nothing_else(void **state)
{
	(void)state;
	route.flags = ROUTE_TASKS;
	assert_int_equal(ask("gate=@"), E_TOKEN_MISSING);
	route.flags = 0;
	assert_int_equal(ask("gate=@"), E_TOKEN_MISSING);
	route.flags = ROUTE_GATE;
	/* Not beside a bearer that is none. */
	request.authorization = TEXT("Bearer x");
	assert_int_equal(ask("gate=@"), E_TOKEN);
	request.authorization = TEXT("Basic YTpi");
	assert_int_equal(ask("gate=@"), 0);
	request.authorization = TEXT_NONE;
	settings.auth_gate_cookie = "";
	assert_int_equal(ask("gate=@"), E_TOKEN_MISSING);
	assert_int_equal(ask("=@"), E_TOKEN_MISSING);
	settings.auth_gate_cookie = "gate";
	assert_int_equal(ask("gate=@"), 0);
}

static void
a_fault_is_no_answer(void **state)
{
	int64_t seconds;

	(void)state;
	app.key_pass.n = 0;
	assert_true(ask("gate=@") < 0);
	assert_true(cookie_set(&call, &who, &seconds) < 0);
	app.key_pass.n = 32;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_no_script_and_no_other_site_gets),
		cmocka_unit_test(it_is_found_by_its_name_alone),
		cmocka_unit_test(it_opens_the_gate_and_nothing_else),
		cmocka_unit_test(a_fault_is_no_answer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
