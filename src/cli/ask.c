/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One FastCGI request to docketd itself: works without nginx, and says nothing
 * that nginx would not. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/scrape.h"

/* FastCGI 1.0 §8. */
#define BEGIN_REQUEST 1
#define END_REQUEST 3
#define PARAMS 4
#define STDIN 5
#define STDOUT 6
#define HEAD 8

/* So long a group that serves may take, for all of its answer; above
 * server.deadline_ms. */
#define PATIENCE_S 3
/* Far above what a thousand workers have to tell. */
#define REPLY_MAX (4u << 20)

/* A record of fewer than 64 KiB. */
static void
put_record(struct buf *out, uint8_t type, const void *content, size_t n)
{
	const uint8_t head[HEAD] = { 1, type, 0, 1, (uint8_t)(n >> 8),
		(uint8_t)n, 0, 0 };

	buf_put(out, head, sizeof(head));
	buf_put(out, content, n);
}

/* Lengths below 128 take a byte, longer ones four. */
static void
put_length(struct buf *out, size_t n)
{
	if (n >= 128)
		buf_put(out, (const uint8_t[]){ 0x80, 0, (uint8_t)(n >> 8) },
		    3);
	buf_putc(out, (char)(n & 0xff));
}

static void
put_pair(struct buf *out, const char *name, const char *value)
{
	put_length(out, strlen(name));
	put_length(out, strlen(value));
	buf_puts(out, name);
	buf_puts(out, value);
}

static void
put_request(struct buf *out, const char *target)
{
	const uint8_t begin[8] = { 0, 1 };	/* a responder, asked once */
	const char *query = strchr(target, '?');
	struct buf pairs = { 0 };

	put_pair(&pairs, "REQUEST_METHOD", "GET");
	put_pair(&pairs, "REQUEST_URI", target);
	put_pair(&pairs, "QUERY_STRING", query ? query + 1 : "");
	put_pair(&pairs, "REMOTE_ADDR", "127.0.0.1");
	put_record(out, BEGIN_REQUEST, begin, sizeof(begin));
	put_record(out, PARAMS, pairs.p, pairs.n);
	put_record(out, PARAMS, "", 0);
	put_record(out, STDIN, "", 0);
	out->failed |= pairs.failed;
	buf_done(&pairs);
}

static int
open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const size_t n = strlen(path);
	int fd;

	if (n >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address,
	    sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* True when there is something to read; else errno. */
static bool
await(int fd, int64_t late_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int n = -1;

	while (n < 0 && (left = late_ms - clock_mono_ms()) > 0) {
		n = poll(&p, 1, (int)left);
		if (n < 0 && errno != EINTR)
			return false;
	}
	errno = EAGAIN;
	return n > 0;
}

/* All of it, or false with errno; an end that comes too soon is EPIPE. Who
 * sends a byte now and then is late all the same. */
static bool
read_all(int fd, uint8_t *to, size_t n, int64_t late_ms)
{
	while (n > 0) {
		ssize_t got;

		if (!await(fd, late_ms))
			return false;
		got = recv(fd, to, n, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got == 0)
			errno = EPIPE;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static bool
read_reply(int fd, struct buf *ret)
{
	static uint8_t content[65536 + 256];
	const int64_t late_ms = clock_mono_ms() + 1000 * PATIENCE_S;
	uint8_t head[HEAD];
	size_t n;

	do {
		if (!read_all(fd, head, sizeof(head), late_ms))
			return false;
		n = (size_t)head[4] << 8 | head[5];
		if (!read_all(fd, content, n + head[6], late_ms))
			return false;
		if (head[1] == STDOUT)
			buf_put(ret, content, n);
		errno = EMSGSIZE;
		if (ret->n > REPLY_MAX)
			return false;
	} while (head[1] != END_REQUEST);
	errno = ENOMEM;
	return !ret->failed;
}

/* The reply is a CGI header, an empty line, the body. */
static const char *
take_body(const struct buf *reply, struct buf *ret)
{
	static const char gap[] = "\r\n\r\n", good[] = "Status: 200 ";
	const char *body = reply->n < sizeof(good) ? NULL :
	    memmem(reply->p, reply->n, gap, 4);

	if (!body || memcmp(reply->p, good, sizeof(good) - 1) != 0)
		return "it refuses to tell";
	body += 4;
	buf_put(ret, body, reply->n - (size_t)(body - reply->p));
	return ret->failed ? strerror(ENOMEM) : NULL;
}

static const char *
why_not(void)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		return "no answer within 3 s";
	return strerror(errno);
}

const char *
cli_ask(const char *path, const char *target, struct buf *ret_body)
{
	struct buf request = { 0 }, reply = { 0 };
	const char *why = NULL;
	int fd = open_socket(path);

	if (fd < 0)
		return why_not();
	put_request(&request, target);
	if (request.failed)
		why = strerror(ENOMEM);
	else if (send(fd, request.p, request.n, MSG_NOSIGNAL) !=
	    (ssize_t)request.n || !read_reply(fd, &reply))
		why = why_not();
	else
		why = take_body(&reply, ret_body);
	close(fd);
	buf_done(&request);
	buf_done(&reply);
	return why;
}
