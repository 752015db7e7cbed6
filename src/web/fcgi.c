/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libfcgi door: requests off one kept connection, replies back onto it. */
#include "web/fcgi.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fcgiapp.h>

#define FCGI_TIMEOUT_MS 500
#define FCGI_DRAIN_MAX (4 * 1024 * 1024)

/* FastCGI 1.0 §3.3 and §8: what we write ourselves is only FCGI_STDOUT. */
#define RECORD_VERSION 1
#define RECORD_STDOUT 6
#define RECORD_MAX 65528	/* the largest multiple of 8: no padding */
#define ROLE_RESPONDER 1

/* Replies up to this size go out in the library's own buffer, in one write
 * with the records that end the request; 64 bytes are left for those. */
#define LIBRARY_ROOM (8192 - 64)

struct fcgi {
	FCGX_Request request;
	bool broken;
};

/* The reply of the one request that this process has in hand. The library's
 * stream holds 8 KiB and writes at every one; this makes it 64. */
static struct {
	uint8_t bytes[RECORD_MAX];
	size_t n;
} pending;

int
fcgi_init(void)
{
	/* Read once by the library: how long it waits for a peer to close. */
	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 0) < 0)
		return -EIO;
	return FCGX_Init() == 0 ? 0 : -EIO;
}

static bool
set_timeouts(int fd)
{
	struct timeval t = { 0, FCGI_TIMEOUT_MS * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0;
}

struct fcgi *
fcgi_open(int fd)
{
	struct fcgi *f = calloc(1, sizeof(*f));

	if (!f || !set_timeouts(fd)) {
		free(f);
		close(fd);
		return NULL;
	}
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
	free(f);
}

int
fcgi_fd(const struct fcgi *f)
{
	return f->request.ipcFd;
}

bool
fcgi_accept(struct fcgi *f)
{
	pending.n = 0;
	f->broken = false;
	if (FCGX_Accept_r(&f->request) != 0 || f->request.ipcFd < 0)
		return false;
	return f->request.role == ROLE_RESPONDER;
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

/* Write both parts; the socket blocks for its timeout at most. */
static bool
write_all(int fd, struct iovec *v, int n)
{
	while (n > 0) {
		ssize_t done = writev(fd, v, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		for (; n > 0 && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return true;
}

/* One FCGI_STDOUT record. Nothing waits in the library's stream: it is only
 * written to when the request ends. */
static bool
write_record(struct fcgi *f, const void *bytes, size_t n)
{
	uint8_t padding[8] = { 0 };
	uint8_t pad = (uint8_t)(-n & 7);
	int id = f->request.requestId;
	uint8_t head[8] = { RECORD_VERSION, RECORD_STDOUT, (uint8_t)(id >> 8),
	    (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n, pad, 0 };
	struct iovec v[3] = { { head, sizeof(head) },
	    { (void *)(uintptr_t)bytes, n }, { padding, pad } };

	if (!write_all(f->request.ipcFd, v, 3))
		f->broken = true;
	return !f->broken;
}

static bool
write_pending(struct fcgi *f)
{
	size_t n = pending.n;

	pending.n = 0;
	return n == 0 || write_record(f, pending.bytes, n);
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
			write_pending(f);
	}
	return !f->broken;
}

/* Take what is left of the body: the next request on this connection would
 * begin with it, and closing over unread bytes resets the peer. */
static bool
drain_input(struct fcgi *f)
{
	char trash[4096];
	size_t all = 0;
	ssize_t n;

	while ((n = fcgi_read(f, trash, sizeof(trash))) > 0) {
		all += (size_t)n;
		if (all > FCGI_DRAIN_MAX)
			return false;
	}
	return n == 0;
}

bool
fcgi_finish(struct fcgi *f)
{
	bool sound = drain_input(f);

	if (pending.n <= LIBRARY_ROOM) {
		if (FCGX_PutStr((const char *)pending.bytes, (int)pending.n,
		    f->request.out) < 0)
			f->broken = true;
		pending.n = 0;
	} else {
		write_pending(f);
	}
	FCGX_Finish_r(&f->request);
	return sound && !f->broken && f->request.ipcFd >= 0;
}
