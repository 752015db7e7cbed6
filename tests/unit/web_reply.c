/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/reply and web/problem: what goes out for each kind of result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "lib/fcgi_fake.h"
#include "web/reply.h"

struct said {
	struct text message;
	int64_t n;
};

static const struct field said_rows[] = {
	{ "message", FIELD_TEXT, 0, offsetof(struct said, message), 0, 0,
	  NULL, NULL, NULL, NULL, "", NULL },
	{ "n", FIELD_INT, 0, offsetof(struct said, n), 0, 0,
	  NULL, NULL, NULL, NULL, "", NULL },
};
static const struct fields said_fields = FIELDS(NULL, said_rows, struct said);
static const struct said hello = { { "hi", 2 }, 7 };

static struct fcgi fcgi;
static struct buf out;
static struct route route;
static struct request req;
static struct call call;

static int
setup(void **state)
{
	*state = arena_new(1024);
	route = (struct route){
		.method = GET, .path = "/tasks", .access = ACCESS_USER,
		.body = &fields_none, .query = &fields_none, .status = 200,
		.reply = &said_fields, .operation = "op", .summary = "words",
	};
	req = (struct request){
		.method = TEXT("GET"), .path = TEXT("/tasks"),
		.id = TEXT("rid-1"),
	};
	call = (struct call){
		.mem = *state, .route = &route, .req = &req, .out = &out,
		.reply = { .status = 200, .object = &hello,
		    .only = FIELD_ALL },
	};
	return *state && crypto_init() == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	buf_done(&out);
	crypto_done();
	return 0;
}

static int
sent(int result, bool head)
{
	fcgi.out_n = 0;
	return reply_send(&call, result, head, &fcgi);
}

/* A whole line of the header. */
static bool
has_line(const char *line)
{
	const char *end = strstr(fcgi.out, "\r\n\r\n");
	const char *at = strstr(fcgi.out, line);
	const size_t n = strlen(line);

	return at && at <= end && (at == fcgi.out || at[-1] == '\n') &&
	    strncmp(at + n, "\r\n", 2) == 0;
}

#define assert_line(line) \
	do { \
		if (!has_line(line)) \
			fail_msg("no \"%s\" in:\n%s", line, fcgi.out); \
	} while (0)

static bool
has_header(const char *name)
{
	const char *end = strstr(fcgi.out, "\r\n\r\n");
	const char *at = strstr(fcgi.out, name);

	return at && at < end;
}

static const char *
body(void)
{
	return strstr(fcgi.out, "\r\n\r\n") + 4;
}

static void
prints_a_success(void **state)
{
	(void)state;
	assert_int_equal(sent(0, false), 200);
	assert_true(strncmp(fcgi.out, "Status: 200 OK\r\n", 16) == 0);
	assert_string_equal(body(), "{\"message\":\"hi\",\"n\":7}");
	assert_line("Content-Type: application/json");
	assert_line("Content-Length: 22");
	assert_line("X-Request-Id: rid-1");
	assert_line("Cache-Control: no-store");
	assert_line("Vary: Authorization, X-API-Key");
	assert_false(has_header("ETag"));
	assert_false(has_header("Deprecation"));
	call.reply.only = 2;
	sent(0, false);
	assert_string_equal(body(), "{\"n\":7}");
	assert_int_equal(sent(0, true), 200);
	assert_string_equal(body(), "");
	assert_line("Content-Length: 7");
}

static void
prints_other_successes(void **state)
{
	(void)state;
	call.reply.status = 201;
	call.reply.headers[0] = (struct header){ "Location",
	    TEXT("/tasks/1\r\nX: y") };
	call.reply.n_headers = 1;
	assert_int_equal(sent(0, false), 201);
	assert_line("Status: 201 Created");
	assert_line("Location: /tasks/1  X: y");
	call.reply.status = 204;
	assert_int_equal(sent(0, false), 204);
	assert_string_equal(body(), "");
	assert_false(has_header("Content-"));
	call.reply.status = 200;
	call.reply.raw = TEXT("[1]");
	call.reply.type = "text/x";
	sent(0, false);
	assert_string_equal(body(), "[1]");
	assert_line("Content-Type: text/x");
	reply_print(&call, 0);
	assert_true(text_equal(buf_view(&out), TEXT("[1]")));
}

