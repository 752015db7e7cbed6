/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The least a FastCGI application can do: answer every request with bytes that
 * were ready before it came. It shows what nginx and the hop to an application
 * cost, so no library stands between it and the sockets.
 *
 *   constant WORKERS SOCKET FILE [SOCKET FILE]...
 *
 * FILE holds what the request at SOCKET is answered with, headers and all.
 * Connections are kept, an epoll set a worker, as in docketd.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <signal.h>
#include <unistd.h>

enum { HEADER = 8, RECORD_MAX = 65528, BACKLOG = 4096, REPLIES = 16 };
/* Record types of the FastCGI specification 1.0, section 8. */
enum { END_REQUEST = 3, STDIN = 5, STDOUT = 6 };

struct reply {
	int listener;
	uint8_t *bytes;		/* whole records; the request id is 1, as nginx has it */
	size_t n;
};

/* A listener hands its reply on to the connections it accepts. */
struct conn {
	int fd;
	const struct reply *reply;
	bool listening;
	size_t have;		/* bytes of the header that have come */
	size_t skip;		/* bytes of content and padding still to come */
	uint8_t header[HEADER];
};

static uint8_t *
record(uint8_t *at, int type, size_t n)
{
	const uint8_t header[HEADER] = {
		1, (uint8_t)type, 0, 1, (uint8_t)(n >> 8), (uint8_t)n, 0, 0
	};

	memcpy(at, header, HEADER);
	return at + HEADER;
}

/* Standard output in records, its end, the end of the request. */
static void
reply_make(struct reply *reply, const uint8_t *text, size_t n)
{
	uint8_t *at = malloc(n + (n / RECORD_MAX + 4) * HEADER + 8);

	if (!at)
		err(1, "malloc");
	reply->bytes = at;
	while (n > 0) {
		size_t part = n < RECORD_MAX ? n : RECORD_MAX;

		at = record(at, STDOUT, part);
		memcpy(at, text, part);
		at += part;
		text += part;
		n -= part;
	}
	at = record(at, STDOUT, 0);
	at = record(at, END_REQUEST, 8);
	memset(at, 0, 8);
	reply->n = (size_t)(at + 8 - reply->bytes);
}

static void
reply_read(struct reply *reply, const char *path)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	uint8_t *text;

	if (!file || fstat(fileno(file), &st))
		err(1, "%s", path);
	text = malloc((size_t)st.st_size);
	if (!text || fread(text, (size_t)st.st_size, 1, file) != 1)
		err(1, "%s", path);
	fclose(file);
	reply_make(reply, text, (size_t)st.st_size);
	free(text);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(to.sun_path))
		errx(1, "%s: too long", path);
	strcpy(to.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    chmod(path, 0666) || listen(fd, BACKLOG))
		err(1, "%s", path);
	return fd;
}

static struct conn *
watch(int epoll, int fd, const struct reply *reply, bool listening)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	struct epoll_event event = { .data = { .ptr = conn } };

	if (!conn)
		err(1, "calloc");
	conn->fd = fd;
	conn->reply = reply;
	conn->listening = listening;
	event.events = listening ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
	return conn;
}

static void
drop(struct conn *conn)
{
	close(conn->fd);
	free(conn);
}

/* The reply in one write; nginx reads it, so it may wait. */
static bool
answer(const struct conn *conn)
{
	size_t sent = 0;

	while (sent < conn->reply->n) {
		ssize_t n = write(conn->fd, conn->reply->bytes + sent,
		    conn->reply->n - sent);

		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

/* A header is whole: how much follows, and was it the end of a request? */
static bool
record_begin(struct conn *conn)
{
	const uint8_t *h = conn->header;
	size_t content = (size_t)h[4] << 8 | h[5];

	conn->have = 0;
	conn->skip = content + h[6];
	return h[1] != STDIN || content > 0 || answer(conn);
}

static bool
take(struct conn *conn, const uint8_t *at, size_t n)
{
	while (n > 0) {
		size_t part = conn->skip > 0 ? conn->skip :
		    HEADER - conn->have;

		if (part > n)
			part = n;
		if (conn->skip > 0) {
			conn->skip -= part;
		} else {
			memcpy(conn->header + conn->have, at, part);
			conn->have += part;
			if (conn->have == HEADER && !record_begin(conn))
				return false;
		}
		at += part;
		n -= part;
	}
	return true;
}

static void
serve(int epoll, struct conn *conn)
{
	uint8_t bytes[16384];
	ssize_t n;
	int fd;

	if (conn->listening) {
		fd = accept4(conn->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			watch(epoll, fd, conn->reply, false);
		return;
	}
	n = read(conn->fd, bytes, sizeof(bytes));
	if (n <= 0 || !take(conn, bytes, (size_t)n))
		drop(conn);
}

static void
worker(const struct reply *replies, size_t n)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (epoll < 0)
		err(1, "epoll_create1");
	for (size_t i = 0; i < n; i++)
		watch(epoll, replies[i].listener, &replies[i], true);
	for (;;)
		if (epoll_wait(epoll, &event, 1, -1) == 1)
			serve(epoll, event.data.ptr);
}

int
main(int argc, char **argv)
{
	struct reply replies[REPLIES];
	size_t n = 0;

	if (argc < 4 || argc % 2 != 0 || (argc - 2) / 2 > REPLIES)
		errx(64, "usage: constant WORKERS SOCKET FILE ...");
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (int i = 2; i < argc; i += 2, n++) {
		reply_read(&replies[n], argv[i + 1]);
		replies[n].listener = listen_at(argv[i]);
	}
	for (int i = 0; i < atoi(argv[1]); i++)
		if (fork() == 0)
			worker(replies, n);
	pause();
	return 0;
}
