/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/records, web/gather: what counts as a whole request, however it is cut,
 * and what never reaches the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/gather.h"

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, DATA = 8, VALUES = 9 };

/* What is said, record by record. */
static struct {
	uint8_t bytes[600 * 1024];
	size_t n;
} said;

static void
put(int type, int id, const void *content, size_t n, uint8_t padding)
{
	const uint8_t head[8] = { 1, (uint8_t)type, (uint8_t)(id >> 8),
	    (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n, padding, 0 };

	assert_true(said.n + 8 + n + padding <= sizeof(said.bytes));
	memcpy(said.bytes + said.n, head, sizeof(head));
	if (n > 0)
		memcpy(said.bytes + said.n + 8, content, n);
	memset(said.bytes + said.n + 8 + n, 'p', padding);
	said.n += 8 + n + padding;
}

static void
put_begin(int id, int role)
{
	const uint8_t body[8] = { (uint8_t)(role >> 8), (uint8_t)role, 1 };

	put(BEGIN, id, body, sizeof(body), 0);
}

#define PAIRS "\x0b\x04REQUEST_URI/x?y\x01\x00Z"

static void
put_request(int id)
{
	said.n = 0;
	put_begin(id, 1);
	put(PARAMS, id, PAIRS, sizeof(PAIRS) - 1, 3);
	put(PARAMS, id, NULL, 0, 0);
	put(STDIN, id, "body", 4, 255);
	put(STDIN, id, NULL, 0, 0);
}

static enum records_found
scan(void)
{
	struct records r = { 0 };

	return records_scan(&r, said.bytes, said.n);
}

static void
a_request_is_whole_at_its_last_byte(void **state)
{
	(void)state;
	put_request(300);
	assert_int_equal(scan(), RECORDS_WHOLE);
	for (size_t all = said.n; said.n > 0;) {
		said.n--;
		assert_int_equal(scan(), RECORDS_MORE);
		assert_true(said.n < all);
	}
}

static void
scanned_byte_by_byte_it_is_the_same(void **state)
{
	struct records r = { 0 };

	(void)state;
	put_request(1);
	for (size_t n = 1; n < said.n; n++)
		assert_int_equal(records_scan(&r, said.bytes, n),
		    RECORDS_MORE);
	assert_int_equal(records_scan(&r, said.bytes, said.n), RECORDS_WHOLE);
}

static void
pairs_may_be_cut_anywhere(void **state)
{
	static const char pairs[] =
	    "\x80\x00\x00\x01\x80\x00\x00\x02" "Axy" "\x00\x00" "\x01\x01" "Bz";

	(void)state;
	for (size_t cut = 0; cut < sizeof(pairs); cut++) {
		said.n = 0;
		put_begin(1, 1);
		if (cut > 0)
			put(PARAMS, 1, pairs, cut, 0);
		if (cut < sizeof(pairs) - 1)
			put(PARAMS, 1, pairs + cut, sizeof(pairs) - 1 - cut, 0);
		put(PARAMS, 1, NULL, 0, 0);
		put(STDIN, 1, NULL, 0, 0);
		assert_int_equal(scan(), RECORDS_WHOLE);
	}
}

/* Records after a sound BEGIN; each list is bad. */
static const struct {
	const char *why, *pairs;
	size_t n;
} bad_pairs[] = {
	{ "2 GiB name", "\xff\xff\xff\xff\x01", 5 },
	{ "2 GiB value", "\x01\xff\xff\xff\xff", 5 },
	{ "64 KiB name", "\x80\x01\x00\x00\x01", 5 },
	{ "ends in a length", "\x80\x00", 2 },
	{ "ends before a value's length", "\x01", 1 },
	{ "ends in a name", "\x05\x01" "AB", 4 },
	{ "ends in a value", "\x01\x05" "ABC", 5 },
	{ "NUL in a name", "\x02\x00" "A\x00", 4 },
	{ "NUL in a value", "\x01\x02" "AB\x00", 5 },
};

static void
pairs_that_lie_are_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_pairs) / sizeof(*bad_pairs); i++) {
		said.n = 0;
		put_begin(1, 1);
		put(PARAMS, 1, bad_pairs[i].pairs, bad_pairs[i].n, 0);
		put(PARAMS, 1, NULL, 0, 0);
		put(STDIN, 1, NULL, 0, 0);
		if (scan() != RECORDS_BAD)
			fail_msg("%s", bad_pairs[i].why);
	}
}

