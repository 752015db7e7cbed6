/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One exchange over loopback with servers that answer well, badly and never. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "courier/guard.h"
#include "courier/net.h"

#define HEARD_MAX 65536

static struct arena *mem;
static struct settings settings;
static struct net *net;

/* A server of one connection: says `first`, then for every request that ends
 * in `end` the next of its lines. What it heard is read after it has gone. */
struct script {
	const char *first, *end;
	const char *says[8];
	bool hang;		/* after the last: keep it open */
	bool trickle;		/* a byte each 50 ms, for ever */
};

struct server {
	pid_t pid;
	int port, pipe;
	char heard[HEARD_MAX];
};

static void
hear(int fd, int pipe, const char *end)
{
	char got[4096] = "";
	size_t n = 0;

	while (n < sizeof(got) - 1 && !strstr(got, end)) {
		ssize_t r = read(fd, got + n, sizeof(got) - 1 - n);

		if (r <= 0)
			_exit(0);
		if (write(pipe, got + n, (size_t)r) != r)
			_exit(1);
		n += (size_t)r;
		got[n] = '\0';
	}
}

static void
say(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) < 0)
		_exit(0);
}

static _Noreturn void
child(const struct script *script, int listener, int pipe)
{
	int fd;

	/* A test that fails does not come to its end. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60);
	fd = accept(listener, NULL, NULL);
	if (script->first)
		say(fd, script->first);
	for (size_t i = 0; script->says[i]; i++) {
		/* The mail after DATA's 354 ends otherwise. */
		hear(fd, pipe, i > 0 && strncmp(script->says[i - 1], "354", 3)
		    == 0 ? "\r\n.\r\n" : script->end);
		say(fd, script->says[i]);
	}
	while (script->trickle) {
		say(fd, "x");
		usleep(50000);
	}
	if (script->hang)
		hear(fd, pipe, "never said");
	_exit(0);
}

static struct server
serve(const struct script *script)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	struct server server = { 0 };
	int listener = socket(AF_INET, SOCK_STREAM, 0), ends[2];

	assert_true(listener >= 0 && pipe(ends) == 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(listener, 8), 0);
	getsockname(listener, (struct sockaddr *)&in, &n);
	server.port = ntohs(in.sin_port);
	server.pipe = ends[0];
	server.pid = fork();
	if (server.pid == 0)
		child(script, listener, ends[1]);
	close(listener);
	close(ends[1]);
	return server;
}

static void
ended(struct server *server)
{
	size_t n = 0;
	ssize_t r;

	kill(server->pid, SIGTERM);
	waitpid(server->pid, NULL, 0);
	while (n < HEARD_MAX - 1 && (r = read(server->pipe,
	    server->heard + n, HEARD_MAX - 1 - n)) > 0)
		n += (size_t)r;
	server->heard[n] = '\0';
	close(server->pipe);
}

