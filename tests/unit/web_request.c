/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/request: what is made of FastCGI parameters, the body, Accept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "lib/fcgi_fake.h"
#include "web/access.h"
#include "web/request.h"

static struct request req;
static struct client client;

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state && crypto_init() == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	crypto_done();
	return 0;
}

/* Read a request of these parameters, up to the first NULL. */
static int
read_with(void **state, const char *a, const char *b)
{
	const char *const params[] = { "REQUEST_METHOD=GET", a, b, NULL };
	struct fcgi fcgi = { .params = params };

	return request_read(&req, &client, &fcgi, *state);
}

static void
splits_and_decodes_the_address(void **state)
{
	static const struct { const char *uri, *path, *query; } rows[] = {
		{ "/", "/", "" },
		{ "/tasks?a=1", "/tasks", "a=1" },
		{ "/tasks?", "/tasks", "" },
		{ "/tasks?a=?&b", "/tasks", "a=?&b" },
		{ "/t%61sks/%C3%A9%20+", "/tasks/\xc3\xa9 +", "" },
		{ "/a%253F", "/a%3F", "" },
		{ "/a%3Fb=1", "/a?b=1", "" },
		{ "/tasks?x=%zz", "/tasks", "x=%zz" },
		{ "/a/../b", "/a/../b", "" },
	};
	static const char *const bad[] = {
		"", "*", "tasks", "http://h/tasks", "/%", "/%4", "/%zz",
		"/%00", "/%ff", "/%c0%af", "/%ed%a0%80", "/a%2Fb", "/a%2fb",
		"/\xff",
	};
	char uri[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(uri, sizeof(uri), "REQUEST_URI=%s", rows[i].uri);
		assert_int_equal(read_with(state, uri, NULL), 0);
		assert_true(text_is(req.path, rows[i].path));
		assert_true(text_is(req.query, rows[i].query));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(uri, sizeof(uri), "REQUEST_URI=%s", bad[i]);
		assert_int_equal(read_with(state, uri, NULL), E_BAD_REQUEST);
		assert_null(req.path.s);
		assert_int_equal(req.id.n, UUID_CHARS);
		assert_true(text_is(req.method, "GET"));
	}
	assert_int_equal(read_with(state, NULL, NULL), E_BAD_REQUEST);
}

static void
an_address_may_be_8_kib_long(void **state)
{
	char *uri = arena_alloc(*state, URI_MAX + 64);
	const size_t n = strlen("REQUEST_URI=");

	memcpy(uri, "REQUEST_URI=/", n + 1);
	memset(uri + n + 1, 'a', URI_MAX - 1);
	assert_int_equal(read_with(state, uri, NULL), 0);
	assert_int_equal(req.path.n, URI_MAX);
	uri[n + URI_MAX] = 'a';
	assert_int_equal(read_with(state, uri, NULL), E_URI_LONG);
}