static void
too_many_pairs_are_bad(void **state)
{
	static uint8_t empty[32768];

	(void)state;
	said.n = 0;
	put_begin(1, 1);
	put(PARAMS, 1, empty, sizeof(empty), 0);
	assert_int_equal(scan(), RECORDS_MORE);
	put(PARAMS, 1, empty, sizeof(empty), 0);
	assert_int_equal(scan(), RECORDS_BAD);
}

static void
one_request_alone(void **state)
{
	static const int roles[] = { 0, 2, 3, 65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		said.n = 0;
		put_begin(1, roles[i]);
		assert_int_equal(scan(), RECORDS_BAD);
	}
	for (int type = BEGIN; type <= DATA; type++) {
		said.n = 0;
		put_begin(1, 1);
		put(type, 2, "12345678", 8, 0);	/* another id */
		assert_int_equal(scan(), RECORDS_BAD);
		said.n = 0;
		put_begin(1, 1);
		if (type == PARAMS)
			continue;
		put(type, 1, "12345678", 8, 0);	/* out of turn */
		assert_int_equal(scan(), RECORDS_BAD);
	}
	said.n = 0;
	put(PARAMS, 1, NULL, 0, 0);		/* nothing has begun */
	assert_int_equal(scan(), RECORDS_BAD);
	put_request(1);
	put_begin(1, 1);			/* before the reply */
	assert_int_equal(scan(), RECORDS_BAD);
}

static void
another_language_is_bad_at_once(void **state)
{
	(void)state;
	said.n = 3;
	memcpy(said.bytes, "GET", 3);
	assert_int_equal(scan(), RECORDS_BAD);
	put_request(1);
	said.bytes[0] = 0;
	assert_int_equal(scan(), RECORDS_BAD);
}

static void
management_records_are_answered(void **state)
{
	static const char asks[] = "\x0e\x00" "FCGI_MAX_CONNS"
	    "\x0f\x00" "FCGI_MPXS_CONNS" "\x0f\x00" "FCGI_MPXS_CONNS";
	static const uint8_t says[] = "\x01\x0a\x00\x00\x00\x12\x06\x00"
	    "\x0f\x01" "FCGI_MPXS_CONNS0\0\0\0\0\0";
	uint8_t answer[RECORDS_ANSWER_MAX];

	(void)state;
	said.n = 0;
	put(VALUES, 0, asks, sizeof(asks) - 1, 7);
	assert_int_equal(scan(), RECORDS_ASIDE);
	assert_int_equal(records_length(said.bytes), said.n);
	assert_int_equal(records_answer(said.bytes, answer), sizeof(says));
	assert_memory_equal(answer, says, sizeof(says));
	said.n = 0;
	put(VALUES, 0, asks, 16, 0);	/* what we have no word on */
	assert_int_equal(records_answer(said.bytes, answer), 8);
	assert_int_equal(answer[1], 10);
	said.n = 0;
	put(VALUES, 0, asks, 20, 0);	/* cut */
	assert_int_equal(records_answer(said.bytes, answer), 8);
	said.n = 0;
	put(77, 0, NULL, 0, 0);
	assert_int_equal(records_answer(said.bytes, answer), 16);
	assert_int_equal(answer[1], 11);
	assert_int_equal(answer[8], 77);
}

/* ---- gather ---- */

struct pair {
	struct gather gather;
	int us, peer;
};

static int
set_up(void **state)
{
	static struct pair p;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	p = (struct pair){ .us = fds[0], .peer = fds[1] };
	*state = &p;
	return 0;
}

static int
tear_down(void **state)
{
	struct pair *p = *state;

	gather_drop(&p->gather);
	close(p->us);
	return close(p->peer);
}