static struct net *
make_net(const char *allowed, long seconds)
{
	settings = (struct settings){ .courier_ca_file = "",
		.courier_allow_addresses = allowed,
		.courier_send_seconds = seconds };
	return net_new(&settings, stderr);
}

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	net = make_net("127.0.0.1", 1);
	/* Not asked, although the environment has one. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	return mem && net ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	net_free(net);
	arena_free(mem);
	return 0;
}

static struct net_answer
post(struct net *by, int port, const char *scheme)
{
	static const char *const headers[] = { "Content-Type: text/x",
	    "X-One: 1" };
	const struct net_request request = {
		.url = arena_printf(mem, "%s://127.0.0.1:%d/a?b=c", scheme,
		    port),
		.method = "POST", .headers = headers, .n_headers = 2,
		.body = TEXT("the body"),
	};
	struct net_answer answer;

	assert_int_equal(net_exchange(by, mem, &request, &answer), 0);
	return answer;
}

/* One POST to a server that says this. */
static struct net_answer
answer_to(struct server *server, const struct script *script)
{
	struct net_answer answer;

	*server = serve(script);
	answer = post(net, server->port, "http");
	ended(server);
	return answer;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" \
	"Content-Length: 2\r\n\r\n{}"

static void
http(void **state)
{
	static const struct script script = { .end = "the body",
	    .says = { OK } };
	struct server s;
	struct net_answer a = answer_to(&s, &script);

	(void)state;
	assert_true(a.reached && !a.never && a.status == 200);
	assert_true(text_is(a.type, "application/json"));
	assert_true(text_is(a.body, "{}"));
	assert_int_equal(a.retry_after, 0);
	assert_true(strncmp(s.heard, "POST /a?b=c HTTP/1.1\r\n", 22) == 0);
	assert_non_null(strstr(s.heard, "\r\nContent-Type: text/x\r\n"));
	assert_non_null(strstr(s.heard, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(s.heard, "\r\nUser-Agent: docket\r\n"));
	assert_null(strstr(s.heard, "Authorization"));
}

static void
get_with_login(void **state)
{
	static const struct script script = { .end = "\r\n\r\n",
	    .says = { OK } };
	struct server s = serve(&script);
	const struct net_request request = {
		.url = arena_printf(mem, "http://127.0.0.1:%d/", s.port),
		.method = "GET", .user = TEXT("user"), .password = TEXT("secret"),
	};
	struct net_answer a;

	(void)state;
	assert_int_equal(net_exchange(net, mem, &request, &a), 0);
	ended(&s);
	assert_int_equal(a.status, 200);
	assert_true(strncmp(s.heard, "GET / HTTP/1.1\r\n", 16) == 0);
	assert_non_null(strstr(s.heard,
	    "\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
}

/* A second letter goes over the first one's connection: the server has but
 * one, and stays until it has heard both. */
static void
kept(void **state)
{
	static const struct script script = { .end = "the body",
	    .says = { OK, OK } };
	struct server s = serve(&script);
	struct net_answer a;

	(void)state;
	for (int i = 0; i < 2; i++) {
		a = post(net, s.port, "http");
		assert_true(a.reached && a.status == 200);
	}
	ended(&s);
}

static void
redirect(void **state)
{
	static const struct script script = { .end = "the body",
	    .says = { "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\n"
	    "Content-Length: 0\r\n\r\n" } };
	struct server s;
	struct net_answer a = answer_to(&s, &script);

	(void)state;
	assert_true(a.reached && a.status == 307);
}

static void
retry_after(void **state)
{
	static const struct {
		const char *value;
		long least, most;
	} rows[] = {
		{ "7", 7, 7 }, { "0", 0, 0 }, { "-5", 0, 0 },
		{ "9999999999", NET_RETRY_MAX, NET_RETRY_MAX },
		{ "99999999999999999999", 0, 0 },
		{ "86401", NET_RETRY_MAX, NET_RETRY_MAX },
		{ "Fri, 31 Dec 1999 23:59:59 GMT", 0, 0 },
		{ "Fri, 31 Dec 2099 23:59:59 GMT", NET_RETRY_MAX,
		  NET_RETRY_MAX },
		{ "soon", 0, 0 }, { "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *said = arena_printf(mem, "HTTP/1.1 429 No\r\n"
		    "Retry-After: %s\r\nContent-Length: 0\r\n\r\n",
		    rows[i].value);
		const struct script script = { .end = "the body",
		    .says = { said } };
		struct server s;
		struct net_answer a = answer_to(&s, &script);

		assert_true(a.reached && a.status == 429);
		if (a.retry_after < rows[i].least ||
		    a.retry_after > rows[i].most)
			fail_msg("Retry-After: %s is %ld", rows[i].value,
			    a.retry_after);
	}
}

/* The date of a few seconds ahead. */
static void
retry_date(void **state)
{
	char date[64];
	time_t then = time(NULL) + 30;
	struct tm tm;
	struct script script = { .end = "the body" };
	struct server s;
	struct net_answer a;

	(void)state;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
	    gmtime_r(&then, &tm));
	script.says[0] = arena_printf(mem, "HTTP/1.1 503 No\r\n"
	    "Retry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
	a = answer_to(&s, &script);
	assert_in_range(a.retry_after, 20, 30);
}

static void
too_much(void **state)
{
	char *body = arena_alloc(mem, NET_ANSWER_MAX + 2);
	char *header = arena_alloc(mem, NET_HEADERS_MAX + 2001);
	struct script script = { .end = "the body" };
	struct server s;
	struct net_answer a;

	(void)state;
	memset(body, 'x', NET_ANSWER_MAX + 1);
	script.says[0] = arena_printf(mem, "HTTP/1.1 200 OK\r\n\r\n%s", body);
	a = answer_to(&s, &script);
	assert_false(a.reached);
	assert_string_equal(a.why, "the answer is too long");
	memset(header, 'x', NET_HEADERS_MAX + 2000);
	for (size_t i = 0; i < NET_HEADERS_MAX + 1000; i += 1000)
		memcpy(header + i, "\r\nA: ", 5);
	script.says[0] = arena_printf(mem, "HTTP/1.1 200 OK%s", header);
	a = answer_to(&s, &script);
	assert_false(a.reached);
	assert_string_equal(a.why, "the answer is too long");
	body[NET_ANSWER_MAX] = '\0';
	script.says[0] = arena_printf(mem, "HTTP/1.1 200 OK\r\n\r\n%s", body);
	a = answer_to(&s, &script);
	assert_true(a.reached && a.body.n == NET_ANSWER_MAX);
}

static void
time_is_bounded(void **state)
{
	static const struct script scripts[] = {
		{ .end = "the body", .hang = true },
		{ .end = "the body", .trickle = true,
		  .says = { "HTTP/1.1 200 OK\r\n\r\n" } },
		{ .end = "the body", .trickle = true,
		  .says = { "HTTP/1.1 200 OK\r\nX: " } },
		{ .end = "the body", .trickle = true, .says = { "HTTP/1.1" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const int64_t start = clock_mono_ms();
		struct server s;
		struct net_answer a = answer_to(&s, &scripts[i]);

		assert_false(a.reached || a.never);
		assert_int_equal(a.status, 0);
		assert_true(a.why[0]);
		/* Of a second; a loaded machine may add many. */
		assert_in_range(clock_mono_ms() - start, 0, 60000);
	}
}

static void
broken(void **state)
{
	static const struct script scripts[] = {
		{ .end = "the body", .says = { "" } },
		{ .end = "the body", .says = { "SSH-2.0-x\r\n" } },
		{ .end = "the body", .says = { "HTTP/1.1 200 OK\r\n"
		    "Content-Length: 20\r\n\r\nshort" } },
		{ .end = "the body", .says = { "HTTP/1.1 200 OK\r\n"
		    "Transfer-Encoding: chunked\r\n\r\nzz\r\n" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct server s;
		struct net_answer a = answer_to(&s, &scripts[i]);

		assert_false(a.reached || a.never);
		assert_true(a.why[0]);
	}
}

#define LOOPBACK \
	"127.0.0.1 is a loopback address and not in courier.allow_addresses"

/* Nothing reaches the port: it would be heard. */
static void
addresses(void **state)
{
	static const struct script script = { .end = "\r\n", .hang = true };
	static const struct {
		const char *allowed, *url, *why;
	} rows[] = {
		{ "", "http://127.0.0.1:%d/", LOOPBACK },
		{ "", "https://127.0.0.1:%d/", LOOPBACK },
		{ "127.0.0.2,::1", "http://127.0.0.1:%d/",
		  LOOPBACK },
		{ "", "http://2130706433:%d/", LOOPBACK },
		{ "", "http://0x7f.1:%d/", LOOPBACK },
		{ "", "http://[::ffff:127.0.0.1]:%d/", "::ffff:" LOOPBACK },
		{ "", "smtp://127.0.0.1:%d", LOOPBACK },
		{ "", "smtps://127.0.0.1:%d", LOOPBACK },
		/* Not even tried, so it need not be there. */
		{ "127.0.0.1", "http://8.8.8.8:%d/", "no TLS to 8.8.8.8, a "
		    "public address" },
		{ "127.0.0.1", "smtp://8.8.8.8:%d/", "no TLS to 8.8.8.8, a "
		    "public address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net *strict = make_net(rows[i].allowed, 5);
		struct server s = serve(&script);
		char url[64];
		const struct net_request request = { .url = url,
		    .method = "GET", .mail_from = "a@b.example",
		    .mail_to = "c@d.example" };
		struct net_answer a;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(url, sizeof(url), rows[i].url, s.port);
#pragma GCC diagnostic pop
		assert_int_equal(net_exchange(strict, mem, &request, &a), 0);
		ended(&s);
		net_free(strict);
		assert_false(a.reached || a.never);
		assert_string_equal(a.why, rows[i].why);
		assert_string_equal(s.heard, "");
	}
}

static void
never(void **state)
{
	static const char *const bad[] = { "X: 1\r\nY: 2", "X: 1\nY", "X\x7f" };
	static const struct net_request rows[] = {
		{ .url = "http://127.0.0.1:1/\r\nX", .method = "GET" },
		{ .url = "ftp://127.0.0.1:1/", .method = "GET" },
		{ .url = "file:///etc/passwd", .method = "GET" },
		{ .url = "127.0.0.1:1", .method = "GET" },
		{ .url = "", .method = "GET" },
		{ .url = "http://127.0.0.1:1/", .method = "PUT" },
		{ .url = "http://127.0.0.1:1/", .method = "GET",
		  .headers = bad, .n_headers = 1 },
		{ .url = "http://127.0.0.1:1/", .method = "GET",
		  .headers = bad + 1, .n_headers = 1 },
		{ .url = "http://127.0.0.1:1/", .method = "GET",
		  .headers = bad + 2, .n_headers = 1 },
		{ .url = "smtp://127.0.0.1:1", .mail_from = "a@b\r\nRCPT TO:x",
		  .mail_to = "c@d" },
		{ .url = "smtp://127.0.0.1:1", .mail_from = "a@b",
		  .mail_to = "c@d\n" },
		{ .url = "http://127.0.0.1:99999/", .method = "GET" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_answer a;

		assert_int_equal(net_exchange(net, mem, &rows[i], &a), 0);
		if (!a.never || a.reached || !a.why[0])
			fail_msg("%s, row %zu: %s", rows[i].url, i, a.why);
	}
}

static struct net_answer
mail(struct server *server, const struct script *script, bool starttls,
    bool login)
{
	struct net_request request = {
		.mail_from = "a@b.example", .mail_to = "c@d.example",
		.starttls = starttls, .password = TEXT("secret"),
		.body = TEXT("Subject: x\r\n\r\n.dot\r\n"),
	};
	struct net_answer a;

	*server = serve(script);
	if (login)
		request.user = TEXT("user");
	request.url = arena_printf(mem, "smtp://127.0.0.1:%d", server->port);
	assert_int_equal(net_exchange(net, mem, &request, &a), 0);
	ended(server);
	return a;
}

static void
smtp(void **state)
{
	static const struct script script = { .first = "220 hi\r\n",
	    .end = "\r\n", .says = { "250 hello\r\n", "250 from\r\n",
	    "250 to\r\n", "354 go\r\n", "250 2.0.0 taken as 17\r\n" } };
	struct server s;
	struct net_answer a = mail(&s, &script, false, false);

	(void)state;
	assert_true(a.reached && a.status == 250 && !a.refused_to);
	assert_true(text_is(a.body, "250 2.0.0 taken as 17\r\n"));
	assert_non_null(strstr(s.heard, "MAIL FROM:<a@b.example>\r\n"));
	assert_non_null(strstr(s.heard, "RCPT TO:<c@d.example>\r\n"));
	assert_non_null(strstr(s.heard, "\r\n..dot\r\n.\r\n"));
}

static void
smtp_refusals(void **state)
{
	static const struct {
		struct script script;
		bool starttls, login, reached;
		long status;
		bool refused_to;
	} rows[] = {
		{ { .first = "554 no\r\n" }, false, false, true, 554, false },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "550 from\r\n" } }, false, false, true, 550, false },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "250 from\r\n", "550-5.1.1 who\r\n550 RCPT ?\r\n" } },
		    false, false, true, 550, true },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "250 from\r\n", "451 greylisted\r\n" } },
		    false, false, true, 451, true },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "250 from\r\n", "250 to\r\n", "452 full\r\n" } },
		    false, false, true, 452, false },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "250 from\r\n", "250 to\r\n", "354 go\r\n",
		    "554 spam\r\n" } }, false, false, true, 554, false },
		{ { .first = "220 hi\r\n", .says = { "250-hello\r\n"
		    "250 AUTH PLAIN\r\n", "334 \r\n", "535 no\r\n" } },
		    false, true, true, 535, false },
		/* No AUTH, no STARTTLS: nothing is said. */
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n" } },
		    false, true, false, 0, false },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n" } },
		    true, true, false, 0, false },
		{ { .first = "220 hi\r\n", .says = { "250 hello\r\n",
		    "250 from\r\n" } }, true, false, false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script script = rows[i].script;
		struct net_answer a;
		struct server s;

		script.end = "\r\n";
		a = mail(&s, &script, rows[i].starttls, rows[i].login);
		if (a.reached != rows[i].reached ||
		    a.status != rows[i].status ||
		    a.refused_to != rows[i].refused_to || a.never)
			fail_msg("row %zu: reached %d status %ld to %d: %s",
			    i, a.reached, a.status, a.refused_to, a.why);
		assert_true(a.reached || a.why[0]);
		if (rows[i].starttls)
			assert_true(!strstr(s.heard, "AUTH") &&
			    !strstr(s.heard, "MAIL"));
	}
}

