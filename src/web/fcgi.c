/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libfcgi door: requests off one kept connection, replies back onto it. */
#include "web/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <fcgios.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/gather.h"

/* How long in all one reply waits for its reader. */
#define FCGI_PATIENCE_MS 500
/* And each piece of a long one: nginx may be writing the last to its disk. */
#define FCGI_PATIENCE_STREAM_MS 2000

/* FastCGI 1.0 §3.3 and §8: what we write ourselves, so that a reply and its
 * end are one write; the library would make them two, and a copy. */
#define RECORD_VERSION 1
#define RECORD_END 3
#define RECORD_STDOUT 6
#define RECORD_STDERR 7
#define RECORD_MAX 65528	/* the largest multiple of 8: no padding */
#define ROLE_RESPONDER 1
#define REQUEST_ID 1		/* nginx knows no other */

struct fcgi {
	FCGX_Request request;
	struct gather gather;
	int64_t patience_ms;	/* of the reply in hand */
	bool broken;
};

/* What the library reads: the one request that is in hand, from memory. */
static struct {
	const uint8_t *bytes;
	size_t n;
} source;

/* The reply of the one request that this process has in hand. */
static struct {
	uint8_t bytes[RECORD_MAX];
	size_t n;
} pending;

/*
 * The library asks this function of its own (fcgios.h) for bytes; ours stands
 * in front of it. It would read from the socket, and there it waits for what a
 * peer promised and takes an error for the end of the parameters.
 */
int
OS_Read(int fd, char *buf, size_t len)
{
	(void)fd;
	if (source.n == 0)
		return 0;
	len = len < source.n ? len : source.n;
	memcpy(buf, source.bytes, len);
	source.bytes += len;
	source.n -= len;
	return (int)len;
}

static bool
read_from(const void *bytes, size_t n, FCGX_Request *request)
{
	source.bytes = bytes;
	source.n = n;
	return FCGX_Accept_r(request) == 0 && request->ipcFd >= 0;
}

/* Is it our function that the library calls? The linker could know better. */
static bool
reads_from_us(void)
{
	static const uint8_t bytes[] = {
		1, 1, 0, 1, 0, 8, 0, 0, 0, ROLE_RESPONDER, 0, 0, 0, 0, 0, 0,
		1, 4, 0, 1, 0, 0, 0, 0,
	};
	FCGX_Request request;
	bool read;

	FCGX_InitRequest(&request, -1, 0);
	request.ipcFd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (request.ipcFd < 0)
		/* cppcheck-suppress memleak ; there is none to close */
		return false;
	request.keepConnection = 1;
	FCGX_Detach(&request);
	read = read_from(bytes, sizeof(bytes), &request);
	FCGX_Free(&request, 1);
	return read;
}

int
fcgi_init(void)
{
	/* Read once by the library: how long it waits for a peer to close. */
	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 0) < 0)
		return -EIO;
	if (FCGX_Init() != 0)
		return -EIO;
	if (reads_from_us())
		return 0;
	log_event(LOG_ERROR_, "libfcgi_unusable",
	    "why=\"it does not call our OS_Read\"");
	return -EIO;
}

struct fcgi *
fcgi_open(int fd)
{
	struct fcgi *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	/* No listening socket: the library would accept on it, untimed, as
	 * soon as the peer has gone. keepConnection: FCGX_Accept_r begins by
	 * finishing "the request before", which would close the socket. */
	FCGX_InitRequest(&f->request, -1, 0);
	f->request.ipcFd = fd;
	f->request.keepConnection = 1;
	/* Close at once, without waiting for a peer that trickles. */
	FCGX_Detach(&f->request);
	return f;
}

void
fcgi_close(struct fcgi *f)
{
	if (!f)
		return;
	FCGX_Free(&f->request, 0);
	if (f->request.ipcFd >= 0)
		close(f->request.ipcFd);
	gather_drop(&f->gather);
	free(f);
}

int
fcgi_fd(const struct fcgi *f)
{
	return f->request.ipcFd;
}

enum fcgi_found
fcgi_gather(struct fcgi *f)
{
	switch (gather_step(&f->gather, f->request.ipcFd)) {
	case GATHER_MORE:
		return FCGI_MORE;
	case GATHER_WHOLE:
		return FCGI_WHOLE;
	case GATHER_OVER:
		break;
	}
	return FCGI_OVER;
}

bool
fcgi_holds(const struct fcgi *f)
{
	return f->gather.n > 0;
}

bool
fcgi_accept(struct fcgi *f)
{
	pending.n = 0;
	f->broken = false;
	f->patience_ms = FCGI_PATIENCE_MS;
	return read_from(f->gather.bytes, f->gather.n, &f->request) &&
	    f->request.role == ROLE_RESPONDER;
}