static void
say(const struct pair *p, size_t from, size_t n)
{
	assert_int_equal(send(p->peer, said.bytes + from, n, MSG_NOSIGNAL), n);
}

static enum gathered
step(struct pair *p)
{
	return gather_step(&p->gather, p->us);
}

/* As nginx sends it: nothing is allocated for it. */
static void
in_one_piece_it_is_whole_at_once(void **state)
{
	struct pair *p = *state;

	assert_int_equal(step(p), GATHER_MORE);
	assert_null(p->gather.bytes);
	put_request(1);
	say(p, 0, said.n);
	assert_int_equal(step(p), GATHER_WHOLE);
	assert_int_equal(p->gather.n, said.n);
	assert_memory_equal(p->gather.bytes, said.bytes, said.n);
	gather_drop(&p->gather);
	assert_null(p->gather.bytes);
}

/* Two connections in turn: what one has begun the other does not spoil. */
static void
each_holds_its_own(void **state)
{
	struct pair *p = *state, q;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	q = (struct pair){ .us = fds[0], .peer = fds[1] };
	put_request(1);
	say(p, 0, 30);
	assert_int_equal(step(p), GATHER_MORE);
	put_request(2);
	say(&q, 0, 20);
	assert_int_equal(step(&q), GATHER_MORE);
	say(&q, 20, said.n - 20);
	assert_int_equal(step(&q), GATHER_WHOLE);
	assert_memory_equal(q.gather.bytes, said.bytes, said.n);
	gather_drop(&q.gather);
	put_request(1);
	say(p, 30, said.n - 30);
	assert_int_equal(step(p), GATHER_WHOLE);
	assert_memory_equal(p->gather.bytes, said.bytes, said.n);
	close(q.us);
	close(q.peer);
}

static void
in_pieces_it_is_held(void **state)
{
	struct pair *p = *state;

	put_request(1);
	for (size_t i = 0; i < said.n - 1; i++) {
		say(p, i, 1);
		assert_int_equal(step(p), GATHER_MORE);
		assert_int_equal(step(p), GATHER_MORE);
		assert_int_equal(p->gather.n, i + 1);
	}
	say(p, said.n - 1, 1);
	assert_int_equal(step(p), GATHER_WHOLE);
	assert_int_equal(p->gather.n, said.n);
	assert_memory_equal(p->gather.bytes, said.bytes, said.n);
	gather_drop(&p->gather);
	assert_int_equal(p->gather.n, 0);
}

/* The library would take that padding for a record. */
static void
padding_that_is_forgotten_is_taken_out(void **state)
{
	struct pair *p = *state;

	said.n = 0;
	put(BEGIN, 1, "\0\1\1\0\0\0\0\0", 8, 1);
	put(PARAMS, 1, PAIRS, sizeof(PAIRS) - 1, 2);
	put(PARAMS, 1, NULL, 0, 3);
	put(STDIN, 1, "body", 4, 4);
	put(STDIN, 1, NULL, 0, 255);
	say(p, 0, said.n);
	assert_int_equal(step(p), GATHER_WHOLE);
	put_request(1);
	assert_int_equal(records_strip(said.bytes, said.n), p->gather.n);
	assert_memory_equal(p->gather.bytes, said.bytes, p->gather.n);
}

/* More than one read takes, and more than was room for. */
static void
a_large_body_is_whole(void **state)
{
	static char body[32768];
	struct pair *p = *state;
	enum gathered g = GATHER_MORE;
	size_t sent = 0;

	said.n = 0;
	put_begin(1, 1);
	put(PARAMS, 1, NULL, 0, 0);
	for (int i = 0; i < 14; i++) {
		memset(body, 'a' + i, sizeof(body));
		put(STDIN, 1, body, sizeof(body), 0);
	}
	put(STDIN, 1, NULL, 0, 0);
	while (sent < said.n) {
		ssize_t n = send(p->peer, said.bytes + sent, said.n - sent,
		    MSG_DONTWAIT);

		assert_int_equal(g, GATHER_MORE);
		sent += n > 0 ? (size_t)n : 0;
		g = step(p);
	}
	assert_int_equal(g, GATHER_WHOLE);
	assert_int_equal(p->gather.n, said.n);
	assert_memory_equal(p->gather.bytes, said.bytes, said.n);
}

