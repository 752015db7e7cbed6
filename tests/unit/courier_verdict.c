/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Answers of gateways by table: sent, later, never; whose fault; how soon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "courier/verdict.h"

#define SENT OUTCOME_SENT
#define LATER OUTCOME_LATER
#define NEVER OUTCOME_NEVER

static struct arena *mem;

static const struct verdict_rules gateways[] = {
	{ "twilio", "2xx", "/sid", "/code" },
	{ "vonage", "2xx /messages/0/status=0", "/messages/0/message-id",
	  "/messages/0/status" },
	{ "kavenegar", "2xx /return/status=200", "/entries/0/messageid",
	  "/return/status" },
	{ "http", "200,202 /ok=true", "/id", "" },
};

static const struct letter letter = {
	.id = TEXT_INIT("id"), .channel = TEXT_INIT("sms"),
	.to = TEXT_INIT("+989121234567"), .code = TEXT_INIT("123456"),
};

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static void
answers(void **state)
{
	static const struct {
		int gateway;
		long status;
		const char *body;
		enum outcome_kind kind;
		bool down;
		const char *why, *ref;
	} rows[] = {
		{ 0, 201, "{\"sid\":\"SM1\"}", SENT, false, "", "SM1" },
		{ 0, 200, "", SENT, false, "", "" },
		{ 0, 400, "{\"code\":21211}", NEVER, false,
		  "HTTP 400, code 21211: no valid number", "" },
		{ 0, 400, "{\"code\":\"21614\"}", NEVER, false,
		  "HTTP 400, code 21614: not a mobile number", "" },
		{ 0, 401, "{\"code\":20003}", LATER, true,
		  "HTTP 401, code 20003: login refused", "" },
		{ 0, 429, "{\"code\":20429}", LATER, false,
		  "HTTP 429, code 20429: too many requests", "" },
		{ 0, 400, "{\"code\":29999}", LATER, false,
		  "HTTP 400, code 29999", "" },
		/* What could be the code or the number is not told. */
		{ 0, 400, "{\"code\":123456}", LATER, false, "HTTP 400", "" },
		{ 0, 400, "{\"code\":\"+98 912\"}", LATER, false, "HTTP 400",
		  "" },
		{ 0, 400, "{\"code\":\"\"}", LATER, false, "HTTP 400", "" },
		{ 0, 201, "{\"sid\":\"x123456x\"}", SENT, false, "", "" },
		{ 0, 201, "{\"sid\":\"to +989121234567\"}", SENT, false, "",
		  "" },
		{ 0, 201, "{\"sid\":\"a\\r\\n\\u001b\\\"b\"}", SENT, false, "",
		  "a????b" },
		{ 0, 500, "{}", LATER, true, "HTTP 500", "" },
		{ 0, 503, "", LATER, true, "HTTP 503", "" },
		{ 0, 302, "", LATER, true, "HTTP 302, a redirect", "" },
		{ 0, 403, "", LATER, true, "HTTP 403", "" },
		{ 0, 404, "", LATER, true, "HTTP 404", "" },
		{ 0, 413, "", LATER, false, "HTTP 413", "" },
		{ 0, 422, "", LATER, false, "HTTP 422", "" },
		{ 0, 429, "", LATER, false, "HTTP 429", "" },
		{ 1, 200, "{\"messages\":[{\"status\":\"0\","
		  "\"message-id\":\"0A\"}]}", SENT, false, "", "0A" },
		{ 1, 200, "{\"messages\":[{\"status\":0}]}", SENT, false, "",
		  "" },
		{ 1, 200, "{\"messages\":[{\"status\":\"1\"}]}", LATER, false,
		  "HTTP 200, code 1: throttled", "" },
		{ 1, 200, "{\"messages\":[{\"status\":\"7\"}]}", NEVER, false,
		  "HTTP 200, code 7: number barred", "" },
		{ 1, 200, "{\"messages\":[{\"status\":\"9\"}]}", LATER, true,
		  "HTTP 200, code 9: no credit", "" },
		{ 1, 200, "{\"messages\":[]}", LATER, true, "HTTP 200, but it "
		  "did not accept the message", "" },
		{ 1, 200, "<html>", LATER, true, "HTTP 200, but it did not "
		  "accept the message", "" },
		{ 1, 500, "{\"messages\":[{\"status\":\"0\"}]}", LATER, true,
		  "HTTP 500, code 0", "" },
		{ 2, 200, "{\"return\":{\"status\":200},\"entries\":"
		  "[{\"messageid\":8792343}]}", SENT, false, "", "8792343" },
		{ 2, 200, "{\"return\":{\"status\":418}}", LATER, true,
		  "HTTP 200, code 418: no credit", "" },
		{ 2, 411, "{\"return\":{\"status\":411}}", NEVER, false,
		  "HTTP 411, code 411: no valid number", "" },
		{ 2, 451, "{\"return\":{\"status\":451}}", LATER, false,
		  "HTTP 451, code 451: too many for this number", "" },
		/* A code means what its own gateway means. */
		{ 2, 200, "{\"return\":{\"status\":7}}", LATER, true,
		  "HTTP 200, but it did not accept the message, code 7", "" },
		{ 3, 202, "{\"ok\":true,\"id\":7}", SENT, false, "", "7" },
		{ 3, 201, "{\"ok\":true}", LATER, true, "HTTP 201, but it did "
		  "not accept the message", "" },
		{ 3, 200, "{\"ok\":false}", LATER, true, "HTTP 200, but it "
		  "did not accept the message", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct net_answer answer = { .reached = true,
		    .status = rows[i].status, .retry_after = 9,
		    .body = text_of(rows[i].body) };
		struct outcome outcome = { 0 };

		verdict_gateway(&gateways[rows[i].gateway], mem, &letter,
		    &answer, &outcome);
		if (outcome.kind != rows[i].kind ||
		    outcome.down != rows[i].down || outcome.retry_after != 9 ||
		    strcmp(outcome.why, rows[i].why) != 0 ||
		    strcmp(outcome.ref, rows[i].ref) != 0)
			fail_msg("%ld %s: kind %d down %d why %s ref %s",
			    rows[i].status, rows[i].body, outcome.kind,
			    outcome.down, outcome.why, outcome.ref);
	}
}

static void
no_answer(void **state)
{
	struct net_answer answer = { .why = "Could not resolve host: x" };
	struct outcome outcome = { 0 };

	(void)state;
	verdict_gateway(&gateways[0], mem, &letter, &answer, &outcome);
	assert_int_equal(outcome.kind, LATER);
	assert_true(outcome.down);
	assert_string_equal(outcome.why, "Could not resolve host: x");
	answer.never = true;
	verdict_hook(&answer, &outcome);
	assert_int_equal(outcome.kind, NEVER);
	assert_false(outcome.down);
}

static void
hooks(void **state)
{
	static const struct {
		long status;
		enum outcome_kind kind;
		bool down;
	} rows[] = {
		{ 200, SENT, false }, { 202, SENT, false },
		{ 204, SENT, false }, { 301, LATER, true },
		{ 400, LATER, false }, { 401, LATER, true },
		{ 404, LATER, true }, { 410, NEVER, true },
		{ 429, LATER, false }, { 500, LATER, true },
		{ 502, LATER, true }, { 503, LATER, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct net_answer answer = { .reached = true,
		    .status = rows[i].status, .retry_after = 3 };
		struct outcome outcome = { 0 };

		verdict_hook(&answer, &outcome);
		if (outcome.kind != rows[i].kind ||
		    outcome.down != rows[i].down || outcome.retry_after != 3)
			fail_msg("%ld: kind %d down %d", rows[i].status,
			    outcome.kind, outcome.down);
	}
}

static void
success(void **state)
{
	static const char *const good[] = { "2xx", "200", "200,201", "200,3xx",
	    "/a=b", "200 /a=b /c/0=", " 200  /a=b ", "/a=b=c", "" };
	static const char *const bad[] = { "2x", "2xxx", "x", "600", "099",
	    "20x", "200,", "200 201", "200,,201", "/a", "/~=1", "200 a=b",
	    "20a" };
	char *longest = arena_array(mem, 400, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!verdict_success_valid(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verdict_success_valid(bad[i]))
			fail_msg("%s is taken", bad[i]);
	memset(longest, '/', 300);
	strcpy(longest + 300, "=x");
	assert_false(verdict_success_valid(longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(hooks),
		cmocka_unit_test(success),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