static void
answers_options(void **state)
{
	(void)state;
	call.route = NULL;
	call.reply = (struct reply){ 0 };
	call.allow = TEXT("GET, HEAD, OPTIONS");
	assert_int_equal(sent(0, false), 204);
	assert_line("Allow: GET, HEAD, OPTIONS");
	assert_int_equal(sent(E_METHOD, false), 405);
	assert_line("Allow: GET, HEAD, OPTIONS");
}

static void
prints_a_problem(void **state)
{
	call.faults.v[0] = (struct fault){ TEXT("/a\"b"), "type", "must" };
	call.faults.n = 1;
	req.path = TEXT("/t/\xc3\xa9 \"'");
	assert_int_equal(sent(E_INVALID, false), 400);
	assert_line("Status: 400 Bad Request");
	assert_line("Content-Type: application/problem+json");
	assert_line("Cache-Control: no-store");
	assert_string_equal(body(), "{\"type\":\"/problems/invalid_request\","
	    "\"title\":\"Invalid request\",\"status\":400,\"detail\":"
	    "\"Missing required fields or invalid data.\",\"instance\":"
	    "\"/t/%C3%A9%20%22%27\",\"code\":\"invalid_request\",\"message\":"
	    "\"Missing required fields or invalid data.\",\"errors\":[{"
	    "\"pointer\":\"/a\\\"b\",\"code\":\"type\",\"detail\":\"must\"}],"
	    "\"request_id\":\"rid-1\"}");
	call.faults.n = 0;
	call.reply.detail = "Better words.";
	call.reply.extra = &said_fields;
	call.reply.extra_object = &hello;
	call.reply.extra_name = "task";
	assert_int_equal(sent(E_VERSION, false), 412);
	assert_non_null(strstr(body(), "\"detail\":\"Better words.\""));
	assert_non_null(strstr(body(), "\"errors\":[],"));
	assert_non_null(strstr(body(),
	    "\"task\":{\"message\":\"hi\",\"n\":7},"));
	call.route = NULL;
	req.path = TEXT_NONE;
	assert_int_equal(sent(E_BAD_REQUEST, true), 400);
	assert_string_equal(body(), "");
	(void)state;
}

static void
challenges(void **state)
{
	(void)state;
	assert_int_equal(sent(E_TOKEN_MISSING, false), 401);
	assert_line("WWW-Authenticate: Bearer realm=\"docket\"");
	sent(E_CREDENTIALS, false);
	assert_line("WWW-Authenticate: Bearer realm=\"docket\"");
	req.authorization = TEXT("Bearer x");
	sent(E_TOKEN_MISSING, false);
	assert_line("WWW-Authenticate: Bearer realm=\"docket\"");
	call.reply.detail = "a \"b\"\n\\c";
	sent(E_TOKEN, false);
	assert_line("WWW-Authenticate: Bearer realm=\"docket\", "
	    "error=\"invalid_token\", error_description=\"a ?b???c\"");
	call.reply.detail = NULL;
	route.scope = "admin";
	assert_int_equal(sent(E_ROLE, false), 403);
	assert_line("WWW-Authenticate: Bearer realm=\"docket\", "
	    "error=\"insufficient_scope\", error_description="
	    "\"This needs the admin role.\", scope=\"admin\"");
	assert_int_equal(sent(E_USER_DELETED, false), 401);
	route.flags = ROUTE_TASKS;
	assert_int_equal(sent(E_USER_DELETED, false), 404);
	assert_false(has_header("WWW-Authenticate"));
	assert_non_null(strstr(body(), "\"code\":\"user_not_found\""));
	assert_non_null(strstr(body(), "\"detail\":\"User not found.\""));
}

static void
speaks_oauth(void **state)
{
	(void)state;
	route.flags = ROUTE_OAUTH;
	route.method = POST;
	assert_int_equal(sent(0, false), 200);
	assert_line("Pragma: no-cache");
	assert_line("Cache-Control: no-store");
	assert_int_equal(sent(E_GRANT, false), 400);
	assert_line("Content-Type: application/json");
	assert_line("Cache-Control: no-store");
	assert_line("Pragma: no-cache");
	assert_string_equal(body(), "{\"error\":\"invalid_grant\","
	    "\"error_description\":\"Invalid credentials.\"}");
	call.faults.v[0] = (struct fault){ TEXT("/grant_type"), "length",
	    "must have \"x\"" };
	call.faults.n = 1;
	assert_int_equal(sent(E_INVALID, false), 400);
	assert_string_equal(body(), "{\"error\":\"invalid_request\","
	    "\"error_description\":\"grant_type must have ?x?\"}");
	call.faults.n = 0;
	assert_int_equal(sent(E_TYPE, false), 415);
	assert_line("Accept-Post: application/json, "
	    "application/x-www-form-urlencoded");
	assert_int_equal(sent(E_BUSY, false), 503);
	assert_line("Retry-After: 1");
}

