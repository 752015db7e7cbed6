/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/fcgi: real bytes over a socket pair, from good peers and bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/fcgi.h"

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { RESPONDER = 1, AUTHORIZER = 2, KEEP = 1 };

struct peer {
	struct fcgi *fcgi;
	int fd;			/* nginx's end */
	int id;
};

static int
set_up(void **state)
{
	static struct peer p;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	p.fd = pair[0];
	p.id = 1;
	p.fcgi = fcgi_open(pair[1]);
	*state = &p;
	return p.fcgi && fcgi_fd(p.fcgi) == pair[1] ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct peer *p = *state;

	fcgi_close(p->fcgi);
	return close(p->fd);
}

static void
put(const struct peer *p, const void *bytes, size_t n)
{
	assert_int_equal(write(p->fd, bytes, n), (ssize_t)n);
}

static void
put_record(const struct peer *p, int type, const void *body, size_t n)
{
	uint8_t head[8] = { 1, (uint8_t)type, (uint8_t)(p->id >> 8),
	    (uint8_t)p->id, (uint8_t)(n >> 8), (uint8_t)n, 0, 0 };

	put(p, head, sizeof(head));
	if (n > 0)
		put(p, body, n);
}

static void
put_request(const struct peer *p, int role, int flags, size_t body)
{
	static const char params[] = "\x0b\x04REQUEST_URI/x?y\x01\x00Z";
	static uint8_t bytes[32768];
	uint8_t begin[8] = { 0, (uint8_t)role, (uint8_t)flags };

	put_record(p, BEGIN, begin, sizeof(begin));
	put_record(p, PARAMS, params, sizeof(params) - 1);
	put_record(p, PARAMS, NULL, 0);
	while (body > 0) {
		size_t n = body < sizeof(bytes) ? body : sizeof(bytes);

		put_record(p, STDIN, bytes, n);
		body -= n;
	}
	put_record(p, STDIN, NULL, 0);
}

static void
get(const struct peer *p, void *out, size_t n)
{
	assert_int_equal(recv(p->fd, out, n, MSG_WAITALL), (ssize_t)n);
}

/* Read a whole reply: how much of FCGI_STDOUT, all of it `want`. */
static size_t
get_reply(const struct peer *p, char want)
{
	static char body[65536 + 256];
	uint8_t head[8];
	size_t all = 0;

	for (;;) {
		size_t n;

		get(p, head, sizeof(head));
		assert_int_equal(head[0], 1);
		assert_int_equal(head[2] << 8 | head[3], p->id);
		n = (size_t)head[4] << 8 | head[5];
		get(p, body, n + head[6]);
		if (head[1] == END)
			return all;
		assert_int_equal(head[1], STDOUT);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(body[i], want);
		all += n;
	}
}

static bool
is_closed(const struct peer *p)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };
	char byte;

	return poll(&f, 1, 0) == 1 && read(p->fd, &byte, 1) <= 0;
}

/* As a worker does: first see whether it is there. */
static bool
comes(const struct peer *p)
{
	return fcgi_gather(p->fcgi) == FCGI_WHOLE && fcgi_accept(p->fcgi);
}

/* One request, a reply of n bytes in two parts. Replies stay below what a
 * socket pair buffers: nobody reads while we write. */
static void
serve_and_check(struct peer *p, size_t n)
{
	char *reply = malloc(n + 1);

	assert_non_null(reply);
	memset(reply, 'r', n);
	put_request(p, RESPONDER, KEEP, 0);
	assert_true(comes(p));
	assert_true(fcgi_write(p->fcgi, reply, n / 3));
	assert_true(fcgi_write(p->fcgi, reply, n - n / 3));
	assert_true(fcgi_finish(p->fcgi));
	assert_int_equal(get_reply(p, 'r'), n);
	free(reply);
}

static void
parameters_and_body(void **state)
{
	struct peer *p = *state;
	char body[256];
	size_t i = 0, n = 0;
	ssize_t got;

	put_request(p, RESPONDER, KEEP, 1000);
	assert_true(comes(p));
	assert_string_equal(fcgi_param(p->fcgi, "REQUEST_URI"), "/x?y");
	assert_string_equal(fcgi_param(p->fcgi, "Z"), "");
	assert_null(fcgi_param(p->fcgi, "REQUEST"));
	while (fcgi_param_next(p->fcgi, &i))
		n++;
	assert_int_equal(n, i);
	assert_int_equal(n, 3);	/* FCGI_ROLE is the library's */
	for (n = 0; (got = fcgi_read(p->fcgi, body, sizeof(body))) > 0;)
		n += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(n, 1000);
	assert_true(fcgi_finish(p->fcgi));
	assert_int_equal(get_reply(p, 0), 0);
}

static void
replies_of_every_size_on_one_connection(void **state)
{
	static const size_t sizes[] = { 0, 1, 7000, 8127, 8128, 8129, 8192,
	    20000, 65527, 65528, 65529, 131056, 150000 };
	struct peer *p = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		p->id = (int)i * 200 + 1;
		serve_and_check(p, sizes[i]);
	}
}

static void
an_unread_body_does_not_spoil_the_next_request(void **state)
{
	struct peer *p = *state;

	for (int i = 0; i < 3; i++) {
		put_request(p, RESPONDER, KEEP, 100000);
		assert_true(comes(p));
		assert_true(fcgi_finish(p->fcgi));
		assert_int_equal(get_reply(p, 0), 0);
	}
	serve_and_check(p, 100);
}

