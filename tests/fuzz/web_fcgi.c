/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Any bytes on a worker's connection, served as a worker does. By itself
 * libfcgi 2.4.2 would abort (a length of 1 GiB and no memory for it), write
 * past 64 bytes of its stack (FCGI_GET_VALUES with four known names), wait,
 * or take an error for the end of the parameters; whatever fcgi_gather lets
 * pass must do none of that, so none of it is excused here.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "web/fcgi.h"
#include "web/records.h"
#include "web/request.h"

enum { END = 3, PARAMS = 4, STDOUT = 6, HEAD = 8, KEEP = 1, REPLY = 100000 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return fcgi_init();
}

static void
require(bool is_so)
{
	if (!is_so)
		abort();
}

static uint32_t
length_at(const uint8_t *bytes, size_t *at)
{
	const uint8_t *b = bytes + *at;

	*at += *b & 0x80 ? 4 : 1;
	return *b & 0x80 ? (uint32_t)(b[0] & 0x7f) << 24 |
	    (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : *b;
}

/* The content of all the FCGI_PARAMS of the first request in the bytes. */
static size_t
params_of(const uint8_t *data, uint8_t *out)
{
	size_t at = 0, n = 0;

	for (;; at += records_length(data + at)) {
		const size_t content = (size_t)data[at + 4] << 8 | data[at + 5];

		if (data[at + 1] != PARAMS || (data[at + 2] | data[at + 3]) == 0)
			continue;
		if (content == 0)
			return n;
		memcpy(out + n, data + at + HEAD, content);
		n += content;
	}
}

/* The library read the pairs that were sent: all of them, no others. */
static void
check_params(const struct fcgi *fcgi, const uint8_t *data, size_t size)
{
	uint8_t *said = malloc(size);
	const size_t n = params_of(data, said);
	const char *pair;
	size_t i = 0;

	require(fcgi_param_next(fcgi, &i) != NULL);	/* FCGI_ROLE */
	for (size_t at = 0; at < n;) {
		const uint32_t name = length_at(said, &at);
		const uint32_t value = length_at(said, &at);

		pair = fcgi_param_next(fcgi, &i);
		require(pair && strlen(pair) == name + 1 + value &&
		    memcmp(pair, said + at, name) == 0 && pair[name] == '=' &&
		    memcmp(pair + name + 1, said + at + name, value) == 0);
		at += name + value;
	}
	require(fcgi_param_next(fcgi, &i) == NULL);
	free(said);
}

/* Everything of it is used, as the program would. */
static size_t
serve(struct fcgi *fcgi, struct arena *mem)
{
	static char reply[REPLY];
	struct request req;
	struct client client;
	int r = request_read(&req, &client, fcgi, mem);

	require(req.method.s && client.ip.s && client.network.s && req.id.n);
	require(r != 0 || req.path.s[0] == '/');
	if (request_read_body(&req, fcgi, mem, BODY_MAX) == 0)
		require(req.body.n <= BODY_MAX);
	memset(reply, 'r', sizeof(reply));
	/* Of every size, by the first bytes of the id. */
	r = (req.id.s[0] << 8 | req.id.s[1]) % REPLY;
	require(fcgi_write(fcgi, reply, (size_t)r));
	return (size_t)r;
}

/* Answers to management records, then one reply of n bytes, whole. */
static void
check_reply(int fd, size_t n)
{
	static uint8_t said[REPLY + 4096];
	const ssize_t got = recv(fd, said, sizeof(said), MSG_DONTWAIT);
	size_t at = 0, all = 0;

	while (got > 0 && at + HEAD <= (size_t)got) {
		const uint8_t *record = said + at;

		require(record[0] == 1);
		if (record[1] == STDOUT)
			all += (size_t)record[4] << 8 | record[5];
		at += records_length(record);
		if (record[1] == END)
			break;
	}
	require(got > 0 && at == (size_t)got && all == n);
}

/* The bytes come in two parts; the request in them, if there is one. */
static void
play(struct fcgi *fcgi, int peer, const uint8_t *data, size_t size)
{
	const size_t cut = size ? data[size - 1] % size : 0;
	enum fcgi_found found = FCGI_MORE;
	struct arena *mem = arena_new(4096);
	size_t n;

	require(mem != NULL);
	if (cut && send(peer, data, cut, 0) == (ssize_t)cut)
		found = fcgi_gather(fcgi);
	if (found == FCGI_MORE && cut < size &&
	    send(peer, data + cut, size - cut, 0) == (ssize_t)(size - cut))
		found = fcgi_gather(fcgi);
	if (found == FCGI_WHOLE) {
		require(fcgi_accept(fcgi));
		check_params(fcgi, data, size);
		n = serve(fcgi, mem);
		fcgi_finish(fcgi);
		check_reply(peer, n);
	}
	arena_free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fcgi *fcgi;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 0;
	fcgi = fcgi_open(pair[1]);
	require(fcgi != NULL);
	play(fcgi, pair[0], data, size);
	fcgi_close(fcgi);
	close(pair[0]);
	return 0;
}