static void
says_what_it_takes_and_when(void **state)
{
	(void)state;
	route.method = PATCH;
	route.flags = ROUTE_MERGE;
	sent(E_TYPE, false);
	assert_line("Accept-Patch: application/json, "
	    "application/merge-patch+json");
	route.method = PUT;
	route.flags = 0;
	sent(E_TYPE, false);
	assert_line("Accept: application/json");
	assert_int_equal(sent(E_RATE, false), 429);
	assert_line("Retry-After: 60");
	call.reply.retry_after = 120;
	sent(E_RATE, false);
	assert_line("Retry-After: 120");
	sent(E_TASK, false);
	assert_false(has_header("Retry-After"));
}

static void
tags_and_saves_bytes(void **state)
{
	char tag[64];

	(void)state;
	route.flags = ROUTE_ETAG | ROUTE_CACHED;
	assert_int_equal(sent(0, false), 200);
	assert_line("Cache-Control: private, no-cache");
	assert_int_equal(sscanf(strstr(fcgi.out, "ETag: "), "ETag: %63s",
	    tag), 1);
	req.if_none_match = text_of(tag);
	assert_int_equal(sent(0, false), 304);
	assert_line("Status: 304 Not Modified");
	assert_true(has_header("ETag: "));
	assert_line("Cache-Control: private, no-cache");
	assert_line("Vary: Authorization, X-API-Key");
	assert_false(has_header("Content-"));
	assert_string_equal(body(), "");
	call.reply.headers[0] = (struct header){ "ETag", TEXT("\"3\"") };
	call.reply.n_headers = 1;
	assert_int_equal(sent(0, false), 200);
	assert_line("ETag: \"3\"");
	req.if_none_match = TEXT("W/\"2\", W/\"3\"");
	assert_int_equal(sent(0, false), 304);
	assert_int_equal(sent(E_TASK, false), 404);
	assert_line("Cache-Control: no-store");
	route.method = PUT;
	assert_int_equal(sent(0, false), 200);
	route = (struct route){ .method = GET, .flags = ROUTE_PUBLIC_CACHE,
	    .reply = &fields_none, .status = 200 };
	call.reply.n_headers = 0;
	sent(0, false);
	assert_string_equal(body(), "{}");
	assert_line("Cache-Control: public, max-age=300");
	assert_false(has_header("Vary"));
}

static void
points_aliases_to_their_row(void **state)
{
	static const char *const rows[][2] = {
		{ "POST /tasks", "Link: </tasks>; rel=\"successor-version\"" },
		{ "PUT /tasks/{id}", "Link: </tasks>; rel=\"successor-version\"" },
		{ "GET /tasks/{id}/x", "Link: </tasks>; rel=\"successor-version\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		route.canonical = rows[i][0];
		sent(0, false);
		assert_line(rows[i][1]);
		assert_line("Deprecation: @1735689600");
	}
}

static void
keeps_our_faults_to_the_log(void **state)
{
	static const int ours[] = { -EIO, -EINVAL, E_NONE, E_SEAL, E_INTERNAL,
	    E__MAX, 9999 };

	(void)state;
	call.reply.detail = "secret words";
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		assert_int_equal(sent(ours[i], false), 500);
		assert_non_null(strstr(body(), "\"internal_error\""));
		assert_null(strstr(body(), "secret"));
	}
	assert_int_equal(sent(-ENOMEM, false), 503);
	assert_line("Retry-After: 1");
	assert_non_null(strstr(body(), "\"out_of_memory\""));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(prints_a_success), T(prints_other_successes),
		T(answers_options), T(prints_a_problem), T(challenges),
		T(speaks_oauth), T(says_what_it_takes_and_when),
		T(tags_and_saves_bytes), T(points_aliases_to_their_row),
		T(keeps_our_faults_to_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