/* What it is to nginx: tests/fault restarts under load. */
static void
goodbye_spoils_nothing(void **state)
{
	static const uint8_t empty_stderr[8] = { 1, 7, 0, 1 };
	struct peer *p = *state;
	uint8_t got[8];

	for (int i = 0; i < 3; i++) {
		assert_true(fcgi_goodbye(p->fcgi));
		get(p, got, sizeof(got));
		assert_memory_equal(got, empty_stderr, sizeof(got));
		serve_and_check(p, 20000);
	}
}

static void
goodbye_to_nobody(void **state)
{
	struct peer *p = *state;

	shutdown(p->fd, SHUT_RDWR);
	assert_false(fcgi_goodbye(p->fcgi));
}

static void
closes_when_asked_to(void **state)
{
	struct peer *p = *state;

	put_request(p, RESPONDER, 0, 0);
	assert_true(comes(p));
	assert_false(fcgi_finish(p->fcgi));
	assert_int_equal(get_reply(p, 0), 0);
	/* By whoever has it in a set of events, not behind their back. */
	assert_true(fcgi_fd(p->fcgi) >= 0);
	fcgi_close(p->fcgi);
	p->fcgi = NULL;
	assert_true(is_closed(p));
}

static void
only_responders(void **state)
{
	struct peer *p = *state;

	put_request(p, AUTHORIZER, KEEP, 0);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_OVER);
}

static void
a_peer_that_went(void **state)
{
	struct peer *p = *state;

	shutdown(p->fd, SHUT_WR);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_OVER);
	/* Nothing is there to be read, and nobody waits for it. */
	assert_false(fcgi_accept(p->fcgi));
	assert_int_equal(fcgi_fd(p->fcgi), -1);
}

static void
a_peer_that_speaks_http(void **state)
{
	struct peer *p = *state;

	put(p, "GET / HTTP/1.0\r\n\r\n", 18);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_OVER);
}

/* A request in two pieces, far apart, as from a peer that trickles. */
static void
in_pieces(void **state)
{
	static uint8_t bytes[4096];
	struct peer *p = *state;
	char body[16];
	ssize_t n;
	int real = p->fd, pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	p->fd = pair[0];
	put_request(p, RESPONDER, KEEP, 9);
	n = read(pair[1], bytes, sizeof(bytes));
	close(pair[0]);
	close(pair[1]);
	p->fd = real;
	for (ssize_t i = 0; i < n; i++) {
		assert_int_equal(fcgi_gather(p->fcgi), FCGI_MORE);
		assert_int_equal(fcgi_holds(p->fcgi), i > 0);
		put(p, bytes + i, 1);
	}
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_WHOLE);
	assert_true(fcgi_accept(p->fcgi));
	assert_string_equal(fcgi_param(p->fcgi, "REQUEST_URI"), "/x?y");
	assert_true(fcgi_write(p->fcgi, "rrr", 3));
	assert_int_equal(fcgi_read(p->fcgi, body, sizeof(body)), 9);
	assert_true(fcgi_finish(p->fcgi));
	assert_int_equal(get_reply(p, 'r'), 3);
	assert_false(fcgi_holds(p->fcgi));
	assert_true(fcgi_fd(p->fcgi) >= 0);
	serve_and_check(p, 20000);
}

static void
half_a_header(void **state)
{
	struct peer *p = *state;

	put(p, "\x01\x01\x00", 3);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_MORE);
	assert_true(fcgi_holds(p->fcgi));
}

static void
a_body_that_is_cut(void **state)
{
	struct peer *p = *state;
	uint8_t begin[8] = { 0, RESPONDER, KEEP };

	put_record(p, BEGIN, begin, sizeof(begin));
	put_record(p, PARAMS, NULL, 0);
	put_record(p, STDIN, "abc", 3);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_MORE);
	shutdown(p->fd, SHUT_WR);
	assert_int_equal(fcgi_gather(p->fcgi), FCGI_OVER);
}

/* Half a second in all; the time is not asserted, a hang would be. */
static void
a_reply_that_nobody_reads(void **state)
{
	static char reply[1024 * 1024];
	struct peer *p = *state;

	put_request(p, RESPONDER, KEEP, 0);
	assert_true(comes(p));
	assert_false(fcgi_write(p->fcgi, reply, sizeof(reply)));
	assert_false(fcgi_finish(p->fcgi));
}

static void
closing_leaks_no_descriptor(void **state)
{
	int pair[2], before = dup(0), after;

	(void)state;
	close(before);
	for (int i = 0; i < 3; i++) {
		struct peer p = { .id = 1 };

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		p.fd = pair[0];
		p.fcgi = fcgi_open(pair[1]);
		if (i > 0)
			put_request(&p, RESPONDER, KEEP, 0);
		if (i > 0)
			assert_true(comes(&p));
		if (i > 1)
			assert_true(fcgi_finish(p.fcgi));
		fcgi_close(p.fcgi);
		close(p.fd);
	}
	fcgi_close(NULL);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

#define WITH_PEER(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int
start(void **state)
{
	(void)state;
	return fcgi_init();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PEER(parameters_and_body),
		WITH_PEER(replies_of_every_size_on_one_connection),
		WITH_PEER(an_unread_body_does_not_spoil_the_next_request),
		WITH_PEER(goodbye_spoils_nothing),
		WITH_PEER(goodbye_to_nobody),
		WITH_PEER(closes_when_asked_to),
		WITH_PEER(only_responders),
		WITH_PEER(a_peer_that_went),
		WITH_PEER(a_peer_that_speaks_http),
		WITH_PEER(in_pieces),
		WITH_PEER(half_a_header),
		WITH_PEER(a_body_that_is_cut),
		WITH_PEER(a_reply_that_nobody_reads),
		cmocka_unit_test(closing_leaks_no_descriptor),
	};

	return cmocka_run_group_tests_name("web_fcgi", tests, start, NULL);
}