/* A management record in the middle is answered and taken out. */
static void
asides_are_not_held(void **state)
{
	struct pair *p = *state;
	uint8_t answers[64];
	const size_t whole = 16 + 8 + 8;

	said.n = 0;
	put(77, 0, "x", 1, 1);
	put_begin(1, 1);
	put(VALUES, 0, NULL, 0, 0);
	put(PARAMS, 1, NULL, 0, 0);
	put(77, 0, NULL, 0, 0);
	say(p, 0, said.n);
	assert_int_equal(step(p), GATHER_MORE);
	put_request(1);
	say(p, said.n - 8, 8);
	assert_int_equal(step(p), GATHER_WHOLE);
	assert_int_equal(p->gather.n, whole);
	assert_int_equal(p->gather.bytes[1], BEGIN);
	assert_int_equal(p->gather.bytes[17], PARAMS);
	assert_int_equal(recv(p->peer, answers, sizeof(answers),
	    MSG_DONTWAIT), 16 + 8 + 16);
}

static void
an_aside_alone_leaves_nothing(void **state)
{
	struct pair *p = *state;

	said.n = 0;
	put(77, 0, NULL, 0, 0);
	say(p, 0, said.n);
	assert_int_equal(step(p), GATHER_MORE);
	assert_int_equal(p->gather.n, 0);
	assert_null(p->gather.bytes);
}

/* Somebody who asks and never listens is parted with, not waited for. */
static void
answers_that_nobody_reads(void **state)
{
	struct pair *p = *state;
	enum gathered g = GATHER_MORE;

	said.n = 0;
	put(77, 0, NULL, 0, 0);
	for (int i = 0; i < 100000 && g == GATHER_MORE; i++) {
		say(p, 0, said.n);
		g = step(p);
	}
	assert_int_equal(g, GATHER_OVER);
}

static void
a_body_without_end_is_cut_off(void **state)
{
	static char body[32768];
	struct pair *p = *state;
	enum gathered g = GATHER_MORE;

	said.n = 0;
	put_begin(1, 1);
	put(PARAMS, 1, NULL, 0, 0);
	say(p, 0, said.n);
	said.n = 0;
	put(STDIN, 1, body, sizeof(body), 0);
	for (int i = 0; i < 2000 && g == GATHER_MORE; i++) {
		assert_true(p->gather.n <= GATHER_FILE);
		say(p, 0, said.n);
		g = step(p);
	}
	assert_int_equal(g, GATHER_OVER);
}

static void
a_peer_that_went(void **state)
{
	struct pair *p = *state;

	put_request(1);
	say(p, 0, 20);
	assert_int_equal(step(p), GATHER_MORE);
	shutdown(p->peer, SHUT_WR);
	assert_int_equal(step(p), GATHER_OVER);
}

#define WITH_PAIR(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_whole_at_its_last_byte),
		cmocka_unit_test(scanned_byte_by_byte_it_is_the_same),
		cmocka_unit_test(pairs_may_be_cut_anywhere),
		cmocka_unit_test(pairs_that_lie_are_bad),
		cmocka_unit_test(too_many_pairs_are_bad),
		cmocka_unit_test(one_request_alone),
		cmocka_unit_test(another_language_is_bad_at_once),
		cmocka_unit_test(management_records_are_answered),
		WITH_PAIR(in_one_piece_it_is_whole_at_once),
		WITH_PAIR(each_holds_its_own),
		WITH_PAIR(in_pieces_it_is_held),
		WITH_PAIR(a_large_body_is_whole),
		WITH_PAIR(padding_that_is_forgotten_is_taken_out),
		WITH_PAIR(asides_are_not_held),
		WITH_PAIR(an_aside_alone_leaves_nothing),
		WITH_PAIR(answers_that_nobody_reads),
		WITH_PAIR(a_body_without_end_is_cut_off),
		WITH_PAIR(a_peer_that_went),
	};

	return cmocka_run_group_tests_name("web_records", tests, NULL, NULL);
}