static void
knows_the_client(void **state)
{
	static const struct { const char *addr, *ip, *network; } rows[] = {
		{ "REMOTE_ADDR=192.0.2.77", "192.0.2.77", "192.0.2.0/24" },
		{ "REMOTE_ADDR=::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24" },
		{ "REMOTE_ADDR=2001:DB8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "REMOTE_ADDR=::1", "::1", "::/64" },
		{ "REMOTE_ADDR=unix:", "0.0.0.0", "0.0.0.0/24" },
		{ "HTTP_X_FORWARDED_FOR=1.2.3.4", "0.0.0.0", "0.0.0.0/24" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_with(state, "REQUEST_URI=/",
		    rows[i].addr), 0);
		assert_true(text_is(client.ip, rows[i].ip));
		assert_true(text_is(client.network, rows[i].network));
	}
}

static void
cleans_the_user_agent(void **state)
{
	char long_agent[600] = "HTTP_USER_AGENT=";
	const size_t n = strlen(long_agent);

	read_with(state, "REQUEST_URI=/", "HTTP_USER_AGENT=a\tb\x7f\xff\xc3\xa9");
	assert_true(text_is(client.agent, "a?b??\xc3\xa9"));
	for (size_t pad = 0; pad < 3; pad++) {
		memset(long_agent + n, 'x', pad);
		for (size_t i = n + pad; i + 2 < sizeof(long_agent); i += 2)
			memcpy(long_agent + i, "\xc3\xa9", 3);
		read_with(state, "REQUEST_URI=/", long_agent);
		assert_int_equal(client.agent.n, 256 - pad % 2);
	}
	read_with(state, "REQUEST_URI=/", NULL);
	assert_null(client.agent.s);
}

static void
takes_a_sane_request_id(void **state)
{
	static const char *const bad[] = {
		"HTTP_X_REQUEST_ID=", "HTTP_X_REQUEST_ID=a b",
		"HTTP_X_REQUEST_ID=a\nb", "HTTP_X_REQUEST_ID=\xc3\xa9",
		("HTTP_X_REQUEST_ID=0123456789012345678901234567890123456789"
		"0123456789012345678901234"),
	};

	read_with(state, "REQUEST_URI=/", "HTTP_X_REQUEST_ID=Ab.9_-");
	assert_true(text_is(req.id, "Ab.9_-"));
	assert_true(text_is(client.request_id, "Ab.9_-"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_with(state, "REQUEST_URI=/", bad[i]);
		assert_int_equal(req.id.n, UUID_CHARS);
	}
}

static void
reads_headers(void **state)
{
	read_with(state, "REQUEST_URI=/",
	    "CONTENT_TYPE=Application/JSON ; charset=utf-8");
	assert_true(text_is(req.type, "application/json"));
	read_with(state, "REQUEST_URI=/", "DOCKET_START=1769851800.123");
	assert_true(req.started_us == INT64_C(1769851800123000));
	read_with(state, "REQUEST_URI=/", "DOCKET_START=1769851800");
	assert_true(req.started_us == 0);
	read_with(state, "REQUEST_URI=/", "DOCKET_START=1.2.345");
	assert_true(req.started_us == 0);
	read_with(state, "REQUEST_URI=/",
	    "DOCKET_START=99999999999999999.123");
	assert_true(req.started_us == 0);
	read_with(state, "REQUEST_URI=/", "HTTP_TRACEPARENT=00-0af7651916cd43"
	    "dd8448eb211c80319c-b7ad6b7169203331-01");
	assert_int_equal(req.traceparent.n, 55);
	read_with(state, "REQUEST_URI=/", "HTTP_TRACEPARENT=00-x");
	assert_null(req.traceparent.s);
	read_with(state, "REQUEST_URI=/", "HTTP_IF_NONE_MATCH=");
	assert_null(req.if_none_match.s);
}

static void
sees_two_credentials(void **state)
{
	const char *const twice[] = {
		"REQUEST_URI=/", "HTTP_AUTHORIZATION=Bearer a",
		"HTTP_AUTHORIZATION=Bearer b", NULL
	};
	struct fcgi fcgi = { .params = twice };

	read_with(state, "REQUEST_URI=/", "HTTP_AUTHORIZATION=Bearer a");
	assert_false(req.two_authorizations);
	read_with(state, "REQUEST_URI=/",
	    "HTTP_AUTHORIZATION=Bearer a, Bearer b");
	assert_true(req.two_authorizations);
	request_read(&req, &client, &fcgi, *state);
	assert_true(req.two_authorizations);
}

static void
reads_a_token(void **state)
{
	static const struct { const char *header, *token; bool other; } rows[] = {
		{ "Bearer abc", "abc", false },
		{ "bEARER   a.b-_~+/==", "a.b-_~+/==", false },
		{ "Bearer", NULL, false },
		{ "Bearer ", NULL, false },
		{ "Bearer =", NULL, false },
		{ "Bearer a b", NULL, false },
		{ "Bearer a=b", NULL, false },
		{ "Bearer \"a\"", NULL, false },
		{ "Bearer a,b", NULL, false },
		{ "Bearer \xc3\xa9", NULL, false },
		{ "Bearer\ta", NULL, true },
		{ "Bearera b", NULL, true },
		{ "Basic YTpi", NULL, true },
		{ "abc", NULL, true },
		{ "", NULL, true },
	};
	char *big = arena_alloc(*state, 9000);
	bool other;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct text token =
		    access_token(text_of(rows[i].header), &other);

		assert_int_equal(other, rows[i].other);
		assert_true(rows[i].token ? text_is(token, rows[i].token) :
		    !token.s);
	}
	memset(big, 'a', 9000);
	memcpy(big, "Bearer ", 7);
	assert_int_equal(access_token((struct text){ big, 7 + 8192 },
	    &other).n, 8192);
	assert_null(access_token((struct text){ big, 8 + 8192 }, &other).s);
}

static int
read_body(void **state, const char *length, size_t n, bool broken)
{
	const char *const params[] = { length, NULL };
	struct fcgi *fcgi = calloc(1, sizeof(*fcgi));
	char *body = calloc(1, n + 1);
	int r;

	assert_non_null(fcgi);
	assert_non_null(body);
	memset(body, 'x', n);
	fcgi->params = params;
	fcgi->body = body;
	fcgi->body_n = n;
	fcgi->step = 5000;
	fcgi->broken = broken;
	req.body = TEXT_NONE;
	r = request_read_body(&req, fcgi, *state, BODY_MAX);
	if (r == 0 && n)
		assert_memory_equal(req.body.s, body, req.body.n);
	free(body);
	free(fcgi);
	return r;
}

static void
reads_the_body(void **state)
{
	assert_int_equal(read_body(state, "CONTENT_LENGTH=3", 3, false), 0);
	assert_int_equal(req.body.n, 3);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=0", 0, false), 0);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=262144", BODY_MAX,
	    false), 0);
	assert_int_equal(req.body.n, BODY_MAX);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=262145",
	    BODY_MAX + 1, false), E_TOO_LARGE);
	assert_int_equal(read_body(state,
	    "CONTENT_LENGTH=99999999999999999999999", 3, false), E_TOO_LARGE);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=4", 3, false),
	    E_BAD_REQUEST);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=4", 3, true),
	    E_BAD_REQUEST);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=-1", 3, false),
	    E_BAD_REQUEST);
	assert_int_equal(read_body(state, "CONTENT_LENGTH=3x", 3, false),
	    E_BAD_REQUEST);
	/* No length (it was chunked): up to the end of the stream. */
	assert_int_equal(read_body(state, "CONTENT_LENGTH=", 0, false), 0);
	assert_int_equal(req.body.n, 0);
	assert_int_equal(read_body(state, "X=", 100000, false), 0);
	assert_int_equal(req.body.n, 100000);
	assert_int_equal(read_body(state, "X=", BODY_MAX, false), 0);
	assert_int_equal(read_body(state, "X=", BODY_MAX + 1, false),
	    E_TOO_LARGE);
	assert_int_equal(read_body(state, "X=", 7, true), E_BAD_REQUEST);
}

static void
reads_accept(void **state)
{
	static const char *const yes[] = {
		"", " ", "*/*", "application/json", "Application/*",
		"text/html, */*;q=0.1", "application/problem+json",
		"application/json; charset=utf-8", "application/json;q=0.001",
		"text/html, application/json;q=0.5", "*/*;q=0, application/json",
	}, *const no[] = {
		"text/html", "application/xml", "application/json;q=0",
		"*/*;q=0.0", "application/jsonx", "text/*",
		"application/json;q=0, */*", "application/*;q=0, */*",
	};

	(void)state;
	assert_true(request_accepts_json(TEXT_NONE));
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!request_accepts_json(text_of(yes[i])))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (request_accepts_json(text_of(no[i])))
			fail_msg("%s", no[i]);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(splits_and_decodes_the_address),
		T(an_address_may_be_8_kib_long), T(knows_the_client),
		T(cleans_the_user_agent), T(takes_a_sane_request_id),
		T(reads_headers), T(sees_two_credentials), T(reads_a_token),
		T(reads_the_body), T(reads_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
