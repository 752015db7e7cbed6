/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pass connections between workers as SCM_RIGHTS, one a message. */
#include "server/handover.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* unix(7): aligned room for one descriptor. */
union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
handovers_open(struct handover *v, int n)
{
	/* SEQPACKET: a message each, and no limit of ten waiting ones. */
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	for (int i = 0; i < n; i++) {
		int fds[2];

		if (socketpair(AF_UNIX, type, 0, fds) < 0) {
			int r = -errno;

			handovers_close(v, i);
			return r;
		}
		v[i] = (struct handover){ .give = fds[0], .take = fds[1] };
	}
	return 0;
}

void
handovers_close(struct handover *v, int n)
{
	for (int i = 0; i < n; i++) {
		close(v[i].give);
		close(v[i].take);
	}
}

bool
handover_give(const struct handover *h, int fd)
{
	union control control = { .room = { 0 } };
	char byte = 'c';	/* a message needs one at least */
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(h->give, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

bool
handover_is_empty(const struct handover *h)
{
	int bytes;

	return ioctl(h->give, SIOCOUTQ, &bytes) == 0 && bytes == 0;
}

int
handover_take(const struct handover *h)
{
	union control control = { .room = { 0 } };
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	const struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(h->take, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}