static void
bad_settings(void **state)
{
	char *said = NULL;
	size_t n = 0;
	FILE *err = open_memstream(&said, &n);
	struct settings bad = { .courier_ca_file = "/nonexistent/ca.pem",
		.courier_allow_addresses = "::1, rubbish",
		.courier_send_seconds = 1 };

	(void)state;
	assert_null(net_new(&bad, err));
	fclose(err);
	assert_string_equal(said,
	    "courier.allow_addresses: \"rubbish\" is no network\n"
	    "courier.ca_file: \"/nonexistent/ca.pem\": "
	    "No such file or directory\n");
	free(said);
	net_free(NULL);
}

static void
hosts(void **state)
{
	static const struct {
		const char *s, *behind;	/* NULL: no host */
	} rows[] = {
		{ "h", "" }, { "h.example/x", "/x" }, { "a-b_c:25", "" },
		{ "h:1?x", "?x" }, { "h:65535/", "/" }, { "[::1]", "" },
		{ "[fe80::1]:465/n", "/n" }, { "h@other", "@other" },
		{ "", NULL }, { "/x", NULL }, { ":25", NULL }, { "h:", NULL },
		{ "h:/", NULL }, { "h:0", NULL }, { "h:65536", NULL },
		{ "h:123456", NULL }, { "[]", NULL }, { "[::1", NULL },
		{ "[x]", NULL }, { "{{to}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *behind = guard_host(rows[i].s);

		if (!behind != !rows[i].behind ||
		    (behind && strcmp(behind, rows[i].behind) != 0))
			fail_msg("%s: %s", rows[i].s, behind ? behind : "none");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http),
		cmocka_unit_test(get_with_login),
		cmocka_unit_test(kept),
		cmocka_unit_test(redirect),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(retry_date),
		cmocka_unit_test(too_much),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(broken),
		cmocka_unit_test(addresses),
		cmocka_unit_test(never),
		cmocka_unit_test(smtp),
		cmocka_unit_test(smtp_refusals),
		cmocka_unit_test(bad_settings),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