const char *
fcgi_param(const struct fcgi *f, const char *name)
{
	return FCGX_GetParam(name, f->request.envp);
}

const char *
fcgi_param_next(const struct fcgi *f, size_t *i)
{
	const char *pair = f->request.envp[*i];

	if (pair)
		++*i;
	return pair;
}

ssize_t
fcgi_read(struct fcgi *f, void *out, size_t n)
{
	int want = n > INT32_MAX ? INT32_MAX : (int)n;
	int got = FCGX_GetStr(out, want, f->request.in);

	if (got > 0 || n == 0)
		return got;
	return FCGX_GetError(f->request.in) == 0 ? 0 : -1;
}

/* Wait for room in the socket, as long as this reply may still take. */
static bool
wait_for_room(struct fcgi *f)
{
	struct pollfd p = { .fd = f->request.ipcFd, .events = POLLOUT };
	const int64_t begun = clock_mono_ms();
	const int n = poll(&p, 1, (int)f->patience_ms);

	f->patience_ms -= clock_mono_ms() - begun;
	return (n > 0 || (n < 0 && errno == EINTR)) && f->patience_ms > 0;
}

static bool
write_all(struct fcgi *f, struct iovec *v, size_t n)
{
	while (n > 0) {
		const struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
		ssize_t done = sendmsg(f->request.ipcFd, &m,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (done < 0 && !wait_for_room(f))
			return false;
		if (done < 0)
			continue;
		for (; n > 0 && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return true;
}

#define HEAD 8

static void
put_head(uint8_t head[HEAD], int type, int id, size_t n, uint8_t pad)
{
	head[0] = RECORD_VERSION;
	head[1] = (uint8_t)type;
	head[2] = (uint8_t)(id >> 8);
	head[3] = (uint8_t)id;
	head[4] = (uint8_t)(n >> 8);
	head[5] = (uint8_t)n;
	head[6] = pad;
	head[7] = 0;
}

/* What waits, as one FCGI_STDOUT record; with `last` also the empty one that
 * ends the stream and FCGI_END_REQUEST (status 0, FCGI_REQUEST_COMPLETE), all
 * in one write. */
static void
write_pending(struct fcgi *f, bool last)
{
	const int id = f->request.requestId;
	uint8_t head[HEAD], end[3 * HEAD] = { 0 }, padding[8] = { 0 };
	const uint8_t pad = (uint8_t)(-pending.n & 7);
	struct iovec v[4] = { { head, HEAD }, { pending.bytes, pending.n },
	    { padding, pad }, { end, last ? sizeof(end) : 0 } };
	const size_t skip = pending.n == 0 ? 3 : 0;

	put_head(head, RECORD_STDOUT, id, pending.n, pad);
	put_head(end, RECORD_STDOUT, id, 0, 0);
	put_head(end + HEAD, RECORD_END, id, HEAD, 0);
	if (!write_all(f, v + skip, 4 - skip))
		f->broken = true;
	pending.n = 0;
}

bool
fcgi_write(struct fcgi *f, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	while (n > 0 && !f->broken) {
		size_t room = sizeof(pending.bytes) - pending.n;
		size_t part = n < room ? n : room;

		memcpy(pending.bytes + pending.n, from, part);
		pending.n += part;
		from += part;
		n -= part;
		if (pending.n == sizeof(pending.bytes))
			write_pending(f, false);
	}
	return !f->broken;
}

void
fcgi_patience(struct fcgi *f)
{
	f->patience_ms = FCGI_PATIENCE_STREAM_MS;
}

void
fcgi_cut(struct fcgi *f)
{
	f->broken = true;
}

/* The reply is on its way and ended: the library has nothing to say. */
static void
mute(FCGX_Stream *stream)
{
	stream->wasFCloseCalled = 1;
	stream->isClosed = 1;
}

bool
fcgi_finish(struct fcgi *f)
{
	bool keep = f->request.keepConnection != 0;

	if (!f->broken)
		write_pending(f, true);
	mute(f->request.out);
	mute(f->request.err);
	/* fcgi_close is the one that closes. */
	f->request.keepConnection = 1;
	FCGX_Finish_r(&f->request);
	gather_drop(&f->gather);
	return keep && !f->broken && f->request.ipcFd >= 0;
}

/*
 * FastCGI has no word for this, but nginx gives up a kept connection on which
 * anything stands that it did not ask for: in its store, at once; after a
 * reply, instead of storing it. Had it just chosen the connection for the next
 * request, it skips the record, which is an empty FCGI_STDERR, and finds the
 * reply behind it. So there is no moment at which a request gets lost.
 */
bool
fcgi_goodbye(const struct fcgi *f)
{
	static const uint8_t record[8] = { RECORD_VERSION, RECORD_STDERR, 0,
	    REQUEST_ID };

	return send(f->request.ipcFd, record, sizeof(record),
	    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(record);
}
